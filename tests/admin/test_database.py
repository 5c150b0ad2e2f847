"""What administrators see of the database: its health and its tables (platform contract, section 7)."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from local.clock import Clock
from tests.conftest import Database, NewUser, User

FIELDS = {
    *("status", "schema_version", "tables", "total_size_estimate", "issues", "ledger_audit", "unforced_rls"),
    *("orphaned_rows", "miscounted_lists", "expired_sessions", "active_sessions", "jobs_failed"),
    *("storage_deletions_stuck", "checked_at"),
}
SCHEDULES = ["analysis", "cleanup", "queue", "reminders", "storage"]


def health(keeper: User) -> dict[str, Any]:
    answer = keeper.get("/admin/db-health")
    assert answer.status == 200, answer.text
    found: dict[str, Any] = answer.json
    assert set(found) == FIELDS
    assert (found["status"] == "degraded") == bool(found["issues"])
    return found


def give_coins(database: Database, user: User) -> None:
    """Coins that no row of the ledger explains."""
    database.query(
        "INSERT INTO user_wallet (user_id, coins, total_earned) VALUES (%s, 5, 5)"
        " ON CONFLICT (user_id) DO UPDATE SET coins = 5, total_earned = 5",
        user.id,
    )


def named(found: dict[str, Any]) -> list[str]:
    """What the issues name."""
    return [issue.partition(":")[0] for issue in found["issues"]]


def test_all_is_well(keeper: User, alone: Database) -> None:
    keeper.post("/habits", {"name": "Read"})
    found = health(keeper)
    assert found["issues"] == []
    assert found["status"] == "healthy"
    [version] = alone.query("SELECT max(version::int) AS newest FROM schema_migrations")
    assert found["schema_version"] == version["newest"]
    rows = {table["name"]: table["row_count"] for table in found["tables"]}
    assert (rows["users"], rows["habits"], rows["market_items"]) == (1, 1, 13)
    assert len(rows) > 100
    assert found["total_size_estimate"].split()[1] in ("kB", "MB")
    assert (found["expired_sessions"], found["active_sessions"]) == (0, 1)


def test_a_balance_without_its_row_is_named(keeper: User, alone: Database) -> None:
    give_coins(alone, keeper)
    found = health(keeper)
    assert found["ledger_audit"] >= 1
    assert named(found) == ["ledger_audit"]


@pytest.mark.parametrize("change", ["DISABLE ROW LEVEL SECURITY", "NO FORCE ROW LEVEL SECURITY"])
@pytest.mark.parametrize("table", ["habits", "users", "audit_log", "exercises"])
def test_a_table_that_is_not_held_is_named(change: str, table: str, keeper: User, alone: Database) -> None:
    alone.query(f"ALTER TABLE {table} {change}")
    found = health(keeper)
    assert (found["unforced_rls"], named(found)) == (1, ["unforced_rls"])


def test_rows_that_refer_to_nothing_are_named(keeper: User, alone: Database) -> None:
    """Of a table of users, of shared content, and of one whose key has two columns."""
    alone.query("SET session_replication_role = replica")
    alone.query("INSERT INTO user_settings (user_id, key, value) VALUES (%s, 'x', '1')", uuid4())
    alone.query("UPDATE learn_lessons SET topic_id = %s WHERE key = 'one_thing_at_a_time'", uuid4())
    alone.query(
        "INSERT INTO user_saving_goal (user_id, item_owner, item_id)"
        " VALUES (%s, '00000000-0000-0000-0000-000000000000', %s)",
        *(keeper.id, uuid4()),
    )
    alone.query("RESET session_replication_role")
    found = health(keeper)
    assert (found["orphaned_rows"], named(found)) == (3, ["orphaned_rows"])


@pytest.mark.parametrize(("ago", "issues"), [("1 hour", []), ("3 hours", ["expired_sessions"])])
def test_sessions_that_were_not_cleaned_up_are_named(
    ago: str, issues: list[str], keeper: User, alone: Database
) -> None:
    """The clean-up comes once an hour: only a session that outlived two of its runs is a fault."""
    alone.query(
        "INSERT INTO sessions (user_id, token_hash, expires_at) VALUES (%s, sha256('x'), clock() - %s::interval)",
        *(keeper.id, ago),
    )
    found = health(keeper)
    assert (found["expired_sessions"], found["active_sessions"], named(found)) == (1, 1, issues)


def test_a_failed_job_is_named(keeper: User, alone: Database) -> None:
    alone.query(
        "INSERT INTO jobs (user_id, kind, status, last_error, finished_at)"
        " VALUES (NULL, 'backup', 'failed', 'It broke.', instant())"
    )
    found = health(keeper)
    assert (found["jobs_failed"], named(found)) == (1, ["jobs_failed"])


def test_a_job_that_was_refused_is_no_fault(keeper: User, alone: Database) -> None:
    """A user may send a file that is no export as often as they like."""
    refused = "INSERT INTO jobs (user_id, kind, status, attempts, last_error, finished_at)"
    alone.query(f"{refused} VALUES (%s, 'import', 'failed', 1, 'It is no ZIP.', instant())", keeper.id)
    assert named(health(keeper)) == []
    alone.query("UPDATE jobs SET attempts = max_attempts")
    assert named(health(keeper)) == ["jobs_failed"]


@pytest.mark.parametrize(("attempts", "stuck"), [(19, 0), (20, 1)])
def test_a_deletion_that_was_set_aside_is_named(attempts: int, stuck: int, keeper: User, alone: Database) -> None:
    alone.query("INSERT INTO storage_deletions (object_key, attempts) VALUES ('x', %s)", attempts)
    found = health(keeper)
    assert found["storage_deletions_stuck"] == stuck
    assert named(found) == ["storage_deletions_stuck"] * stuck


def test_a_schedule_that_does_not_start_is_named(keeper: User, alone: Database) -> None:
    def moved(name: str, ago: timedelta) -> None:
        alone.query(
            "UPDATE job_runs SET started_at = instant() - %s::interval WHERE name = %s",
            f"{ago.total_seconds()} s",
            name,
        )

    moved("storage", timedelta(minutes=14))
    moved("cleanup", timedelta(hours=2, minutes=59))
    assert named(health(keeper)) == []
    moved("storage", timedelta(minutes=16))
    moved("cleanup", timedelta(hours=3, minutes=1))
    assert named(health(keeper)) == ["schedule cleanup", "schedule storage"]


def test_a_schedule_that_never_started_is_named_once_it_should_have(keeper: User, alone: Database) -> None:
    alone.query("DELETE FROM job_runs")
    assert named(health(keeper)) == [f"schedule {name}" for name in SCHEDULES], "nothing ticks"
    alone.query(
        "INSERT INTO job_runs (name, started_at, status, finished_at, result)"
        " SELECT 'queue', instant() - ago, 'done', instant(), '{}'"
        "   FROM unnest(ARRAY[interval '4 min', interval '0']) AS ago"
    )
    assert named(health(keeper)) == ["schedule analysis", "schedule reminders"], (
        "the others need not have started in 4 minutes"
    )


def test_a_long_ledger_is_checked_by_the_hour(keeper: User, alone: Database) -> None:
    give_coins(alone, keeper)
    alone.query("UPDATE pg_class SET reltuples = 1000001 WHERE oid = 'points_ledger'::regclass")
    found = health(keeper)
    assert (found["ledger_audit"], found["checked_at"], named(found)) == (0, None, ["ledger_audit"])
    runs = (
        ("2 h", "done", "2026-01-01T00:00Z", {"ledger_audit": 9, "orphaned_rows": 9, "miscounted_lists": 9}),
        ("1 h", "done", "2026-01-02T00:00Z", {"ledger_audit": 3, "orphaned_rows": 4, "miscounted_lists": 5}),
        ("1 min", "failed", "2026-01-03T00:00Z", {"error": "It broke."}),
    )
    for ago, status, finished, result in runs:
        alone.query(
            "INSERT INTO job_runs (name, started_at, status, finished_at, result)"
            " VALUES ('cleanup', clock() - %s::interval, %s, %s, %s)",
            *(ago, status, finished, result),
        )
    found = health(keeper)
    assert (found["ledger_audit"], found["orphaned_rows"], found["miscounted_lists"]) == (3, 4, 5)
    assert found["checked_at"] == "2026-01-02T00:00:00.000000Z"
    assert named(found) == ["ledger_audit", "orphaned_rows", "miscounted_lists"]
    assert {table["name"]: table["row_count"] for table in found["tables"]}["points_ledger"] == 1_000_001
    alone.query("UPDATE pg_class SET reltuples = 1000000 WHERE oid = 'points_ledger'::regclass")
    assert health(keeper)["orphaned_rows"] == 0


def test_what_was_checked_now_says_so(keeper: User, alone: Database) -> None:
    clock = Clock(alone.admin)
    clock.set("2031-05-07T12:00:00Z")
    alone.query("UPDATE sessions SET expires_at = '2040-01-01'")
    assert health(keeper)["checked_at"].startswith("2031-05-07T12:00")


# The tables -----------------------------------------------------------------------------------------------------------


def test_the_tables_and_their_sizes(admin: User) -> None:
    tables = admin.get("/admin/db/tables").json
    names = [table["name"] for table in tables]
    assert names == sorted(names)
    assert {"users", "points_ledger", "exercises"} <= set(names)
    assert "schema_code" not in names, "the migration runner's own"
    for table in tables:
        assert set(table) == {"name", "row_count", "size_bytes"}
        assert table["row_count"] >= 0
        assert table["size_bytes"] > 0


def test_a_table_by_its_primary_key(admin: User, new_user: NewUser, database: Database) -> None:
    for _ in range(3):
        new_user()
    whole = admin.get("/admin/db/tables/users", query={"limit": 1000}).json
    assert (whole["table"], whole["limit"], whole["offset"]) == ("users", 1000, 0)
    assert whole["columns"][:2] == ["id", "email"]
    assert set(whole["rows"][0]) == set(whole["columns"])
    ids = [row["id"] for row in whole["rows"]]
    assert ids == sorted(ids)
    assert str(admin.id) in ids
    assert whole["total"] == len(ids)
    page = admin.get("/admin/db/tables/users", query={"limit": 2, "offset": 1}).json
    assert (page["rows"], page["total"]) == (whole["rows"][1:3], whole["total"])
    assert admin.get("/admin/db/tables/users", query={"offset": 1_000_000}).json["rows"] == []
    assert admin.get("/admin/db/tables/habits").json["limit"] == 100
    rows = database.query(
        "SELECT details FROM audit_log WHERE user_id = %s AND event_type = 'db_viewed' ORDER BY created_at", admin.id
    )
    assert [row["details"] for row in rows] == [{"table": "users"}] * 3 + [{"table": "habits"}]


def test_times_are_those_of_the_wire(admin: User) -> None:
    rows = admin.get("/admin/db/tables/users", query={"limit": 1000}).json["rows"]
    [row] = [row for row in rows if row["id"] == str(admin.id)]
    assert row["created_at"] == admin.get(f"/admin/users/{admin.id}").json["created_at"]
    assert row["last_activity_at"] is None or row["last_activity_at"].endswith("Z")


def test_too_large_a_page_names_a_limit(admin: User, database: Database) -> None:
    database.query(
        "INSERT INTO infobase_entries (user_id, title, content)"
        " SELECT %s, 'Long ' || n, repeat(chr(8364), 10000) FROM generate_series(1, 300) AS n",
        admin.id,
    )
    database.query("SELECT count_totals(%s)", admin.id)
    details = admin.get("/admin/db/tables/infobase_entries", query={"limit": 1000}).refused(413, "answer_too_large")
    shown = admin.get("/admin/db/tables/infobase_entries", query={"limit": details["limit"]})
    assert len(shown.json["rows"]) == details["limit"]


def test_every_table_is_shown(admin: User) -> None:
    for table in admin.get("/admin/db/tables").json:
        shown = admin.get(f"/admin/db/tables/{table['name']}", query={"limit": 2})
        assert shown.status == 200, (table, shown.text)


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("sessions", {"token_hash"}),
        ("calendar_feeds", {"token_hash"}),
        ("oauth_states", {"state_hash", "verifier", "nonce"}),
    ],
)
def test_secrets_are_hidden(table: str, columns: set[str], admin: User, database: Database) -> None:
    admin.post("/calendar/feed")
    database.query(
        "INSERT INTO oauth_states (state_hash, provider, verifier, nonce, redirect)"
        " VALUES (sha256(%s), 'google', 'v', 'n', '/')",
        uuid4().bytes,
    )
    shown = admin.get(f"/admin/db/tables/{table}", query={"limit": 1000}).json
    assert shown["rows"]
    for row in shown["rows"]:
        assert {name for name, value in row.items() if value == "[redacted]"} == columns
    assert set(shown["columns"]) == set(shown["rows"][0])


@pytest.mark.parametrize(
    "name",
    [
        "nothing",
        "pg_authid",
        "ledger_audit",
        "users;",
        'users" AS t; --',
        "users' OR 1=1",
        "USERS",
        "public.users",
        "x" * 200,
    ],
)
def test_what_is_no_table(name: str, admin: User, database: Database) -> None:
    admin.get(f"/admin/db/tables/{quote(name, safe='')}").refused(404, "not_found")
    assert database.query("SELECT 1 FROM audit_log WHERE user_id = %s AND event_type = 'db_viewed'", admin.id) == []


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 1001}, {"offset": -1}, {"limit": "x"}])
def test_the_input(query: dict[str, Any], admin: User) -> None:
    admin.get("/admin/db/tables/users", query=query).invalid(*query)


def test_long_values_are_cut(admin: User, database: Database) -> None:
    admin.post("/infobase", {"title": "Long", "content": "x" * 50_000})
    database.query(
        "INSERT INTO activity_events (user_id, event_type, metadata)"
        " VALUES (%s, 'x', jsonb_build_object('a', %s::text))",
        *(admin.id, "".join(str(uuid4()) for _ in range(1_000))),
    )
    assert max(len(row["content"]) for row in every_row(admin, "infobase_entries")) == 10_000
    events = every_row(admin, "activity_events")
    assert max(len(row["metadata"]) for row in events if isinstance(row["metadata"], str)) == 10_000


def every_row(admin: User, table: str) -> list[dict[str, Any]]:
    """The rows of a table, whatever other tests have left in it, by pages that are not too large."""
    rows: list[dict[str, Any]] = []
    limit = 200
    while True:
        page = admin.get(f"/admin/db/tables/{table}", query={"limit": limit, "offset": len(rows)})
        if page.status == 413:
            limit = page.refused(413, "answer_too_large")["limit"]
        elif page.json["rows"]:
            rows += page.json["rows"]
        else:
            return rows


def test_a_moderator_may_not(moderator: User) -> None:
    for path in ("/admin/db-health", "/admin/db/tables", "/admin/db/tables/users"):
        moderator.get(path).refused(403, "forbidden")
