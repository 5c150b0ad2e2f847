"""Exercise: a library, workouts, one running session, its sets and the records they make (training contract, 1)."""

from typing import Any
from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import Response

from questlog.api import Api, Tool
from questlog.db import Db
from questlog.errors import Conflict, NotFound
from questlog.wire import RewardFields, Total

from functions.exercise import rules
from functions.exercise.models import (
    ActiveSession,
    Completed,
    Completing,
    DailyHistory,
    DailyHistoryQuery,
    Duplicating,
    Exercise,
    ExerciseChange,
    ExerciseHistory,
    ExerciseHistoryQuery,
    Exercises,
    ExercisesQuery,
    ExportQuery,
    ImportQuery,
    Logged,
    Merging,
    Muscle,
    NewExercise,
    NewSet,
    NewWorkout,
    PlannedExercise,
    Program,
    Record,
    Records,
    RecordsQuery,
    Removed,
    Running,
    Saving,
    SectionRow,
    Seeded,
    Session,
    SessionChange,
    SessionRow,
    Sessions,
    SessionsQuery,
    SessionsReport,
    Set,
    SetChange,
    SpanRow,
    Started,
    Starting,
    Stats,
    StatsQuery,
    Today,
    Workout,
    WorkoutChange,
    WorkoutRow,
    Workouts,
    WorkoutsQuery,
)

api = Api(__file__)

# How often an import is planned again when something else has changed what it was planned by.
ATTEMPTS = 3
WORKOUT_ROWS = (WorkoutRow, list[SectionRow], list[PlannedExercise])
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


# The library ----------------------------------------------------------------------------------------------------------


@api.get(
    "/exercise",
    etag=True,
    tools=[
        Tool(
            "list_exercises",
            "Search the exercises by name and muscle, with their ids, twenty on a page.",
            arguments=("search", "muscle", "equipment", "page"),
            fixed={"page_size": 20},
        ),
    ],
)
def exercises(db: Db, query: ExercisesQuery) -> Exercises:
    """List the built-in exercises and the user's own by name, whole unless a page is asked for."""
    asked = listed(query)
    if asked["limit"] is None:
        found = db.many(Exercise, "exercises", **asked)
        return Exercises(exercises=found, total=len(found))
    page, count = db.each((list[Exercise], Total), "exercises_page", **asked)
    return Exercises(exercises=page, total=count.total)


@api.post("/exercise", errors={409: ["limit_reached"]})
def add_exercise(db: Db, body: NewExercise) -> Exercise:
    """Add an exercise of the user's own. 409 limit_reached at 500."""
    return db.one(Exercise, "add_exercise", **body.model_dump())


@api.post("/exercise/seed", requires="admin:access", errors={403: ["forbidden"]})
def seed(db: Db) -> Seeded:
    """Bring the built-in exercises in line with the list of the release. Administrators only."""
    seeded: Seeded
    (seeded,) = db.each((Seeded,), "seed")
    return seeded


@api.get("/exercise/{exercise_id}")
def exercise(db: Db, exercise_id: UUID) -> Exercise:
    """Return one exercise."""
    return db.one(Exercise, "exercise", exercise_id=exercise_id)


@api.put("/exercise/{exercise_id}", errors={403: ["forbidden"]})
def change_exercise(db: Db, exercise_id: UUID, body: ExerciseChange) -> Exercise:
    """Change an exercise of the user's own. 403 for a built-in one."""
    changes = body.changes()
    muscles = {name: changes.get(name) for name in ("muscle_groups", "secondary_muscles")}
    return db.one(Exercise, "change_exercise", exercise_id=exercise_id, changes=changes, **muscles)


@api.delete("/exercise/{exercise_id}", errors={403: ["forbidden"]})
def delete_exercise(db: Db, exercise_id: UUID) -> Removed:
    """Hide an exercise of the user's own; what uses it keeps it. 403 for a built-in one."""
    return db.one(Removed, "delete_exercise", exercise_id=exercise_id)


