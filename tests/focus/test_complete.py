from datetime import date
from uuid import uuid4

import pytest

from local.clock import Clock
from tests.conftest import Client, Database, NewUser, User, at_once
from tests.support import factories
from tests.support.ledger import boost, wallet


def test_pays_the_whole_session(user: User, clock: Clock, database: Database) -> None:
    session = factories.focus_session(user, duration_seconds=1500)
    clock.advance("1490 s")
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
    assert wallet(database, user) == (50, 15)


@pytest.mark.parametrize(
    ("duration", "active", "paid"),
    [
        (1500, 1425, (25, 5)),  # within a twentieth of the end: in full
        (1500, 1424, (23, 4)),
        (100, 85, (5, 2)),  # within 15 seconds of the end: in full
        (100, 84, (5, 2)),
        (60, 45, (5, 2)),  # which makes a minute of it
        (60, 44, (0, 0)),
        (1500, 1200, (20, 4)),  # a point a minute, a coin each five
        (1500, 1199, (19, 3)),
        (300, 285, (5, 2)),
        (1500, 59, (0, 0)),
        (1500, 60, (5, 2)),
        (59, 59, (0, 0)),
        (14400, 14400, (240, 48)),
        (1500, 0, (0, 0)),
    ],
)
def test_pays_by_active_seconds(user: User, clock: Clock, duration: int, active: int, paid: tuple[int, int]) -> None:
    session = factories.focus_session(user, duration_seconds=duration)
    clock.advance(f"{active} s")
    answer = user.post(f"/focus/{session['id']}/complete").data
    assert (answer["xp_awarded"], answer["coins_awarded"]) == paid


@pytest.mark.parametrize(
    ("session_seconds", "counted"),
    [
        ((1500, 1425), 1500),
        ((1500, 1424), 1424),
        ((300, 285), 300),
        ((300, 284), 284),
        ((340, 323), 340),
        ((340, 322), 322),
    ],
)
def test_near_its_end_a_session_counts_in_full(
    user: User, clock: Clock, database: Database, session_seconds: tuple[int, int], counted: int
) -> None:
    """Within a twentieth of its end, or within 15 seconds where those are more."""
    duration, active = session_seconds
    session = factories.focus_session(user, duration_seconds=duration)
    clock.advance(f"{active} s")
    assert user.post(f"/focus/{session['id']}/complete").data["session"]["actual_seconds"] == active
    [row] = database.query(
        "SELECT metadata, counters FROM points_ledger WHERE user_id = %s AND source_type = 'focus_session'", user.id
    )
    assert row["metadata"]["duration_seconds"] == counted
    assert row["counters"]["focus_minutes"] == counted // 60


@pytest.mark.parametrize(
    ("mode", "active", "paid"),
    [
        ("break", 300, (2, 0)),
        ("break", 285, (2, 0)),  # within 15 seconds of the end: in full
        ("break", 284, (0, 0)),
        ("long_break", 900, (3, 1)),
        ("long_break", 855, (3, 1)),  # within a twentieth of it
        ("long_break", 854, (0, 0)),
    ],
)
def test_a_break_pays_in_full_or_not_at_all(
    user: User, clock: Clock, mode: str, active: int, paid: tuple[int, int]
) -> None:
    session = factories.focus_session(user, mode=mode)
    clock.advance(f"{active} s")
    answer = user.post(f"/focus/{session['id']}/complete").data
    assert (answer["xp_awarded"], answer["coins_awarded"]) == paid
    assert answer["streak"] == 0


@pytest.mark.parametrize("mode", ["focus", "break", "long_break"])
def test_less_than_a_minute_pays_nothing_in_any_mode(user: User, clock: Clock, database: Database, mode: str) -> None:
    """Also where it was the whole session."""
    session = factories.focus_session(user, mode=mode, duration_seconds=59)
    clock.advance("59 s")
    answer = user.post(f"/focus/{session['id']}/complete").data
    assert (answer["xp_awarded"], answer["coins_awarded"], answer["session"]["status"]) == (0, 0, "completed")
    assert database.query("SELECT id FROM points_ledger WHERE user_id = %s", user.id) == []


