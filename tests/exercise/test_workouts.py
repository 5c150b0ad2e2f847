"""Workouts with sections (training contract, 1.3)."""

from typing import Any
from uuid import uuid4

import pytest

from local.clock import Clock
from tests.conftest import Database, User, at_once
from tests.exercise.training import BENCH, PLANK, SQUAT, complete, exercise, log, planned, start, trained, workout

FULL: dict[str, Any] = {
    "name": "Full body",
    "description": "Twice a week",
    "duration_minutes": 60,
    "difficulty": "beginner",
    "workout_type": "mixed",
    "is_template": True,
    "sections": [
        {
            "name": "Warm",
            "section_type": "warmup",
            "exercises": [
                {
                    "exercise_id": PLANK,
                    "sets": 50,
                    "reps_min": None,
                    "reps_max": None,
                    "weight_kg": None,
                    "duration_seconds": 86_400,
                    "rest_seconds": 0,
                    "notes": "breathe",
                }
            ],
        },
        {"name": "Empty", "section_type": "superset", "exercises": []},
        {
            "name": "Work",
            "section_type": "main",
            "exercises": [
                {
                    "exercise_id": exercise_id,
                    "sets": 1,
                    "reps_min": 5,
                    "reps_max": 5,
                    "weight_kg": -12.345,
                    "duration_seconds": None,
                    "rest_seconds": 3_600,
                    "notes": None,
                }
                for exercise_id in (SQUAT, BENCH, SQUAT)
            ],
        },
    ],
}


def as_sent(shown: dict[str, Any]) -> dict[str, Any]:
    """A workout as it was sent, after a look at what is numbered in it."""
    sections = []
    for place, section in enumerate(shown["sections"]):
        assert section["sort_order"] == place
        assert [one["sort_order"] for one in section["exercises"]] == list(range(len(section["exercises"])))
        own = {name: section[name] for name in ("name", "section_type")}
        unsent = ("id", "exercise_name", "sort_order")
        exercises = [{name: one[name] for name in one if name not in unsent} for one in section["exercises"]]
        sections.append(own | {"exercises": exercises})
    return {name: shown[name] for name in FULL if name != "sections"} | {"sections": sections}


def test_a_workout_comes_back_exactly_as_sent(user: User) -> None:
    made = user.post("/exercise/workouts", FULL).data
    assert as_sent(made) == FULL
    assert user.get(f"/exercise/workouts/{made['id']}").data == made
    assert user.get("/exercise/workouts").data == {"workouts": [made], "total": 1}
    assert [one["exercise_name"] for one in made["sections"][2]["exercises"]] == [
        *("Barbell Squat", "Barbell Bench Press - Medium Grip", "Barbell Squat"),
    ]
    assert (made["is_quick"], made["times_performed"], made["last_performed_at"]) == (False, 0, None)
    other = {**FULL, "name": "Other", "sections": FULL["sections"][::-1]}
    assert as_sent(user.put(f"/exercise/workouts/{made['id']}", other).data) == other


def test_what_is_left_out_has_its_default(user: User) -> None:
    made = user.post("/exercise/workouts", {"name": " A ", "description": None, "is_template": None}).data
    assert as_sent(made) == {
        "name": "A",
        "description": None,
        "duration_minutes": None,
        "difficulty": "intermediate",
        "workout_type": "strength",
        "is_template": False,
        "sections": [],
    }


def test_a_change_keeps_what_is_absent(user: User) -> None:
    made = user.post("/exercise/workouts", FULL).data
    path = f"/exercise/workouts/{made['id']}"
    assert as_sent(user.put(path, {"description": None}).data) == {**FULL, "description": None}
    assert user.put(path, {"sections": []}).data["sections"] == []
    user.put(path, {"name": None}).invalid("name")
    user.put(path, {"sections": None}).invalid("sections")


