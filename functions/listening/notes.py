"""The routes of what users note of a track: annotations and regions, and what is measured of a region."""

from uuid import UUID

from starlette.responses import Response

from questlog.api import Api
from questlog.db import Db
from questlog.errors import Conflict
from questlog.paging import PageOrAll
from questlog.wire import Success, Total

from functions.listening import rules
from functions.listening.models import FrameRow, Span
from functions.listening.note_models import (
    Analyzed,
    Annotation,
    AnnotationChange,
    Annotations,
    AnnotationsQuery,
    Downbeat,
    Found,
    Metrics,
    NewAnnotation,
    NewRegion,
    Region,
    RegionChange,
    Regions,
    Suggestions,
    SuggestionsQuery,
    TrackLength,
)

api = Api(__file__, queries="notes.sql")


@api.get("/reference/tracks/{track_id}/annotations", envelope=False)
def annotations(db: Db, track_id: UUID, query: AnnotationsQuery) -> Annotations:
    """List the annotations of a track, all or a page, by their time; of another user's shared track the public ones."""
    asked = {"track_id": track_id, "category": query.category, **query.bounds}
    _, found, count = db.each((Found, list[Annotation], Total), "annotations", **asked)
    return {"annotations": found, **query.shown(count.total)}


@api.post("/reference/tracks/{track_id}/annotations", envelope=False, errors={409: ["limit_reached"]})
def add_annotation(db: Db, track_id: UUID, body: NewAnnotation) -> Annotation:
    """Annotate a moment or a stretch of a track. 404 also for an unknown session; 409 limit_reached at 2,000."""
    sent = body.model_dump(mode="json")
    return db.one(Annotation, "add_annotation", track_id=track_id, sent=sent)


@api.get("/reference/tracks/{track_id}/annotations.csv", errors={413: ["answer_too_large"]})
def annotations_csv(db: Db, track_id: UUID) -> Response:
    """Return the annotations of a track as CSV: start, end, title, category, content."""
    from questlog.importing.requests import attachment  # noqa: PLC0415 - only who asks for the table pays for it

    _, found = db.each((Found, list[Annotation]), "annotations_csv", track_id=track_id)
    too_large = "The annotations would be larger than 5 MiB as a file."
    return attachment(rules.annotations_csv(found), "annotations.csv", too_large=too_large)


@api.get("/reference/annotations/{annotation_id}", envelope=False)
def annotation(db: Db, annotation_id: UUID) -> Annotation:
    """Return one annotation."""
    return db.one(Annotation, "annotation", annotation_id=annotation_id)


@api.patch("/reference/annotations/{annotation_id}", envelope=False)
def change_annotation(db: Db, annotation_id: UUID, body: AnnotationChange) -> Annotation:
    """Change an annotation; without an end it is a moment. 404 also for an unknown session."""
    return db.one(Annotation, "change_annotation", annotation_id=annotation_id, changes=body.changes())


@api.delete("/reference/annotations/{annotation_id}", envelope=False)
def delete_annotation(db: Db, annotation_id: UUID) -> Success:
    """Delete an annotation; checklists that refer to it keep their answers."""
    return db.one(Success, "delete_annotation", annotation_id=annotation_id)


@api.get("/reference/tracks/{track_id}/regions", envelope=False)
def regions(db: Db, track_id: UUID, query: PageOrAll) -> Regions:
    """List the regions of a track, all or a page, by their time."""
    _, found, count = db.each((Found, list[Region], Total), "regions", track_id=track_id, **query.bounds)
    return {"regions": found, **query.shown(count.total)}


@api.post("/reference/tracks/{track_id}/regions", envelope=False, errors={409: ["limit_reached"]})
def add_region(db: Db, track_id: UUID, body: NewRegion) -> Region:
    """Mark a region of a track. 409 limit_reached at 500."""
    return db.one(Region, "add_region", track_id=track_id, sent=body.model_dump(mode="json"))


@api.get("/reference/tracks/{track_id}/regions/suggestions", envelope=False)
def suggestions(db: Db, track_id: UUID, query: SuggestionsQuery) -> Suggestions:
    """Suggest regions that follow each other from the start: sections, groups of bars, or slices. Nothing is stored."""
    track, analyses, downbeats = db.each(
        (TrackLength, list[Analyzed], list[Downbeat]), "suggestions", track_id=track_id
    )
    analysis = analyses[0] if analyses else None
    return {"suggestions": rules.suggestions(track, analysis, downbeats, bars=query.bars, limit=query.limit)}


@api.get("/reference/regions/{region_id}", envelope=False)
def region(db: Db, region_id: UUID) -> Region:
    """Return one region."""
    return db.one(Region, "region", region_id=region_id)


@api.patch("/reference/regions/{region_id}", envelope=False)
def change_region(db: Db, region_id: UUID, body: RegionChange) -> Region:
    """Change a region."""
    return db.one(Region, "change_region", region_id=region_id, changes=body.changes())


@api.delete("/reference/regions/{region_id}", envelope=False)
def delete_region(db: Db, region_id: UUID) -> Success:
    """Delete a region; comparisons and sessions that used it stay, without it."""
    return db.one(Success, "delete_region", region_id=region_id)


@api.get("/reference/regions/{region_id}/metrics", envelope=False, errors={409: ["not_analyzed"]})
def metrics(db: Db, region_id: UUID) -> Metrics:
    """Return what is measured of a region, from the frames of the track's newest full analysis.

    409 not_analyzed when there is none yet.
    """
    span, analyses, chunks = db.each((Span, list[Analyzed], list[FrameRow]), "metrics", region_id=region_id)
    if not analyses:
        raise Conflict("not_analyzed", "The track has no full analysis yet.")
    from functions.listening import frames  # noqa: PLC0415 - only who measures pays for it

    return frames.metrics(frames.read(chunks), span, analyses[0].channels)
