"""Where a program stands: activated, moved on by sessions and by hand (training contract, 2, rules 2 to 8)."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from local.clock import Clock
from tests.conftest import Database, User, at_once
from tests.exercise.training import complete, log, start, workout
from tests.programs.training import (
    Program,
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
NOON = datetime.fromisoformat("2031-05-08T12:00:00+00:00")


@pytest.fixture
def legs(user: User) -> str:
    return str(workout(user)["id"])


@pytest.fixture
def arms(user: User) -> str:
    return str(workout(user, name="Arms")["id"])


def active(user: User) -> Any:
    return user.get(f"{PATH}/active").data


def moved(user: User, made: Program, week_number: int, day_number: int) -> Program:
    to = {"week_number": week_number, "day_number": day_number}
    found: Program = user.put(f"{PATH}/{made['id']}/position", to).data
    return found


def all_active(user: User) -> list[str]:
    return [one["id"] for one in user.get(PATH).data["programs"] if one["is_active"]]


# Activation -----------------------------------------------------------------------------------------------------------


def test_one_program_is_active_at_a_time(user: User, clock: Clock) -> None:
    clock.freeze()
    first, second = program(user), program(user)
    assert active(user) is None
    begun = activated(user, first)
    assert begun["is_active"] is True
    assert begun["started_at"] is not None
    clock.advance("PT1H")
    activated(user, second)
    assert all_active(user) == [second["id"]]
    clock.advance("PT1H")
    again = activated(user, first)
    assert (again["started_at"], all_active(user)) == (begun["started_at"], [first["id"]])
    clock.advance("PT1H")
    assert activated(user, first) == again, "nothing changes"
    assert user.post(f"{PATH}/{second['id']}/deactivate").data["is_active"] is False
    assert all_active(user) == [first["id"]]
    away = user.post(f"{PATH}/{first['id']}/deactivate").data
    assert (away["is_active"], all_active(user), active(user)) == (False, [], None)
    assert user.post(f"{PATH}/{first['id']}/deactivate").data == away


def test_an_activation_that_fails_changes_nothing(user: User, other: User) -> None:
    made = activated(user, program(user))
    for unknown in (str(uuid4()), program(other)["id"]):
        user.post(f"{PATH}/{unknown}/activate", {"restart": True}).refused(404, "not_found")
    user.post(f"{PATH}/{program(user)['id']}/activate", {"restart": "yes"}).invalid("restart")
    assert shown(user, made) == made


def test_two_activations_at_once_leave_one_active(user: User, database: Database) -> None:
    both = [program(user)["id"] for _ in range(2)]
    answers = at_once(4, lambda: [user.post(f"{PATH}/{one}/activate").status for one in both])
    assert {status for pair in answers for status in pair} == {200}
    assert len(all_active(user)) == 1


def test_an_unfinished_program_goes_on_where_it_was(user: User, legs: str) -> None:
    made = activated(user, program(user, plan=[week([legs])]))
    train(user, slots(made)[0])
    user.post(f"{PATH}/{made['id']}/deactivate")
    resumed = activated(user, made)
    assert (position(resumed), statuses(resumed)) == ((1, 2), ["completed"])


@pytest.mark.parametrize("was", ["active", "away"])
def test_a_program_begins_anew_on_request(user: User, legs: str, arms: str, clock: Clock, was: str) -> None:
    clock.freeze()
    made = activated(user, program(user, plan=[week([legs, arms])]))
    train(user, slots(made)[0])
    advanced(user, made)
    if was == "away":
        user.post(f"{PATH}/{made['id']}/deactivate")
    clock.advance("P1D")
    anew = activated(user, made, restart=True)
    assert (anew["is_active"], position(anew), statuses(anew)) == (True, (1, 1), ["open", "open"])
    assert (anew["completed_workouts"], anew["progress_percent"]) == (0, 0)
    assert anew["started_at"] > made["started_at"]
    assert {(slot["session_id"], slot["completed_at"]) for slot in slots(anew)} == {(None, None)}


def test_a_completed_program_begins_anew(user: User, legs: str, clock: Clock) -> None:
    clock.freeze()
    made = activated(user, program(user, 1, 1, plan=[week([legs])]))
    train(user, slots(made)[0])
    assert shown(user, made)["completed_at"] is not None
    clock.advance("P1D")
    anew = activated(user, made)
    assert (anew["completed_at"], anew["is_active"], statuses(anew)) == (None, True, ["open"])
    assert anew["started_at"] > made["started_at"]
    train(user, slots(anew)[0])
    assert shown(user, made)["completed_workouts"] == 1


# Sessions -------------------------------------------------------------------------------------------------------------


def test_a_session_does_its_slot(user: User, legs: str, clock: Clock) -> None:
    clock.freeze()
    clock.set(NOON)
    made = activated(user, program(user, plan=[week([legs], [legs])], deload_weeks=[1]))
    slot = slots(made)[0]
    started = user.post("/exercise/sessions/start", {"program_workout_id": slot["id"], "workout_id": legs}).data
    session = started["session"]
    assert (session["program_workout_id"], session["workout_id"]) == (slot["id"], legs)
    assert session["intensity_modifier"] == 0.7
    assert user.get("/exercise/sessions/active").data["intensity_modifier"] == 0.7
    assert statuses(shown(user, made)) == ["open", "open"]
    clock.advance("PT1M")
    log(user)
    clock.advance("PT1M")
    done = complete(user)
    after = shown(user, made)
    assert done["program"] == {name: value for name, value in after.items() if name != "weeks"}
    assert (position(after), after["completed_workouts"], after["progress_percent"]) == ((1, 2), 1, 25)
    assert slots(after)[0] == slot | {
        "status": "completed",
        "session_id": started["session_id"],
        "completed_at": done["session"]["completed_at"],
    }
    again = user.post(f"/exercise/sessions/{started['session_id']}/complete").data
    assert (again, shown(user, made)) == (done, after)


def test_a_completion_that_is_sent_twice_moves_once(user: User, legs: str) -> None:
    made = activated(user, program(user, 1, 3, plan=[week([legs], [legs], [legs])]))
    start(user, program_workout_id=slots(made)[0]["id"])
    log(user)
    answers = at_once(4, lambda: user.post("/exercise/sessions/complete"))
    assert {position(answer.data["program"]) for answer in answers} == {(1, 2)}
    assert statuses(shown(user, made)) == ["completed", "open", "open"]


def test_a_day_is_done_with_its_last_slot_in_any_order(user: User, legs: str, arms: str) -> None:
    made = activated(user, program(user, 2, 2, plan=[week([legs, arms], [arms]), week([legs], week_number=2)]))
    first, second, third, fourth = slots(made)
    assert [slot["id"] for slot in active(user)["next"]["workouts"]] == [first["id"], second["id"]]
    assert position(train(user, third)["program"]) == (1, 1), "a later day is done early"
    assert position(train(user, second)["program"]) == (1, 1)
    due = active(user)["next"]
    assert [slot["id"] for slot in due["workouts"]] == [first["id"]]
    assert position(train(user, first)["program"]) == (2, 1), "on over the day that is done"
    assert position(train(user, fourth)["program"]) == (2, 2), "to the day that is empty"
    assert active(user)["next"] == {"week_number": 2, "day_number": 2, "is_deload": False, "workouts": []}
    assert statuses(shown(user, made)) == ["completed"] * 4


def test_the_last_slot_completes_the_program(user: User, legs: str, clock: Clock) -> None:
    clock.freeze()
    made = activated(user, program(user, 1, 2, plan=[week([legs], [legs])]))
    _, last = [train(user, slot)["program"] for slot in slots(made)]
    assert (last["is_active"], position(last), last["progress_percent"]) == (False, (1, 2), 100)
    assert (last["completed_workouts"], datetime.fromisoformat(last["completed_at"])) == (2, clock.now())
    assert active(user) is None


def test_a_session_without_a_working_set_does_nothing(user: User, legs: str) -> None:
    made = activated(user, program(user, plan=[week([legs])]))
    start(user, program_workout_id=slots(made)[0]["id"])
    log(user, reps=5, is_warmup=True)
    assert complete(user)["program"] is None
    assert shown(user, made) == made
    start(user, program_workout_id=slots(made)[0]["id"])
    log(user)
    session = user.get("/exercise/sessions/active").data["id"]
    user.post(f"/exercise/sessions/{session}/abandon")
    assert shown(user, made) == made
    user.post(f"/exercise/sessions/{session}/resume")
    assert position(complete(user)["program"]) == (1, 2)


def test_a_session_of_no_slot_has_no_program(user: User, legs: str) -> None:
    made = activated(user, program(user, plan=[week([legs])]))
    start(user, workout_id=legs)
    log(user)
    assert complete(user)["program"] is None
    assert shown(user, made) == made


def test_which_slots_can_be_started(user: User, other: User, legs: str, arms: str) -> None:
    made = program(user, plan=[week([legs], [legs])])
    slot = slots(made)[0]
    starting = {"program_workout_id": slot["id"]}
    user.post("/exercise/sessions/start", starting).refused(409, "conflict")
    activated(user, made)
    user.post("/exercise/sessions/start", starting | {"workout_id": arms}).invalid("workout_id")
    user.post("/exercise/sessions/start", {"program_workout_id": str(uuid4())}).refused(404, "not_found")
    user.post("/exercise/sessions/start", {"program_workout_id": "x"}).invalid("program_workout_id")
    other.post("/exercise/sessions/start", starting).refused(404, "not_found")
    assert user.get("/exercise/sessions").data["total"] == 0
    done = train(user, slot)
    refused = user.post("/exercise/sessions/start", starting).refused(409, "conflict")
    assert refused == {"status": "completed", "session_id": done["session_id"]}
    advanced(user, made)
    skipped = {"program_workout_id": slots(made)[1]["id"]}
    assert user.post("/exercise/sessions/start", skipped).refused(409, "conflict")["status"] == "skipped"


def test_starting_a_slot_twice_is_one_session(user: User, legs: str) -> None:
    made = activated(user, program(user, plan=[week([legs], [legs])]))
    first, second = slots(made)
    answers = at_once(4, lambda: user.post("/exercise/sessions/start", {"program_workout_id": first["id"]}))
    assert len({answer.data["session_id"] for answer in answers}) == 1
    user.post("/exercise/sessions/start", {"program_workout_id": second["id"]}).refused(409, "active_session")


def test_a_forgotten_session_does_its_slot_when_it_is_closed(user: User, legs: str, clock: Clock) -> None:
    clock.freeze()
    made = activated(user, program(user, plan=[week([legs], [legs])]))
    start(user, program_workout_id=slots(made)[0]["id"])
    log(user)
    logged_at = clock.now()
    clock.advance("PT13H")
    start(user, program_workout_id=slots(made)[1]["id"])
    after = shown(user, made)
    assert (position(after), statuses(after)) == ((1, 2), ["completed", "open"])
    assert datetime.fromisoformat(slots(after)[0]["completed_at"]) == logged_at


def test_a_slot_cannot_be_started_again_while_its_forgotten_session_has_done_it(
    user: User, legs: str, clock: Clock
) -> None:
    clock.freeze()
    made = activated(user, program(user, plan=[week([legs])]))
    starting = {"program_workout_id": slots(made)[0]["id"]}
    empty = start(user, **starting)
    clock.advance("PT13H")
    forgotten = start(user, **starting)
    assert user.get(f"/exercise/sessions/{empty}").data["status"] == "abandoned"
    log(user)
    clock.advance("PT13H")
    refused = user.post("/exercise/sessions/start", starting).refused(409, "conflict")
    assert refused == {"status": "completed", "session_id": forgotten}
    assert user.get("/exercise/sessions/active").data["id"] == forgotten, "nothing changed"
    assert complete(user)["program"]["completed_workouts"] == 1


def test_two_sessions_of_one_slot_do_it_once(user: User, legs: str) -> None:
    made = activated(user, program(user, plan=[week([legs], [legs])]))
    abandoned = start(user, program_workout_id=slots(made)[0]["id"])
    log(user)
    user.post(f"/exercise/sessions/{abandoned}/abandon")
    done = train(user, slots(made)[0])["session_id"]
    user.post(f"/exercise/sessions/{abandoned}/resume")
    assert position(complete(user)["program"]) == (1, 2)
    assert slots(shown(user, made))[0]["session_id"] == done


def test_a_session_that_ends_after_its_program_was_put_away_still_counts(user: User, legs: str) -> None:
    made = activated(user, program(user, plan=[week([legs], [legs])]))
    start(user, program_workout_id=slots(made)[0]["id"])
    log(user)
    user.post(f"{PATH}/{made['id']}/deactivate")
    after = complete(user)["program"]
    assert (after["completed_workouts"], position(after), after["is_active"]) == (1, (1, 2), False)


def test_a_slot_that_was_skipped_meanwhile_is_done(user: User, legs: str) -> None:
    made = activated(user, program(user, 1, 1, plan=[week([legs])]))
    start(user, program_workout_id=slots(made)[0]["id"])
    log(user)
    skipped = advanced(user, made)
    assert statuses(skipped) == ["skipped"]
    done = complete(user)["program"]
    assert (done["completed_workouts"], done["completed_at"]) == (1, skipped["completed_at"])


def test_a_deleted_session_opens_its_slot_and_the_position_stays(user: User, legs: str) -> None:
    made = activated(user, program(user, plan=[week([legs], [legs])]))
    session = train(user, slots(made)[0])["session_id"]
    user.delete(f"/exercise/sessions/{session}")
    after = shown(user, made)
    assert (position(after), after["completed_workouts"]) == ((1, 2), 0)
    assert slots(after) == slots(made)
    assert train(user, slots(made)[0])["program"]["completed_workouts"] == 1


def test_a_corrected_end_is_the_slots_too(user: User, legs: str, clock: Clock) -> None:
    clock.freeze()
    made = activated(user, program(user, plan=[week([legs])]))
    session = train(user, slots(made)[0])["session"]
    clock.advance("P1D")
    ended = datetime.fromisoformat(session["started_at"]) + timedelta(hours=1)
    user.patch(f"/exercise/sessions/{session['id']}", {"completed_at": ended.isoformat()})
    assert datetime.fromisoformat(slots(shown(user, made))[0]["completed_at"]) == ended


# By hand --------------------------------------------------------------------------------------------------------------


def test_a_program_without_slots_is_ticked_off_day_by_day(user: User) -> None:
    made = activated(user, program(user, 2, 2))
    assert active(user)["next"] == {"week_number": 1, "day_number": 1, "is_deload": False, "workouts": []}
    seen = [(position(after), after["progress_percent"]) for after in (advanced(user, made) for _ in range(3))]
    assert seen == [((1, 2), 25), ((2, 1), 50), ((2, 2), 75)]
    done = advanced(user, made)
    assert (position(done), done["progress_percent"], done["is_active"]) == ((2, 2), 100, False)
    assert done["completed_at"] is not None
    assert active(user) is None
    user.post(f"{PATH}/{made['id']}/advance").refused(409, "conflict")
    user.put(f"{PATH}/{made['id']}/position", {"week_number": 1, "day_number": 1}).refused(409, "conflict")
    assert shown(user, made) == done


def test_progress_is_rounded_down(user: User) -> None:
    made = activated(user, program(user, 1, 7))
    assert [advanced(user, made)["progress_percent"] for _ in range(7)] == [14, 28, 42, 57, 71, 85, 100]


def test_ticking_off_skips_what_is_open(user: User, legs: str, arms: str) -> None:
    made = activated(user, program(user, plan=[week([legs, arms], [legs])]))
    train(user, slots(made)[0])
    after = advanced(user, made)
    assert (position(after), statuses(after)) == ((1, 2), ["completed", "skipped", "open"])
    assert (after["completed_workouts"], slots(after)[1]["completed_at"]) == (1, None)


def test_ticking_off_goes_on_over_days_that_are_done(user: User, legs: str) -> None:
    made = activated(user, program(user, 1, 3, plan=[week([], [legs], [legs])]))
    train(user, slots(made)[0])
    assert position(shown(user, made)) == (1, 1)
    assert position(advanced(user, made)) == (1, 3)


def test_two_taps_are_one(user: User) -> None:
    made = activated(user, program(user, 1, 3))
    path = f"{PATH}/{made['id']}/advance"
    answers = at_once(4, lambda: user.post(path, {"week_number": 1, "day_number": 1}))
    assert {position(answer.data) for answer in answers} == {(1, 2)}
    before = shown(user, made)
    for elsewhere in ({"week_number": 1, "day_number": 1}, {"day_number": 3}, {"week_number": 2}):
        assert advanced(user, made, **elsewhere) == before
    assert position(advanced(user, made, week_number=1)) == (1, 3)
    done = advanced(user, made, day_number=3)
    assert done["completed_at"] is not None
    assert advanced(user, made, day_number=3) == done, "the second tap on the last day"
    for field, value in (("week_number", 0), ("week_number", 53), ("day_number", 8), ("day_number", "1")):
        user.post(path, {field: value}).invalid(field)


def test_only_the_active_program_moves(user: User) -> None:
    made = program(user)
    user.post(f"{PATH}/{made['id']}/advance", {"week_number": 1, "day_number": 1}).refused(409, "conflict")
    user.put(f"{PATH}/{made['id']}/position", {"week_number": 1, "day_number": 2}).refused(409, "conflict")
    assert shown(user, made) == made


def test_the_position_moves_freely(user: User, legs: str) -> None:
    made = activated(user, program(user, 2, 2, plan=[week([legs], [legs]), week([legs], [legs], week_number=2)]))
    train(user, slots(made)[1])
    advanced(user, made)
    advanced(user, made)
    assert statuses(shown(user, made)) == ["skipped", "completed", "skipped", "open"]
    back = moved(user, made, 1, 2)
    assert (position(back), statuses(back)) == ((1, 2), ["skipped", "completed", "open", "open"])
    assert active(user)["next"]["workouts"] == [], "the day is done"
    back = moved(user, made, 1, 1)
    assert (position(back), statuses(back)) == ((1, 1), ["open", "completed", "open", "open"])
    assert position(moved(user, made, 2, 2)) == (2, 2)
    assert statuses(shown(user, made)) == ["open", "completed", "open", "open"]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["week_number", "day_number"]),
        ({"week_number": 3, "day_number": 1}, ["week_number"]),
        ({"week_number": 1, "day_number": 3}, ["day_number"]),
        ({"week_number": 0, "day_number": 0}, ["week_number", "day_number"]),
        ({"week_number": 53, "day_number": 8}, ["week_number", "day_number"]),
        ({"week_number": None, "day_number": 1}, ["week_number"]),
    ],
)
def test_a_position_outside_the_program(user: User, body: dict[str, Any], fields: list[str]) -> None:
    made = activated(user, program(user))
    user.put(f"{PATH}/{made['id']}/position", body).invalid(*fields)
    assert shown(user, made) == made
