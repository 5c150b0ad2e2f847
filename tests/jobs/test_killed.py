"""A worker that is killed, at each statement and at any moment, and ticked again ends as if undisturbed."""

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from uuid import UUID, uuid4

import pytest

from functions.jobs import queue
from local.clock import Clock
from tests.conftest import Database, NewUser, User
from tests.jobs.ticking import enqueue, job, notes, runs, tick
from tests.jobs.workers import PARTS, REFUSED, WORK, Workers, start
from tests.support import bucket
from tests.support.proxy import Proxy

# More statements than any tick below takes.
MANY = 100


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with start(bucket.serve()) as workers:
        yield workers


@pytest.fixture(autouse=True)
def work(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process does the same work as those that are killed."""
    for kind, one in WORK.items():
        monkeypatch.setitem(queue.WORK, kind, one)


def kill_at(workers: Workers, database: Database, schedule: str, statement: int, *, is_heard: bool) -> bool:
    """Run a tick that is killed when it has sent so many statements; whether the server still hears of the last one.

    Returns whether it was killed: a tick may take fewer.
    """
    processes: list[int] = []
    killed: list[int] = []

    def watch(statements: int) -> bool:
        if statements < statement or killed:
            return True
        while not processes:
            time.sleep(0.001)
        killed.extend(processes)
        os.kill(processes[0], signal.SIGKILL)
        return is_heard

    with Proxy(database.url("questlog_jobs"), watch=watch) as proxy:
        processes.append(workers.begin(schedule, proxy.url))
        workers.wait()
    return bool(killed)


def tick_until_over(database: Database, clock: Clock, schedule: str) -> None:
    """Tick on as the schedule does, until the leases of the dead are over and nothing is left to do."""
    for _ in range(3):
        clock.advance("PT5M1S")
        tick(schedule)
    assert {run["status"] for run in runs(database, schedule)} <= {"done", "failed"}
    assert runs(database, schedule)[-1]["status"] == "done"


@pytest.mark.parametrize("is_heard", [True, False])
def test_a_job_is_done_once(workers: Workers, user: User, database: Database, clock: Clock, is_heard: bool) -> None:
    for statement in range(1, MANY):
        database.query("DELETE FROM jobs")
        database.query("DELETE FROM storage_deletions")
        queued = enqueue(database, user)
        if not kill_at(workers, database, "queue", statement, is_heard=is_heard):
            break
        tick_until_over(database, clock, "queue")
        ended = job(database, queued)
        assert (ended["status"], ended["result"], ended["last_error"]) == ("done", {"parts": PARTS}, None), statement
        assert sorted(notes(database)) == [f"{queued} {part}" for part in range(PARTS)], statement
        assert bucket.keys(f"tests/{queued}") == {f"tests/{queued}"}
    # begin, claim, begin, its parts, complete, commit, complete, claim, fail_lost in its transaction, end
    assert statement > PARTS + 8


@pytest.mark.parametrize("is_heard", [True, False])
def test_a_job_fails_once(workers: Workers, user: User, database: Database, clock: Clock, is_heard: bool) -> None:
    for statement in range(1, MANY):
        database.query("DELETE FROM jobs")
        database.query("DELETE FROM storage_deletions")
        queued = enqueue(database, user, "import")
        if not kill_at(workers, database, "queue", statement, is_heard=is_heard):
            break
        tick_until_over(database, clock, "queue")
        ended = job(database, queued)
        assert (ended["status"], ended["last_error"]) == ("failed", REFUSED), statement
        assert notes(database) == [f"failed {queued} invalid_export: {REFUSED}"], statement
    assert statement > 8


@pytest.mark.parametrize("is_heard", [True, False])
def test_the_last_attempt_may_be_the_one_that_is_killed(
    workers: Workers, user: User, database: Database, clock: Clock, is_heard: bool
) -> None:
    """Then the job has failed or is done, and what it works for shows the same."""
    for statement in range(2, MANY):
        database.query("DELETE FROM jobs")
        database.query("DELETE FROM storage_deletions")
        queued = enqueue(database, user)
        database.query("UPDATE jobs SET attempts = 4 WHERE id = %s", queued)
        if not kill_at(workers, database, "queue", statement, is_heard=is_heard):
            break
        tick_until_over(database, clock, "queue")
        ended, written = job(database, queued), sorted(notes(database))
        if ended["status"] == "failed":
            assert ended["last_error"] == "worker lost"
            assert written == [f"failed {queued} worker_lost: {queue.LOST}"], statement
        else:
            assert ended["status"] == "done"
            assert written == [f"{queued} {part}" for part in range(PARTS)], statement


@pytest.mark.parametrize("is_heard", [True, False])
def test_objects_go_and_erasures_are_kept(workers: Workers, database: Database, clock: Clock, is_heard: bool) -> None:
    for statement in range(1, MANY):
        owner, digest = uuid4(), uuid4().bytes * 2
        database.query("DELETE FROM storage_deletions")
        database.query("UPDATE erasures SET kept_at = erased_at")
        for name in ("a", "b"):
            bucket.client().put_object(Bucket="questlog", Key=f"{owner}/{name}", Body=b"x")
        database.query("INSERT INTO erasures (user_hash) VALUES (%s)", digest)
        database.query(
            "INSERT INTO storage_deletions (object_key, is_prefix) VALUES (%s, true), (%s, false)",
            *(f"{owner}/", f"{owner}/a"),
        )
        if not kill_at(workers, database, "storage", statement, is_heard=is_heard):
            break
        tick_until_over(database, clock, "storage")
        assert bucket.keys(f"{owner}/") == set(), statement
        assert bucket.keys(f"erasures/{digest.hex()}") == {f"erasures/{digest.hex()}"}, statement
        # The prefix is swept once more a day later.
        assert database.query("SELECT object_key, attempts FROM storage_deletions") == [
            {"object_key": f"{owner}/", "attempts": 0}
        ], statement
    assert statement > 6


@pytest.mark.parametrize("is_heard", [True, False])
def test_what_has_served_goes(workers: Workers, user: User, database: Database, clock: Clock, is_heard: bool) -> None:
    tick("cleanup")
    for statement in range(1, MANY):
        key = f"{user.id}/audio/{uuid4()}.wav"
        database.query("DELETE FROM storage_deletions")
        database.query(
            "INSERT INTO upload_intents (user_id, r2_key, mime_type, filename, declared_bytes, created_at, expires_at)"
            " VALUES (%s, %s, 'audio/wav', 'a.wav', 1, clock() - interval '2 days', clock())",
            *(user.id, key),
        )
        if not kill_at(workers, database, "cleanup", statement, is_heard=is_heard):
            break
        tick_until_over(database, clock, "cleanup")
        assert database.query("SELECT r2_key FROM upload_intents WHERE user_id = %s", user.id) == [], statement
        # What other tests have left becomes old, too, as the clock moves.
        listed = database.query("SELECT object_key FROM storage_deletions WHERE object_key LIKE %s", f"{user.id}/%")
        assert listed == [{"object_key": key}], statement
    assert statement > 12


@pytest.mark.parametrize("seed", range(3))
def test_at_any_moment(user: User, database: Database, clock: Clock, seed: int) -> None:
    """Four workers are killed while they work at one job, the fifth is not."""
    chance = random.Random(seed)
    queued = enqueue(database, user)
    with start(bucket.serve(), pause=0.05) as slow:
        for _ in range(4):
            process = slow.begin("queue", database.url("questlog_jobs"))
            time.sleep(chance.uniform(0, 0.4))
            with suppress(ProcessLookupError):  # on a fast machine it has ended
                os.kill(process, signal.SIGKILL)
            slow.wait()
            clock.advance("PT5M1S")
    tick_until_over(database, clock, "queue")
    assert job(database, queued)["status"] == "done"
    assert sorted(notes(database)) == [f"{queued} {part}" for part in range(PARTS)]


def test_several_ticks_at_once_do_each_job_once(new_user: NewUser, database: Database) -> None:
    users = [new_user() for _ in range(4)]
    jobs: list[UUID] = [enqueue(database, user) for user in users for _ in range(2)]
    with start(bucket.serve(), pause=0.02) as one, start(bucket.serve(), pause=0.02) as two:
        for _ in range(3):
            for workers in (one, two):
                workers.begin("queue", database.url("questlog_jobs"))
            for workers in (one, two):
                workers.wait()
    assert [job(database, one)["attempts"] for one in jobs] == [1] * 8
    assert sorted(notes(database)) == sorted(f"{one} {part}" for one in jobs for part in range(PARTS))
