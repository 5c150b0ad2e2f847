"""The programs to begin with: listed, adopted, trained (training contract, 2)."""

from typing import Any

import pytest

from tests.conftest import Database, User
from tests.exercise.training import built_in, complete, log, start
from tests.programs.training import activated, program, shown, slots, train

PATH = "/exercise/programs"

# Exercise, sets, repetitions from and to, seconds: as the contract lists them.
Planned = tuple[str, int, int | None, int | None, int | None]
EXPECTED: dict[str, dict[str, Any]] = {
    "full_body_start": {
        "size": (6, 3, "beginner", "general"),
        "workouts": [
            [
                ("barbell-squat", 3, 5, 8, None),
                ("barbell-bench-press-medium-grip", 3, 5, 8, None),
                ("seated-cable-rows", 3, 8, 12, None),
                ("plank", 3, None, None, 30),
            ],
            [
                ("romanian-deadlift", 3, 6, 10, None),
                ("standing-military-press", 3, 6, 10, None),
                ("wide-grip-lat-pulldown", 3, 8, 12, None),
                ("crunches", 3, 12, 20, None),
            ],
        ],
        "odd": [0, 1, 0],
        "even": [1, 0, 1],
        "deload": [],
        "section": "main",
    },
    "upper_lower": {
        "size": (8, 4, "intermediate", "hypertrophy"),
        "workouts": [
            [
                ("barbell-bench-press-medium-grip", 4, 6, 10, None),
                ("bent-over-barbell-row", 4, 6, 10, None),
                ("dumbbell-shoulder-press", 3, 8, 12, None),
                ("dumbbell-bicep-curl", 3, 10, 15, None),
                ("triceps-pushdown", 3, 10, 15, None),
            ],
            [
                ("barbell-squat", 4, 5, 8, None),
                ("romanian-deadlift", 3, 8, 12, None),
                ("leg-press", 3, 10, 15, None),
                ("standing-calf-raises", 4, 10, 15, None),
            ],
            [
                ("incline-dumbbell-press", 4, 8, 12, None),
                ("pullups", 4, 5, 10, None),
                ("one-arm-dumbbell-row", 3, 8, 12, None),
                ("face-pull", 3, 12, 20, None),
            ],
            [
                ("barbell-deadlift", 3, 3, 6, None),
                ("dumbbell-lunges", 3, 8, 12, None),
                ("lying-leg-curls", 3, 10, 15, None),
                ("seated-calf-raise", 4, 12, 20, None),
            ],
        ],
        "odd": [0, 1, 2, 3],
        "even": [0, 1, 2, 3],
        "deload": [4, 8],
        "section": "main",
    },
    "home_circuit": {
        "size": (4, 3, "beginner", "endurance"),
        "workouts": [
            [
                ("bodyweight-squat", 3, 12, 20, None),
                ("pushups", 3, 6, 15, None),
                ("butt-lift-bridge", 3, 12, 20, None),
                ("superman", 3, 10, 15, None),
                ("side-bridge", 3, None, None, 30),
                ("mountain-climbers", 3, None, None, 30),
            ]
        ],
        "odd": [0, 0, 0],
        "even": [0, 0, 0],
        "deload": [],
        "section": "circuit",
    },
}


