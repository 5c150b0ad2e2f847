"""The page of the API: a developer signs in on it, tries routes and reads what they answer, in a real browser."""

import json
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OVERFLOW

# One worker has the browser and the stack.
pytestmark = pytest.mark.xdist_group("browser")

# A function starts at its first request, which takes long on a busy machine.
expect.set_options(timeout=120_000)

DARK = "getComputedStyle(document.querySelector('.swagger-ui')).filter"


@pytest.fixture
def page(blank: Page, gateway: str) -> Page:
    answer = blank.goto(f"{gateway}/docs")
    assert answer is not None
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    expect(blank.locator(".opblock-tag").first).to_be_visible()
    return blank


def operation(page: Page, group: str, name: str) -> Locator:
    """An operation of a group, opened."""
    found = page.locator(f"#operations-{group}-{name}")
    if not found.is_visible():
        page.locator(f"#operations-tag-{group}").click()
    found.locator(".opblock-summary-control").click()
    return found


def tried(operation: Locator, body: object = None) -> tuple[int, Any]:
    """The status and the body of the answer that the page shows."""
    if body is not None:
        operation.locator("textarea.body-param__text").fill(json.dumps(body))
    operation.get_by_role("button", name="Execute").click()
    live = operation.locator(".live-responses-table .response")
    status = int(live.locator(".response-col_status").inner_text().split()[0])
    return status, json.loads(live.locator(".highlight-code code").first.inner_text())


def test_a_developer_signs_in_and_tries_three_calls(page: Page, gateway: str, complaints: list[str]) -> None:
    expect(page.get_by_role("status").first).to_have_text("You are not signed in: calls are made as nobody.")
    page.get_by_role("link", name="Sign in with Google").click()
    page.locator("input[name=sub]").fill("lovelace")
    page.locator("input[name=sub]").press("Enter")
    page.wait_for_url(f"{gateway}/docs")
    expect(page.get_by_role("status").first).to_contain_text("Calls are made as lovelace")

    status, _ = tried(operation(page, "auth", "post_auth_accept_tos"))
    assert status == 200
    made = tried(operation(page, "habits", "post_habits"), {"name": "Read a page"})
    assert (made[0], made[1]["data"]["name"]) == (200, "Read a page")
    status, listed = tried(operation(page, "habits", "get_habits"))
    assert status == 200
    assert [habit["name"] for habit in listed["data"]["habits"]] == ["Read a page"]
    assert complaints == []


def test_it_shows_what_an_operation_takes_and_how_it_refuses_and_runs_nothing_foreign(
    page: Page, complaints: list[str]
) -> None:
    complete = operation(page, "focus", "post_focus_session_id_complete")
    for status in ("200", "401", "404", "409"):
        expect(complete.locator(f'.responses-table tr[data-code="{status}"]')).to_be_visible()
    start = operation(page, "focus", "post_focus")
    assert isinstance(json.loads(start.locator("textarea.body-param__text").input_value()), dict)

    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'window.foreign = 1'}))")
    assert page.evaluate("window.foreign") is None
    assert len(complaints) == 1, complaints


def test_it_is_for_dark_screens_phones_and_the_keyboard(page: Page) -> None:
    assert page.evaluate(DARK) == "none"
    page.emulate_media(color_scheme="dark")
    assert "invert" in page.evaluate(DARK)

    page.set_viewport_size({"width": 360, "height": 740})
    operation(page, "habits", "post_habits")
    assert page.evaluate(OVERFLOW) <= 0

    opened = page.locator("#operations-habits-get_habits .opblock-summary-control")
    opened.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#operations-habits-get_habits").get_by_role("button", name="Execute")).to_be_visible()
