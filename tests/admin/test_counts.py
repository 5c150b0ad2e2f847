"""The totals of long lists: what the clean-up counted, and what came, went and changed since."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from local.clock import Clock
from tests.conftest import Database, User, at_once
from tests.jobs.ticking import tick
from tests.support import bucket
from tests.support.locks import is_waited_for
from tests.support.users import create_user

NOON = "2031-05-07T12:00:00Z"


@pytest.fixture
def clock(alone: Database) -> Clock:
    """The database's clock, which stands at noon."""
    clock = Clock(alone.admin)
    clock.set(NOON)
    return clock


def made(alone: Database, role: str = "user") -> User:
    with alone.admin() as connection:
        return create_user(connection, role=role)


def counted(alone: Database, clock: Clock) -> None:
    """Has the lists counted, as the clean-up has, with all rows that are there by now."""
    clock.advance(timedelta(minutes=6))
    alone.query("SELECT keep_counts('1.0')")
    assert wrong(alone) == 0


def wrong(alone: Database) -> int:
    """How many counts differ from the rows."""
    [row] = alone.query("SELECT count_miscounts() AS wrong")
    found: int = row["wrong"]
    return found


def users(keeper: User, **query: Any) -> int:
    total: int = keeper.get("/admin/users", query={"page_size": 1, **query}).json["total"]
    return total


def reports(keeper: User, **query: Any) -> int:
    answer = keeper.get("/admin/feedback", query=query).json
    assert answer["total"] == len(answer["feedback"])
    total: int = answer["total"]
    return total


def entries(keeper: User, **query: Any) -> int:
    """The total of the audit trail; it is what the list shows."""
    answer = keeper.get("/admin/audit", query={"limit": 500, **query}).json
    assert answer["total"] == len(answer["entries"])
    total: int = answer["total"]
    return total


def report(user: User, kind: str = "bug") -> str:
    answer = user.post("/feedback", {"type": kind, "title": f"The {kind}", "description": "It rings."})
    assert answer.status == 200, answer.text
    found: str = answer.data["id"]
    return found


def test_users_come_go_and_change(keeper: User, alone: Database, clock: Clock) -> None:
    people = [made(alone) for _ in range(4)]
    counted(alone, clock)
    assert (users(keeper), users(keeper, role="user"), users(keeper, role="admin")) == (5, 4, 1)
    late = made(alone)
    assert (users(keeper), users(keeper, role="user")) == (6, 5)
    for user in (people[0], late):
        assert keeper.patch(f"/admin/users/{user.id}", {"role": "moderator"}).status == 200
    assert (users(keeper), users(keeper, role="user"), users(keeper, role="moderator")) == (6, 3, 2)
    assert keeper.delete(f"/admin/users/{people[0].id}").status == 200
    assert people[1].delete("/user/delete").status == 200
    assert keeper.delete(f"/admin/users/{late.id}").status == 200
    assert (users(keeper), users(keeper, role="user"), users(keeper, role="moderator")) == (3, 2, 0)
    assert wrong(alone) == 0
    counted(alone, clock)
    assert (users(keeper), users(keeper, role="user"), users(keeper, role="moderator")) == (3, 2, 0)