def planned(exercises: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [
        tuple(one[name] for name in ("exercise_id", "sets", "reps_min", "reps_max", "duration_seconds"))
        for one in exercises
    ]


def expected(workout: list[Planned]) -> list[tuple[Any, ...]]:
    return [(built_in(slug), *measures) for slug, *measures in workout]


def adopted(user: User, key: str) -> dict[str, Any]:
    made: dict[str, Any] = user.post(f"{PATH}/from-template", {"template_key": key}).data
    return made


def test_the_templates(user: User) -> None:
    listed = user.get(f"{PATH}/templates").data
    assert (listed["total"], [one["key"] for one in listed["templates"]]) == (3, list(EXPECTED))
    for template in listed["templates"]:
        assert set(template) == {
            *("key", "name", "description", "duration_weeks", "days_per_week", "difficulty", "goal", "workouts")
        }
        wanted = EXPECTED[template["key"]]
        assert tuple(template[f] for f in ("duration_weeks", "days_per_week", "difficulty", "goal")) == wanted["size"]
        assert [planned(one["exercises"]) for one in template["workouts"]] == [expected(w) for w in wanted["workouts"]]
        for workout in template["workouts"]:
            assert set(workout) == {"name", "exercises"}
            for exercise in workout["exercises"]:
                assert set(exercise) == {
                    *("exercise_id", "exercise_name", "sets", "reps_min", "reps_max", "duration_seconds"),
                    "rest_seconds",
                }
                assert 60 <= exercise["rest_seconds"] <= 180
                known = user.get(f"/exercise/{exercise['exercise_id']}").data
                assert (known["name"], known["is_builtin"]) == (exercise["exercise_name"], True)


@pytest.mark.parametrize("key", EXPECTED)
def test_a_template_is_adopted_and_trained_at_once(user: User, key: str) -> None:
    wanted = EXPECTED[key]
    made = adopted(user, key)
    assert shown(user, made) == made
    assert (made["template_key"], made["is_active"], made["started_at"]) == (key, False, None)
    assert tuple(made[f] for f in ("duration_weeks", "days_per_week", "difficulty", "goal")) == wanted["size"]
    workouts = {one["id"]: one for one in user.get("/exercise/workouts").data["workouts"]}
    assert len(workouts) == len(wanted["workouts"])
    for week in made["weeks"]:
        number = week["week_number"]
        assert week["is_deload"] == (number in wanted["deload"])
        assert [slot["day_number"] for slot in week["workouts"]] == list(range(1, made["days_per_week"] + 1))
        for slot, of_day in zip(week["workouts"], wanted["odd" if number % 2 else "even"], strict=True):
            workout = workouts[slot["workout_id"]]
            [section] = workout["sections"]
            assert section["section_type"] == wanted["section"]
            assert planned(section["exercises"]) == expected(wanted["workouts"][of_day])
            assert (slot["workout_name"], slot["status"]) == (workout["name"], "open")
            assert slot["intensity_modifier"] == (0.7 if week["is_deload"] else 1)
    activated(user, made)
    due = user.get(f"{PATH}/active").data["next"]["workouts"]
    started = start(user, program_workout_id=due[0]["id"])
    session = user.get("/exercise/sessions/active").data
    assert (session["id"], session["workout"]) == (started, workouts[due[0]["workout_id"]])
    for exercise in session["workout"]["sections"][0]["exercises"]:
        log(user, exercise["exercise_id"], reps=exercise["reps_min"], duration_seconds=exercise["duration_seconds"])
    done = complete(user)
    assert (done["xp_awarded"], done["program"]["current_day"]) == (50, 2)


def test_adopting_twice_gives_two_programs(user: User) -> None:
    first, second = adopted(user, "home_circuit"), adopted(user, "home_circuit")
    assert not {slot["id"] for slot in slots(first)} & {slot["id"] for slot in slots(second)}
    assert not {slot["workout_id"] for slot in slots(first)} & {slot["workout_id"] for slot in slots(second)}
    train(user, slots(activated(user, first))[0])
    assert shown(user, second) == second


def test_templates_that_there_are_not(user: User) -> None:
    user.post(f"{PATH}/from-template", {"template_key": "nothing"}).refused(404, "not_found")
    for key in (None, "", 5, "x" * 41):
        user.post(f"{PATH}/from-template", {"template_key": key}).invalid("template_key")
    assert user.get(PATH).data["total"] == 0


def test_adopting_stops_at_500_workouts(user: User, database: Database) -> None:
    database.query(
        "INSERT INTO workouts (user_id, name) SELECT %s, 'Workout ' || n FROM generate_series(1, 499) AS n", user.id
    )
    adopting = {"template_key": "full_body_start"}
    assert user.post(f"{PATH}/from-template", adopting).refused(409, "limit_reached") == {"limit": 500}
    assert user.get(PATH).data["total"] == 0
    assert user.get("/exercise/workouts", query={"page_size": 1}).data["total"] == 499
    adopted(user, "home_circuit")


def test_own_programs_have_no_template(user: User) -> None:
    assert program(user)["template_key"] is None
