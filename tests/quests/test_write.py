from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import Client, Database, User
from tests.quests.conftest import universal
from tests.support.factories import quest as added
from tests.support.ledger import wallet

REWARDS = {"starter": (10, 5), "easy": (25, 10), "medium": (50, 25), "hard": (100, 50), "epic": (250, 100)}


def test_a_quest_with_nothing_but_its_name(user: User) -> None:
    quest = added(user, title=" Call home ", category=" family ")
    assert {key: quest[key] for key in quest if key not in ("id", "created_at", "updated_at")} == {
        "title": "Call home",
        "description": None,
        "category": "family",
        "difficulty": "starter",
        "xp_reward": 10,
        "coin_reward": 5,
        "status": "available",
        "is_repeatable": False,
        "streak_count": 0,
        "accepted_at": None,
        "completed_at": None,
        "expires_at": None,
        "kind": "user",
        "key": None,
        "unclaimed_period": None,
        "period": "once",
        "period_key": "once",
        "progress": 0,
        "target": 1,
        "target_type": None,
        "repeat_frequency": None,
        "skill_key": "discipline",
    }


def test_a_quest_with_everything(user: User) -> None:
    fields: dict[str, Any] = {
        "title": "Ten pages",
        "category": "reading",
        "description": "Any book",
        "difficulty": "hard",
        "xp_reward": 0,
        "coin_reward": 49,
        "target": 1000,
        "is_repeatable": True,
        "repeat_frequency": "weekly",
        "expires_at": "2190-01-01T00:00:00.000000Z",
        "skill_key": "knowledge",
    }
    quest = added(user, **fields)
    assert {key: quest[key] for key in fields} == fields
    assert quest["period"] == "weekly"


@pytest.mark.parametrize("difficulty", REWARDS)
def test_the_difficulty_is_the_reward_and_its_limit(user: User, difficulty: str) -> None:
    xp, coins = REWARDS[difficulty]
    quest = added(user, difficulty=difficulty)
    assert (quest["xp_reward"], quest["coin_reward"]) == (xp, coins)
    less = added(user, difficulty=difficulty, xp_reward=xp - 1, coin_reward=0)
    assert (less["xp_reward"], less["coin_reward"]) == (xp - 1, 0)
    body = {"title": "x", "category": "x", "difficulty": difficulty}
    user.post("/quests", {**body, "xp_reward": xp + 1}).invalid("xp_reward")
    user.post("/quests", {**body, "xp_reward": xp + 1, "coin_reward": coins + 1}).invalid("xp_reward", "coin_reward")
    assert user.get("/quests", query={"kind": "user"}).data["total"] == 2


@pytest.mark.parametrize(
    ("fields", "repeat"),
    [
        ({}, (False, None, "once")),
        ({"repeat_frequency": "weekly"}, (False, None, "once")),
        ({"is_repeatable": True}, (True, "daily", "daily")),
        ({"is_repeatable": True, "repeat_frequency": None}, (True, "daily", "daily")),
        ({"is_repeatable": True, "repeat_frequency": "monthly"}, (True, "monthly", "monthly")),
    ],
)
def test_only_what_repeats_has_a_frequency(user: User, fields: dict[str, Any], repeat: tuple[Any, ...]) -> None:
    quest = added(user, **fields)
    assert (quest["is_repeatable"], quest["repeat_frequency"], quest["period"]) == repeat


