"""Sessions: started, resumed, completed and paid (training contract, 1.4)."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from local.clock import Clock
from tests.conftest import Database, NewUser, User, at_once
from tests.exercise.training import BENCH, SQUAT, complete, exercise, log, payments, planned, start, trained, workout

NOON = datetime.fromisoformat("2031-05-08T12:00:00+00:00")


def iso(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


@pytest.fixture
def noon(clock: Clock) -> Clock:
    """A clock that stands at a Thursday noon."""
    clock.freeze()
    clock.set(NOON)
    return clock


def test_a_session_from_beginning_to_end(user: User, noon: Clock, database: Database) -> None:
    plan = workout(user, planned(SQUAT), planned(BENCH))
    started = user.post("/exercise/sessions/start", {"workout_id": plan["id"], "notes": " early "}).data
    session = started["session"]
    assert (started["session_id"], started["workout_id"], started["started_at"]) == (
        session["id"],
        plan["id"],
        iso(NOON),
    )
    assert session | {"id": 0} == {
        "id": 0,
        "workout_id": plan["id"],
        "workout_name": "Legs",
        "program_workout_id": None,
        "started_at": iso(NOON),
        "completed_at": None,
        "abandoned_at": None,
        "status": "active",
        "duration_seconds": None,
        "notes": "early",
        "rating": None,
        "total_sets": 0,
        "total_volume_kg": 0,
        "xp_awarded": 0,
        "coins_awarded": 0,
        "sets": [],
        "workout": plan,
        "previous": [],
        "is_stale": False,
        "intensity_modifier": None,
    }
    assert user.get("/exercise/sessions/active").data == session
    noon.advance("PT1M")
    log(user, reps=5, weight_kg=100)
    noon.advance("PT44M")
    done = complete(user, rating=4)
    assert {name: done[name] for name in ("duration_seconds", "total_sets", "total_volume_kg", "program")} == {
        "duration_seconds": 2_700,
        "total_sets": 1,
        "total_volume_kg": 500,
        "program": None,
    }
    assert (done["xp_awarded"], done["coins_awarded"], done["streak"]) == (50, 25, 1)
    assert [record["record_type"] for record in done["personal_records"]] != []
    shown = user.get(f"/exercise/sessions/{started['session_id']}").data
    assert shown == done["session"]
    assert (shown["status"], shown["rating"], shown["notes"], shown["xp_awarded"]) == ("completed", 4, "early", 50)
    assert user.get("/exercise/sessions/active").data is None
    assert payments(user, database) == [("workout_complete", 50, 25, "strength")]
    counted = database.query(
        "SELECT counters FROM points_ledger WHERE user_id = %s AND event_type = 'workout_complete'", user.id
    )
    assert counted[0]["counters"] == {"workouts_completed": 1, "exercise_minutes": 45}


def test_the_last_time_is_shown_beside_the_session(user: User, noon: Clock) -> None:
    own = exercise(user)["id"]
    plan = workout(user, planned(SQUAT), planned(BENCH))
    first = trained(user, {"exercise_id": SQUAT}, {"exercise_id": own}, workout_id=plan["id"])["session_id"]
    noon.advance("P1D")
    second = trained(user, {"exercise_id": SQUAT, "reps": 6}, {"exercise_id": SQUAT, "reps": 7})["session"]
    noon.advance("P1D")
    trained(user, {"exercise_id": SQUAT, "reps": 1}, started_at=iso(NOON - timedelta(days=3)))
    start(user, workout_id=plan["id"])
    log(user, own)
    previous = {one["exercise_id"]: one for one in user.get("/exercise/sessions/active").data["previous"]}
    assert set(previous) == {SQUAT, own}
    assert previous[SQUAT] == {
        "exercise_id": SQUAT,
        "session_id": second["id"],
        "completed_at": second["completed_at"],
        "sets": second["sets"],
    }
    assert previous[own]["session_id"] == first


def test_starting_twice_at_once_is_one_session(user: User) -> None:
    plan = workout(user, planned())["id"]
    answers = at_once(4, lambda: user.post("/exercise/sessions/start", {"workout_id": plan}))
    assert len({answer.data["session_id"] for answer in answers}) == 1
    assert user.get("/exercise/sessions").data["total"] == 1


def test_starting_twice_in_the_past_is_one_session_too(user: User, noon: Clock) -> None:
    """By the server's clock the second request comes at once, whenever the session began."""
    plan, begun = workout(user, planned())["id"], iso(NOON - timedelta(days=2))
    first = start(user, workout_id=plan, started_at=begun)
    noon.advance("PT9S")
    assert start(user, workout_id=plan, started_at=begun) == first
    noon.advance("PT1S")
    user.post("/exercise/sessions/start", {"workout_id": plan, "started_at": begun}).refused(409, "active_session")
    assert user.get("/exercise/sessions/active").data["is_stale"] is False