def test_the_first_administrator_is_counted(alone: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    user = made(alone)
    counted(alone, clock)
    alone.query("SELECT set_config('app.user_id', %s, false)", str(user.id))
    alone.query("SELECT claim_admin(true, sha256('x'), '{}')")
    alone.query("RESET app.user_id")
    assert alone.query("SELECT kind, total FROM list_counts WHERE list = 'users' ORDER BY kind") == [
        {"kind": ["admin"], "total": 1},
        {"kind": ["user"], "total": 0},
    ]
    assert wrong(alone) == 0


def test_reports_come_go_and_change(keeper: User, alone: Database, clock: Clock) -> None:
    author, leaving = made(alone), made(alone)
    bug, feature, _ = report(author), report(author, "feature"), report(leaving)
    counted(alone, clock)
    assert (reports(keeper), reports(keeper, type="bug"), reports(keeper, status="open")) == (3, 2, 3)
    late = report(author, "other")
    assert (reports(keeper), reports(keeper, type="other"), reports(keeper, status="open", type="other")) == (4, 1, 1)
    for one in (bug, late):
        assert keeper.put(f"/admin/feedback/{one}", {"status": "closed", "priority": "low"}).status == 200
        assert keeper.put(f"/admin/feedback/{one}", {"priority": "high"}).status == 200
    assert (reports(keeper), reports(keeper, status="open"), reports(keeper, status="closed")) == (4, 2, 2)
    assert (reports(keeper, status="closed", type="bug"), reports(keeper, status="open", type="bug")) == (1, 1)
    assert author.delete(f"/feedback/{feature}").status == 200
    assert leaving.delete("/user/delete").status == 200
    assert (reports(keeper), reports(keeper, status="open"), reports(keeper, type="feature")) == (2, 0, 0)
    assert wrong(alone) == 0


def test_lists_of_a_type_are_in_the_order_of_all(keeper: User, alone: Database) -> None:
    author = made(alone)
    ids = []
    for kind in ("bug", "feature", "other"):
        for number in range(3):
            answer = author.post("/feedback", {"type": kind, "title": f"{kind} {number}", "description": "It rings."})
            ids.append(answer.data["id"])
    for one, status in zip(ids, ("resolved", "open", "in_progress") * 3, strict=True):
        keeper.put(f"/admin/feedback/{one}", {"status": status})
    everything = keeper.get("/admin/feedback").json["feedback"]
    for kind in ("bug", "feature"):
        of_kind = keeper.get("/admin/feedback", query={"type": kind}).json["feedback"]
        assert of_kind == [one for one in everything if one["feedback_type"] == kind]
        both = keeper.get("/admin/feedback", query={"type": kind, "status": "open"}).json["feedback"]
        assert both == [one for one in of_kind if one["status"] == "open"]


def test_entries_of_the_audit_trail_in_any_span(keeper: User, alone: Database, clock: Clock) -> None:
    """At the edges of days and of what was counted, for each way of narrowing."""
    for hours in range(0, 60, 5):
        alone.query(
            "INSERT INTO audit_log (event_type, action, status, resource_type, created_at)"
            " VALUES (%s, 'x', %s, %s, clock() - %s * interval '1 hour')",
            *(("login", "success", None) if hours % 2 else ("logout", "denied", "session")),
            hours,
        )
    spans: list[dict[str, str]] = [
        {},
        {"from": "2031-05-06T00:00:00Z"},
        {"from": "2031-05-05T00:00:00Z", "to": "2031-05-07T00:00:00Z"},
        {"from": "2031-05-05T23:00:00.000001Z", "to": "2031-05-06T23:00:00Z"},
        {"from": "2031-05-07T01:00:00Z", "to": "2031-05-07T02:00:00Z"},
        {"from": "2031-05-06T12:00:00Z", "to": "2031-05-07T12:00:01Z"},
        {"from": "2031-05-06T12:00:00Z", "to": "2031-05-07T12:30:00Z"},
        {"to": "2031-05-07T12:00:00Z"},
        {"from": "2031-05-07T12:01:00Z"},
        {"from": "2031-05-08T00:00:00Z", "to": "2031-05-05T00:00:00Z"},
    ]
    kinds: list[dict[str, str]] = [
        {},
        {"event_type": "login"},
        {"status": "denied"},
        {"status": "success"},
        {"resource_type": "session"},
        {"event_type": "logout", "status": "denied", "resource_type": "session"},
        {"event_type": "login", "status": "denied"},
        {"status": "failure"},
    ]
    asked = [{**span, **kind} for span in spans for kind in kinds]
    before = [entries(keeper, **one) for one in asked]
    counted(alone, clock)
    assert [entries(keeper, **one) for one in asked] == before
    alone.query("INSERT INTO audit_log (event_type, action) VALUES ('login', 'x')")
    assert entries(keeper, event_type="login") == before[1] + 1
    assert entries(keeper, event_type="login", to="2031-05-07T12:06:00Z") == before[1]
    assert wrong(alone) == 0


def test_entries_that_are_cleaned_up_are_not_counted(keeper: User, alone: Database, clock: Clock) -> None:
    for days in (0, 1, 364, 366, 366, 500):
        alone.query(
            "INSERT INTO audit_log (event_type, action, created_at)"
            " VALUES ('login', 'x', clock() - %s * interval '1 day')",
            days,
        )
    bucket.serve()
    counted(alone, clock)
    assert entries(keeper) == 6
    done = tick("cleanup")
    assert (done["audit_log"], done["miscounted_lists"]) == (3, 0)
    assert entries(keeper) == 3
    assert wrong(alone) == 0


def test_a_clock_that_was_put_back_leaves_the_counts_unused(keeper: User, alone: Database, clock: Clock) -> None:
    made(alone)
    counted(alone, clock)
    clock.set("2031-05-06T12:00:00Z")
    made(alone)
    assert users(keeper) == 3
    assert wrong(alone) == 0


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE list_counts SET total = total + 1 WHERE list = 'users' AND kind = '{admin}'",
        "DELETE FROM list_counts WHERE list = 'audit'",
        "INSERT INTO list_counts (list, kind, total) VALUES ('feedback', '{open,bug}', 1)",
        "UPDATE list_counts SET day = day - 1 WHERE list = 'audit'",
        "UPDATE users SET role = 'moderator' WHERE role = 'user'",
    ],
)
def test_a_wrong_count_is_named(change: str, keeper: User, alone: Database, clock: Clock) -> None:
    made(alone)
    alone.query("UPDATE job_runs SET started_at = started_at")
    alone.query("INSERT INTO audit_log (event_type, action) VALUES ('login', 'x')")
    counted(alone, clock)
    assert keeper.get("/admin/db-health").json["miscounted_lists"] == 0
    alone.query(change)
    found = keeper.get("/admin/db-health").json
    assert found["miscounted_lists"] >= 1
    assert "miscounted_lists" in [issue.partition(":")[0] for issue in found["issues"]]
    [row] = alone.query("SELECT keep_counts('1.0') AS wrong")
    assert row["wrong"] == found["miscounted_lists"]
    assert keeper.get("/admin/db-health").json["miscounted_lists"] == 0


