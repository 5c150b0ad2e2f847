"""/exercise/programs: added, listed, changed, deleted (training contract, 2)."""

from typing import Any
from uuid import uuid4

import pytest

from local.clock import Clock
from tests.conftest import Client, Database, NewUser, User, at_once
from tests.exercise.training import complete, log, start, workout
from tests.programs.training import (
    activated,
    advanced,
    position,
    program,
    shown,
    slots,
    statuses,
    train,
    week,
)

PATH = "/exercise/programs"
FIELDS = {
    *("id", "name", "description", "duration_weeks", "days_per_week", "difficulty", "goal", "is_active", "started_at"),
    *("completed_at", "current_week", "current_day", "total_workouts", "completed_workouts", "progress_percent"),
    *("template_key", "created_at", "updated_at"),
}


def test_a_plain_program(user: User) -> None:
    made = program(user, 3, 2, name=" Strength ", description=" ")
    assert set(made) == FIELDS | {"weeks"}
    assert {name: made[name] for name in FIELDS - {"id", "created_at", "updated_at"}} == {
        "name": "Strength",
        "description": None,
        "duration_weeks": 3,
        "days_per_week": 2,
        "difficulty": "intermediate",
        "goal": "general",
        "is_active": False,
        "started_at": None,
        "completed_at": None,
        "current_week": 1,
        "current_day": 1,
        "total_workouts": 0,
        "completed_workouts": 0,
        "progress_percent": 0,
        "template_key": None,
    }
    assert [one | {"id": 0} for one in made["weeks"]] == [
        {"id": 0, "week_number": n, "name": f"Week {n}", "is_deload": False, "notes": None, "workouts": []}
        for n in (1, 2, 3)
    ]
    assert shown(user, made) == made


def test_a_program_with_weeks_and_slots(user: User) -> None:
    legs, arms = workout(user)["id"], workout(user, name="Arms")["id"]
    weeks = [
        {
            "week_number": 3,
            "name": " Peak ",
            "notes": " heavy ",
            "workouts": [
                {"workout_id": legs, "day_number": 2},
                {"workout_id": arms, "day_number": 1, "intensity_modifier": 1.25},
                {"workout_id": arms, "day_number": 2, "intensity_modifier": None},
            ],
        },
        {"week_number": 1, "name": "", "is_deload": False, "workouts": None},
    ]
    made = program(user, 3, plan=weeks, deload_weeks=[1, 2, 2, 3], difficulty="advanced", goal="power")
    assert (made["difficulty"], made["goal"], made["total_workouts"]) == ("advanced", "power", 3)
    named = [(one["name"], one["is_deload"], one["notes"]) for one in made["weeks"]]
    assert named == [("Week 1", False, None), ("Week 2", True, None), ("Peak", True, "heavy")]
    assert [
        (slot["workout_id"], slot["workout_name"], slot["day_number"], slot["order_index"], slot["intensity_modifier"])
        for slot in made["weeks"][2]["workouts"]
    ] == [(arms, "Arms", 1, 0, 1.25), (legs, "Legs", 2, 0, 0.7), (arms, "Arms", 2, 1, 0.7)]
    assert set(made["weeks"][2]["workouts"][0]) == {
        *("id", "workout_id", "workout_name", "day_number", "order_index", "intensity_modifier", "status"),
        *("session_id", "completed_at"),
    }
    assert statuses(made) == ["open"] * 3
    assert shown(user, made) == made


