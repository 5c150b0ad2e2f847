"""Bookmarks: notes and links worth keeping (audio contract, section 6)."""

from uuid import UUID

from questlog.api import Api
from questlog.db import Db
from questlog.wire import Deleted, Total

from functions.bookmarks.models import NewReference, Reference, ReferenceChange, References, ReferencesQuery

api = Api(__file__)


@api.get("/references")
def references(db: Db, query: ReferencesQuery) -> References:
    """List the bookmarks, pinned ones first, then the newest; with archived=true the archived ones alone."""
    found, count = db.each((list[Reference], Total), "references", **query.model_dump())
    return References(items=found, total=count.total, page=query.page, page_size=query.page_size)


@api.post("/references", errors={409: ["limit_reached"]})
def add(db: Db, body: NewReference) -> Reference:
    """Add a bookmark. 409 limit_reached when there are 10,000."""
    return db.one(Reference, "add", **body.model_dump())


@api.get("/references/{reference_id}")
def reference(db: Db, reference_id: UUID) -> Reference:
    """Return one bookmark, archived or not."""
    return db.one(Reference, "reference", reference_id=reference_id)


@api.put("/references/{reference_id}")
def change(db: Db, reference_id: UUID, body: ReferenceChange) -> Reference:
    """Change a bookmark; what is left out keeps its value, and null clears it."""
    return db.one(Reference, "change", reference_id=reference_id, changes=body.changes())


@api.delete("/references/{reference_id}")
def delete(db: Db, reference_id: UUID) -> Deleted:
    """Delete a bookmark."""
    return db.one(Deleted, "delete", reference_id=reference_id)


handler = api.handler
