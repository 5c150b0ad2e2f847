"""Habits that are done when an amount is reached: what is logged, corrected, completed and taken back."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from local.clock import Clock
from tests.conftest import Client, Database, User, at_once
from tests.habits.conftest import EAST, WEST, Later, Today, ledger, travel, weekday
from tests.support import factories
from tests.support.ledger import counter

PAID, REVERSED = ("habit_complete", 10, 5), ("reversal", -10, -5)


def measured(user: Client, target: float = 8, **fields: Any) -> str:
    """The path of a habit with amounts."""
    return f"/habits/{factories.habit(user, kind='amount', target_amount=target, **fields)['id']}"


def shown(answer: dict[str, Any]) -> tuple[float, float | None, bool, int]:
    return answer["amount_period"], answer["remaining"], answer["completed"], answer["xp_awarded"]


# Logging ---------------------------------------------------------------------------------------------------------


def test_the_sum_is_paid_when_it_reaches_the_target(user: User, database: Database) -> None:
    path = measured(user, unit="cups", amount_step=2)
    first = user.post(f"{path}/log", {"amount": 5, "notes": " tea "}).data
    habit = first.pop("habit")
    assert first.pop("completion_id") is not None
    assert first == {
        "amount_period": 5,
        "remaining": 3,
        "within_limit": True,
        "new_streak": 0,
        "streak_bonus": False,
        "completed": False,
        "already_completed": False,
        "xp_awarded": 0,
        "coins_awarded": 0,
        "leveled_up": False,
        "new_level": 1,
        "achievements_unlocked": [],
        "streak": 0,
    }
    assert (habit["amount_period"], habit["remaining"], habit["completed_count_today"]) == (5, 3, 1)
    assert (habit["due_today"], habit["completed_today"], habit["unit"]) == (True, False, "cups")
    assert habit["last_completed_at"] is not None
    assert shown(user.post(f"{path}/log").data) == (7, 1, False, 0)
    reached = user.post(f"{path}/log").data
    assert (shown(reached), reached["new_streak"], reached["already_completed"]) == ((9, 0, True, 10), 1, False)
    more = user.post(f"{path}/log", {"amount": 0.5}).data
    assert (shown(more), more["already_completed"]) == ((9.5, 0, True, 0), True)
    assert ledger(user, database) == [PAID]
    assert counter(database, user, "perfect_habit_days") == 1
    assert user.get(path).data == more["habit"]
    assert (more["habit"]["completed_today"], more["habit"]["due_today"], more["habit"]["current_streak"]) == (
        True,
        True,
        1,
    )


def test_amounts_are_decimals(user: User) -> None:
    path = measured(user, 0.3)
    user.post(f"{path}/log", {"amount": 0.1})
    done = user.post(f"{path}/log", {"amount": 0.2}).data
    assert shown(done) == (0.3, 0, True, 10)
    # 0.1 + 0.2 - 0.3 is no 0 in binary.
    assert shown(user.post(f"{path}/log", {"amount": -0.3}).data) == (0, 0.3, False, 0)
    assert user.post(f"{path}/log", {"amount": 0.001}).data["remaining"] == 0.299


def test_the_largest_amounts(user: User) -> None:
    path = measured(user, 1e9, period="month")
    assert user.post(f"{path}/log", {"amount": 999_999_999.999}).data["remaining"] == 0.001
    user.post(f"{path}/log", {"amount": 0.002}).invalid("amount")
    assert user.post(f"{path}/log", {"amount": 0.001}).data["completed"] is True
    user.post(f"{path}/log", {"amount": 0.001}).invalid("amount")
    assert user.put(f"{path}/log", {"amount": 0}).data["amount_period"] == 0


def test_eight_at_once_sum_exactly(user: User, database: Database) -> None:
    path = measured(user, 0.8)
    answers = at_once(8, lambda: user.post(f"{path}/log", {"amount": 0.1}).data)
    assert sorted(answer["amount_period"] for answer in answers) == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
    assert [answer["xp_awarded"] for answer in answers if answer["completed"]] == [10]
    assert user.get(path).data["amount_period"] == 0.8
    assert ledger(user, database) == [PAID]


def test_eight_at_once_set_the_same_sum_once(user: User, database: Database) -> None:
    path = measured(user)
    answers = at_once(8, lambda: user.put(f"{path}/log", {"amount": 8}).data)
    assert sorted(answer["already_completed"] for answer in answers) == [False, *[True] * 7]
    assert user.get(path).data["completed_count_today"] == 1
    assert ledger(user, database) == [PAID]


def test_a_replay_logs_once(user: User) -> None:
    path = measured(user)
    key = {"Idempotency-Key": "log-once"}
    first = user.post(f"{path}/log", {"amount": 3}, headers=key)
    assert user.post(f"{path}/log", {"amount": 3}, headers=key).json == first.json
    assert user.get(path).data["amount_period"] == 3
    user.post(f"{path}/log", {"amount": 4}, headers=key).refused(422, "idempotency_mismatch")


def test_a_hundred_a_day(user: User, database: Database) -> None:
    path = measured(user, 1000)
    user.post(f"{path}/log")
    database.query(
        "INSERT INTO habit_completions (user_id, habit_id, completed_date, ordinal, amount, amount_target, amount_met)"
        " SELECT user_id, habit_id, completed_date, n, 1, amount_target, false"
        " FROM habit_completions, generate_series(2, 99) AS n WHERE user_id = %s",
        user.id,
    )
    assert user.post(f"{path}/log").data["amount_period"] == 100
    assert user.post(f"{path}/log").refused(409, "limit_reached") == {"limit": 100}
    # A correction always finds room, also a second one and one after a refusal.
    for total in (500, 1000, 7):
        assert user.put(f"{path}/log", {"amount": total}).data["amount_period"] == total
    user.post(f"{path}/log").refused(409, "limit_reached")
    user.delete(f"{path}/complete")
    assert user.get(path).data["amount_period"] == 100


def test_it_is_not_for_other_habits(user: User, other: User, stranger: Client) -> None:
    check = f"/habits/{factories.habit(user)['id']}"
    assert user.post(f"{check}/log", {"amount": 1}).refused(409, "invalid_state") == {"kind": "check"}
    user.put(f"{check}/log", {"amount": 1}).refused(409, "invalid_state")
    path = measured(user)
    other.post(f"{path}/log", {"amount": 1}).refused(404, "not_found")
    other.put(f"{path}/log", {"amount": 1}).refused(404, "not_found")
    stranger.post(f"{path}/log", {"amount": 1}).refused(401, "unauthorized")
    stranger.put(f"{path}/log", {"amount": 1}).refused(401, "unauthorized")
    assert user.get(path).data["completed_count_today"] == 0
    user.post(f"{path}/archive")
    user.post(f"{path}/log", {"amount": 1}).refused(409, "habit_archived")
    user.put(f"{path}/log", {"amount": 1}).refused(409, "habit_archived")


@pytest.mark.parametrize("amount", [0, 0.0001, 1e9 + 1, -1e9 - 1, "1", True, [], {}])
def test_bad_amounts(user: User, amount: Any) -> None:
    path = measured(user)
    user.post(f"{path}/log", {"amount": amount}).invalid("amount")
    if amount != 0:
        user.put(f"{path}/log", {"amount": amount}).invalid("amount")
    assert user.get(path).data["completed_count_today"] == 0


def test_bad_input(user: User, today: Today) -> None:
    path = measured(user)
    user.put(f"{path}/log", {}).invalid("amount")
    user.put(f"{path}/log", {"amount": None}).invalid("amount")
    user.put(f"{path}/log", {"amount": -1}).invalid("amount")
    user.post(f"{path}/log", {"amount": -1}).invalid("amount")  # there is nothing to take back
    user.post(f"{path}/log", {"notes": "x" * 2001}).invalid("notes")
    for day in (today() + timedelta(1), today() - timedelta(1), "soon"):
        user.post(f"{path}/log", {"date": str(day)}).invalid("date")
        user.put(f"{path}/log", {"amount": 1, "date": str(day)}).invalid("date")
    assert user.get(path).data["completed_count_today"] == 0


def test_another_day(user: User, database: Database, later: Later, today: Today) -> None:
    path = measured(user, unit="km")
    later(user, 8)
    yesterday = {"date": str(today() - timedelta(1))}
    late = user.post(f"{path}/log", {"amount": 9, **yesterday}).data
    assert (shown(late), late["new_streak"]) == ((9, 0, True, 0), 1)
    assert (late["habit"]["amount_period"], late["habit"]["current_streak"]) == (0, 1)
    assert user.put(f"{path}/log", {"amount": 4}, query=yesterday).data["amount_period"] == 4
    user.post(f"{path}/log", {"amount": 1, "date": str(today() - timedelta(8))}).invalid("date")
    assert ledger(user, database) == []
    days = user.get(f"{path}/history").data["days"]
    assert [(day["amount"], day["status"]) for day in days[-2:]] == [(4, "partial"), (None, "pending")]


# Corrections -----------------------------------------------------------------------------------------------------


def test_a_correction_takes_the_payment_back_and_gives_it_again_once(user: User, database: Database) -> None:
    path = measured(user)
    user.post(f"{path}/log", {"amount": 8})
    assert shown(user.put(f"{path}/log", {"amount": 7.999}).data) == (7.999, 0.001, False, 0)
    assert ledger(user, database) == [PAID, REVERSED]
    assert user.get(path).data["current_streak"] == 0
    again = user.put(f"{path}/log", {"amount": 8}).data
    assert (shown(again), again["new_streak"]) == ((8, 0, True, 10), 1)
    assert shown(user.put(f"{path}/log", {"amount": 20}).data) == (20, 0, True, 0)
    assert shown(user.post(f"{path}/log", {"amount": -12}).data) == (8, 0, True, 0)
    assert ledger(user, database) == [PAID, REVERSED, PAID]
    assert counter(database, user, "perfect_habit_days") == 1


def test_the_same_row_is_paid_again_after_a_reversal(user: User, database: Database) -> None:
    path = measured(user)
    user.put(f"{path}/log", {"amount": 8})
    for _ in range(2):  # the correction is one row all along
        user.put(f"{path}/log", {"amount": 1})
        assert user.put(f"{path}/log", {"amount": 9}).data["xp_awarded"] == 10
    assert ledger(user, database) == [PAID, REVERSED, PAID, REVERSED, PAID]
    assert user.get(path).data["completed_count_today"] == 1


def test_the_same_sum_changes_nothing(user: User, database: Database) -> None:
    path = measured(user)
    assert user.put(f"{path}/log", {"amount": 0}).data["completion_id"] is None
    habit = user.put(f"{path}/log", {"amount": 8}).data["habit"]
    again = user.put(f"{path}/log", {"amount": 8}).data
    assert (again["completion_id"], again["already_completed"], again["xp_awarded"]) == (None, True, 0)
    assert again["habit"] == habit
    assert ledger(user, database) == [PAID]


def test_a_correction_is_undone_as_one(user: User) -> None:
    path = measured(user)
    user.post(f"{path}/log", {"amount": 3})
    user.put(f"{path}/log", {"amount": 5})
    user.put(f"{path}/log", {"amount": 2})
    assert user.get(path).data["completed_count_today"] == 2
    assert user.delete(f"{path}/complete").data["habit"]["amount_period"] == 3
    user.put(f"{path}/log", {"amount": 5})
    user.post(f"{path}/log", {"amount": 1})
    user.put(f"{path}/log", {"amount": 9})  # after another row, a correction of its own
    assert user.delete(f"{path}/complete").data["habit"]["amount_period"] == 6


def test_a_correction_needs_the_coins(user: User, database: Database) -> None:
    path = measured(user, coin_reward=25)
    user.post(f"{path}/log", {"amount": 8})
    database.query(
        "SELECT set_config('app.user_id', %s, true), spend(30, 'market_purchase', 'test', NULL, 'purchase:test')",
        str(user.id),
    )
    before = user.get(path).data
    requests = (("PUT", "log", {"amount": 1}), ("POST", "log", {"amount": -1}), ("DELETE", "complete", None))
    for method, what, body in requests:
        refused = user.request(method, f"{path}/{what}", body=body)
        assert refused.refused(409, "insufficient_coins") == {"need": 25, "have": 5}
    assert user.get(path).data == before


# Complete and undo -----------------------------------------------------------------------------------------------


def test_complete_logs_what_is_missing(user: User, database: Database, today: Today) -> None:
    path = measured(user, 2.5)
    user.post(f"{path}/log", {"amount": 0.7})
    done = user.post(f"{path}/complete", {"notes": "the rest"}).data
    assert (done["completed"], done["already_completed"], done["xp_awarded"]) == (True, False, 10)
    assert (done["habit"]["amount_period"], done["habit"]["remaining"]) == (2.5, 0)
    again = user.post(f"{path}/complete").data
    assert (again["completed"], again["already_completed"], again["completion_id"]) == (True, True, None)
    assert ledger(user, database) == [PAID]
    day = user.get(f"{path}/history").data["days"][-1]
    assert day == {
        "date": str(today()),
        "count": 2,
        "target": 1,
        "status": "done",
        "amount": 2.5,
        "notes": "the rest",
    }


def test_undo_takes_the_last_amount_back(user: User, database: Database) -> None:
    path = measured(user)
    for amount in (5, 4, 1):
        user.post(f"{path}/log", {"amount": amount})
    # The payment stands at the second amount. The third goes: the target is met still.
    first = user.delete(f"{path}/complete").data
    assert (first["xp_reversed"], first["habit"]["amount_period"], first["habit"]["current_streak"]) == (0, 9, 1)
    second = user.delete(f"{path}/complete").data
    assert (second["xp_reversed"], second["coins_reversed"], second["habit"]["amount_period"]) == (10, 5, 5)
    assert (second["habit"]["completed_today"], second["habit"]["current_streak"]) == (False, 0)
    user.delete(f"{path}/complete")
    user.delete(f"{path}/complete").refused(404, "not_found")
    assert ledger(user, database) == [PAID, REVERSED]


def test_a_payment_outlives_its_row_while_the_target_is_met(user: User, database: Database, clock: Clock) -> None:
    clock.advance(timedelta(days=7 - clock.now().weekday()))  # to a Monday
    path = measured(user, period="week")
    monday = str(clock.now().date())
    user.post(f"{path}/log", {"amount": 8})
    clock.advance("1 day")
    user.post(f"{path}/log", {"amount": 8})
    assert user.delete(f"{path}/complete", {"date": monday}).data["xp_reversed"] == 0
    assert user.post(f"{path}/log").data["xp_awarded"] == 0
    assert ledger(user, database) == [PAID]
    assert user.put(f"{path}/log", {"amount": 7}).data["completed"] is False
    assert ledger(user, database) == [PAID, REVERSED]


def test_undoing_a_reduction_pays_again(user: User, database: Database) -> None:
    path = measured(user)
    user.post(f"{path}/log", {"amount": 8})
    user.post(f"{path}/log", {"amount": -1})
    undone = user.delete(f"{path}/complete").data
    assert (undone["xp_reversed"], undone["habit"]["completed_today"]) == (0, True)
    assert ledger(user, database) == [PAID, REVERSED, PAID]
    assert user.delete(f"{path}/complete").data["xp_reversed"] == 10
    assert ledger(user, database) == [PAID, REVERSED, PAID, REVERSED]


def test_a_skip_goes_with_an_amount(user: User) -> None:
    path = measured(user)
    user.post(f"{path}/skip")
    assert user.post(f"{path}/log", {"amount": 1}).data["habit"]["skipped_today"] is False
    user.post(f"{path}/log", {"amount": 7})
    user.post(f"{path}/skip").refused(409, "already_completed")


# Schedules and periods -------------------------------------------------------------------------------------------


def test_streaks_of_days(user: User, database: Database, later: Later, today: Today) -> None:
    path = measured(user, 2, amount_step=2)
    for expected in (1, 2, 3):
        assert user.post(f"{path}/log").data["new_streak"] == expected
        later(user, 1)
    assert user.get(path).data["current_streak"] == 3
    user.post(f"{path}/log", {"amount": 1})
    later(user, 1)
    assert user.get(path).data["current_streak"] == 0
    # The day is completed late: it counts for the streak and pays nothing.
    joined = user.post(f"{path}/log", {"amount": 1, "date": str(today() - timedelta(1))}).data
    assert (joined["completed"], joined["xp_awarded"], joined["new_streak"]) == (True, 0, 4)
    assert len(ledger(user, database)) == 3


def test_the_seventh_day_has_a_bonus(user: User, database: Database, later: Later, today: Today) -> None:
    path = measured(user, 1)
    later(user, 6)
    for back in range(6, 0, -1):
        user.post(f"{path}/log", {"date": str(today() - timedelta(back))})
    answer = user.post(f"{path}/log").data
    assert (answer["new_streak"], answer["streak_bonus"], answer["xp_awarded"]) == (7, True, 17)
    user.put(f"{path}/log", {"amount": 0})
    assert ledger(user, database) == [("habit_complete", 17, 5), ("reversal", -17, -5)]


def test_days_of_a_week_with_an_amount_each(user: User, database: Database, clock: Clock) -> None:
    clock.advance(timedelta(days=7 - clock.now().weekday()))  # to a Monday
    path = measured(user, 5, frequency="weekly", target_count=2)
    outcomes = []
    for _ in range(3):
        user.post(f"{path}/log", {"amount": 3})
        answer = user.post(f"{path}/log", {"amount": 2}).data
        outcomes.append(
            (answer["amount_period"], answer["xp_awarded"], answer["new_streak"], answer["habit"]["due_today"])
        )
        clock.advance("1 day")
    assert outcomes == [(5, 10, 0, True), (5, 10, 1, False), (5, 0, 1, False)]
    assert user.get(path).data["amount_period"] == 0
    assert ledger(user, database) == [PAID] * 2


def test_scheduled_days(user: User, today: Today) -> None:
    path = measured(user, 5, frequency="custom", custom_days=[(weekday(today()) + 1) % 7])
    assert user.get(path).data["due_today"] is False
    extra = user.post(f"{path}/log", {"amount": 5}).data
    assert (extra["completed"], extra["xp_awarded"], extra["new_streak"]) == (True, 10, 0)


def test_a_week(user: User, database: Database, clock: Clock) -> None:
    clock.advance(timedelta(days=7 - clock.now().weekday()))  # to a Monday
    path = measured(user, 20, period="week")
    for amount in (7, 7):
        habit = user.post(f"{path}/log", {"amount": amount}).data["habit"]
        assert (habit["completed_today"], habit["due_today"], habit["current_streak"]) == (False, True, 0)
        clock.advance("1 day")
    assert user.get(path).data["remaining"] == 6
    done = user.post(f"{path}/log", {"amount": 6}).data
    assert (shown(done), done["new_streak"]) == ((20, 0, True, 10), 1)
    assert (done["habit"]["completed_today"], done["habit"]["due_today"]) == (True, False)
    clock.advance("1 day")
    habit = user.get(path).data
    assert (habit["completed_today"], habit["due_today"], habit["amount_period"]) == (False, False, 20)
    assert user.post(f"{path}/log", {"amount": 1}).data["xp_awarded"] == 0
    clock.advance("4 days")  # Monday
    habit = user.get(path).data
    assert (habit["due_today"], habit["amount_period"], habit["current_streak"]) == (True, 0, 1)
    # An amount of Sunday belongs to the week before.
    assert (
        user.post(f"{path}/log", {"amount": 3, "date": str(clock.now().date() - timedelta(1))}).data["amount_period"]
        == 24
    )
    assert user.post(f"{path}/log", {"amount": 20}).data["new_streak"] == 2
    clock.advance("14 days")
    assert user.get(path).data["current_streak"] == 0
    assert ledger(user, database) == [PAID] * 2


def test_an_earlier_day_of_the_open_week_completes_it(user: User, database: Database, clock: Clock) -> None:
    clock.advance(timedelta(days=7 - clock.now().weekday()))  # to a Monday
    path = measured(user, 20, period="week")
    monday = {"date": str(clock.now().date())}
    clock.advance("2 days")
    assert user.post(f"{path}/log", {"amount": 20, **monday}).data["xp_awarded"] == 10
    clock.advance("5 days")  # the week is over
    assert user.delete(f"{path}/complete", monday).data["xp_reversed"] == 10
    assert user.post(f"{path}/log", {"amount": 20, **monday}).data["xp_awarded"] == 0
    assert ledger(user, database) == [PAID, REVERSED]


@pytest.mark.parametrize(
    ("month", "days"), [(date(2031, 2, 1), 28), (date(2032, 2, 1), 29), (date(2031, 4, 1), 30), (date(2031, 5, 1), 31)]
)
def test_a_month(user: User, clock: Clock, month: date, days: int) -> None:
    clock.set(clock.now().replace(year=month.year, month=month.month, day=1))
    walker = user
    path = measured(walker, 100, period="month")
    first = walker.post(f"{path}/log", {"amount": 60}).data
    assert (first["amount_period"], first["completed"]) == (60, False)
    for _ in range(days - 1):  # a browser that is idle for two weeks is signed out
        clock.advance("1 day")
        assert walker.get(path).data["amount_period"] == 60
    done = walker.post(f"{path}/log", {"amount": 40}).data
    assert (done["completed"], done["xp_awarded"], done["new_streak"]) == (True, 10, 1)
    clock.advance("1 day")
    assert (walker.get(path).data["amount_period"], walker.get(path).data["current_streak"]) == (0, 1)
    assert walker.post(f"{path}/log", {"amount": 100}).data["new_streak"] == 2


def test_where_it_is_tomorrow(user: User, database: Database) -> None:
    travel(user, WEST)
    path = measured(user, 1)
    assert user.post(f"{path}/log").data["new_streak"] == 1
    travel(user, EAST)
    assert user.post(f"{path}/log").data["new_streak"] == 2
    travel(user, WEST)
    assert user.post(f"{path}/log").data["xp_awarded"] == 0
    assert ledger(user, database) == [PAID] * 2


def test_a_clock_change(user: User, clock: Clock, database: Database) -> None:
    travel(user, "Europe/Berlin")
    clock.set(datetime.fromisoformat("2031-03-29T22:30:00+00:00"))  # 23:30, before the night of 23 hours
    path = measured(user, 1)
    for expected in (1, 2, 3):
        assert user.post(f"{path}/log").data["new_streak"] == expected
        clock.advance("23 hours")
    assert len(ledger(user, database)) == 3


# Changes ---------------------------------------------------------------------------------------------------------


def test_a_changed_target_holds_for_the_open_period(user: User, database: Database, later: Later, today: Today) -> None:
    path = measured(user, 5)
    user.post(f"{path}/log", {"amount": 5})
    later(user, 1)
    user.post(f"{path}/log", {"amount": 5})
    raised = user.patch(path, {"target_amount": 9}).data
    assert (raised["completed_today"], raised["remaining"], raised["current_streak"]) == (False, 4, 1)
    assert [day["status"] for day in user.get(f"{path}/history").data["days"][-2:]] == ["done", "partial"]
    # The day before goes by the target of then, also for what is logged now.
    late = user.put(f"{path}/log", {"amount": 6, "date": str(today() - timedelta(1))}).data
    assert (late["completed"], late["remaining"]) == (True, 0)
    # The day was paid: a target that is raised takes nothing away, and a second time nothing is paid.
    assert user.post(f"{path}/log", {"amount": 4}).data["xp_awarded"] == 0
    assert user.get(path).data["current_streak"] == 2
    assert ledger(user, database) == [PAID] * 2


def test_a_lowered_target_is_met_and_paid_with_the_next_amount(user: User, database: Database) -> None:
    path = measured(user, 5)
    user.post(f"{path}/log", {"amount": 4})
    lowered = user.patch(path, {"target_amount": 3}).data
    assert (lowered["completed_today"], lowered["remaining"], lowered["current_streak"]) == (True, 0, 1)
    assert ledger(user, database) == []
    assert user.post(f"{path}/log").data["xp_awarded"] == 10
    assert user.post(f"{path}/log").data["xp_awarded"] == 0


def test_taking_back_after_the_target_was_raised_takes_the_payment(user: User, database: Database) -> None:
    path = measured(user, 5)
    user.post(f"{path}/log", {"amount": 5})
    user.patch(path, {"target_amount": 50})
    assert user.delete(f"{path}/complete").data["xp_reversed"] == 10
    user.patch(path, {"target_amount": 5})
    assert user.post(f"{path}/log", {"amount": 5}).data["xp_awarded"] == 10
    assert ledger(user, database) == [PAID, REVERSED, PAID]


@pytest.mark.parametrize(
    ("change", "limited"),
    [
        ({"kind": "check"}, False),
        ({"direction": "at_most"}, True),
        ({"period": "week", "target_amount": 20}, False),
        ({"period": "month", "target_amount": 80}, False),
    ],
)
def test_another_kind_begins_the_streak_anew(
    user: User, database: Database, later: Later, today: Today, change: dict[str, Any], *, limited: bool
) -> None:
    path = measured(user, 2, amount_step=2)
    for _ in range(3):
        user.post(f"{path}/log")
        later(user, 1)
    before = user.get(f"{path}/history").data["days"]
    changed = user.patch(path, change).data
    assert (changed["current_streak"], changed["longest_streak"]) == (0, 3)
    after = user.get(f"{path}/history").data["days"]
    assert [(day["date"], day["count"], day["amount"]) for day in after] == [
        (day["date"], day["count"], day["amount"]) for day in before
    ]
    if not limited:
        done = user.post(f"{path}/complete").data
        assert (done["completed"], done["new_streak"], done["habit"]["longest_streak"]) == (True, 1, 3)
        user.delete(f"{path}/complete")
    assert user.get(path).data["longest_streak"] == 3
    if "period" not in change:
        user.post(f"{path}/complete", {"date": str(today() - timedelta(1))}).invalid("date")


@pytest.mark.parametrize("period", ["week", "month"])
def test_days_done_without_amounts_meet_no_period(user: User, later: Later, today: Today, period: str) -> None:
    days = (today() + timedelta(ahead) for ahead in range(50))
    # A Tuesday, on which and after which neither a week nor a month begins.
    later(user, (next(day for day in days if day.weekday() == 1 and 8 <= day.day <= 20) - today()).days)
    path = f"/habits/{factories.habit(user)['id']}"
    user.post(f"{path}/complete")
    later(user, 1)
    changed = user.patch(path, {"kind": "amount", "period": period, "target_amount": 3}).data
    assert (changed["current_streak"], changed["longest_streak"], changed["completed_today"]) == (0, 1, False)
    assert user.post(f"{path}/log", {"amount": 2}).data["new_streak"] == 0
    assert user.post(f"{path}/log", {"amount": 1}).data["new_streak"] == 1


def test_the_day_of_the_change_is_paid_once(user: User, database: Database) -> None:
    path = f"/habits/{factories.habit(user)['id']}"
    user.post(f"{path}/complete")
    measures = user.patch(path, {"kind": "amount", "target_amount": 3, "unit": "km"}).data
    assert (measures["completed_today"], measures["amount_period"], measures["remaining"]) == (False, 0, 3)
    assert user.post(f"{path}/log", {"amount": 3}).data["xp_awarded"] == 0
    checks = user.patch(path, {"kind": "check"}).data
    assert (checks["target_amount"], checks["amount_period"], checks["remaining"]) == (None, None, None)
    assert checks["completed_today"] is True
    assert user.post(f"{path}/complete").data["already_completed"] is True
    assert ledger(user, database) == [PAID]


def test_the_same_again_is_no_change(user: User, later: Later) -> None:
    path = measured(user, 1)
    user.post(f"{path}/log")
    later(user, 1)
    same = {"kind": "amount", "direction": "at_least", "period": "day", "target_amount": 1}
    assert user.patch(path, same).data["current_streak"] == 1
    assert user.patch(path, {"unit": "  ", "group": "  Body ", "amount_step": 0.25}).data["current_streak"] == 1
    habit = user.get(path).data
    assert (habit["unit"], habit["group"], habit["amount_step"]) == (None, "Body", 0.25)


# Fields ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"kind": "amount"}, "target_amount"),
        ({"kind": "amount", "target_amount": None}, "target_amount"),
        ({"kind": "amount", "target_amount": 0}, "target_amount"),
        ({"kind": "amount", "target_amount": -1}, "target_amount"),
        ({"kind": "amount", "target_amount": 1e9 + 0.001}, "target_amount"),
        ({"kind": "amount", "target_amount": 0.0001}, "target_amount"),
        ({"kind": "amount", "target_amount": "1"}, "target_amount"),
        ({"target_amount": 1}, "target_amount"),
        ({"direction": "at_most"}, "direction"),
        ({"direction": "below"}, "direction"),
        ({"period": "week"}, "period"),
        ({"period": "year"}, "period"),
        ({"kind": "number"}, "kind"),
        ({"kind": None}, "kind"),
        ({"unit": "x" * 21}, "unit"),
        ({"group": "x" * 41}, "group"),
        ({"amount_step": 0}, "amount_step"),
        ({"amount_step": 1e9 + 1}, "amount_step"),
        ({"amount_step": 0.0001}, "amount_step"),
        ({"amount_step": None}, "amount_step"),
    ],
)
def test_bad_fields(user: User, fields: dict[str, Any], wrong: str) -> None:
    user.post("/habits", {"name": "Water", **fields}).invalid(wrong)
    habit = factories.habit(user)
    user.patch(f"/habits/{habit['id']}", fields).invalid(wrong)
    assert user.get("/habits").data["habits"] == [habit]


def test_a_kind_without_amounts_refuses_them(user: User) -> None:
    path = measured(user)
    before = user.get(path).data
    user.patch(path, {"kind": "check", "target_amount": 3}).invalid("target_amount")
    user.patch(path, {"kind": "check", "period": "week"}).invalid("period")
    user.patch(path, {"target_amount": None}).invalid("target_amount")
    assert user.get(path).data == before
    checks = user.patch(path, {"kind": "check"}).data
    user.patch(path, {"direction": "at_most"}).invalid("direction")
    assert (checks["kind"], checks["target_amount"], checks["period"]) == ("check", None, "day")


# What others read ------------------------------------------------------------------------------------------------


def test_all_who_read_habits_agree(user: User, database: Database) -> None:
    day, week = measured(user, 2, name="Water"), measured(user, 20, name="Run", period="week")
    user.post("/habits", {"name": "Sweets", "kind": "amount", "direction": "at_most", "target_amount": 0})

    def seen() -> tuple[int, int, int, int, list[bool], int]:
        summary, badges = user.get("/today/summary").data["habits"], user.get("/sync/badges").json
        user.post("/daily-plan", {"action": "generate"})
        items = [i for i in user.get("/daily-plan").json["plan"]["items"] if i["type"] == "habit"]
        pending = sum(
            habit["due_today"] and not habit["completed_today"] for habit in user.get("/habits").data["habits"]
        )
        assert badges["pending_habits"] == pending
        return (
            *(summary["done"], summary["due"], pending),
            *(len(items), [i["completed"] for i in items], counter(database, user, "perfect_habit_days")),
        )

    assert seen() == (0, 2, 2, 2, [False, False], 0)
    user.post(f"{day}/log", {"amount": 1})
    assert seen() == (0, 2, 2, 2, [False, False], 0)
    user.post(f"{day}/log", {"amount": 1})
    assert seen() == (1, 2, 1, 2, [True, False], 0)
    user.post(f"{week}/log", {"amount": 20})
    assert seen() == (2, 2, 0, 2, [True, True], 1)
    user.put(f"{week}/log", {"amount": 0})  # its payment carried the count of the day
    assert seen() == (1, 2, 1, 2, [True, False], 0)


def test_sync_shows_the_habits_as_their_list_does(user: User) -> None:
    path = measured(user, 0.3, unit="l", period="month", group="Health")
    known = user.post("/sync/poll", {}).json["versions"]
    user.post(f"{path}/log", {"amount": 0.1})
    updates = user.post("/sync/poll", {"client_versions": known}).json["updates"]
    assert updates["habits"] == user.get("/habits").data
    assert updates["habits"]["habits"][0]["amount_period"] == 0.1


def test_history_of_a_week(user: User, clock: Clock) -> None:
    clock.advance(timedelta(days=7 - clock.now().weekday()))  # to a Monday
    path = measured(user, 10, period="week")
    for amount in (4, 6):
        user.post(f"{path}/log", {"amount": amount})
        clock.advance("2 days")
    clock.advance("3 days")  # Monday
    user.post(f"{path}/log", {"amount": 4})
    clock.advance("7 days")  # Monday
    history = user.get(f"{path}/history", query={"from": str(clock.now().date() - timedelta(14))}).data
    letters = "".join(day["status"][0] for day in history["days"])
    assert letters == "dndnnnnpnnnnnmp"
    assert (history["completed_days"], history["due_days"], history["completion_rate"]) == (2, 4, 50)
