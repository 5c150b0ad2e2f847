"""GET, POST and DELETE /auth/sessions: a user's sessions and API tokens."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from questlog.identity import Token, new_secret, secret_hash

from local.clock import Clock
from tests.auth.conftest import Audited, Configure
from tests.conftest import Database, User, at_once
from tests.support.client import Bearer, Client

FIELDS = {
    "id",
    "kind",
    "name",
    "scope",
    "current",
    "created_at",
    "last_activity_at",
    "expires_at",
    "user_agent",
    "ip_address",
}


def add_session(database: Database, user: User) -> Client:
    """The user in another browser."""
    secret = new_secret()
    database.query(
        "INSERT INTO sessions (user_id, token_hash, expires_at) VALUES (%s, %s, clock() + interval '30 days')",
        *(user.id, secret_hash(secret)),
    )
    browser = Client(str(Token(user.id, secret)))
    assert browser.get("/auth/me").status == 200
    return browser


def listed(client: Client) -> list[Any]:
    found: list[Any] = client.get("/auth/sessions").data["sessions"]
    return found


# Listing -------------------------------------------------------------------------------------------------------------


def test_the_list(user: User, other: User, database: Database, clock: Clock) -> None:
    add_session(database, user)
    clock.advance("23 hours")
    add_session(database, user)
    clock.advance("1 hour")
    sessions = listed(user)
    assert len(sessions) == 3
    assert all(set(session) == FIELDS for session in sessions)
    assert [session["current"] for session in sessions] == [True, False, False]
    activity = [session["last_activity_at"] for session in sessions]
    assert activity == sorted(activity, reverse=True)
    assert len(listed(other)) == 1


def test_what_has_ended_is_not_listed(user: User, database: Database, clock: Clock) -> None:
    add_session(database, user)
    user.post("/auth/sessions", {"name": "Old", "expires_in_days": 20})
    clock.advance("13 days")
    assert len(listed(user)) == 3
    clock.advance("2 days")
    assert [session["name"] for session in listed(user)] == [None, "Old"], "tokens have no idle end"
    clock.advance("5 days")
    assert len(listed(user)) == 1


# Tokens --------------------------------------------------------------------------------------------------------------


def test_a_token(user: User, database: Database, audited: Audited) -> None:
    answer = user.post("/auth/sessions", {"name": "  My script ", "expires_in_days": 7})
    token = answer.data
    assert set(token) == {*FIELDS, "token"}
    assert (token["kind"], token["name"], token["current"]) == ("token", "My script", False)
    assert (token["user_agent"], token["ip_address"]) == ("tests", "192.0.2.1")
    assert len(token["token"]) == 64
    lifetime = datetime.fromisoformat(token["expires_at"]) - datetime.fromisoformat(token["created_at"])
    assert lifetime == timedelta(days=7)
    assert audited(answer) == [("token_created", "success", {})]
    assert answer.headers["cache-control"] == "no-store"
    [stored] = database.query("SELECT token_hash FROM sessions WHERE id = %s", token["id"])
    assert stored["token_hash"] == secret_hash(Token.read(token["token"]).secret)
    assert all("token" not in session for session in listed(user))


def test_a_token_acts_as_its_user(user: User) -> None:
    program = Bearer(user.post("/auth/sessions", {"name": "Script"}).data["token"])
    assert program.get("/auth/me").json["id"] == str(user.id)
    assert program.get("/focus/active").status == 200
    assert [session["current"] for session in listed(program)].count(True) == 1
    assert program.post("/auth/signout").data == {"success": True}
    program.get("/auth/me").refused(401, "unauthorized")
    assert user.get("/auth/me").status == 200


def test_the_scope_of_a_token(user: User, database: Database) -> None:
    user.post("/auth/sessions", {"name": "Writes"})
    made = user.post("/auth/sessions", {"name": "Reads", "scope": "read"}).data
    assert made["scope"] == "read"
    shown = {session["name"]: session["scope"] for session in listed(user)}
    assert shown == {None: "write", "Writes": "write", "Reads": "read"}
    for wrong in ("admin", "", None, 1, ["read"]):
        user.post("/auth/sessions", {"name": "Wrong", "scope": wrong}).invalid("scope")


def test_a_token_that_only_reads(user: User, database: Database) -> None:
    program = Bearer(user.post("/auth/sessions", {"name": "Reads", "scope": "read"}).data["token"])
    assert program.get("/auth/me").json["id"] == str(user.id)
    assert program.request("HEAD", "/focus/active").status == 200
    refused = program.post("/focus", {}, headers={"Idempotency-Key": "once"})
    refused.refused(403, "forbidden")
    assert refused.error["message"] == "This API token may only read; to change something, use one of scope write."
    assert database.query("SELECT 1 FROM idempotency_keys WHERE user_id = %s", user.id) == []
    # Not even itself.
    for path in ("/auth/signout", "/auth/logout"):
        program.post(path).refused(403, "forbidden")
    assert program.get("/auth/me").status == 200
    # Whoever it is, first; and who may not at all is not told of its scope.
    Bearer(program.token).post("/focus", {"duration_seconds": 0}).refused(403, "forbidden")
    user.delete("/auth/sessions")
    program.post("/focus", {}).refused(401, "unauthorized")


def test_what_a_token_may_not(user: User, database: Database) -> None:
    made = user.post("/auth/sessions", {"name": "Script"}).data
    program = Bearer(made["token"])
    program.post("/auth/sessions", {"name": "Another"}).refused(403, "forbidden")
    program.post("/auth/sessions", {}).refused(403, "forbidden")
    program.delete("/auth/sessions").refused(403, "forbidden")
    program.delete(f"/auth/sessions/{made['id']}").refused(403, "forbidden")
    program.get("/admin-access/status").refused(403, "forbidden")
    program.get("/admin-access/check").refused(403, "forbidden")
    program.post("/admin-access/claim", {"claimKey": "a-claim-key-for-tests"}).refused(403, "forbidden")
    # It would outlive the token.
    program.post("/calendar/feed").refused(403, "forbidden")
    assert len(listed(user)) == 2
    assert database.query("SELECT role FROM users WHERE id = %s", user.id) == [{"role": "user"}]


def test_a_browsers_token_as_a_bearer_has_no_limits(user: User) -> None:
    assert Bearer(user.token).post("/auth/sessions", {"name": "Script"}).status == 200
    assert Bearer(user.token).get("/admin-access/check").status == 200


def test_a_token_does_not_idle(user: User, clock: Clock) -> None:
    clock.freeze()
    program = Bearer(user.post("/auth/sessions", {"name": "Script", "expires_in_days": 365}).data["token"])
    clock.advance(timedelta(days=365) - timedelta(microseconds=1))
    assert program.get("/auth/me").status == 200
    clock.advance(timedelta(microseconds=1))
    program.get("/auth/me").refused(401, "unauthorized")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": None}, "name"),
        ({"name": 5}, "name"),
        ({"name": "x", "expires_in_days": 0}, "expires_in_days"),
        ({"name": "x", "expires_in_days": 366}, "expires_in_days"),
        ({"name": "x", "expires_in_days": "90"}, "expires_in_days"),
        ({"name": "x", "expires_in_days": 1.5}, "expires_in_days"),
        ({"name": "x", "expires_in_days": None}, "expires_in_days"),
    ],
)
def test_tokens_that_are_not_made(user: User, body: Any, field: str) -> None:
    user.post("/auth/sessions", body).invalid(field)
    assert len(listed(user)) == 1


def test_the_default_is_ninety_days_and_nothing_else_is_taken(user: User, other: User) -> None:
    body = {"name": "x", "user_id": str(other.id), "kind": "browser", "token_hash": "x", "token": "mine"}
    token = user.post("/auth/sessions", body).data
    lifetime = datetime.fromisoformat(token["expires_at"]) - datetime.fromisoformat(token["created_at"])
    assert (lifetime, token["kind"]) == (timedelta(days=90), "token")
    assert token["token"] != "mine"
    assert len(listed(other)) == 1


def test_twenty_tokens_are_enough(user: User, clock: Clock) -> None:
    for _ in range(19):
        user.post("/auth/sessions", {"name": "Old", "expires_in_days": 1})
    answers = at_once(4, lambda: user.post("/auth/sessions", {"name": "x"}))
    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]
    user.post("/auth/sessions", {"name": "x"}).refused(409, "too_many_tokens")
    clock.advance("1 day")
    assert user.post("/auth/sessions", {"name": "x"}).status == 200


def test_a_token_is_shown_once_even_under_an_idempotency_key(user: User, database: Database) -> None:
    headers = {"idempotency-key": "once"}
    first = user.post("/auth/sessions", {"name": "x"}, headers=headers)
    again = user.post("/auth/sessions", {"name": "x"}, headers=headers)
    assert first.data["token"] != again.data["token"]
    assert database.query("SELECT 1 FROM idempotency_keys WHERE user_id = %s", user.id) == []


# Revoking ------------------------------------------------------------------------------------------------------------


def test_revoking_one(user: User, database: Database, audited: Audited) -> None:
    another = add_session(database, user)
    [session] = [session for session in listed(user) if not session["current"]]
    answer = user.delete(f"/auth/sessions/{session['id']}")
    assert answer.data == {"revoked": 1}
    assert answer.cookies == ()
    assert audited(answer) == [("session_revoked", "success", {})]
    another.get("/auth/me").refused(401, "unauthorized")
    assert len(listed(user)) == 1
    user.delete(f"/auth/sessions/{session['id']}").refused(404, "not_found")


def test_revoking_the_current_one_clears_the_cookie(user: User) -> None:
    [session] = listed(user)
    answer = user.delete(f"/auth/sessions/{session['id']}")
    assert answer.data == {"revoked": 1}
    assert {"", "max-age=0"} <= answer.cookie("__Host-session")
    user.get("/auth/me").refused(401, "unauthorized")


def test_another_users_session_is_not_found(user: User, other: User, audited: Audited) -> None:
    [session] = listed(other)
    answer = user.delete(f"/auth/sessions/{session['id']}")
    answer.refused(404, "not_found")
    assert audited(answer) == []
    assert other.get("/auth/me").status == 200
    absent = user.delete(f"/auth/sessions/{uuid4()}")
    malformed = user.delete("/auth/sessions/nonsense")
    assert answer.error == absent.error == malformed.error


def test_revoking_all_others(user: User, other: User, database: Database, audited: Audited) -> None:
    browser = add_session(database, user)
    program = Bearer(user.post("/auth/sessions", {"name": "Script"}).data["token"])
    answer = user.delete("/auth/sessions")
    assert answer.data == {"revoked": 2}
    assert answer.cookies == ()
    assert audited(answer) == [("session_revoked", "success", {})] * 2
    browser.get("/auth/me").refused(401, "unauthorized")
    program.get("/auth/me").refused(401, "unauthorized")
    assert user.get("/auth/me").status == other.get("/auth/me").status == 200
    assert user.delete("/auth/sessions").data == {"revoked": 0}


def test_two_that_revoke_each_other(user: User, database: Database) -> None:
    """Each came in time and ends the other, or came too late: nobody gets an error of ours, and not both stay."""
    clients = [user, add_session(database, user)]
    waiting = list(clients)
    answers = at_once(2, lambda: waiting.pop().delete("/auth/sessions"))
    assert {answer.status for answer in answers} <= {200, 401}
    assert sum(client.get("/auth/me").status == 200 for client in clients) <= 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("POST", ""),
        ("DELETE", ""),
        ("DELETE", "/2b3c0f6e-0000-4000-8000-000000000000"),
        ("DELETE", "/nonsense"),
    ],
)
def test_without_a_session(stranger: Client, method: str, path: str) -> None:
    stranger.request(method, f"/auth/sessions{path}").refused(401, "unauthorized")


def test_the_idle_limit_is_a_setting(user: User, clock: Clock, configure: Configure) -> None:
    clock.advance("2 days")
    configure(SESSION_IDLE_DAYS="1")
    user.get("/auth/me").refused(401, "unauthorized")
    configure(SESSION_IDLE_DAYS="3")
    assert user.get("/auth/me").status == 200
