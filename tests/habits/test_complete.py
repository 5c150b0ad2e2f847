from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from local.clock import Clock
from tests.conftest import Client, Database, NewUser, User, at_once
from tests.habits.conftest import EAST, WEST, Later, Today, done_before, ledger, travel, wealth, weekday
from tests.support import factories
from tests.support.ledger import counter
from tests.support.locks import after_a_wait


def test_a_completion_is_paid(user: User, database: Database) -> None:
    habit = factories.habit(user, xp_reward=12, coin_reward=7)
    answer = user.post(f"/habits/{habit['id']}/complete", {"notes": " calm "}).data
    shown = answer.pop("habit")
    completion = answer.pop("completion_id")
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
    assert (shown["completed_today"], shown["completed_count_today"], shown["current_streak"]) == (True, 1, 1)
    assert shown["last_completed_at"] is not None
    assert user.get(f"/habits/{habit['id']}").data == shown
    [row] = database.query("SELECT * FROM points_ledger WHERE user_id = %s AND event_type = 'habit_complete'", user.id)
    assert row["idempotency_key"] == f"habit_complete:{completion}"
    assert (row["source_type"], row["source_id"], row["skill_key"]) == ("habit", UUID(habit["id"]), "discipline")
    assert row["metadata"] == {"habit_streak": 1}
    assert row["counters"] == {"habits_completed": 1, "perfect_habit_days": 1}


def test_it_is_dated_after_its_wait(user: User, database: Database) -> None:
    habit, released = after_a_wait(database, user, lambda: factories.habit(user))
    assert datetime.fromisoformat(habit["created_at"]) >= released
    path = f"/habits/{habit['id']}/complete"
    shown, released = after_a_wait(database, user, lambda: user.post(path).data["habit"])
    assert datetime.fromisoformat(shown["last_completed_at"]) >= released
    assert datetime.fromisoformat(shown["updated_at"]) >= released


def test_a_habit_may_train_another_skill(user: User, database: Database) -> None:
    habit = factories.habit(user, skill_key="strength")
    user.post(f"/habits/{habit['id']}/complete")
    skills = database.query("SELECT skill_key, xp FROM user_skills WHERE user_id = %s", user.id)
    assert [(row["skill_key"], row["xp"]) for row in skills] == [("strength", 10)]


def test_nothing_is_a_reward_too(user: User, database: Database) -> None:
    habit = factories.habit(user, xp_reward=0, coin_reward=0)
    answer = user.post(f"/habits/{habit['id']}/complete").data
    assert (answer["xp_awarded"], answer["coins_awarded"], answer["completed"]) == (0, 0, True)
    assert ledger(user, database) == [("habit_complete", 0, 0)]
    assert counter(database, user, "habits_completed") == 1


def test_past_the_target_nothing_happens(user: User, database: Database) -> None:
    habit = factories.habit(user)
    first = user.post(f"/habits/{habit['id']}/complete").data
    before = wealth(user, database)
    again = user.post(f"/habits/{habit['id']}/complete").data
    assert again == {
        "habit": first["habit"],
        "new_streak": 1,
        "streak_bonus": False,
        "completed": True,
        "already_completed": True,
        "completion_id": None,
        "xp_awarded": 0,
        "coins_awarded": 0,
        "leveled_up": False,
        "new_level": first["new_level"],
        "achievements_unlocked": [],
        "streak": 1,
    }
    assert wealth(user, database) == before
    assert len(database.query("SELECT id FROM habit_completions WHERE user_id = %s", user.id)) == 1


def test_ten_at_once_pay_once(user: User, database: Database) -> None:
    habit = factories.habit(user)
    answers = at_once(10, lambda: user.post(f"/habits/{habit['id']}/complete").data)
    assert sorted(answer["already_completed"] for answer in answers) == [False, *[True] * 9]
    assert sum(answer["xp_awarded"] for answer in answers) == 10
    assert ledger(user, database) == [("habit_complete", 10, 5)]
    assert len(database.query("SELECT id FROM habit_completions WHERE user_id = %s", user.id)) == 1


