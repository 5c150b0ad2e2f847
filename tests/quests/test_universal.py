from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from local.clock import Clock
from tests.conftest import Database, User, at_once
from tests.quests.conftest import Earn, paid, universal
from tests.support.client import ROOT
from tests.support.factories import quest as added
from tests.support.ledger import as_user, wallet


@pytest.fixture
def offer(database: Database) -> Iterator[Any]:
    """Offers a universal quest for the length of a test."""
    offered: list[UUID] = []

    def make(key: str, **columns: Any) -> UUID:
        names = "".join(f", {name}" for name in columns)
        [row] = database.query(
            f"INSERT INTO universal_quests (key, title{names}) SELECT %s, 'A test'{', %s' * len(columns)} RETURNING id",
            *(key, *columns.values()),
        )
        offered.append(row["id"])
        return UUID(str(row["id"]))

    yield make
    database.query("DELETE FROM universal_quests WHERE id = ANY (%s)", offered)


def test_a_habit_a_day(user: User, earn: Earn, clock: Clock, database: Database) -> None:
    earn(user, "habit_complete")
    quest = universal(user, "daily_habit")
    assert (quest["progress"], quest["target"], quest["status"], quest["accepted_at"]) == (1, 1, "available", None)
    # first_habit pays 25 and 10; the quest nothing yet.
    assert wallet(database, user) == (25, 10)

    path = f"/quests/{quest['id']}/complete"
    answer = user.post(path).data
    assert (paid(answer), answer["quest"]["status"], answer["quest"]["streak_count"]) == ((25, 5), "completed", 1)
    assert user.post(path).data == answer | {"already_completed": True}
    assert wallet(database, user) == (50, 15)
    [entry] = database.query(
        "SELECT * FROM points_ledger WHERE user_id = %s AND event_type = 'quest_complete'", user.id
    )
    assert entry["idempotency_key"] == f"quest_complete:{quest['id']}:{quest['period_key']}"
    assert (entry["xp"], entry["coins"], entry["skill_key"]) == (25, 5, "discipline")

    clock.advance("P1D")
    fresh = universal(user, "daily_habit")
    assert (fresh["status"], fresh["progress"], fresh["streak_count"]) == ("available", 0, 1)
    assert fresh["unclaimed_period"] is None
    assert user.post(path).refused(409, "quest_incomplete") == {"progress": 0, "target": 1}


def test_each_award_moves_every_quest_that_counts_it(user: User, earn: Earn) -> None:
    earn(user, focus_minutes=20)
    earn(user, focus_minutes=10, exercise_minutes=3)
    moved = {quest["key"]: quest["progress"] for quest in user.get("/quests").data["quests"]}
    assert moved == {
        "daily_focus": 25,  # at its target
        "daily_habit": 0,
        "daily_move": 3,
        "weekly_focus": 30,
        "weekly_habits": 0,
        "weekly_training": 0,
        "weekly_reading": 0,
        "monthly_focus": 30,
        "monthly_streak": 1,
    }


def test_the_streak_is_a_value_to_reach(user: User, earn: Earn) -> None:
    for days_ago in (3, 2, 1, 0, 0):
        earn(user, "planner_task_complete", days_ago=days_ago)
    # Some of those days may lie in the month before; the value reached is the same.
    assert universal(user, "monthly_streak")["progress"] == 4


def test_an_award_of_a_past_day_moves_that_days_period(user: User, earn: Earn, database: Database) -> None:
    earn(user, "focus_partial", days_ago=1, focus_minutes=25)
    assert universal(user, "daily_focus")["progress"] == 0
    assert universal(user, "daily_focus")["unclaimed_period"] is not None


def test_nothing_is_gained_while_abandoned(user: User, earn: Earn) -> None:
    path = f"/quests/{universal(user, 'daily_focus')['id']}"
    earn(user, focus_minutes=10)
    user.post(f"{path}/abandon")
    earn(user, focus_minutes=10)
    assert user.get(path).data["progress"] == 10
    user.post(f"{path}/accept")
    assert user.get(path).data["progress"] == 10
    earn(user, focus_minutes=10)
    quest = user.get(path).data
    assert (quest["progress"], quest["status"]) == (20, "accepted")


