"""A front end on another port signs in, calls, polls and signs out, in a real browser with the stack's defaults."""

from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

# One worker has the browser and the stack.
pytestmark = pytest.mark.xdist_group("browser")

CALL = """
async ([url, options]) => {
  const answer = await fetch(url, {credentials: "include", ...options});
  const text = await answer.text();
  return {
    status: answer.status,
    etag: answer.headers.get("etag"),
    request_id: answer.headers.get("x-request-id"),
    json: text ? JSON.parse(text) : null,
  };
}
"""


@dataclass(frozen=True)
class FrontEnd:
    """A page of the front end, and the API that it calls with fetch."""

    page: Page
    gateway: str

    def call(self, path: str, method: str = "GET", body: str | None = None, **headers: str) -> dict[str, Any]:
        """What the page's own script sees of the answer."""
        headers = {**({"content-type": "application/json"} if body else {}), **headers}
        options = {"method": method, "headers": headers, **({"body": body} if body else {})}
        answer: dict[str, Any] = self.page.evaluate(CALL, [self.gateway + path, options])
        return answer

    def ask_to_sign_in(self) -> None:
        """Go to the identity provider's page."""
        self.page.goto(f"{self.gateway}/auth/signin/google?redirect_uri=/done")

    def type_name(self, name: str) -> None:
        """Type a name into the provider's form and agree."""
        self.page.locator("input[name=sub]").fill(name)
        self.page.locator("input[name=sub]").press("Enter")


def opened(visitor: BrowserContext, gateway: str, origin: str) -> FrontEnd:
    page = visitor.new_page()
    page.goto(origin)
    return FrontEnd(page, gateway)


def test_a_day_of_a_front_end(visitor: BrowserContext, gateway: str, frontend: str, foreign: str) -> None:
    app = opened(visitor, gateway, frontend)
    assert app.call("/auth/session")["json"] == {"user": None, "expires_at": None}
    assert app.call("/habits")["status"] == 401

    app.ask_to_sign_in()
    app.type_name("ada")
    app.page.wait_for_url(f"{frontend}/done")
    user = app.call("/auth/session")["json"]["user"]
    assert (user["email"], user["name"], user["tosAccepted"]) == ("ada@questlog.test", "ada", False)
    assert app.call("/habits")["json"]["error"]["type"] == "age_verification_required"
    # The terms state the age: a new user is asked for nothing else.
    assert app.call("/auth/accept-tos", "POST", '{"accepted": true}')["status"] == 200
    made = app.call("/habits", "POST", '{"name": "Read"}', **{"idempotency-key": "first"})
    assert made["status"] == 200, made
    assert made["request_id"]

    polled_twice(app)
    a_running_clock_moves(app)
    nothing_for_a_foreign_page(app, foreign)

    assert app.call("/auth/signout", "POST")["status"] == 200
    assert app.call("/auth/session")["json"]["user"] is None
    assert app.call("/habits")["status"] == 401


def polled_twice(app: FrontEnd) -> None:
    """A script that keeps the tag is told that nothing changed, and then what did."""
    first = app.call("/settings")
    assert first["etag"]
    assert app.call("/settings", **{"if-none-match": first["etag"]})["status"] == 304
    assert app.call("/settings", "PATCH", '{"theme": "dark"}')["status"] == 200
    assert app.call("/settings", **{"if-none-match": first["etag"]})["status"] == 200


def a_running_clock_moves(app: FrontEnd) -> None:
    """The browser's cache keeps no document whose clock runs."""
    assert app.call("/focus", "POST", '{"duration": 1500}')["status"] == 200
    shown = app.call("/focus/active")["json"]["data"]
    app.page.wait_for_timeout(1100)
    assert app.call("/focus/active")["json"]["data"] != shown


def nothing_for_a_foreign_page(app: FrontEnd, foreign: str) -> None:
    """A page of an unknown origin can neither read with the visitor's cookie nor write."""
    page = app.page.context.new_page()
    page.goto(foreign)
    read = "url => fetch(url, {credentials: 'include'}).then(() => 'read', error => error.name)"
    assert page.evaluate(read, f"{app.gateway}/habits") == "TypeError"
    write = """url => fetch(url, {
      method: "POST", mode: "no-cors", credentials: "include", body: '{"name": "Not mine"}',
    }).then(answer => answer.type)"""
    assert page.evaluate(write, f"{app.gateway}/habits") == "opaque"
    assert [habit["name"] for habit in app.call("/habits")["json"]["data"]["habits"]] == ["Read"]


def test_two_tabs_sign_in_and_a_callback_is_opened_again(visitor: BrowserContext, gateway: str, frontend: str) -> None:
    one, two = opened(visitor, gateway, frontend), opened(visitor, gateway, frontend)
    one.ask_to_sign_in()
    two.ask_to_sign_in()
    callbacks: list[str] = []
    two.page.on("request", lambda request: callbacks.append(request.url) if "/auth/callback/" in request.url else None)
    for tab in (one, two):
        tab.type_name("grace@questlog.test")
        tab.page.wait_for_url(f"{frontend}/done")
    assert two.call("/auth/session")["json"]["user"]["email"] == "grace@questlog.test"

    two.page.goto(callbacks[0])
    two.page.wait_for_url(f"{frontend}/today")
    assert two.call("/auth/session")["json"]["user"]["name"] == "grace"
