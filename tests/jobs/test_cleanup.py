"""The clean-up: what has served goes, in batches, and what is still needed stays."""

import secrets
from datetime import timedelta
from types import SimpleNamespace
from typing import NamedTuple
from uuid import uuid4

import pytest

from questlog.errors import Unavailable
from questlog.settings import settings

from functions.jobs import bucket as store
from functions.jobs import cleanup, worker
from functions.jobs.work import RESERVE_MS
from local.clock import Clock
from tests.conftest import Database, User
from tests.jobs.ticking import enqueue, runs, tick
from tests.reference.uploads import begin, register, tone, upload
from tests.reference.working import start, work
from tests.support import bucket
from tests.support.client import log_in

FOUND = (*cleanup.Integrity._fields, *cleanup.Miscounts._fields)
NOTHING = dict.fromkeys((*cleanup.TABLES, cleanup.UPLOADS), 0)


def deletions(result: dict[str, int]) -> dict[str, int]:
    """What a run deleted, without what it found."""
    return {table: count for table, count in result.items() if table not in FOUND}


class Case(NamedTuple):
    """A row of a table, `age` old by its last column: how old one is that goes, and one that stays."""

    table: str
    columns: str
    values: str
    over: str
    kept: str


CASES = [
    Case("sessions", "user_id, token_hash, expires_at", "%(user)s, %(hash)s", "0 seconds", "-1 minute"),
    Case(
        "sessions",
        "user_id, token_hash, expires_at, last_activity_at",
        "%(user)s, %(hash)s, clock() + interval '1 day'",
        "14 days 1 second",
        "13 days 23 hours",
    ),
    Case(
        "oauth_states",
        "state_hash, provider, verifier, nonce, redirect, expires_at",
        "%(hash)s, 'google', 'v', 'n', '/'",
        "0 seconds",
        "-1 minute",
    ),
    Case(
        "idempotency_keys",
        "user_id, key, fingerprint, created_at",
        "%(user)s, encode(%(hash)s, 'hex'), ''",
        "24 hours 1 second",
        "23 hours 59 minutes",
    ),
    Case("rate_limits", "bucket, window_start", "encode(%(hash)s, 'hex')", "24 hours 1 second", "23 hours"),
    Case(
        "user_imports",
        "user_id, size_bytes, object_key, created_at",
        "%(user)s, 1, concat(%(user)s, '/imports/', encode(%(hash)s, 'hex'))",
        "24 hours 1 second",
        "23 hours 59 minutes",
    ),
    Case(
        "user_imports",
        "user_id, size_bytes, object_key, status, error_type, error_message, finished_at, created_at",
        "%(user)s, 1, concat(%(user)s, '/imports/', encode(%(hash)s, 'hex')), 'failed', 'x', 'x', clock()",
        "30 days 1 second",
        "29 days 23 hours",
    ),
    Case("audit_log", "event_type, action, created_at", "'login', 'sign_in'", "365 days 1 second", "364 days"),
    Case(
        "jobs",
        "user_id, kind, status, last_error, finished_at",
        "%(user)s, 'export', 'failed', 'x'",
        "7 days 1 second",
        "6 days 23 hours",
    ),
    Case(
        "notification_outbox",
        "user_id, seq, kind, dedupe_key, title, body, path, expires_at, created_at",
        "%(user)s, ceil(1e9 * random()), 'test', encode(%(hash)s, 'hex'), 'x', 'x', '/hub', clock()",
        "91 days",
        "89 days",
    ),
    Case("jobs", "user_id, kind, status, finished_at", "NULL, 'run', 'done'", "7 days 1 second", "6 days 23 hours"),
]


@pytest.fixture(autouse=True)
def nothing_is_over(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests have left nothing that has served, and sessions end as they do in production."""
    tick("cleanup")
    monkeypatch.setattr(cleanup, "settings", lambda: settings()._replace(session_idle=timedelta(days=14)))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.table} {case.columns}")
def test_what_is_over_goes(user: User, database: Database, case: Case) -> None:
    def add(age: str) -> None:
        insert = f"INSERT INTO {case.table} ({case.columns}) VALUES ({case.values}, clock() - %(age)s::interval)"
        with database.admin() as opened:
            opened.execute(insert.encode(), {"user": user.id, "hash": secrets.token_bytes(32), "age": age})

    add(case.kept)
    assert deletions(tick("cleanup")) == NOTHING
    for _ in range(3):
        add(case.over)
    assert deletions(tick("cleanup")) == NOTHING | {case.table: 3}
    assert deletions(tick("cleanup")) == NOTHING


def test_a_token_is_not_over_because_nobody_used_it(user: User, database: Database) -> None:
    database.query(
        "INSERT INTO sessions (user_id, token_hash, kind, name, expires_at, last_activity_at) VALUES"
        " (%s, %s, 'token', 'Script', clock() + interval '1 day', clock() - interval '300 days')",
        *(user.id, secrets.token_bytes(32)),
    )
    assert deletions(tick("cleanup")) == NOTHING


def test_it_works_in_batches_until_nothing_is_left(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleanup, "BATCH", 2)
    database.query(
        "INSERT INTO rate_limits (bucket, window_start)"
        " SELECT format('b%%s', n), clock() - interval '1 day' FROM generate_series(1, 5) AS n"
    )
    assert deletions(tick("cleanup")) == NOTHING | {"rate_limits": 5}
    run = runs(database, "cleanup")[-1]
    assert (run["status"], deletions(run["result"])) == ("done", NOTHING | {"rate_limits": 5})


def test_it_notes_what_it_found_beside_what_it_deleted(database: Database) -> None:
    """Of a long ledger, db-health shows this; how it is found, the administration's tests say."""
    noted = tick("cleanup")
    assert {"ledger_audit", "orphaned_rows"} < noted.keys()
    assert noted == runs(database, "cleanup")[-1]["result"]


def test_it_goes_on_at_the_next_tick(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleanup, "BATCH", 2)
    database.query(
        "INSERT INTO rate_limits (bucket, window_start)"
        " SELECT format('b%%s', n), clock() - interval '1 day' FROM generate_series(1, 5) AS n"
    )
    log_in("jobs")
    left = iter([RESERVE_MS + 1] * 4 + [0] * 20)  # three tables without anything to delete, and one batch
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: next(left))
    assert worker.handler({"schedule": "cleanup"}, context) == NOTHING | {"rate_limits": 2}
    assert deletions(tick("cleanup")) == NOTHING | {"rate_limits": 3}


