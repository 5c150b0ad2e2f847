from datetime import timedelta
from typing import Any

import pytest

from local.clock import Clock
from tests.conftest import Database, User


@pytest.fixture
def clock(clock: Clock) -> Clock:
    """The clock, stopped at noon of tomorrow: a timer runs exactly as long as its test says, and on one day."""
    clock.set((clock.now() + timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0))
    clock.freeze()
    return clock


def started(user: User, **fields: Any) -> dict[str, Any]:
    """A session just started."""
    session: dict[str, Any] = user.post("/focus", fields).data
    return session


def wallet(user: User, database: Database) -> tuple[int, int]:
    """The user's lifetime XP and coins."""
    rows = database.query(
        "SELECT total_xp, coins FROM user_progress JOIN user_wallet USING (user_id) WHERE user_id = %s", user.id
    )
    return (rows[0]["total_xp"], rows[0]["coins"]) if rows else (0, 0)
