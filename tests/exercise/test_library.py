"""The library: built-in exercises for everyone, and the user's own (training contract, 1.2)."""

from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import Database, NewUser, User, at_once
from tests.exercise.training import BENCH, PLANK, SQUAT, built_in, exercise, log, planned, start, trained, workout

FIELDS = {
    *("id", "slug", "name", "category", "muscle_groups", "primary_muscles", "secondary_muscles", "equipment"),
    *("description", "instructions", "force", "level", "mechanic", "is_builtin", "created_at"),
}


def listed(user: User, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = user.get("/exercise", query=query).data["exercises"]
    return found


def test_the_list_has_all_built_in_exercises_by_name(user: User) -> None:
    data = user.get("/exercise").data
    assert data["total"] == len(data["exercises"]) == 873
    names = [one["name"].lower() for one in data["exercises"]]
    assert names == sorted(names)
    assert all(set(one) == FIELDS and one["is_builtin"] for one in data["exercises"])
    squat = next(one for one in data["exercises"] if one["slug"] == "barbell-squat")
    assert {name: squat[name] for name in FIELDS - {"created_at"}} == {
        "id": built_in("barbell-squat"),
        "slug": "barbell-squat",
        "name": "Barbell Squat",
        "category": "strength",
        "muscle_groups": ["quadriceps", "calves", "glutes", "hamstrings", "lower back"],
        "primary_muscles": ["quadriceps"],
        "secondary_muscles": ["calves", "glutes", "hamstrings", "lower back"],
        "equipment": ["barbell"],
        "description": None,
        "instructions": None,
        "force": "push",
        "level": "beginner",
        "mechanic": "compound",
        "is_builtin": True,
    }


def test_the_list_is_not_sent_twice(user: User) -> None:
    first = user.get("/exercise", query={"category": "cardio"})
    again = user.get("/exercise", query={"category": "cardio"}, headers={"if-none-match": first.headers["etag"]})
    assert (again.status, again.text) == (304, "")
    exercise(user, category="cardio")
    assert user.get("/exercise", query={"category": "cardio"}, headers={"if-none-match": first.headers["etag"]}).data


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ({"category": "Cardio"}, lambda one: one["category"] == "cardio"),
        ({"muscle": "CALVES"}, lambda one: "calves" in one["muscle_groups"]),
        ({"equipment": "barbell"}, lambda one: one["equipment"] == ["barbell"]),
        ({"level": "Expert"}, lambda one: one["level"] == "expert"),
        ({"search": "press BENCH"}, lambda one: "press" in one["name"].lower() and "bench" in one["name"].lower()),
        ({"custom": "false"}, lambda one: one["is_builtin"]),
        ({"custom": "true"}, lambda one: not one["is_builtin"]),
        (
            {"muscle": "chest", "equipment": "dumbbell", "search": "incline"},
            lambda one: (
                "chest" in one["muscle_groups"] and one["equipment"] == ["dumbbell"] and "Incline" in one["name"]
            ),
        ),
    ],
)
def test_filters_find_exactly_what_fits(user: User, query: dict[str, str], holds: Any) -> None:
    exercise(user, muscle_groups=["Calves"])
    everything = listed(user)
    assert listed(user, **query) == [one for one in everything if holds(one)]
    assert listed(user, **query)


def test_signs_of_like_are_ordinary(user: User) -> None:
    exercise(user, name="100% effort_set")
    assert [one["name"] for one in listed(user, search="% t_s")] == ["100% effort_set"]
    assert listed(user, search="_") == listed(user, search="effort_set")


def test_pages_are_given_when_they_are_asked_for(user: User) -> None:
    whole = listed(user)
    data = user.get("/exercise", query={"page": 2}).data
    assert data == {"exercises": whole[20:40], "total": 873, "page": 2, "page_size": 20}
    assert set(user.get("/exercise").data) == {"exercises", "total"}
    assert listed(user, page_size=100) == whole[:100]
    assert listed(user, page=100) == []
    for query in ({"page": 0}, {"page_size": 101}, {"page_size": 0}, {"custom": "yes"}):
        user.get("/exercise", query=query).invalid(*query)


