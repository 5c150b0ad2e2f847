"""Sets: logged, changed and deleted (training contract, 1.4)."""

from typing import Any

import pytest

from local.clock import Clock
from tests.conftest import Database, User, at_once
from tests.exercise.training import BENCH, PLANK, SQUAT, complete, log, start, trained


def numbers(user: User, session: str) -> list[tuple[str, int]]:
    sets = user.get(f"/exercise/sessions/{session}").data["sets"]
    return [(one["exercise_id"], one["set_number"]) for one in sets]


def test_a_set_comes_back_as_sent(user: User) -> None:
    session = start(user)
    values = {
        "reps": 10_000,
        "weight_kg": 62.5,
        "duration_seconds": 86_400,
        "distance_m": 1_000_000,
        "rpe": 8.5,
        "is_warmup": True,
        "is_dropset": True,
        "is_failure": True,
        "notes": "deep",
    }
    logged = log(user, SQUAT, **values)
    shown = logged["set"]
    assert {name: shown[name] for name in values} == values
    assert (shown["exercise_id"], shown["exercise_name"], shown["set_number"]) == (SQUAT, "Barbell Squat", 1)
    assert (logged["set_id"], logged["set_number"], logged["session_id"]) == (shown["id"], 1, session)
    assert (logged["is_personal_record"], logged["record_type"], logged["records"]) == (False, None, [])
    assert user.get(f"/exercise/sessions/{session}").data["sets"] == [shown]


@pytest.mark.parametrize(
    ("sent", "stored"), [(62.5005, 62.501), (0.0005, 0.001), (-22.5, -22.5), (2_000, 2_000), (-500, -500), (0, 0)]
)
def test_weights_have_three_decimals(user: User, sent: float, stored: float) -> None:
    start(user)
    assert log(user, reps=1, weight_kg=sent)["set"]["weight_kg"] == stored


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({}, "body"),
        ({"weight_kg": 50}, "body"),
        ({"reps": None}, "body"),
        ({"reps": -1}, "reps"),
        ({"reps": 10_001}, "reps"),
        ({"reps": "5"}, "reps"),
        ({"reps": 5.5}, "reps"),
        ({"reps": True}, "reps"),
        ({"reps": 1, "weight_kg": 2_000.5}, "weight_kg"),
        ({"reps": 1, "weight_kg": -500.5}, "weight_kg"),
        ({"reps": 1, "weight_kg": "5"}, "weight_kg"),
        ({"duration_seconds": 86_401}, "duration_seconds"),
        ({"distance_m": 1_000_001}, "distance_m"),
        ({"distance_m": -1}, "distance_m"),
        ({"reps": 1, "rpe": 0.5}, "rpe"),
        ({"reps": 1, "rpe": 10.5}, "rpe"),
        ({"reps": 1, "rpe": 8.25}, "rpe"),
        ({"reps": 1, "set_number": 0}, "set_number"),
        ({"reps": 1, "set_number": 1_001}, "set_number"),
        ({"reps": 1, "is_warmup": "yes"}, "is_warmup"),
        ({"reps": 1, "notes": "x" * 501}, "notes"),
    ],
)
def test_bad_input_names_its_field(user: User, fields: dict[str, Any], named: str) -> None:
    session = start(user)
    for path in ("/exercise/sessions/log-set", f"/exercise/sessions/{session}/sets"):
        user.post(path, {"exercise_id": SQUAT} | fields).invalid(named)
    user.post("/exercise/sessions/log-set", {"reps": 1}).invalid("exercise_id")
    assert numbers(user, session) == []


def test_without_a_running_session_there_is_nothing_to_log_into(user: User) -> None:
    user.post("/exercise/sessions/log-set", {"exercise_id": SQUAT, "reps": 1}).refused(404, "not_found")


def test_numbers_count_per_exercise_and_never_change(user: User) -> None:
    session = start(user)
    log(user)
    log(user, BENCH, reps=1)
    log(user, set_number=5)
    log(user, set_number=5, reps=6)
    log(user, set_number=2)
    log(user)
    assert numbers(user, session) == [(SQUAT, 1), (BENCH, 1), (SQUAT, 5), (SQUAT, 6), (SQUAT, 2), (SQUAT, 7)]
    first = user.get(f"/exercise/sessions/{session}").data["sets"][0]["id"]
    user.delete(f"/exercise/sessions/{session}/sets/{first}")
    assert log(user)["set_number"] == 8


def test_a_double_click_is_one_set(user: User, clock: Clock) -> None:
    session = start(user)
    values = {"exercise_id": SQUAT, "set_number": 1, "reps": 5, "weight_kg": 100.0004}
    answers = at_once(4, lambda: user.post("/exercise/sessions/log-set", values))
    first = answers[0].data
    assert all(answer.data == first for answer in answers)
    assert first["is_personal_record"] is True
    assert user.post(f"/exercise/sessions/{session}/sets", values).data == first
    # Another value, no number or more time make another set.
    assert log(user, SQUAT, set_number=1, reps=6, weight_kg=100)["set_number"] == 2
    assert log(user, SQUAT, reps=5, weight_kg=100)["set_number"] == 3
    # What was asked for counts, not what it became.
    again = {"exercise_id": SQUAT, "set_number": 1, "reps": 7}
    assert user.post("/exercise/sessions/log-set", again).data == user.post("/exercise/sessions/log-set", again).data
    clock.advance("PT11S")
    assert user.post("/exercise/sessions/log-set", values).data["set_id"] != first["set_id"]
    assert len(numbers(user, session)) == 5


