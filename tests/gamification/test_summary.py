import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.clock import Clock
from tests.conftest import Database, NewUser, User, at_once
from tests.gamification.conftest import Pay
from tests.support.clock import NOON
from tests.support.ledger import boost


def test_adds_up_what_was_paid_and_spent(user: User, pay: Pay, spend: Pay) -> None:
    pay(user, "focus_complete", xp=120, coins=50)
    spend(user, 30, "purchase:1")
    summary = user.get("/gamification/summary").data
    # The first focus session is also an achievement: 25 XP and 10 coins.
    assert (summary["total_xp"], summary["coins"]) == (145, 30)
    assert (summary["total_earned"], summary["total_spent"]) == (60, 30)
    assert (summary["current_level"], summary["current_xp"]) == (2, 45)
    assert (summary["xp_to_next_level"], summary["xp_remaining"]) == (282, 237)
    assert summary["xp_progress_percent"] == 15  # 15.96, rounded down
    assert summary["total_skill_stars"] == 12
    assert (summary["achievement_count"], summary["current_streak"], summary["longest_streak"]) == (1, 1, 1)


def test_a_refused_spend_changes_nothing(user: User, pay: Pay, spend: Pay) -> None:
    pay(user, coins=10)
    before = user.get("/gamification/stats").data, user.get("/gamification/ledger").data
    with pytest.raises(Exception, match="enough coins"):
        spend(user, 11, "purchase:1")
    assert (user.get("/gamification/stats").data, user.get("/gamification/ledger").data) == before


def test_forty_awards_at_once_sum_exactly_and_chain_without_gap(user: User, pay: Pay) -> None:
    at_once(40, lambda: pay(user, "admin_adjustment", xp=7, coins=3))
    assert user.get("/progress").json["xp"] == 280
    entries = user.get("/gamification/ledger").data["entries"]
    assert [entry["total_xp_after"] for entry in entries] == list(range(280, 0, -7))
    assert [entry["coins_after"] for entry in entries] == list(range(120, 0, -3))


def test_a_replay_is_paid_once(user: User, pay: Pay) -> None:
    for _ in range(2):
        pay(user, "admin_adjustment", xp=10, key="admin_adjustment:1")
    assert user.get("/progress").json["xp"] == 10


@settings(max_examples=25)
@given(amounts=st.lists(st.integers(0, 5000), min_size=1, max_size=5))
def test_level_and_remainder_always_make_up_the_total(new_user: NewUser, pay: Pay, amounts: list[int]) -> None:
    user = new_user()
    for amount in amounts:
        pay(user, "admin_adjustment", xp=amount)
    levels = user.get("/gamification/rules").data["levels"]
    summary, progress = user.get("/gamification/summary").data, user.get("/progress").json
    reached = levels[summary["current_level"] - 1]
    assert summary["total_xp"] == sum(amounts) + 0
    assert reached["total_xp"] + summary["current_xp"] == summary["total_xp"]
    assert summary["current_xp"] + summary["xp_remaining"] == summary["xp_to_next_level"] == reached["cost"]
    percent = progress["xp_progress_percent"]
    assert 0 <= 100 * progress["current_xp"] / progress["xp_to_next_level"] - percent < 0.01
    assert percent == round(percent, 2) < 100
    assert summary["xp_progress_percent"] == int(progress["xp_progress_percent"])


def test_stats_name_the_counters_that_moved(user: User, pay: Pay, reverse: Pay) -> None:
    pay(user, "workout_complete", counters={"exercise_minutes": 40}, key="workout_complete:1")
    pay(user, "milestone_complete", key="milestone_complete:1")
    reverse(user, "milestone_complete:1")
    assert user.get("/gamification/stats").data["counters"] == {
        "workouts_completed": 1,
        "exercise_minutes": 40,
        "achievements_earned": 1,
    }


