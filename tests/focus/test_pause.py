from datetime import datetime, timedelta

import pytest

from local.clock import Clock
from tests.conftest import Client, Database, User, at_once
from tests.support import factories
from tests.support.locks import after_a_wait


def test_pausing_freezes_the_remainder(user: User, clock: Clock) -> None:
    session = factories.focus_session(user, duration_seconds=1500)
    clock.advance("300 s")
    state = user.post("/focus/pause").data
    assert state["session_id"] == session["id"]
    assert state["time_remaining_seconds"] == 1200
    clock.advance("600 s")
    shown = user.get("/focus/active").data
    assert shown["session"]["status"] == "paused"
    assert shown["session"]["time_remaining_seconds"] == state["time_remaining_seconds"]
    assert shown["pause_state"]["time_remaining_seconds"] == state["time_remaining_seconds"]
    assert shown["session"]["actual_seconds"] == 300


def test_paused_time_is_not_paid(user: User, clock: Clock) -> None:
    session = factories.focus_session(user, duration_seconds=1500)
    clock.advance("600 s")
    user.post("/focus/pause")
    clock.advance("3000 s")
    resumed = user.delete("/focus/pause").data
    assert resumed["status"] == "active"
    assert resumed["time_remaining_seconds"] == 900
    assert user.post(f"/focus/{session['id']}/complete").data["xp_awarded"] == 10


@pytest.mark.parametrize(("shown", "kept"), [(1190, 1190), (1500, 1230), (0, 1170), (1229, 1229), (14400, 1230)])
def test_a_clients_remainder_holds_within_half_a_minute(user: User, clock: Clock, shown: int, kept: int) -> None:
    factories.focus_session(user, duration_seconds=1500)
    clock.advance("300 s")
    state = user.post("/focus/pause", {"time_remaining_seconds": shown}).data
    assert state["time_remaining_seconds"] == kept
    resumed = user.delete("/focus/pause").data
    assert resumed["time_remaining_seconds"] == kept


def test_a_clients_remainder_never_exceeds_the_session(user: User) -> None:
    factories.focus_session(user, duration_seconds=60)
    assert user.post("/focus/pause", {"time_remaining_seconds": 14400}).data["time_remaining_seconds"] == 60


def test_pausing_to_and_fro_does_not_shorten_the_work(user: User) -> None:
    """Half a minute may be taken off each time; what is paid is still the time that was worked."""
    session = factories.focus_session(user, duration_seconds=60)
    for _ in range(3):
        user.post("/focus/pause", {"time_remaining_seconds": 0})
        user.delete("/focus/pause")
    assert user.get("/focus/active").data["session"] is None
    assert user.get(f"/focus/{session['id']}").data["xp_awarded"] == 0


def test_pausing_twice_answers_the_same(user: User, clock: Clock) -> None:
    factories.focus_session(user)
    first = user.post("/focus/pause").data
    clock.advance("60 s")
    again = user.post("/focus/pause", {"time_remaining_seconds": 5}).data
    assert again["time_remaining_seconds"] == first["time_remaining_seconds"]
    assert user.get("/focus/pause").data == again


def test_a_lapsed_pause_expires_and_is_paid_in_part(user: User, clock: Clock) -> None:
    session = factories.focus_session(user, duration_seconds=3000)
    clock.advance("1500 s")
    paused = user.post("/focus/pause").data
    clock.advance("3601 s")
    assert user.get("/focus/pause").data is None
    expired = user.get(f"/focus/{session['id']}").data
    assert (expired["status"], expired["xp_awarded"], expired["coins_awarded"]) == ("expired", 25, 5)
    assert user.get("/focus/active").data == {"session": None, "pause_state": None}
    lasted = datetime.fromisoformat(expired["ended_at"]) - datetime.fromisoformat(paused["paused_at"])
    assert lasted == timedelta(seconds=3600)


def test_what_a_lapsed_pause_is_paid_is_a_part(user: User, clock: Clock, database: Database) -> None:
    """Its minutes count and its session does not; also where it was all but finished."""
    sessions = []
    for active in (600, 1490):
        sessions.append(factories.focus_session(user, duration_seconds=1500)["id"])
        clock.advance(f"{active} s")
        user.post("/focus/pause")
        clock.advance("3600 s")
        user.get("/focus/active")
    rows = database.query("SELECT * FROM points_ledger WHERE user_id = %s ORDER BY seq", user.id)
    assert [(row["event_type"], row["xp"], row["coins"]) for row in rows] == [
        ("focus_partial", 10, 2),
        ("focus_partial", 25, 5),
    ]
    assert [row["idempotency_key"] for row in rows] == [f"focus_complete:{session}" for session in sessions]
    assert [row["counters"] for row in rows] == [{"focus_minutes": 10}, {"focus_minutes": 25}]
    assert [row["metadata"]["duration_seconds"] for row in rows] == [600, 1500]