def test_ten_at_once_reach_a_target_of_three(user: User, database: Database) -> None:
    habit = factories.habit(user, target_count=3)
    answers = at_once(10, lambda: user.post(f"/habits/{habit['id']}/complete").data)
    assert sum(answer["completion_id"] is not None for answer in answers) == 3
    assert sum(answer["already_completed"] for answer in answers) == 7
    assert ledger(user, database) == [("habit_complete", 10, 5)]
    assert user.get(f"/habits/{habit['id']}").data["completed_count_today"] == 3


def test_is_paid_when_the_target_is_reached(user: User, database: Database) -> None:
    habit = factories.habit(user, target_count=3)
    path = f"/habits/{habit['id']}"
    for count in (1, 2):
        partial = user.post(f"{path}/complete").data
        assert (partial["completed"], partial["already_completed"], partial["xp_awarded"]) == (False, False, 0)
        assert (partial["new_streak"], partial["streak"]) == (0, 0)
        shown = partial["habit"]
        assert (shown["completed_count_today"], shown["completed_today"], shown["due_today"]) == (count, False, True)
        assert shown["last_completed_at"] is not None
    assert ledger(user, database) == []
    last = user.post(f"{path}/complete").data
    assert (last["completed"], last["xp_awarded"], last["new_streak"]) == (True, 10, 1)
    assert ledger(user, database) == [("habit_complete", 10, 5)]


def test_a_day_is_paid_once_whatever_becomes_of_the_target(user: User, database: Database) -> None:
    habit = factories.habit(user)
    path = f"/habits/{habit['id']}"
    user.post(f"{path}/complete")
    raised = user.patch(path, {"target_count": 2}).data
    assert (raised["completed_today"], raised["completed_count_today"], raised["current_streak"]) == (False, 1, 0)
    again = user.post(f"{path}/complete").data
    assert (again["completed"], again["xp_awarded"], again["new_streak"]) == (True, 0, 1)
    user.patch(path, {"target_count": 3})
    user.post(f"{path}/complete")
    assert ledger(user, database) == [("habit_complete", 10, 5)]
    assert counter(database, user, "habits_completed") == 1


def test_a_day_is_paid_once_whatever_becomes_of_the_habit(user: User, database: Database) -> None:
    """Also as another kind of habit, and by another schedule."""
    path = f"/habits/{factories.habit(user)['id']}"
    user.post(f"{path}/complete")
    user.patch(path, {"kind": "amount", "target_amount": 3})
    assert user.post(f"{path}/log", {"amount": 3}).data["xp_awarded"] == 0
    changes: tuple[dict[str, Any], ...] = (
        {"kind": "check"},
        {"frequency": "weekly", "target_count": 3},
        {"frequency": "custom", "target_count": 2},
        {"frequency": "daily", "target_count": 5},
    )
    for change in changes:
        assert user.patch(path, change).status == 200
        for _ in range(5):
            user.post(f"{path}/complete")
    user.post(f"{path}/archive")
    user.post(f"{path}/restore")
    user.post(f"{path}/complete")
    assert ledger(user, database) == [("habit_complete", 10, 5)]


def test_a_day_that_was_done_stays_done(user: User, later: Later) -> None:
    habit = factories.habit(user)
    path = f"/habits/{habit['id']}"
    user.post(f"{path}/complete")
    later(user, 1)
    assert user.patch(path, {"target_count": 5}).data["current_streak"] == 1
    yesterday = user.get(f"{path}/history").data["days"][-2]
    assert (yesterday["status"], yesterday["count"], yesterday["target"]) == ("done", 1, 1)


def test_lowering_the_target_makes_today_done(user: User, database: Database) -> None:
    habit = factories.habit(user, target_count=3)
    path = f"/habits/{habit['id']}"
    user.post(f"{path}/complete")
    lowered = user.patch(path, {"target_count": 1}).data
    assert (lowered["completed_today"], lowered["current_streak"]) == (True, 1)
    assert user.post(f"{path}/complete").data["already_completed"] is True
    assert ledger(user, database) == []


# Weekly ----------------------------------------------------------------------------------------------------------


