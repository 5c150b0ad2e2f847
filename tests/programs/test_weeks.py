"""Weeks of a program and the slots in them (training contract, 2, rules 1 and 7)."""

from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import User
from tests.exercise.training import start, workout
from tests.programs.training import activated, position, program, shown, slots, statuses, train, week


def changed(user: User, made: dict[str, Any], week_number: int = 1, **fields: Any) -> dict[str, Any]:
    """The program once a week of it is changed."""
    after: dict[str, Any] = user.put(f"/exercise/programs/{made['id']}/weeks/{week_number}", fields).data
    return after


def on(*days: list[str]) -> list[dict[str, Any]]:
    """Slots as a request describes them."""
    found: list[dict[str, Any]] = week(*days)["workouts"]
    return found


@pytest.fixture
def legs(user: User) -> str:
    return str(workout(user)["id"])


@pytest.fixture
def arms(user: User) -> str:
    return str(workout(user, name="Arms")["id"])


def test_a_week_is_described(user: User) -> None:
    made = program(user)
    after = changed(user, made, 2, name=" Peak ", is_deload=True, notes=" heavy ")
    assert after["weeks"][0] == made["weeks"][0]
    assert after["weeks"][1] == made["weeks"][1] | {"name": "Peak", "is_deload": True, "notes": "heavy"}
    assert after["updated_at"] > made["updated_at"]
    assert changed(user, made, 2) == after | {"updated_at": shown(user, made)["updated_at"]}
    cleared = changed(user, made, 2, name=" ", notes=None)
    assert (cleared["weeks"][1]["name"], cleared["weeks"][1]["notes"]) == ("Week 2", None)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": None}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"is_deload": None}, "is_deload"),
        ({"notes": "x" * 2_001}, "notes"),
        ({"workouts": None}, "workouts"),
        ({"workouts": [{"day_number": 1}]}, "workouts.0.workout_id"),
        ({"workouts": [], "copy_to": [3]}, "copy_to"),
        ({"workouts": [], "copy_to": [0]}, "copy_to.0"),
        ({"workouts": [], "copy_to": [1] * 53}, "copy_to"),
        ({"copy_to": [2]}, "copy_to"),
        ({"workouts": "legs", "copy_to": [2]}, "workouts"),
    ],
)
def test_what_a_week_may_not_be(user: User, fields: dict[str, Any], field: str) -> None:
    made = program(user)
    user.put(f"/exercise/programs/{made['id']}/weeks/1", fields).invalid(field)
    assert shown(user, made) == made


def test_slots_are_within_the_days_and_once_a_day(user: User, legs: str) -> None:
    made = program(user)
    path = f"/exercise/programs/{made['id']}/weeks/1"
    slot = {"workout_id": legs, "day_number": 1}
    for bad in ([slot | {"day_number": 3}], [slot, slot], [slot] * 29):
        user.put(path, {"workouts": bad, "copy_to": [2]}).invalid("workouts")
    assert shown(user, made) == made
    assert changed(user, made, workouts=[slot, slot | {"day_number": 2}])["total_workouts"] == 2


@pytest.mark.parametrize("number", ["0", "3", "53", "99999999999999999999", "-1", "x", "1.5"])
def test_a_week_outside_the_program_is_not_there(user: User, legs: str, number: str) -> None:
    made = program(user)
    user.put(f"/exercise/programs/{made['id']}/weeks/{number}", {"workouts": on([legs])}).refused(404, "not_found")
    assert shown(user, made) == made


def test_slots_are_copied_to_other_weeks(user: User, legs: str, arms: str) -> None:
    made = program(user, 4, deload_weeks=[3], plan=[week([arms], week_number=4)])
    sent = [*on([legs], [arms]), {"workout_id": arms, "day_number": 1, "intensity_modifier": 0.5}]
    after = changed(user, made, 1, workouts=sent, copy_to=[3, 4, 4, 1])
    assert [
        [(slot["workout_id"], slot["day_number"], slot["intensity_modifier"]) for slot in one["workouts"]]
        for one in after["weeks"]
    ] == [
        [(legs, 1, 1), (arms, 1, 0.5), (arms, 2, 1)],
        [],
        [(legs, 1, 0.7), (arms, 1, 0.5), (arms, 2, 0.7)],
        [(legs, 1, 1), (arms, 1, 0.5), (arms, 2, 1)],
    ]
    assert len({slot["id"] for slot in slots(after)}) == 9


