"""Users whose quests move: by the ledger, as any route that pays would move them, and by the days that pass."""

import secrets
from collections.abc import Callable
from typing import Any

import pytest

from local.clock import Clock
from tests.conftest import Database, User
from tests.support import ledger

Earn = Callable[..., str]


@pytest.fixture
def clock(clock: Clock) -> Clock:
    """The clock, at noon of the 9th of May 2031, a Friday."""
    clock.set("2031-05-09T12:00:00Z")
    return clock


@pytest.fixture
def earn(database: Database) -> Earn:
    """Awards an event without XP and coins that moves these counters, so many days ago; returns the ledger's key."""

    def award(user: User, event_type: str = "focus_partial", days_ago: int = 0, **counters: int) -> str:
        key = f"test:{secrets.token_hex(8)}"
        ledger.award(database, user, event_type, key=key, counters=counters, days_ago=days_ago)
        return key

    return award


def run_out(database: Database, quest_id: str) -> None:
    """Let a quest of a user's own expire now, which no request may ask for."""
    database.query(
        """
        WITH q AS (UPDATE quests SET expires_at = clock() WHERE id = %s RETURNING user_id, id, expires_at)
        UPDATE user_quest_progress AS p SET expires_at = q.expires_at
          FROM q WHERE p.user_id = q.user_id AND p.quest_id = q.id AND p.status = 'accepted'
        """,
        quest_id,
    )


def universal(user: User, key: str) -> dict[str, Any]:
    """A universal quest as the user sees it."""
    [quest] = [
        quest for quest in user.get("/quests", query={"kind": "universal"}).data["quests"] if quest["key"] == key
    ]
    found: dict[str, Any] = quest
    return found


def paid(completion: dict[str, Any]) -> tuple[int, int]:
    """The XP and coins that a completion brought."""
    return completion["xp_awarded"], completion["coins_awarded"]
