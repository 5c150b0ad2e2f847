"""The routes of tracks: upload, registration, lists, streaming (audio contract, section 1)."""

from uuid import UUID

from questlog import storage
from questlog.api import Api
from questlog.db import Db
from questlog.errors import Invalid, NotFound
from questlog.wire import Success, Total

from functions.reference import headers, objects, rules
from functions.reference.models import (
    MAX_BYTES,
    Analysis,
    Browsed,
    BrowsedUser,
    BrowseQuery,
    DeletedTrack,
    Download,
    Intent,
    NewTrack,
    NewUpload,
    Noted,
    Track,
    TrackChange,
    TrackDetail,
    Tracks,
    TracksQuery,
    Upload,
    Usage,
    VisibleTrack,
)

api = Api(__file__, queries="tracks.sql")


@api.get("/reference/usage", envelope=False)
def usage(db: Db) -> Usage:
    """Return how many bytes the user's tracks have, and how many they may have."""
    return db.one(Usage, "usage")


@api.post("/reference/upload/init", envelope=False, store_response=False, errors={409: ["quota_exceeded"]})
def init_upload(db: Db, body: NewUpload) -> Upload:
    """Return a URL that the file can be uploaded to, for 15 minutes; what was uploaded is then registered by its key.

    409 quota_exceeded when all files together would be larger than 5 GiB.
    """
    mime_type = rules.canonical_type(body.mime_type, body.filename)
    if mime_type is None:
        db.authenticate_only()
        raise Invalid([("mime_type", "must be a type of audio, or empty for a file whose name ends like one")])
    intent = db.one(
        Intent,
        "init_upload",
        mime_type=mime_type,
        extension=rules.EXTENSIONS[mime_type],
        filename=body.filename,
        file_size=body.file_size,
        lifetime=storage.PUT_LIFETIME,
    )
    signed = storage.signed_put(intent.r2_key)
    return {
        "url": signed.url,
        "r2_key": intent.r2_key,
        "expires_at": signed.expires_at,
        "method": "PUT",
        "headers": {},
        "max_bytes": MAX_BYTES,
    }


@api.post("/reference/tracks", envelope=False, errors={404: ["not_found"], 409: ["quota_exceeded"]})
def register(db: Db, body: NewTrack) -> Track:
    """Register what was uploaded under a key; the same key again returns the same track.

    Two trips to the database: the bucket is looked at once it is known that the key is the caller's. Without an object
    under it the track is `uploading`. 409 quota_exceeded when the file is larger than declared and has no room.
    """
    intents, tracks = db.each((list[Intent], list[Track]), "registration", r2_key=body.r2_key)
    if tracks:
        return _arrived(db, tracks[0])
    if not intents:
        raise NotFound
    [intent] = intents
    found = objects.look(intent.r2_key)
    with objects.deleted_without_room(intent.r2_key):
        return db.one(
            Track,
            "register",
            r2_key=intent.r2_key,
            mime_type=intent.mime_type,
            described=body.described(),
            status="uploading" if found is None else "ready",
            size=found.size if found else min(body.file_size_bytes or 0, MAX_BYTES),
            **(found.sound if found else headers.UNKNOWN)._asdict(),
        )


def _arrived(db: Db, track: Track) -> Track:
    """The track, after looking for its object again where that was not there yet."""
    found = objects.look(track.r2_key) if track.status == "uploading" else None
    if found is None:
        return track
    with objects.deleted_without_room(track.r2_key):
        return db.one(Track, "arrive", track_id=track.id, size=found.size, **found.sound._asdict())


def _has_arrived(db: Db, track: Track) -> bool:
    try:
        return _arrived(db, track).status != "uploading"
    except Invalid:  # it was no file that may stay, and is deleted
        return False


@api.get("/reference/tracks", envelope=False)
def tracks(db: Db, query: TracksQuery) -> Tracks:
    """List the user's own tracks, newest first. `q` is looked for in name, artist and album."""
    filtered = (query.status, query.tag, query.q) != (None, None, None)
    found, count = db.each((list[Track], Total), "tracks_where" if filtered else "tracks", **query.model_dump())
    return {"data": found, **rules.paging(count.total, query.page, query.page_size)}


@api.get("/reference/tracks/{track_id}", envelope=False)
def track(db: Db, track_id: UUID) -> TrackDetail:
    """Return an own track, or another user's shared one, with how much is noted of it and its newest analysis."""
    found, noted, analyses = db.each((VisibleTrack, Noted, list[Analysis]), "track", track_id=track_id)
    return {
        "track": found.shown(),
        "annotation_count": noted.annotation_count,
        "region_count": noted.region_count,
        "latest_analysis": analyses[0] if analyses else None,
    }


@api.patch("/reference/tracks/{track_id}", envelope=False)
def change(db: Db, track_id: UUID, body: TrackChange) -> Track:
    """Change what is said about a track, or share it with all users and take it back."""
    return db.one(Track, "change", track_id=track_id, changes=body.changes())


@api.delete("/reference/tracks/{track_id}", envelope=False)
def delete(db: Db, track_id: UUID) -> Success:
    """Delete a track, its file, and everything that was measured and noted of it."""
    # What the bucket does not delete now, the list of deletions has.
    storage.delete(db.one(DeletedTrack, "delete", track_id=track_id).r2_key)
    return Success()


@api.get("/reference/tracks/{track_id}/stream", envelope=False, errors={409: ["quota_exceeded"]})
def stream(db: Db, track_id: UUID) -> Download:
    """Return a URL that plays the track for six hours, also a part of it by a Range header.

    404 also while its file is not in the bucket. Two trips where the file of an own track has arrived meanwhile.
    """
    track = db.one(VisibleTrack, "visible_track", track_id=track_id)
    if not (_has_arrived(db, track) if track.is_own and track.status == "uploading" else objects.exists(track.r2_key)):
        raise NotFound
    signed = storage.signed_get(track.r2_key)
    return {"url": signed.url, "expires_at": signed.expires_at, "method": "GET"}


@api.get("/reference/tracks/{track_id}/play", envelope=False, errors={409: ["quota_exceeded"]})
def play(db: Db, track_id: UUID) -> Download:
    """Return the same as /stream."""
    return stream(db, track_id)


@api.get("/reference/browse", envelope=False, errors={404: ["not_found"]})
def browse(db: Db, query: BrowseQuery) -> Browsed:
    """List the tracks that the user with this e-mail address shares; of one's own address, all own tracks.

    404 when nobody has the address, and likewise when nothing is shared.
    """
    owner, found = db.each((BrowsedUser, list[VisibleTrack]), "browse", **query.model_dump())
    return {
        "user_email": owner.user_email,
        "user_name": owner.user_name,
        "total": owner.total,
        "tracks": [track.shown() for track in found],
        "page": query.page,
        "page_size": query.page_size,
    }
