"""Runs of the schedules: their rows, that they do not overlap, what an idle one costs, and those that are asked for."""

from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.rows import DictRow

from questlog.errors import UNFORESEEN

from functions.audio_worker import worker as audio_worker
from functions.jobs import runs as schedule_runs
from functions.jobs import worker
from functions.jobs.lease import Lease
from local.clock import Clock
from tests.conftest import Database, User, at_once
from tests.jobs.ticking import as_administrator, enqueue, job, runs, tick
from tests.reference.uploads import register, tone
from tests.reference.working import start
from tests.reference.working import work as tick_audio
from tests.support import bucket
from tests.support.client import log_in
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until

QUEUE = {"done": 0, "failed": 0, "queued_again": 0, "superseded": 0}
Ask = Callable[..., list[DictRow]]


@pytest.fixture
def ask(database: Database) -> Ask:
    """Runs a statement as a request of an administrator does."""

    def ask(statement: str, *parameters: object) -> list[DictRow]:
        with database.admin() as opened, opened.transaction():
            as_administrator(opened)
            return opened.execute(statement.encode(), parameters).fetchall()

    return ask


class Slow:
    """A schedule that does what the test says."""

    nothing: Mapping[str, int] = {"done": 0}

    def __init__(self, do: Callable[[Lease], dict[str, int]]) -> None:
        self.do = do

    def begin(self) -> schedule_runs.Run | None:
        return worker.SCHEDULES["cleanup"].begin()

    def run(self, lease: Lease) -> dict[str, int]:
        return self.do(lease)


# Overlap --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("schedule", ["cleanup", "storage"])
def test_two_ticks_of_a_schedule_do_not_overlap(database: Database, clock: Clock, schedule: str) -> None:
    database.query("INSERT INTO storage_deletions (object_key) VALUES ('x')")
    assert database.query("SELECT id FROM begin_run(%s, false, '{}')", schedule)
    assert not any(tick(schedule).values())
    assert runs(database, schedule) == [{"status": "running", "result": None}]
    assert database.query("SELECT id FROM storage_deletions WHERE attempts = 0")
    clock.advance("PT5M1S")
    tick(schedule)
    [lost, done] = runs(database, schedule)
    assert lost == {"status": "failed", "result": {"error": "worker lost"}}
    assert done["status"] == "done"


def test_of_ticks_at_the_same_moment_one_runs(database: Database) -> None:
    def begin() -> bool:
        with psycopg.connect(database.url("questlog_jobs")) as opened:
            return bool(opened.execute("SELECT id FROM begin_run('cleanup', false, '{}')").fetchall())

    assert sorted(at_once(6, begin)) == [False] * 5 + [True]


RENEWED = "SELECT lease_until > instant() + interval '4 minutes' AS is_new FROM job_runs"


