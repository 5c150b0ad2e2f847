from collections.abc import Iterator
from typing import Any

import pytest
from psycopg.types.json import Json

from local.clock import Clock
from tests.conftest import Client, Database, NewUser, User, at_once
from tests.gamification.conftest import Pay
from tests.support.clock import NOON


@pytest.fixture
def define(database: Database) -> Iterator[Any]:
    """Defines achievements for one test, as an administrator might; those who earned one go with it."""
    keys: list[str] = []

    def make(key: str, trigger_type: str, trigger_config: dict[str, Any], **columns: Any) -> None:
        keys.append(key)
        row = {"sort_order": 900, "is_hidden": False, "is_active": True, "reward_coins": 0} | columns
        database.query(
            "INSERT INTO achievement_definitions"
            " (key, name, category, trigger_type, trigger_config, sort_order, is_hidden, is_active, reward_coins)"
            " VALUES (%s, 'Test', 'test', %s, %s, %s, %s, %s, %s)",
            *(key, trigger_type, Json(trigger_config)),
            *(row["sort_order"], row["is_hidden"], row["is_active"], row["reward_coins"]),
        )

    yield make
    database.query(
        "DELETE FROM users WHERE id IN (SELECT user_id FROM user_achievements WHERE achievement_key = ANY (%s))", keys
    )
    database.query("DELETE FROM achievement_definitions WHERE key = ANY (%s)", keys)


def book(user: User, **query: Any) -> dict[str, Any]:
    """The user's achievements by key."""
    found = user.get("/gamification/achievements", query=query).data["achievements"]
    return {achievement["key"]: achievement for achievement in found}


def test_shows_exactly_the_fields_of_an_achievement(user: User) -> None:
    assert book(user)["focus_10"] == {
        "key": "focus_10",
        "name": "Finding the rhythm",
        "description": "Finish 10 focus sessions.",
        "category": "focus",
        "icon": "zap",
        "reward_xp": 100,
        "reward_coins": 25,
        "is_hidden": False,
        "sort_order": 2,
        "trigger_type": "counter",
        "earned": False,
        "earned_at": None,
        "progress": 0,
        "progress_max": 10,
    }


def test_progress_is_that_of_what_the_trigger_watches(new_user: NewUser, pay: Pay, clock: Clock) -> None:
    clock.set(NOON)
    user = new_user()
    pay(user, "focus_complete", days_ago=1)
    pay(user, "focus_complete", xp=400, metadata={"duration_seconds": 60})
    progress = {key: (a["progress"], a["progress_max"]) for key, a in book(user).items()}
    assert progress["focus_10"] == (2, 10)
    assert progress["streak_7"] == (2, 7)
    assert progress["level_5"] == (2, 4)  # 425 XP are level 3: two of the four levels up to it
    assert progress["deep_work"] == (0, 1)
    assert progress["books_10"] == (0, 10)


def test_what_is_earned_stays_complete(new_user: NewUser, pay: Pay, reverse: Pay, clock: Clock) -> None:
    clock.set(NOON)
    user = new_user()
    for days_ago in (9, 8, 7):
        pay(user, days_ago=days_ago)
    pay(user, "book_complete", key="book_complete:1", days_ago=7)
    reverse(user, "book_complete:1")
    earned = book(user, earned="true")
    assert set(earned) == {"streak_3", "first_book"}
    for achievement in earned.values():
        assert achievement["earned"]
        assert achievement["earned_at"].endswith("Z")
        assert achievement["progress"] == achievement["progress_max"]
    assert book(user)["streak_7"]["progress"] == 0


def test_filters_and_counts(user: User, pay: Pay) -> None:
    pay(user, "focus_complete")
    everything = user.get("/gamification/achievements").data
    assert (everything["earned_count"], everything["total"]) == (1, len(everything["achievements"]))
    focus = user.get("/gamification/achievements", query={"category": "focus"}).data
    assert [a["key"] for a in focus["achievements"]] == ["first_focus", "focus_10", "focus_100", "deep_work"]
    assert (focus["earned_count"], focus["total"]) == (1, 4)
    open_ones = user.get("/gamification/achievements", query={"category": "focus", "earned": "false"}).data
    assert [a["key"] for a in open_ones["achievements"]] == ["focus_10", "focus_100", "deep_work"]
    assert (open_ones["earned_count"], open_ones["total"]) == (1, 4)
    assert user.get("/gamification/achievements", query={"category": "none such"}).data == {
        "achievements": [],
        "earned_count": 0,
        "total": 0,
    }
    user.get("/gamification/achievements", query={"earned": "maybe"}).invalid("earned")


