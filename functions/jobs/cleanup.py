"""The schedule `cleanup`: deletes rows that are no longer needed, in batches, and aborts abandoned uploads."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import AwareDatetime

from questlog.db import Db, Queries
from questlog.settings import positive_days, settings, variable
from questlog.wire import Total

from functions.jobs import bucket
from functions.jobs.lease import Lease
from functions.jobs.runs import Run
from functions.jobs.work import RESERVE_MS, Deadline

# Rows of one statement.
BATCH: Final = 1000
# A multipart upload that is older than this cannot belong to a run that is still working.
ABANDONED: Final = timedelta(hours=24)
UPLOADS: Final = "multipart_uploads"

# The statements of cleanup.sql that delete a batch, each named after its table (exports expire before
# their rows are deleted), in the order in which they are run.
TABLES: Final = (
    "sessions",
    "oauth_states",
    "idempotency_keys",
    "rate_limits",
    "focus_pause_state",
    "upload_intents",
    "user_imports",
    "expired_exports",
    "user_exports",
    "infobase_entries",
    "jobs",
    "job_runs",
    "audit_log",
    "backups",
    "notification_outbox",
)

_queries: Final = Queries(Path(__file__).with_name("cleanup.sql"))


class _Now(NamedTuple):
    """The time of the database."""

    now: AwareDatetime


class Integrity(NamedTuple):
    """How many disagreements the ledger has, and how many rows refer to one that does not exist."""

    ledger_audit: int
    orphaned_rows: int


class Miscounts(NamedTuple):
    """How many counts of the administration's lists were wrong, before they were counted anew."""

    miscounted_lists: int


class Cleanup:
    """Deletes old rows batch by batch, counts long lists of administrators, and checks the integrity of the rows."""

    nothing: Mapping[str, int] = dict.fromkeys((*TABLES, UPLOADS), 0)

    def __init__(self) -> None:
        self._db = Db(_queries)

    def begin(self) -> Run | None:
        """Begin a run; None while another one runs."""
        return self._db.maybe(Run, "begin")

    def run(self, lease: Lease) -> dict[str, int]:
        """Delete until nothing is left or the time is up. Returns how many rows, by table, and what the check found.

        Raises Unavailable, once the tables are done, if the bucket does not list abandoned uploads, or if the counting
        or the check took too long.
        """
        deleted = dict(self.nothing)
        limits = {
            "audit_age": variable("AUDIT_KEEP_DAYS", positive_days, default="365"),
            "backup_age": variable("BACKUP_KEEP_DAYS", positive_days, default="30"),
            "idle": settings().session_idle,
        }
        for table in TABLES:
            while lease.deadline() and (count := self._db.one(Total, table, most=BATCH, **limits).total):
                deleted[table] += count
        # The check of every row is cancelled early enough to store that the run has failed.
        if lease.deadline():
            counting = {"most_ms": _most_ms(lease.deadline), "terms": settings().tos_version}
            deleted |= self._db.one(Miscounts, "counts", **counting)._asdict()
        if lease.deadline():
            deleted[UPLOADS] = self._abort_abandoned(lease.deadline)
        if lease.deadline():
            deleted |= self._db.one(Integrity, "integrity", most_ms=_most_ms(lease.deadline))._asdict()
        return deleted

    def _abort_abandoned(self, deadline: Deadline) -> int:
        """Have the bucket forget the parts of uploads that nobody finishes any more. Returns how many."""
        before = self._db.one(_Now, "now").now - ABANDONED
        aborted = 0
        for upload in bucket.unfinished():
            if not deadline():
                break
            if upload.initiated < before:
                bucket.abort(upload.key, upload.upload_id)
                aborted += 1
        return aborted


def _most_ms(deadline: Deadline) -> int:
    """How long a statement may take that ends, or is cut off, before the function's time is up."""
    return deadline.remaining_ms() - RESERVE_MS // 2
