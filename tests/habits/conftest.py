from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from psycopg.types.json import Json

from tests.conftest import Database, User

Later = Callable[[dict[str, Any], int], None]
Travel = Callable[[User, str], None]

# A day apart whatever the time, and neither has daylight saving time.
WEST, EAST = "Etc/GMT+12", "Asia/Kamchatka"
DAILY = list(range(7))


def made(user: User, **fields: Any) -> dict[str, Any]:
    """A habit just made."""
    habit: dict[str, Any] = user.post("/habits", {"name": "Read", **fields}).data
    return habit


def today() -> date:
    """The local day of a user who has set no timezone."""
    return datetime.now(UTC).date()


def weekday(day: date) -> int:
    """The weekday as custom_days counts it: 0 Sunday .. 6 Saturday."""
    return day.isoweekday() % 7


@pytest.fixture
def later(database: Database) -> Later:
    """Lets days pass for a habit: moves all that is recorded of it, but not the ledger, into the past."""

    def move(habit: dict[str, Any], days: int) -> None:
        # By way of far away: moved one by one, a day would meet the next one's old place.
        for distance in (-100_000, 100_000 - days):
            for sql in (
                "UPDATE habit_completions SET completed_date = completed_date + %s WHERE habit_id = %s",
                "UPDATE habit_skips SET day = day + %s WHERE habit_id = %s",
            ):
                database.query(sql, distance, habit["id"])
        database.query(
            "UPDATE habits SET created_on = created_on - %s, streak_through = streak_through - %s WHERE id = %s",
            *(days, days, habit["id"]),
        )

    return move


@pytest.fixture
def travel(database: Database) -> Travel:
    """Takes a user to another timezone."""

    def move(user: User, zone: str) -> None:
        database.query(
            "INSERT INTO user_settings (user_id, key, value) VALUES (%s, 'timezone', %s)"
            " ON CONFLICT (user_id, key) DO UPDATE SET value = excluded.value",
            *(user.id, Json(zone)),
        )

    return move


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
    rows = database.query(
        "SELECT event_type, xp, coins FROM points_ledger"
        " WHERE user_id = %s AND event_type IN ('habit_complete', 'reversal') ORDER BY seq",
        user.id,
    )
    return [(row["event_type"], row["xp"], row["coins"]) for row in rows]


def wealth(user: User, database: Database) -> tuple[int, int, int]:
    """The user's XP, coins and XP of the skill that habits train by default."""
    [row] = database.query(
        "SELECT total_xp, coins, coalesce((SELECT xp FROM user_skills AS s"
        " WHERE s.user_id = p.user_id AND skill_key = 'discipline'), 0) AS skill"
        " FROM user_progress AS p JOIN user_wallet USING (user_id) WHERE user_id = %s",
        user.id,
    )
    return row["total_xp"], row["coins"], row["skill"]


def counter(user: User, database: Database, name: str) -> int:
    rows = database.query("SELECT value FROM user_counters WHERE user_id = %s AND counter = %s", user.id, name)
    return rows[0]["value"] if rows else 0
