"""Work whose job is gone, or whose time is up, ends at once, whatever its statement is waiting for."""

import threading
from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import pytest

from questlog.db import Connection, connection

from functions.jobs import queue
from functions.jobs.lease import RENEWAL_SECONDS
from functions.jobs.work import Deadline, Job
from local.clock import Clock
from tests.conftest import Database, NewUser, User
from tests.jobs.ticking import OwnWork, enqueue, job, note, notes, runs, tick
from tests.jobs.workers import start
from tests.support import bucket
from tests.support.waiting import wait_until

QUEUE = {"done": 0, "failed": 0, "queued_again": 0, "superseded": 0}
SLEEPING = "SELECT count(*) AS n FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%%' AND datname = %s"


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lease is looked at all the time."""
    monkeypatch.setattr("functions.jobs.lease.RENEWAL_SECONDS", 0.02)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> OwnWork:
    own = OwnWork()
    monkeypatch.setitem(queue.WORK, "export", own)
    return own


def sleep(one: Job, deadline: Deadline) -> Mapping[str, Any]:
    """Write something, and wait in the database for an hour."""
    opened = connection()
    with deadline.guard(opened), opened.transaction():
        note(opened, f"done {one.id}")
        opened.execute("SELECT pg_sleep(3600)")
    return {}


def test_a_statement_is_cancelled_at_the_deadline(user: User, database: Database, work: OwnWork) -> None:
    def do(one: Job, deadline: Deadline) -> Mapping[str, Any]:
        deadline.remaining_ms = lambda: 0
        return sleep(one, deadline)

    work.do = do
    queued = enqueue(database, user)
    assert tick() == QUEUE | {"failed": 1}
    assert work.failures == [(queued, "too_long", queue.TOO_LONG)]
    assert notes(database) == [f"failed {queued}"]


def test_a_statement_is_cancelled_when_the_job_is_gone(user: User, database: Database, work: OwnWork) -> None:
    def do(one: Job, deadline: Deadline) -> Mapping[str, Any]:
        database.query("DELETE FROM jobs WHERE id = %s", one.id)
        return sleep(one, deadline)

    work.do = do
    enqueue(database, user)
    assert tick() == QUEUE | {"superseded": 1}
    assert notes(database) == []


def test_what_is_not_guarded_any_more_is_left_alone() -> None:
    class Untouchable(psycopg.Connection[Any]):
        def cancel_safe(self, **_: object) -> None:
            raise AssertionError

    opened: Connection = Untouchable.__new__(Untouchable)
    deadline = Deadline(lambda: 0)
    with pytest.raises(AssertionError), deadline.guard(opened):
        deadline.cancel_when_over()
    deadline.cancel_when_over()


def is_renewed(database: Database, job_id: UUID) -> bool:
    """Whether the lease of a job was renewed since the clock was moved."""
    [row] = database.query(
        "SELECT lease_until > instant() + interval '4 minutes' AS is_new FROM jobs WHERE id = %s", job_id
    )
    return bool(row["is_new"])


def test_a_lease_is_renewed_on_a_connection_of_its_own(
    user: User, database: Database, clock: Clock, work: OwnWork
) -> None:
    def do(one: Job, deadline: Deadline) -> Mapping[str, Any]:
        opened = connection()
        with opened.transaction():
            note(opened, f"done {one.id}")
            for _ in range(3):
                clock.advance("PT4M")
                wait_until(partial(is_renewed, database, one.id), "a renewed lease")
        return {}

    work.do = do
    queued = enqueue(database, user)
    assert tick() == QUEUE | {"done": 1}
    assert notes(database) == [f"done {queued}"]


def test_a_renewal_that_fails_is_not_the_last(user: User, database: Database, clock: Clock, work: OwnWork) -> None:
    """The database ends the connection under it; the next renewal opens another."""

    def do(one: Job, deadline: Deadline) -> Mapping[str, Any]:
        for _ in range(3):
            database.query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE usename = 'questlog_jobs' AND query LIKE 'SELECT renew_run%%' AND datname = %s",
                database.name,
            )
            clock.advance("PT4M")
            wait_until(partial(is_renewed, database, one.id), "a renewed lease")
        return {}

    work.do = do
    enqueue(database, user)
    assert tick() == QUEUE | {"done": 1}


def test_no_thread_is_left(user: User, database: Database, work: OwnWork) -> None:
    # Not their number: those of another test may end meanwhile.
    before = set(threading.enumerate())
    enqueue(database, user)
    tick()
    assert set(threading.enumerate()) <= before


def test_the_deletion_of_a_user_does_not_wait_for_a_job(new_user: NewUser, database: Database) -> None:
    """A transaction that holds the user's row, as that of an import does, ends when the deletion begins."""
    user = new_user()
    queued = enqueue(database, user)
    with start(bucket.serve(), is_waiting=True) as workers:
        workers.begin("queue", database.url("questlog_jobs"))
        wait_until(lambda: database.query(SLEEPING, database.name)[0]["n"], "a worker in its transaction")
        assert job(database, queued)["status"] == "running"
        assert user.delete("/user/delete", {"confirm": "DELETE"}).status == 200
        workers.wait()
    assert database.query("SELECT id FROM jobs") == []
    assert database.query("SELECT name FROM track_analysis_cache WHERE user_id = %s", user.id) == []
    assert runs(database) == [{"status": "done", "result": QUEUE | {"superseded": 1}}]


def test_a_deletion_waits_less_than_a_request_may_wait_for_a_lock() -> None:
    """A request gives up on a lock after four seconds."""
    assert RENEWAL_SECONDS <= 2


def test_only_an_administrator_cancels_what_is_another_users(user: User, other: User, database: Database) -> None:
    queued = enqueue(database, other)

    def cancel(scope: str) -> None:
        with database.admin() as opened, opened.transaction():
            opened.execute("SET LOCAL ROLE questlog_app" if scope == "own" else "SET LOCAL ROLE questlog_admin")
            opened.execute("SELECT set_config('app.user_id', %s, true)", [str(user.id)])
            opened.execute("SELECT set_config('app.scope', %s, true)", [scope])
            opened.execute("SELECT cancel_jobs(%s)", [other.id])

    with pytest.raises(psycopg.errors.InvalidParameterValue):
        cancel("own")
    assert job(database, queued)["status"] == "queued"
    cancel("admin")
    assert database.query("SELECT id FROM jobs") == []


def test_the_last_administrator_keeps_their_jobs(new_user: NewUser, database: Database) -> None:
    database.query("UPDATE users SET role = 'user' WHERE role = 'admin'")
    last = new_user(role="admin")
    queued = enqueue(database, last)
    last.delete("/user/delete").refused(409, "last_admin")
    assert job(database, queued)["status"] == "queued"
