from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import Client, Database, User, at_once
from tests.habits.conftest import DAILY, Later
from tests.support import factories
from tests.support.paging import has_pages

FIELDS = {
    *("id", "name", "description", "frequency", "target_count", "custom_days", "icon", "color", "category"),
    *("xp_reward", "coin_reward", "skill_key", "reminder_time", "is_active", "current_streak", "longest_streak"),
    *("last_completed_at", "completed_today", "completed_count_today", "due_today", "skipped_today", "paused_until"),
    *("kind", "direction", "target_amount", "unit", "amount_step", "period", "group", "amount_period", "remaining"),
    *("sort_order", "created_at", "updated_at"),
}


def test_a_habit_of_defaults(user: User) -> None:
    habit = factories.habit(user, name="  Read ")
    assert set(habit) == FIELDS
    assert {key: habit[key] for key in FIELDS - {"id", "created_at", "updated_at"}} == {
        "name": "Read",
        "description": None,
        "frequency": "daily",
        "target_count": 1,
        "custom_days": DAILY,
        "icon": None,
        "color": None,
        "category": "general",
        "xp_reward": 10,
        "coin_reward": 5,
        "skill_key": None,
        "reminder_time": None,
        "is_active": True,
        "current_streak": 0,
        "longest_streak": 0,
        "last_completed_at": None,
        "completed_today": False,
        "completed_count_today": 0,
        "due_today": True,
        "skipped_today": False,
        "paused_until": None,
        "kind": "check",
        "direction": "at_least",
        "target_amount": None,
        "unit": None,
        "amount_step": 1,
        "period": "day",
        "group": None,
        "amount_period": None,
        "remaining": None,
        "sort_order": 1,
    }
    assert habit["created_at"].endswith("Z")


def test_a_habit_with_everything(user: User) -> None:
    said: dict[str, Any] = {
        "name": "Stretch",
        "description": "ten minutes",
        "frequency": "custom",
        "target_count": 3,
        "custom_days": [1, 3, 5],
        "icon": "🧘",
        "color": "#12aBef",
        "category": "body",
        "xp_reward": 0,
        "coin_reward": 25,
        "skill_key": "strength",
        "reminder_time": "06:30",
    }
    habit = factories.habit(user, **said)
    assert {key: habit[key] for key in said} == said
    assert user.get(f"/habits/{habit['id']}").data == habit


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"xp_reward": 51, "coin_reward": 26}, (50, 25)),
        ({"xp_reward": -1, "coin_reward": -100}, (0, 0)),
        ({"xp_reward": 0, "coin_reward": 0}, (0, 0)),
        ({"xp_reward": 2**63 - 1, "coin_reward": 25}, (50, 25)),
    ],
)
def test_rewards_are_drawn_into_their_range(user: User, given: dict[str, Any], kept: tuple[int, int]) -> None:
    habit = factories.habit(user, **given)
    assert (habit["xp_reward"], habit["coin_reward"]) == kept
    other = factories.habit(user)
    changed = user.patch(f"/habits/{other['id']}", given).data
    assert (changed["xp_reward"], changed["coin_reward"]) == kept


def test_weekdays_are_kept_once_and_in_order(user: User) -> None:
    assert factories.habit(user, frequency="custom", custom_days=[5, 1, 5, 0])["custom_days"] == [0, 1, 5]
    unsaid: dict[str, Any] = {"custom_days": None}
    for days in ({}, unsaid):
        assert factories.habit(user, frequency="custom", **days)["custom_days"] == DAILY


def test_blank_text_is_none(user: User) -> None:
    habit = factories.habit(user, description="  ", icon=" ", category=" ")
    assert (habit["description"], habit["icon"], habit["category"]) == (None, None, "general")


BAD_INPUT = [
    ({"name": " "}, "name"),
    ({"name": None}, "name"),
    ({"name": "x" * 121}, "name"),
    ({"description": "x" * 2001}, "description"),
    ({"frequency": "monthly"}, "frequency"),
    ({"target_count": 0}, "target_count"),
    ({"target_count": 101}, "target_count"),
    ({"target_count": "3"}, "target_count"),
    ({"frequency": "weekly", "target_count": 8}, "target_count"),
    ({"custom_days": []}, "custom_days"),
    ({"custom_days": [7]}, "custom_days.0"),
    ({"custom_days": [0, -1]}, "custom_days.1"),
    ({"icon": "x" * 17}, "icon"),
    ({"color": "#fff"}, "color"),
    ({"color": "red"}, "color"),
    ({"category": "x" * 41}, "category"),
    ({"xp_reward": 1.5}, "xp_reward"),
    ({"xp_reward": "10"}, "xp_reward"),
    ({"xp_reward": None}, "xp_reward"),
    ({"coin_reward": True}, "coin_reward"),
    ({"skill_key": "juggling"}, "skill_key"),
    ({"reminder_time": "24:00"}, "reminder_time"),
    ({"reminder_time": "6:30"}, "reminder_time"),
    ({"reminder_time": "06:30\n"}, "reminder_time"),
]