def test_a_week_is_paid_until_its_target(user: User, database: Database, clock: Clock) -> None:
    clock.advance(timedelta(days=7 - clock.now().weekday()))  # to a Monday
    habit = factories.habit(user, frequency="weekly", target_count=2)
    path = f"/habits/{habit['id']}"
    outcomes = []
    for _ in range(3):
        answer = user.post(f"{path}/complete").data
        assert (answer["completed"], answer["already_completed"]) == (True, False)
        assert user.post(f"{path}/complete").data["already_completed"] is True
        outcomes.append((answer["xp_awarded"], answer["new_streak"], answer["habit"]["due_today"]))
        clock.advance("1 day")
    assert outcomes == [(10, 0, True), (10, 1, False), (0, 1, False)]
    assert ledger(user, database) == [("habit_complete", 10, 5)] * 2
    shown = user.get(path).data
    assert (shown["completed_today"], shown["due_today"], shown["current_streak"]) == (False, False, 1)
    clock.advance("7 days")
    shown = user.get(path).data
    assert (shown["due_today"], shown["current_streak"]) == (True, 1)
    clock.advance("7 days")
    shown = user.get(path).data
    assert (shown["due_today"], shown["current_streak"], shown["longest_streak"]) == (True, 0, 1)


def test_a_met_week_stays_met(user: User, later: Later) -> None:
    habit = factories.habit(user, frequency="weekly")
    path = f"/habits/{habit['id']}"
    user.post(f"{path}/complete")
    later(user, 7)
    assert user.patch(path, {"target_count": 7}).data["current_streak"] == 1


def test_the_open_week_takes_the_new_target(user: User) -> None:
    habit = factories.habit(user, frequency="weekly")
    path = f"/habits/{habit['id']}"
    user.post(f"{path}/complete")
    raised = user.patch(path, {"target_count": 2}).data
    assert (raised["completed_today"], raised["due_today"], raised["current_streak"]) == (True, True, 0)


def test_the_open_week_takes_the_new_target_on_its_earlier_days_too(user: User, clock: Clock) -> None:
    clock.advance(timedelta(days=7 - clock.now().weekday()))  # to a Monday
    path = f"/habits/{factories.habit(user, frequency='weekly')['id']}"
    assert user.post(f"{path}/complete").data["new_streak"] == 1
    clock.advance("1 day")
    raised = user.patch(path, {"target_count": 2}).data
    assert (raised["due_today"], raised["current_streak"]) == (True, 0)
    assert user.post(f"{path}/complete").data["new_streak"] == 1


# Custom ----------------------------------------------------------------------------------------------------------


def test_an_extra_day_is_paid_and_moves_no_streak(user: User, database: Database, today: Today) -> None:
    other_day = (weekday(today()) + 2) % 7
    habit = factories.habit(user, frequency="custom", custom_days=[other_day])
    assert habit["due_today"] is False
    answer = user.post(f"/habits/{habit['id']}/complete").data
    assert (answer["completed"], answer["xp_awarded"], answer["new_streak"]) == (True, 10, 0)
    assert answer["habit"]["completed_today"] is True
    assert ledger(user, database) == [("habit_complete", 10, 5)]


def test_the_schedule_decides_what_is_due(user: User, today: Today) -> None:
    habit = factories.habit(user, frequency="custom", custom_days=[weekday(today())])
    path = f"/habits/{habit['id']}"
    assert habit["due_today"] is True
    assert user.patch(path, {"custom_days": [(weekday(today()) + 1) % 7]}).data["due_today"] is False
    assert user.patch(path, {"frequency": "daily"}).data["due_today"] is True


def test_streaks_follow_a_new_schedule_but_the_longest_stays(user: User, later: Later, today: Today) -> None:
    habit = factories.habit(user)
    path = f"/habits/{habit['id']}"
    for _ in range(3):
        user.post(f"{path}/complete")
        later(user, 1)
    assert user.get(path).data["current_streak"] == 3
    changed = user.patch(path, {"frequency": "custom", "custom_days": [weekday(today() - timedelta(1))]}).data
    assert (changed["current_streak"], changed["longest_streak"]) == (1, 3)


# Streaks ---------------------------------------------------------------------------------------------------------


