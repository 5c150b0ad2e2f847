from typing import Any

from local.clock import Clock
from tests.conftest import NewUser, User
from tests.gamification.conftest import Pay, pay, reverse, spend
from tests.support import factories
from tests.support.clock import ahead
from tests.support.factories import habit, quest
from tests.today.conftest import today

__all__ = ["pay", "reverse", "spend"]


def summary(user: User) -> dict[str, Any]:
    """The day in numbers, which both routes tell alike."""
    numbers: dict[str, Any] = user.get("/today/summary").data
    assert today(user)["data"] == numbers
    return numbers


def test_habits_due_or_done(user: User) -> None:
    made = [habit(user, name)["id"] for name in "abcd"]
    weekly = habit(user, "weekly", frequency="weekly", target_count=1)["id"]
    assert summary(user)["habits"] == {"done": 0, "due": 5}
    user.post(f"/habits/{made[0]}/complete")
    user.post(f"/habits/{weekly}/complete")  # no longer due this week, but done today
    user.post(f"/habits/{made[1]}/skip")
    user.post(f"/habits/{made[2]}/archive")
    assert summary(user)["habits"] == {"done": 2, "due": 3}


def test_focus_of_the_day(user: User, clock: Clock) -> None:
    for mode, seconds in (("focus", 1500), ("focus", 600), ("break", 300)):
        factories.focus_session(user, mode=mode, duration_seconds=seconds)
        clock.advance(f"{seconds} seconds")
        user.get("/focus/active")
    factories.focus_session(user)
    clock.advance("60 seconds")
    user.post("/focus/pause")
    clock.advance("3600 seconds")  # lapses: not completed
    assert summary(user)["focus"] == {"seconds": 2100, "sessions": 2}
    clock.advance("1 day")
    assert summary(user)["focus"] == {"seconds": 0, "sessions": 0}


def test_quests_active_and_ready(user: User, clock: Clock) -> None:
    quest(user, target=2, expires_at=f"{ahead(0)}T13:00:00Z", accepted=True)
    assert summary(user)["quests"] == {"active": 1, "ready": 0}
    user.post(f"/habits/{habit(user)['id']}/complete")  # the universal quest of a habit a day is at its target
    assert summary(user)["quests"] == {"active": 1, "ready": 1}
    clock.advance("2 hours")
    assert summary(user)["quests"] == {"active": 0, "ready": 1}


def test_xp_and_coins_of_the_day(user: User, pay: Pay, spend: Pay, reverse: Pay) -> None:
    pay(user, xp=50, coins=20, days_ago=1)
    pay(user, xp=30, coins=10)
    pay(user, xp=5, coins=7, key="undone")
    spend(user, 12, "bought")
    spend(user, 3, "given back")
    for key in ("undone", "given back"):
        reverse(user, key)
    numbers = summary(user)
    assert (numbers["xp_today"], numbers["coins_today"]) == (30, 10)
    assert numbers["level"] == {"level": 1, "current_xp": 80, "xp_to_next_level": 100, "xp_progress_percent": 80}


def test_a_reversal_counts_on_the_day_it_is_made(user: User, pay: Pay, reverse: Pay) -> None:
    pay(user, xp=50, coins=20, days_ago=1, key="undone")
    reverse(user, "undone")
    numbers = summary(user)
    assert (numbers["xp_today"], numbers["coins_today"]) == (-50, -20)


def test_the_day_is_the_users(new_user: NewUser, clock: Clock) -> None:
    user = new_user(settings={"timezone": "Pacific/Kiritimati", "day_start_hour": 6})
    assert summary(user)["date"] == ahead(0)  # it is two in the morning there, of the next day
    clock.advance("4 hours")
    assert summary(user)["date"] == ahead(1)


def test_overdue_goals(user: User) -> None:
    for target in (ahead(-1), ahead(0), None):
        user.post("/goals", {"title": "Learn to swim", "target_date": target})
    late = user.post("/goals", {"title": "Learn to dive", "target_date": ahead(-30)}).data["id"]
    assert summary(user)["overdue_goals"] == 2
    user.patch(f"/goals/{late}", {"status": "abandoned"})
    assert summary(user)["overdue_goals"] == 1
