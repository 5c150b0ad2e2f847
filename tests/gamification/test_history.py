from datetime import date, timedelta

import pytest

from local.clock import Clock
from tests.conftest import NewUser, User
from tests.gamification.conftest import Pay
from tests.support.clock import NOON


def test_every_day_is_there_and_the_last_is_today(new_user: NewUser, clock: Clock) -> None:
    clock.freeze()
    clock.set("2031-05-09T10:30:00Z")
    for zone, today in (("Pacific/Kiritimati", date(2031, 5, 10)), ("Pacific/Pago_Pago", date(2031, 5, 8))):
        user = new_user(settings={"timezone": zone})
        for days in (1, 7, 366):
            shown = user.get("/gamification/history", query={"days": days}).data["days"]
            assert [day["date"] for day in shown] == [str(today - timedelta(n)) for n in reversed(range(days))]


@pytest.mark.parametrize(("days", "shown"), [(30, [7, *[0] * 29]), (29, [0] * 29), (31, [0, 7, *[0] * 29])])
def test_the_oldest_day_of_the_list_counts(user: User, pay: Pay, days: int, shown: list[int]) -> None:
    pay(user, "admin_adjustment", xp=7, days_ago=29)
    assert [day["xp"] for day in user.get("/gamification/history", query={"days": days}).data["days"]] == shown


def test_what_a_day_brought(new_user: NewUser, pay: Pay, spend: Pay, reverse: Pay, clock: Clock) -> None:
    clock.set(NOON)
    user = new_user()
    pay(user, "milestone_complete", xp=10, coins=20, days_ago=2)
    pay(user, "milestone_complete", xp=7, coins=5, key="milestone_complete:1", days_ago=1)
    spend(user, 8, "purchase:1")
    reverse(user, "milestone_complete:1")
    before, yesterday, today = user.get("/gamification/history", query={"days": 3}).data["days"]
    assert set(today) == {"date", "xp", "coins_earned", "coins_spent", "events"}
    assert [before[key] for key in ("xp", "coins_earned", "coins_spent", "events")] == [10, 20, 0, 1]
    assert [yesterday[key] for key in ("xp", "coins_earned", "coins_spent", "events")] == [7, 5, 0, 1]
    # A counter-entry takes back on its own day, and is no event.
    assert [today[key] for key in ("xp", "coins_earned", "coins_spent", "events")] == [-7, -5, 8, 1]
    assert date.fromisoformat(today["date"]) - date.fromisoformat(before["date"]) == timedelta(2)


def test_all_days_together_are_the_wallet(new_user: NewUser, pay: Pay, spend: Pay, reverse: Pay, clock: Clock) -> None:
    clock.set(NOON)
    user = new_user()
    for days_ago in range(5, -1, -1):
        pay(user, "goal_complete", xp=40, coins=20, key=f"goal_complete:{days_ago}", days_ago=days_ago)
    spend(user, 30, "purchase:1")
    spend(user, 10, "purchase:2")
    reverse(user, "purchase:2")
    reverse(user, "goal_complete:0")
    days = user.get("/gamification/history").data["days"]
    summary = user.get("/gamification/summary").data
    assert sum(day["xp"] for day in days) == summary["total_xp"]
    assert sum(day["coins_earned"] for day in days) == summary["total_earned"]
    assert sum(day["coins_spent"] for day in days) == summary["total_spent"] == 30


@pytest.mark.parametrize("days", [0, 367, "x", -1])
def test_bad_queries_are_named(user: User, days: object) -> None:
    user.get("/gamification/history", query={"days": days}).invalid("days")
