"""The queue: a job is done once, fails as it should, and is taken over from a worker that was lost."""

import io
import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from questlog.db import connection
from questlog.errors import UNFORESEEN

from functions.jobs import queue
from functions.jobs.work import RESERVE_MS, Deadline, Job, NotNow, Refused, TooLong, complete, hold
from local.clock import Clock
from tests.conftest import Database, NewUser, User
from tests.jobs.ticking import ALL_THE_TIME, OwnWork, enqueue, job, note, notes, runs, tick

NOTHING = {"done": 0, "failed": 0, "queued_again": 0, "superseded": 0}
Do = Callable[[Job, Deadline], Mapping[str, Any]]


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> OwnWork:
    """The work of the kinds `export` and `backup`."""
    own = OwnWork()
    monkeypatch.setitem(queue.WORK, "export", own)
    monkeypatch.setitem(queue.WORK, "backup", own)
    return own


def raising(error: Exception) -> Do:
    def do(*_: object) -> Mapping[str, Any]:
        raise error

    return do


def test_a_job_is_done_once(user: User, database: Database, work: OwnWork) -> None:
    work.do = lambda *_: {"rows": 3}
    queued = enqueue(database, user, include_audio=True)
    assert tick() == NOTHING | {"done": 1}
    assert work.seen == [Job(user.id, queued, "export", 1, {"include_audio": True})]
    assert job(database, queued) == {"status": "done", "attempts": 1, "result": {"rows": 3}, "last_error": None}
    assert tick() == NOTHING
    assert len(work.seen) == 1
    assert runs(database) == [
        {"status": "done", "result": NOTHING | {"done": 1}},
        {"status": "done", "result": NOTHING},
    ]


def test_a_job_may_be_nobodys(user: User, database: Database, work: OwnWork) -> None:
    queued = enqueue(database, None, "backup")
    assert tick() == NOTHING | {"done": 1}
    assert work.seen == [Job(None, queued, "backup", 1, {})]
    assert job(database, queued)["status"] == "done"


def test_what_nobody_does_waits(database: Database, work: OwnWork, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(queue.WORK, "restore")
    queued = enqueue(database, None, "restore")
    assert tick() == NOTHING
    assert job(database, queued)["status"] == "queued"


def test_what_fails_is_tried_five_times(user: User, database: Database, clock: Clock, work: OwnWork) -> None:
    clock.freeze()
    work.do = raising(OSError("no space left on /tmp/secret"))
    queued = enqueue(database, user)
    failed = {"result": None, "last_error": UNFORESEEN}
    for attempt, seconds in enumerate((60, 120, 240, 480), 1):
        assert tick() == NOTHING | {"queued_again": 1}
        assert job(database, queued) == failed | {"attempts": attempt, "status": "queued"}
        clock.advance(timedelta(seconds=seconds - 1))
        assert tick() == NOTHING
        clock.advance("PT1S")
    assert (notes(database), work.failures) == ([], [])
    assert tick() == NOTHING | {"failed": 1}
    assert job(database, queued) == failed | {"attempts": 5, "status": "failed"}
    assert work.failures == [(queued, "internal_error", UNFORESEEN)]
    assert notes(database) == [f"failed {queued}"]
    clock.advance("P1D")
    assert tick() == NOTHING


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (Refused("invalid_export", "The file is no export."), ("invalid_export", "The file is no export.")),
        (Refused("invalid_export", "x" * 900), ("invalid_export", "x" * 500)),
        (TooLong(), ("too_long", queue.TOO_LONG)),
    ],
)
def test_what_cannot_be_done_fails_at_once(
    user: User, database: Database, work: OwnWork, error: Exception, shown: tuple[str, str]
) -> None:
    work.do = raising(error)
    queued = enqueue(database, user)
    assert tick() == NOTHING | {"failed": 1}
    assert job(database, queued) == {"status": "failed", "attempts": 1, "result": None, "last_error": shown[1]}
    assert work.failures == [(queued, *shown)]
    assert notes(database) == [f"failed {queued}"]