def test_an_own_exercise_comes_back_as_sent(user: User) -> None:
    made = exercise(
        user,
        name="  Wall sit ",
        category=" Balance ",
        muscle_groups=["Quadriceps", "glutes", "QUADRICEPS", "calves"],
        secondary_muscles=["Glutes", "abs"],
        equipment=["Wall"],
        description=" d ",
        instructions="",
        force="static",
        level="beginner",
        mechanic=None,
    )
    assert made | {"id": 0, "created_at": 0} == {
        "id": 0,
        "slug": None,
        "name": "Wall sit",
        "category": "balance",
        "muscle_groups": ["quadriceps", "calves", "glutes", "abs"],
        "primary_muscles": ["quadriceps", "calves"],
        "secondary_muscles": ["glutes", "abs"],
        "equipment": ["wall"],
        "description": "d",
        "instructions": None,
        "force": "static",
        "level": "beginner",
        "mechanic": None,
        "is_builtin": False,
        "created_at": 0,
    }
    assert user.get(f"/exercise/{made['id']}").data == made
    assert listed(user, custom="true") == [made]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("name", " "), ("name", "x" * 121), ("name", 5), ("category", ""), ("category", "x" * 41)),
        *(("muscle_groups", ["x"] * 21), ("muscle_groups", [""]), ("equipment", "barbell"), ("equipment", ["x" * 41])),
        *(("description", "x" * 2_001), ("instructions", "x" * 10_001), ("force", "jump"), ("level", "pro")),
        ("mechanic", True),
    ],
)
def test_bad_input_names_its_field(user: User, field: str, value: Any) -> None:
    answer = user.post("/exercise", {"name": "X", "category": "y", field: value})
    named = {entry["field"].split(".")[0] for entry in answer.refused(400, "validation_error")["fields"]}
    assert named == {field}
    own = exercise(user)["id"]
    answer = user.put(f"/exercise/{own}", {field: value})
    assert {entry["field"].split(".")[0] for entry in answer.refused(400, "validation_error")["fields"]} == {field}
    user.post("/exercise", {}).invalid("name", "category")


def test_a_change_keeps_what_is_absent_and_clears_what_is_null(user: User) -> None:
    made = exercise(user, muscle_groups=["a", "b", "c"], secondary_muscles=["c", "d"], description="x", force="pull")
    path = f"/exercise/{made['id']}"
    assert user.put(path, {}).data == made
    assert user.put(path, {"description": None, "name": "New"}).data == made | {"description": None, "name": "New"}
    user.put(path, {"name": None}).invalid("name")
    user.put(path, {"muscle_groups": None}).invalid("muscle_groups")
    data = user.put(path, {"muscle_groups": ["a", "d"]}).data
    assert (data["primary_muscles"], data["secondary_muscles"]) == (["a"], ["d"])
    data = user.put(path, {"secondary_muscles": ["a"]}).data
    assert (data["primary_muscles"], data["secondary_muscles"]) == (["d"], ["a"])
    assert user.put(path, {"secondary_muscles": []}).data["primary_muscles"] == ["d", "a"]


