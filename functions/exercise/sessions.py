"""The routes of sessions and their sets."""

from typing import Any
from uuid import UUID

from questlog.api import Api, Tool
from questlog.db import Db
from questlog.errors import NotFound
from questlog.wire import RewardFields, Total

from functions.exercise import rules
from functions.exercise.models import Removed
from functions.exercise.session_models import (
    ActiveSession,
    Completed,
    Completing,
    Logged,
    NewSet,
    Program,
    Record,
    Running,
    Session,
    SessionChange,
    SessionRow,
    Sessions,
    SessionsQuery,
    Set,
    SetChange,
    Started,
    Starting,
)
from functions.exercise.workout_models import PlannedExercise, SectionRow, WorkoutRow

api = Api(__file__, queries="sessions.sql")

ACTIVE_ROWS = (
    list[SessionRow],
    list[Running],
    list[Set],
    list[WorkoutRow],
    list[SectionRow],
    list[PlannedExercise],
    list[SessionRow],
    list[Set],
)


@api.get("/exercise/sessions")
def sessions(db: Db, query: SessionsQuery) -> Sessions:
    """List the sessions with their sets, the last started first."""
    is_filtered = any((query.status, query.workout_id, query.from_, query.to))
    name = "sessions" if is_filtered else "all_sessions"
    rows, sets, count = db.each((list[SessionRow], list[Set], Total), name, **query.model_dump())
    shown = rules.sessions(rows, sets)
    return Sessions(sessions=shown, total=count.total, page=query.page, page_size=query.page_size)


@api.post(
    "/exercise/sessions/start",
    errors={404: ["not_found"], 409: ["active_session", "conflict"]},
    tools=[
        Tool("start_workout", "Begin a training session, into which log_set logs.", arguments=("notes",)),
    ],
)
def start(db: Db, body: Starting) -> Started:
    """Begin a session of a workout or of a program's slot, else of the quick workout; a forgotten one is closed first.

    409 active_session, with its id in the details, when another one runs; conflict for a slot that is not open or whose
    program is not active.
    """
    session = one_active(db, "start", **body.model_dump())
    return Started(
        session_id=session["id"],
        workout_id=session["workout_id"],
        started_at=session["started_at"],
        session=session,
    )


@api.get("/exercise/sessions/active")
def active(db: Db) -> ActiveSession | None:
    """Return the running session with its workout and the sets of the last time; null when none runs."""
    return active_session(db.each(ACTIVE_ROWS, "active"))


@api.post(
    "/exercise/sessions/log-set",
    errors={404: ["not_found"], 409: ["limit_reached"]},
    tools=[
        Tool(
            "log_set",
            "Log a set of an exercise into the running training session: start_workout begins one.",
            arguments=(
                "exercise_id",
                "reps",
                "weight_kg",
                "duration_seconds",
                "distance_m",
                "rpe",
                "is_warmup",
                "notes",
            ),
        ),
    ],
)
def log_set(db: Db, body: NewSet) -> Logged:
    """Log a set into the running session. 409 limit_reached at 500 sets."""
    return logged(db, body, None)


@api.post(
    "/exercise/sessions/complete",
    errors={404: ["not_found"]},
    tools=[
        Tool("complete_workout", "End the running training session and be paid for it.", arguments=("notes", "rating")),
    ],
)
def complete_active(db: Db, body: Completing) -> Completed:
    """Complete and pay the running session; one completed less than 60 s ago is returned again."""
    return completed(db, body, None)


@api.get("/exercise/sessions/{session_id}")
def session(db: Db, session_id: UUID) -> Session:
    """Return one session."""
    return one_session(db, "session", session_id=session_id)


@api.patch("/exercise/sessions/{session_id}", errors={409: ["conflict"]})
def change_session(db: Db, session_id: UUID, body: SessionChange) -> Session:
    """Change a completed session; its days, its duration and the records follow, its reward stays."""
    return one_session(db, "change_session", session_id=session_id, changes=body.changes())


@api.delete("/exercise/sessions/{session_id}")
def delete_session(db: Db, session_id: UUID) -> Removed:
    """Delete a session and its sets; the records are what they would be without it. The user keeps what it paid."""
    return db.one(Removed, "delete_session", session_id=session_id)


