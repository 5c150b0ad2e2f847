"""The schedule `storage`: objects that wait in `storage_deletions` are deleted from the bucket.

Whoever claims a row also says when it is tried again, later after each time, so a run that is killed needs no clearing
up. After twenty attempts a row is set aside.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Literal
from uuid import UUID

from questlog import storage
from questlog.db import Db, Queries
from questlog.errors import Unavailable
from questlog.wire import Row

from functions.jobs.lease import Lease
from functions.jobs.runs import Run

# Objects are deleted one by one, and none of a claim is left behind for long when the time is up.
CLAIM: Final = 50

_queries: Final = Queries(Path(__file__).with_name("storage.sql"))

Outcome = Literal["deleted", "failed", "unfinished"]
InTime = Callable[[], bool]


class Deletion(Row):
    """An object that is to be deleted, or all below a prefix."""

    id: UUID
    object_key: str
    is_prefix: bool


class Storage:
    """Deletes what is listed and due. What there is no time for is due at once again, as if it had not been taken."""

    nothing: Mapping[str, int] = {"deleted": 0, "failed": 0, "unfinished": 0}

    def __init__(self) -> None:
        self._db = Db(_queries)

    def begin(self) -> Run | None:
        """Begin a run, unless nothing is due; None while another one runs."""
        return self._db.maybe(Run, "begin", nothing=dict(self.nothing))

    def run(self, lease: Lease) -> dict[str, int]:
        """Delete in order of age. Returns how many rows ended how."""
        ended = dict(self.nothing)
        while lease.deadline() and (claimed := self._db.many(Deletion, "claim_deletions", most=CLAIM)):
            taken: dict[Outcome, list[UUID]] = {"deleted": [], "failed": [], "unfinished": []}
            for deletion in claimed:
                taken[_delete(deletion, lease.deadline)].append(deletion.id)
            for outcome, done in taken.items():
                self._db.many(Row, outcome, ids=done)
                ended[outcome] += len(done)
        return ended


def _delete(deletion: Deletion, in_time: InTime) -> Outcome:
    """Delete an object, or all below a prefix."""
    try:
        keys = storage.keys_below(deletion.object_key) if deletion.is_prefix else [deletion.object_key]
        while keys:
            for key in keys:
                if not in_time():
                    return "unfinished"
                if not storage.delete(key):
                    return "failed"
            keys = storage.keys_below(deletion.object_key) if deletion.is_prefix else []
    except Unavailable:
        return "failed"
    return "deleted"
