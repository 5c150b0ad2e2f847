"""What a pause is to habits: not due, and neither a day more of a streak nor its end."""

from datetime import timedelta
from typing import Any

import pytest

from local.clock import Clock
from tests.conftest import Database, User
from tests.pauses.conftest import pause
from tests.support import factories
from tests.support.clock import NOON, ahead
from tests.support.ledger import counter


def do(user: User, clock: Clock, habit: str, *done: int) -> dict[str, Any]:
    """Complete the habit on these days, in days from NOON's, at two o'clock; the answer to the last one."""
    answer: dict[str, Any] = {}
    for day in done:
        clock.set(NOON + timedelta(days=day, hours=2))
        answer = user.post(f"/habits/{habit}/complete").data
    return answer


def streak(user: User, habit: str) -> tuple[int, int]:
    shown = user.get(f"/habits/{habit}").data
    return shown["current_streak"], shown["longest_streak"]


@pytest.mark.parametrize("everything", [True, False])
def test_paused_days_are_not_due_anywhere(user: User, clock: Clock, everything: bool) -> None:
    habit = factories.habit(user)["id"]
    version = user.get("/sync/state").json["versions"]["habits"]
    made = pause(user, 0, 1, **({} if everything else {"habit_id": habit}))
    shown = user.get(f"/habits/{habit}").data
    assert (shown["due_today"], shown["paused_until"], shown["skipped_today"]) == (False, ahead(1), False)
    assert user.get("/habits").data["habits"] == [shown]
    assert user.get("/sync/badges").json["pending_habits"] == 0
    assert user.get("/today/summary").data["habits"] == {"done": 0, "due": 0}
    assert "habit" not in {item["type"] for item in factories.daily_plan(user)["items"]}
    assert user.get("/sync/state").json["versions"]["habits"] != version
    sent = user.post("/sync/poll", {"client_versions": {"habits": version}}).json["updates"]["habits"]["habits"]
    assert sent == [shown]
    clock.advance("P2D")
    shown = user.get(f"/habits/{habit}").data
    assert (shown["due_today"], shown["paused_until"]) == (True, None)
    assert user.get("/sync/badges").json["pending_habits"] == 1
    assert user.get("/today/summary").data["habits"] == {"done": 0, "due": 1}
    assert "habit" in {item["type"] for item in factories.daily_plan(user)["items"]}
    statuses = [day["status"] for day in user.get(f"/habits/{habit}/history").data["days"][-3:]]
    assert statuses == ["not_due", "not_due", "pending"]
    user.delete(f"/pauses/{made['id']}").refused(409, "invalid_state")


def test_a_pause_of_one_habit_is_none_of_another(user: User) -> None:
    first, second = (factories.habit(user)["id"] for _ in range(2))
    pause(user, 0, 1, habit_id=first)
    assert [h["due_today"] for h in user.get("/habits").data["habits"]] == [False, True]
    assert user.get(f"/habits/{second}").data["paused_until"] is None


def test_the_longer_of_two_pauses_is_shown(user: User) -> None:
    habit = factories.habit(user)["id"]
    pause(user, 0, 9, habit_id=habit)
    pause(user, -1, 3)
    assert user.get(f"/habits/{habit}").data["paused_until"] == ahead(9)


