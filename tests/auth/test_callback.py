"""GET /auth/callback/{provider}: what becomes of a code, a state and a person."""

import hashlib
import io
import json
import logging
from datetime import timedelta
from typing import Any

import pytest

from questlog.identity import Token, secret_hash

from functions.auth import app as auth
from functions.auth.rules import state_cookie
from local.clock import Clock
from tests.auth.conftest import (
    FRONTEND,
    Audited,
    Browser,
    Configure,
    NewPerson,
    Provider,
    Someone,
    asked,
)
from tests.conftest import Database, NewUser, at_once
from tests.support.client import Client


def users_of(database: Database, email: str) -> list[Any]:
    return database.query("SELECT * FROM users WHERE lower(email) = lower(%s)", email)


def session_of(database: Database, browser: Browser) -> Any:
    token = Token.read(browser.cookies["session"])
    [session] = database.query(
        "SELECT * FROM sessions WHERE user_id = %s AND token_hash = %s", token.user_id, secret_hash(token.secret)
    )
    return session


# It works ------------------------------------------------------------------------------------------------------------


def test_a_first_sign_in_makes_a_user(database: Database, new_person: NewPerson, audited: Audited) -> None:
    person = new_person(name="  Ada Lovelace ", picture="https://example.org/ada.png")
    browser = person.sign_in()
    [user] = users_of(database, person.email)
    assert (user["name"], user["image"], user["role"]) == ("Ada Lovelace", "https://example.org/ada.png", "user")
    assert user["age_verified_at"] is None
    assert user["tos_version"] is None
    [account] = database.query("SELECT provider, subject FROM accounts WHERE user_id = %s", user["id"])
    assert account == {"provider": "google", "subject": person.subject}
    assert database.query("SELECT coins FROM user_wallet WHERE user_id = %s", user["id"]) == [{"coins": 0}]
    assert database.query("SELECT total_xp FROM user_progress WHERE user_id = %s", user["id"]) == [{"total_xp": 0}]
    session = session_of(database, browser)
    assert (session["user_id"], session["kind"]) == (user["id"], "browser")
    assert (session["user_agent"], str(session["ip_address"])) == ("tests", "192.0.2.1")
    assert (session["expires_at"] - session["created_at"]).days == 30
    assert audited(browser.last) == [("login", "success", {"provider": "google", "new_user": True, "linked": False})]


def test_the_cookies_of_a_session(person: Someone) -> None:
    browser = Browser()
    answered = person.provider.agree(browser.start(), person.subject)
    [state] = browser.cookies
    browser.return_with(answered)
    token = browser.cookies["session"]
    assert len(token) == 64
    assert len(browser.last.cookies) == 2
    assert browser.last.cookie("session") == {token, "path=/", "httponly", "samesite=lax", "max-age=2592000"}
    assert browser.last.cookie(state) == {"", "path=/", "httponly", "samesite=lax", "max-age=0"}


def test_signing_in_again_is_the_same_user(database: Database, person: Someone, audited: Audited) -> None:
    first = person.sign_in()
    again = person.sign_in()
    assert audited(again.last) == [("login", "success", {"provider": "google", "new_user": False, "linked": False})]
    assert len(users_of(database, person.email)) == 1
    assert first.cookies["session"] != again.cookies["session"]
    assert first.get("/auth/me").status == again.get("/auth/me").status == 200


def test_signing_in_ends_the_old_session_of_the_browser(person: Someone) -> None:
    browser = person.sign_in()
    old = browser.cookies["session"]
    person.sign_in(browser)
    Client(old).get("/auth/me").refused(401, "unauthorized")
    assert browser.get("/auth/me").status == 200


def test_signing_in_as_someone_else_ends_the_old_session_too(new_person: NewPerson) -> None:
    browser = new_person().sign_in()
    old = browser.cookies["session"]
    other = new_person()
    other.sign_in(browser)
    Client(old).get("/auth/me").refused(401, "unauthorized")
    assert browser.get("/auth/me").json["email"] == other.email


