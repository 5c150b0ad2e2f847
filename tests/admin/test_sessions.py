"""The routes of everyone's sessions (platform contract, section 7)."""

from typing import Any
from uuid import uuid4

import pytest

from questlog.settings import settings

from tests.admin.conftest import audited
from tests.conftest import Client, Database, NewUser, User, at_once

SESSION = {
    *("id", "kind", "name", "scope", "current", "created_at", "last_activity_at", "expires_at"),
    *("user_agent", "ip_address", "user_id", "user_email", "user_name"),
}


def listed(admin: User, **query: Any) -> list[dict[str, Any]]:
    answer = admin.get("/admin/sessions", query=query)
    assert answer.status == 200, answer.text
    sessions: list[dict[str, Any]] = answer.json
    return sessions


def session_of(user: User, database: Database) -> str:
    [row] = database.query("SELECT id FROM sessions WHERE user_id = %s AND kind = 'browser'", user.id)
    return str(row["id"])


def test_a_session_and_a_token_of_a_user(admin: User, user: User) -> None:
    user.post("/auth/sessions", {"name": "Script"})
    token, browser = sorted(listed(admin, user_id=str(user.id)), key=lambda one: one["kind"] == "browser")
    assert set(token) == set(browser) == SESSION
    assert (token["kind"], token["name"], token["current"]) == ("token", "Script", False)
    assert (token["user_agent"], token["ip_address"]) == ("tests", "192.0.2.1")
    assert (browser["kind"], browser["name"]) == ("browser", None)
    assert (browser["user_id"], browser["user_email"], browser["user_name"]) == (str(user.id), user.email, "Test")
    assert "token_hash" not in str([token, browser])


def test_the_callers_own_is_marked(admin: User, user: User) -> None:
    assert [one["current"] for one in listed(admin, user_id=str(admin.id))] == [True]
    assert [one["user_id"] for one in listed(admin) if one["current"]] == [str(admin.id)]


def test_who_was_active_last_comes_first(admin: User, new_user: NewUser, database: Database) -> None:
    users = [new_user() for _ in range(3)]
    # After all others: a test that moved the clock may have left sessions of years to come.
    [row] = database.query("SELECT greatest(clock(), max(last_activity_at)) AS latest FROM sessions")
    for user, minutes in zip(users, (2, 1, 3), strict=True):
        database.query(
            "UPDATE sessions SET last_activity_at = %s + %s * interval '1 minute' WHERE user_id = %s",
            *(row["latest"], minutes, user.id),
        )
    ids = [str(user.id) for user in users]
    assert [one["user_id"] for one in listed(admin)][:3] == [ids[2], ids[0], ids[1]]


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ("expires_at = clock() - interval '1 second'", False),
        ("last_activity_at = clock() - interval '{idle} seconds' - interval '1 minute'", False),
        ("last_activity_at = clock() - interval '{idle} seconds' + interval '1 minute'", True),
        (
            "last_activity_at = clock() - interval '{idle} seconds' - interval '1 minute', kind = 'token', name = 'x'",
            True,
        ),
    ],
)
def test_only_live_ones(admin: User, user: User, database: Database, change: str, shown: bool) -> None:
    change = change.format(idle=settings().session_idle.total_seconds())
    database.query(f"UPDATE sessions SET {change} WHERE user_id = %s", user.id)
    assert len(listed(admin, user_id=str(user.id))) == shown
    # Sessions that were active so long ago may stand behind the first 500.
    assert shown or str(user.id) not in [one["user_id"] for one in listed(admin)]


def test_at_most_500(admin: User, user: User, database: Database) -> None:
    database.query(
        "INSERT INTO sessions (user_id, token_hash, kind, name, expires_at)"
        " SELECT %s, sha256(n::text::bytea), 'token', 'x', clock() + interval '1 day'"
        "   FROM generate_series(1, 501) AS n",
        user.id,
    )
    assert len(listed(admin)) == len(listed(admin, user_id=str(user.id))) == 500
    database.query("DELETE FROM sessions WHERE user_id = %s", user.id)


def test_nobody_has_sessions(admin: User) -> None:
    assert listed(admin, user_id=str(uuid4())) == []
    admin.get("/admin/sessions", query={"user_id": "me"}).invalid("user_id")


def test_a_session_ends_at_once(admin: User, user: User, other: User, database: Database) -> None:
    answer = admin.delete(f"/admin/sessions/{session_of(user, database)}")
    assert set(answer.json) == {"success", "message"}
    user.get("/user/profile").refused(401, "unauthorized")
    assert other.get("/user/profile").status == 200
    [row] = audited(database, answer)
    assert (row["event_type"], row["user_id"], row["resource_type"]) == ("session_revoked", admin.id, "session")


def test_a_token_ends_too(admin: User, user: User) -> None:
    made = user.post("/auth/sessions", {"name": "Script"}).data
    bearer = {"authorization": f"Bearer {made['token']}"}
    assert Client().get("/user/profile", headers=bearer).status == 200
    admin.delete(f"/admin/sessions/{made['id']}")
    Client().get("/user/profile", headers=bearer).refused(401, "unauthorized")
    assert user.get("/user/profile").status == 200


def test_an_unknown_session(admin: User, database: Database) -> None:
    for unknown in (str(uuid4()), "mine"):
        answer = admin.delete(f"/admin/sessions/{unknown}")
        answer.refused(404, "not_found")
        assert audited(database, answer) == []


def test_of_two_at_once_the_second_finds_none(admin: User, user: User, database: Database) -> None:
    path = f"/admin/sessions/{session_of(user, database)}"
    assert sorted(at_once(3, lambda: admin.delete(path).status)) == [200, 404, 404]