@pytest.mark.parametrize("active", [200, 290])
def test_a_break_that_lapses_in_a_pause_pays_nothing(user: User, clock: Clock, database: Database, active: int) -> None:
    session = factories.focus_session(user, mode="break", duration_seconds=300)
    clock.advance(f"{active} s")
    user.post("/focus/pause")
    clock.advance("3600 s")
    assert user.get(f"/focus/{session['id']}").data["status"] == "expired"
    assert database.query("SELECT id FROM points_ledger WHERE user_id = %s", user.id) == []


def test_a_pause_of_less_than_an_hour_has_not_lapsed(user: User, clock: Clock) -> None:
    session = factories.focus_session(user)
    user.post("/focus/pause")
    clock.advance("3599 s")
    assert user.get(f"/focus/{session['id']}").data["status"] == "paused"
    clock.advance("1 s")
    assert user.get(f"/focus/{session['id']}").data["status"] == "expired"


def test_an_abandoned_pause_is_over(user: User, clock: Clock, database: Database) -> None:
    session = factories.focus_session(user)
    clock.advance("600 s")
    user.post("/focus/pause")
    abandoned = user.post(f"/focus/{session['id']}/abandon").data
    assert (abandoned["status"], abandoned["xp_awarded"], abandoned["actual_seconds"]) == ("abandoned", 0, 600)
    assert abandoned["paused_at"] is None
    assert user.get("/focus/pause").data is None
    assert database.query("SELECT id FROM points_ledger WHERE user_id = %s", user.id) == []


def test_nothing_to_pause_or_resume(user: User) -> None:
    user.post("/focus/pause").refused(404, "not_found")
    user.delete("/focus/pause").refused(404, "not_found")
    assert user.get("/focus/pause").data is None
    factories.focus_session(user)
    user.delete("/focus/pause").refused(404, "not_found")


def test_bad_remainders_are_named(user: User) -> None:
    factories.focus_session(user)
    for value in (-1, 14401, "60", 1.5, True):
        user.post("/focus/pause", {"time_remaining_seconds": value}).invalid("time_remaining_seconds")


def test_five_pauses_at_once_make_one(user: User) -> None:
    factories.focus_session(user)
    answers = at_once(5, lambda: user.post("/focus/pause"))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.data["paused_at"] for answer in answers}) == 1


# Requests that waited for another ----------------------------------------------------------------------------------


def paused_total(user: User, database: Database) -> float:
    """Seconds that the live session was paused, before the present pause."""
    [row] = database.query(
        "SELECT paused_total_seconds FROM focus_sessions WHERE user_id = %s AND ended_at IS NULL", user.id
    )
    return float(row["paused_total_seconds"])


PAUSE = "SELECT pause_focus(s, NULL) FROM focus_sessions AS s WHERE s.status = 'active'"


def test_a_resume_may_begin_before_the_pause_it_undoes(user: User, database: Database) -> None:
    factories.focus_session(user)
    resumed, _ = after_a_wait(database, user, lambda: user.delete("/focus/pause"), meanwhile=PAUSE)
    assert resumed.data["status"] == "active"
    assert paused_total(user, database) >= 0
    assert user.get("/focus/pause").data is None


def test_it_takes_no_paused_time_back(user: User, database: Database) -> None:
    factories.focus_session(user)
    user.post("/focus/pause")
    user.delete("/focus/pause")
    before = paused_total(user, database)
    assert before > 0
    after_a_wait(database, user, lambda: user.delete("/focus/pause"), meanwhile=PAUSE)
    assert paused_total(user, database) > before


def test_a_pause_is_dated_after_its_wait(user: User, database: Database) -> None:
    factories.focus_session(user)
    paused, released = after_a_wait(database, user, lambda: user.post("/focus/pause").data)
    assert datetime.fromisoformat(paused["paused_at"]) >= released


def test_a_clock_that_is_set_back_makes_no_pause_negative(user: User, clock: Clock, database: Database) -> None:
    factories.focus_session(user)
    clock.advance("600 s")
    user.post("/focus/pause")
    clock.advance("-60 s")
    resumed = user.delete("/focus/pause").data
    assert resumed["time_remaining_seconds"] == 900
    assert paused_total(user, database) == 0


def test_someone_elses_timer_is_not_touched(user: User, other: User, stranger: Client) -> None:
    factories.focus_session(user)
    other.post("/focus/pause").refused(404, "not_found")
    stranger.post("/focus/pause").refused(401, "unauthorized")
    stranger.get("/focus/pause").refused(401, "unauthorized")
    stranger.delete("/focus/pause").refused(401, "unauthorized")
    assert user.get("/focus/active").data["session"]["status"] == "active"
