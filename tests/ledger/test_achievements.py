"""Achievements: the contract's 1.6. Definitions made for a test live in a transaction that is taken back."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from tests.ledger.conftest import Ledger
from tests.ledger.model import level_for


@pytest.fixture
def staged(ledger: Ledger) -> Iterator[Ledger]:
    """The same ledger as the superuser's, inside a transaction, with no definitions but a test's own."""
    with psycopg.connect(ledger.database.admin_url, row_factory=dict_row) as connection:
        connection.execute("SELECT set_config('app.user_id', %s, true)", [str(ledger.user_id)])
        connection.execute("UPDATE achievement_definitions SET is_active = false")
        yield Ledger(connection, ledger.database, ledger.user_id, ledger.today)
        assert connection.execute("SELECT * FROM ledger_audit WHERE user_id = %s", [ledger.user_id]).fetchall() == []
        connection.rollback()


def define(
    staged: Ledger, key: str, trigger: str, config: dict[str, Any], *, xp: int = 0, coins: int = 0, sort: int = 0
) -> None:
    staged.rows(
        "INSERT INTO achievement_definitions"
        " (key, name, category, trigger_type, trigger_config, reward_xp, reward_coins, sort_order)"
        " VALUES (%s, initcap(%s), 'test', %s, %s, %s, %s, %s)",
        *(key, key, trigger, Jsonb(config), xp, coins, sort),
    )
    staged.rows("SELECT internal.revise_all()")  # as each request of an administrator does


def unlocked(result: dict[str, Any]) -> list[str]:
    return [achievement["key"] for achievement in result["achievements"]]


@pytest.mark.parametrize(
    ("key", "calls"),
    [
        ("first_focus", [("focus_complete", {})]),
        ("focus_10", [("focus_complete", {})] * 10),
        ("deep_work", [("focus_complete", {"metadata": {"duration_seconds": 3600}})]),
        ("streak_3", [("goal_complete", {"back": back}) for back in (2, 1, 0)]),
        ("streak_7", [("goal_complete", {"back": back}) for back in (6, 5, 4, 3, 2, 1, 0)]),
        ("streak_30", [("goal_complete", {"back": back}) for back in range(29, -1, -1)]),
        ("streak_100", [("goal_complete", {"back": back}) for back in range(99, -1, -1)]),
        ("first_habit", [("habit_complete", {})]),
        ("habit_streak_7", [("habit_complete", {"metadata": {"habit_streak": 7}})]),
        ("first_book", [("book_complete", {})]),
        ("books_10", [("book_complete", {})] * 10),
        ("first_workout", [("workout_complete", {})]),
        ("first_pr", [("personal_record", {})]),
        ("first_lesson", [("lesson_complete", {})]),
        ("quests_10", [("quest_complete", {})] * 10),
        ("goals_5", [("goal_complete", {})] * 5),
        ("level_5", [("admin_adjustment", {"xp": 1701})]),
        ("level_10", [("admin_adjustment", {"xp": 11102})]),
    ],
)
def test_each_is_earned_at_its_threshold_and_not_before(
    ledger: Ledger, key: str, calls: list[tuple[str, dict[str, Any]]]
) -> None:
    [definition] = ledger.rows("SELECT * FROM achievement_definitions WHERE key = %s", key)
    result: dict[str, Any] = {}
    for number, (event_type, given) in enumerate(calls, 1):
        more = {name: value for name, value in given.items() if name not in ("back", "xp")}
        result = ledger.award(event_type, given.get("xp", 0), 0, day=ledger.day(given.get("back", 0)), **more)
        assert (key in unlocked(result)) == (number == len(calls))
    [shown] = [achievement for achievement in result["achievements"] if achievement["key"] == key]
    assert shown == {name: definition[name] for name in ("key", "name", "reward_xp", "reward_coins")}
    [earned] = ledger.rows("SELECT * FROM user_achievements WHERE achievement_key = %s", key)
    [entry] = [e for e in ledger.entries() if e["idempotency_key"] == f"achievement:{key}"]
    assert earned["ledger_id"] == entry["id"]
    assert not earned["notified"]
    assert (entry["xp"], entry["coins"]) == (definition["reward_xp"], definition["reward_coins"])
    assert (entry["event_type"], entry["source_type"], entry["skill_key"]) == ("achievement", "achievement", None)
    assert entry["cause_id"] == result["ledger_id"]


def test_a_hundred_focus_sessions(ledger: Ledger) -> None:
    results = [ledger.award("focus_complete", 0, 0) for _ in range(101)]
    assert {n: unlocked(r) for n, r in enumerate(results, 1) if unlocked(r)} == {
        1: ["first_focus"],
        10: ["focus_10"],
        100: ["focus_100"],
    }


@pytest.mark.parametrize(
    ("event_type", "metadata"),
    [
        ("focus_complete", {"duration_seconds": 3599}),
        ("focus_complete", {"duration_seconds": "3600"}),
        ("focus_complete", {"duration_seconds": True}),
        ("focus_complete", {"duration_seconds": None}),
        ("focus_complete", {"duration_seconds": [3600]}),
        ("focus_complete", {}),
        ("focus_partial", {"duration_seconds": 3600}),
    ],
)
def test_an_event_trigger_wants_its_event_and_a_number(
    ledger: Ledger, event_type: str, metadata: dict[str, Any]
) -> None:
    assert "deep_work" not in unlocked(ledger.award(event_type, metadata=metadata))


def test_all_fields_of_min_have_to_be_reached(staged: Ledger) -> None:
    define(staged, "both", "event", {"event_type": "goal_complete", "min": {"a": 2, "b": 2.5}})
    define(staged, "any", "event", {"event_type": "goal_complete"})
    assert unlocked(staged.award(metadata={"a": 9, "b": 2})) == ["any"]
    assert unlocked(staged.award(metadata={"a": 2, "b": 2.5})) == ["both"]


def test_rewards_bring_further_achievements_until_none_is_new(staged: Ledger) -> None:
    define(staged, "spark", "event", {"event_type": "goal_complete"}, xp=100, sort=9)
    define(staged, "two", "level", {"level": 2}, xp=300, coins=1, sort=3)
    define(staged, "three", "level", {"level": 3}, xp=0, coins=2, sort=1)
    define(staged, "collector", "counter", {"counter": "achievements_earned", "count": 3}, xp=1, sort=2)
    define(staged, "far", "level", {"level": 4}, xp=1)
    result = staged.award("goal_complete", 0, 0, idempotency_key="k")
    assert unlocked(result) == ["spark", "two", "three", "collector"]
    assert (result["leveled_up"], result["new_level"], result["total_xp"], result["balance"]) == (True, 3, 401, 3)
    assert result["xp"] == 0
    causes = {
        r["key"]: r["cause"]
        for r in staged.rows(
            "SELECT l.metadata ->> 'key' AS key, c.idempotency_key AS cause"
            "  FROM points_ledger AS l JOIN points_ledger AS c ON c.user_id = l.user_id AND c.id = l.cause_id"
            " WHERE l.user_id = current_user_id()"
        )
    }
    assert causes == {
        "spark": "k",
        "two": "achievement:spark",
        "three": "achievement:two",
        "collector": "achievement:three",
    }
    assert staged.award("goal_complete", 0, 0, idempotency_key="k") == result | {"replayed": True}
    assert unlocked(staged.award("goal_complete", 0, 0)) == []


def test_what_an_achievement_brought_is_not_brought_again_by_the_award(staged: Ledger) -> None:
    """Both hold after the award's own 100 XP; paying the first earns the second before its turn comes."""
    define(staged, "spark", "event", {"event_type": "goal_complete"}, xp=300, sort=1)
    define(staged, "two", "level", {"level": 2}, xp=7, sort=2)
    result = staged.award("goal_complete", 100, 0)
    assert (unlocked(result), result["total_xp"], result["new_level"]) == (["spark", "two"], 407, 3)