def test_stats_show_the_boosts_that_run(user: User, other: User, database: Database) -> None:
    boost(database, user.id, factor=1.5, started="-2 hours", ends="-1 hour")
    boost(database, user.id, factor=1.5, started="1 hour", ends="2 hours")
    boost(database, other.id, factor=1.5, started="-1 hour", ends="1 hour")
    assert user.get("/gamification/stats").data["effects"] == []
    boost(database, user.id, factor=1.5, started="-1 hour", ends="1 hour")
    [effect] = user.get("/gamification/stats").data["effects"]
    assert set(effect) == {"effect_type", "factor", "ends_at"}
    assert (effect["effect_type"], effect["factor"]) == ("xp_multiplier", 1.5)


def test_a_streak_is_at_risk_the_day_after_and_gone_the_day_after_that(
    new_user: NewUser, pay: Pay, clock: Clock
) -> None:
    clock.set(NOON)
    for days_ago, current, at_risk in ((0, 2, False), (1, 2, True), (2, 0, False)):
        user = new_user()
        pay(user, days_ago=days_ago + 1)
        pay(user, days_ago=days_ago)
        summary = user.get("/gamification/summary").data
        assert (summary["current_streak"], summary["streak_at_risk"]) == (current, at_risk)
        assert summary["longest_streak"] == 2
        assert user.get("/progress").json["streak_days"] == current
        daily = user.get("/streaks").json[0]
        assert (daily["active"], daily["at_risk"], daily["current_streak"]) == (current > 0, at_risk, current)


def test_each_streak_has_its_own_days(new_user: NewUser, pay: Pay, clock: Clock) -> None:
    clock.set(NOON)
    user = new_user()
    pay(user, "reading_session", days_ago=1)
    pay(user, "habit_complete")
    streaks = {streak["streak_type"]: streak for streak in user.get("/streaks").json}
    assert {name: streak["current_streak"] for name, streak in streaks.items()} == {
        "daily_activity": 2,
        "focus": 0,
        "habit": 1,
        "workout": 0,
        "learning": 0,
        "reading": 1,
    }
    assert streaks["reading"]["at_risk"]
    assert not streaks["habit"]["at_risk"]


def test_skills_are_the_shared_definitions(user: User) -> None:
    skills = user.get("/skills").json
    assert len(skills) == 6
    assert set(skills[0]) == {
        *("key", "name", "description", "category", "icon", "color", "max_level", "stars_per_level", "sort_order")
    }


def test_a_skill_holds_xp(user: User, other: User, pay: Pay) -> None:
    pay(user, "goal_complete", xp=257, skill="creativity")
    pay(other, "goal_complete", xp=999, skill="creativity")
    by_key = {skill["skill_key"]: skill for skill in user.get("/skills/user").json}
    creativity = by_key.pop("creativity")
    assert (creativity["xp"], creativity["current_stars"], creativity["current_level"]) == (257, 25, 3)
    assert (creativity["xp_in_level"], creativity["xp_to_next_level"]) == (57, 100)
    assert all(skill["xp"] == 0 and skill["current_level"] == 1 for skill in by_key.values())
    assert user.get("/gamification/summary").data["total_skill_stars"] == 25


def test_a_skill_stops_at_its_highest_level(user: User, pay: Pay) -> None:
    pay(user, "goal_complete", xp=20_050, skill="focus")
    focus = user.get("/skills/user").json[0]
    assert (focus["current_level"], focus["current_stars"], focus["xp_in_level"]) == (100, 2005, 50)


def test_rules_list_thirty_levels(user: User) -> None:
    levels = user.get("/gamification/rules").data["levels"]
    assert [row["level"] for row in levels] == list(range(1, 31))
    assert [row["cost"] for row in levels[:5]] == [100, 282, 519, 800, 1118]
    assert levels[9]["cost"] == 3162
    begins = {row["level"]: row["total_xp"] for row in levels}
    assert (begins[1], begins[2], begins[5], begins[10], begins[20], begins[30]) == (0, 100, 1701, 11102, 67128, 189018)
