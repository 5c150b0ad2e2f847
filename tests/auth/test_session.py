"""GET /auth/session and /auth/me, POST /auth/signout: how long a session lasts and what is told about its user."""

from datetime import datetime, timedelta

import pytest

from local.clock import Clock
from tests.auth.conftest import Audited, Configure, Someone
from tests.conftest import Database, NewUser, User
from tests.support.client import Client

CLEARED = {"", "path=/", "httponly", "samesite=lax", "max-age=0", "secure"}


def bearer(token: str | None) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def test_me(user: User) -> None:
    answer = user.get("/auth/me")
    assert answer.json == {
        "id": str(user.id),
        "email": user.email,
        "name": "Test",
        "image": None,
        "role": "user",
        "entitlements": [],
        "ageVerified": True,
        "tosAccepted": True,
        "is_admin": False,
    }
    assert answer.headers["cache-control"] == "no-store"


def test_session(user: User, database: Database) -> None:
    answer = user.get("/auth/session")
    assert answer.json["user"] == user.get("/auth/me").json
    [session] = database.query("SELECT expires_at FROM sessions WHERE user_id = %s", user.id)
    assert answer.json["expires_at"] == session["expires_at"].isoformat(timespec="microseconds").replace("+00:00", "Z")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.cookies == ()


NOBODY = {"user": None, "expires_at": None}


def test_without_a_session(stranger: Client) -> None:
    answer = stranger.get("/auth/session")
    assert (answer.status, answer.json, answer.cookies) == (200, NOBODY, ())
    assert answer.headers["cache-control"] == "no-store"
    stranger.get("/auth/me").refused(401, "unauthorized")


END = {
    "revoked": "DELETE FROM sessions WHERE user_id = %s",
    "suspended": "UPDATE users SET approved = false WHERE id = %s",
    "deleted": "DELETE FROM users WHERE id = %s",
}


@pytest.mark.parametrize("end", END)
def test_a_session_that_was_ended(user: User, database: Database, end: str) -> None:
    database.query(END[end], user.id)
    has_ended(user)


def test_a_session_ends_after_14_days_without_use(new_user: NewUser, clock: Clock) -> None:
    clock.freeze()
    user = new_user()
    clock.advance(timedelta(days=14) - timedelta(microseconds=1))
    assert user.get("/auth/me").status == 200
    # Which was use.
    clock.advance(timedelta(days=14) - timedelta(microseconds=1))
    assert user.get("/auth/me").status == 200
    clock.advance("14 days")
    has_ended(user)


def test_a_session_ends_however_much_it_is_used(person: Someone, clock: Clock) -> None:
    clock.freeze()
    browser = person.sign_in()
    for _ in range(29):
        clock.advance("1 day")
        assert browser.get("/auth/me").status == 200
    clock.advance(timedelta(days=1) - timedelta(microseconds=1))
    assert browser.get("/auth/me").status == 200
    clock.advance(timedelta(microseconds=1))
    browser.get("/auth/me").refused(401, "unauthorized")
    assert browser.get("/auth/session").json == NOBODY


def has_ended(user: Client) -> None:
    """The user is nobody now, and a browser is told to forget the session."""
    answer = user.get("/auth/session")
    assert (answer.json, answer.cookie("__Host-session")) == (NOBODY, CLEARED)
    user.get("/auth/me").refused(401, "unauthorized")
    user.get("/auth/sessions").refused(401, "unauthorized")
    # A bearer is not the browser's cookie: nothing to clear.
    answer = Client().get("/auth/session", headers=bearer(user.token))
    assert (answer.json, answer.cookies) == (NOBODY, ())


@pytest.mark.parametrize("token", ["x", "ü", "A" * 43, "A" * 5000, "%00"])
def test_a_forged_token(database: Database, token: str) -> None:
    answer = Client(token).get("/auth/session")
    assert (answer.json, answer.cookie("__Host-session")) == (NOBODY, CLEARED)
    Client(token).get("/auth/me").refused(401, "unauthorized")


def test_a_hash_is_no_token(user: User, database: Database) -> None:
    [session] = database.query("SELECT encode(token_hash, 'hex') AS hex FROM sessions WHERE user_id = %s", user.id)
    Client(session["hex"]).get("/auth/me").refused(401, "unauthorized")


