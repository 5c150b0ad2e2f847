"""What a module that does work gets of a job, and the ways in which the work can end.

A kind of work is a module with two functions (see Work). Its `run` returns the job's result, or raises

    Refused     it cannot be done, however often it is tried: the job fails at once
    TooLong     there is no time left for what has to be done in one transaction: the job fails at once
    NotNow      it cannot be done now, which is no failure: the job is queued again and the attempt does not count
    Superseded  the job is no longer this worker's: nothing is written
    otherwise   the job is tried again later, until its attempts are used up

Work may be killed at any line and is then run again, so it writes in one transaction whose last statement is hold() or
complete(), and under keys of the bucket that are the same at each attempt. A job that complete() ends is not run again;
after hold() the work may be done while the job is not, and its next attempt has to find that out. The connection of a
transaction is kept in a variable: db.connection() gives another one while the first is in a transaction.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from threading import Lock
from typing import Any, Final, NamedTuple, Protocol
from uuid import UUID

import psycopg

from questlog.db import Connection, refusal_of
from questlog.errors import Failure

# Work stops so long before Lambda would kill it.
RESERVE_MS: Final = 30_000
_CANCEL_SECONDS: Final = 5.0


class Refused(Exception):
    """The job fails at once. `type` and `message`, one plain sentence, are shown to the user who waits for it."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(error_type)
        self.type = error_type
        self.message = message


class TooLong(Exception):
    """The time is up for work that cannot go on at the next tick."""


class NotNow(Exception):
    """The job is due again after `wait`."""

    def __init__(self, wait: timedelta = timedelta()) -> None:
        super().__init__()
        self.wait = wait


class Superseded(Exception):
    """Another worker has the job, or it was deleted with its user."""


class Job(NamedTuple):
    """A claimed job. What it works for has the same id; `user_id` is None where it is no user's."""

    user_id: UUID | None
    id: UUID
    kind: str
    attempts: int
    payload: Mapping[str, Any]

    @property
    def held(self) -> dict[str, Any]:
        """The job at this attempt, as parameters of a statement: owner, job_id, attempt."""
        return {"owner": self.user_id, "job_id": self.id, "attempt": self.attempts}


class Deadline:
    """Whether work may go on: `deadline()` is False half a minute before the function's time is up, and as soon as the
    job is no longer this worker's.
    """

    def __init__(self, remaining_ms: Callable[[], int]) -> None:
        self.remaining_ms = remaining_ms
        self.lost = False
        """Set when the job is not this worker's any more."""
        self._guarded: list[Connection] = []
        self._lock = Lock()

    def __call__(self) -> bool:
        return not self.lost and self.remaining_ms() > RESERVE_MS

    def check(self) -> None:
        """Raise TooLong or Superseded unless work may go on."""
        if self.lost:
            raise Superseded
        if not self():
            raise TooLong

    @contextmanager
    def guard(self, connection: Connection) -> Iterator[None]:
        """Within this, a statement of the connection that runs on when the deadline is over is cancelled."""
        with self._lock:
            self._guarded.append(connection)
        try:
            yield
        finally:
            with self._lock:
                self._guarded.remove(connection)

    def cancel_when_over(self) -> None:
        """Cancel the statements of guarded connections if the deadline is over. Called by the thread of the lease."""
        if self():
            return
        with self._lock:
            for connection in self._guarded:
                connection.cancel_safe(timeout=_CANCEL_SECONDS)


class Work(Protocol):
    """A module that does one kind of work."""

    def run(self, job: Job, deadline: Deadline) -> Mapping[str, Any]:
        """Do the work. Returns the job's result, a JSON object."""

    def failed(self, connection: Connection, job: Job, error_type: str, message: str) -> None:
        """Have what the job works for show that it has failed, in the transaction that ends the job."""


def hold(connection: Connection, job: Job) -> None:
    """Keep the job until the connection's transaction ends. Raises Superseded if it is no longer this attempt's."""
    _call(connection, "SELECT hold_job(%(owner)s, %(job_id)s, %(attempt)s)", job.held)


def complete(connection: Connection, job: Job, result: Mapping[str, Any]) -> None:
    """End the job in the connection's transaction. Raises Superseded if it is no longer this attempt's."""
    parameters = {**job.held, "result": dict(result)}
    _call(connection, "SELECT complete_job(%(owner)s, %(job_id)s, %(attempt)s, %(result)s)", parameters)


def _call(connection: Connection, statement: str, parameters: Mapping[str, Any]) -> None:
    try:
        connection.execute(statement.encode(), parameters)
    except psycopg.Error as error:
        refusal = refusal_of(error.sqlstate or "", error.diag)
    else:
        return
    if isinstance(refusal, Failure) and refusal.type == "lease_lost":
        raise Superseded
    raise refusal