def test_hidden_ones_stay_hidden_until_they_are_earned(user: User, other: User, pay: Pay, define: Any) -> None:
    define("secret", "counter", {"counter": "cards_reviewed", "count": 1}, is_hidden=True)
    hidden = {"secret", "streak_100"}
    assert not hidden & set(book(user))
    assert not hidden & {a["key"] for a in user.get("/achievements").json}
    pay(user, "review_session", counters={"cards_reviewed": 3})
    assert book(user)["secret"]["earned"]
    assert "secret" in {a["key"] for a in user.get("/achievements").json}
    assert "secret" not in book(other)
    assert "secret" not in {a["key"] for a in other.get("/achievements").json}


def test_archived_ones_stay_with_those_who_earned_them(
    user: User, other: User, pay: Pay, define: Any, database: Database
) -> None:
    define("old", "counter", {"counter": "cards_reviewed", "count": 1})
    pay(user, "review_session", counters={"cards_reviewed": 3})
    database.query("UPDATE achievement_definitions SET is_active = false WHERE key = 'old'")
    assert "old" in book(user)
    assert "old" not in book(other)


def test_definitions_are_listed_in_their_order(user: User) -> None:
    listed = user.get("/achievements").json
    assert set(listed[0]) == {
        *("key", "name", "description", "category", "icon", "reward_xp", "reward_coins", "is_hidden", "sort_order")
    }
    assert [a["sort_order"] for a in listed] == sorted(a["sort_order"] for a in listed)
    assert len(listed) == 18  # nineteen, of which one is hidden


def test_earned_ones_are_listed_newest_first(user: User, pay: Pay) -> None:
    pay(user, "focus_complete")
    pay(user, "habit_complete")
    listed = user.get("/achievements/user").json
    assert [a["achievement_key"] for a in listed] == ["first_habit", "first_focus"]
    assert set(listed[0]) == {"achievement_key", "name", "earned_at", "notified", "reward_xp", "reward_coins"}
    assert (listed[0]["reward_xp"], listed[0]["reward_coins"], listed[0]["notified"]) == (25, 10, False)


def test_what_was_seen_is_not_unseen(user: User, other: User, pay: Pay) -> None:
    for event in ("focus_complete", "habit_complete", "book_complete"):
        pay(user, event)
        pay(other, event)
    assert user.post("/gamification/achievements/seen", {"keys": ["first_focus", "no_such"]}).data == {"seen": 1}
    assert user.post("/gamification/achievements/seen", {"keys": ["first_focus"]}).data == {"seen": 0}
    assert user.post("/gamification/achievements/seen", {"keys": []}).data == {"seen": 0}
    unseen = user.get("/achievements/user", query={"unseen": "true"}).json
    assert {a["achievement_key"] for a in unseen} == {"first_habit", "first_book"}
    assert len(user.get("/achievements/user", query={"unseen": "false"}).json) == 3
    assert user.post("/gamification/achievements/seen").data == {"seen": 2}
    assert user.get("/achievements/user", query={"unseen": "1"}).json == []
    assert len(other.get("/achievements/user", query={"unseen": "true"}).json) == 3


def test_ten_at_once_see_each_achievement_once(user: User, pay: Pay) -> None:
    pay(user, "focus_complete")
    answers = at_once(10, lambda: user.post("/gamification/achievements/seen").data["seen"])
    assert sorted(answers) == [0] * 9 + [1]


def test_a_replay_answers_as_the_first_time(user: User, pay: Pay) -> None:
    pay(user, "focus_complete")
    key = {"Idempotency-Key": "seen"}
    answers = [user.post("/gamification/achievements/seen", {}, headers=key) for _ in range(2)]
    assert [answer.data for answer in answers] == [{"seen": 1}] * 2


def test_bad_input_is_named(user: User) -> None:
    user.post("/gamification/achievements/seen", {"keys": "first_focus"}).invalid("keys")
    user.post("/gamification/achievements/seen", {"keys": [1]}).invalid("keys.0")
    user.get("/achievements/user", query={"unseen": "yes"}).invalid("unseen")


def test_seeing_needs_a_session(stranger: Client) -> None:
    stranger.post("/gamification/achievements/seen").refused(401, "unauthorized")


def teaser(user: User) -> dict[str, Any]:
    answer = user.get("/gamification/teaser")
    assert set(answer.json) == {"teaser"}
    shown: dict[str, Any] = answer.json["teaser"]
    return shown