ANY = "0192f3c4-5a6b-7c8d-9e0f-112233445566"
SLOT: dict[str, Any] = {"workout_id": ANY, "day_number": 1}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"name": None}, "name"),
        ({"duration_weeks": 0}, "duration_weeks"),
        ({"duration_weeks": 53}, "duration_weeks"),
        ({"duration_weeks": "4"}, "duration_weeks"),
        ({"days_per_week": 0}, "days_per_week"),
        ({"days_per_week": 8}, "days_per_week"),
        ({"days_per_week": 1.5}, "days_per_week"),
        ({"description": "x" * 2_001}, "description"),
        ({"difficulty": "hard"}, "difficulty"),
        ({"goal": ""}, "goal"),
        ({"goal": "x" * 121}, "goal"),
        ({"deload_weeks": [3]}, "deload_weeks"),
        ({"deload_weeks": [0]}, "deload_weeks.0"),
        ({"deload_weeks": [1] * 53}, "deload_weeks"),
        ({"weeks": [{"week_number": 3}]}, "weeks"),
        ({"weeks": [{"week_number": 1}, {"week_number": 1}]}, "weeks"),
        ({"weeks": [{}]}, "weeks.0.week_number"),
        ({"weeks": [{"week_number": 1, "name": "x" * 121}]}, "weeks.0.name"),
        ({"weeks": [{"week_number": 1, "notes": "x" * 2_001}]}, "weeks.0.notes"),
        ({"weeks": [{"week_number": 1, "workouts": [SLOT, SLOT]}]}, "weeks.0.workouts"),
        ({"weeks": [{"week_number": 1, "workouts": [SLOT | {"day_number": 3}]}]}, "weeks"),
        ({"weeks": [{"week_number": 1, "workouts": [SLOT | {"day_number": 0}]}]}, "weeks.0.workouts.0.day_number"),
        ({"weeks": [{"week_number": 1, "workouts": [SLOT | {"workout_id": "x"}]}]}, "weeks.0.workouts.0.workout_id"),
        (
            {"weeks": [{"week_number": 1, "workouts": [SLOT | {"intensity_modifier": 0.09}]}]},
            "weeks.0.workouts.0.intensity_modifier",
        ),
        (
            {"weeks": [{"week_number": 1, "workouts": [SLOT | {"intensity_modifier": 2.01}]}]},
            "weeks.0.workouts.0.intensity_modifier",
        ),
        ({"weeks": [{"week_number": 1, "workouts": [SLOT] * 29}]}, "weeks.0.workouts"),
    ],
)
def test_what_a_program_may_not_be(user: User, fields: dict[str, Any], field: str) -> None:
    user.post(PATH, {"name": "Strength", "duration_weeks": 2, "days_per_week": 2} | fields).invalid(field)
    assert user.get(PATH).data["total"] == 0


def test_the_largest_program(user: User, database: Database) -> None:
    made_workouts = [workout(user, name=f"Workout {n}")["id"] for n in range(4)]
    full = [{"workout_id": one, "day_number": day} for day in range(1, 8) for one in made_workouts]
    weeks = [{"week_number": n, "workouts": full} for n in range(1, 53)]
    made = program(user, 52, 7, plan=weeks, name="x" * 120, goal="y" * 120)
    assert made["total_workouts"] == 52 * 28
    assert [slot["order_index"] for slot in made["weeks"][51]["workouts"]] == [0, 1, 2, 3] * 7
    assert user.delete(f"{PATH}/{made['id']}").data == {"deleted": True}


@pytest.mark.parametrize("whose", ["nobody's", "deleted", "another's", "quick"])
def test_workouts_that_a_slot_cannot_be(user: User, other: User, whose: str) -> None:
    if whose == "quick":
        start(user)
        found = user.get("/exercise/sessions/active").data["workout_id"]
    else:
        found = workout(other if whose == "another's" else user)["id"]
    if whose == "deleted":
        user.delete(f"/exercise/workouts/{found}")
    if whose == "nobody's":
        found = str(uuid4())
    body = {"name": "Strength", "duration_weeks": 1, "days_per_week": 1, "weeks": [week([found])]}
    user.post(PATH, body).refused(404, "not_found")
    assert user.get(PATH).data == {"programs": [], "total": 0}
    empty = program(user, 1)
    user.put(f"{PATH}/{empty['id']}/weeks/1", week([found])).refused(404, "not_found")
    assert shown(user, empty) == empty