def test_a_job_and_what_it_works_for_fail_together(
    user: User, database: Database, work: OwnWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    work.do = raising(TooLong())
    queued = enqueue(database, user)
    with monkeypatch.context() as now:
        now.setattr(work, "failed", broken)
        with pytest.raises(RuntimeError):
            tick()
    assert job(database, queued)["status"] == "running"
    assert runs(database) == [{"status": "failed", "result": {"error": UNFORESEEN}}]


def test_what_is_not_done_now_does_not_count(user: User, database: Database, clock: Clock, work: OwnWork) -> None:
    clock.freeze()
    queued = enqueue(database, user)
    work.do = raising(NotNow(timedelta(minutes=1)))
    for _ in range(7):
        assert tick() == NOTHING | {"queued_again": 1}
        assert job(database, queued) == {"status": "queued", "attempts": 0, "result": None, "last_error": None}
        clock.advance("PT59S")
        assert tick() == NOTHING
        clock.advance("PT1S")
    work.do = lambda *_: {}
    assert tick() == NOTHING | {"done": 1}


def test_one_that_fails_does_not_keep_others_from_being_done(
    user: User, other: User, database: Database, work: OwnWork
) -> None:
    poison, queued = enqueue(database, user), enqueue(database, other)

    def do(one: Job, _: Deadline) -> Mapping[str, Any]:
        if one.id == poison:
            raise ZeroDivisionError
        return {}

    work.do = do
    assert tick() == NOTHING | {"queued_again": 1, "done": 1}
    assert [job(database, one)["status"] for one in (poison, queued)] == ["queued", "done"]


def test_no_message_of_an_error_is_shown(user: User, database: Database, work: OwnWork) -> None:
    work.do = raising(ValueError("secret@example.org"))
    queued = enqueue(database, user)
    logger, log = logging.getLogger("jobs"), io.StringIO()
    handler, level = logging.StreamHandler(log), logger.level
    handler.setFormatter(logger.handlers[0].formatter)
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        tick()
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    assert job(database, queued)["last_error"] == UNFORESEEN
    assert "job failed" in log.getvalue()
    assert "ValueError" in log.getvalue()
    assert "secret" not in log.getvalue()


# Workers that are lost ------------------------------------------------------------------------------------------------


def claim(database: Database) -> None:
    """Take what is due as a worker does that is then killed."""
    assert database.query("SELECT id FROM claim_due_job('{export,backup}', '{}')")


def test_a_job_is_taken_over_when_its_lease_is_over(
    user: User, database: Database, clock: Clock, work: OwnWork
) -> None:
    clock.freeze()
    queued = enqueue(database, user)
    claim(database)
    clock.advance("PT5M")
    assert tick() == NOTHING
    clock.advance("PT1S")
    assert tick() == NOTHING | {"done": 1}
    assert job(database, queued)["attempts"] == 2


def test_after_the_last_worker_was_lost_the_job_has_failed(
    user: User, database: Database, clock: Clock, work: OwnWork
) -> None:
    queued = enqueue(database, user)
    for _ in range(5):
        claim(database)
        clock.advance("PT5M1S")
    assert tick() == NOTHING | {"failed": 1}
    assert work.seen == []
    assert job(database, queued) == {"status": "failed", "attempts": 5, "result": None, "last_error": "worker lost"}
    assert work.failures == [(queued, "worker_lost", queue.LOST)]
    assert notes(database) == [f"failed {queued}"]
    assert tick() == NOTHING


def written_at_once(one: Job, _: Deadline) -> Mapping[str, Any]:
    with connection() as opened, opened.transaction():
        note(opened, f"done {one.id}")
        hold(opened, one)
    return {}


def test_without_the_lease_nothing_is_written(user: User, database: Database, clock: Clock, work: OwnWork) -> None:
    def slow(one: Job, deadline: Deadline) -> Mapping[str, Any]:
        clock.advance("PT5M1S")
        return written_at_once(one, deadline)

    queued = enqueue(database, user)
    work.do = slow
    assert tick()["superseded"] == 5
    assert notes(database) == [f"failed {queued}"]
    assert job(database, queued)["last_error"] == "worker lost"


def test_a_worker_whose_job_another_has_writes_nothing(
    user: User, database: Database, clock: Clock, work: OwnWork
) -> None:
    def slow(one: Job, deadline: Deadline) -> Mapping[str, Any]:
        clock.advance("PT5M1S")
        claim(database)
        return written_at_once(one, deadline)

    queued = enqueue(database, user)
    work.do = slow
    assert tick() == NOTHING | {"superseded": 1}
    assert notes(database) == []
    assert job(database, queued) == {"status": "running", "attempts": 2, "result": None, "last_error": None}


@pytest.mark.parametrize("outcome", [TooLong(), Refused("x", "It is not."), NotNow(), OSError()])
def test_a_worker_without_its_job_ends_nothing(
    user: User, database: Database, clock: Clock, work: OwnWork, outcome: Exception
) -> None:
    def slow(*_: object) -> Mapping[str, Any]:
        clock.advance("PT5M1S")
        claim(database)
        raise outcome

    queued = enqueue(database, user)
    work.do = slow
    assert tick() == NOTHING | {"superseded": 1}
    assert job(database, queued) == {"status": "running", "attempts": 2, "result": None, "last_error": None}
    assert notes(database) == []


def test_work_may_end_its_job_in_its_own_transaction(user: User, database: Database, work: OwnWork) -> None:
    def do(one: Job, _: Deadline) -> Mapping[str, Any]:
        opened = connection()
        with opened.transaction():
            note(opened, f"done {one.id}")
            complete(opened, one, {"rows": 1})
        return {"rows": 2}

    queued = enqueue(database, user)
    work.do = do
    assert tick() == NOTHING | {"done": 1}
    assert job(database, queued)["result"] == {"rows": 1}
    assert notes(database) == [f"done {queued}"]


# The deadline ---------------------------------------------------------------------------------------------------------


def test_what_is_one_transaction_is_begun_with_most_of_the_time_ahead(
    user: User, database: Database, work: OwnWork
) -> None:
    queued = enqueue(database, user)
    assert tick(milliseconds=queue.WHOLE_TIME_MS) == NOTHING
    assert job(database, queued) == {"status": "queued", "attempts": 0, "result": None, "last_error": None}
    assert tick(milliseconds=queue.WHOLE_TIME_MS + 1) == NOTHING | {"done": 1}


def test_at_the_deadline_an_export_fails_at_once(user: User, database: Database, work: OwnWork) -> None:
    def do(_: Job, deadline: Deadline) -> Mapping[str, Any]:
        deadline.remaining_ms = lambda: RESERVE_MS
        assert not deadline()
        raise OSError  # as of a statement that is cancelled

    queued = enqueue(database, user)
    work.do = do
    assert tick() == NOTHING | {"failed": 1}
    assert work.failures == [(queued, "too_long", queue.TOO_LONG)]


def test_work_asks_whether_it_may_go_on() -> None:
    left = [RESERVE_MS + 1]
    deadline = Deadline(lambda: left[0])
    deadline.check()
    assert deadline()
    left[0] = RESERVE_MS
    assert not deadline()
    with pytest.raises(TooLong):
        deadline.check()


# Several at once ------------------------------------------------------------------------------------------------------


def test_a_user_has_one_job_at_a_time(new_user: NewUser, database: Database, work: OwnWork) -> None:
    user, other = new_user(), new_user()
    first, second, theirs = enqueue(database, user), enqueue(database, user), enqueue(database, other)
    claim(database)
    tick()
    assert [one.id for one in work.seen] == [theirs]
    database.query("UPDATE jobs SET status = 'queued', lease_until = NULL WHERE id = %s", first)
    tick()
    assert [one.id for one in work.seen] == [theirs, first, second]


def test_analyses_of_tracks_are_not_in_the_way(user: User, database: Database, work: OwnWork) -> None:
    analysis = enqueue(database, user, "audio_analysis")
    assert database.query("SELECT id FROM claim_job('audio_analysis', %s)", analysis)
    queued = enqueue(database, user)
    assert tick() == NOTHING | {"done": 1}
    assert [one.id for one in work.seen] == [queued]


def test_four_ticks_run_at_once_and_no_fifth(database: Database, new_user: NewUser, work: OwnWork) -> None:
    jobs = [enqueue(database, new_user()) for _ in range(2)]
    for _ in range(4):
        assert database.query("SELECT id FROM begin_run('queue', false, '{}')")
    assert tick() == NOTHING
    assert work.seen == []
    assert len(runs(database)) == 4
    database.query("SELECT end_run(id, false, '{}') FROM job_runs LIMIT 1")
    assert tick() == NOTHING | {"done": 2}
    assert {one.id for one in work.seen} == set(jobs)


def test_what_a_user_has_queued_no_other_user_sees(user: User, other: User, database: Database) -> None:
    enqueue(database, user)
    enqueue(database, None, "backup")
    with database.admin() as opened, opened.transaction():
        opened.execute("SET LOCAL ROLE questlog_app")
        for one, seen in ((user, 1), (other, 0)):
            opened.execute("SELECT set_config('app.user_id', %s, true)", [str(one.id)])
            assert opened.execute("SELECT count(*) AS n FROM jobs").fetchall() == [{"n": seen}]


def test_no_user_can_queue_what_is_the_operators(user: User, database: Database) -> None:
    with pytest.raises(Exception, match="check constraint"):
        enqueue(database, user, "backup")
    with pytest.raises(Exception, match="check constraint"):
        enqueue(database, None, "export")
    assert database.query("SELECT id FROM jobs") == []


def test_the_whole_time_is_less_than_the_functions() -> None:
    assert RESERVE_MS < queue.WHOLE_TIME_MS < ALL_THE_TIME
