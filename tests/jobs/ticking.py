"""Ticks of the schedules, jobs for them, and work of the tests' own."""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

from questlog.db import Connection

from functions.jobs import worker
from functions.jobs.work import Deadline, Job
from tests.conftest import Database, User
from tests.support.client import log_in

# What Lambda gives the function.
ALL_THE_TIME = 900_000


def tick(schedule: str = "queue", milliseconds: int = ALL_THE_TIME) -> dict[str, int]:
    """One tick of a schedule, in this process. Returns what was done."""
    log_in("jobs")
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: milliseconds)
    return worker.handler({"schedule": schedule}, context)


class OwnWork:
    """Work that does what a test says, and notes what it was asked."""

    def __init__(self, do: Callable[[Job, Deadline], Mapping[str, Any]] = lambda *_: {}) -> None:
        self.do = do
        self.seen: list[Job] = []
        self.failures: list[tuple[UUID, str, str]] = []

    def run(self, job: Job, deadline: Deadline) -> Mapping[str, Any]:
        self.seen.append(job)
        return self.do(job, deadline)

    def failed(self, connection: Connection, job: Job, error_type: str, message: str) -> None:
        self.failures.append((job.id, error_type, message))
        note(connection, f"failed {job.id}")


def note(connection: Connection, text: str) -> None:
    """Write a row, which shows in `notes` once the connection's transaction is committed."""
    connection.execute("INSERT INTO storage_deletions (object_key, attempts) VALUES (%s, 20)", [text])


def notes(database: Database) -> list[str]:
    """What was written by note()."""
    rows = database.query("SELECT object_key FROM storage_deletions WHERE attempts = 20 ORDER BY created_at")
    return [row["object_key"] for row in rows]


def enqueue(database: Database, user: User | None, kind: str = "export", **payload: Any) -> UUID:
    """Put a job into the queue, as the user's request would, or as an administrator's."""
    job_id = uuid4()
    with database.admin() as connection, connection.transaction():
        if user is None:
            as_administrator(connection)
            connection.execute("SELECT enqueue_operator_job(%s, %s, 5, %s)", [job_id, kind, payload])
        else:
            connection.execute("SELECT set_config('app.user_id', %s, true)", [str(user.id)])
            connection.execute("SELECT enqueue_job(%s, %s, 5, %s)", [job_id, kind, payload])
    return job_id


def as_administrator(connection: Connection) -> None:
    """Turn the rest of the transaction into one of an administrator's request."""
    connection.execute("SET LOCAL ROLE questlog_admin")
    connection.execute("SELECT set_config('app.scope', 'admin', true)")


def job(database: Database, job_id: UUID) -> dict[str, Any]:
    """What the table says of a job, but for times."""
    [row] = database.query("SELECT status, attempts, result, last_error FROM jobs WHERE id = %s", job_id)
    return row


def runs(database: Database, schedule: str = "queue") -> list[dict[str, Any]]:
    """The runs of a schedule, in order."""
    return [
        dict(row)
        for row in database.query(
            "SELECT status, result FROM job_runs WHERE name = %s ORDER BY started_at, id", schedule
        )
    ]