def test_a_run_keeps_its_lease(database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.jobs.lease.RENEWAL_SECONDS", 0.02)

    def slow(lease: Lease) -> dict[str, int]:
        for _ in range(3):
            clock.advance("PT4M")
            wait_until(lambda: database.query(RENEWED)[0]["is_new"], "a renewed lease")
            assert database.query("SELECT id FROM begin_run('cleanup', false, '{}')") == []
        return {"done": 3}

    log_in("jobs")
    ticked = schedule_runs.tick(Slow(slow), lambda: 900_000)
    assert (ticked.done, ticked.is_finished) == ({"done": 3}, True)
    assert runs(database, "cleanup") == [{"status": "done", "result": {"done": 3}}]


def test_a_run_without_its_lease_stops(database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.jobs.lease.RENEWAL_SECONDS", 0.02)

    def slow(lease: Lease) -> dict[str, int]:
        clock.advance("PT6M")
        wait_until(lambda: not lease.deadline(), "the end of the lease")
        return {"done": 1}

    log_in("jobs")
    assert not schedule_runs.tick(Slow(slow), lambda: 900_000).is_finished


# Idle ticks -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def proxy(database: Database) -> Iterator[Proxy]:
    with Proxy(database.app_url) as proxy:
        database.serve(proxy.on_the_way_to)
        yield proxy
    database.serve()


@pytest.mark.parametrize("schedule", ["queue", "storage", "analysis"])
def test_an_idle_tick_is_one_statement(database: Database, proxy: Proxy, schedule: str) -> None:
    database.query("UPDATE erasures SET kept_at = erased_at")

    def ticked() -> None:
        if schedule == "analysis":
            tick_audio()
        else:
            tick(schedule)

    ticked()  # opens the connection
    statements, trips = proxy.statements, proxy.trips
    ticked()
    assert (proxy.statements - statements, proxy.trips - trips) == (1, 1)
    assert [run["status"] for run in runs(database, schedule)] == ["done"] * 2


# Runs that are asked for ----------------------------------------------------------------------------------------------


def test_a_run_that_was_asked_for_is_done_by_the_next_tick(database: Database, ask: Ask) -> None:
    database.query("INSERT INTO rate_limits (bucket, window_start) VALUES ('old', clock() - interval '1 day')")
    [queued] = ask("SELECT * FROM request_run('cleanup')")
    assert (queued["kind"], queued["status"], queued["user_id"]) == ("run", "queued", None)
    assert tick() == QUEUE | {"done": 1}
    [done] = ask("SELECT * FROM job_by_id(%s)", queued["id"])
    assert (done["status"], done["result"]["rate_limits"]) == ("done", 1)
    assert runs(database, "cleanup") == [{"status": "done", "result": done["result"]}]


def test_while_one_is_queued_it_is_that_one(ask: Ask, database: Database) -> None:
    [first] = ask("SELECT id FROM request_run('cleanup')")
    assert ask("SELECT id FROM request_run('cleanup')") == [first]
    assert ask("SELECT id FROM request_run('storage')") != [first]
    tick()
    assert ask("SELECT id FROM request_run('cleanup')") != [first]


def test_two_who_ask_at_once_get_the_same(database: Database) -> None:
    def request() -> UUID:
        with psycopg.connect(database.admin_url) as opened:
            [[job_id]] = opened.execute("SELECT id FROM request_run('cleanup')").fetchall()
            assert isinstance(job_id, UUID)
            return job_id

    assert len(set(at_once(4, request))) == 1


def test_an_unknown_schedule_is_bad_input(ask: Ask) -> None:
    with pytest.raises(psycopg.Error) as caught:
        ask("SELECT * FROM request_run('Cleanup')")
    assert caught.value.sqlstate == "PT400"
    assert "name" in (caught.value.diag.message_detail or "")


def test_one_that_another_run_keeps_away_waits(database: Database, ask: Ask, clock: Clock) -> None:
    database.query("SELECT id FROM begin_run('cleanup', false, '{}')")
    [queued] = ask("SELECT id FROM request_run('cleanup')")
    assert tick() == QUEUE | {"queued_again": 1}
    assert job(database, queued["id"]) == {"status": "queued", "attempts": 0, "result": None, "last_error": None}
    database.query("SELECT end_run(id, false, '{}') FROM job_runs WHERE name = 'cleanup'")
    clock.advance("PT1M1S")
    assert tick() == QUEUE | {"done": 1}


def test_one_that_runs_out_of_time_goes_on_at_the_next_tick(database: Database, ask: Ask) -> None:
    [queued] = ask("SELECT id FROM request_run('cleanup')")
    log_in("jobs")
    left = iter([900_000] * 8 + [0] * 200)
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: next(left))
    assert worker.handler({"schedule": "queue"}, context) == QUEUE | {"queued_again": 1}
    assert job(database, queued["id"])["attempts"] == 0
    assert tick() == QUEUE | {"done": 1}


def test_the_queue_may_be_asked_for_too(database: Database, ask: Ask) -> None:
    [queued] = ask("SELECT id FROM request_run('queue')")
    assert tick() == QUEUE | {"done": 1}
    assert job(database, queued["id"])["result"] == QUEUE


def test_the_analysis_is_the_audio_workers(database: Database, ask: Ask) -> None:
    [queued] = ask("SELECT id FROM request_run('analysis')")
    assert tick() == QUEUE
    assert tick_audio() == 0
    assert job(database, queued["id"]) == {"status": "done", "attempts": 1, "result": {"jobs": 0}, "last_error": None}
    assert runs(database, "analysis")[-1] == {"status": "done", "result": {"jobs": 0}}


def test_a_tick_of_the_analysis_that_fails_is_seen(
    user: User, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError("secret")

    monkeypatch.setattr(audio_worker, "run", broken)
    enqueue(database, user, "audio_analysis")
    with pytest.raises(OSError, match="secret"):
        tick_audio()
    assert runs(database, "analysis") == [{"status": "failed", "result": {"error": UNFORESEEN}}]


# What administrators see ----------------------------------------------------------------------------------------------


def test_the_schedules_with_their_last_runs(database: Database, ask: Ask, clock: Clock) -> None:
    states = {row["name"]: row for row in ask("SELECT * FROM schedule_states()")}
    assert set(states) == {"queue", "cleanup", "storage", "analysis", "reminders"}
    assert states["cleanup"] == {"name": "cleanup", "every_seconds": 3600} | dict.fromkeys(
        ("last_started_at", "last_finished_at", "last_status", "last_result")
    )
    tick("cleanup")
    clock.advance("PT1H")
    database.query("SELECT id FROM begin_run('cleanup', false, '{}')")
    [ended, started] = database.query("SELECT * FROM job_runs WHERE name = 'cleanup' ORDER BY started_at")
    [state] = [row for row in ask("SELECT * FROM schedule_states()") if row["name"] == "cleanup"]
    assert state["last_started_at"] == started["started_at"]
    assert (state["last_finished_at"], state["last_status"]) == (ended["finished_at"], "done")
    assert state["last_result"] == ended["result"]


def test_the_queue_in_numbers_and_what_has_failed(user: User, database: Database, ask: Ask) -> None:
    queued = [enqueue(database, user) for _ in range(4)]
    database.query(
        "UPDATE jobs SET status = 'failed', last_error = 'x', finished_at = instant() WHERE id = ANY (%s)", queued[:2]
    )
    database.query("SELECT id FROM claim_due_job('{export}', '{}')")
    assert ask("SELECT * FROM job_counts()") == [{"queued": 1, "running": 1, "failed": 2}]
    assert {row["id"] for row in ask("SELECT id FROM failed_jobs(100)")} == set(queued[:2])
    assert len(ask("SELECT id FROM failed_jobs(1)")) == 1
    assert ask("SELECT * FROM job_by_id(%s)", uuid4()) == []


# Trying again ---------------------------------------------------------------------------------------------------------


def fail(database: Database, job_id: UUID) -> None:
    database.query(
        "UPDATE jobs SET status = 'failed', attempts = 5, last_error = 'x', finished_at = instant() WHERE id = %s",
        job_id,
    )


def refused(ask: Ask, job_id: UUID) -> str | None:
    with pytest.raises(psycopg.Error) as caught:
        ask("SELECT * FROM requeue_job(%s)", job_id)
    assert caught.value.sqlstate == "PT409"
    return caught.value.diag.message_hint


def test_a_job_that_has_failed_is_tried_again(user: User, database: Database, ask: Ask) -> None:
    queued = enqueue(database, user)
    assert refused(ask, queued) == "not_failed"
    fail(database, queued)
    [again] = ask("SELECT * FROM requeue_job(%s)", queued)
    assert job(database, queued) == {"status": "queued", "attempts": 0, "result": None, "last_error": None}
    assert (again["id"], again["status"], again["finished_at"]) == (queued, "queued", None)
    assert ask("SELECT * FROM requeue_job(%s)", uuid4()) == []


def test_it_is_not_where_a_newer_one_does_the_same(user: User, other: User, database: Database, ask: Ask) -> None:
    queued = enqueue(database, user)
    fail(database, queued)
    enqueue(database, other)
    enqueue(database, user, "import")
    newer = enqueue(database, user)
    assert refused(ask, queued) == "superseded"
    fail(database, newer)
    assert ask("SELECT id FROM requeue_job(%s)", queued) == [{"id": queued}]


def test_a_requested_run_is_superseded_by_one_of_its_name(database: Database, ask: Ask) -> None:
    [first] = ask("SELECT id FROM request_run('cleanup')")
    fail(database, first["id"])
    ask("SELECT id FROM request_run('storage')")
    [second] = ask("SELECT id FROM request_run('cleanup')")
    assert refused(ask, first["id"]) == "superseded"
    fail(database, second["id"])
    assert ask("SELECT id FROM requeue_job(%s)", first["id"]) == [first]


def test_an_analysis_is_queued_again_with_its_job(user: User, database: Database, ask: Ask) -> None:
    track = register(user)
    bucket.client().delete_object(Bucket="questlog", Key=track["r2_key"])
    first = start(user, track["id"])["id"]
    tick_audio()
    assert analysis_of(user, track["id"])["status"] == "failed"
    bucket.client().put_object(Bucket="questlog", Key=track["r2_key"], Body=tone())
    [again] = ask("SELECT * FROM requeue_job(%s)", first)
    assert (str(again["id"]), again["status"]) == (first, "queued")
    waiting = analysis_of(user, track["id"])
    assert (waiting["id"], waiting["status"], waiting["error_message"]) == (first, "pending", None)
    assert user.get(f"/reference/tracks/{track['id']}").json["track"]["status"] == "processing"
    assert tick_audio() == 1
    assert analysis_of(user, track["id"])["status"] == "completed"


def test_an_analysis_is_superseded_by_another_of_its_track(user: User, database: Database, ask: Ask) -> None:
    track, other_track = register(user), register(user)
    bucket.client().delete_object(Bucket="questlog", Key=track["r2_key"])
    first = start(user, track["id"])["id"]
    tick_audio()
    start(user, other_track["id"])
    second = start(user, track["id"])["id"]
    assert refused(ask, UUID(first)) == "superseded"
    database.query("DELETE FROM track_analyses WHERE id = %s", second)
    assert ask("SELECT id FROM requeue_job(%s)", first) == [{"id": UUID(first)}]


def analysis_of(user: User, track_id: str) -> dict[str, Any]:
    """The newest analysis of a track, as its owner sees it."""
    shown: dict[str, Any] = user.get(f"/reference/tracks/{track_id}/analysis").json
    return shown