def test_a_new_user_is_teased_with_the_cheapest_first(user: User) -> None:
    shown = teaser(user)
    assert set(shown) == {"achievement", "progress", "progress_max", "progress_label"}
    achievement = shown["achievement"]
    assert achievement.pop("created_at").endswith("Z")
    assert achievement == {
        "id": "first_focus",
        "key": "first_focus",
        "name": "First spark",
        "description": "Finish your first focus session.",
        "category": "focus",
        "icon": "zap",
        "trigger_type": "counter",
        "trigger_config": {"counter": "focus_sessions", "count": 1},
        "reward_coins": 10,
        "reward_xp": 25,
        "is_hidden": False,
        "sort_order": 1,
    }
    assert (shown["progress"], shown["progress_max"]) == (0, 1)


def test_the_teaser_is_the_one_closest_to_its_end(user: User, pay: Pay) -> None:
    for _ in range(9):
        pay(user, "quest_complete")
    shown = teaser(user)
    assert shown["achievement"]["key"] == "quests_10"
    assert (shown["progress"], shown["progress_max"]) == (9, 10)
    assert shown["progress_label"] == "9 of 10 quests completed"
    pay(user, "quest_complete")
    assert teaser(user)["achievement"]["key"] != "quests_10"


@pytest.fixture
def far(user: User, database: Database) -> Iterator[None]:
    """Brings the user far behind the ledger's back, and clears the stage before the ledger is audited."""
    streak = "INSERT INTO user_streaks SELECT %s, t, 99, 99, current_date + 1 FROM unnest(%s::text[]) AS t"
    database.query(streak, user.id, ["daily_activity", "focus"])
    database.query("INSERT INTO user_counters VALUES (%s, 'focus_minutes', 999)", user.id)
    database.query("INSERT INTO user_progress (user_id, current_level) VALUES (%s, 50)", user.id)
    yield
    for table in ("user_streaks", "user_counters", "user_progress"):
        database.query(f"DELETE FROM {table} WHERE user_id = %s", user.id)


@pytest.fixture
def alone(database: Database) -> Iterator[None]:
    """Archives the achievements there are, for one test."""
    keys = [row["key"] for row in database.query("SELECT key FROM achievement_definitions WHERE is_active")]
    database.query("UPDATE achievement_definitions SET is_active = false WHERE key = ANY (%s)", keys)
    yield
    database.query("UPDATE achievement_definitions SET is_active = true WHERE key = ANY (%s)", keys)


@pytest.mark.usefixtures("far", "alone")
@pytest.mark.parametrize(
    ("trigger", "label"),
    [
        (("streak", {"streak_type": "daily_activity", "count": 1000}), "99 of 1000 days in a row"),
        (("streak", {"streak_type": "focus", "count": 1000}), "99 of 1000 focus days in a row"),
        (("counter", {"counter": "focus_minutes", "count": 1000}), "999 of 1000 focus minutes"),
        (("level", {"level": 51}), "49 of 50 levels gained"),
    ],
)
def test_every_kind_of_progress_has_a_phrase(
    user: User, define: Any, trigger: tuple[str, dict[str, Any]], label: str
) -> None:
    define("wanted", *trigger)
    assert teaser(user)["progress_label"] == label


@pytest.mark.usefixtures("alone")
def test_with_nothing_left_to_earn_there_is_no_teaser(user: User, define: Any, pay: Pay) -> None:
    define("only", "counter", {"counter": "cards_reviewed", "count": 1})
    assert teaser(user)["achievement"]["key"] == "only"
    pay(user, "review_session", counters={"cards_reviewed": 1})
    assert user.get("/gamification/teaser").json == {"teaser": None}


def test_ties_go_to_fewer_coins_then_to_the_order(user: User, define: Any) -> None:
    define("dear", "event", {"event_type": "goal_complete", "min": {}}, reward_coins=5, sort_order=-2)
    define("cheap_later", "event", {"event_type": "goal_complete", "min": {}}, reward_coins=0, sort_order=-1)
    define("cheap", "event", {"event_type": "goal_complete", "min": {}}, reward_coins=0, sort_order=-3)
    define("hidden", "event", {"event_type": "goal_complete", "min": {}}, sort_order=-4, is_hidden=True)
    define("archived", "event", {"event_type": "goal_complete", "min": {}}, sort_order=-5, is_active=False)
    shown = teaser(user)
    assert shown["achievement"]["key"] == "cheap"
    assert (shown["progress"], shown["progress_max"], shown["progress_label"]) == (0, 1, "0 of 1 done")