BAD = [
    ({"title": "  "}, "title"),
    ({"title": "x" * 201}, "title"),
    ({"title": 7}, "title"),
    ({"category": ""}, "category"),
    ({"category": "x" * 51}, "category"),
    ({"description": "x" * 5001}, "description"),
    ({"difficulty": "hardest"}, "difficulty"),
    ({"difficulty": None}, "difficulty"),
    ({"xp_reward": -1}, "xp_reward"),
    ({"xp_reward": 251}, "xp_reward"),
    ({"coin_reward": "5"}, "coin_reward"),
    ({"target": 0}, "target"),
    ({"target": 1001}, "target"),
    ({"target": 1.5}, "target"),
    ({"is_repeatable": "yes"}, "is_repeatable"),
    ({"repeat_frequency": "yearly"}, "repeat_frequency"),
    ({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
    ({"expires_at": "2190-01-01T00:00:00"}, "expires_at"),
    ({"expires_at": "soon"}, "expires_at"),
    ({"skill_key": "juggling"}, "skill_key"),
    ({"skill_key": None}, "skill_key"),
]


@pytest.mark.parametrize(("fields", "named"), BAD)
def test_bad_input_is_named(user: User, fields: dict[str, Any], named: str) -> None:
    user.post("/quests", {"title": "x", "category": "x", **fields}).invalid(named)
    quest = added(user)
    user.patch(f"/quests/{quest['id']}", fields).invalid(named)
    assert user.get("/quests", query={"kind": "user"}).data["quests"] == [quest]


def test_a_name_and_a_category_are_needed(user: User) -> None:
    user.post("/quests", {}).invalid("title", "category")


def test_fields_that_are_not_the_users_change_nothing(user: User, other: User, database: Database) -> None:
    quest = added(
        user, user_id=str(other.id), id=str(uuid4()), status="completed", progress=1, created_at="2001-01-01T00:00:00Z"
    )
    assert (quest["status"], quest["progress"]) == ("available", 0)
    assert quest["created_at"] > "2002"
    [row] = database.query("SELECT user_id FROM quests WHERE id = %s", quest["id"])
    assert row["user_id"] == user.id


def test_changes_keep_what_is_not_sent(user: User) -> None:
    quest = added(user, description="any", expires_at="2190-01-01T00:00:00Z", target=3)
    path = f"/quests/{quest['id']}"
    changed = user.patch(path, {"title": " Call mum ", "description": None, "expires_at": None}).data
    assert changed == quest | {
        "title": "Call mum",
        "description": None,
        "expires_at": None,
        "updated_at": changed["updated_at"],
    }
    assert changed["updated_at"] > quest["updated_at"]
    assert user.put(path, {"target": 4}).data["target"] == 4
    assert user.get(path).data["title"] == "Call mum"


def test_a_new_difficulty_brings_its_rewards(user: User) -> None:
    path = f"/quests/{added(user, xp_reward=1, coin_reward=1)['id']}"

    def rewards(**fields: Any) -> tuple[int, int]:
        quest = user.patch(path, fields).data
        return quest["xp_reward"], quest["coin_reward"]

    assert rewards(difficulty="hard") == (100, 50)
    assert rewards(difficulty="epic", xp_reward=200) == (200, 100)
    assert rewards(title="x") == (200, 100)
    assert rewards(coin_reward=3) == (200, 3)
    user.patch(path, {"difficulty": "easy", "xp_reward": 26}).invalid("xp_reward")
    assert rewards() == (200, 3)
    assert rewards(difficulty="easy") == (25, 10)
    user.patch(path, {"coin_reward": 11}).invalid("coin_reward")


def test_changing_whether_it_repeats(user: User) -> None:
    path = f"/quests/{added(user)['id']}"

    def repeat(**fields: Any) -> tuple[bool, str | None]:
        quest = user.patch(path, fields).data
        return quest["is_repeatable"], quest["repeat_frequency"]

    assert repeat(repeat_frequency="weekly") == (False, None)
    assert repeat(is_repeatable=True) == (True, "daily")
    assert repeat(repeat_frequency="weekly") == (True, "weekly")
    assert repeat(repeat_frequency=None) == (True, "daily")
    assert repeat(is_repeatable=False) == (False, None)


def test_a_later_end_revives(user: User, database: Database) -> None:
    quest = added(user, expires_at="2190-01-01T00:00:00Z")
    path = f"/quests/{quest['id']}"
    user.post(f"{path}/accept")
    database.query("UPDATE quests SET expires_at = clock() WHERE id = %s", quest["id"])
    assert user.get(path).data["status"] == "expired"
    assert user.patch(path, {"title": "Still expired"}).data["status"] == "expired"
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert user.patch(path, {"expires_at": later}).data["status"] == "accepted"
    database.query("UPDATE quests SET expires_at = clock() WHERE id = %s", quest["id"])
    assert user.patch(path, {"expires_at": None}).data["status"] == "accepted"


def test_a_lower_target_that_is_reached_already_waits_for_the_users_word(user: User, database: Database) -> None:
    quest = added(user, target=10)
    path = f"/quests/{quest['id']}"
    user.post(f"{path}/progress", {"increment": 5})
    changed = user.patch(path, {"target": 3}).data
    assert (changed["status"], changed["progress"], changed["target"]) == ("accepted", 3, 3)
    assert wallet(database, user) == (0, 0)
    assert user.post(f"{path}/complete").data["quest"]["progress"] == 3


def test_deleting_keeps_what_was_paid(user: User, database: Database) -> None:
    quest = added(user, difficulty="easy")
    path = f"/quests/{quest['id']}"
    user.post(f"{path}/complete")
    assert user.delete(path).data == {"success": True}
    user.get(path).refused(404, "not_found")
    user.get(f"{path}/history").refused(404, "not_found")
    user.delete(path).refused(404, "not_found")
    assert wallet(database, user) == (25, 10)
    assert database.query("SELECT id FROM user_quest_progress WHERE quest_id = %s", quest["id"]) == []


def test_nobody_rewrites_a_universal_quest(user: User) -> None:
    quest = universal(user, "daily_focus")
    path = f"/quests/{quest['id']}"
    user.patch(path, {"title": "Mine"}).refused(403, "forbidden")
    user.put(path, {}).refused(403, "forbidden")
    user.delete(path).refused(403, "forbidden")
    assert universal(user, "daily_focus") == quest


def test_someone_elses_is_absent_on_every_verb(user: User, other: User, stranger: Client, database: Database) -> None:
    quest = added(user)
    path = f"/quests/{quest['id']}"
    for client, status, error in ((other, 404, "not_found"), (stranger, 401, "unauthorized")):
        client.get(path).refused(status, error)
        client.patch(path, {"title": "Mine"}).refused(status, error)
        client.delete(path).refused(status, error)
        client.get(f"{path}/history").refused(status, error)
        for move in ("accept", "progress", "complete", "abandon", "reopen"):
            client.post(f"{path}/{move}").refused(status, error)
    assert user.get(path).data == quest
    assert wallet(database, other) == (0, 0)
