"""The routes that look at the database: whether all is as it should be, what its tables hold, and SQL."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import Field
from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on

from questlog.api import Api
from questlog.db import Db
from questlog.identity import Client
from questlog.wire import Instant, Query, Total

from functions.admin import console
from functions.admin.models import ROLE

api = Api(__file__, queries="database.sql", role=ROLE)
# Its path lies under /admin/db as well.
api.include(console.api)

MANAGE: Final = "system:manage"
# A schedule is reported if it has not started for so many of its intervals.
MISSED_INTERVALS: Final = 3


class Integrity(NamedTuple):
    """What was found by reading every row, and when."""

    ledger_audit: int
    orphaned_rows: int
    miscounted_lists: int
    checked_at: datetime


class Counts(NamedTuple):
    """What is counted at each request; `first_started_at` is the start of the oldest run of any schedule."""

    unforced_rls: int
    expired_sessions: int
    sessions_expired_long_ago: int
    active_sessions: int
    jobs_failed: int
    storage_deletions_stuck: int
    now: datetime
    total_size_estimate: str
    schema_version: int
    first_started_at: datetime | None


class Started(NamedTuple):
    """A schedule, and the start of its newest run."""

    name: str
    every_seconds: int
    last_started_at: datetime | None


class TableRows(TypedDict):
    name: str
    row_count: int


class Health(TypedDict):
    status: Literal["healthy", "degraded"]
    schema_version: int
    tables: list[TableRows]
    total_size_estimate: str
    issues: list[str]
    ledger_audit: int
    unforced_rls: int
    orphaned_rows: int
    miscounted_lists: int
    expired_sessions: int
    active_sessions: int
    jobs_failed: int
    storage_deletions_stuck: int
    checked_at: Instant | None


class TableSize(TypedDict):
    name: str
    row_count: int
    size_bytes: int


class TableQuery(Query):
    limit: Annotated[int, Field(ge=1, le=1_000)] = 100
    offset: Annotated[int, Field(ge=0, le=1_000_000_000)] = 0


class ColumnName(NamedTuple):
    name: str


class TableRow(NamedTuple):
    """A row of any table, as JSON."""

    row: dict[str, Any]


class TablePage(TypedDict):
    table: str
    columns: list[str]
    rows: list[dict[str, Any]]
    total: int
    limit: int
    offset: int


@api.get("/admin/db-health", requires=MANAGE, envelope=False)
def health(db: Db) -> Health:
    """Return the counters that have to be 0, other counts, and the issues; without issues all is as it should be.

    If the ledger is long, the counters that read every row are those of the last hourly run, at `checked_at`.
    """
    models = (list[Integrity], Counts, list[Started], list[TableRows])
    integrity, counts, schedules, tables = db.each(models, "health")
    known = integrity[0] if integrity else None
    found = [*_problems(known, counts), *_idle_schedules(schedules, counts)]
    return {
        "status": "degraded" if found else "healthy",
        "schema_version": counts.schema_version,
        "tables": tables,
        "total_size_estimate": counts.total_size_estimate,
        "issues": found,
        "ledger_audit": known.ledger_audit if known else 0,
        "unforced_rls": counts.unforced_rls,
        "orphaned_rows": known.orphaned_rows if known else 0,
        "miscounted_lists": known.miscounted_lists if known else 0,
        "expired_sessions": counts.expired_sessions,
        "active_sessions": counts.active_sessions,
        "jobs_failed": counts.jobs_failed,
        "storage_deletions_stuck": counts.storage_deletions_stuck,
        "checked_at": known.checked_at if known else None,
    }


@api.get("/admin/db/tables", requires=MANAGE, envelope=False)
def tables(db: Db) -> list[TableSize]:
    """List the tables by name, with the planner's estimate of their rows and what they take on the disk."""
    return db.many(TableSize, "tables")


@api.get("/admin/db/tables/{table}", requires=MANAGE, envelope=False, errors={413: ["answer_too_large"]})
def table(db: Db, table: str, query: TableQuery, client: Client) -> TablePage:
    """Return rows of a table by its primary key; secrets read [redacted], and very long values are cut.

    413 answer_too_large names a `limit` that fits.
    """
    given = {"name": table, "limit": query.limit, "offset": query.offset, "client": client._asdict()}
    columns, total, rows = db.each((list[ColumnName], Total, list[TableRow]), "table", **given)
    return {
        "table": table,
        "columns": [column.name for column in columns],
        "rows": [one.row for one in rows],
        "total": total.total,
        "limit": query.limit,
        "offset": query.offset,
    }


def _problems(integrity: Integrity | None, counts: Counts) -> Iterator[str]:
    """A sentence for each counter that should be 0 and is not, beginning with its name."""
    if integrity is None:
        yield "ledger_audit: the clean-up has not checked the ledger yet."
    elif integrity.ledger_audit:
        yield f"ledger_audit: the ledger disagrees with what it adds up to in {integrity.ledger_audit} places."
    if integrity is not None and integrity.orphaned_rows:
        yield f"orphaned_rows: {integrity.orphaned_rows} rows refer to a row that is not there."
    if integrity is not None and integrity.miscounted_lists:
        yield f"miscounted_lists: {integrity.miscounted_lists} counts that are kept for lists differ from their rows."
    if counts.unforced_rls:
        yield f"unforced_rls: {counts.unforced_rls} tables of users are not held by row-level security."
    if counts.sessions_expired_long_ago:
        yield f"expired_sessions: {counts.sessions_expired_long_ago} have been over for more than two hours."
    if counts.jobs_failed:
        yield f"jobs_failed: {counts.jobs_failed} jobs have failed."
    if counts.storage_deletions_stuck:
        yield f"storage_deletions_stuck: {counts.storage_deletions_stuck} deletions were set aside after 20 attempts."


def _idle_schedules(schedules: Sequence[Started], counts: Counts) -> Iterator[str]:
    """A sentence for each schedule that has not started for too long, or never did although there was time enough."""
    for schedule in schedules:
        limit = counts.now - MISSED_INTERVALS * timedelta(seconds=schedule.every_seconds)
        # In a new installation an hourly schedule may not have started yet: time counts from the first run of any.
        since = schedule.last_started_at or counts.first_started_at
        if since is None or since < limit:
            yield f"schedule {schedule.name}: it has not started for {MISSED_INTERVALS} intervals."
