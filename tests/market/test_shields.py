"""Streak shields: they stand in for missed days by themselves, and only when they bridge the whole gap."""

from datetime import timedelta

from local.clock import Clock
from tests.conftest import Database, User, at_once
from tests.market.shop import bought, buy, earn, refund, reward
from tests.support.ledger import award


def streak(user: User) -> dict[str, object]:
    [shown] = [one for one in user.get("/streaks").json if one["streak_type"] == "daily_activity"]
    return {name: shown[name] for name in ("current_streak", "active", "at_risk", "protected")}


def with_streak_of_two(database: Database, user: User, clock: Clock, shields: int) -> list[str]:
    """Two days in a row, and shields bought on the second."""
    clock.set("2031-05-08T12:00:00Z")
    earn(database, user, 1000)
    award(database, user, "habit_complete", xp=1)
    clock.advance(timedelta(days=1))
    award(database, user, "habit_complete", xp=1)
    return [bought(user, "streak_shield") for _ in range(shields)]


def uses(database: Database, user: User) -> list[str]:
    rows = database.query("SELECT day::text FROM streak_shield_uses WHERE user_id = %s ORDER BY day", user.id)
    return [row["day"] for row in rows]


def test_one_missed_day(database: Database, user: User, clock: Clock) -> None:
    first, second = with_streak_of_two(database, user, clock, 2)
    clock.advance(timedelta(days=2))
    assert streak(user) == {"current_streak": 2, "active": True, "at_risk": True, "protected": True}
    assert user.get("/market").data["streak_shields"] == 2, "reading uses none"
    assert uses(database, user) == []
    assert award(database, user, "habit_complete", xp=1)["streak"] == 3
    assert uses(database, user) == ["2031-05-10"]
    held = {row["id"]: row["status"] for row in user.get("/market/history").data["purchases"]}
    assert held == {first: "redeemed", second: "active"}, "the oldest goes first"
    assert user.get("/market/inventory").data["streak_shields"] == 1
    assert user.get("/gamification/summary").data["streak_shields"] == 1


def test_two_missed_days_and_one_shield(database: Database, user: User, clock: Clock) -> None:
    with_streak_of_two(database, user, clock, 1)
    clock.advance(timedelta(days=3))
    assert streak(user)["current_streak"] == 0
    assert award(database, user, "habit_complete", xp=1)["streak"] == 1
    assert uses(database, user) == []
    assert user.get("/market").data["streak_shields"] == 1


def test_two_missed_days_and_two_shields(database: Database, user: User, clock: Clock) -> None:
    with_streak_of_two(database, user, clock, 2)
    clock.advance(timedelta(days=3))
    assert user.get("/today/summary").data["streak"] == {"days": 2, "at_risk": True}
    assert user.get("/sync/progress").json["streak_days"] == 2
    assert award(database, user, "habit_complete", xp=1)["streak"] == 3
    assert uses(database, user) == ["2031-05-10", "2031-05-11"]
    assert user.get("/market").data["streak_shields"] == 0


def test_awards_at_once_use_one_shield(database: Database, user: User, clock: Clock) -> None:
    with_streak_of_two(database, user, clock, 3)
    clock.advance(timedelta(days=2))
    results = at_once(4, lambda: award(database, user, "habit_complete", xp=1)["streak"])
    assert results == [3] * 4
    assert uses(database, user) == ["2031-05-10"]
    assert user.get("/market").data["streak_shields"] == 2


def test_a_shield_that_was_refunded_or_has_expired(database: Database, user: User, clock: Clock) -> None:
    [shield, _] = with_streak_of_two(database, user, clock, 2)
    assert refund(user, shield).status == 200
    database.query(
        "UPDATE user_purchases SET expires_at = purchased_at + interval '1 hour'"
        " WHERE user_id = %s AND status = 'active'",
        user.id,
    )
    clock.advance(timedelta(days=2))
    assert streak(user)["current_streak"] == 0
    assert user.get("/market").data["streak_shields"] == 0
    assert award(database, user, "habit_complete", xp=1)["streak"] == 1


def test_a_reward_of_ones_own_is_no_shield_whatever_its_id(database: Database, user: User, clock: Clock) -> None:
    """A backup names the ids of its rewards, and one of them may be the shield's."""
    with_streak_of_two(database, user, clock, 0)
    key = reward(user)["key"]
    database.query(
        "UPDATE market_items SET id = (SELECT i.id FROM market_items AS i"
        " WHERE i.owner_id IS NULL AND i.key = 'streak_shield') WHERE owner_id = %s",
        user.id,
    )
    bought(user, key)
    clock.advance(timedelta(days=2))
    assert user.get("/market").data["streak_shields"] == 0
    assert streak(user)["current_streak"] == 0
    assert award(database, user, "habit_complete", xp=1)["streak"] == 1
    assert uses(database, user) == []


def test_only_the_daily_streak_is_shielded(database: Database, user: User, clock: Clock) -> None:
    with_streak_of_two(database, user, clock, 1)
    clock.advance(timedelta(days=2))
    award(database, user, "habit_complete", xp=1)
    [habit] = [one for one in user.get("/streaks").json if one["streak_type"] == "habit"]
    assert habit["current_streak"] == 1


def test_three_are_held_at_most(database: Database, user: User, clock: Clock) -> None:
    with_streak_of_two(database, user, clock, 3)
    assert buy(user, "streak_shield").refused(409, "limit_reached") == {"limit": 3, "period": "held"}
    clock.advance(timedelta(days=2))
    award(database, user, "habit_complete", xp=1)
    assert buy(user, "streak_shield").status == 200