def test_another_session_is_refused_while_one_runs(user: User, clock: Clock) -> None:
    plan, other = workout(user, planned())["id"], workout(user)["id"]
    session = start(user, workout_id=plan)
    refused = {"session_id": session}
    assert user.post("/exercise/sessions/start", {"workout_id": other}).refused(409, "active_session") == refused
    log(user)
    assert user.post("/exercise/sessions/start", {"workout_id": plan}).refused(409, "active_session") == refused
    user.delete(f"/exercise/sessions/{session}")
    session = start(user, workout_id=plan)
    clock.advance("PT11S")
    user.post("/exercise/sessions/start", {"workout_id": plan}).refused(409, "active_session")


def test_where_a_session_may_begin(user: User, noon: Clock) -> None:
    for moment in (NOON + timedelta(seconds=1), NOON - timedelta(days=366, seconds=1)):
        user.post("/exercise/sessions/start", {"started_at": iso(moment)}).invalid("started_at")
    for value in ("2031-05-08T12:00:00", "yesterday", 1_936_000_000, True):
        user.post("/exercise/sessions/start", {"started_at": value}).invalid("started_at")
    user.post("/exercise/sessions/start", {"notes": "x" * 2_001}).invalid("notes")
    user.post("/exercise/sessions/start", {"workout_id": "x"}).invalid("workout_id")
    user.post("/exercise/sessions/start", {"workout_id": str(uuid4())}).refused(404, "not_found")
    user.post("/exercise/sessions/start", {"program_workout_id": str(uuid4())}).refused(404, "not_found")
    begun = start(user, started_at="2031-05-08T14:00:00+02:00")
    assert user.get(f"/exercise/sessions/{begun}").data["started_at"] == iso(NOON)


# Forgotten sessions -----------------------------------------------------------------------------------------------


def test_a_forgotten_session_is_closed_by_the_next_start(user: User, noon: Clock, database: Database) -> None:
    session = start(user)
    noon.advance("PT30M")
    log(user)
    noon.advance("PT11H59M")
    assert user.get("/exercise/sessions/active").data["is_stale"] is False
    noon.advance("PT1M")
    assert user.get("/exercise/sessions/active").data["is_stale"] is True
    assert user.get(f"/exercise/sessions/{session}").data["status"] == "active"  # reads never write
    assert start(user) != session
    closed = user.get(f"/exercise/sessions/{session}").data
    assert (closed["status"], closed["completed_at"]) == ("completed", iso(NOON + timedelta(minutes=30)))
    assert (closed["duration_seconds"], closed["xp_awarded"]) == (1_800, 50)
    assert payments(user, database) == [("workout_complete", 50, 25, "strength")]


def test_a_forgotten_session_is_closed_once_by_starts_at_once(user: User, noon: Clock, database: Database) -> None:
    forgotten = start(user)
    log(user)
    noon.advance("PT13H")
    started = at_once(4, lambda: start(user))
    assert len(set(started) - {forgotten}) == 1
    assert payments(user, database) == [("workout_complete", 50, 25, "strength")]
    assert user.get("/exercise/sessions").data["total"] == 2


def test_a_forgotten_session_is_paid_on_the_day_it_is_closed(
    new_user: NewUser, noon: Clock, database: Database
) -> None:
    user = new_user(settings={"timezone": "UTC"})
    for _ in range(3):
        trained(user)
    start(user)
    log(user)
    noon.advance("PT13H")  # the next day
    start(user)
    assert [xp for _, xp, _, _ in payments(user, database)] == [50] * 4


def test_a_forgotten_session_without_a_working_set_is_abandoned(user: User, noon: Clock) -> None:
    session = start(user)
    log(user, reps=5, is_warmup=True)
    noon.advance("PT12H")
    start(user)
    assert user.get(f"/exercise/sessions/{session}").data["status"] == "abandoned"


def test_a_forgotten_session_ends_at_its_last_set(user: User, noon: Clock) -> None:
    start(user)
    noon.advance("PT20M")
    log(user)
    noon.advance("PT13H")
    assert complete(user)["duration_seconds"] == 1_200
    start(user)
    noon.advance("PT13H")
    empty = complete(user)
    assert (empty["duration_seconds"], empty["xp_awarded"]) == (0, 0)
    start(user)
    noon.advance("PT13H")
    assert complete(user, completed_at=iso(noon.now()))["duration_seconds"] == 43_200