def test_a_broken_streak_reads_zero_before_any_write(user: User, later: Later) -> None:
    habit = factories.habit(user)
    path = f"/habits/{habit['id']}"
    for _ in range(2):
        user.post(f"{path}/complete")
        later(user, 1)
    assert user.get(path).data["current_streak"] == 2
    later(user, 1)
    shown = user.get(path).data
    assert (shown["current_streak"], shown["longest_streak"]) == (0, 2)
    assert user.get("/habits").data["habits"] == [shown]
    history = user.get(f"{path}/history").data
    assert (history["current_streak"], history["longest_streak"]) == (0, 2)
    assert user.post(f"{path}/complete").data["new_streak"] == 1


def test_a_streak_survives_a_journey(new_user: NewUser, database: Database) -> None:
    user = new_user(settings={"timezone": WEST})
    habit = factories.habit(user)
    path = f"/habits/{habit['id']}"
    assert user.post(f"{path}/complete").data["new_streak"] == 1
    assert user.post(f"{path}/complete").data["already_completed"] is True
    travel(user, EAST)
    assert user.get(path).data["completed_today"] is False
    second = user.post(f"{path}/complete").data
    assert (second["new_streak"], second["xp_awarded"], second["streak"]) == (2, 10, 2)
    travel(user, WEST)
    back = user.get(path).data
    assert (back["current_streak"], back["completed_today"]) == (2, True)
    assert user.post(f"{path}/complete").data["already_completed"] is True
    assert counter(database, user, "perfect_habit_days") == 2


def test_a_habit_made_tomorrow_can_be_done_today(new_user: NewUser) -> None:
    user = new_user(settings={"timezone": EAST})
    habit = factories.habit(user)
    travel(user, WEST)
    answer = user.post(f"/habits/{habit['id']}/complete").data
    assert (answer["new_streak"], answer["xp_awarded"], answer["habit"]["due_today"]) == (1, 10, True)


@pytest.mark.parametrize("length", [6, 7, 8, 14, 30, 60, 100, 365, 366])
def test_round_lengths_bring_a_bonus(user: User, database: Database, length: int, today: Today) -> None:
    habit = factories.habit(user, xp_reward=3)
    done_before(habit, [today() - timedelta(n) for n in range(1, length)], database)
    answer = user.post(f"/habits/{habit['id']}/complete").data
    bonus = length in (7, 14, 30, 60, 100, 365)
    assert (answer["new_streak"], answer["streak_bonus"]) == (length, bonus)
    assert answer["xp_awarded"] == 3 + (length if bonus else 0)
    assert ledger(user, database) == [("habit_complete", answer["xp_awarded"], 5)]
    earned = {unlocked["key"] for unlocked in answer["achievements_unlocked"]}
    assert ("habit_streak_7" in earned) == (length >= 7)
    undone = user.delete(f"/habits/{habit['id']}/complete").data
    assert (undone["xp_reversed"], undone["coins_reversed"]) == (answer["xp_awarded"], 5)


def test_standing_at_a_round_length_brings_no_bonus(user: User, database: Database, today: Today) -> None:
    """A day that does not move the streak, however long it is, pays its own reward alone."""
    yesterday = weekday(today() - timedelta(1))
    habit = factories.habit(user, frequency="custom", custom_days=[yesterday])
    done_before(habit, [today() - timedelta(1 + 7 * n) for n in range(7)], database)
    answer = user.post(f"/habits/{habit['id']}/complete").data
    assert (answer["new_streak"], answer["streak_bonus"], answer["xp_awarded"]) == (7, False, 10)


# Earlier days ----------------------------------------------------------------------------------------------------


def test_an_earlier_day_counts_and_pays_nothing(user: User, database: Database, later: Later, today: Today) -> None:
    habit = factories.habit(user)
    path = f"/habits/{habit['id']}"
    later(user, 7)
    streaks = []
    for back in (1, 2, 7):
        day = str(today() - timedelta(back))
        answer = user.post(f"{path}/complete", {"date": day}).data
        assert (answer["completed"], answer["xp_awarded"], answer["coins_awarded"]) == (True, 0, 0)
        assert answer["completion_id"] is not None
        assert user.post(f"{path}/complete", query={"date": day}).data["already_completed"] is True
        streaks.append(answer["new_streak"])
    assert streaks == [1, 2, 2]
    assert ledger(user, database) == []
    assert counter(database, user, "perfect_habit_days") == 0
    statuses = {day["date"]: day["status"] for day in user.get(f"{path}/history").data["days"]}
    assert statuses[str(today() - timedelta(7))] == "done"
    assert user.post(f"{path}/complete", {"date": f"{today()}T23:59:59+02:00"}).data["new_streak"] == 3