@api.post("/exercise/{exercise_id}/restore", errors={409: ["limit_reached"]})
def restore_exercise(db: Db, exercise_id: UUID) -> Exercise:
    """Show a hidden exercise again. 409 limit_reached when there are 500 others."""
    return db.one(Exercise, "restore_exercise", exercise_id=exercise_id)


@api.get("/exercise/{exercise_id}/history")
def exercise_history(db: Db, exercise_id: UUID, query: ExerciseHistoryQuery) -> ExerciseHistory:
    """List the completed sessions with an exercise, the newest first, and its current records."""
    found, rows, sets, records, count = db.each(
        (Exercise, list[SessionRow], list[Set], list[Record], Total),
        "exercise_history",
        exercise_id=exercise_id,
        **query.model_dump(),
    )
    return ExerciseHistory(
        exercise=found,
        sessions=rules.performed(rows, sets),
        records=records,
        total=count.total,
        page=query.page,
        page_size=query.page_size,
    )


@api.post("/exercise/{exercise_id}/merge", errors={403: ["forbidden"]})
def merge_exercise(db: Db, exercise_id: UUID, body: Merging) -> Exercise:
    """Move all of an own exercise to another one, which is returned, and hide it. 403 for a built-in one."""
    return db.one(Exercise, "merge_exercise", exercise_id=exercise_id, into=body.into)


# Workouts -------------------------------------------------------------------------------------------------------------


@api.get("/exercise/workouts")
def workouts(db: Db, query: WorkoutsQuery) -> Workouts:
    """List the user's workouts, the last changed first, whole unless a page is asked for."""
    rows, sections, planned, count = db.each(
        (list[WorkoutRow], list[SectionRow], list[PlannedExercise], Total),
        "workouts",
        **listed(query),
    )
    return Workouts(workouts=rules.workouts(rows, sections, planned), total=count.total)


@api.post("/exercise/workouts", errors={404: ["not_found"], 409: ["limit_reached"]})
def add_workout(db: Db, body: NewWorkout) -> Workout:
    """Add a workout. 404 for an unknown exercise; 409 limit_reached at 500."""
    sent = body.model_dump(exclude={"sections"})
    document = rules.sections_document(body.sections or [])
    return one_workout(db, "add_workout", workout_id=uuid4(), document=document, **sent)


@api.get("/exercise/workouts/{workout_id}")
def workout(db: Db, workout_id: UUID) -> Workout:
    """Return one workout."""
    return one_workout(db, "workout", workout_id=workout_id)


@api.put("/exercise/workouts/{workout_id}", errors={409: ["conflict"]})
def change_workout(db: Db, workout_id: UUID, body: WorkoutChange) -> Workout:
    """Change a workout; sections replace all it has. 404 for an unknown exercise; 409 for the quick workout."""
    document = rules.sections_document(body.sections) if "sections" in body.model_fields_set else None
    return one_workout(db, "change_workout", workout_id=workout_id, changes=body.changes(), document=document)


@api.delete("/exercise/workouts/{workout_id}", errors={409: ["conflict"]})
def delete_workout(db: Db, workout_id: UUID) -> Removed:
    """Hide a workout; its sessions keep it. 409 for the quick workout."""
    return db.one(Removed, "delete_workout", workout_id=workout_id)


@api.post("/exercise/workouts/{workout_id}/restore", errors={409: ["limit_reached"]})
def restore_workout(db: Db, workout_id: UUID) -> Workout:
    """Show a hidden workout again. 409 limit_reached when there are 500 others."""
    return one_workout(db, "restore_workout", workout_id=workout_id)


@api.post("/exercise/workouts/{workout_id}/duplicate", errors={409: ["conflict", "limit_reached"]})
def duplicate_workout(db: Db, workout_id: UUID, body: Duplicating) -> Workout:
    """Copy a workout, under its name and (copy) unless another is sent. 409 for the quick workout, or at 500."""
    return one_workout(db, "duplicate_workout", workout_id=workout_id, new_id=uuid4(), name=body.name)


# Sessions -------------------------------------------------------------------------------------------------------------


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


