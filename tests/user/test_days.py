"""Another time zone, or another hour at which the day begins: no streak breaks by it (core contract, 1.1, rule 3)."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.clock import Clock
from tests.conftest import Answer, Database, NewUser, User
from tests.support.ledger import as_user
from tests.support.locks import after_a_wait
from tests.user.conftest import Pay

WEST, EAST = "Pacific/Pago_Pago", "Pacific/Kiritimati"  # 11 hours behind UTC, 14 ahead
# An instant on three days: the 8th of May in the west, the 9th in UTC, the 10th in the east.
THREE_DAYS = "2031-05-09T10:30:00Z"

WRITES: dict[str, Callable[[User, str, Any], Answer]] = {
    "PUT /user/settings": lambda user, key, value: user.put("/user/settings", {key: value}),
    "POST /settings": lambda user, key, value: user.post("/settings", {"key": key, "value": value}),
    "PATCH /settings": lambda user, key, value: user.patch("/settings", {"theme": "dark", key: value}),
}


def streak(user: User, streak_type: str = "daily_activity") -> tuple[int, str | None]:
    """The streak as it is shown, and its last day."""
    [shown] = [streak for streak in user.get("/streaks").json if streak["streak_type"] == streak_type]
    return shown["current_streak"], shown["last_activity_date"]


@pytest.fixture
def western(new_user: NewUser, clock: Clock) -> User:
    """A user in the west, at an instant that is on the 8th of May there."""
    clock.freeze()
    clock.set(THREE_DAYS)
    return new_user(settings={"timezone": WEST})


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_streak_survives_the_move_over_the_date_line(
    western: User, pay: Pay, write: Callable[[User, str, Any], Answer]
) -> None:
    for days_ago in (3, 2, 1):
        pay(western, "goal_complete", days_ago=days_ago)
    assert streak(western) == (3, "2031-05-07")
    assert write(western, "timezone", EAST).status == 200
    assert streak(western) == (3, "2031-05-09")
    pay(western, "goal_complete")
    assert streak(western) == (4, "2031-05-10")


@pytest.mark.parametrize(
    "reset",
    [
        lambda user: user.delete("/settings/timezone"),
        lambda user: user.put("/user/settings", {"timezone": None}),
        lambda user: user.post("/settings", {"key": "timezone", "value": None}),
    ],
)
def test_so_it_does_when_the_zone_is_reset(western: User, pay: Pay, reset: Callable[[User], Answer]) -> None:
    pay(western, "goal_complete", days_ago=1)
    assert reset(western).status < 300
    assert streak(western) == (1, "2031-05-08")


def test_so_it_does_when_the_day_begins_earlier(new_user: NewUser, pay: Pay, clock: Clock) -> None:
    clock.set("2031-05-09T05:00:00Z")
    user = new_user(settings={"day_start_hour": 6})
    pay(user, "goal_complete", days_ago=1)
    user.put("/user/settings", {"day_start_hour": 0})
    assert streak(user) == (1, "2031-05-08")


def test_each_type_is_alive_or_not_by_itself(western: User, pay: Pay) -> None:
    for event_type, days_ago in (("habit_complete", 2), ("focus_complete", 1), ("reading_session", 0)):
        pay(western, event_type, days_ago=days_ago)
    western.put("/user/settings", {"timezone": EAST})
    assert streak(western, "habit") == (0, "2031-05-06")
    assert streak(western, "focus") == (1, "2031-05-09")
    assert streak(western, "reading") == (1, "2031-05-09")
    assert streak(western, "workout") == (0, None)
    assert streak(western) == (3, "2031-05-09")


def test_other_settings_move_no_streak(western: User, pay: Pay) -> None:
    pay(western, "goal_complete", days_ago=1)
    western.patch("/settings", {"theme": "dark", "timezone": WEST, "day_start_hour": 0, "locale": "de"})
    western.delete("/settings/theme")
    assert streak(western) == (1, "2031-05-07")


def test_the_streaks_of_others_stay(western: User, new_user: NewUser, pay: Pay) -> None:
    neighbour = new_user(settings={"timezone": WEST})
    pay(neighbour, "goal_complete", days_ago=1)
    western.put("/user/settings", {"timezone": EAST})
    assert streak(neighbour) == (1, "2031-05-07")


@pytest.mark.parametrize(
    "write",
    [
        lambda user: user.put("/user/settings", {"timezone": EAST}),
        lambda user: user.delete("/settings/timezone"),
    ],
)
def test_the_change_waits_for_a_payment_under_way(
    western: User, database: Database, write: Callable[[User], Answer]
) -> None:
    answer, _ = after_a_wait(database, western, lambda: write(western))
    assert answer.status < 300


def test_a_setting_is_dated_after_the_wait(western: User, database: Database, clock: Clock) -> None:
    clock.reset()
    _, released = after_a_wait(database, western, lambda: western.put("/user/settings", {"locale": "de"}).data)
    [row] = [row for row in western.get("/settings").json["settings"] if row["key"] == "locale"]
    assert datetime.fromisoformat(row["created_at"]) >= released
    assert row["updated_at"] == row["created_at"]


def test_requests_write_no_setting_past_that(western: User, database: Database) -> None:
    for statement in (
        "INSERT INTO user_settings (key, value) VALUES ('timezone', '\"UTC\"')",
        "UPDATE user_settings SET value = '\"UTC\"'",
        "DELETE FROM user_settings",
    ):
        with pytest.raises(Exception, match="permission denied"):
            as_user(database, western, statement)


ZONES = st.sampled_from([WEST, "America/Los_Angeles", "UTC", "Europe/Berlin", "Asia/Tokyo", EAST])


@settings(max_examples=60)
@given(
    zones=st.tuples(ZONES, ZONES),
    day_starts=st.tuples(st.integers(0, 6), st.integers(0, 6)),
    minutes=st.integers(0, 11 * 24 * 60),  # the clocks of Europe change in between
    days_ago=st.integers(-1, 3),
)
def test_what_was_alive_is_alive_and_nothing_else_moves(
    new_user: NewUser,
    pay: Pay,
    clock: Clock,
    database: Database,
    *,
    zones: tuple[str, str],
    day_starts: tuple[int, int],
    minutes: int,
    days_ago: int,
) -> None:
    clock.freeze()
    clock.set("2031-03-25T00:00:00Z")
    clock.advance(timedelta(minutes=minutes))
    user = new_user(settings={"timezone": zones[0], "day_start_hour": day_starts[0]})
    pay(user, "goal_complete", days_ago=days_ago)

    def today() -> date:
        [row] = as_user(database, user, "SELECT local_today() AS today")
        day: date = row["today"]
        return day

    before = today()
    last = before - timedelta(days=days_ago)
    user.patch("/settings", {"timezone": zones[1], "day_start_hour": day_starts[1]})
    if days_ago <= 1:
        last = max(last, today() - timedelta(days=1))
    [row] = database.query("SELECT * FROM user_streaks WHERE user_id = %s", user.id)
    assert (row["current_streak"], row["longest_streak"], row["last_activity_date"]) == (1, 1, last)
    assert streak(user) == (1 if last >= today() - timedelta(days=1) else 0, last.isoformat())