@pytest.mark.parametrize(("status", "goes"), [("abandoned", True), ("paused", False)])
def test_a_pause_goes_unless_its_timer_is_still_paused(
    user: User, database: Database, clock: Clock, status: str, goes: bool
) -> None:
    session = user.post("/focus", {"duration_seconds": 1500}).data
    user.post("/focus/pause", {"session_id": session["id"]})
    if goes:
        # As of a time before a session took its pause along.
        database.query(
            "UPDATE focus_sessions SET status = 'abandoned', paused_at = NULL, paused_remaining_seconds = NULL,"
            " abandoned_at = clock(), ended_at = clock(), end_reason = 'user' WHERE id = %s",
            session["id"],
        )
        database.query("SELECT count_totals(%s)", user.id)
    clock.advance("PT23H59M")
    assert tick("cleanup")["focus_pause_state"] == 0
    clock.advance("PT2M")
    assert tick("cleanup")["focus_pause_state"] == int(goes)


def test_the_newest_run_of_a_schedule_stays(database: Database, clock: Clock) -> None:
    tick("queue")
    tick("queue")
    clock.advance("P7DT1M")
    assert tick("cleanup")["job_runs"] == 1
    assert (len(runs(database, "queue")), len(runs(database, "cleanup"))) == (1, 2)
    tick("queue")
    assert tick("cleanup")["job_runs"] == 2


def test_a_job_that_waits_is_not_over(database: Database, clock: Clock) -> None:
    enqueue(database, None, "backup")
    clock.advance("P30D")
    assert tick("cleanup")["jobs"] == 0


def test_an_upload_that_was_abandoned_is_aborted(clock: Clock) -> None:
    key = f"{uuid4()}/exports/1.zip"
    bucket.client().create_multipart_upload(Bucket="questlog", Key=key)
    clock.advance("PT23H59M")
    assert tick("cleanup")[cleanup.UPLOADS] == 0
    clock.advance("PT2M")
    assert tick("cleanup")[cleanup.UPLOADS] >= 1
    assert list(store.unfinished(key)) == []


def test_a_bucket_that_is_away_keeps_no_row_from_going(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise Unavailable

    database.query("INSERT INTO rate_limits (bucket, window_start) VALUES ('b', clock() - interval '1 day')")
    monkeypatch.setattr(store, "unfinished", away)
    with pytest.raises(Unavailable):
        tick("cleanup")
    assert database.query("SELECT * FROM rate_limits WHERE bucket = 'b'") == []
    assert runs(database, "cleanup")[-1] == {"status": "failed", "result": {"error": Unavailable().message}}


def test_the_file_of_an_import_that_was_not_started_goes_too(user: User, database: Database, clock: Clock) -> None:
    made = user.post("/user/imports", {"size_bytes": 4}).data
    bucket.send("PUT", made["upload_url"], b"file")
    clock.advance("P1DT1S")
    assert tick("cleanup")["user_imports"] == 1
    tick("storage")
    assert bucket.keys(f"{user.id}/") == set()
    user.post(f"/user/imports/{made['id']}/start").refused(404, "not_found")


def test_an_upload_that_is_not_registered_within_a_day_goes(user: User, database: Database, clock: Clock) -> None:
    kept, key = register(user), upload(user, tone())
    begin(user, tone())
    clock.advance("PT23H59M")
    assert tick("cleanup")["upload_intents"] == 0
    clock.advance("PT2M")
    assert tick("cleanup")["upload_intents"] == 2
    user.post("/reference/tracks", {"name": "Too late", "r2_key": key}).refused(404, "not_found")
    tick("storage")
    assert bucket.keys(f"{user.id}/") == {kept["r2_key"]}
    assert user.get(f"/reference/tracks/{kept['id']}/stream").status == 200


def test_jobs_are_forgotten_a_week_after_their_end(user: User, database: Database, clock: Clock) -> None:
    work(start(user, register(user)["id"])["id"])
    waiting = start(user, register(user)["id"])["id"]
    clock.advance("P6DT23H")
    tick("cleanup")
    assert len(database.query("SELECT id FROM jobs WHERE user_id = %s", user.id)) == 2
    clock.advance("PT2H")
    tick("cleanup")
    assert [str(row["id"]) for row in database.query("SELECT id FROM jobs WHERE user_id = %s", user.id)] == [waiting]