def test_a_break_is_counted_and_is_no_activity(user: User, clock: Clock, database: Database) -> None:
    session = factories.focus_session(user, mode="long_break")
    clock.advance("900 s")
    user.post(f"/focus/{session['id']}/complete")
    [row] = database.query("SELECT * FROM points_ledger WHERE user_id = %s", user.id)
    assert (row["event_type"], row["idempotency_key"]) == ("break_complete", f"break_complete:{session['id']}")
    assert (row["counters"], row["skill_key"]) == ({"breaks_taken": 1}, None)
    assert database.query("SELECT * FROM user_streaks WHERE user_id = %s", user.id) == []


def test_a_boost_shows_in_the_session_and_in_a_replay(user: User, clock: Clock, database: Database) -> None:
    session = factories.focus_session(user, duration_seconds=1500)
    clock.advance("1500 s")
    boost(database, user.id, factor=1.5, started="-1 hour", ends="1 minute")
    first = user.post(f"/focus/{session['id']}/complete").data
    assert (first["xp_awarded"], first["coins_awarded"], first["session"]["xp_awarded"]) == (37, 5, 37)
    clock.advance("1 hour")
    assert user.post(f"/focus/{session['id']}/complete").data == first | {"already_completed": True}
    assert wallet(database, user) == (37 + 25, 5 + 10)


def test_a_paused_session_is_completed_by_its_active_seconds(user: User, clock: Clock, database: Database) -> None:
    session = factories.focus_session(user, duration_seconds=1500)
    clock.advance("600 s")
    user.post("/focus/pause")
    clock.advance("3599 s")
    answer = user.post(f"/focus/{session['id']}/complete").data
    assert (answer["xp_awarded"], answer["coins_awarded"]) == (10, 2)
    assert (answer["session"]["status"], answer["session"]["actual_seconds"]) == ("completed", 600)
    assert user.get("/focus/active").data == {"session": None, "pause_state": None}
    assert user.get("/focus/pause").data is None
    assert database.query("SELECT FROM focus_pause_state WHERE user_id = %s", user.id) == []


def test_nothing_paid_is_said_in_full(user: User, database: Database) -> None:
    session = factories.focus_session(user)
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


def test_completing_again_answers_the_same_and_pays_nothing(user: User, clock: Clock, database: Database) -> None:
    session = factories.focus_session(user, duration_seconds=14400)
    clock.advance("14400 s")
    first = user.post(f"/focus/{session['id']}/complete").data
    before = wallet(database, user)
    again = user.post(f"/focus/{session['id']}/complete").data
    assert again == first | {"already_completed": True}
    assert first["leveled_up"] is True
    assert wallet(database, user) == before


def test_a_hundred_at_once_pay_once(user: User, clock: Clock, database: Database) -> None:
    session = factories.focus_session(user, duration_seconds=600)
    clock.advance("600 s")
    answers = at_once(100, lambda: user.post(f"/focus/{session['id']}/complete").data)
    assert [answer["xp_awarded"] for answer in answers] == [10] * 100
    assert sorted(answer["already_completed"] for answer in answers) == [False, *[True] * 99]
    assert wallet(database, user) == (10 + 25, 2 + 10)


def test_the_request_that_settles_says_so(user: User, clock: Clock) -> None:
    session = factories.focus_session(user, duration_seconds=600)
    clock.advance("5000 s")
    answer = user.post(f"/focus/{session['id']}/complete").data
    assert answer["already_completed"] is False
    assert answer["session"]["actual_seconds"] == 600