def test_an_email_known_already_is_linked(
    database: Database, new_user: NewUser, new_person: NewPerson, audited: Audited
) -> None:
    user = new_user()
    person = new_person(email=user.email.upper(), name="Another Name")
    browser = person.sign_in()
    assert browser.get("/auth/me").json["id"] == str(user.id)
    assert browser.get("/auth/me").json["name"] == "Test"
    [account] = database.query("SELECT subject FROM accounts WHERE user_id = %s", user.id)
    assert account["subject"] == person.subject
    browser = person.sign_in()
    assert audited(browser.last)[0][2]["linked"] is False


def test_linking_is_noted(new_user: NewUser, new_person: NewPerson, audited: Audited) -> None:
    browser = new_person(email=new_user().email).sign_in()
    assert audited(browser.last) == [("login", "success", {"provider": "google", "new_user": False, "linked": True})]


def test_who_was_deleted_begins_anew(database: Database, person: Someone, audited: Audited) -> None:
    """With another id, and with nothing of what was there (platform contract, 6.13)."""
    before = person.sign_in()
    old = before.get("/auth/me").json["id"]
    before.post("/auth/accept-tos", {"accepted": True})
    assert before.post("/habits", {"name": "Read"}).status == 200
    other = person.sign_in()
    assert Client(before.cookies["session"]).delete("/user/delete").status == 200
    assert other.get("/auth/session").json["user"] is None
    again = person.sign_in()
    assert audited(again.last) == [("login", "success", {"provider": "google", "new_user": True, "linked": False})]
    me = again.get("/auth/me").json
    assert me["id"] != old
    assert (me["email"], me["role"], me["ageVerified"], me["tosAccepted"]) == (person.email, "user", False, False)
    again.post("/auth/accept-tos", {"accepted": True})
    assert again.get("/habits").data["habits"] == []
    [account] = database.query("SELECT user_id FROM accounts WHERE subject = %s", person.subject)
    assert str(account["user_id"]) == me["id"]
    assert len(users_of(database, person.email)) == 1


def test_the_account_decides_not_the_email(new_user: NewUser, person: Someone) -> None:
    mine = person.sign_in().get("/auth/me").json["id"]
    other = new_user()
    person.provider.set_claims(person.subject, email=other.email, email_verified=True)
    assert person.sign_in().get("/auth/me").json["id"] == mine


@pytest.mark.parametrize(
    ("claims", "name", "image"),
    [
        ({"name": None}, "local.part", None),
        ({"name": "   "}, "local.part", None),
        ({"name": "x" * 150}, "x" * 100, None),
        ({"picture": "http://example.org/a.png"}, "Some One", None),
        ({"picture": "https://example.org/" + "a" * 2048}, "Some One", None),
        ({"picture": "javascript:alert(1)"}, "Some One", None),
    ],
)
def test_names_and_pictures_that_do_not_fit(
    new_person: NewPerson, claims: dict[str, Any], name: str, image: str | None
) -> None:
    host = hashlib.sha256(repr(claims).encode()).hexdigest()[:12]
    me = new_person(email=f"local.part@{host}.example", **claims).sign_in().get("/auth/me").json
    assert (me["name"], me["image"]) == (name, image)


def test_administrators_by_email(
    database: Database, configure: Configure, new_person: NewPerson, audited: Audited
) -> None:
    person = new_person(email="Boss@Example.org")
    configure(ADMIN_EMAILS=" someone@example.org , bOSS@example.ORG ")
    browser = person.sign_in()
    assert ("role_changed", "success", {"from": "user", "to": "admin"}) in audited(browser.last)
    me = browser.get("/auth/me").json
    assert (me["role"], me["is_admin"]) == ("admin", True)
    database.query("UPDATE users SET role = 'user' WHERE id = %s", me["id"])
    person.sign_in(browser)
    assert browser.get("/auth/me").json["role"] == "admin"
    database.query("DELETE FROM users WHERE id = %s", me["id"])


def test_others_do_not_become_administrators(person: Someone) -> None:
    assert person.sign_in().get("/auth/me").json["role"] == "user"


# Where to ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("/focus?tab=1#now", f"{FRONTEND}/focus?tab=1#now"),
        (f"{FRONTEND}/goals", f"{FRONTEND}/goals"),
        ("http://localhost:3000/goals", "http://localhost:3000/goals"),
        ("https://evil.example/", f"{FRONTEND}/today"),
        ("//evil.example/", f"{FRONTEND}/today"),
        ("", f"{FRONTEND}/today"),
    ],
)
def test_where_a_sign_in_leads(person: Someone, wanted: str, reached: str) -> None:
    browser = Browser()
    location = browser.return_with(person.provider.agree(browser.start(redirect_uri=wanted), person.subject))
    assert location == reached


