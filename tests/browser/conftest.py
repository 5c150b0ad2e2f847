"""A real browser, beside the stack of `make run` and a front end on a port of its own that all tests have."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.support.stack import served

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
NO_CHROMIUM = "Chromium is not installed: try `apt-get install chromium`, or say CHROMIUM=/path/to/it"
# As root, which a container's user often is, Chromium starts only without its sandbox.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# By how many pixels a page is wider than its window.
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def browser() -> Iterator[Browser]:
    """A browser for one test: while Playwright lives, its event loop is in the way of those of the handlers."""
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail(NO_CHROMIUM)
        pytest.skip(NO_CHROMIUM)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def foreign() -> Iterator[str]:
    """The origin of a page that the stack does not know."""
    with served(0) as origin:
        yield origin


@pytest.fixture
def visitor(browser: Browser) -> Iterator[BrowserContext]:
    """A profile of its own: no cookies, nothing cached. A function starts at its first request, which takes long."""
    with browser.new_context() as context:
        context.set_default_timeout(120_000)
        yield context


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console says of errors of our pages."""
    return []


@pytest.fixture
def blank(visitor: BrowserContext, gateway: str, complaints: list[str]) -> Page:
    """A page of the visitor's, before it is led anywhere."""
    page = visitor.new_page()

    def note(message: ConsoleMessage) -> None:
        # Not what the identity provider's own page asks for.
        if message.type == "error" and page.url.startswith(gateway):
            complaints.append(message.text)

    page.on("console", note)
    return page