# What the habit is, the days it is done on, the pause, and the streak on the last of the days.
Case = tuple[dict[str, Any], list[int], tuple[int, int], int]
CASES: list[Case] = [
    ({}, [0, 1, 5], (2, 4), 3),
    ({}, [0, 1, 6], (2, 4), 1),  # the 5th is missed
    ({}, [0, 1, 5], (3, 4), 1),  # the 2nd is missed
    ({}, [0, 2], (1, 1), 2),
    ({}, [0, 4], (0, 3), 1),  # done while paused: the streak has nothing before it
    ({"frequency": "custom", "custom_days": [1, 3, 5]}, [0, 2, 7], (4, 6), 3),  # Wednesday, Friday; Monday rests
    ({"frequency": "custom", "custom_days": [1, 3, 5]}, [0, 2, 5], (3, 4), 3),  # no day of the habit's
    ({"frequency": "custom", "custom_days": [1, 3, 5]}, [0, 2, 7], (6, 6), 1),  # Monday is missed
    ({"frequency": "weekly", "target_count": 1}, [0, 14], (6, 6), 2),  # a day of the week between
    ({"frequency": "weekly", "target_count": 1}, [0, 12], (5, 11), 2),
    ({"frequency": "weekly", "target_count": 1}, [0, 14], (3, 4), 1),  # the week itself, not the one between
    ({"frequency": "weekly", "target_count": 2}, [0, 1, 5, 12, 13], (6, 11), 2),  # a week that is not met rests
    ({"target_count": 2}, [0, 0, 1, 1, 4, 4], (2, 3), 3),
]


@pytest.mark.parametrize("scope", ["everything", "habit"])
@pytest.mark.parametrize("case", CASES)
def test_a_pause_neither_extends_nor_breaks(user: User, clock: Clock, case: Case, scope: str) -> None:
    fields, done, paused, expected = case
    habit = factories.habit(user, **fields)["id"]
    pause(user, *paused, **({"habit_id": habit} if scope == "habit" else {}))
    assert do(user, clock, habit, *done)["new_streak"] == expected
    assert streak(user, habit)[0] == expected
    assert user.get(f"/habits/{habit}/history").data["current_streak"] == expected


def test_a_streak_stands_while_paused_and_no_longer(user: User, clock: Clock) -> None:
    habit = factories.habit(user)["id"]
    do(user, clock, habit, 0, 1)
    pause(user, 2, 4)
    for day, shown in ((2, 2), (4, 2), (5, 2), (6, 0)):
        clock.set(NOON + timedelta(days=day))
        assert streak(user, habit) == (shown, 2), day


def test_completing_on_a_paused_day_pays_and_extends_nothing(user: User, clock: Clock, database: Database) -> None:
    habit = factories.habit(user)["id"]
    do(user, clock, habit, *range(6))
    made = pause(user, 6, 7)
    paid = do(user, clock, habit, 6)
    assert (paid["xp_awarded"] > 0, paid["coins_awarded"] > 0, paid["completed"]) == (True, True, True)
    assert (paid["new_streak"], paid["streak_bonus"]) == (6, False)
    assert paid["habit"]["completed_today"] is True
    assert counter(database, user, "habits_completed") == 7
    assert user.get("/today/summary").data["habits"] == {"done": 1, "due": 1}
    history = user.get(f"/habits/{habit}/history").data
    assert [day["status"] for day in history["days"][-2:]] == ["done", "done"]
    assert do(user, clock, habit, 8)["new_streak"] == 7
    clock.set(NOON + timedelta(days=6))
    undone = user.delete(f"/habits/{habit}/complete").data
    assert (undone["xp_reversed"], undone["habit"]["current_streak"]) == (paid["xp_awarded"], 7)
    assert made["days"] == 2


def test_a_paused_day_that_is_taken_out_of_the_pause_counts(user: User, clock: Clock) -> None:
    habit = factories.habit(user)["id"]
    do(user, clock, habit, 0)
    made = pause(user, 1, 5)
    assert do(user, clock, habit, 1)["new_streak"] == 1
    user.delete(f"/pauses/{made['id']}")
    assert streak(user, habit) == (2, 2)
    made = pause(user, 2, 5)
    do(user, clock, habit, 3)
    user.patch(f"/pauses/{made['id']}", {"to": ahead(2)})
    assert streak(user, habit) == (3, 3)