# It does not ---------------------------------------------------------------------------------------------------------


def refused(browser: Browser, answered: dict[str, str], code: str, audited: Audited, provider: str = "google") -> None:
    """Assert that coming back with this ends on the error page, without a session, and is noted."""
    location = browser.return_with(answered, provider)
    assert location == f"{FRONTEND}/auth/error?error={code}&provider={provider}"
    assert "session" not in browser.cookies
    assert audited(browser.last) == [("login_failed", "failure", {"provider": provider, "code": code})]


def test_a_state_works_once(database: Database, person: Someone, audited: Audited) -> None:
    browser = Browser()
    answered = person.provider.agree(browser.start(), person.subject)
    state = dict(browser.cookies)
    browser.return_with(answered)
    assert "session" in browser.cookies
    refused(Browser(state), answered, "OAuthCallback", audited)
    [user] = users_of(database, person.email)
    assert len(database.query("SELECT 1 FROM sessions WHERE user_id = %s", user["id"])) == 1


def test_a_state_is_of_one_browser(person: Someone, audited: Audited) -> None:
    browser = Browser()
    answered = person.provider.agree(browser.start(), person.subject)
    refused(Browser(), answered, "OAuthCallback", audited)
    another = Browser()
    another.start()
    cookies = dict(another.cookies)
    refused(another, answered, "OAuthCallback", audited)
    assert another.cookies == cookies, "its own sign-in may still be under way"
    assert browser.return_with(answered) == f"{FRONTEND}/today"


def test_two_tabs_sign_in_beside_each_other(person: Someone) -> None:
    browser = Browser()
    first = person.provider.agree(browser.start(redirect_uri="/first"), person.subject)
    second = person.provider.agree(browser.start(redirect_uri="/second"), person.subject)
    assert browser.return_with(first) == f"{FRONTEND}/first"
    assert browser.return_with(second) == f"{FRONTEND}/second"
    assert set(browser.cookies) == {"session"}


def test_the_oldest_of_six_sign_ins_is_given_up(person: Someone, audited: Audited) -> None:
    browser = Browser()
    attempts = [person.provider.agree(browser.start(), person.subject) for _ in range(6)]
    assert len(browser.cookies) == 5
    refused(browser, attempts[0], "OAuthCallback", audited)
    assert browser.return_with(attempts[1]) == f"{FRONTEND}/today"
    assert browser.return_with(attempts[5]) == f"{FRONTEND}/today"


def test_a_callback_opened_again(person: Someone, audited: Audited) -> None:
    """By the back button or a reload: whoever is signed in meanwhile is not told of an error."""
    browser = Browser()
    answered = person.provider.agree(browser.start(redirect_uri="/first"), person.subject)
    browser.return_with(answered)
    session = browser.cookies["session"]
    assert browser.return_with(answered) == f"{FRONTEND}/today"
    assert browser.cookies["session"] == session
    browser.post("/auth/signout")
    refused(browser, answered, "OAuthCallback", audited)
    assert "error=OAuthCallback" in Browser({"session": session}).return_with(answered)


def test_a_state_is_of_one_provider(
    database: Database, person: Someone, configure: Configure, audited: Audited
) -> None:
    configure(AZURE_CLIENT_ID="questlog", AZURE_CLIENT_SECRET="secret", AZURE_TENANT_ID="contoso.example")
    browser = Browser()
    answered = person.provider.agree(browser.start(), person.subject)
    refused(browser, answered, "OAuthCallback", audited, "azure")
    state = hashlib.sha256(answered["state"].encode()).digest()
    assert database.query("SELECT 1 FROM oauth_states WHERE state_hash = %s", state) == []


def test_a_state_lasts_ten_minutes(new_person: NewPerson, clock: Clock, audited: Audited) -> None:
    clock.freeze()
    slow, too_slow = new_person(), new_person()
    browser, other = Browser(), Browser()
    in_time = slow.provider.agree(browser.start(), slow.subject)
    late = too_slow.provider.agree(other.start(), too_slow.subject)
    clock.advance(timedelta(minutes=10) - timedelta(microseconds=1))
    assert browser.return_with(in_time) == f"{FRONTEND}/today"
    clock.advance(timedelta(microseconds=1))
    refused(other, late, "OAuthCallback", audited)


