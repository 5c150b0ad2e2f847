"""The routes of the library: built-in exercises, and the user's own."""

from uuid import UUID

from questlog.api import Api, Tool
from questlog.db import Db
from questlog.wire import Total

from functions.exercise import rules
from functions.exercise.library_models import (
    Exercise,
    ExerciseChange,
    Exercises,
    ExercisesQuery,
    Merging,
    NewExercise,
    Seeded,
)
from functions.exercise.models import Removed

api = Api(__file__, queries="library.sql")


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
    asked = rules.listed(query)
    if asked["limit"] is None:
        found = db.many(Exercise, "exercises", **asked)
        return Exercises(exercises=found, total=len(found))
    page, count = db.each((list[Exercise], Total), "exercises_page", **asked)
    return Exercises(exercises=page, total=count.total, **query.place)


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


@api.post("/exercise/{exercise_id}/merge", errors={403: ["forbidden"]})
def merge_exercise(db: Db, exercise_id: UUID, body: Merging) -> Exercise:
    """Move all of an own exercise to another one, which is returned, and hide it. 403 for a built-in one."""
    return db.one(Exercise, "merge_exercise", exercise_id=exercise_id, into=body.into)