def test_an_intensity_follows_the_week_until_it_is_set(user: User, legs: str, arms: str) -> None:
    own = {"workout_id": arms, "day_number": 1, "intensity_modifier": 1}
    made = program(user, plan=[{"week_number": 1, "workouts": [*on([legs]), own]}])

    def intensities(found: dict[str, Any]) -> list[float]:
        return [slot["intensity_modifier"] for slot in slots(found)]

    assert intensities(made) == [1, 1]
    assert intensities(changed(user, made, is_deload=True)) == [0.7, 1]
    assert intensities(changed(user, made, workouts=on([legs, arms]))) == [0.7, 0.7]
    assert intensities(changed(user, made, is_deload=False)) == [1, 1]


def test_a_slot_that_stays_keeps_what_was_done(user: User, legs: str, arms: str) -> None:
    made = activated(user, program(user, plan=[week([legs, arms], [legs])]))
    session = train(user, slots(made)[0])["session_id"]
    before = shown(user, made)
    after = changed(user, made, workouts=on([arms, legs], [arms]))
    kept_arms, kept_legs, new = after["weeks"][0]["workouts"]
    assert kept_legs == slots(before)[0] | {"order_index": 1}
    assert kept_arms == slots(before)[1] | {"order_index": 0}
    assert (new["status"], new["workout_id"], new["day_number"]) == ("open", arms, 2)
    assert new["id"] not in {slot["id"] for slot in slots(before)}
    gone = changed(user, made, workouts=on([arms]))
    assert statuses(gone) == ["open"]
    assert user.get(f"/exercise/sessions/{session}").data["program_workout_id"] is None
    assert statuses(changed(user, made, workouts=on([arms, legs]))) == ["open", "open"]


def test_an_edit_of_the_active_program_moves_it_on(user: User, legs: str, arms: str) -> None:
    made = activated(user, program(user, plan=[week([legs, arms], [legs])]))
    train(user, slots(made)[0])
    assert position(changed(user, made, name="x")) == (1, 1)
    assert position(changed(user, made, workouts=on([legs], [legs]))) == (1, 2)
    assert position(changed(user, made, workouts=on([legs], []))) == (1, 2), "an empty day is ticked off by hand"


def test_an_edit_that_leaves_nothing_to_do_completes_the_program(user: User, legs: str, arms: str) -> None:
    made = activated(user, program(user, 1, 1, plan=[week([legs, arms])]))
    train(user, slots(made)[0])
    done = changed(user, made, workouts=on([legs]))
    assert (done["is_active"], done["progress_percent"], done["completed_workouts"]) == (False, 100, 1)
    assert done["completed_at"] is not None


def test_an_edit_of_another_program_moves_nothing(user: User, legs: str, arms: str) -> None:
    made = activated(user, program(user, plan=[week([legs, arms])]))
    train(user, slots(made)[0])
    user.post(f"/exercise/programs/{made['id']}/deactivate")
    after = changed(user, made, workouts=on([legs]))
    assert (position(after), after["completed_at"]) == ((1, 1), None)


def test_a_workout_that_is_deleted_keeps_its_slots(user: User, legs: str, arms: str) -> None:
    made = activated(user, program(user, plan=[week([legs])]))
    user.delete(f"/exercise/workouts/{legs}")
    assert slots(shown(user, made)) == slots(made)
    after = changed(user, made, workouts=on([legs], [legs]))
    assert [slot["workout_name"] for slot in slots(after)] == ["Legs", "Legs"]
    elsewhere = program(user)
    user.put(f"/exercise/programs/{elsewhere['id']}/weeks/1", {"workouts": on([legs])}).refused(404, "not_found")
    session = start(user, program_workout_id=slots(after)[0]["id"])
    assert user.get(f"/exercise/sessions/{session}").data["workout_name"] == "Legs"


def test_one_unknown_workout_stores_nothing(user: User, legs: str) -> None:
    made = program(user, plan=[week([legs])])
    body = {"name": "x", "workouts": on([legs], [str(uuid4())])}
    user.put(f"/exercise/programs/{made['id']}/weeks/1", body).refused(404, "not_found")
    assert shown(user, made) == made