def test_an_undone_event_is_taken_back(user: User, earn: Earn, database: Database) -> None:
    first, second = earn(user, focus_minutes=20), earn(user, focus_minutes=20)
    assert universal(user, "daily_focus")["progress"] == 25
    for key, left in ((first, 5), (second, 0)):
        as_user(database, user, "SELECT reverse(%(key)s, 'a test')", key=key)
        assert universal(user, "daily_focus")["progress"] == left
    assert universal(user, "weekly_focus")["progress"] == 0
    assert universal(user, "monthly_streak")["progress"] == 1


def test_what_is_completed_or_abandoned_stays_when_an_event_is_undone(
    user: User, earn: Earn, database: Database
) -> None:
    focus, move = (f"/quests/{universal(user, key)['id']}" for key in ("daily_focus", "daily_move"))
    key = earn(user, focus_minutes=25, exercise_minutes=5)
    user.post(f"{focus}/complete")
    user.post(f"{move}/abandon")
    as_user(database, user, "SELECT reverse(%(key)s, 'a test')", key=key)
    assert (user.get(focus).data["progress"], user.get(focus).data["status"]) == (25, "completed")
    assert user.get(move).data["progress"] == 5


def test_completing_before_the_target_is_refused(user: User, earn: Earn, database: Database) -> None:
    path = f"/quests/{universal(user, 'daily_focus')['id']}"
    earn(user, focus_minutes=24)
    before = user.get(path).data
    assert user.post(f"{path}/complete").refused(409, "quest_incomplete") == {"progress": 24, "target": 25}
    assert user.get(path).data == before
    user.post(f"{path}/accept")
    user.post(f"{path}/complete").refused(409, "quest_incomplete")
    earn(user, focus_minutes=1)
    assert paid(user.post(f"{path}/complete").data) == (50, 10)


def test_two_at_once_pay_once(user: User, earn: Earn, database: Database) -> None:
    path = f"/quests/{universal(user, 'daily_focus')['id']}/complete"
    earn(user, focus_minutes=25)
    answers = at_once(6, lambda: user.post(path).data)
    assert [paid(answer) for answer in answers] == [(50, 10)] * 6
    assert wallet(database, user) == (50, 10)


def test_they_pay_beside_the_ten_of_ones_own(user: User, earn: Earn) -> None:
    for title in range(10):
        user.post(f"/quests/{added(user, title=str(title))['id']}/complete")
    earn(user, focus_minutes=25)
    answer = user.post(f"/quests/{universal(user, 'daily_focus')['id']}/complete").data
    assert (paid(answer), answer["reward_capped"]) == ((50, 10), False)
    assert user.post(f"/quests/{added(user)['id']}/complete").data["reward_capped"] is True


def test_the_period_before_can_be_claimed_once(user: User, earn: Earn, database: Database) -> None:
    earn(user, days_ago=1, focus_minutes=25)
    quest = universal(user, "daily_focus")
    path = f"/quests/{quest['id']}/complete"
    missed = quest["unclaimed_period"]
    assert missed < quest["period_key"]
    user.post(path).refused(409, "quest_incomplete")
    assert wallet(database, user) == (0, 0)

    answers = at_once(4, lambda: user.post(path, {"period_key": missed}).data)
    assert [paid(answer) for answer in answers] == [(50, 10)] * 4
    assert sorted(answer["already_completed"] for answer in answers) == [False, True, True, True]
    assert wallet(database, user) == (50, 10)
    shown = answers[0]["quest"]
    assert (shown["status"], shown["unclaimed_period"], shown["streak_count"]) == ("available", None, 1)
    history = user.get(f"/quests/{quest['id']}/history").data["completions"]
    assert [(row["period_key"], row["xp_awarded"]) for row in history] == [(missed, 50)]
    # The present period is its own.
    earn(user, focus_minutes=25)
    assert paid(user.post(path, {"period_key": quest["period_key"]}).data) == (50, 10)
    assert universal(user, "daily_focus")["streak_count"] == 2


