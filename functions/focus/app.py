"""Focus: a timer the server owns, one per user, that survives closed tabs (core contract, section 3)."""

from uuid import UUID

from questlog.api import Api
from questlog.db import Db
from questlog.wire import Deleted

from functions.focus.models import (
    Active,
    Change,
    Completion,
    Libraries,
    LibrariesQuery,
    Library,
    LibraryChange,
    NewLibrary,
    NewTrack,
    PauseState,
    Pausing,
    Session,
    Sessions,
    SessionsQuery,
    Start,
    Stats,
    Track,
    Tracks,
)

api = Api(__file__)

# The customary pomodoro: 25 minutes of work, 5 of rest, 15 after a few rounds.
DEFAULT_SECONDS = {"focus": 1500, "break": 300, "long_break": 900}
# Days before today that a period of the statistics reaches back to.
DAYS_BACK = {"day": 0, "week": 6, "month": 29, "all": None}


@api.post("/focus")
def start(db: Db, body: Start) -> Session:
    """Start a timer; one that runs is abandoned. An unknown library is 404."""
    seconds = body.duration_seconds or DEFAULT_SECONDS[body.mode]
    return db.one(
        Session,
        "start",
        mode=body.mode,
        duration_seconds=seconds,
        task_title=body.task_title,
        tags=body.tags,
        library_id=body.library_id,
    )


@api.get("/focus/active", etag=True)
def active(db: Db) -> Active:
    """The session that runs or is paused, if any."""
    return db.one(Active, "active")


@api.get("/focus")
def sessions(db: Db, query: SessionsQuery) -> Sessions | Stats:
    """Past and present sessions, newest start first, or with stats=true what they add up to."""
    if query.stats:
        return db.one(Stats, "stats", days_back=DAYS_BACK[query.period])
    return db.one(Sessions, "sessions", **query.model_dump(exclude={"stats", "period"}))


@api.get("/focus/{session_id}")
def session(db: Db, session_id: UUID) -> Session:
    """One session."""
    return db.one(Session, "session", session_id=session_id)


@api.patch("/focus/{session_id}")
def change(db: Db, session_id: UUID, body: Change) -> Session:
    """Change what a session says about itself, in any state."""
    return db.one(Session, "change", session_id=session_id, changes=body.changes())


@api.post("/focus/{session_id}/complete")
def complete(db: Db, session_id: UUID) -> Completion:
    """End a session and pay its reward; a replay answers with what was paid the first time."""
    return db.one(Completion, "complete", session_id=session_id)


@api.post("/focus/{session_id}/abandon")
def abandon(db: Db, session_id: UUID) -> Session:
    """End a session unpaid."""
    return db.one(Session, "abandon", session_id=session_id)


@api.get("/focus/pause")
def pause_state(db: Db) -> PauseState | None:
    """The paused timer, or null."""
    return db.maybe(PauseState, "pause_state")


@api.post("/focus/pause")
def pause(db: Db, body: Pausing) -> PauseState:
    """Stop the clock; 404 when none runs. A client's remainder holds within 30 seconds of the server's."""
    return db.one(PauseState, "pause", time_remaining_seconds=body.time_remaining_seconds)


@api.delete("/focus/pause")
def resume(db: Db) -> Session:
    """Let the clock run on; 404 when none is paused."""
    return db.one(Session, "resume")


@api.get("/focus/libraries")
def libraries(db: Db, query: LibrariesQuery) -> Libraries:
    """The user's libraries, favourites first, then the newest."""
    return db.one(Libraries, "libraries", **query.model_dump())


@api.post("/focus/libraries")
def add_library(db: Db, body: NewLibrary) -> Library:
    """A new library, or the one that has this name already; 409 limit_reached at 100."""
    return db.one(Library, "add_library", **body.model_dump())


@api.get("/focus/libraries/{library_id}")
def library(db: Db, library_id: UUID) -> Library:
    """One library."""
    return db.one(Library, "library", library_id=library_id)


@api.patch("/focus/libraries/{library_id}")
def change_library(db: Db, library_id: UUID, body: LibraryChange) -> Library:
    """Change a library; 409 name_taken when another has the name."""
    return db.one(Library, "change_library", library_id=library_id, changes=body.changes())


@api.delete("/focus/libraries/{library_id}")
def delete_library(db: Db, library_id: UUID) -> Deleted:
    """Delete a library and its tracks; sessions that used it stay."""
    return db.one(Deleted, "delete_library", library_id=library_id)


@api.post("/focus/libraries/{library_id}/favorite")
def toggle_favorite(db: Db, library_id: UUID) -> Library:
    """Make a library a favourite, or no longer one."""
    return db.one(Library, "toggle_favorite", library_id=library_id)


@api.get("/focus/libraries/{library_id}/tracks")
def tracks(db: Db, library_id: UUID) -> Tracks:
    """A library's tracks in their order."""
    return db.one(Tracks, "tracks", library_id=library_id)


@api.post("/focus/libraries/{library_id}/tracks")
def add_track(db: Db, library_id: UUID, body: NewTrack) -> Track:
    """Add a track at the end; 409 limit_reached at 500."""
    return db.one(Track, "add_track", library_id=library_id, **body.model_dump())


@api.delete("/focus/libraries/{library_id}/tracks/{track_id}")
def delete_track(db: Db, library_id: UUID, track_id: UUID) -> Deleted:
    """Take a track out of a library."""
    return db.one(Deleted, "delete_track", library_id=library_id, track_id=track_id)


handler = api.handler
