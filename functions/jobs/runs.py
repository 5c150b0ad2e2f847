"""Runs of the schedules: each tick is a row of `job_runs`, with a lease while it works, and its outcome afterwards."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, Protocol
from uuid import UUID

from questlog.db import Db, Queries
from questlog.errors import UNFORESEEN, Failure, Interrupted
from questlog.wire import Row

from functions.jobs.lease import Lease

_queries: Final = Queries(Path(__file__).with_name("runs.sql"))


class Run(NamedTuple):
    """A run that has begun, or that is over already since nothing was due."""

    id: UUID
    status: Literal["running", "done"]


class Schedule(Protocol):
    """What a schedule does."""

    nothing: Mapping[str, int]
    """The result of a run that had nothing to do."""

    def begin(self) -> Run | None:
        """Begin a run; None while another run holds the lease."""

    def run(self, lease: Lease) -> dict[str, int]:
        """Do the work while `lease.deadline()` is true. Returns what was done, in numbers."""


class Ticked(NamedTuple):
    """The outcome of a tick. It is unfinished if its time was up, or if another run held the lease (`is_busy`)."""

    done: Mapping[str, int]
    is_finished: bool
    is_busy: bool = False


def tick(schedule: Schedule, remaining_ms: Callable[[], int]) -> Ticked:
    """Run a schedule once. A run that raises has failed, and its row says with what."""
    run = schedule.begin()
    if run is None:
        return Ticked(schedule.nothing, is_finished=False, is_busy=True)
    if run.status == "done":
        return Ticked(schedule.nothing, is_finished=True)
    with Lease(run.id, remaining_ms) as lease:
        try:
            done = schedule.run(lease)
        except Exception as error:
            # If it was the database that failed, this fails too, and the lease runs out instead.
            with suppress(Interrupted, Failure):
                _end(run, {"error": sentence(error)}, has_failed=True)
            raise
        # Asked before the run is ended: a renewal after that would find no run, and take the lease for lost.
        is_finished = lease.deadline()
        _end(run, done, has_failed=False)
        return Ticked(done, is_finished=is_finished)


def sentence(error: BaseException) -> str:
    """The text of an error that may be shown."""
    return error.message if isinstance(error, Failure) else UNFORESEEN


def _end(run: Run, result: Mapping[str, Any], *, has_failed: bool) -> None:
    Db(_queries).many(Row, "end", run_id=run.id, result=dict(result), has_failed=has_failed)