@api.post("/exercise/sessions/{session_id}/save-as-workout", errors={409: ["conflict", "limit_reached"]})
def save_as_workout(db: Db, session_id: UUID, body: Saving) -> Workout:
    """Make a workout of what was done in a session. 409 conflict when it has no working set."""
    return one_workout(db, "save_as_workout", session_id=session_id, workout_id=uuid4(), name=body.name)


# Records and statistics -----------------------------------------------------------------------------------------------


@api.get("/exercise/records")
def records(db: Db, query: RecordsQuery) -> Records:
    """List the personal records, the newest first; with history=true also those that were beaten since."""
    name = "records_with_history" if query.history else "records"
    page, count = db.each((list[Record], Total), name, **query.model_dump())
    return Records(records=page, total=count.total, page=query.page, page_size=query.page_size)


@api.get("/exercise/stats")
def stats(db: Db, query: StatsQuery) -> Stats:
    """Return what the completed sessions add up to: the last 7 days, all time, the last weeks, the streak in weeks."""
    day, weeks, days, muscles, recent = db.each((Today, list[SpanRow], list[SpanRow], list[Muscle], Total), "stats")
    return rules.stats(day["today"], weeks, days, records=recent.total, muscles=muscles, shown=query.weeks)


@api.get("/exercise/history")
def history(db: Db, query: DailyHistoryQuery) -> DailyHistory:
    """Return the days with a workout among the last `days`."""
    day, days = db.each((Today, list[SpanRow]), "history", days=query.days)
    return rules.history(day["today"], days, query.days)


@api.post("/exercise/import", errors={409: ["conflict", "limit_reached"]})
def import_sessions(db: Db, request: Request, query: ImportQuery, content: bytes) -> SessionsReport:
    """Take the workouts of a Strong or Hevy export, sent as it is or as {"csv": text}. Nothing is paid for them.

    Two trips: what is there decides, workout by workout, what is written. 409 limit_reached when there would be more
    than 500 exercises of the user's own, conflict when other changes keep coming in between.
    """
    from questlog.importing.requests import sent_csv  # noqa: PLC0415 - only who imports pays for it

    from functions.exercise import importing  # noqa: PLC0415 - only who imports pays for it

    sent, history = sent_csv(db, request, content), None
    for _ in range(ATTEMPTS):
        standing, held, deleted, library = db.each(
            (importing.Standing, list[importing.Held], list[importing.Key], list[importing.ExerciseRow]), "importable"
        )
        history = history or importing.read(sent, query)
        plan = importing.planned(history, standing, held, deleted, library)
        if not plan.writes:
            return plan.report(history, 0, dry_run=query.dry_run)
        (done,) = db.each(
            (importing.Written,), "import", version=standing.version, rows=plan.rows, dry_run=query.dry_run
        )
        if done.written:
            return plan.report(history, done.records or 0, dry_run=query.dry_run)
    raise Conflict("conflict", "Other changes to sessions and exercises keep coming in between; try again.")


@api.get("/exercise/export.csv", errors={413: ["answer_too_large"]})
def export(db: Db, query: ExportQuery) -> Response:
    """Return the completed sessions as CSV in Hevy's columns, in kg and km, the newest first."""
    from functions.exercise import exporting  # noqa: PLC0415 - only who exports pays for it

    clock, rows, sets = db.each((exporting.Zone, list[SessionRow], list[Set]), "export", **query.model_dump())
    return exporting.attached(rules.sessions(rows, sets), clock.zone)


handler = api.handler


# What several routes do -----------------------------------------------------------------------------------------------


def listed(query: ExercisesQuery | WorkoutsQuery) -> dict[str, Any]:
    """What a list is asked for: its filters, the words to be found in the names, and the rows."""
    filters = query.model_dump(exclude={"search", "page", "page_size"})
    return {**filters, "words": query.search.split(), **query.bounds}


def one_workout(db: Db, name: str, /, **parameters: Any) -> Workout:
    """The workout that a statement ends with."""
    row, sections, planned = db.each(WORKOUT_ROWS, name, **parameters)
    return rules.workouts([row], sections, planned)[0]


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
