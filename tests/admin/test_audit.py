"""The routes of the audit trail (platform contract, sections 7 and 8)."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import Database, User

ENTRY = {
    *("id", "user_id", "user_email", "event_type", "resource_type", "resource_id", "action", "status", "details"),
    *("ip_address", "user_agent", "request_id", "created_at"),
}
# Five events of a kind that nothing else has, an hour apart; two of them at one moment.
EVENT = "test_event"
TIMES = ["10:00", "11:00", "12:00", "12:00", "13:00"]


@pytest.fixture
def trail(database: Database, user: User, other: User) -> Iterator[list[str]]:
    """The ids of some entries, oldest first: by turns of one user and another, and of another status and resource."""
    database.query("DELETE FROM audit_log WHERE event_type = %s", EVENT)
    ids = sorted(str(uuid4()) for _ in TIMES)
    for n, (entry, time) in enumerate(zip(ids, TIMES, strict=True)):
        database.query(
            "INSERT INTO audit_log (id, user_id, event_type, action, status, resource_type, resource_id, created_at)"
            " VALUES (%s, %s, %s, 'update', %s, %s, 'x', %s)",
            *(entry, [user, other][n % 2].id, EVENT, ["success", "denied"][n == 4], ["book", "habit"][n > 2]),
            f"2031-05-09T{time}:00Z",
        )
    yield ids
    database.query("DELETE FROM audit_log WHERE id = ANY (%s)", ids)


def found(admin: User, trail: list[str], **query: Any) -> list[int]:
    """Which of the entries a list shows, in its order."""
    answer = admin.get("/admin/audit", query=query)
    assert answer.status == 200, answer.text
    assert set(answer.json) == {"entries", "total"}
    return [trail.index(entry["id"]) for entry in answer.json["entries"] if entry["id"] in trail]


def test_an_entry(admin: User, user: User) -> None:
    answer = admin.patch(f"/admin/users/{user.id}", {"role": "moderator"})
    [entry] = admin.get("/admin/audit", query={"user_id": str(admin.id)}).json["entries"]
    assert set(entry) == ENTRY
    assert (entry["user_id"], entry["user_email"]) == (str(admin.id), admin.email)
    assert (entry["event_type"], entry["action"], entry["status"]) == ("role_changed", "update", "success")
    assert (entry["resource_type"], entry["resource_id"]) == ("user", str(user.id))
    assert entry["details"] == {"from": "user", "to": "moderator"}
    assert (entry["ip_address"], entry["user_agent"]) == ("192.0.2.1", "tests")
    assert entry["request_id"] == answer.headers["x-request-id"]


def test_an_entry_of_nobody(admin: User, user: User) -> None:
    request = user.delete("/user/delete").headers["x-request-id"]
    entries = admin.get("/admin/audit", query={"event_type": "user_deleted"}).json["entries"]
    [entry] = [entry for entry in entries if entry["request_id"] == request]
    assert (entry["user_id"], entry["user_email"], entry["ip_address"]) == (None, None, None)
    assert set(entry["details"]) == {"user_hash"}


def test_the_latest_comes_first(admin: User, trail: list[str]) -> None:
    assert found(admin, trail) == [4, 3, 2, 1, 0]
    assert found(admin, trail, event_type=EVENT) == [4, 3, 2, 1, 0]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"status": "denied"}, [4]),
        ({"resource_type": "habit"}, [4, 3]),
        ({"resource_type": "habit", "status": "success"}, [3]),
        ({"from": "2031-05-09T12:00:00Z"}, [4, 3, 2]),
        ({"to": "2031-05-09T12:00:00Z"}, [1, 0]),
        ({"from": "2031-05-09T12:00:00+01:00", "to": "2031-05-09T12:00:00.000001Z"}, [3, 2, 1]),
        ({"from": "2031-05-09T13:00:00Z", "to": "2031-05-09T13:00:00Z"}, []),
        ({"from": "", "status": ""}, [4, 3, 2, 1, 0]),
    ],
)
def test_narrowed(admin: User, trail: list[str], query: dict[str, str], expected: list[int]) -> None:
    assert found(admin, trail, **query) == expected
    answer = admin.get("/admin/audit", query={"event_type": EVENT, **query}).json
    assert ([trail.index(entry["id"]) for entry in answer["entries"]], answer["total"]) == (expected, len(expected))


def test_narrowed_to_a_user(admin: User, user: User, other: User, trail: list[str]) -> None:
    assert found(admin, trail, user_id=str(user.id)) == [4, 2, 0]
    assert found(admin, trail, user_id=str(other.id), event_type=EVENT, resource_type="habit") == [3]
    answer = admin.get("/admin/audit", query={"user_id": str(user.id), "event_type": EVENT, "status": "success"}).json
    assert ([trail.index(entry["id"]) for entry in answer["entries"]], answer["total"]) == ([2, 0], 2)
    assert found(admin, trail, user_id=str(user.id), event_type="login") == []


def test_limit_and_offset(admin: User, trail: list[str]) -> None:
    for query in ({"event_type": EVENT}, {"from": "2031-05-09T10:00:00Z", "to": "2031-05-09T14:00:00Z"}):
        pages = [found(admin, trail, limit=2, offset=offset, **query) for offset in (0, 2, 4, 6)]
        assert pages == [[4, 3], [2, 1], [0], []]
        answer = admin.get("/admin/audit", query={"limit": 1, "offset": 1_000_000_000, **query}).json
        assert (answer["entries"], answer["total"]) == ([], 5)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 501}, "limit"),
        ({"offset": -1}, "offset"),
        ({"offset": 1_000_000_001}, "offset"),
        ({"status": "lost"}, "status"),
        ({"user_id": "me"}, "user_id"),
        ({"from": "yesterday"}, "from"),
        ({"to": "2031-05-09"}, "to"),
    ],
)
def test_bad_queries(admin: User, query: dict[str, Any], field: str) -> None:
    admin.get("/admin/audit", query=query).invalid(field)


def test_event_types(admin: User, trail: list[str], database: Database) -> None:
    types = admin.get("/admin/audit/event-types").json
    assert EVENT in types
    distinct = database.query("SELECT DISTINCT event_type FROM audit_log")
    assert types == sorted(row["event_type"] for row in distinct)


def test_event_types_of_an_empty_trail(admin: User, database: Database) -> None:
    database.query("DELETE FROM audit_log")
    assert admin.get("/admin/audit/event-types").json == []
    assert admin.get("/admin/audit").json == {"entries": [], "total": 0}


def test_nobody_changes_the_trail(database: Database, admin: User) -> None:
    """An administrator's request may read it, and no more."""
    rights = database.query(
        "SELECT p.name, has_table_privilege('questlog_admin', 'audit_log', p.name) AS has"
        " FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS p (name)"
    )
    assert [right["name"] for right in rights if right["has"]] == ["SELECT"]
