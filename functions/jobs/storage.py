"""The schedule `storage`: deletes the objects that are listed in `storage_deletions` from the bucket, and writes the
list of erased users to it.

Claiming a row also sets its next attempt, each time later than before, so nothing has to be undone for a run that is
killed. After twenty attempts a row is set aside.
"""

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Final, Literal
from uuid import UUID

from aws_lambda_powertools import Logger

from questlog import storage
from questlog.db import Db, Queries
from questlog.errors import Unavailable
from questlog.wire import Row

from functions.jobs import bucket
from functions.jobs.lease import Lease
from functions.jobs.runs import Run
from functions.jobs.work import Deadline

_queries: Final = Queries(Path(__file__).with_name("storage.sql"))
_log: Final = Logger(service="jobs")

Outcome = Literal["deleted", "failed", "unfinished"]


class Deletion(Row):
    """An object that is to be deleted, or all below a prefix."""

    id: UUID
    object_key: str
    is_prefix: bool


class Erasure(Row):
    """The SHA-256 of a deleted user's id."""

    user_hash: bytes


class Storage:
    """Deletes the listed objects that are due. Those for which no time is left are due again at once."""

    nothing: Mapping[str, int] = {"deleted": 0, "failed": 0, "unfinished": 0, "erasures": 0}

    def __init__(self) -> None:
        self._db = Db(_queries)

    def begin(self) -> Run | None:
        """Begin a run, unless nothing is due; None while another one runs."""
        return self._db.maybe(Run, "begin", nothing=dict(self.nothing))

    def run(self, lease: Lease) -> dict[str, int]:
        """Write the erasures, then delete in order of age. Returns how many rows ended in each way."""
        ended = dict(self.nothing)
        ended["erasures"] = self._keep_erasures(lease.deadline)
        while lease.deadline() and (claimed := self._db.many(Deletion, "claim_deletions", most=bucket.MOST_DELETED)):
            for outcome, ids in _delete(claimed, lease.deadline).items():
                if ids:
                    self._db.many(Row, outcome, ids=ids)
                ended[outcome] += len(ids)
        return ended

    def _keep_erasures(self, deadline: Deadline) -> int:
        """Write an empty object for each deleted user, so that a restore of any backup leaves them out."""
        kept = 0
        try:
            while deadline() and (erasures := self._db.many(Erasure, "unkept_erasures", most=bucket.MOST_DELETED)):
                for erasure in erasures:
                    bucket.put(f"erasures/{erasure.user_hash.hex()}", b"")
                    self._db.many(Row, "kept_erasure", user_hash=erasure.user_hash)
                    kept += 1
                    if not deadline():
                        break
        except Unavailable:
            # The next tick tries again. The deletions find out themselves that the bucket does not respond.
            _log.warning("erasures wait for the bucket")
        return kept


def _delete(deletions: list[Deletion], deadline: Deadline) -> dict[Outcome, list[UUID]]:
    """Delete single objects, all together, and objects below prefixes. Returns the rows by their outcome."""
    ended: dict[Outcome, list[UUID]] = {"deleted": [], "failed": [], "unfinished": []}
    single = [deletion for deletion in deletions if not deletion.is_prefix]
    gone = _delete_keys([deletion.object_key for deletion in single]) if single else set()
    for deletion in single:
        ended["deleted" if deletion.object_key in gone else "failed"].append(deletion.id)
    for deletion in deletions:
        if deletion.is_prefix:
            ended[_delete_below(deletion.object_key, deadline)].append(deletion.id)
    return ended


def _delete_keys(keys: list[str]) -> set[str]:
    """Delete at most 1000 objects. Returns the keys of those that are gone."""
    try:
        return bucket.delete(keys)
    except bucket.Refusal:
        # Otherwise one key that the bucket refuses would block all others until they are set aside with it.
        return {key for key in keys if storage.delete(key)}
    except Unavailable:
        return set()


def _delete_below(prefix: str, deadline: Deadline) -> Outcome:
    """Delete all objects below a prefix, and the parts of uploads that are not finished."""
    try:
        keys = bucket.keys(prefix)
        while batch := list(islice(keys, bucket.MOST_DELETED)):
            if not deadline():
                return "unfinished"
            if not _delete_keys(batch) >= set(batch):
                return "failed"
        for upload in bucket.unfinished(prefix):
            if not deadline():
                return "unfinished"
            bucket.abort(upload.key, upload.upload_id)
    except Unavailable:
        return "failed"
    return "deleted"