def test_a_completed_session_takes_more_sets(user: User, database: Database) -> None:
    done = trained(user, {"reps": 5, "weight_kg": 100})
    path = f"/exercise/sessions/{done['session_id']}"
    logged = user.post(f"{path}/sets", {"exercise_id": SQUAT, "reps": 5, "weight_kg": 120}).data
    assert (logged["record_type"], logged["set_number"]) == ("max_weight", 2)
    shown = user.get(path).data
    assert (shown["total_sets"], shown["total_volume_kg"], shown["xp_awarded"]) == (2, 1_100, 50)
    # A record of a completed session was made before it ended.
    assert logged["records"][0]["achieved_at"] == shown["completed_at"]
    assert user.get("/exercise/sessions/active").data is None


def test_a_double_click_into_a_completed_session_is_one_set(user: User) -> None:
    path = f"/exercise/sessions/{trained(user)['session_id']}"
    body = {"exercise_id": SQUAT, "set_number": 2, "reps": 5, "weight_kg": 120}
    answers = at_once(4, lambda: user.post(f"{path}/sets", body))
    assert all(answer.data == answers[0].data for answer in answers)
    shown = user.get(path).data
    assert (len(shown["sets"]), shown["total_sets"]) == (2, 2)


def test_sets_without_a_number_at_once_are_each_one(user: User) -> None:
    session = start(user)
    logged = at_once(5, lambda: log(user)["set_number"])
    assert sorted(logged) == [1, 2, 3, 4, 5]
    assert len(numbers(user, session)) == 5


def test_the_highest_number_is_followed_by_the_next(user: User) -> None:
    start(user)
    assert [log(user, set_number=1_000)["set_number"], log(user)["set_number"]] == [1_000, 1_001]


def test_working_sets_alone_count(user: User) -> None:
    start(user)
    log(user, reps=5, weight_kg=100)
    log(user, reps=5, weight_kg=60, is_warmup=True)
    log(user, reps=0, weight_kg=100)
    log(user, BENCH, reps=10, weight_kg=-20)
    log(user, PLANK, duration_seconds=0)
    log(user, PLANK, duration_seconds=1)
    log(user, PLANK, distance_m=0)
    log(user, PLANK, distance_m=0.5)
    log(user, PLANK, reps=8)
    done = complete(user)
    assert (done["total_sets"], done["total_volume_kg"]) == (5, 500)


def test_a_set_can_be_changed(user: User) -> None:
    session = start(user)
    logged = log(user, reps=5, weight_kg=100, notes="x")
    path = f"/exercise/sessions/{session}/sets/{logged['set_id']}"
    changed = user.patch(
        path, {"reps": 6, "notes": None, "is_failure": True, "set_number": 9, "exercise_id": BENCH}
    ).data
    assert changed == logged["set"] | {"reps": 6, "notes": None, "is_failure": True}
    assert user.get(f"/exercise/sessions/{session}").data["total_volume_kg"] == 600
    user.patch(path, {"reps": None}).invalid("reps")
    assert user.patch(path, {"reps": None, "duration_seconds": 5}).data["duration_seconds"] == 5
    user.patch(path, {"is_failure": None}).invalid("is_failure")
    user.patch(path, {"rpe": 11}).invalid("rpe")
    assert user.patch(path, {}).data["reps"] is None


def test_a_deleted_set_is_gone(user: User) -> None:
    session = start(user)
    logged = log(user)
    path = f"/exercise/sessions/{session}/sets/{logged['set_id']}"
    assert user.delete(path).data == {"deleted": True}
    user.delete(path).refused(404, "not_found")
    user.patch(path, {"reps": 1}).refused(404, "not_found")
    shown = user.get(f"/exercise/sessions/{session}").data
    assert (shown["sets"], shown["total_sets"], shown["total_volume_kg"]) == ([], 0, 0)
    assert user.get(f"/exercise/{SQUAT}/history").data["records"] == []
    # A set of one session is not there in another.
    complete(user)
    other = start(user)
    second = log(user)["set_id"]
    user.delete(f"/exercise/sessions/{session}/sets/{second}").refused(404, "not_found")
    assert len(numbers(user, other)) == 1


def test_five_hundred_sets_are_enough(user: User, database: Database) -> None:
    session = start(user)
    log(user)
    database.query(
        "INSERT INTO exercise_sets (user_id, session_id, exercise_owner, exercise_id, set_number, reps)"
        " SELECT user_id, session_id, exercise_owner, exercise_id, n, 1"
        " FROM session_exercises, generate_series(2, 500) AS n WHERE session_id = %s RETURNING id",
        session,
    )
    answer = user.post("/exercise/sessions/log-set", {"exercise_id": BENCH, "reps": 1})
    assert answer.refused(409, "limit_reached") == {"limit": 500}
