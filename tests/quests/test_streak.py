"""The streak of a quest: completed periods in a row, up to the present one or the one before."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.clock import Clock
from tests.conftest import Database, NewUser, User
from tests.quests.conftest import Earn, universal
from tests.support.factories import quest as added
from tests.support.ledger import as_user


def complete(database: Database, user: User, quest_id: str) -> None:
    """Complete a quest as its route does. A session would not last from one month to the next."""
    as_user(database, user, "SELECT complete_quest(q, NULL) FROM quests_now AS q WHERE id = %(id)s", id=quest_id)


def shown(database: Database, user: User, quest_id: str) -> int:
    [row] = as_user(database, user, "SELECT streak_count FROM quests_now WHERE id = %(id)s", id=quest_id)
    streak: int = row["streak_count"]
    return streak


def moment(frequency: str, number: int) -> str:
    """Noon of a day in a period: the first is that of the 9th of May 2031, a Friday."""
    if frequency == "monthly":
        day = date(2031 + (4 + number) // 12, (4 + number) % 12 + 1, 9)
    else:
        day = date(2031, 5, 9) + timedelta(days=number * {"daily": 1, "weekly": 7}[frequency])
    return f"{day}T12:00:00Z"


@pytest.mark.parametrize("frequency", ["daily", "weekly", "monthly"])
@settings(max_examples=12)
@given(done=st.sets(st.integers(0, 9)))
def test_a_streak_is_periods_without_a_gap(
    new_user: NewUser, database: Database, clock: Clock, *, frequency: str, done: set[int]
) -> None:
    clock.set(moment(frequency, 0))
    user = new_user()
    quest_id = added(user, is_repeatable=True, repeat_frequency=frequency)["id"]
    streak = 0
    for number in range(10):
        clock.set(moment(frequency, number))
        assert shown(database, user, quest_id) == streak  # open, or lost with the period before
        if number in done:
            complete(database, user, quest_id)
            streak += 1
            assert shown(database, user, quest_id) == streak
        else:
            streak = 0


def test_a_streak_counts_periods_of_the_present_length_only(user: User, clock: Clock) -> None:
    path = f"/quests/{added(user, is_repeatable=True, repeat_frequency='weekly')['id']}"
    for _ in range(3):
        clock.advance("P7D")
        user.post(f"{path}/complete")
    assert user.get(path).data["streak_count"] == 3
    assert user.patch(path, {"repeat_frequency": "daily"}).data["streak_count"] == 0
    assert user.patch(path, {"is_repeatable": False}).data["streak_count"] == 0
    assert user.patch(path, {"is_repeatable": True, "repeat_frequency": "weekly"}).data["streak_count"] == 3


def test_what_is_done_once_has_no_streak(user: User) -> None:
    path = f"/quests/{added(user)['id']}"
    assert user.post(f"{path}/complete").data["quest"]["streak_count"] == 0


def test_a_reopened_day_is_not_in_it(user: User, clock: Clock) -> None:
    path = f"/quests/{added(user, is_repeatable=True)['id']}"
    user.post(f"{path}/complete")
    clock.advance("P1D")
    assert user.post(f"{path}/complete").data["quest"]["streak_count"] == 2
    assert user.post(f"{path}/reopen").data["streak_count"] == 1
    clock.advance("P1D")
    assert user.get(path).data["streak_count"] == 0
    assert user.post(f"{path}/complete").data["quest"]["streak_count"] == 1


def test_a_period_claimed_late_joins_what_is_around_it(user: User, earn: Earn, clock: Clock) -> None:
    quest = universal(user, "daily_focus")
    path = f"/quests/{quest['id']}/complete"
    streaks = []
    for late in (False, True, False):
        earn(user, focus_minutes=25)
        if not late:
            streaks.append(user.post(path).data["quest"]["streak_count"])
        clock.advance("P1D")
    # The last day begins anew, as long as the one before it is not claimed.
    assert streaks == [1, 1]
    earn(user, focus_minutes=25)
    assert user.post(path).data["quest"]["streak_count"] == 2
    clock.set("2031-05-11T12:00:00Z")
    claimed = user.post(path, {"period_key": "2031-05-10"}).data["quest"]
    assert (claimed["period_key"], claimed["streak_count"]) == ("2031-05-11", 3)
    clock.set("2031-05-12T12:00:00Z")
    assert universal(user, "daily_focus")["streak_count"] == 4


def test_a_day_that_comes_back_joins_the_next_one(new_user: NewUser, clock: Clock) -> None:
    clock.set("2031-05-09T10:30:00Z")  # the 8th in Pago Pago, the 9th in UTC, the 10th in Kiritimati
    user = new_user(settings={"timezone": "Pacific/Kiritimati"})
    path = f"/quests/{added(user, is_repeatable=True)['id']}"

    def streak_in(zone: str) -> int:
        user.put("/user/settings", {"timezone": zone})
        streak: int = user.get(path).data["streak_count"]
        return streak

    user.post(f"{path}/complete")
    assert streak_in("UTC") == 0
    user.post(f"{path}/complete")
    assert streak_in("Pacific/Pago_Pago") == 0
    user.post(f"{path}/complete")
    assert [streak_in(zone) for zone in ("Pacific/Pago_Pago", "UTC", "Pacific/Kiritimati")] == [1, 2, 3]
    streak_in("UTC")
    assert user.post(f"{path}/reopen").data["streak_count"] == 1
    assert streak_in("Pacific/Kiritimati") == 1


STEPS = st.sampled_from(["complete", "complete", "reopen", "a day later", "a day later", "east", "west"])


@settings(max_examples=30)
@given(steps=st.lists(STEPS, max_size=20))
def test_the_streak_agrees_with_the_history(new_user: NewUser, clock: Clock, steps: list[str]) -> None:
    """Whatever the user does, and however their days move: what is kept is what counting the completed days gives."""
    clock.set("2031-05-09T10:30:00Z")
    user = new_user()
    path = f"/quests/{added(user, is_repeatable=True)['id']}"
    zones = ["Pacific/Pago_Pago", "UTC", "Pacific/Kiritimati"]
    for step in steps:
        match step:
            case "a day later":
                clock.advance("P1D")
            case "east" | "west":
                user.put("/user/settings", {"timezone": zones[2 if step == "east" else 0]})
            case move:
                user.post(f"{path}/{move}")
        quest: dict[str, Any] = user.get(path).data
        done = {row["period_key"] for row in user.get(f"{path}/history").data["completions"]}
        day = date.fromisoformat(quest["period_key"])
        if str(day) not in done:
            day -= timedelta(days=1)
        streak = 0
        while str(day) in done:
            streak += 1
            day -= timedelta(days=1)
        assert quest["streak_count"] == streak