def one(**fields: Any) -> list[dict[str, Any]]:
    return [{"name": "Main", "section_type": "main", "exercises": [planned(**fields)]}]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"description": "x" * 2_001}, "description"),
        ({"duration_minutes": 0}, "duration_minutes"),
        ({"duration_minutes": 1_441}, "duration_minutes"),
        ({"difficulty": "expert"}, "difficulty"),
        ({"workout_type": "yoga"}, "workout_type"),
        ({"is_template": "true"}, "is_template"),
        ({"sections": [{"name": "A", "section_type": "main"}] * 21}, "sections"),
        ({"sections": [{"name": "A", "section_type": "rest"}]}, "sections.0.section_type"),
        ({"sections": [{"section_type": "main"}]}, "sections.0.name"),
        ({"sections": [{"name": "A", "section_type": "main", "exercises": [planned()] * 101}]}, "sections.0.exercises"),
        ({"sections": one(sets=0)}, "sections.0.exercises.0.sets"),
        ({"sections": one(sets=51)}, "sections.0.exercises.0.sets"),
        ({"sections": one(reps_min=0)}, "sections.0.exercises.0.reps_min"),
        ({"sections": one(reps_max=1_001)}, "sections.0.exercises.0.reps_max"),
        ({"sections": one(reps_min=6, reps_max=5)}, "sections.0.exercises.0"),
        ({"sections": one(weight_kg=2_000.5)}, "sections.0.exercises.0.weight_kg"),
        ({"sections": one(weight_kg=-500.5)}, "sections.0.exercises.0.weight_kg"),
        ({"sections": one(weight_kg="5")}, "sections.0.exercises.0.weight_kg"),
        ({"sections": one(duration_seconds=0)}, "sections.0.exercises.0.duration_seconds"),
        ({"sections": one(rest_seconds=3_601)}, "sections.0.exercises.0.rest_seconds"),
        ({"sections": one(notes="x" * 501)}, "sections.0.exercises.0.notes"),
        ({"sections": one(exercise_id="x")}, "sections.0.exercises.0.exercise_id"),
    ],
)
def test_bad_input_names_its_field(user: User, fields: dict[str, Any], named: str) -> None:
    user.post("/exercise/workouts", {"name": "A"} | fields).invalid(named)
    assert user.get("/exercise/workouts").data["total"] == 0
    path = f"/exercise/workouts/{workout(user)['id']}"
    user.put(path, fields).invalid(named)


def test_a_hundred_exercises_in_all_sections(user: User) -> None:
    sections = [{"name": name, "section_type": "main", "exercises": [planned()] * 50} for name in ("A", "B")]
    made = user.post("/exercise/workouts", {"name": "Long", "sections": sections}).data
    assert [len(section["exercises"]) for section in made["sections"]] == [50, 50]
    too_many = [*sections, sections[0] | {"exercises": [planned()]}]
    user.post("/exercise/workouts", {"name": "Longer", "sections": too_many}).refused(400, "validation_error")
    user.put(f"/exercise/workouts/{made['id']}", {"sections": too_many}).refused(400, "validation_error")
    assert user.get(f"/exercise/workouts/{made['id']}").data == made


def test_a_deleted_exercise_stays_where_it_was_alone(user: User) -> None:
    own = exercise(user)["id"]
    made, other = workout(user, planned(own), planned()), workout(user, planned())
    user.delete(f"/exercise/{own}")
    copy = user.post(f"/exercise/workouts/{made['id']}/duplicate").data
    assert [one["exercise_id"] for one in copy["sections"][0]["exercises"]] == [own, SQUAT]
    sections = [{"name": "Main", "section_type": "main", "exercises": [planned(own)]}]
    user.put(f"/exercise/workouts/{other['id']}", {"sections": sections}).refused(404, "not_found")
    assert user.get(f"/exercise/workouts/{other['id']}").data == other


