"""The scheduled work: objects that are to be deleted, uploads that were never registered, jobs that are long
done, what has been in the trash for a month.

Each schedule of the template names one of them. All can be killed at any line and run again, and stop half a minute
before the function's deadline: what is left is done at the next tick.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Literal
from uuid import UUID

from aws_lambda_powertools import Logger

from questlog import storage
from questlog.db import Db, Queries
from questlog.errors import Unavailable
from questlog.settings import settings
from questlog.wire import Row, Total

# Rows of one statement.
BATCH: Final = 1000
# Objects are deleted one by one, and none of a claim is left behind for long when the time is up.
CLAIM: Final = 50
RESERVE_MS: Final = 30_000

_queries: Final = Queries(Path(__file__).with_name("queries.sql"))
_log: Final = Logger(service="jobs")

Outcome = Literal["deleted", "failed", "unfinished"]
InTime = Callable[[], bool]


class Deletion(Row):
    """An object that is to be deleted, or all below a prefix."""

    id: UUID
    object_key: str
    is_prefix: bool


def handler(event: Mapping[str, Any], context: Any) -> dict[str, int]:
    """Do the work of a schedule: {"schedule": "storage"}. Returns how much of what was done."""
    settings()
    name = event["schedule"]
    done = _SCHEDULES[name](Db(_queries), lambda: context.get_remaining_time_in_millis() > RESERVE_MS)
    _log.info("schedule", schedule=name, done=done)
    return done


def delete_objects(db: Db, in_time: InTime) -> dict[str, int]:
    """Delete what `storage_deletions` lists and is due; what fails is tried again later, twenty times.

    What there is no time for is due at once again, as if it had not been taken.
    """
    ids: dict[Outcome, list[UUID]] = {"deleted": [], "failed": [], "unfinished": []}
    while in_time() and (claimed := db.many(Deletion, "claim_deletions", most=CLAIM)):
        taken: dict[Outcome, list[UUID]] = {outcome: [] for outcome in ids}
        for deletion in claimed:
            taken[_delete(deletion, in_time)].append(deletion.id)
        for outcome, done in taken.items():
            db.many(Row, outcome, ids=done)
            ids[outcome] += done
    return {outcome: len(done) for outcome, done in ids.items()}


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


def clean_up(db: Db, in_time: InTime) -> dict[str, int]:
    """Delete rows that have served, in batches."""
    counted = {}
    for name in ("sweep_uploads", "forget_jobs", "empty_trash"):
        counted[name] = 0
        while in_time() and (done := db.one(Total, name, most=BATCH).total):
            counted[name] += done
    return counted


_SCHEDULES: Final[Mapping[str, Callable[[Db, InTime], dict[str, int]]]] = {
    "storage": delete_objects,
    "cleanup": clean_up,
}