def test_illness_is_told_afterwards(user: User, clock: Clock) -> None:
    """A pause that begins up to seven days back mends the streak, also when a new one has begun."""
    habit = factories.habit(user)["id"]
    do(user, clock, habit, 0, 1, 2)
    assert do(user, clock, habit, 6)["new_streak"] == 1
    pause(user, 3, 5)
    assert streak(user, habit) == (4, 4)
    assert do(user, clock, habit, 7)["new_streak"] == 5


def test_a_pause_makes_no_streak_shorter(user: User, clock: Clock) -> None:
    """Days that were done before it was made stay in the streak."""
    habit = factories.habit(user)["id"]
    do(user, clock, habit, 0, 1, 2, 3)
    pause(user, 0, 3)
    assert streak(user, habit) == (4, 4)
    assert do(user, clock, habit, 4)["new_streak"] == 5


def test_a_pause_that_is_moved_makes_no_streak_shorter(user: User, clock: Clock) -> None:
    """It was planned, and begins earlier after all: what was done on those days meanwhile stays in the streak."""
    habit = factories.habit(user)["id"]
    made = pause(user, 5, 6)
    do(user, clock, habit, 0, 1, 2)
    user.patch(f"/pauses/{made['id']}", {"from": ahead(1)})
    assert streak(user, habit) == (3, 3)
    assert do(user, clock, habit, 3)["new_streak"] == 3
    assert do(user, clock, habit, 7)["new_streak"] == 4


def test_a_pause_ahead_changes_no_streak_before_it_begins(user: User, clock: Clock) -> None:
    habit = factories.habit(user)["id"]
    do(user, clock, habit, 0, 1)
    pause(user, 3, 9)
    user.delete(f"/habits/{habit}/complete")
    assert do(user, clock, habit, 1)["new_streak"] == 2
    assert streak(user, habit) == (2, 2)


def test_paused_days_are_no_skips(user: User, clock: Clock) -> None:
    habit = factories.habit(user)["id"]
    do(user, clock, habit, 0)
    pause(user, 1, 3)
    for day in (4, 5):
        clock.set(NOON + timedelta(days=day))
        assert user.post(f"/habits/{habit}/skip").data["current_streak"] == 1
    clock.set(NOON + timedelta(days=6))
    user.post(f"/habits/{habit}/skip").refused(409, "limit_reached")
    assert do(user, clock, habit, 6)["new_streak"] == 2


def test_history_has_no_missed_days_in_a_pause(user: User, clock: Clock) -> None:
    weekly = factories.habit(user, frequency="weekly", target_count=3)["id"]
    daily = factories.habit(user)["id"]
    pause(user, 6, 8)  # Tuesday to Thursday of the next week
    do(user, clock, daily, 5)
    clock.set(NOON + timedelta(days=14))
    shown = user.get(f"/habits/{daily}/history", query={"from": ahead(5), "to": ahead(10)}).data
    assert [day["status"] for day in shown["days"]] == ["done", *["not_due"] * 3, *["missed"] * 2]
    assert (shown["completed_days"], shown["due_days"], shown["completion_rate"]) == (1, 3, 33)
    shown = user.get(f"/habits/{weekly}/history", query={"from": ahead(5), "to": ahead(11)}).data
    assert {day["status"] for day in shown["days"]} == {"not_due"}


def test_a_perfect_day_asks_for_no_paused_habit(user: User, clock: Clock, database: Database) -> None:
    paused, other = (factories.habit(user)["id"] for _ in range(2))
    pause(user, 0, 0, habit_id=paused)
    do(user, clock, other, 0)
    assert counter(database, user, "perfect_habit_days") == 1
    do(user, clock, paused, 0)
    assert counter(database, user, "perfect_habit_days") == 1
    do(user, clock, other, 1)
    assert counter(database, user, "perfect_habit_days") == 1
    do(user, clock, paused, 1)
    assert counter(database, user, "perfect_habit_days") == 2


# Amounts and limits ---------------------------------------------------------------------------------------------------