# Completing -------------------------------------------------------------------------------------------------------


def test_completing_twice_at_once_pays_once(user: User, database: Database) -> None:
    start(user)
    log(user)
    answers = at_once(4, lambda: user.post("/exercise/sessions/complete"))
    first = answers[0].data
    assert all(answer.data == first for answer in answers)
    assert payments(user, database) == [("workout_complete", 50, 25, "strength")]
    path = f"/exercise/sessions/{first['session_id']}/complete"
    assert user.post(path, {"rating": 1, "notes": "other"}).data == first


def test_a_completion_with_a_record_is_answered_alike_at_once(user: User, database: Database) -> None:
    trained(user, {"reps": 5, "weight_kg": 100})
    start(user)
    log(user, reps=5, weight_kg=110)
    log(user, reps=5, weight_kg=120)
    log(user, reps=5, weight_kg=105)
    answers = at_once(4, lambda: user.post("/exercise/sessions/complete"))
    first = answers[0].data
    assert all(answer.data == first for answer in answers)
    assert [one["key"] for one in first["achievements_unlocked"]] == ["first_pr"]
    # Of each type the best that stands, and one event for all of them.
    assert {(one["record_type"], one["value"], one["previous_value"]) for one in first["personal_records"]} == {
        ("max_weight", 120, 110),
        ("est_1rm", 140, 128.33),
        ("max_volume", 600, 550),
    }
    assert [event for event, *_ in payments(user, database)] == ["workout_complete"] * 2 + ["personal_record"]


def test_without_an_id_the_answer_is_repeated_for_a_minute(user: User, noon: Clock) -> None:
    user.post("/exercise/sessions/complete").refused(404, "not_found")
    start(user)
    log(user)
    first = complete(user)
    noon.advance("PT59S")
    assert complete(user) == first
    noon.advance("PT1S")
    user.post("/exercise/sessions/complete").refused(404, "not_found")
    assert user.post(f"/exercise/sessions/{first['session_id']}/complete").data == first


@pytest.mark.parametrize(
    ("length", "minutes"), [("PT59S", None), ("PT1M59S", 1), ("PT3H59M59S", 239), ("PT4H59M", 240), ("PT11H", 240)]
)
def test_the_minutes_that_count(user: User, noon: Clock, database: Database, length: str, minutes: int | None) -> None:
    start(user)
    log(user)
    noon.advance(length)
    complete(user)
    counted = database.query(
        "SELECT counters FROM points_ledger WHERE user_id = %s AND event_type = 'workout_complete'", user.id
    )
    assert counted[0]["counters"].get("exercise_minutes") == minutes


def test_the_fourth_session_of_a_day_pays_nothing_and_counts(
    new_user: NewUser, noon: Clock, database: Database
) -> None:
    user = new_user(settings={"timezone": "Pacific/Kiritimati"})
    paid = [trained(user)["xp_awarded"] for _ in range(3)]
    gone = trained(user)
    assert [*paid, gone["xp_awarded"], gone["coins_awarded"]] == [50, 50, 50, 0, 0]
    user.delete(f"/exercise/sessions/{gone['session_id']}")
    assert trained(user)["xp_awarded"] == 0
    counters = database.query(
        "SELECT value FROM user_counters WHERE user_id = %s AND counter = 'workouts_completed'", user.id
    )
    assert counters[0]["value"] == 5
    noon.set("2031-05-09T09:59:59+00:00")  # still the 9th there, as noon was
    assert trained(user)["xp_awarded"] == 0
    noon.set("2031-05-09T10:00:00+00:00")
    assert trained(user)["xp_awarded"] == 50


def test_the_cap_holds_in_parallel(new_user: NewUser, user: User, database: Database) -> None:
    for _ in range(2):
        trained(user)
    ids = []
    for _ in range(3):
        ids.append(start(user))
        log(user)
        user.post(f"/exercise/sessions/{ids[-1]}/abandon")
    for session in ids:
        user.post(f"/exercise/sessions/{session}/resume")
        user.post(f"/exercise/sessions/{session}/complete")
    assert [xp for _, xp, _, _ in payments(user, database) if xp] == [50, 50, 50]