@pytest.mark.parametrize(("body", "field"), BAD_INPUT)
def test_bad_input_is_named(user: User, body: dict[str, object], field: str) -> None:
    user.post("/habits", {"name": "Read", **body}).invalid(field)
    assert user.get("/habits").data == {"habits": []}
    habit = factories.habit(user)
    user.patch(f"/habits/{habit['id']}", body).invalid(field)
    assert user.get(f"/habits/{habit['id']}").data == habit


def test_a_name_is_needed(user: User) -> None:
    user.post("/habits").invalid("name")


def test_changes_keep_what_is_absent_and_clear_what_is_null(user: User) -> None:
    habit = factories.habit(user, description="daily", color="#000000", custom_days=[1])
    path = f"/habits/{habit['id']}"
    changed = user.patch(path, {"name": "Read more", "color": None, "skill_key": "knowledge"}).data
    said = {"name": "Read more", "color": None, "skill_key": "knowledge", "updated_at": changed["updated_at"]}
    assert changed == habit | said
    ignored = {
        "current_streak": 99,
        "is_active": False,
        "user_id": str(uuid4()),
        "sort_order": 7,
        "created_on": "2001-01-01",
    }
    assert user.patch(path, ignored).data == changed | {"updated_at": user.get(path).data["updated_at"]}
    assert user.patch(path, {"custom_days": None}).data["custom_days"] == DAILY
    assert user.patch(path, {}).data["name"] == "Read more"


def test_a_target_must_fit_the_frequency_it_meets(user: User) -> None:
    habit = factories.habit(user, target_count=8)
    path = f"/habits/{habit['id']}"
    user.patch(path, {"frequency": "weekly"}).invalid("target_count")
    assert user.patch(path, {"frequency": "weekly", "target_count": 7}).data["target_count"] == 7
    user.patch(path, {"target_count": 8}).invalid("target_count")


def test_lists_in_their_order(user: User) -> None:
    ids = [factories.habit(user, name=name)["id"] for name in "abc"]
    listed = user.get("/habits").data["habits"]
    assert [(habit["id"], habit["sort_order"]) for habit in listed] == [(ids[0], 1), (ids[1], 2), (ids[2], 3)]
    wanted = [ids[2], ids[0], ids[1]]
    ordered = user.put("/habits/order", {"ids": wanted}).data["habits"]
    assert [habit["id"] for habit in ordered] == wanted
    assert user.get("/habits").data["habits"] == ordered


def test_an_order_names_every_active_habit_once(user: User, other: User) -> None:
    a, b, archived = (factories.habit(user, name=name)["id"] for name in "abc")
    user.post(f"/habits/{archived}/archive")
    foreign = factories.habit(other)["id"]
    before = user.get("/habits").data
    for ids in ([a], [a, b, b], [a, a], [a, b, archived], [a, foreign], [a, b, foreign], [], [a, str(uuid4())]):
        user.put("/habits/order", {"ids": ids}).invalid("ids")
    user.put("/habits/order", {"ids": [a, "b"]}).invalid("ids.1")
    user.put("/habits/order", {}).invalid("ids")
    user.put("/habits/order", {"ids": None}).invalid("ids")
    assert user.get("/habits").data == before
    assert user.put("/habits/order", {"ids": [b, a]}).status == 200


def test_archived_habits_are_listed_apart(user: User) -> None:
    kept, gone = factories.habit(user, name="kept"), factories.habit(user, name="gone")
    archived = user.post(f"/habits/{gone['id']}/archive").data
    assert (archived["is_active"], archived["due_today"]) == (False, False)
    assert user.post(f"/habits/{gone['id']}/archive").data == archived
    assert user.get("/habits").data["habits"] == [kept]
    assert user.get("/habits", query={"archived": "false"}).data["habits"] == [kept]
    assert user.get("/habits", query={"archived": "true"}).data["habits"] == [archived]
    user.get("/habits", query={"archived": "yes"}).invalid("archived")


