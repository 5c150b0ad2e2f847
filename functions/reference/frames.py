"""The routes of frames and events, what a full analysis measured along a track (audio contract, section 5).

They never change, so every answer has an ETag.
"""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from questlog.api import Api
from questlog.db import Db

from functions.reference import rules
from functions.reference.models import (
    Chunk,
    Events,
    EventsQuery,
    Found,
    Manifest,
    StoredChunk,
    Window,
    WindowQuery,
)

api = Api(__file__, queries="frames.sql")

ChunkNumber = Annotated[int, Field(ge=0, le=2**31 - 1)]


@api.get("/frames/analysis/{analysis_id}/manifest", envelope=False, etag=True)
def manifest(db: Db, analysis_id: UUID) -> Manifest:
    """Return how the frames of a completed full analysis are laid out."""
    return db.one(Manifest, "manifest", analysis_id=analysis_id)


@api.get("/frames/analysis/{analysis_id}/frames", envelope=False, etag=True)
def window(db: Db, analysis_id: UUID, query: WindowQuery) -> Window:
    """Return the frames that a span of time touches, with the manifest that they are read by."""
    span = query.model_dump()
    found, stored = db.each((Manifest, list[StoredChunk]), "window", analysis_id=analysis_id, **span)
    return rules.window(found, stored, **span)


@api.get("/frames/analysis/{analysis_id}/chunks/{number}", envelope=False, etag=True)
def chunk(db: Db, analysis_id: UUID, number: ChunkNumber) -> Chunk:
    """Return one chunk of frames, as many as the manifest says."""
    found, stored = db.each((Manifest, StoredChunk), "chunk", analysis_id=analysis_id, number=number)
    return rules.chunk_of(stored, found)


@api.get("/frames/analysis/{analysis_id}/events", envelope=False, etag=True)
def events(db: Db, analysis_id: UUID, query: EventsQuery) -> Events:
    """Return what happens in a track, or in a span of it with both its ends, in the order of time."""
    _, found = db.each((Found, list[dict[str, Any]]), "events", analysis_id=analysis_id, **query.model_dump())
    return {"analysis_id": analysis_id, "events": [rules.event_of(event) for event in found], "count": len(found)}