@pytest.mark.parametrize("paid", [True, False])
def test_completing_a_former_session_settles_the_live_one(
    user: User, clock: Clock, database: Database, *, paid: bool
) -> None:
    """As any write of focus does (rule 3)."""
    former = factories.focus_session(user, duration_seconds=600)
    clock.advance("600 s" if paid else "1 s")
    first = user.post(f"/focus/{former['id']}/complete").data
    live = factories.focus_session(user, duration_seconds=14400)
    clock.advance("5 hours")
    again = user.post(f"/focus/{former['id']}/complete").data
    [row] = database.query("SELECT status, end_reason FROM focus_sessions WHERE id = %s", live["id"])
    assert row == {"status": "completed", "end_reason": "timer"}
    assert again["already_completed"] is True
    assert again["session"] == first["session"]
    assert again["xp_awarded"] == first["xp_awarded"] == (10 if paid else 0)
    # What was paid says the level of the first time; where nothing was, the present one is shown (rule 6).
    level = user.get("/progress").json["level"]
    assert level > first["new_level"]
    assert again["new_level"] == (first["new_level"] if paid else level)


# The day that is paid --------------------------------------------------------------------------------------------


def paid_on(user: User, database: Database) -> list[tuple[str, date]]:
    """What the user was paid for focus, and on which local day."""
    rows = database.query(
        "SELECT event_type, local_date FROM points_ledger WHERE user_id = %s AND source_type = 'focus_session'", user.id
    )
    return [(row["event_type"], row["local_date"]) for row in rows]


@pytest.mark.parametrize("settled_by", ["GET /focus/active", "POST /focus/{id}/complete"])
@pytest.mark.parametrize("mode", ["focus", "break"])
def test_a_session_is_paid_on_the_day_it_ended(
    new_user: NewUser, clock: Clock, database: Database, settled_by: str, mode: str
) -> None:
    """Whenever that is found. In Tokyo, with days that begin at four, the 9th ends at 19:00 UTC."""
    clock.set("2031-05-09T18:30:00Z")
    user = new_user(settings={"timezone": "Asia/Tokyo", "day_start_hour": 4})
    session = factories.focus_session(user, mode=mode, duration_seconds=1500)
    clock.advance("2 days")
    verb, path = settled_by.split()
    user.request(verb, path.format(id=session["id"]))
    assert user.get(f"/focus/{session['id']}").data["ended_at"] == "2031-05-09T18:55:00.000000Z"
    assert paid_on(user, database) == [(f"{mode}_complete", date(2031, 5, 9))]


def test_a_lapsed_pause_is_paid_on_the_day_it_lapsed(new_user: NewUser, clock: Clock, database: Database) -> None:
    clock.set("2031-05-09T23:00:00Z")
    user = new_user()
    factories.focus_session(user)
    clock.advance("600 s")
    user.post("/focus/pause")
    clock.advance("5 days")
    user.get("/focus/active")
    assert paid_on(user, database) == [("focus_partial", date(2031, 5, 10))]


def test_a_session_completed_by_hand_is_paid_on_that_day(new_user: NewUser, clock: Clock, database: Database) -> None:
    """Begun before midnight, completed after it."""
    clock.set("2031-05-09T23:50:00Z")
    user = new_user()
    session = factories.focus_session(user)
    clock.advance("1200 s")
    user.post(f"/focus/{session['id']}/complete")
    assert paid_on(user, database) == [("focus_complete", date(2031, 5, 10))]


@pytest.mark.parametrize("status", ["abandoned", "expired"])
def test_an_ended_session_cannot_be_completed(user: User, clock: Clock, status: str) -> None:
    session = factories.focus_session(user)
    if status == "abandoned":
        user.post(f"/focus/{session['id']}/abandon")
    else:
        user.post("/focus/pause")
        clock.advance("3600 s")
    details = user.post(f"/focus/{session['id']}/complete").refused(409, "invalid_state")
    assert details == {"status": status}
    assert user.get(f"/focus/{session['id']}").data["status"] == status


def test_someone_elses_is_absent(user: User, other: User, stranger: Client) -> None:
    session = factories.focus_session(user)
    other.post(f"/focus/{session['id']}/complete").refused(404, "not_found")
    other.post(f"/focus/{uuid4()}/complete").refused(404, "not_found")
    other.post("/focus/not-a-uuid/complete").refused(404, "not_found")
    stranger.post(f"/focus/{session['id']}/complete").refused(401, "unauthorized")
    assert user.get(f"/focus/{session['id']}").data["status"] == "active"
