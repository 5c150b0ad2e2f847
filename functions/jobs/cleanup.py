"""The schedule `cleanup`: rows that have served are deleted, in batches."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from questlog.db import Db, Queries
from questlog.wire import Total

from functions.jobs.lease import Lease
from functions.jobs.runs import Run

# Rows of one statement.
BATCH: Final = 1000
# The statements of cleanup.sql that delete a batch, in the order in which they are run.
_TASKS: Final = ("sweep_uploads", "forget_jobs", "empty_trash")

_queries: Final = Queries(Path(__file__).with_name("cleanup.sql"))


class Cleanup:
    """Deletes what is over, batch by batch."""

    nothing: Mapping[str, int] = dict.fromkeys(_TASKS, 0)

    def __init__(self) -> None:
        self._db = Db(_queries)

    def begin(self) -> Run | None:
        """Begin a run; None while another one runs."""
        return self._db.maybe(Run, "begin")

    def run(self, lease: Lease) -> dict[str, int]:
        """Delete until nothing is left or the time is up. Returns how many rows, by task."""
        deleted = dict(self.nothing)
        for task in _TASKS:
            while lease.deadline() and (count := self._db.one(Total, task, most=BATCH).total):
                deleted[task] += count
        return deleted
