"""The routes of universal quests (platform contract, section 7)."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from database.migrate import MIGRATIONS
from tests.admin.conftest import audited, while_it_waits
from tests.conftest import Database, User, at_once
from tests.support.client import Answer
from tests.support.ledger import award

QUEST = {
    *(
        "id",
        "key",
        "title",
        "description",
        "quest_type",
        "category",
        "difficulty",
        "xp_reward",
        "coin_reward",
        "target",
    ),
    *("target_type", "skill_id", "starts_at", "ends_at", "is_active", "sort_order", "created_at"),
}
EVERYTHING = {
    "key": "spring-cleaning",
    "title": "Spring cleaning",
    "description": "Once through the house.",
    "quest_type": "special",
    "category": "home",
    "difficulty": "epic",
    "xp_reward": 1000,
    "coin_reward": 500,
    "target": 1_000_000,
    "target_type": "pages_read",
    "skill_id": "knowledge",
    "starts_at": "2026-03-01T00:00:00.000000Z",
    "ends_at": "2199-06-01T00:00:00.000000Z",
    "is_active": False,
    "sort_order": 40,
}


@pytest.fixture
def built_in(database: Database) -> Iterator[None]:
    """What a test changes of the built-in quests is undone after it."""
    before = database.query("SELECT id, key, title, is_active, xp_reward FROM universal_quests WHERE is_built_in")
    yield
    for row in before:
        database.query(
            "UPDATE universal_quests SET key = %s, title = %s, is_active = %s, xp_reward = %s WHERE id = %s",
            *(row["key"], row["title"], row["is_active"], row["xp_reward"], row["id"]),
        )


def made(moderator: User, **fields: Any) -> dict[str, Any]:
    answer = moderator.post("/admin/quests", {"title": "Tidy up", **fields})
    assert answer.status == 200, answer.text
    quest: dict[str, Any] = answer.json
    return quest


def offered(user: User) -> dict[str, dict[str, Any]]:
    """The universal quests that a user sees, by their keys."""
    quests = user.get("/quests", query={"kind": "universal", "page_size": 100}).data["quests"]
    return {quest["key"]: quest for quest in quests}


def test_the_least_there_is(moderator: User, user: User, database: Database) -> None:
    answer = moderator.post("/admin/quests", {"title": " Tidy up "})
    quest = answer.json
    assert set(quest) == QUEST
    assert quest["title"] == "Tidy up"
    assert (quest["quest_type"], quest["category"], quest["difficulty"]) == ("daily", "general", "easy")
    assert (quest["xp_reward"], quest["coin_reward"], quest["target"], quest["target_type"]) == (25, 10, 1, "manual")
    assert (quest["description"], quest["skill_id"], quest["is_active"], quest["sort_order"]) == (None, None, True, 0)
    assert quest["key"] == quest["id"]
    assert offered(user)[quest["key"]]["title"] == "Tidy up"
    [row] = audited(database, answer)
    assert (row["event_type"], row["action"], row["user_id"]) == ("resource_created", "create", moderator.id)
    assert (row["resource_type"], row["resource_id"]) == ("quest", quest["id"])


def test_everything_there_is(moderator: User) -> None:
    quest = made(moderator, **EVERYTHING)
    assert {name: quest[name] for name in EVERYTHING} == EVERYTHING
    assert moderator.get(f"/admin/quests/{quest['id']}").json == quest


def test_the_ledger_moves_it_and_it_pays(moderator: User, user: User, database: Database) -> None:
    quest = made(moderator, target_type="pages_read", target=10, xp_reward=77, coin_reward=7, skill_id="knowledge")
    award(database, user, counters={"pages_read": 12})
    assert offered(user)[quest["key"]]["progress"] == 10
    paid = user.post(f"/quests/{quest['id']}/complete").data
    assert (paid["xp_awarded"], paid["coins_awarded"]) == (77, 7)


def test_a_reward_changes_for_later_completions_only(moderator: User, user: User, other: User) -> None:
    quest = made(moderator, xp_reward=10)
    path = f"/quests/{quest['id']}/complete"
    assert user.post(path).data["xp_awarded"] == 10
    moderator.put(f"/admin/quests/{quest['id']}", {"xp_reward": 90})
    assert user.post(path).data["xp_awarded"] == 10
    assert other.post(path).data["xp_awarded"] == 90


def test_the_list(moderator: User) -> None:
    last, first = made(moderator, sort_order=1_000_000), made(moderator, sort_order=-1_000_000)
    inactive = made(moderator, sort_order=-999_999, is_active=False)
    answer = moderator.get("/admin/quests", query={"page_size": 2}).json
    assert answer["quests"] == [first, inactive]
    assert (answer["page"], answer["page_size"]) == (1, 2)
    end = moderator.get("/admin/quests", query={"page_size": 1, "page": answer["total"]}).json
    assert end["quests"] == [last]


def test_absent_keeps_and_null_clears(moderator: User, database: Database) -> None:
    quest = made(moderator, **EVERYTHING)
    path = f"/admin/quests/{quest['id']}"
    changed = moderator.put(path, {"title": "Autumn"})
    assert changed.json == {**quest, "title": "Autumn"}
    [row] = audited(database, changed)
    assert (row["event_type"], row["resource_id"]) == ("resource_updated", quest["id"])
    cleared = {"description": None, "skill_id": None, "starts_at": None, "ends_at": None}
    assert moderator.put(path, cleared).json == {**quest, "title": "Autumn", **cleared}
    unchanged = moderator.put(path, {"id": str(uuid4()), "created_at": "2031-05-09T08:00:00Z", "is_built_in": True})
    assert unchanged.json == {**quest, "title": "Autumn", **cleared}
    assert audited(database, unchanged) == []


def test_an_inactive_quest_vanishes_and_what_was_earned_stays(moderator: User, user: User) -> None:
    quest = made(moderator, xp_reward=10)
    user.post(f"/quests/{quest['id']}/complete")
    moderator.put(f"/admin/quests/{quest['id']}", {"is_active": False})
    assert quest["key"] not in offered(user)
    assert user.get("/user/profile").data["total_xp"] >= 10


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": None}, "title"),
        ({"description": "x" * 2001}, "description"),
        ({"quest_type": "yearly"}, "quest_type"),
        ({"difficulty": "mythic"}, "difficulty"),
        ({"xp_reward": 1001}, "xp_reward"),
        ({"xp_reward": -1}, "xp_reward"),
        ({"coin_reward": 501}, "coin_reward"),
        ({"target": 0}, "target"),
        ({"target": 1_000_001}, "target"),
        ({"target_type": "coins_spent"}, "target_type"),
        ({"target_type": ""}, "target_type"),
        ({"skill_id": "juggling"}, "skill_id"),
        ({"key": "Spring"}, "key"),
        ({"key": "x" * 101}, "key"),
        ({"category": ""}, "category"),
        ({"starts_at": "2031-05-09T08:00:00Z", "ends_at": "2031-05-09T08:00:00Z"}, "ends_at"),
        ({"starts_at": "tomorrow"}, "starts_at"),
        ({"is_active": "yes"}, "is_active"),
    ],
)
def test_bad_fields(moderator: User, fields: dict[str, Any], field: str) -> None:
    moderator.post("/admin/quests", {"title": "Tidy up", **fields}).invalid(field)
    path = f"/admin/quests/{made(moderator)['id']}"
    moderator.put(path, fields).invalid(field)
    if field != "ends_at":
        moderator.put(path, {field: None} if fields[field] == "" else fields).invalid(field)


def test_an_end_before_the_start_that_is_there(moderator: User) -> None:
    path = f"/admin/quests/{made(moderator, starts_at='2031-05-09T08:00:00Z')['id']}"
    moderator.put(path, {"ends_at": "2031-05-09T07:59:59Z"}).invalid("ends_at")


def test_a_key_is_one_quests(moderator: User, database: Database) -> None:
    made(moderator, key="tidy")
    second = made(moderator)
    answers = [moderator.post("/admin/quests", {"title": "x", "key": "tidy"})]
    answers.append(moderator.put(f"/admin/quests/{second['id']}", {"key": "tidy", "title": "x"}))
    for answer in answers:
        answer.refused(409, "duplicate_key")
        assert audited(database, answer) == []
    assert moderator.get(f"/admin/quests/{second['id']}").json == second
    at = sorted(at_once(3, lambda: moderator.post("/admin/quests", {"title": "x", "key": "twice"}).status))
    assert at == [200, 409, 409]


def deleted(answer: Answer, *, archived: bool) -> None:
    assert answer.status == 200, answer.text
    assert set(answer.json) == {"success", "message", "archived"}
    assert (answer.json["success"], answer.json["archived"]) == (True, archived)


def test_a_quest_that_nobody_began_goes(moderator: User, database: Database) -> None:
    quest = made(moderator)
    answer = moderator.delete(f"/admin/quests/{quest['id']}")
    deleted(answer, archived=False)
    moderator.get(f"/admin/quests/{quest['id']}").refused(404, "not_found")
    moderator.delete(f"/admin/quests/{quest['id']}").refused(404, "not_found")
    [row] = audited(database, answer)
    assert (row["event_type"], row["details"]) == ("resource_deleted", {"archived": False})


def test_a_quest_that_someone_began_is_archived(moderator: User, user: User, database: Database) -> None:
    quest = made(moderator)
    user.post(f"/quests/{quest['id']}/accept")
    deleted(moderator.delete(f"/admin/quests/{quest['id']}"), archived=True)
    assert moderator.get(f"/admin/quests/{quest['id']}").json == {**quest, "is_active": False}
    assert quest["key"] not in offered(user)
    assert database.query("SELECT 1 FROM user_quest_progress WHERE universal_quest_id = %s", quest["id"]) != []


def test_who_begins_it_at_that_moment_keeps_it(moderator: User, user: User, database: Database) -> None:
    """The deletion waits for whoever begins the quest, and then finds them."""
    quest = made(moderator)
    answer = while_it_waits(
        database,
        "INSERT INTO user_quest_progress (user_id, universal_quest_id, period_key)"
        f" VALUES ('{user.id}', '{quest['id']}', 'once')",
        lambda: moderator.delete(f"/admin/quests/{quest['id']}"),
    )
    deleted(answer, archived=True)
    assert database.query("SELECT 1 FROM user_quest_progress WHERE universal_quest_id = %s", quest["id"]) != []


@pytest.mark.parametrize("begins", ["with a payment", "by accepting it"])
def test_who_would_begin_it_while_it_is_deleted_does_without(
    begins: str, moderator: User, user: User, database: Database
) -> None:
    """The payment is kept."""
    quest = made(moderator, target_type="habits_completed", target=5)
    habit = user.post("/habits", {"name": "Read"}).data
    pays = begins == "with a payment"
    path = f"/habits/{habit['id']}/complete" if pays else f"/quests/{quest['id']}/accept"
    answer = while_it_waits(
        database, f"DELETE FROM universal_quests WHERE id = '{quest['id']}'", lambda: user.post(path)
    )
    if pays:
        assert answer.data["xp_awarded"] == 10
    else:
        answer.refused(404, "not_found")


@pytest.mark.usefixtures("built_in")
def test_seeds_neither_bring_back_nor_undo(moderator: User, user: User, database: Database) -> None:
    """Running the seeds again is what a migration would do."""
    [archived, edited, renamed, *_] = moderator.get("/admin/quests").json["quests"]
    deleted(moderator.delete(f"/admin/quests/{archived['id']}"), archived=True)
    moderator.put(f"/admin/quests/{edited['id']}", {"title": "Ours", "xp_reward": 1})
    moderator.put(f"/admin/quests/{renamed['id']}", {"key": "ours"})
    before = moderator.get("/admin/quests").json
    with database.admin() as connection, connection.transaction():
        connection.execute((MIGRATIONS / "0011_quest_seeds.sql").read_bytes())
    assert moderator.get("/admin/quests").json == before
    assert archived["key"] not in offered(user)