def test_a_deleted_exercise_is_hidden_and_kept_where_it_is_used(user: User) -> None:
    own = exercise(user)["id"]
    plan = workout(user, planned(own))
    session = trained(user, {"exercise_id": own}, workout_id=plan["id"])["session_id"]
    assert user.delete(f"/exercise/{own}").data == {"deleted": True}
    for answer in (
        user.delete(f"/exercise/{own}"),
        user.get(f"/exercise/{own}"),
        user.put(f"/exercise/{own}", {"name": "X"}),
        user.get(f"/exercise/{own}/history"),
    ):
        answer.refused(404, "not_found")
    assert listed(user, custom="true") == []
    assert (
        user.get(f"/exercise/workouts/{plan['id']}").data["sections"][0]["exercises"][0]["exercise_name"] == "Wall sit"
    )
    assert user.get(f"/exercise/sessions/{session}").data["sets"][0]["exercise_name"] == "Wall sit"
    made = user.get("/exercise/records", query={"exercise_id": own}).data["records"]
    assert {one["exercise_name"] for one in made} == {"Wall sit"}
    # It cannot be added or logged anew, but where it was.
    user.post("/exercise/workouts", {"name": "X", "sections": plan_of(own)}).refused(404, "not_found")
    start(user)
    user.post("/exercise/sessions/log-set", {"exercise_id": own, "reps": 1}).refused(404, "not_found")
    user.post(f"/exercise/sessions/{user.get('/exercise/sessions/active').data['id']}/abandon")
    start(user, workout_id=plan["id"])
    assert log(user, own)["set"]["exercise_name"] == "Wall sit"
    assert user.put(f"/exercise/workouts/{plan['id']}", {"sections": plan_of(own)}).status == 200
    assert user.post(f"/exercise/{own}/restore").data["id"] == own
    assert user.post(f"/exercise/{own}/restore").data["id"] == own
    assert len(listed(user, custom="true")) == 1


def plan_of(exercise_id: str) -> list[dict[str, Any]]:
    return [{"name": "Main", "section_type": "main", "exercises": [planned(exercise_id)]}]


def test_built_in_exercises_are_not_changed(user: User, database: Database) -> None:
    for answer in (
        user.put(f"/exercise/{SQUAT}", {"name": "Mine"}),
        user.delete(f"/exercise/{SQUAT}"),
        user.post(f"/exercise/{SQUAT}/merge", {"into": BENCH}),
    ):
        answer.refused(403, "forbidden")
    assert user.post(f"/exercise/{SQUAT}/restore").data["name"] == "Barbell Squat"
    assert database.query("SELECT count(*) AS n FROM exercises WHERE is_builtin AND deleted_at IS NULL")[0]["n"] == 873


def test_someone_elses_exercise_is_not_there(user: User, other: User) -> None:
    own = exercise(other)["id"]
    for answer in (
        user.get(f"/exercise/{own}"),
        user.put(f"/exercise/{own}", {"name": "Mine"}),
        user.delete(f"/exercise/{own}"),
        user.post(f"/exercise/{own}/restore"),
        user.get(f"/exercise/{own}/history"),
        user.post(f"/exercise/{own}/merge", {"into": SQUAT}),
        user.post(f"/exercise/{exercise(user)['id']}/merge", {"into": own}),
        user.post("/exercise/workouts", {"name": "X", "sections": plan_of(own)}),
    ):
        answer.refused(404, "not_found")
    start(user)
    user.post("/exercise/sessions/log-set", {"exercise_id": own, "reps": 1}).refused(404, "not_found")
    assert listed(user, custom="true", search="Wall") != listed(other, custom="true", search="Wall")


def test_five_hundred_own_exercises_are_enough(user: User, database: Database) -> None:
    own = exercise(user)["id"]
    database.query(
        "INSERT INTO exercises (owner_id, name, category)"
        " SELECT %s, 'E' || n, 'x' FROM generate_series(1, 498) AS n RETURNING id",
        user.id,
    )
    answers = at_once(3, lambda: user.post("/exercise", {"name": "X", "category": "y"}))
    assert sorted(answer.status for answer in answers) == [200, 409, 409]
    assert user.post("/exercise", {"name": "X", "category": "y"}).refused(409, "limit_reached") == {"limit": 500}
    user.delete(f"/exercise/{own}")
    exercise(user)
    user.post(f"/exercise/{own}/restore").refused(409, "limit_reached")