def test_several_of_one_award_come_in_their_order(staged: Ledger) -> None:
    for key, sort in (("late", 2), ("b_early", 1), ("a_early", 1)):
        define(staged, key, "event", {"event_type": "goal_complete"}, sort=sort)
    assert unlocked(staged.award("goal_complete")) == ["a_early", "b_early", "late"]


def test_an_achievement_for_achievements_is_earned_once(staged: Ledger) -> None:
    define(staged, "first", "counter", {"counter": "achievements_earned", "count": 1})
    define(staged, "start", "event", {"event_type": "goal_complete"})
    assert unlocked(staged.award()) == ["start", "first"]
    assert unlocked(staged.award()) == []


def test_what_the_award_does_not_touch_is_not_looked_at(staged: Ledger) -> None:
    """A definition made later is earned at the next award that moves its fact, not by another."""
    staged.award("focus_complete", 5000)
    define(staged, "late", "counter", {"counter": "focus_sessions", "count": 1})
    define(staged, "level", "level", {"level": 2})
    define(staged, "streak", "streak", {"streak_type": "focus", "count": 1})
    assert unlocked(staged.award("goal_complete")) == []
    assert unlocked(staged.award("focus_complete")) == ["late"]
    assert unlocked(staged.award("focus_complete", 5000)) == ["level"]
    assert unlocked(staged.award("focus_complete", day=staged.day(-1))) == ["streak"]


def test_inactive_definitions_are_not_earned(staged: Ledger) -> None:
    assert unlocked(staged.award("focus_complete", metadata={"duration_seconds": 9999})) == []


def test_earned_is_for_ever_and_paid_once(ledger: Ledger) -> None:
    ledger.award("focus_complete", 5, 5, idempotency_key="k")
    ledger.reverse("k")
    assert ledger.value("SELECT count(*) FROM user_achievements") == 1
    assert unlocked(ledger.award("focus_complete", 5, 5)) == []
    assert ledger.value("SELECT total_xp FROM user_progress") == 25 + 5


def test_the_names_of_the_first_time_are_replayed(staged: Ledger) -> None:
    define(staged, "spark", "event", {"event_type": "goal_complete"}, xp=3)
    first = staged.award(idempotency_key="k")
    staged.rows("UPDATE achievement_definitions SET name = 'Renamed', reward_xp = 9 WHERE key = 'spark'")
    assert staged.award(idempotency_key="k") == first | {"replayed": True}


def test_levels_of_a_big_award(ledger: Ledger) -> None:
    result = ledger.award("admin_adjustment", 1_000_000, 0)
    assert unlocked(result) == ["level_5", "level_10"]
    assert result["new_level"] == level_for(1_000_000)


@pytest.mark.parametrize(
    ("trigger", "config"),
    [
        ("counter", {}),
        ("counter", {"counter": "x"}),
        ("counter", {"count": 1}),
        ("counter", {"counter": "x", "count": 0}),
        ("streak", {"streak_type": "focus", "count": "3"}),
        ("level", {"level": None}),
        ("event", {"min": {}}),
        ("event", {"event_type": "x", "min": {"a": "1"}}),
        ("event", {"event_type": "x", "min": [1]}),
        ("luck", {"count": 1}),
    ],
)
def test_a_definition_that_could_never_hold_is_refused(staged: Ledger, trigger: str, config: dict[str, Any]) -> None:
    with pytest.raises(psycopg.Error) as caught, staged.connection.transaction():
        define(staged, "broken", trigger, config)
    assert str(caught.value.sqlstate)[:2] in ("22", "23")
