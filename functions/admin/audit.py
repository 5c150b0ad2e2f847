"""The routes of the audit trail: who did what, and when."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import Field, StringConstraints
from typing_extensions import TypedDict

from questlog.api import Api
from questlog.db import Db
from questlog.wire import Instant, Query, Trimmed

from functions.admin.models import ROLE

api = Api(__file__, queries="audit.sql", role=ROLE)

# The bounds if none are sent: plain values, so that the index can be used (platform contract, 1.7).
BEGINNING: Final = datetime(1600, 1, 1, tzinfo=UTC)
END: Final = datetime(2200, 1, 1, tzinfo=UTC)

Status = Literal["success", "failure", "denied"]
Word = Annotated[Trimmed, StringConstraints(max_length=100)]


class AuditQuery(Query):
    event_type: Word | None = None
    user_id: UUID | None = None
    resource_type: Word | None = None
    status: Status | None = None
    from_: Annotated[Instant, Field(alias="from")] = BEGINNING
    to: Instant = END
    limit: Annotated[int, Field(ge=1, le=500)] = 100
    offset: Annotated[int, Field(ge=0, le=1_000_000_000)] = 0


class Entry(TypedDict):
    """One row of the audit trail."""

    id: UUID
    user_id: UUID | None
    user_email: str | None
    event_type: str
    resource_type: str | None
    resource_id: str | None
    action: str
    status: Status
    details: dict[str, Any]
    ip_address: str | None
    user_agent: str | None
    request_id: str | None
    created_at: Instant


class EventType(TypedDict):
    event_type: str


class Count(TypedDict):
    """How many entries there are on all pages together."""

    total: int


class Entries(Count):
    entries: list[Entry]


@api.get("/admin/audit", requires="system:manage", envelope=False)
def audit(db: Db, query: AuditQuery) -> Entries:
    """List what was done, the latest first: from the moment `from` on, and before the moment `to`."""
    entries, count = db.each((list[Entry], Count), "audit", **query.model_dump())
    return {"entries": entries, **count}


@api.get("/admin/audit/event-types", requires="system:manage", envelope=False)
def event_types(db: Db) -> list[str]:
    """List the types of events that have happened, sorted."""
    return sorted(row["event_type"] for row in db.many(EventType, "event_types"))