def test_the_lists_have_pages(user: User, database: Database) -> None:
    first, second, third = (factories.habit(user, name=name)["id"] for name in ("First", "Second", "Third"))
    assert user.put("/habits/order", {"ids": [third, first, second]}).status == 200
    for name in ("x", "y", "z"):
        assert user.post(f"/habits/{factories.habit(user, name=name)['id']}/archive").status == 200
    database.query("UPDATE habits SET sort_order = 4 WHERE user_id = %s AND NOT is_active", user.id)
    has_pages(user, "/habits", "habits")
    has_pages(user, "/habits", "habits", archived="true")


def test_restoring_brings_the_history_back(user: User, later: Later) -> None:
    habit = factories.habit(user)
    path = f"/habits/{habit['id']}"
    user.post(f"{path}/complete", {"notes": "first"})
    later(user, 1)
    before = user.get(path).data
    history = user.get(f"{path}/history").data
    user.post(f"{path}/archive")
    restored = user.post(f"{path}/restore").data
    assert restored == before | {"updated_at": restored["updated_at"]}
    assert restored["current_streak"] == 1
    assert user.get(f"{path}/history").data == history
    assert user.post(f"{path}/restore").data == restored
    assert user.post(f"{path}/complete").data["new_streak"] == 2


def test_two_hundred_are_enough(user: User, database: Database) -> None:
    database.query(
        "INSERT INTO habits (user_id, name, sort_order, created_on)"
        " SELECT %s, 'h' || n, n, current_date FROM generate_series(1, 199) AS n",
        user.id,
    )
    archived = factories.habit(user)["id"]
    user.post(f"/habits/{archived}/archive")
    answers = at_once(5, lambda: user.post("/habits", {"name": "one more"}))
    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409, 409]
    assert user.post("/habits", {"name": "x"}).refused(409, "limit_reached") == {"limit": 200}
    assert user.post(f"/habits/{archived}/restore").refused(409, "limit_reached") == {"limit": 200}
    listed = user.get("/habits").data["habits"]
    assert len(listed) == 200
    user.delete(f"/habits/{listed[0]['id']}")
    assert user.post(f"/habits/{archived}/restore").data["is_active"] is True


def test_deleting_takes_the_history_but_not_what_was_paid(user: User, database: Database) -> None:
    habit = factories.habit(user)["id"]
    user.post(f"/habits/{habit}/complete")
    rows = "SELECT id, xp, coins FROM points_ledger WHERE user_id = %s ORDER BY seq"
    paid = database.query(rows, user.id)
    assert user.delete(f"/habits/{habit}").data == {"success": True, "id": habit}
    assert database.query(rows, user.id) == paid
    assert database.query("SELECT id FROM habit_completions WHERE user_id = %s", user.id) == []
    user.get(f"/habits/{habit}").refused(404, "not_found")
    user.delete(f"/habits/{habit}").refused(404, "not_found")


def test_a_replay_adds_nothing(user: User) -> None:
    key = {"Idempotency-Key": "add-once"}
    first = user.post("/habits", {"name": "Read"}, headers=key)
    again = user.post("/habits", {"name": "Read"}, headers=key)
    assert again.json == first.json
    assert len(user.get("/habits").data["habits"]) == 1


def test_someone_elses_is_absent_on_every_verb(user: User, other: User, stranger: Client) -> None:
    habit = factories.habit(user)
    user.post(f"/habits/{habit['id']}/complete")
    path = f"/habits/{habit['id']}"
    before = user.get(path).data
    for client, status, error in ((other, 404, "not_found"), (stranger, 401, "unauthorized")):
        client.get(path).refused(status, error)
        client.patch(path, {"name": "mine"}).refused(status, error)
        client.patch(path, {"target_count": 9, "frequency": "weekly"}).refused(status, error)
        client.delete(path).refused(status, error)
        client.get(f"{path}/history").refused(status, error)
        for verb in ("archive", "restore", "complete", "skip"):
            client.post(f"{path}/{verb}").refused(status, error)
        client.delete(f"{path}/complete").refused(status, error)
        client.delete(f"{path}/skip").refused(status, error)
    stranger.get("/habits").refused(401, "unauthorized")
    stranger.put("/habits/order", {"ids": []}).refused(401, "unauthorized")
    assert user.get(path).data == before
    assert other.get("/habits").data == {"habits": []}
    for unknown in (uuid4(), "not-a-uuid"):
        user.get(f"/habits/{unknown}").refused(404, "not_found")
