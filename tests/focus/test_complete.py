from uuid import uuid4

import pytest

from tests.conftest import Client, Database, User, at_once
from tests.focus.conftest import Rewind, started, wallet


def test_pays_the_whole_session(user: User, rewind: Rewind, database: Database) -> None:
    session = started(user, duration_seconds=1500)
    rewind(user, 1490)
    answer = user.post(f"/focus/{session['id']}/complete").data
    assert answer["already_completed"] is False
    assert (answer["xp_awarded"], answer["coins_awarded"]) == (25, 5)
    assert answer["streak"] == 1
    assert [unlocked["key"] for unlocked in answer["achievements_unlocked"]] == ["first_focus"]
    shown = answer["session"]
    assert (shown["status"], shown["xp_awarded"], shown["coins_awarded"]) == ("completed", 25, 5)
    assert shown["completed_at"] == shown["ended_at"]
    assert shown["expires_at"] is None
    assert shown["time_remaining_seconds"] == 0
    # first_focus itself is worth 25 and 10.
    assert wallet(user, database) == (50, 15)


@pytest.mark.parametrize(
    ("duration", "active", "paid"),
    [
        (1500, 1425, (25, 5)),  # within a twentieth of the end: in full
        (1500, 1424, (23, 4)),
        (100, 85, (5, 2)),  # within 15 seconds of the end: in full
        (100, 84, (5, 2)),
        (1500, 59, (0, 0)),
        (1500, 60, (5, 2)),
        (59, 59, (0, 0)),
        (14400, 14400, (240, 48)),
        (1500, 0, (0, 0)),
    ],
)
def test_pays_by_active_seconds(user: User, rewind: Rewind, duration: int, active: int, paid: tuple[int, int]) -> None:
    session = started(user, duration_seconds=duration)
    rewind(user, active)
    answer = user.post(f"/focus/{session['id']}/complete").data
    assert (answer["xp_awarded"], answer["coins_awarded"]) == paid


@pytest.mark.parametrize(
    ("mode", "active", "paid"),
    [("break", 300, (2, 0)), ("break", 200, (0, 0)), ("long_break", 900, (3, 1)), ("long_break", 500, (0, 0))],
)
def test_a_break_pays_in_full_or_not_at_all(
    user: User, rewind: Rewind, mode: str, active: int, paid: tuple[int, int]
) -> None:
    session = started(user, mode=mode)
    rewind(user, active)
    answer = user.post(f"/focus/{session['id']}/complete").data
    assert (answer["xp_awarded"], answer["coins_awarded"]) == paid
    assert answer["streak"] == 0


def test_nothing_paid_is_said_in_full(user: User, database: Database) -> None:
    session = started(user)
    answer = user.post(f"/focus/{session['id']}/complete").data
    assert {key: answer[key] for key in answer if key != "session"} == {
        "already_completed": False,
        "xp_awarded": 0,
        "coins_awarded": 0,
        "leveled_up": False,
        "new_level": 1,
        "achievements_unlocked": [],
        "streak": 0,
    }
    assert database.query("SELECT id FROM points_ledger WHERE user_id = %s", user.id) == []


def test_completing_again_answers_the_same_and_pays_nothing(user: User, rewind: Rewind, database: Database) -> None:
    session = started(user, duration_seconds=14400)
    rewind(user, 14400)
    first = user.post(f"/focus/{session['id']}/complete").data
    before = wallet(user, database)
    again = user.post(f"/focus/{session['id']}/complete").data
    assert again == first | {"already_completed": True}
    assert first["leveled_up"] is True
    assert wallet(user, database) == before


def test_a_hundred_at_once_pay_once(user: User, rewind: Rewind, database: Database) -> None:
    session = started(user, duration_seconds=600)
    rewind(user, 600)
    answers = at_once(100, lambda: user.post(f"/focus/{session['id']}/complete").data)
    assert [answer["xp_awarded"] for answer in answers] == [10] * 100
    assert sorted(answer["already_completed"] for answer in answers) == [False, *[True] * 99]
    assert wallet(user, database) == (10 + 25, 2 + 10)


def test_the_request_that_settles_says_so(user: User, rewind: Rewind) -> None:
    session = started(user, duration_seconds=600)
    rewind(user, 5000)
    answer = user.post(f"/focus/{session['id']}/complete").data
    assert answer["already_completed"] is False
    assert answer["session"]["actual_seconds"] == 600


@pytest.mark.parametrize("status", ["abandoned", "expired"])
def test_an_ended_session_cannot_be_completed(user: User, rewind: Rewind, status: str) -> None:
    session = started(user)
    if status == "abandoned":
        user.post(f"/focus/{session['id']}/abandon")
    else:
        user.post("/focus/pause")
        rewind(user, 3600)
    details = user.post(f"/focus/{session['id']}/complete").refused(409, "invalid_state")
    assert details == {"status": status}
    assert user.get(f"/focus/{session['id']}").data["status"] == status


def test_someone_elses_is_absent(user: User, other: User, stranger: Client) -> None:
    session = started(user)
    other.post(f"/focus/{session['id']}/complete").refused(404, "not_found")
    other.post(f"/focus/{uuid4()}/complete").refused(404, "not_found")
    other.post("/focus/not-a-uuid/complete").refused(404, "not_found")
    stranger.post(f"/focus/{session['id']}/complete").refused(401, "unauthorized")
    assert user.get(f"/focus/{session['id']}").data["status"] == "active"
