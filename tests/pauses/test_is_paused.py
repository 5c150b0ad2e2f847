"""is_paused(): what the reminders ask about a user, a habit and a day."""

from datetime import timedelta

import pytest

from tests.conftest import Database, User
from tests.pauses.conftest import pause
from tests.support import factories
from tests.support.clock import NOON


@pytest.mark.parametrize("day", range(-2, 7))
def test_who_is_paused_when(user: User, other: User, database: Database, day: int) -> None:
    habit, second = (factories.habit(user)["id"] for _ in range(2))
    pause(user, 0, 2, habit_id=habit)
    pause(user, 2, 4)
    rows = database.query(
        "SELECT is_paused(%s, %s, d.day) AS first, is_paused(%s, %s, d.day) AS second,"
        "       is_paused(%s, NULL, d.day) AS all, is_paused(%s, %s, d.day) AS others"
        "  FROM (SELECT %s::date AS day) AS d",
        *(user.id, habit, user.id, second, user.id, other.id, habit, NOON.date() + timedelta(days=day)),
    )
    assert rows == [{"first": 0 <= day <= 4, "second": 2 <= day <= 4, "all": 2 <= day <= 4, "others": False}]
