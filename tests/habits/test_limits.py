"""Habits that limit: kept while the sum of a period stays within the target, and paid when the period is over."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from local.clock import Clock
from tests.conftest import Client, Database, User, at_once
from tests.habits.conftest import EAST, WEST, Later, Today, ledger, travel, weekday
from tests.support import factories
from tests.support.ledger import counter

PAID = ("habit_complete", 10, 5)


def limit(user: Client, target: float = 0, **fields: Any) -> str:
    """The path of a habit that limits."""
    fields = {"kind": "amount", "direction": "at_most", "target_amount": target, **fields}
    return f"/habits/{factories.habit(user, **fields)['id']}"


def streak(user: User, path: str) -> int:
    return int(user.get(path).data["current_streak"])


def test_a_month_of_nothing_pays_each_day_once(user: User, database: Database, clock: Clock) -> None:
    path = limit(user)
    days = []
    for day in range(1, 32):
        clock.advance("1 day")
        answer = user.post(f"{path}/kept").data
        user.post(f"{path}/kept").refused(409, "already_completed")
        assert (answer["new_streak"], answer["habit"]["current_streak"]) == (day, day)
        days.append(answer["xp_awarded"])
    assert days == [10 + (day if day in (7, 14, 30) else 0) for day in range(1, 32)]
    assert [row[2] for row in ledger(user, database)] == [5] * 31
    assert counter(database, user, "habits_completed") == 31


def test_what_a_claim_returns(user: User, database: Database, later: Later) -> None:
    path = limit(user, 2, unit="beers", xp_reward=12, coin_reward=7)
    later(user, 1)
    answer = user.post(f"{path}/kept").data
    claim, habit = answer.pop("completion_id"), answer.pop("habit")
    assert answer.pop("achievements_unlocked")[0]["key"] == "first_habit"
    assert answer == {
        "new_streak": 1,
        "streak_bonus": False,
        "completed": True,
        "already_completed": False,
        "xp_awarded": 12,
        "coins_awarded": 7,
        "leveled_up": False,
        "new_level": 1,
        "streak": 1,
    }
    assert (habit["completed_today"], habit["due_today"], habit["remaining"]) == (False, False, None)
    assert user.get(path).data == habit
    [row] = database.query("SELECT * FROM points_ledger WHERE user_id = %s AND event_type = 'habit_complete'", user.id)
    assert (row["idempotency_key"], row["metadata"]) == (f"habit_complete:{claim}", {"habit_streak": 1})


def test_it_is_never_due_and_past_it_the_streak_breaks_at_once(user: User, later: Later) -> None:
    path = limit(user, 2)
    later(user, 3)
    habit = user.get(path).data
    assert (habit["due_today"], habit["completed_today"], habit["amount_period"], habit["remaining"]) == (
        *(False, False, 0, None),
    )
    assert (habit["current_streak"], habit["longest_streak"]) == (3, 3)
    within = user.post(f"{path}/log", {"amount": 2}).data
    assert (within["within_limit"], within["remaining"], within["completed"]) == (True, None, False)
    assert (within["xp_awarded"], within["new_streak"], within["amount_period"]) == (0, 3, 2)
    past = user.post(f"{path}/log", {"amount": 0.001}).data
    assert (past["within_limit"], past["new_streak"], past["habit"]["longest_streak"]) == (False, 0, 3)
    assert (past["habit"]["due_today"], past["habit"]["completed_today"]) == (False, False)
    later(user, 1)
    assert streak(user, path) == 0
    later(user, 1)
    habit = user.get(path).data
    assert (habit["current_streak"], habit["longest_streak"]) == (1, 3)


def test_a_correction_mends_the_streak(user: User, later: Later, today: Today) -> None:
    path = limit(user)
    later(user, 4)
    yesterday = {"date": str(today() - timedelta(1))}
    assert user.post(f"{path}/log", {"amount": 1, **yesterday}).data["new_streak"] == 0
    assert user.put(f"{path}/log", {"amount": 0, **yesterday}).data["new_streak"] == 4
    user.post(f"{path}/log", {"amount": 1, "date": str(today() - timedelta(3))})
    assert streak(user, path) == 2
    user.delete(f"{path}/complete", {"date": str(today() - timedelta(3))})
    assert streak(user, path) == 4


def test_claims_that_are_refused(user: User, other: User, stranger: Client, database: Database, later: Later) -> None:
    path = limit(user, 1)
    user.post(f"{path}/kept").refused(409, "period_open")
    user.post(f"{path}/log", {"amount": 1.5})
    later(user, 1)
    assert user.post(f"{path}/kept").refused(409, "limit_exceeded") == {"amount": 1.5, "limit": 1}
    measure = factories.habit(user, kind="amount", target_amount=1)
    assert user.post(f"/habits/{measure['id']}/kept").refused(409, "invalid_state") == {"direction": "at_least"}
    user.post(f"/habits/{factories.habit(user)['id']}/kept").refused(409, "invalid_state")
    later(user, 1)
    other.post(f"{path}/kept").refused(404, "not_found")
    stranger.post(f"{path}/kept").refused(401, "unauthorized")
    user.post(f"{path}/archive")
    user.post(f"{path}/kept").refused(409, "habit_archived")
    assert ledger(user, database) == []
    user.post(f"{path}/restore")
    assert user.post(f"{path}/kept").data["xp_awarded"] == 10


def test_two_claims_at_once_pay_once(user: User, database: Database, later: Later) -> None:
    path = limit(user)
    later(user, 1)
    answers = at_once(6, lambda: user.post(f"{path}/kept").status)
    assert sorted(answers) == [200, *[409] * 5]
    assert ledger(user, database) == [PAID]


def test_a_replayed_claim_is_the_same_answer(user: User, database: Database, later: Later) -> None:
    path = limit(user)
    later(user, 1)
    key = {"Idempotency-Key": "kept-once"}
    first = user.post(f"{path}/kept", headers=key)
    assert user.post(f"{path}/kept", headers=key).json == first.json
    assert ledger(user, database) == [PAID]


def test_what_is_passed_later_takes_nothing_away(user: User, database: Database, later: Later, today: Today) -> None:
    path = limit(user)
    later(user, 1)
    user.post(f"{path}/kept")
    late = user.post(f"{path}/log", {"amount": 1, "date": str(today() - timedelta(1))}).data
    assert (late["new_streak"], late["within_limit"]) == (0, False)
    user.post(f"{path}/kept").refused(409, "already_completed")
    assert ledger(user, database) == [PAID]


def test_a_missed_claim_is_gone(user: User, database: Database, later: Later) -> None:
    path = limit(user)
    later(user, 5)
    assert user.post(f"{path}/kept").data["new_streak"] == 5
    user.post(f"{path}/kept").refused(409, "already_completed")
    assert len(ledger(user, database)) == 1


def test_complete_logs_nothing(user: User, database: Database) -> None:
    path = limit(user, 1)
    answer = user.post(f"{path}/complete").data
    assert (answer["completed"], answer["already_completed"], answer["completion_id"]) == (True, True, None)
    user.post(f"{path}/log", {"amount": 2})
    answer = user.post(f"{path}/complete").data
    assert (answer["completed"], answer["already_completed"], answer["xp_awarded"]) == (False, True, 0)
    assert (answer["habit"]["amount_period"], ledger(user, database)) == (2, [])


def test_a_skipped_day_neither_extends_nor_breaks(user: User, later: Later) -> None:
    path = limit(user)
    later(user, 3)
    user.post(f"{path}/skip")
    assert user.post(f"{path}/log", {"amount": 9}).data["new_streak"] == 3
    assert user.get(path).data["skipped_today"] is True
    later(user, 1)
    assert streak(user, path) == 3
    later(user, 1)
    assert streak(user, path) == 4


def test_a_skipped_day_is_not_counted_as_kept(user: User, later: Later, today: Today) -> None:
    path = limit(user, 1)
    later(user, 3)
    user.post(f"{path}/skip")
    later(user, 2)
    assert streak(user, path) == 4
    # All is counted anew: the day that was skipped is within the limit, and still not kept.
    user.post(f"{path}/log", {"amount": 2})
    user.delete(f"{path}/complete")
    assert streak(user, path) == 4
    user.post(f"{path}/log", {"amount": 2, "date": str(today() - timedelta(2))})
    assert streak(user, path) == 4
    user.delete(f"{path}/skip", {"date": str(today() - timedelta(2))})
    assert streak(user, path) == 1


def test_a_week(user: User, database: Database, clock: Clock) -> None:
    clock.advance(timedelta(days=9 - clock.now().weekday()))  # to a Wednesday
    path = limit(user, 3, period="week")
    clock.advance("4 days")  # Sunday
    user.post(f"{path}/kept").refused(409, "period_open")
    user.post(f"{path}/log", {"amount": 3})
    clock.advance("1 day")
    assert user.post(f"{path}/kept").data["new_streak"] == 1
    # An amount of the week that is over is of that week.
    late = user.post(f"{path}/log", {"amount": 1, "date": str(clock.now().date() - timedelta(2))}).data
    assert (late["amount_period"], late["within_limit"], late["new_streak"]) == (4, False, 0)
    clock.advance("6 days")
    user.post(f"{path}/kept").refused(409, "already_completed")
    clock.advance("1 day")
    assert user.post(f"{path}/kept").data["new_streak"] == 1
    assert ledger(user, database) == [PAID] * 2


@pytest.mark.parametrize(("month", "days"), [(date(2031, 2, 1), 28), (date(2032, 2, 1), 29), (date(2031, 12, 1), 31)])
def test_a_month(user: User, clock: Clock, later: Later, month: date, days: int) -> None:
    clock.set(clock.now().replace(year=month.year, month=month.month, day=1))
    path = limit(user, 1, period="month")
    user.post(f"{path}/log", {"amount": 1})
    later(user, days - 1)
    user.post(f"{path}/kept").refused(409, "period_open")
    later(user, 1)
    assert user.post(f"{path}/kept").data["new_streak"] == 1


def test_weekdays(user: User, database: Database, later: Later, today: Today) -> None:
    tomorrow, after = ((weekday(today()) + n) % 7 for n in (1, 2))
    path = limit(user, 0, frequency="custom", custom_days=[tomorrow, after])
    assert user.post(f"{path}/log", {"amount": 5}).data["new_streak"] == 0  # a day without a limit
    later(user, 1)
    user.post(f"{path}/kept").refused(409, "period_open")
    later(user, 1)
    assert user.post(f"{path}/kept").data["new_streak"] == 1
    later(user, 1)
    assert user.post(f"{path}/kept").data["new_streak"] == 2
    user.post(f"{path}/log", {"amount": 5})
    later(user, 2)
    user.post(f"{path}/kept").refused(409, "already_completed")
    assert streak(user, path) == 2
    assert len(ledger(user, database)) == 2


def test_a_weekly_schedule_is_no_matter_to_a_daily_limit(user: User, later: Later) -> None:
    path = limit(user, 0, frequency="weekly", target_count=3)
    later(user, 2)
    assert user.post(f"{path}/kept").data["new_streak"] == 2


def test_travelling(user: User, database: Database, later: Later) -> None:
    travel(user, WEST)
    path = limit(user)
    travel(user, EAST)  # it is tomorrow there
    assert user.post(f"{path}/kept").data["new_streak"] == 1
    travel(user, WEST)
    user.post(f"{path}/kept").refused(409, "period_open")
    travel(user, EAST)
    user.post(f"{path}/kept").refused(409, "already_completed")
    assert ledger(user, database) == [PAID]


def test_a_clock_change(user: User, clock: Clock) -> None:
    travel(user, "Europe/Berlin")
    clock.set(datetime.fromisoformat("2031-10-25T22:30:00+00:00"))  # 0:30 of a day of 25 hours
    path = limit(user)
    clock.advance("24 hours")  # 23:30 of the same day
    user.post(f"{path}/kept").refused(409, "period_open")
    clock.advance("30 minutes")
    assert user.post(f"{path}/kept").data["new_streak"] == 1


def test_from_now_on(user: User, database: Database, later: Later) -> None:
    path = f"/habits/{factories.habit(user, kind='amount', target_amount=2)['id']}"
    later(user, 2)
    user.post(f"{path}/log", {"amount": 2})
    limits = user.patch(path, {"direction": "at_most", "target_amount": 3}).data
    assert (limits["current_streak"], limits["longest_streak"], limits["due_today"]) == (0, 1, False)
    user.post(f"{path}/kept").refused(409, "period_open")
    later(user, 1)
    # The day was paid for its amount already.
    user.post(f"{path}/kept").refused(409, "already_completed")
    assert streak(user, path) == 1
    later(user, 1)
    assert user.post(f"{path}/kept").data["new_streak"] == 2
    assert ledger(user, database) == [PAID] * 2


def test_a_changed_limit_holds_for_the_open_period(user: User, later: Later) -> None:
    path = limit(user, 5)
    user.post(f"{path}/log", {"amount": 5})
    later(user, 1)
    user.post(f"{path}/log", {"amount": 3})
    assert user.patch(path, {"target_amount": 2}).data["current_streak"] == 0
    assert user.patch(path, {"target_amount": 3}).data["current_streak"] == 1
    assert user.post(f"{path}/kept").data["new_streak"] == 1  # by the limit of then


def test_the_caps_are_those_of_all_habits(user: User, later: Later) -> None:
    path = limit(user)
    later(user, 1)
    for _ in range(20):
        user.post(f"/habits/{factories.habit(user)['id']}/complete")
    assert user.post(f"{path}/kept").data["xp_awarded"] == 0


def test_history(user: User, later: Later, today: Today) -> None:
    later(user, 1)
    path = limit(user, 2)
    for amounts in ([1], [2, 0.5], [], [3]):
        for amount in amounts:
            user.post(f"{path}/log", {"amount": amount})
        if amounts != [3]:
            later(user, 1)
    history = user.get(f"{path}/history", query={"from": str(today() - timedelta(4))}).data
    assert [(day["status"], day["amount"]) for day in history["days"]] == [
        *(("not_due", None), ("done", 1), ("missed", 2.5), ("done", None), ("missed", 3)),
    ]
    assert (history["completed_days"], history["due_days"], history["completion_rate"]) == (2, 4, 50)
    assert (history["current_streak"], history["longest_streak"]) == (0, 1)
    later(user, 1)
    assert user.get(f"{path}/history").data["days"][-1]["status"] == "not_due"


def test_history_of_weeks(user: User, clock: Clock) -> None:
    clock.advance(timedelta(days=7 - clock.now().weekday()))  # to a Monday
    path = limit(user, 3, period="week")
    for amount in (1, 2):
        user.post(f"{path}/log", {"amount": amount})
        clock.advance("2 days")
    clock.advance("3 days")  # Monday
    for amount in (2, 2, 1):
        user.post(f"{path}/log", {"amount": amount})
        clock.advance("1 day")
    days = user.get(f"{path}/history", query={"from": str(clock.now().date() - timedelta(10))}).data["days"]
    assert "".join(day["status"][0] for day in days) == "nnnnnndnmnn"