def test_use_is_noted_at_most_every_five_minutes(new_user: NewUser, clock: Clock) -> None:
    began = clock.freeze()
    user = new_user()

    def used() -> datetime:
        [session] = user.get("/auth/sessions").data["sessions"]
        return datetime.fromisoformat(session["last_activity_at"])

    clock.advance("5 minutes")
    assert used() == began
    clock.advance(timedelta(microseconds=1))
    assert used() == clock.now()


def test_a_bearer_decides_over_a_cookie(user: User, other: User) -> None:
    both = user.get("/auth/me", headers=bearer(other.token))
    assert both.json["id"] == str(other.id)
    user.get("/auth/me", headers=bearer("forged")).refused(401, "unauthorized")


def test_a_new_version_of_the_terms_asks_again(user: User, configure: Configure) -> None:
    configure(TOS_VERSION="2.0")
    me = user.get("/auth/me").json
    assert (me["ageVerified"], me["tosAccepted"]) == (True, False)
    assert user.get("/focus/active").refused(403, "tos_required") == {"current": "2.0"}


ENTITLEMENTS = {
    "user": [],
    "moderator": ["content:manage", "feedback:manage"],
    "admin": ["content:manage", "feedback:manage", "admin:access", "users:manage", "system:manage"],
}


def test_a_role_acts_at_once(user: User, database: Database) -> None:
    for role in ("moderator", "admin", "user"):
        database.query("UPDATE users SET role = %s WHERE id = %s", role, user.id)
        me = user.get("/auth/me").json
        assert (me["role"], me["entitlements"], me["is_admin"]) == (role, ENTITLEMENTS[role], role == "admin")


@pytest.mark.parametrize("path", ["/auth/signout", "/auth/logout", "/api/auth/signout"])
def test_signing_out(user: User, database: Database, audited: Audited, path: str) -> None:
    answer = user.post(path)
    assert answer.data == {"success": True}
    assert answer.cookie("__Host-session") == CLEARED
    assert answer.headers["cache-control"] == "no-store"
    assert database.query("SELECT 1 FROM sessions WHERE user_id = %s", user.id) == []
    assert audited(answer) == [("logout", "success", {})]
    user.get("/auth/me").refused(401, "unauthorized")
    again = user.post(path)
    assert again.data == {"success": True}
    assert audited(again) == []


def test_signing_out_ends_one_session(user: User, other: User, new_user: NewUser, database: Database) -> None:
    token = user.post("/auth/sessions", {"name": "Phone"}).data["token"]
    user.post("/auth/signout")
    assert Client().get("/auth/me", headers=bearer(token)).status == 200
    assert other.get("/auth/me").status == 200


def test_signing_out_without_a_session(stranger: Client, audited: Audited) -> None:
    answer = stranger.post("/auth/signout")
    assert answer.data == {"success": True}
    assert answer.cookie("__Host-session") == CLEARED
    assert audited(answer) == []


CROSS_SITE = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "https://questlog.test.evil.example"},
    {"origin": "https://questlog.test:444"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
]
UNSAFE = [
    ("POST", "/auth/signout"),
    ("POST", "/auth/logout"),
    ("POST", "/auth/verify-age"),
    ("POST", "/auth/accept-tos"),
    ("POST", "/auth/sessions"),
    ("DELETE", "/auth/sessions"),
    ("DELETE", "/auth/sessions/2b3c0f6e-0000-4000-8000-000000000000"),
    ("POST", "/admin-access/claim"),
]


@pytest.mark.parametrize("headers", CROSS_SITE)
@pytest.mark.parametrize(("method", "path"), UNSAFE)
def test_another_site_cannot_ask(user: User, audited: Audited, method: str, path: str, headers: dict[str, str]) -> None:
    answer = user.request(method, path, headers=headers)
    answer.refused(403, "csrf_violation")
    assert audited(answer) == [("csrf_violation", "denied", {})]
    assert user.get("/auth/me").status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://questlog.test"},
        {"origin": "https://evil.example", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "same-site", "origin": "http://localhost:3000"},
    ],
)
def test_our_own_site_can(user: User, headers: dict[str, str]) -> None:
    assert user.post("/auth/signout", headers=headers).data == {"success": True}


def test_a_bearer_cannot_be_forged(user: User) -> None:
    headers = {"origin": "https://evil.example", **bearer(user.token)}
    assert Client().post("/auth/signout", headers=headers).status == 200
    user.get("/auth/me").refused(401, "unauthorized")