def test_other_days_are_refused(user: User, database: Database, later: Later, today: Today) -> None:
    habit = factories.habit(user)
    path = f"/habits/{habit['id']}"

    def refused(day: object) -> None:
        for verb in ("complete", "skip"):
            user.post(f"{path}/{verb}", {"date": day}).invalid("date")
            user.delete(f"{path}/{verb}", {"date": day}).invalid("date")

    for day in (
        today() - timedelta(1),
        today() + timedelta(1),
        "9999-12-31",
        "0001-01-01",
        "2031-02-30",
        "yesterday",
        "86400",
        7,
        86400,
    ):
        refused(day if isinstance(day, int) else str(day))
    user.post(f"{path}/complete", query={"date": "86400"}).invalid("date")
    later(user, 30)
    refused(str(today() - timedelta(8)))
    user.post(f"{path}/complete", {"notes": "x" * 2001}).invalid("notes")
    assert database.query("SELECT id FROM habit_completions WHERE user_id = %s", user.id) == []


def test_an_archived_habit_is_not_completed(user: User) -> None:
    habit = factories.habit(user)
    user.post(f"/habits/{habit['id']}/archive")
    user.post(f"/habits/{habit['id']}/complete").refused(409, "habit_archived")
    assert user.get(f"/habits/{habit['id']}").data["completed_count_today"] == 0


# The cap ---------------------------------------------------------------------------------------------------------


def test_twenty_are_paid_a_day(user: User, database: Database) -> None:
    habits = [factories.habit(user)["id"] for _ in range(22)]
    answers = [user.post(f"/habits/{habit}/complete").data for habit in habits]
    assert [answer["xp_awarded"] for answer in answers] == [10] * 20 + [0] * 2
    assert all(answer["completed"] and answer["new_streak"] == 1 for answer in answers)
    assert counter(database, user, "habits_completed") == 22
    assert counter(database, user, "perfect_habit_days") == 1
    # What is undone makes room.
    user.delete(f"/habits/{habits[0]}/complete")
    user.delete(f"/habits/{habits[21]}/complete")
    assert user.post(f"/habits/{habits[21]}/complete").data["xp_awarded"] == 10
    assert user.post(f"/habits/{habits[0]}/complete").data["xp_awarded"] == 0
    assert counter(database, user, "perfect_habit_days") == 1


def test_what_pays_nothing_takes_no_place_under_the_cap(user: User) -> None:
    for _ in range(3):
        user.post(f"/habits/{factories.habit(user, xp_reward=0, coin_reward=0)['id']}/complete")
    answers = [user.post(f"/habits/{factories.habit(user)['id']}/complete").data for _ in range(21)]
    assert [answer["xp_awarded"] for answer in answers] == [10] * 20 + [0]


def test_the_cap_is_of_a_day(user: User, later: Later) -> None:
    habits = [factories.habit(user)["id"] for _ in range(21)]
    for habit in habits:
        user.post(f"/habits/{habit}/complete")
    later(user, 1)
    assert user.post(f"/habits/{habits[20]}/complete").data["xp_awarded"] == 10


def test_over_the_cap_there_is_no_bonus(user: User, database: Database, today: Today) -> None:
    for _ in range(20):
        user.post(f"/habits/{factories.habit(user)['id']}/complete")
    habit = factories.habit(user)
    done_before(habit, [today() - timedelta(n) for n in range(1, 7)], database)
    answer = user.post(f"/habits/{habit['id']}/complete").data
    assert (answer["new_streak"], answer["streak_bonus"], answer["xp_awarded"]) == (7, False, 0)