def test_the_active_one_is_listed_first_then_the_newest(user: User, clock: Clock) -> None:
    made = []
    for name in "abc":
        made.append(program(user, name=name))
        clock.advance("PT1S")
    activated(user, made[1])
    listed = user.get(PATH).data
    assert ([one["name"] for one in listed["programs"]], listed["total"]) == (["b", "c", "a"], 3)
    assert all(set(one) == FIELDS for one in listed["programs"])
    page = user.get(PATH, query={"page": 2, "page_size": 2}).data
    assert ([one["name"] for one in page["programs"]], page["total"], page["page"], page["page_size"]) == (
        ["a"],
        3,
        2,
        2,
    )
    assert user.get(PATH, query={"page": 3}).data == {"programs": [], "total": 3, "page": 3, "page_size": 20}
    assert set(listed) == {"programs", "total"}
    user.get(PATH, query={"page": 0}).invalid("page")
    user.get(PATH, query={"page_size": 101}).invalid("page_size")


def test_a_hundred_programs_and_no_more(user: User) -> None:
    [made, *_] = [program(user, 1, 1) for _ in range(99)]
    body = {"name": "x", "duration_weeks": 1, "days_per_week": 1}
    assert sorted(answer.status for answer in at_once(3, lambda: user.post(PATH, body))) == [200, 409, 409]
    assert user.post(PATH, body).refused(409, "limit_reached") == {"limit": 100}
    adopting = {"template_key": "home_circuit"}
    assert user.post(f"{PATH}/from-template", adopting).refused(409, "limit_reached") == {"limit": 100}
    assert user.get("/exercise/workouts").data["total"] == 0
    assert len(user.get(PATH).data["programs"]) == 100
    user.delete(f"{PATH}/{made['id']}")
    program(user)


# Changed --------------------------------------------------------------------------------------------------------------


def test_what_is_sent_is_changed_and_the_rest_stays(user: User) -> None:
    made = program(user, description="x")
    after = user.put(f"{PATH}/{made['id']}", {"name": "Power", "goal": "power", "is_active": True, "id": ANY}).data
    assert after == made | {"name": "Power", "goal": "power", "updated_at": after["updated_at"]}
    assert user.put(f"{PATH}/{made['id']}", {"description": None}).data["description"] is None
    for field in ("name", "difficulty", "goal", "duration_weeks", "days_per_week"):
        user.put(f"{PATH}/{made['id']}", {field: None}).invalid(field)
    user.put(f"{PATH}/{made['id']}", {"duration_weeks": 53, "days_per_week": 8}).invalid(
        "duration_weeks", "days_per_week"
    )


def test_a_program_grows_and_shrinks_where_it_is_empty(user: User) -> None:
    legs = workout(user)["id"]
    made = program(user, 3, plan=[week([legs], [legs], week_number=2)])
    path = f"{PATH}/{made['id']}"
    grown = user.put(path, {"duration_weeks": 4, "days_per_week": 3}).data
    assert [one["name"] for one in grown["weeks"]] == ["Week 1", "Week 2", "Week 3", "Week 4"]
    assert slots(grown) == slots(made)
    for size in ({"duration_weeks": 1}, {"days_per_week": 1}):
        user.put(path, size).refused(409, "conflict")
        assert shown(user, made) == grown
    shrunk = user.put(path, {"duration_weeks": 2, "days_per_week": 2}).data
    assert ([one["week_number"] for one in shrunk["weeks"]], slots(shrunk)) == ([1, 2], slots(made))


def test_a_position_is_pulled_inside(user: User) -> None:
    made = activated(user, program(user, 4, 3))
    path = f"{PATH}/{made['id']}"
    user.put(f"{path}/position", {"week_number": 4, "day_number": 3})
    assert position(user.put(path, {"days_per_week": 2}).data) == (4, 2)
    assert position(user.put(path, {"duration_weeks": 2}).data) == (2, 2)
    shrunk = user.put(path, {"duration_weeks": 1, "days_per_week": 1}).data
    assert (position(shrunk), shrunk["is_active"], shrunk["progress_percent"]) == ((1, 1), True, 0)


def test_a_shrunk_program_of_which_all_is_done_is_completed(user: User) -> None:
    legs = workout(user)["id"]
    made = activated(user, program(user, 2, 1, plan=[week([legs])]))
    train(user, slots(made)[0])
    assert position(shown(user, made)) == (2, 1)
    done = user.put(f"{PATH}/{made['id']}", {"duration_weeks": 1}).data
    assert (position(done), done["is_active"], done["progress_percent"]) == ((1, 1), False, 100)
    assert done["completed_at"] is not None