@pytest.mark.parametrize(("days_ago", "minutes"), [(1, 24), (2, 25)])
def test_any_other_period_is_named(user: User, earn: Earn, clock: Clock, days_ago: int, minutes: int) -> None:
    earn(user, days_ago=days_ago, focus_minutes=minutes)
    quest = universal(user, "daily_focus")
    assert quest["unclaimed_period"] is None
    for period in ("2031-05-08", "2031-05-07", "2001-01-01", "once", "2031-W19"):
        user.post(f"/quests/{quest['id']}/complete", {"period_key": period}).invalid("period_key")


def test_what_was_abandoned_is_not_unclaimed(user: User, earn: Earn, database: Database) -> None:
    earn(user, days_ago=1, focus_minutes=25)
    database.query("UPDATE user_quest_progress SET status = 'abandoned' WHERE user_id = %s", user.id)
    assert universal(user, "daily_focus")["unclaimed_period"] is None


def test_what_is_taken_up_again_moves_again(user: User, offer: Any, earn: Earn) -> None:
    path = f"/quests/{offer('pages', quest_type='daily', target=10, target_type='pages_read')}"
    user.post(f"{path}/accept")
    earn(user, pages_read=3)
    user.post(f"{path}/abandon")
    for _ in range(2):
        earn(user, pages_read=3)
    user.post(f"{path}/accept")
    assert user.get(path).data["progress"] == 3
    earn(user, pages_read=3)
    assert user.get(path).data["progress"] == 6


@pytest.mark.parametrize(
    ("key", "days_ago", "period"),
    [
        ("daily_focus", 1, "2031-05-08"),
        ("weekly_focus", 5, "2031-W18"),
        ("monthly_focus", 9, "2031-04"),
    ],
)
def test_each_length_of_period_is_claimed_alike(
    user: User, earn: Earn, clock: Clock, *, key: str, days_ago: int, period: str
) -> None:
    earn(user, days_ago=days_ago, focus_minutes=1200)
    quest = universal(user, key)
    assert (quest["progress"], quest["unclaimed_period"]) == (0, period)
    answer = user.post(f"/quests/{quest['id']}/complete", {"period_key": period}).data
    assert paid(answer) == (quest["xp_reward"], quest["coin_reward"])


def test_a_quest_nothing_counts_is_done_on_the_users_word(user: User, offer: Any, database: Database) -> None:
    quest_id = offer("cold_shower", quest_type="daily", target=2, xp_reward=30, coin_reward=3)
    path = f"/quests/{quest_id}"
    quest = user.get(path).data
    assert (quest["kind"], quest["target_type"], quest["skill_key"]) == ("universal", "manual", None)
    assert user.post(f"{path}/progress").data["quest"]["progress"] == 1
    assert paid(user.post(f"{path}/progress").data) == (30, 3)
    assert user.post(f"{path}/reopen").data["progress"] == 1
    assert wallet(database, user) == (0, 0)
    # Not among the ten of one's own that pay in a day.
    for title in range(10):
        user.post(f"/quests/{added(user, title=str(title))['id']}/complete")
    answer = user.post(f"{path}/complete").data
    assert (paid(answer), answer["reward_capped"]) == ((30, 3), False)


def test_such_a_quest_is_done_in_its_period_or_not_at_all(user: User, offer: Any, clock: Clock) -> None:
    path = f"/quests/{offer('cold_shower', quest_type='daily')}"
    first = user.post(f"{path}/complete").data["quest"]
    clock.advance("P1D")
    assert user.get(path).data["unclaimed_period"] is None
    user.post(f"{path}/complete", {"period_key": first["period_key"]}).invalid("period_key")
    assert user.post(f"{path}/complete").data["quest"]["streak_count"] == 2