def test_the_cap_holds_in_parallel(user: User, database: Database) -> None:
    habits = iter([factories.habit(user)["id"] for _ in range(25)])
    for _ in range(15):
        user.post(f"/habits/{next(habits)}/complete")
    answers = at_once(10, lambda: user.post(f"/habits/{next(habits)}/complete").data)
    assert sum(answer["xp_awarded"] for answer in answers) == 50
    assert len([row for row in ledger(user, database) if row[1] > 0]) == 20


# Perfect days ----------------------------------------------------------------------------------------------------


def test_a_perfect_day_is_counted_once(user: User, database: Database, today: Today) -> None:
    a, b = factories.habit(user)["id"], factories.habit(user)["id"]
    extra = factories.habit(user, frequency="custom", custom_days=[(weekday(today()) + 3) % 7])["id"]
    user.post(f"/habits/{a}/complete")
    assert counter(database, user, "perfect_habit_days") == 0
    user.post(f"/habits/{b}/complete")
    assert counter(database, user, "perfect_habit_days") == 1
    user.post(f"/habits/{extra}/complete")
    assert counter(database, user, "perfect_habit_days") == 1
    for habit in (a, b, b, a):
        user.delete(f"/habits/{habit}/complete")
        user.post(f"/habits/{habit}/complete")
        assert counter(database, user, "perfect_habit_days") == 1


def test_what_is_not_due_does_not_spoil_a_day(user: User, database: Database, today: Today) -> None:
    factories.habit(user, frequency="custom", custom_days=[(weekday(today()) + 1) % 7])
    user.post(f"/habits/{factories.habit(user)['id']}/skip")
    user.post(f"/habits/{factories.habit(user)['id']}/archive")
    user.post(f"/habits/{factories.habit(user)['id']}/complete")
    assert counter(database, user, "perfect_habit_days") == 1


def test_a_part_is_not_a_perfect_day(user: User, database: Database) -> None:
    habit = factories.habit(user, target_count=2)["id"]
    user.post(f"/habits/{habit}/complete")
    assert counter(database, user, "perfect_habit_days") == 0
    user.post(f"/habits/{habit}/complete")
    assert counter(database, user, "perfect_habit_days") == 1


# Undo ------------------------------------------------------------------------------------------------------------


def test_undo_returns_to_the_point_before(user: User, database: Database, later: Later, today: Today) -> None:
    user.post(f"/habits/{factories.habit(user)['id']}/complete")  # earns what a first completion earns
    habit = factories.habit(user)
    path = f"/habits/{habit['id']}"
    assert user.post(f"{path}/complete", {"date": str(today())}).data["completed"] is True
    later(user, 1)
    before, shown = wealth(user, database), user.get(path).data
    first = user.post(f"{path}/complete").data
    assert first["new_streak"] == 2
    undone = user.delete(f"{path}/complete").data
    assert (undone["xp_reversed"], undone["coins_reversed"]) == (10, 5)
    assert undone["habit"] == shown | {"updated_at": undone["habit"]["updated_at"]}
    assert wealth(user, database) == before
    again = user.post(f"{path}/complete").data
    assert (again["xp_awarded"], again["new_streak"], again["already_completed"]) == (10, 2, False)
    assert again["completion_id"] != first["completion_id"]


def test_undo_takes_one_completion_at_a_time(user: User, database: Database) -> None:
    habit = factories.habit(user, target_count=2)
    path = f"/habits/{habit['id']}"
    user.post(f"{path}/complete")
    user.post(f"{path}/complete")
    undone = user.delete(f"{path}/complete").data
    assert (undone["xp_reversed"], undone["habit"]["completed_count_today"]) == (10, 1)
    undone = user.delete(f"{path}/complete").data
    assert (undone["xp_reversed"], undone["habit"]["completed_count_today"]) == (0, 0)
    assert undone["habit"]["last_completed_at"] is None
    user.delete(f"{path}/complete").refused(404, "not_found")
    assert ledger(user, database) == [("habit_complete", 10, 5), ("reversal", -10, -5)]


def test_undo_lets_the_longest_streak_fall(user: User, later: Later, today: Today) -> None:
    habit = factories.habit(user)
    path = f"/habits/{habit['id']}"
    user.post(f"{path}/complete")
    later(user, 2)
    user.post(f"{path}/complete")
    joined = user.post(f"{path}/complete", {"date": str(today() - timedelta(1))}).data
    assert (joined["new_streak"], joined["habit"]["longest_streak"]) == (3, 3)
    split = user.delete(f"{path}/complete", query={"date": str(today() - timedelta(1))}).data["habit"]
    assert (split["current_streak"], split["longest_streak"]) == (1, 1)


