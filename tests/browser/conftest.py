"""A real browser, a front end on a port of its own, and the stack of `make run` between them."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from local.service import free_port
from tests.support import stack

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
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


class EmptyPage(BaseHTTPRequestHandler):
    """A front end without a program: each test brings what its page does."""

    def do_GET(self) -> None:
        page = b"<!doctype html><title>Front end</title>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)


@contextmanager
def served(port: int) -> Iterator[str]:
    """The origin of an empty page on this port, or on a free one where it is taken."""
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), EmptyPage)
    except OSError:
        server = ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage)
    Thread(target=server.serve_forever, daemon=True).start()
    with closing(server.socket):
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


@pytest.fixture
def browser() -> Iterator[Browser]:
    """A browser for one test: while Playwright lives, its event loop is in the way of those of the handlers."""
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("CI has to install Chromium")
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def frontend() -> Iterator[str]:
    """The origin of a page on port 3000, which the stack's defaults allow."""
    with served(3000) as origin:
        yield origin


@pytest.fixture(scope="session")
def foreign() -> Iterator[str]:
    """The origin of a page that the stack does not know."""
    with served(0) as origin:
        yield origin


class Stack(NamedTuple):
    """Where the stack is: its gateway, and its database for an administrator."""

    gateway: str
    database: str


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory, frontend: str) -> Iterator[Stack]:
    """The stack, started as a developer starts it; where 3000 is taken, with the front end's own."""
    port = free_port()
    own = {"FRONTEND_URL": frontend, "ALLOWED_ORIGINS": f"{frontend},http://localhost:{port}"}
    variables = {} if frontend.endswith(":3000") else own
    process, printed = stack.start(tmp_path_factory.mktemp("stack") / "data", port, **variables)
    [database] = re.findall(r"^  database +(\S+)", printed, re.MULTILINE)
    yield Stack(f"http://localhost:{port}", database)
    stack.stop(process)


@pytest.fixture(scope="session")
def gateway(running: Stack) -> str:
    """The address of the stack."""
    return running.gateway


@pytest.fixture
def visitor(browser: Browser) -> Iterator[BrowserContext]:
    """A profile of its own: no cookies, nothing cached. A function starts at its first request, which takes long."""
    with browser.new_context() as context:
        context.set_default_timeout(120_000)
        yield context
