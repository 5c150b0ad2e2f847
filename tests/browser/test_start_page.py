"""The start page in a real browser: a developer sees what runs, moves the clock, signs in.

START_PAGE_PICTURES=docs has the test write the README's pictures there.
"""

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import OVERFLOW

# One worker has the browser and the stack.
pytestmark = pytest.mark.xdist_group("browser")

# A function starts at its first request, which takes long on a busy machine.
expect.set_options(timeout=120_000)

HOSTILE = "<script>window.foreign = 1</script><img src=x onerror='window.foreign = 1'>"


@pytest.fixture
def page(blank: Page, gateway: str) -> Page:
    blank.goto(gateway)
    expect(blank.locator("#services li").first).to_be_visible()
    return blank


def shown_time(page: Page) -> datetime:
    """What the clock of the page shows."""
    return datetime.fromisoformat(page.locator("#now").inner_text()).replace(tzinfo=UTC)


def test_a_developer_sees_what_runs_and_signs_in(page: Page, gateway: str, complaints: list[str]) -> None:
    for name in ("database", "bucket", "provider", "mail"):
        expect(page.locator("#services li", has_text=f"ok {name}")).to_be_visible()
    expect(page.locator("#services li", has_text="down")).to_have_count(0)
    expect(page.locator("#who")).to_have_text("You are not signed in.")
    page.get_by_role("link", name="Sign in with Google").click()
    page.locator("input[name=sub]").fill("hopper")
    page.locator("input[name=sub]").press("Enter")
    page.wait_for_url(f"{gateway}/")
    expect(page.locator("#who")).to_have_text("Signed in as hopper (hopper@questlog.test).")
    page.get_by_role("button", name="Accept the terms").click()
    expect(page.get_by_role("button", name="Accept the terms")).to_have_count(0)

    page.evaluate("fetch('/habits').then(answer => answer.text())")
    habits = page.locator("details[data-group=habits]")
    # Other tests of this worker may have asked the same stack before.
    expect(habits).to_contain_text(re.compile(r"[1-9]\d* requests?, 0 failed"))
    expect(habits).to_contain_text("1 trip")
    habits.locator("summary").press("Enter")
    expect(habits.locator("tr", has_text="/habits").first).to_contain_text("200")
    expect(page.locator("#schedules tr", has_text="jobs: queue")).to_be_visible()

    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("#who")).to_have_text("You are not signed in.")
    assert complaints == []


def test_the_clock_is_moved_and_put_back(page: Page, gateway: str) -> None:
    try:
        page.get_by_role("button", name="+1 week").click()
        expect(page.locator("#moved")).to_have_text("The clock was moved.")
        assert shown_time(page) - datetime.now(UTC) > timedelta(days=6, hours=23)
        page.get_by_role("button", name="+1 day").focus()
        page.keyboard.press("Enter")
        day = (shown_time(page) + timedelta(hours=23)).date().isoformat()
        expect(page.locator("#now")).to_contain_text(re.compile(f"^{day}|{shown_time(page).date().isoformat()}"))
        page.get_by_role("button", name="Real time").click()
        expect(page.locator("#moved")).to_have_text("This is the real time.")
        assert abs(shown_time(page) - datetime.now(UTC)) < timedelta(minutes=5)
    finally:
        httpx.put(f"{gateway}/__clock", json={"now": None}).raise_for_status()


def test_a_hostile_path_is_text(page: Page, gateway: str, complaints: list[str]) -> None:
    httpx.get(f"{gateway}/{HOSTILE}", timeout=120)
    health = page.locator("details[data-group=health]")
    health.locator("summary").click()
    expect(health.locator("td.path", has_text="<script>").first).to_contain_text("onerror")
    assert page.evaluate("window.foreign") is None
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'window.foreign = 1'}))")
    assert page.evaluate("window.foreign") is None
    assert len(complaints) == 1, complaints


def test_another_page_reads_nothing_and_moves_nothing(visitor: BrowserContext, gateway: str, foreign: str) -> None:
    page = visitor.new_page()
    page.goto(foreign)
    ask = "([url, options]) => fetch(url, options).then(answer => answer.type, error => error.name)"
    assert page.evaluate(ask, [f"{gateway}/__status", {}]) == "TypeError"
    # The resource policy of the answer keeps even its bytes from the other page.
    assert page.evaluate(ask, [f"{gateway}/__status", {"mode": "no-cors"}]) == "TypeError"
    move = {"method": "PUT", "body": '{"advance": "P1D"}'}
    assert page.evaluate(ask, [f"{gateway}/__clock", move]) == "TypeError"
    assert httpx.get(f"{gateway}/__status").json()["clock"]["is_moved"] is False


def test_it_is_for_dark_screens_phones_and_the_keyboard(page: Page, gateway: str) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(background) != light
    page.set_viewport_size({"width": 360, "height": 740})
    expect(page.locator("#functions details").first).to_be_visible()
    assert page.evaluate(OVERFLOW) <= 0
    # What the keyboard reaches has a name: a link, a button, a function to open, a table to scroll.
    for role in ("link", "button", "region"):
        places = page.get_by_role(role)
        assert places.count() > 0, role
        assert page.get_by_role(role, name=re.compile(r"\w")).count() == places.count(), role
    page.get_by_role("button", name="+1 hour").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "+1 day"


@pytest.mark.skipif("START_PAGE_PICTURES" not in os.environ, reason="pictures are made when asked for")
def test_pictures_for_the_readme(page: Page, gateway: str) -> None:
    page.get_by_role("link", name="Sign in with Google").click()
    page.locator("input[name=sub]").fill("ada")
    page.locator("input[name=sub]").press("Enter")
    page.wait_for_url(f"{gateway}/")
    page.get_by_role("button", name="Accept the terms").click()
    for path in ("/habits", "/today", "/focus/active", "/books", "/nowhere"):
        page.evaluate("path => fetch(path).then(answer => answer.text())", path)
    books = page.locator("details[data-group=books]")
    expect(books).to_contain_text("1 request")
    page.locator("details[data-group=habits] summary").click()
    page.set_viewport_size({"width": 1000, "height": 960})
    page.evaluate("scrollTo(0, 0)")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        picture = Path(os.environ["START_PAGE_PICTURES"], f"start-{scheme}.png")
        page.screenshot(path=picture)
        assert picture.stat().st_size < 150 * 1024