def test_an_event_of_a_few_days_expires_when_it_ends(user: User, offer: Any, earn: Earn) -> None:
    quest_id = offer(
        "marathon", quest_type="special", target=10, target_type="pages_read", ends_at="2190-01-01T00:00:00Z"
    )
    earn(user, pages_read=10)
    quest = user.get(f"/quests/{quest_id}").data
    assert (quest["period_key"], quest["expires_at"]) == ("once", "2190-01-01T00:00:00.000000Z")
    assert (quest["progress"], quest["streak_count"]) == (10, 0)
    assert paid(user.post(f"/quests/{quest_id}/complete").data) == (25, 10)
    earn(user, pages_read=10)
    assert user.get(f"/quests/{quest_id}").data["status"] == "completed"


def test_one_that_ended_can_be_claimed_by_who_reached_it(
    user: User, offer: Any, earn: Earn, database: Database
) -> None:
    quest_id = offer("week", quest_type="daily", target=10, target_type="pages_read")
    earn(user, days_ago=1, pages_read=10)
    database.query("UPDATE universal_quests SET ends_at = clock() WHERE id = %s", quest_id)
    quest = user.get(f"/quests/{quest_id}").data
    assert quest["status"] == "available"
    assert paid(user.post(f"/quests/{quest_id}/complete", {"period_key": quest["unclaimed_period"]}).data) == (25, 10)
    earn(user, pages_read=10)
    again = user.post(f"/quests/{quest_id}/complete", {"period_key": quest["unclaimed_period"]}).data
    assert (again["already_completed"], again["quest"]["progress"]) == (True, 0)
    # Once that period is no longer the one before, the quest is gone, and what was done in it is not.
    database.query(
        "UPDATE user_quest_progress SET period_start = period_start - 1, period_key = (period_start - 1)::text"
        " WHERE universal_quest_id = %s",
        quest_id,
    )
    user.get(f"/quests/{quest_id}").refused(404, "not_found")
    assert user.get(f"/quests/{quest_id}/history").data["total"] == 1


def test_administrators_write_them_and_nobody_else(database: Database, user: User) -> None:
    grants = {
        (row["grantee"], row["privilege_type"])
        for row in database.query(
            "SELECT grantee, privilege_type FROM information_schema.role_table_grants"
            " WHERE table_name = 'universal_quests'"
        )
    }
    assert {grant for grant in grants if grant[0] == "questlog_app"} == {("questlog_app", "SELECT")}
    assert {(name, right) for name, right in grants if name == "questlog_admin"} == {
        ("questlog_admin", right) for right in ("SELECT", "INSERT", "UPDATE", "DELETE")
    }


def test_seeding_again_leaves_what_administrators_made_of_it(database: Database) -> None:
    seeds = (ROOT / "layers/common/database/migrations/0011_quest_seeds.sql").read_text("utf-8")
    before = database.query("SELECT * FROM universal_quests WHERE is_built_in ORDER BY sort_order")
    assert len(before) == 9
    database.query("UPDATE universal_quests SET title = 'Ours', is_active = false WHERE key = 'daily_focus'")
    try:
        database.query("BEGIN; " + seeds.replace("%", "%%") + " COMMIT")
        [row] = database.query("SELECT title, is_active FROM universal_quests WHERE key = 'daily_focus'")
        assert (row["title"], row["is_active"]) == ("Ours", False)
        assert len(database.query("SELECT id FROM universal_quests WHERE is_built_in")) == 9
    finally:
        database.query(
            "UPDATE universal_quests SET title = %s, is_active = true WHERE key = 'daily_focus'", before[0]["title"]
        )


def test_ids_follow_from_keys(database: Database) -> None:
    rows = database.query(
        "SELECT id, md5('universal_quest:' || key)::uuid AS due FROM universal_quests WHERE is_built_in"
    )
    assert all(row["id"] == row["due"] for row in rows)