def test_a_made_up_state(person: Someone, audited: Audited) -> None:
    browser = Browser()
    answered = person.provider.agree(browser.start(), person.subject)
    for state in ("x", "ü", "\0", answered["state"] + "x"):
        refused(Browser({state_cookie(state): state}), {**answered, "state": state}, "OAuthCallback", audited)


def test_a_made_up_code(person: Someone, audited: Audited) -> None:
    browser = Browser()
    answered = person.provider.agree(browser.start(), person.subject)
    refused(browser, {**answered, "code": "made-up"}, "OAuthCallback", audited)
    refused(browser, answered, "OAuthCallback", audited)


def test_a_code_of_another_sign_in(new_person: NewPerson, audited: Audited) -> None:
    """The nonce tells: a code that someone else was given does not become my session."""
    person, other = new_person(), new_person()
    browser = Browser()
    answered = person.provider.agree(browser.start(), person.subject)
    stolen = other.provider.agree(Browser().start(), other.subject)
    refused(browser, {**answered, "code": stolen["code"]}, "OAuthCallback", audited)


def test_the_user_says_no(provider: Provider, database: Database, audited: Audited) -> None:
    browser = Browser()
    answered = provider.deny(browser.start())
    assert answered["error"] == "access_denied"
    refused(browser, answered, "AccessDenied", audited)


@pytest.mark.parametrize(("error", "code"), [("access_denied", "AccessDenied"), ("server_error", "OAuthCallback")])
def test_an_error_without_a_state(provider: Provider, audited: Audited, error: str, code: str) -> None:
    refused(Browser(), {"error": error}, code, audited)


def test_a_refusal_uses_the_state_up(provider: Provider, person: Someone, audited: Audited) -> None:
    browser = Browser()
    answered = person.provider.agree(browser.start(), person.subject)
    refused(
        Browser(dict(browser.cookies)), {"error": "access_denied", "state": answered["state"]}, "AccessDenied", audited
    )
    refused(browser, answered, "OAuthCallback", audited)


@pytest.mark.parametrize("query", [{}, {"code": "c"}, {"state": "s"}, {"code": "", "state": ""}])
def test_neither_code_nor_error(stranger: Client, query: dict[str, str]) -> None:
    missing = [name for name in ("code", "state") if not query.get(name)]
    stranger.get("/auth/callback/google", query=query).invalid(*missing)


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email_verified": None},
        {"email": None},
        {"email": "no address"},
        {"email": "x" * 320 + "@example.org"},
        {"email": "bo\N{KELVIN SIGN}@example.org"},
    ],
)
def test_an_email_that_nobody_vouches_for(
    database: Database, new_person: NewPerson, audited: Audited, claims: dict[str, Any]
) -> None:
    person = new_person(**claims)
    browser = Browser()
    refused(browser, person.provider.agree(browser.start(), person.subject), "Verification", audited)
    assert database.query("SELECT 1 FROM accounts WHERE subject = %s", person.subject) == []
    assert users_of(database, person.email) == []