def test_one_unknown_exercise_stores_nothing(user: User, database: Database) -> None:
    sections = [{"name": "A", "section_type": "main", "exercises": [planned(), planned(str(uuid4()))]}]
    user.post("/exercise/workouts", {"name": "A", "sections": sections}).refused(404, "not_found")
    assert user.get("/exercise/workouts").data["total"] == 0
    made = workout(user, planned())
    user.put(f"/exercise/workouts/{made['id']}", {"name": "B", "sections": sections}).refused(404, "not_found")
    assert user.get(f"/exercise/workouts/{made['id']}").data == made


def test_lists(user: User, clock: Clock) -> None:
    names = ["Push day", "Pull day", "Run"]
    for name in names:
        clock.advance("PT1S")
        workout(user, planned(), name=name, workout_type="cardio" if name == "Run" else "strength")
    template = workout(user, name="Push template", is_template=True)["id"]

    def shown(**query: Any) -> list[str]:
        return [one["name"] for one in user.get("/exercise/workouts", query=query).data["workouts"]]

    assert shown() == ["Push template", "Run", "Pull day", "Push day"]
    assert shown(workout_type="cardio") == ["Run"]
    assert shown(is_template="true") == ["Push template"]
    assert shown(search="DAY pu") == ["Pull day", "Push day"]
    assert shown(search="%") == []
    assert shown(page=2, page_size=3) == ["Push day"]
    page = user.get("/exercise/workouts", query={"page": 2, "page_size": 3}).data
    assert (page["total"], page["page"], page["page_size"]) == (4, 2, 3)
    assert set(user.get("/exercise/workouts").data) == {"workouts", "total"}
    clock.advance("PT1S")
    user.delete(f"/exercise/workouts/{template}")
    assert shown(deleted="true") == ["Push template"]
    assert shown() == ["Run", "Pull day", "Push day"]
    user.get("/exercise/workouts", query={"workout_type": "x"}).invalid("workout_type")


def test_deleting_and_restoring_loses_nothing(user: User) -> None:
    made = workout(user, planned())
    path = f"/exercise/workouts/{made['id']}"
    session = trained(user, workout_id=made["id"])["session_id"]
    before = user.get(path).data
    assert user.delete(path).data == {"deleted": True}
    for answer in (user.get(path), user.delete(path), user.put(path, {"name": "B"}), user.post(f"{path}/duplicate")):
        answer.refused(404, "not_found")
    user.post("/exercise/sessions/start", {"workout_id": made["id"]}).refused(404, "not_found")
    assert user.get(f"/exercise/sessions/{session}").data["workout_name"] == "Legs"
    restored = user.post(f"{path}/restore").data
    assert restored == before | {"updated_at": restored["updated_at"]}
    assert user.post(f"{path}/restore").data == restored


def test_a_copy_is_a_workout_of_its_own(user: User) -> None:
    made = user.post("/exercise/workouts", FULL).data
    copy = user.post(f"/exercise/workouts/{made['id']}/duplicate").data
    assert as_sent(copy) == {**FULL, "name": "Full body (copy)"}
    assert copy["id"] != made["id"]
    assert user.post(f"/exercise/workouts/{made['id']}/duplicate", {"name": "B"}).data["name"] == "B"
    user.put(f"/exercise/workouts/{copy['id']}", {"sections": []})
    assert user.get(f"/exercise/workouts/{made['id']}").data == made
    long = workout(user, name="x" * 120)["id"]
    assert user.post(f"/exercise/workouts/{long}/duplicate").data["name"] == "x" * 120


def test_the_quick_workout_is_one_and_never_listed(user: User) -> None:
    started = at_once(4, lambda: user.post("/exercise/sessions/start"))
    quick = {answer.data["workout_id"] for answer in started}
    assert len(quick) == 1
    path = f"/exercise/workouts/{quick.pop()}"
    shown = user.get(path).data
    assert (shown["is_quick"], shown["name"], shown["sections"]) == (True, "Quick workout", [])
    assert user.get("/exercise/workouts").data["total"] == 0
    for answer in (user.put(path, {"name": "B"}), user.delete(path), user.post(f"{path}/duplicate")):
        answer.refused(409, "conflict")
    assert user.get(path).data == shown


