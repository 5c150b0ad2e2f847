"""Focus: a timer that the server keeps, one per user, so that it survives a closed tab (core contract, section 3)."""

from typing import Any
from uuid import UUID

from questlog.api import Api, Tool
from questlog.db import Db
from questlog.wire import Deleted, Total

from functions.focus import rules
from functions.focus.models import (
    Active,
    Change,
    Completion,
    EndedDay,
    FocusStreak,
    Libraries,
    LibrariesQuery,
    Library,
    LibraryChange,
    LibraryId,
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

# The usual pomodoro: 25 minutes of work, 5 of rest, 15 after a few rounds.
DEFAULT_SECONDS = {"focus": 1500, "break": 300, "long_break": 900}
# How many days before today a period of the statistics begins.
DAYS_BACK = {"day": 0, "week": 6, "month": 29, "all": None}


@api.post(
    "/focus",
    errors={404: ["not_found"]},
    tools=[
        Tool(
            "start_focus",
            "Start a focus timer. One that runs is abandoned, unpaid: look at focus_status first.",
            arguments=("mode", "duration_seconds", "task_title", "tags"),
            destructive=True,
        ),
    ],
)
def start(db: Db, body: Start) -> Session:
    """Start a timer. A live one is abandoned. 404 when there is no such library."""
    seconds = body.duration_seconds or DEFAULT_SECONDS[body.mode]
    return db.one(Session, "start", **body.model_dump(exclude={"duration_seconds"}), duration_seconds=seconds)


@api.get(
    "/focus/active",
    etag=True,
    tools=[
        Tool("focus_status", "The running or paused focus timer, with its id; null when there is none."),
    ],
)
def active(db: Db) -> Active:
    """Return the live session, running or paused; null when there is none."""
    session = db.maybe(Session, "active")
    return Active(session=session, pause_state=rules.pause_state(session))


@api.get("/focus")
def sessions(db: Db, query: SessionsQuery) -> Sessions | Stats:
    """List the user's sessions, the last started first; with stats=true, return what a period's sessions add up to."""
    if query.stats:
        streak, days = db.each((FocusStreak, list[EndedDay]), "stats", days_back=DAYS_BACK[query.period])
        return rules.stats(days, streak.focus_streak)
    page, count = db.each((list[Session], Total), "sessions", **query.model_dump(exclude={"stats", "period"}))
    return Sessions(sessions=page, total=count.total, page=query.page, page_size=query.page_size)


@api.get("/focus/{session_id}")
def session(db: Db, session_id: UUID) -> Session:
    """Return one session."""
    return db.one(Session, "session", session_id=session_id)


@api.patch("/focus/{session_id}")
def change(db: Db, session_id: UUID, body: Change) -> Session:
    """Change the title, the notes or the tags of a session, live or ended."""
    return db.one(Session, "change", session_id=session_id, changes=body.changes())


@api.post(
    "/focus/{session_id}/complete",
    errors={409: ["invalid_state"]},
    tools=[
        Tool("complete_focus", "End a focus timer and be paid for it.", idempotent=True),
    ],
)
def complete(db: Db, session_id: UUID) -> Completion:
    """End a session and pay it. A session that was completed already gets the reward of the first time.

    409 invalid_state when it is abandoned or expired.
    """
    # One row holds both: the session is known after its completion, and to read it again would take another statement.
    row = db.one(dict[str, Any], "complete", session_id=session_id)
    return Completion.model_validate({**row, "session": row})


@api.post("/focus/{session_id}/abandon", errors={409: ["invalid_state"]})
def abandon(db: Db, session_id: UUID) -> Session:
    """End a session unpaid. 409 invalid_state when it is completed or expired."""
    return db.one(Session, "abandon", session_id=session_id)


@api.get("/focus/pause")
def pause_state(db: Db) -> PauseState | None:
    """Return the pause of the live session; null when it is not paused."""
    return db.maybe(PauseState, "pause_state")


@api.post("/focus/pause", errors={404: ["not_found"]})
def pause(db: Db, body: Pausing) -> PauseState:
    """Pause the running session. A client's remainder is kept where it is within 30 seconds of the server's.

    A paused session stays paused as it is. 404 when no session is live.
    """
    return db.one(PauseState, "pause", time_remaining_seconds=body.time_remaining_seconds)


@api.delete("/focus/pause", errors={404: ["not_found"]})
def resume(db: Db) -> Session:
    """Resume the paused session. 404 when none is paused."""
    return db.one(Session, "resume")


@api.get("/focus/libraries")
def libraries(db: Db, query: LibrariesQuery) -> Libraries:
    """List the user's libraries, favourites first, then the newest."""
    page, count = db.each((list[Library], Total), "libraries", **query.model_dump())
    return Libraries(libraries=page, total=count.total, page=query.page, page_size=query.page_size)


@api.post("/focus/libraries", errors={409: ["limit_reached"]})
def add_library(db: Db, body: NewLibrary) -> Library:
    """Add a library; where the user has one of this name, return that. 409 limit_reached when there are 100."""
    return db.one(Library, "add_library", **body.model_dump())


@api.get("/focus/libraries/{library_id}")
def library(db: Db, library_id: UUID) -> Library:
    """Return one library."""
    return db.one(Library, "library", library_id=library_id)


@api.patch("/focus/libraries/{library_id}", errors={409: ["name_taken"]})
def change_library(db: Db, library_id: UUID, body: LibraryChange) -> Library:
    """Change a library. 409 name_taken when another one has the name."""
    return db.one(Library, "change_library", library_id=library_id, changes=body.changes())


@api.delete("/focus/libraries/{library_id}")
def delete_library(db: Db, library_id: UUID) -> Deleted:
    """Delete a library and its tracks. Sessions that used it are kept."""
    return db.one(Deleted, "delete_library", library_id=library_id)


@api.post("/focus/libraries/{library_id}/favorite")
def toggle_favorite(db: Db, library_id: UUID) -> Library:
    """Make a library a favourite, or make a favourite an ordinary one."""
    return db.one(Library, "toggle_favorite", library_id=library_id)


@api.get("/focus/libraries/{library_id}/tracks")
def tracks(db: Db, library_id: UUID) -> Tracks:
    """List a library's tracks in their order."""
    _, tracks = db.each((LibraryId, list[Track]), "tracks", library_id=library_id)
    return Tracks(tracks=tracks, total=len(tracks))


@api.post("/focus/libraries/{library_id}/tracks", errors={409: ["limit_reached"]})
def add_track(db: Db, library_id: UUID, body: NewTrack) -> Track:
    """Add a track at the end. 409 limit_reached when the library holds 500."""
    return db.one(Track, "add_track", library_id=library_id, **body.model_dump())


@api.delete("/focus/libraries/{library_id}/tracks/{track_id}")
def delete_track(db: Db, library_id: UUID, track_id: UUID) -> Deleted:
    """Delete a track of a library."""
    return db.one(Deleted, "delete_track", library_id=library_id, track_id=track_id)


handler = api.handler
