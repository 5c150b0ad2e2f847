from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any

import pytest

from local.clock import Clock
from tests.conftest import Database, User
from tests.support.ledger import payments

Today = Callable[[], date]
Later = Callable[[User, int], None]

# A day apart whatever the time, and neither has daylight saving time.
WEST, EAST = "Etc/GMT+12", "Asia/Kamchatka"
DAILY = list(range(7))


def weekday(day: date) -> int:
    """The weekday as custom_days counts it: 0 Sunday .. 6 Saturday."""
    return day.isoweekday() % 7


@pytest.fixture
def clock(clock: Clock) -> Clock:
    """The clock, from noon of tomorrow on: no day ends while a test runs."""
    clock.set((clock.now() + timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0))
    return clock


@pytest.fixture
def today(clock: Clock) -> Today:
    """The local day of a user who has set no timezone."""
    return lambda: clock.now().date()


@pytest.fixture
def later(clock: Clock) -> Later:
    """Lets days pass. The user looks in now and then: a browser that is idle for two weeks is signed out."""

    def pass_days(user: User, days: int) -> None:
        for step in [10] * (days // 10) + [days % 10]:
            clock.advance(timedelta(days=step))
            user.get("/habits")

    return pass_days


def travel(user: User, zone: str) -> None:
    """Take a user to another timezone."""
    assert user.put("/user/settings", {"timezone": zone}).status == 200


def done_before(habit: dict[str, Any], days: Iterable[date], database: Database) -> None:
    """Record days as done that are too long ago to be completed by a request."""
    database.query(
        "INSERT INTO habit_completions (user_id, habit_id, completed_date, ordinal)"
        " SELECT user_id, id, day, 1 FROM habits, unnest(%s::date[]) AS day WHERE id = %s",
        *(list(days), habit["id"]),
    )
    database.query("SELECT recount_habit(h) FROM habits AS h WHERE id = %s", habit["id"])


def ledger(user: User, database: Database) -> list[tuple[str, int, int]]:
    """What the user was paid for habits: event, XP, coins, oldest first."""
    return payments(database, user, "habit_complete", "reversal")


def wealth(user: User, database: Database) -> tuple[int, int, int]:
    """The user's XP, coins and XP of the skill that habits train by default."""
    [row] = database.query(
        "SELECT total_xp, coins, coalesce((SELECT xp FROM user_skills AS s"
        " WHERE s.user_id = p.user_id AND skill_key = 'discipline'), 0) AS skill"
        " FROM user_progress AS p JOIN user_wallet USING (user_id) WHERE user_id = %s",
        user.id,
    )
    return row["total_xp"], row["coins"], row["skill"]
