"""The routes of workouts."""

from typing import Any
from uuid import UUID, uuid4

from questlog.api import Api
from questlog.db import Db
from questlog.wire import Total

from functions.exercise import rules
from functions.exercise.models import Removed
from functions.exercise.workout_models import (
    Duplicating,
    NewWorkout,
    PlannedExercise,
    Saving,
    SectionRow,
    Workout,
    WorkoutChange,
    WorkoutRow,
    Workouts,
    WorkoutsQuery,
)

api = Api(__file__, queries="workouts.sql")

WORKOUT_ROWS = (WorkoutRow, list[SectionRow], list[PlannedExercise])


@api.get("/exercise/workouts")
def workouts(db: Db, query: WorkoutsQuery) -> Workouts:
    """List the user's workouts, the last changed first, whole unless a page is asked for."""
    rows, sections, planned, count = db.each(
        (list[WorkoutRow], list[SectionRow], list[PlannedExercise], Total),
        "workouts",
        **rules.listed(query),
    )
    return Workouts(workouts=rules.workouts(rows, sections, planned), total=count.total, **query.place)


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


@api.post("/exercise/sessions/{session_id}/save-as-workout", errors={409: ["conflict", "limit_reached"]})
def save_as_workout(db: Db, session_id: UUID, body: Saving) -> Workout:
    """Make a workout of what was done in a session. 409 conflict when it has no working set."""
    return one_workout(db, "save_as_workout", session_id=session_id, workout_id=uuid4(), name=body.name)


def one_workout(db: Db, name: str, /, **parameters: Any) -> Workout:
    """The workout that a statement ends with."""
    row, sections, planned = db.each(WORKOUT_ROWS, name, **parameters)
    return rules.workouts([row], sections, planned)[0]