def test_performing_counts_and_is_no_change(user: User) -> None:
    made = workout(user, planned())
    trained(user, workout_id=made["id"])
    second = trained(user, workout_id=made["id"])
    start(user, workout_id=made["id"])
    shown = user.get(f"/exercise/workouts/{made['id']}").data
    assert (shown["times_performed"], shown["updated_at"]) == (2, made["updated_at"])
    assert shown["last_performed_at"] == second["session"]["completed_at"]
    complete(user)
    user.delete(f"/exercise/sessions/{second['session_id']}")
    assert user.get(f"/exercise/workouts/{made['id']}").data["times_performed"] == 2


def test_someone_elses_workout_is_not_there(user: User, other: User) -> None:
    path = f"/exercise/workouts/{workout(other, planned())['id']}"
    for answer in (
        user.get(path),
        user.put(path, {"name": "B"}),
        user.delete(path),
        user.post(f"{path}/restore"),
        user.post(f"{path}/duplicate"),
        user.post("/exercise/sessions/start", {"workout_id": path.rpartition("/")[2]}),
    ):
        answer.refused(404, "not_found")


def test_five_hundred_workouts_are_enough(user: User, database: Database) -> None:
    first = workout(user)["id"]
    database.query(
        "INSERT INTO workouts (user_id, name) SELECT %s, 'W' || n FROM generate_series(1, 498) AS n RETURNING id",
        user.id,
    )
    answers = at_once(3, lambda: user.post("/exercise/workouts", {"name": "X"}))
    assert sorted(answer.status for answer in answers) == [200, 409, 409]
    assert user.post("/exercise/workouts", {"name": "X"}).refused(409, "limit_reached") == {"limit": 500}
    user.post(f"/exercise/workouts/{first}/duplicate").refused(409, "limit_reached")
    session = trained(user)["session_id"]
    user.post(f"/exercise/sessions/{session}/save-as-workout", {"name": "X"}).refused(409, "limit_reached")
    user.delete(f"/exercise/workouts/{first}")
    workout(user)
    user.post(f"/exercise/workouts/{first}/restore").refused(409, "limit_reached")


def test_a_session_becomes_a_workout(user: User) -> None:
    own = exercise(user)["id"]
    sets = [
        {"reps": 8, "weight_kg": 60, "is_warmup": True},
        {"reps": 5, "weight_kg": 100},
        {"reps": 3, "weight_kg": 110},
        {"exercise_id": own, "duration_seconds": 45},
        {"reps": 6, "weight_kg": 90},
    ]
    session = trained(user, *sets)["session_id"]
    made = user.post(f"/exercise/sessions/{session}/save-as-workout", {"name": "Again"}).data
    [section] = made["sections"]
    kept = ("exercise_id", "sets", "reps_min", "reps_max", "weight_kg", "duration_seconds")
    assert (made["name"], section["section_type"]) == ("Again", "main")
    assert [tuple(one[name] for name in kept) for one in section["exercises"]] == [
        (SQUAT, 3, 3, 6, 90, None),
        (own, 1, None, None, None, 45),
    ]
    user.post(f"/exercise/sessions/{session}/save-as-workout", {}).invalid("name")
    warm = trained(user, {"reps": 8, "is_warmup": True})["session_id"]
    user.post(f"/exercise/sessions/{warm}/save-as-workout", {"name": "X"}).refused(409, "conflict")
    user.post(f"/exercise/sessions/{uuid4()}/save-as-workout", {"name": "X"}).refused(404, "not_found")


def test_a_session_of_more_than_a_workout_can_say_is_cut(user: User) -> None:
    session = start(user)
    for _ in range(51):
        log(user, reps=10_000, weight_kg=1)
    complete(user)
    made = user.post(f"/exercise/sessions/{session}/save-as-workout", {"name": "Long"}).data
    [one] = made["sections"][0]["exercises"]
    assert (one["sets"], one["reps_min"], one["reps_max"], one["weight_kg"]) == (50, 1_000, 1_000, 1)