def test_a_session_without_a_working_set_is_not_paid(user: User, database: Database) -> None:
    start(user)
    log(user, reps=5, weight_kg=20, is_warmup=True)
    log(user, BENCH, reps=0, weight_kg=100)
    done = complete(user)
    assert (done["xp_awarded"], done["coins_awarded"], done["total_sets"], done["total_volume_kg"]) == (0, 0, 0, 0)
    assert (done["session"]["status"], done["new_level"], done["leveled_up"]) == ("completed", 1, False)
    assert payments(user, database) == []


def test_cardio_trains_endurance(user: User, database: Database) -> None:
    plan = workout(user, workout_type="cardio")["id"]
    start(user, workout_id=plan)
    log(user, distance_m=5_000, duration_seconds=1_800)
    complete(user)
    assert payments(user, database) == [("workout_complete", 50, 25, "endurance")]


def test_a_beaten_record_is_an_event_of_its_own(user: User, database: Database) -> None:
    trained(user, {"reps": 5, "weight_kg": 100})
    trained(user, {"reps": 5, "weight_kg": 100})
    done = trained(user, {"reps": 5, "weight_kg": 101})
    assert [event for event, *_ in payments(user, database)] == ["workout_complete"] * 3 + ["personal_record"]
    assert [one["key"] for one in done["achievements_unlocked"]] == ["first_pr"]
    assert {one["record_type"]: one["previous_value"] for one in done["personal_records"]} == {
        "max_weight": 100,
        "est_1rm": 116.67,
        "max_volume": 500,
    }


def test_where_a_session_may_end(user: User, noon: Clock) -> None:
    session = start(user, started_at=iso(NOON - timedelta(hours=2)))
    log(user)
    for moment in (NOON + timedelta(seconds=1), NOON - timedelta(hours=2, seconds=1)):
        user.post("/exercise/sessions/complete", {"completed_at": iso(moment)}).invalid("completed_at")
    for fields in (
        {"rating": 0},
        {"rating": 6},
        {"rating": 4.5},
        {"notes": "x" * 2_001},
        {"completed_at": "2031-05-08"},
    ):
        user.post("/exercise/sessions/complete", fields).invalid(*fields)
    done = complete(user, completed_at=iso(NOON - timedelta(hours=1)), notes=None)
    assert (done["session_id"], done["duration_seconds"]) == (session, 3_600)
    # A set logged after the end was made at the end.
    assert {record["achieved_at"] for record in done["personal_records"]} == {iso(NOON - timedelta(hours=1))}


# Abandoning and resuming ------------------------------------------------------------------------------------------


def test_an_abandoned_session_can_be_resumed(user: User, noon: Clock) -> None:
    session = start(user)
    log(user)
    abandoned = user.post(f"/exercise/sessions/{session}/abandon").data
    assert (abandoned["status"], abandoned["abandoned_at"]) == ("abandoned", iso(NOON))
    noon.advance("PT1H")
    assert user.post(f"/exercise/sessions/{session}/abandon").data == abandoned
    assert user.get("/exercise/records").data["total"] == 0
    assert user.get("/exercise/sessions/active").data is None
    user.post(f"/exercise/sessions/{session}/complete").refused(409, "conflict")
    user.post(f"/exercise/sessions/{session}/sets", {"exercise_id": SQUAT, "reps": 1}).refused(409, "conflict")
    logged = abandoned["sets"][0]["id"]
    user.patch(f"/exercise/sessions/{session}/sets/{logged}", {"reps": 1}).refused(409, "conflict")
    user.delete(f"/exercise/sessions/{session}/sets/{logged}").refused(409, "conflict")
    resumed = user.post(f"/exercise/sessions/{session}/resume").data
    assert (resumed["id"], resumed["status"], resumed["is_stale"]) == (session, "active", False)
    assert user.post(f"/exercise/sessions/{session}/resume").data == resumed
    assert user.get("/exercise/records").data["total"] == 3
    complete(user)
    user.post(f"/exercise/sessions/{session}/abandon").refused(409, "conflict")
    user.post(f"/exercise/sessions/{session}/resume").refused(409, "conflict")


def test_only_one_session_runs(user: User) -> None:
    first = start(user)
    user.post(f"/exercise/sessions/{first}/abandon")
    second = start(user)
    refusal = user.post(f"/exercise/sessions/{first}/resume").refused(409, "active_session")
    assert refusal == {"session_id": second}
    user.post(f"/exercise/sessions/{second}/abandon")
    answers = at_once(2, lambda: user.post(f"/exercise/sessions/{first}/resume"))
    assert {answer.status for answer in answers} == {200}
    assert user.get("/exercise/sessions", query={"status": "active"}).data["total"] == 1