def test_the_list_of_the_release_is_what_a_migrated_database_has(
    new_user: NewUser, user: User, database: Database
) -> None:
    admin = new_user(role="admin")
    assert admin.post("/exercise/seed").data == {"seeded": 0, "total": 873}
    user.post("/exercise/seed").refused(403, "forbidden")
    database.query(
        "UPDATE exercises SET name = 'X', force = NULL WHERE slug IN ('plank', 'barbell-squat') RETURNING id"
    )
    assert admin.post("/exercise/seed").data == {"seeded": 2, "total": 873}
    assert user.get(f"/exercise/{PLANK}").data["name"] == "Plank"


# Merging ----------------------------------------------------------------------------------------------------------


def test_merging_moves_everything(user: User) -> None:
    own, target = exercise(user)["id"], exercise(user, name="Target")["id"]
    plan = workout(user, planned(own), planned(target))
    start(user, workout_id=plan["id"])
    log(user, target, set_number=1, reps=5, weight_kg=50)
    log(user, own, set_number=1, reps=6, weight_kg=60)
    log(user, own, set_number=3, reps=7, weight_kg=40)
    session = user.post("/exercise/sessions/complete").data["session_id"]
    assert user.post(f"/exercise/{own}/merge", {"into": target}).data["id"] == target
    sets = user.get(f"/exercise/sessions/{session}").data["sets"]
    assert {one["exercise_id"] for one in sets} == {target}
    assert [(one["set_number"], one["reps"]) for one in sets] == [(1, 5), (4, 6), (3, 7)]
    shown = user.get(f"/exercise/workouts/{plan['id']}").data["sections"][0]["exercises"]
    assert [one["exercise_id"] for one in shown] == [target, target]
    history = user.get(f"/exercise/{target}/history").data
    assert (history["total"], len(history["sessions"][0]["sets"])) == (1, 3)
    assert {record["record_type"]: record["value"] for record in history["records"]} == {
        "max_weight": 60,
        "est_1rm": 72,
        "max_volume": 360,
    }
    user.get(f"/exercise/{own}").refused(404, "not_found")


def test_merging_into_a_built_in_exercise(user: User) -> None:
    """Sets of many sessions move, and the records are those of all sets together. Of merges at once one does it."""
    own = exercise(user)["id"]
    plan = workout(user, planned(own))
    trained(user, {"exercise_id": own, "reps": 5, "weight_kg": 90}, workout_id=plan["id"])
    trained(user, {"reps": 5, "weight_kg": 100}, {"exercise_id": own, "reps": 5, "weight_kg": 110})
    answers = at_once(3, lambda: user.post(f"/exercise/{own}/merge", {"into": SQUAT}))
    assert sorted(answer.status for answer in answers) == [200, 404, 404]
    made = user.get("/exercise/records", query={"history": "true", "record_type": "max_weight"}).data["records"]
    assert [(one["exercise_id"], one["value"], one["previous_value"]) for one in made] == [
        (SQUAT, 110, 100),
        (SQUAT, 100, 90),
        (SQUAT, 90, None),
    ]
    assert user.get(f"/exercise/{SQUAT}/history").data["total"] == 2
    [planned_one] = user.get(f"/exercise/workouts/{plan['id']}").data["sections"][0]["exercises"]
    assert (planned_one["exercise_id"], planned_one["exercise_name"]) == (SQUAT, "Barbell Squat")


def test_what_cannot_be_merged(user: User) -> None:
    own = exercise(user)["id"]
    user.post(f"/exercise/{own}/merge", {"into": own}).invalid("into")
    user.post(f"/exercise/{own}/merge", {}).invalid("into")
    user.post(f"/exercise/{own}/merge", {"into": "x"}).invalid("into")
    user.post(f"/exercise/{own}/merge", {"into": str(uuid4())}).refused(404, "not_found")
    user.post(f"/exercise/{uuid4()}/merge", {"into": SQUAT}).refused(404, "not_found")
    user.delete(f"/exercise/{own}")
    user.post(f"/exercise/{own}/merge", {"into": SQUAT}).refused(404, "not_found")
    user.post(f"/exercise/{exercise(user)['id']}/merge", {"into": own}).refused(404, "not_found")