@pytest.mark.parametrize(
    ("size", "first_new"),
    [
        ({"duration_weeks": 4}, (3, 1)),
        ({"days_per_week": 3}, (1, 3)),
        ({"duration_weeks": 3, "days_per_week": 3}, (1, 3)),
    ],
)
def test_a_completed_program_that_grows_goes_on(user: User, size: dict[str, int], first_new: tuple[int, int]) -> None:
    made = activated(user, program(user, 2, 2))
    *_, done = [advanced(user, made) for _ in range(4)]
    assert (done["progress_percent"], position(done)) == (100, (2, 2))
    path = f"{PATH}/{made['id']}"
    same = user.put(path, {"name": "Again", "duration_weeks": 2}).data
    assert (same["completed_at"], position(same)) == (done["completed_at"], (2, 2))
    grown = user.put(path, size).data
    assert (grown["completed_at"], grown["is_active"], position(grown)) == (None, False, first_new)
    resumed = activated(user, grown)
    assert (position(resumed), resumed["started_at"]) == (first_new, done["started_at"])


def test_a_completed_program_that_shrinks_stays_completed(user: User) -> None:
    made = activated(user, program(user, 2, 2))
    *_, done = [advanced(user, made) for _ in range(4)]
    shrunk = user.put(f"{PATH}/{made['id']}", {"duration_weeks": 1}).data
    assert (shrunk["completed_at"], position(shrunk), shrunk["progress_percent"]) == (done["completed_at"], (1, 2), 100)


# Deleted --------------------------------------------------------------------------------------------------------------


def test_a_deleted_program_leaves_its_workouts_and_sessions(user: User) -> None:
    legs = workout(user)["id"]
    made = activated(user, program(user, 1, plan=[week([legs], [legs])]))
    done = train(user, slots(made)[0])
    running = start(user, program_workout_id=slots(made)[1]["id"])
    assert user.delete(f"{PATH}/{made['id']}").data == {"deleted": True}
    user.delete(f"{PATH}/{made['id']}").refused(404, "not_found")
    user.get(f"{PATH}/{made['id']}").refused(404, "not_found")
    assert user.get(f"{PATH}/active").data is None
    assert user.get(f"/exercise/workouts/{legs}").data["times_performed"] == 1
    for session in (done["session_id"], running):
        assert user.get(f"/exercise/sessions/{session}").data["program_workout_id"] is None
    log(user)
    last = complete(user)
    assert (last["session_id"], last["program"]) == (running, None)


# Whoever may not ------------------------------------------------------------------------------------------------------


def test_nobody_sees_or_changes_anothers_program(user: User, other: User) -> None:
    legs = workout(user)["id"]
    made = activated(user, program(user, 1, plan=[week([legs])]))
    path = f"{PATH}/{made['id']}"
    for method, of, body in [
        ("GET", "", None),
        ("PUT", "", {"name": "x"}),
        ("DELETE", "", None),
        ("PUT", "/weeks/1", {"name": "x"}),
        ("POST", "/activate", {"restart": True}),
        ("POST", "/deactivate", None),
        ("POST", "/advance", None),
        ("PUT", "/position", {"week_number": 1, "day_number": 1}),
    ]:
        for unknown in (path, f"{PATH}/{uuid4()}", f"{PATH}/not-an-id"):
            other.request(method, unknown + of, body=body).refused(404, "not_found")
    other.post("/exercise/sessions/start", {"program_workout_id": slots(made)[0]["id"]}).refused(404, "not_found")
    assert other.get(PATH).data["total"] == 0
    assert shown(user, made) == made


def test_strangers_are_refused(stranger: Client, new_user: NewUser) -> None:
    for method, of in [
        *(("GET", ""), ("POST", ""), ("GET", "/active"), ("GET", "/templates"), ("POST", "/from-template")),
        *(("GET", f"/{ANY}"), ("PUT", f"/{ANY}/weeks/1"), ("POST", f"/{ANY}/advance")),
    ]:
        stranger.request(method, PATH + of).refused(401, "unauthorized")
        stranger.request(method, f"/api{PATH}{of}").refused(401, "unauthorized")