# Lists, changes, deletion -----------------------------------------------------------------------------------------


def test_lists(new_user: NewUser, noon: Clock) -> None:
    user = new_user(settings={"timezone": "America/New_York"})
    plan = workout(user, planned())["id"]
    early = trained(user, workout_id=plan, started_at="2031-05-07T03:59:59Z")["session_id"]  # the 6th there
    late = trained(user, started_at="2031-05-07T04:00:00Z")["session_id"]
    dropped = start(user)
    user.post(f"/exercise/sessions/{dropped}/abandon")

    def shown(**query: Any) -> list[str]:
        return [one["id"] for one in user.get("/exercise/sessions", query=query).data["sessions"]]

    assert shown() == [dropped, late, early]
    assert shown(status="completed") == [late, early]
    assert shown(workout_id=plan) == [early]
    assert shown(**{"from": "2031-05-07"}) == [dropped, late]
    assert shown(to="2031-05-06") == [early]
    assert shown(**{"from": "2031-05-07", "to": "2031-05-07"}) == [late]
    assert shown(page=2, page_size=2) == [early]
    data = user.get("/exercise/sessions", query={"page": 2, "page_size": 2}).data
    assert (data["total"], data["page"], data["page_size"], len(data["sessions"][0]["sets"])) == (3, 2, 2, 1)
    for query in ({"status": "x"}, {"from": "x"}, {"page_size": 101}, {"workout_id": "x"}):
        user.get("/exercise/sessions", query=query).invalid(*query)


def test_a_completed_session_can_be_changed(user: User, noon: Clock) -> None:
    session = trained(user, {"reps": 5, "weight_kg": 100}, started_at=iso(NOON - timedelta(hours=1)))["session_id"]
    path = f"/exercise/sessions/{session}"
    changed = user.patch(
        path,
        {
            "notes": "x",
            "rating": 5,
            "started_at": iso(NOON - timedelta(days=2, hours=1)),
            "completed_at": iso(NOON - timedelta(days=2)),
        },
    ).data
    assert (changed["notes"], changed["rating"], changed["duration_seconds"]) == ("x", 5, 3_600)
    assert (changed["xp_awarded"], changed["total_sets"]) == (50, 1)
    assert user.get("/exercise/history").data["days"][0]["date"] == "2031-05-06"
    assert {r["achieved_at"] for r in user.get("/exercise/records").data["records"]} == {iso(NOON - timedelta(days=2))}
    assert user.patch(path, {"notes": None}).data == changed | {"notes": None}
    user.patch(path, {"completed_at": iso(NOON - timedelta(days=3))}).invalid("completed_at")
    user.patch(path, {"completed_at": iso(NOON + timedelta(seconds=1))}).invalid("completed_at")
    user.patch(path, {"started_at": iso(NOON + timedelta(seconds=1))}).invalid("started_at")
    for field in ("started_at", "completed_at"):
        user.patch(path, {field: None}).invalid(field)
    user.patch(path, {"rating": 6}).invalid("rating")
    running = start(user)
    user.patch(f"/exercise/sessions/{running}", {"notes": "x"}).refused(409, "conflict")


def test_deleting_a_session_keeps_what_it_paid(user: User, database: Database) -> None:
    session = trained(user)["session_id"]
    before = payments(user, database)
    assert user.delete(f"/exercise/sessions/{session}").data == {"deleted": True}
    user.delete(f"/exercise/sessions/{session}").refused(404, "not_found")
    assert payments(user, database) == before
    assert user.get("/exercise/records", query={"history": "true"}).data["total"] == 0
    assert user.get("/exercise/stats").data["total_workouts"] == 0


def test_someone_elses_session_is_not_there(user: User, other: User) -> None:
    session = start(other)
    logged = log(other)["set_id"]
    path = f"/exercise/sessions/{session}"
    for answer in (
        user.get(path),
        user.patch(path, {"notes": "x"}),
        user.delete(path),
        user.post(f"{path}/complete"),
        user.post(f"{path}/abandon"),
        user.post(f"{path}/resume"),
        user.post(f"{path}/sets", {"exercise_id": SQUAT, "reps": 1}),
        user.patch(f"{path}/sets/{logged}", {"reps": 1}),
        user.delete(f"{path}/sets/{logged}"),
        user.post(f"{path}/save-as-workout", {"name": "x"}),
        user.post("/exercise/sessions/log-set", {"exercise_id": SQUAT, "reps": 1}),
    ):
        answer.refused(404, "not_found")
    assert len(other.get(path).data["sets"]) == 1
