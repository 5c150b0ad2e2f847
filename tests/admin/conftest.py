"""Those who may administrate."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg.rows import DictRow

from tests.conftest import Answer, Database, NewUser, User, at_once
from tests.support.users import create_user


@pytest.fixture
def admin(new_user: NewUser) -> User:
    return new_user(role="admin")


@pytest.fixture
def moderator(new_user: NewUser) -> User:
    return new_user(role="moderator")


@pytest.fixture
def alone(untouched: Database, database: Database) -> Iterator[Database]:
    """A database in which nobody else breaks anything, served to the requests of this test; its schedules have run."""
    untouched.query(
        "INSERT INTO job_runs (name, status, finished_at, result) SELECT name, 'done', instant(), '{}' FROM schedules()"
    )
    untouched.set_limits(generous=True)
    untouched.serve()
    yield untouched
    database.serve()


@pytest.fixture
def keeper(alone: Database) -> User:
    """The administrator of that database."""
    with alone.admin() as connection:
        return create_user(connection, role="admin")


def audited(database: Database, answer: Answer) -> list[DictRow]:
    """The rows that a request left in the audit trail."""
    return database.query("SELECT * FROM audit_log WHERE request_id = %s", answer.headers["x-request-id"])


def while_it_waits(database: Database, first: str, call: Callable[[], Answer], then: str = "SELECT") -> Answer:
    """The answer to a request that waits for a transaction: for what `first` locks, until it has done `then`.

    Fails when the request does not wait.
    """
    with psycopg.connect(database.admin_url) as holder, ThreadPoolExecutor(1) as pool:
        holder.execute(first.encode())
        answer = pool.submit(at_once, 1, call)
        while not _blocked(database, holder.info.backend_pid):
            assert not answer.done(), "it did not wait"
            time.sleep(0.01)
        holder.execute(then.encode())
        holder.commit()
        return answer.result()[0]


def _blocked(database: Database, holder: int) -> bool:
    [row] = database.query(
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))) AS waits", holder
    )
    return bool(row["waits"])