def limit(user: User, **fields: Any) -> str:
    """A limit of at most one a day, unless told otherwise."""
    made = factories.habit(user, kind="amount", direction="at_most", target_amount=1, **fields)
    return str(made["id"])


def log(user: User, clock: Clock, habit: str, day: int, amount: int) -> None:
    clock.set(NOON + timedelta(days=day, hours=2))
    assert user.post(f"/habits/{habit}/log", {"amount": amount}).status == 200


def test_a_paused_day_is_no_day_on_which_a_limit_was_kept(user: User, clock: Clock) -> None:
    habit = limit(user)
    clock.set(NOON + timedelta(days=2))
    pause(user, 2, 4)
    for day, shown in ((2, 2), (3, 2), (5, 2), (6, 3)):
        clock.set(NOON + timedelta(days=day))
        assert streak(user, habit) == (shown, shown), day
    log(user, clock, habit, 6, 1)  # counted anew
    assert streak(user, habit) == (3, 3)
    statuses = [day["status"] for day in user.get(f"/habits/{habit}/history").data["days"][-7:]]
    assert statuses == ["done", "done", "not_due", "not_due", "not_due", "done", "not_due"]


def test_passing_a_limit_on_a_paused_day_breaks_nothing(user: User, clock: Clock) -> None:
    habit = limit(user)
    clock.set(NOON + timedelta(days=2))
    pause(user, 2, 2)
    log(user, clock, habit, 2, 5)
    assert streak(user, habit)[0] == 2
    clock.set(NOON + timedelta(days=4))
    assert streak(user, habit)[0] == 3
    log(user, clock, habit, 4, 5)
    assert streak(user, habit) == (0, 3)


def test_a_week_that_is_paused_in_part_is_kept_or_breaks_nothing(user: User, clock: Clock) -> None:
    """NOON's week ends four days after it. The next two have a paused day; the one of the 26th day has no other."""
    habit = limit(user, period="week")
    for first, last in ((5, 5), (13, 13), (26, 32)):
        clock.set(NOON + timedelta(days=first))
        pause(user, first, last)
    for day, shown in ((5, 1), (12, 2), (19, 3), (26, 4), (33, 4), (40, 5)):
        clock.set(NOON + timedelta(days=day))
        assert streak(user, habit)[0] == shown, day


def test_a_pause_behind_the_day_on_which_a_limit_was_passed_is_one_of_its_week(user: User, clock: Clock) -> None:
    habit = limit(user, period="week")
    log(user, clock, habit, 6, 5)
    assert streak(user, habit) == (0, 1)
    pause(user, 8, 8)
    assert streak(user, habit) == (1, 1)


def test_a_week_that_was_met_while_paused_counts_by_a_day_that_is_not(user: User, clock: Clock) -> None:
    habit = factories.habit(user, kind="amount", target_amount=2, period="week")["id"]
    pause(user, 0, 0)
    log(user, clock, habit, 0, 2)
    assert streak(user, habit) == (0, 0)
    log(user, clock, habit, 1, 1)
    assert streak(user, habit) == (1, 1)


def test_a_month_with_a_paused_day_is_not_missed(user: User, clock: Clock) -> None:
    habit = factories.habit(user, kind="amount", target_amount=2, period="month")["id"]
    log(user, clock, habit, 0, 2)  # in May
    clock.set(NOON.replace(month=6))
    user.post("/pauses", {"from": "2031-06-10", "to": "2031-06-10", "habit_id": habit})
    clock.set(NOON.replace(month=7))
    assert streak(user, habit) == (1, 1)
    user.post(f"/habits/{habit}/log", {"amount": 2})
    assert streak(user, habit) == (2, 2)
    shown = user.get(f"/habits/{habit}/history", query={"from": "2031-05-31", "to": "2031-07-07"}).data
    assert "missed" not in {day["status"] for day in shown["days"]}
    clock.set(NOON.replace(month=9))
    assert streak(user, habit) == (0, 2)