def test_the_log_says_why_a_sign_in_failed(new_person: NewPerson, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds nothing of whose sign-in it was, nor what could be used to finish it."""
    lines = io.StringIO()
    logger = auth._log
    monkeypatch.setattr(logger.registered_handler, "stream", lines)
    logger.setLevel(logging.INFO)
    person = new_person(email_verified=False)
    browser = Browser()
    browser.return_with(person.provider.agree(browser.start(), person.subject))
    logger.setLevel(logging.CRITICAL)
    [line] = [json.loads(line) for line in lines.getvalue().splitlines() if "sign-in failed" in line]
    assert (line["level"], line["provider"], line["code"]) == ("WARNING", "google", "Verification")
    assert line["request_id"] == browser.last.headers["x-request-id"]
    for secret in (person.email, person.subject, *browser.cookies.values()):
        assert secret not in lines.getvalue()


def test_a_look_alike_of_an_administrators_email(configure: Configure, new_person: NewPerson, audited: Audited) -> None:
    person = new_person(email="bo\N{KELVIN SIGN}@example.org")
    configure(ADMIN_EMAILS="bok@example.org")
    browser = Browser()
    refused(browser, person.provider.agree(browser.start(), person.subject), "Verification", audited)


@pytest.mark.parametrize("claims", [{"name": "a\0b"}, {"name": 5}, {"email": "a\0b@example.org"}])
def test_claims_that_are_none(new_person: NewPerson, audited: Audited, claims: dict[str, Any]) -> None:
    person = new_person(**claims)
    browser = Browser()
    refused(browser, person.provider.agree(browser.start(), person.subject), "OAuthCallback", audited)


def test_a_suspended_user(database: Database, person: Someone, audited: Audited, configure: Configure) -> None:
    old = person.sign_in()
    user = old.get("/auth/me").json["id"]
    database.query("UPDATE users SET approved = false WHERE id = %s", user)
    configure(ADMIN_EMAILS=person.email)
    browser = Browser()
    refused(browser, person.provider.agree(browser.start(), person.subject), "AccessDenied", audited)
    assert database.query("SELECT role FROM users WHERE id = %s", user) == [{"role": "user"}]
    old.get("/auth/me").refused(401, "unauthorized")


def test_a_suspended_user_is_not_linked(
    database: Database, new_user: NewUser, new_person: NewPerson, audited: Audited
) -> None:
    user = new_user()
    database.query("UPDATE users SET approved = false WHERE id = %s", user.id)
    person = new_person(email=user.email)
    browser = Browser()
    refused(browser, person.provider.agree(browser.start(), person.subject), "AccessDenied", audited)
    assert database.query("SELECT 1 FROM accounts WHERE user_id = %s", user.id) == []


# At once -------------------------------------------------------------------------------------------------------------


def test_two_first_sign_ins_at_once(database: Database, person: Someone) -> None:
    browsers = [Browser() for _ in range(6)]
    waiting = [(browser, person.provider.agree(browser.start(), person.subject)) for browser in browsers]

    def come_back() -> str:
        browser, answered = waiting.pop()
        return browser.return_with(answered)

    assert at_once(6, come_back) == [f"{FRONTEND}/today"] * 6
    assert len(users_of(database, person.email)) == 1
    assert len(database.query("SELECT 1 FROM accounts WHERE subject = %s", person.subject)) == 1
    assert len({browser.get("/auth/me").json["id"] for browser in browsers}) == 1


def test_two_accounts_with_one_email_at_once(database: Database, new_person: NewPerson) -> None:
    first = new_person()
    people = [first, *(new_person(email=first.email.title()) for _ in range(3))]
    waiting = []
    for person in people:
        browser = Browser()
        waiting.append((browser, person.provider.agree(browser.start(), person.subject)))

    def come_back() -> str:
        browser, answered = waiting.pop()
        return browser.return_with(answered)

    assert at_once(4, come_back) == [f"{FRONTEND}/today"] * 4
    [user] = users_of(database, first.email)
    assert len(database.query("SELECT 1 FROM accounts WHERE user_id = %s", user["id"])) == 4


def test_one_callback_twice_at_once(database: Database, person: Someone) -> None:
    browser = Browser()
    answered = person.provider.agree(browser.start(), person.subject)
    cookies = dict(browser.cookies)
    locations = at_once(4, lambda: Browser(dict(cookies)).return_with(answered))
    assert sorted(asked(location).get("error", "") for location in locations) == ["", *["OAuthCallback"] * 3]
    [user] = users_of(database, person.email)
    assert len(database.query("SELECT 1 FROM sessions WHERE user_id = %s", user["id"])) == 1


def test_over_tls_cookies_are_secure(person: Someone, configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = Browser()
    answered = person.provider.agree(browser.start(), person.subject)
    configure(PUBLIC_URL="https://api.questlog.test", COOKIE_DOMAIN="questlog.test")
    # The tests' provider speaks no TLS, and redirect_uri must be the one the code was asked for with.
    monkeypatch.setattr("functions.auth.provider._may_call", lambda _: True)
    monkeypatch.setattr("functions.auth.app._callback_url", lambda _: "http://localhost:8080/auth/callback/google")
    browser.return_with(answered)
    assert all({"Secure", "Domain=questlog.test"} <= set(cookie.split("; ")) for cookie in browser.last.cookies)
    assert len(browser.last.cookies) == 2