def test_undo_needs_the_coins(user: User, database: Database) -> None:
    habit = factories.habit(user, coin_reward=25)
    path = f"/habits/{habit['id']}"
    user.post(f"{path}/complete")
    # 25 for the habit and 10 for the first completion ever.
    database.query(
        "SELECT set_config('app.user_id', %s, true), spend(30, 'market_purchase', 'test', NULL, 'purchase:test')",
        str(user.id),
    )
    before, shown = wealth(user, database), user.get(path).data
    assert user.delete(f"{path}/complete").refused(409, "insufficient_coins") == {"need": 25, "have": 5}
    assert wealth(user, database) == before
    assert user.get(path).data == shown


def test_undo_at_once_reverses_once(user: User, database: Database) -> None:
    habit = factories.habit(user)
    path = f"/habits/{habit['id']}"
    user.post(f"{path}/complete")
    answers = at_once(5, lambda: user.delete(f"{path}/complete"))
    assert sorted(answer.status for answer in answers) == [200, 404, 404, 404, 404]
    assert ledger(user, database) == [("habit_complete", 10, 5), ("reversal", -10, -5)]


def test_a_replay_completes_once(user: User, database: Database) -> None:
    habit = factories.habit(user, target_count=2)
    key = {"Idempotency-Key": "complete-once"}
    first = user.post(f"/habits/{habit['id']}/complete", headers=key)
    again = user.post(f"/habits/{habit['id']}/complete", headers=key)
    assert again.json == first.json
    assert user.get(f"/habits/{habit['id']}").data["completed_count_today"] == 1


def test_someone_elses_habit_is_not_completed(user: User, other: User, stranger: Client) -> None:
    habit = factories.habit(user)
    other.post(f"/habits/{habit['id']}/complete").refused(404, "not_found")
    stranger.post(f"/habits/{habit['id']}/complete").refused(401, "unauthorized")
    assert user.get(f"/habits/{habit['id']}").data == habit


def test_a_completed_habit_is_shown_as_its_list_shows_it(user: User, today: Today) -> None:
    day, other_day = weekday(today()), (weekday(today()) + 3) % 7
    kinds: tuple[dict[str, Any], ...] = (
        {},
        {"target_count": 2},
        {"frequency": "weekly", "target_count": 1},
        {"frequency": "weekly", "target_count": 3},
        {"frequency": "custom", "custom_days": [day]},
        {"frequency": "custom", "custom_days": [other_day]},
        {"kind": "amount", "target_amount": 2.5},
        {"kind": "amount", "target_amount": 9, "period": "month"},
        {"kind": "amount", "target_amount": 2, "direction": "at_most"},
    )
    ids = [factories.habit(user, **kind)["id"] for kind in kinds]
    user.post(f"/habits/{ids[0]}/skip")

    def listed() -> list[dict[str, object]]:
        return sorted(user.get("/habits").data["habits"], key=lambda habit: ids.index(habit["id"]))

    def one_by_one() -> list[dict[str, object]]:
        return [user.get(f"/habits/{id_}").data for id_ in ids]

    assert one_by_one() == listed()
    yesterday = {"date": str(today() - timedelta(days=1))}
    for body in ({}, {}, {"date": str(today())}):
        assert [user.post(f"/habits/{id_}/complete", body).data["habit"] for id_ in ids] == listed()
    assert user.post(f"/habits/{ids[0]}/complete", yesterday).status == 400
    assert one_by_one() == listed()
    assert [habit["due_today"] for habit in listed()] == [True, True, False, True, True, False, True, False, False]
    user.post("/pauses", {"habit_id": ids[0]})
    assert one_by_one() == listed()
    assert [user.post(f"/habits/{id_}/complete").data["habit"] for id_ in ids] == listed()
    user.post(f"/habits/{ids[0]}/archive")
    assert user.get(f"/habits/{ids[0]}").data["due_today"] is False
