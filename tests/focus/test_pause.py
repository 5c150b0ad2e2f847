from datetime import datetime

import pytest

from tests.conftest import Client, User, at_once
from tests.focus.conftest import Rewind, started


def test_pausing_freezes_the_remainder(user: User, rewind: Rewind) -> None:
    session = started(user, duration_seconds=1500)
    rewind(user, 300)
    state = user.post("/focus/pause").data
    assert state["session_id"] == session["id"]
    assert 1198 <= state["time_remaining_seconds"] <= 1200
    rewind(user, 600)
    shown = user.get("/focus/active").data
    assert shown["session"]["status"] == "paused"
    assert shown["session"]["time_remaining_seconds"] == state["time_remaining_seconds"]
    assert shown["pause_state"]["time_remaining_seconds"] == state["time_remaining_seconds"]
    assert 300 <= shown["session"]["actual_seconds"] <= 302


def test_paused_time_is_not_paid(user: User, rewind: Rewind) -> None:
    session = started(user, duration_seconds=1500)
    rewind(user, 600)
    user.post("/focus/pause")
    rewind(user, 3000)
    resumed = user.delete("/focus/pause").data
    assert resumed["status"] == "active"
    assert 898 <= resumed["time_remaining_seconds"] <= 900
    assert user.post(f"/focus/{session['id']}/complete").data["xp_awarded"] == 10


@pytest.mark.parametrize(("shown", "kept"), [(1190, 1190), (1500, 1230), (0, 1170), (1229, 1229), (14400, 1230)])
def test_a_clients_remainder_holds_within_half_a_minute(user: User, rewind: Rewind, shown: int, kept: int) -> None:
    started(user, duration_seconds=1500)
    rewind(user, 300)
    state = user.post("/focus/pause", {"time_remaining_seconds": shown}).data
    assert abs(state["time_remaining_seconds"] - kept) <= 1
    resumed = user.delete("/focus/pause").data
    assert abs(resumed["time_remaining_seconds"] - kept) <= 1


def test_a_clients_remainder_never_exceeds_the_session(user: User) -> None:
    started(user, duration_seconds=60)
    assert user.post("/focus/pause", {"time_remaining_seconds": 14400}).data["time_remaining_seconds"] == 60


def test_pausing_to_and_fro_does_not_shorten_the_work(user: User) -> None:
    """Half a minute may be taken off each time; what is paid is still the time that was worked."""
    session = started(user, duration_seconds=60)
    for _ in range(3):
        user.post("/focus/pause", {"time_remaining_seconds": 0})
        user.delete("/focus/pause")
    assert user.get("/focus/active").data["session"] is None
    assert user.get(f"/focus/{session['id']}").data["xp_awarded"] == 0


def test_pausing_twice_answers_the_same(user: User, rewind: Rewind) -> None:
    started(user)
    first = user.post("/focus/pause").data
    rewind(user, 60)
    again = user.post("/focus/pause", {"time_remaining_seconds": 5}).data
    assert again["time_remaining_seconds"] == first["time_remaining_seconds"]
    assert user.get("/focus/pause").data == again


def test_a_lapsed_pause_expires_and_is_paid_in_part(user: User, rewind: Rewind) -> None:
    session = started(user, duration_seconds=3000)
    rewind(user, 1500)
    paused = user.post("/focus/pause").data
    rewind(user, 3601)
    assert user.get("/focus/pause").data is None
    expired = user.get(f"/focus/{session['id']}").data
    assert (expired["status"], expired["xp_awarded"], expired["coins_awarded"]) == ("expired", 25, 5)
    assert user.get("/focus/active").data == {"session": None, "pause_state": None}
    ended = datetime.fromisoformat(expired["ended_at"])
    assert ended > datetime.fromisoformat(paused["paused_at"]).replace(year=2000)


def test_nothing_to_pause_or_resume(user: User) -> None:
    user.post("/focus/pause").refused(404, "not_found")
    user.delete("/focus/pause").refused(404, "not_found")
    assert user.get("/focus/pause").data is None
    started(user)
    user.delete("/focus/pause").refused(404, "not_found")


def test_bad_remainders_are_named(user: User) -> None:
    started(user)
    for value in (-1, 14401, "60", 1.5, True):
        user.post("/focus/pause", {"time_remaining_seconds": value}).invalid("time_remaining_seconds")


def test_five_pauses_at_once_make_one(user: User) -> None:
    started(user)
    answers = at_once(5, lambda: user.post("/focus/pause"))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.data["paused_at"] for answer in answers}) == 1


def test_someone_elses_timer_is_not_touched(user: User, other: User, stranger: Client) -> None:
    started(user)
    other.post("/focus/pause").refused(404, "not_found")
    stranger.post("/focus/pause").refused(401, "unauthorized")
    stranger.get("/focus/pause").refused(401, "unauthorized")
    stranger.delete("/focus/pause").refused(401, "unauthorized")
    assert user.get("/focus/active").data["session"]["status"] == "active"