@api.post("/exercise/sessions/{session_id}/sets", errors={409: ["conflict", "limit_reached"]})
def add_set(db: Db, session_id: UUID, body: NewSet) -> Logged:
    """Log a set into a session that runs or is completed. 409 conflict for an abandoned one, limit_reached at 500."""
    return logged(db, body, session_id)


@api.patch("/exercise/sessions/{session_id}/sets/{set_id}", errors={409: ["conflict"]})
def change_set(db: Db, session_id: UUID, set_id: UUID, body: SetChange) -> Set:
    """Change a set; the records follow. 409 in an abandoned session."""
    return db.one(Set, "change_set", session_id=session_id, set_id=set_id, changes=body.changes())


@api.delete("/exercise/sessions/{session_id}/sets/{set_id}", errors={409: ["conflict"]})
def delete_set(db: Db, session_id: UUID, set_id: UUID) -> Removed:
    """Delete a set; the records follow. 409 in an abandoned session."""
    return db.one(Removed, "delete_set", session_id=session_id, set_id=set_id)


@api.post("/exercise/sessions/{session_id}/complete", errors={409: ["conflict"]})
def complete(db: Db, session_id: UUID, body: Completing) -> Completed:
    """Complete and pay a session; a completed one is returned as it was paid. 409 when it is abandoned."""
    return completed(db, body, session_id)


@api.post("/exercise/sessions/{session_id}/abandon", errors={409: ["conflict"]})
def abandon(db: Db, session_id: UUID) -> Session:
    """End a session unpaid; its sets count for nothing. 409 when it is completed."""
    return one_session(db, "abandon", session_id=session_id)


@api.post("/exercise/sessions/{session_id}/resume", errors={409: ["conflict", "active_session"]})
def resume(db: Db, session_id: UUID) -> ActiveSession:
    """Go on with an abandoned session. 409 conflict when it is completed, active_session when another runs."""
    return one_active(db, "resume", session_id=session_id)


def one_session(db: Db, name: str, /, **parameters: Any) -> Session:
    """The session that a statement ends with."""
    row, sets = db.each((SessionRow, list[Set]), name, **parameters)
    return rules.sessions([row], sets)[0]


def one_active(db: Db, name: str, /, **parameters: Any) -> ActiveSession:
    """The running session that a statement ends with. NotFound where there is none."""
    found = active_session(db.each(ACTIVE_ROWS, name, **parameters))
    if found is None:
        raise NotFound
    return found


def active_session(rows: tuple[Any, ...]) -> ActiveSession | None:
    """The running session made of the rows of ACTIVE_ROWS."""
    sessions, running, sets, workouts, sections, planned, last_time, last_sets = rows
    if not sessions:
        return None
    [session] = rules.sessions(sessions, sets)
    [workout] = rules.workouts(workouts, sections, planned)
    return rules.active_session(session, running[0], workout, last_time, last_sets)


def logged(db: Db, body: NewSet, session_id: UUID | None) -> Logged:
    """Log a set into a session, without an id into the running one."""
    row, made = db.each(
        (Set, list[Record]),
        "log_set",
        session_id=session_id,
        exercise_id=body.exercise_id,
        set_number=body.set_number,
        given=body.values,
    )
    ranked = rules.by_rank(made)
    return Logged(
        set_id=row["id"],
        set_number=row["set_number"],
        is_personal_record=bool(ranked),
        record_type=ranked[0]["record_type"] if ranked else None,
        session_id=row["session_id"],
        set=row,
        records=ranked,
    )


def completed(db: Db, body: Completing, session_id: UUID | None) -> Completed:
    """Complete a session, without an id the running one."""
    reward: RewardFields
    reward, row, sets, made, programs = db.each(
        (RewardFields, SessionRow, list[Set], list[Record], list[Program]),
        "complete",
        session_id=session_id,
        **body.model_dump(),
    )
    return Completed(
        **reward,
        session_id=row["id"],
        workout_id=row["workout_id"],
        duration_seconds=row["duration_seconds"],
        total_sets=row["total_sets"],
        total_volume_kg=row["total_volume_kg"],
        personal_records=rules.best_records(made),
        session=rules.sessions([row], sets)[0],
        program=programs[0] if programs else None,
    )
