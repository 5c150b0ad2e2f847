"""Keeps the lease of a run, and of the job that it works at, while the work goes on.

A thread renews both on a connection of its own, which it opens at the first renewal: a short run needs none. It renews
often, because that is also how work learns that its job was deleted: the deletion of a user waits for it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Final, NamedTuple, Self
from uuid import UUID

import psycopg

from questlog import db
from questlog.db import Db, Queries
from questlog.errors import Failure, Interrupted

from functions.jobs.work import Deadline, Job

# Far below the lease's five minutes, so that many renewals may be late.
RENEWAL_SECONDS: Final = 2.0

_queries: Final = Queries(Path(__file__).with_name("lease.sql"))


class _Kept(NamedTuple):
    """What was renewed."""

    has_run: bool
    has_job: bool


class Lease:
    """The lease of a run of a schedule; `deadline` says whether it may go on."""

    def __init__(self, run_id: UUID, remaining_ms: Callable[[], int]) -> None:
        self.deadline = Deadline(remaining_ms)
        self._run_id = run_id
        self._work: tuple[Job, Deadline] | None = None
        self._over = Event()
        self._thread = Thread(target=self._keep, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    @contextmanager
    def working_at(self, job: Job) -> Iterator[Deadline]:
        """Keep the lease of a job too, while the work for it goes on."""
        deadline = Deadline(self.deadline.remaining_ms)
        self._work = (job, deadline)
        try:
            yield deadline
        finally:
            self._work = None

    def _keep(self) -> None:
        database = Db(_queries)
        try:
            while not self._over.wait(RENEWAL_SECONDS):
                # The database does not respond. There are many more chances to renew before the lease is over.
                with suppress(Interrupted, Failure):
                    self._renew(database)
        finally:
            db.disconnect()

    def _renew(self, database: Db) -> None:
        work = self._work
        held = work[0].held if work else {"owner": None, "job_id": None, "attempt": None}
        kept = database.one(_Kept, "keep", run_id=self._run_id, **held)
        self.deadline.lost = self.deadline.lost or not kept.has_run
        if work:
            work[1].lost = work[1].lost or not kept.has_job
            with suppress(psycopg.Error):
                work[1].cancel_when_over()