def test_whoever_deletes_while_it_is_counted_waits(keeper: User, alone: Database, clock: Clock) -> None:
    """And is taken from the new counts; whoever was first is not in them."""
    people = [made(alone) for _ in range(4)]
    clock.advance(timedelta(minutes=6))

    def leave(number: int) -> int:
        if number == 4:
            alone.query("SELECT keep_counts('1.0')")
            return 200
        return people[number].delete("/user/delete").status

    calls = iter(range(5))
    assert at_once(5, lambda: leave(next(calls))) == [200] * 5
    assert users(keeper) == 1
    assert wrong(alone) == 0


def test_a_clean_up_waits_for_the_one_that_was_killed(alone: Database) -> None:
    """Whose statement the server finishes all the same."""
    alone.query("UPDATE pg_class SET reltuples = 20001 WHERE oid = 'books'::regclass")
    with psycopg.connect(alone.admin_url) as killed, ThreadPoolExecutor(1) as pool:
        killed.execute("SELECT keep_counts('1.0')")
        following = pool.submit(alone.query, "SELECT keep_counts('1.0')")
        while not is_waited_for(alone, killed.info.backend_pid):
            assert not following.done(), "it did not wait"
            time.sleep(0.01)
        killed.commit()
        following.result()
    assert wrong(alone) == 0


def test_a_search_finds_what_contains_the_text(keeper: User, alone: Database) -> None:
    """Also where most of the text is in the e-mail of everyone, so that only a part of it is asked of the index."""
    people = {made(alone).id: f"crowd-{number}@example.org" for number in range(30)}
    for user_id, email in people.items():
        alone.query(
            "UPDATE users SET email = %s, name = 'User ' || %s WHERE id = %s", email, email[6:8].strip("@"), user_id
        )
    everyone = alone.query("SELECT lower(email) AS email, lower(name) AS name FROM users")
    texts = ["crowd-7@", "crowd-7@example.org", "crowd-77@", "example.org", "CROWD-1", "user 7", "r 2", "7", "d-", "@e"]
    for text in [*texts, "crowd_7", "crowd%", "user 7@", "x" * 200, "7@example.org", "é"]:
        hits = [one for one in everyone if text.lower() in one["email"] or text.lower() in one["name"]]
        found = keeper.get("/admin/users", query={"page_size": 10, "page": 2, "search": text}).json
        assert (found["total"], len(found["users"])) == (len(hits), min(10, max(0, len(hits) - 10))), text
        assert users(keeper, search=text) == len(hits), text
    shown = keeper.get("/admin/users", query={"page_size": 100}).json["users"]
    assert keeper.get("/admin/users", query={"page_size": 100, "search": "@"}).json["users"] == shown


def test_large_places_show_the_numbers_of_the_clean_up(keeper: User, alone: Database, clock: Clock) -> None:
    at_first = keeper.get("/admin/stats").json
    assert at_first["timestamp"].startswith("2031-05-07T12:00")
    alone.query("UPDATE pg_class SET reltuples = 20001 WHERE oid = 'books'::regclass")
    assert keeper.get("/admin/stats").json["users"] == at_first["users"], "nothing is counted yet"
    alone.query("SELECT keep_counts('1.0')")
    clock.advance(timedelta(minutes=30))
    made(alone)
    later = keeper.get("/admin/stats").json
    assert later["timestamp"].startswith("2031-05-07T12:00")
    assert (later["users"], later["content"]) == (at_first["users"], at_first["content"])
    assert later["recent_users"] != at_first["recent_users"]
    assert keeper.get("/admin/users/stats").json == at_first["users"]
    alone.query("SELECT keep_counts('1.0')")
    newest = keeper.get("/admin/stats").json
    assert newest["users"]["total_users"] == 2
    assert newest["timestamp"].startswith("2031-05-07T12:30")
    alone.query("UPDATE pg_class SET reltuples = 20000 WHERE oid = 'books'::regclass")
    made(alone)
    assert keeper.get("/admin/stats").json["users"]["total_users"] == 3
