from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import Client, Database, User, at_once
from tests.daily_plan.conftest import generated, ids, plan_of, shown, ticked, written
from tests.support.clock import ahead
from tests.support.factories import habit
from tests.support.ledger import wallet


def test_items_in_an_answer_are_in_order(user: User) -> None:
    plan = written(
        user,
        {"id": "b", "title": "B", "priority": 2},
        {"id": "a", "title": "A", "priority": 1, "type": "learning", "description": "  Slowly  ", "duration": 30},
        {"id": "c", "title": " C ", "priority": 2, "action_url": "/quests/42", "completed": True},
        {"id": "d", "title": "D"},
    )
    assert plan["items"] == [
        {
            "id": "a",
            "type": "learning",
            "title": "A",
            "description": "Slowly",
            "duration": 30,
            "action_url": "/learn",
            "completed": False,
            "priority": 1,
        },
        {"id": "b", "type": "focus", "title": "B", "action_url": "/focus", "completed": False, "priority": 2},
        {"id": "c", "type": "focus", "title": "C", "action_url": "/quests/42", "completed": True, "priority": 2},
        {"id": "d", "type": "focus", "title": "D", "action_url": "/focus", "completed": False, "priority": 300},
    ]
    assert (plan["completed_count"], plan["total_count"], plan["version"]) == (1, 4, 1)


def test_absent_keeps_and_null_clears(user: User) -> None:
    plan = written(user, {"id": "a", "title": "A"}, notes=" by noon ")
    assert plan["notes"] == "by noon"
    kept = plan_of(user.post("/daily-plan", {"action": "update"}))
    assert (kept["items"], kept["notes"], kept["version"]) == (plan["items"], "by noon", 2)
    cleared = plan_of(user.post("/daily-plan", {"action": "update", "notes": None}))
    assert (cleared["items"], cleared["notes"]) == (plan["items"], None)
    emptied = plan_of(user.post("/daily-plan", {"action": "update", "items": [], "notes": "free"}))
    assert (emptied["items"], emptied["total_count"], emptied["notes"]) == ([], 0, "free")
    assert emptied["id"] == plan["id"]
    assert plan_of(user.post("/daily-plan", {"action": "update", "notes": "  "}))["notes"] is None


def test_a_version_that_is_not_the_plans_is_a_conflict(user: User) -> None:
    user.post("/daily-plan", {"action": "update", "items": [], "version": 1}).refused(409, "conflict")
    assert user.get("/daily-plan").json == {"plan": None}
    written(user, {"id": "a", "title": "A"})
    changed = written(user, {"id": "b", "title": "B"}, version=1)
    details = user.post("/daily-plan", {"action": "update", "items": [], "version": 1}).refused(409, "conflict")
    assert details == {"version": 2}
    assert shown(user) == changed


def test_of_two_with_the_same_version_one_is_refused(user: User) -> None:
    written(user)
    answers = at_once(6, lambda: user.post("/daily-plan", {"action": "update", "notes": "mine", "version": 1}).status)
    assert sorted(answers) == [200, 409, 409, 409, 409, 409]
    assert shown(user)["version"] == 2


def test_what_comes_back_as_it_was_is_not_edited(user: User) -> None:
    """A client may read a plan, add to it and send it whole."""
    stretch, read = habit(user, "Stretch")["id"], habit(user, "Read")["id"]
    plan = generated(user)
    user.post(f"/habits/{stretch}/complete")
    items = shown(user)["items"]
    items[2] = {**items[2], "title": "Read in the garden"}
    assert written(user, *items, version=plan["version"])["completed_count"] == 1
    # Sent back as completed, but by its source: undone there, undone here.
    user.delete(f"/habits/{stretch}/complete")
    assert shown(user)["completed_count"] == 0
    for habit_id in (stretch, read):
        user.post(f"/habits/{habit_id}/archive")
    kept = ids(generated(user))
    assert (f"plan_habit_{stretch}" in kept, f"plan_habit_{read}" in kept) == (False, True)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"action": None}, "action"),
        ({"action": "destroy"}, "action"),
        ({"action": ""}, "action"),
        ({"date": "2031-02-30"}, "date"),
        ({"date": "soon"}, "date"),
        ({"date": 5}, "date"),
        ({"notes": "x" * 5001}, "notes"),
        ({"notes": 7}, "notes"),
        ({"version": "1"}, "version"),
        ({"version": 0}, "version"),
        ({"items": None}, "items"),
        ({"items": {}}, "items"),
        ({"items": [{"id": str(n), "title": "x"} for n in range(51)]}, "items"),
        ({"items": [{"id": "a", "title": "x"}, {"id": " a ", "title": "y"}]}, "items"),
        ({"items": [{"title": "x"}]}, "items.0.id"),
        ({"items": [{"id": "", "title": "x"}]}, "items.0.id"),
        ({"items": [{"id": "x" * 81, "title": "x"}]}, "items.0.id"),
        ({"items": [{"id": "a"}]}, "items.0.title"),
        ({"items": [{"id": "a", "title": " "}]}, "items.0.title"),
        ({"items": [{"id": "a", "title": "x" * 201}]}, "items.0.title"),
        ({"items": [{"id": "a", "title": "x", "description": "x" * 2001}]}, "items.0.description"),
        ({"items": [{"id": "a", "title": "x", "duration": 0}]}, "items.0.duration"),
        ({"items": [{"id": "a", "title": "x", "duration": 1441}]}, "items.0.duration"),
        ({"items": [{"id": "a", "title": "x", "priority": -1}]}, "items.0.priority"),
        ({"items": [{"id": "a", "title": "x", "priority": 1001}]}, "items.0.priority"),
        ({"items": [{"id": "a", "title": "x", "type": "nap"}]}, "items.0.type"),
        ({"items": [{"id": "a", "title": "x", "completed": "yes"}]}, "items.0.completed"),
    ],
)
def test_bad_input_is_named(user: User, fields: dict[str, Any], field: str) -> None:
    user.post("/daily-plan", {"action": "update", **fields}).invalid(field)
    assert user.get("/daily-plan").json == {"plan": None}


@pytest.mark.parametrize(
    "url",
    [
        "https://questlog.test/focus",
        "//evil.test",
        "/focus/deep",
        "/settings",
        "/quests/",
        "/quests//a",
        "/quests/..",
        "/quests/a?b=c",
        "/quests/a#b",
        "/questsx",
        "/learn/ä",
        "/hub\n",
        "javascript:alert(1)",
        "quests",
        "",
    ],
)
def test_an_address_outside_the_app_is_refused(user: User, url: str) -> None:
    items = [{"id": "a", "title": "x", "action_url": url + "\u200b" if url == "/hub\n" else url}]
    user.post("/daily-plan", {"action": "update", "items": items}).invalid("items.0.action_url")
    user.post("/daily-plan/tasks", {"title": "x", "action_url": items[0]["action_url"]}).invalid("action_url")


def test_addresses_in_the_app(user: User) -> None:
    for url in ("/focus", "/quests", "/exercise/a-b_C/9", "/learn", "/habits/1", "/planner", "/goals/x", "/hub"):
        assert user.post("/daily-plan/tasks", {"title": "x", "action_url": url}).json["task"]["action_url"] == url


def test_ticks(user: User, database: Database) -> None:
    written(user, {"id": "a", "title": "A"}, {"id": "b", "title": "B"})
    before = wallet(database, user)
    first = ticked(user, "a")
    assert [item["completed"] for item in first["items"]] == [True, False]
    assert (first["completed_count"], first["version"]) == (1, 2)
    again = ticked(user, "a")
    assert (again["items"], again["version"]) == (first["items"], 3)
    unticked = ticked(user, "a", completed=False)
    assert unticked["completed_count"] == 0
    assert wallet(database, user) == before, "a tick pays nothing"


def test_a_tick_without_its_item_is_404(user: User, other: User) -> None:
    body = {"action": "complete_item", "item_id": "a"}
    user.post("/daily-plan", body).refused(404, "not_found")
    written(user, {"id": "a", "title": "A"})
    user.post("/daily-plan", {**body, "item_id": "b"}).refused(404, "not_found")
    user.post("/daily-plan", {**body, "date": ahead(1)}).refused(404, "not_found")
    other.post("/daily-plan", body).refused(404, "not_found")
    user.post("/daily-plan", {"action": "complete_item"}).invalid("item_id")
    user.post("/daily-plan", {**body, "completed": None}).invalid("completed")
    assert shown(user)["version"] == 1


def test_eight_ticks_at_once_leave_eight_ticked(user: User) -> None:
    names = [f"item {n}" for n in range(8)]
    written(user, *({"id": name, "title": name} for name in names))
    waiting = iter(names)
    at_once(8, lambda: ticked(user, next(waiting)))
    plan = shown(user)
    assert (plan["completed_count"], plan["version"]) == (8, 9)


def test_a_source_cannot_be_unticked_here(user: User) -> None:
    item = f"plan_habit_{habit(user)['id']}"
    generated(user)
    user.post(f"/habits/{item.removeprefix('plan_habit_')}/complete")
    assert ticked(user, item, completed=False)["completed_count"] == 1


@pytest.mark.parametrize(
    "item_id",
    [
        "plan_habit_",
        "plan_habit_x",
        "plan_quest_'",
        "plan_habit_00000000-0000-4000-8000-000000000000",
        "plan_workout_x",
        "plan_x",
    ],
)
def test_an_id_that_only_looks_generated_is_harmless(user: User, item_id: str) -> None:
    plan = written(user, {"id": item_id, "title": "x"})
    assert plan["completed_count"] == 0
    assert ticked(user, item_id)["completed_count"] == 1
    assert item_id in ids(generated(user)), "written by hand, so it stays"


def test_polling(user: User) -> None:
    stretch = habit(user)["id"]
    generated(user)
    first = user.get("/daily-plan")
    assert first.headers["cache-control"] == "private, no-cache"
    same = user.get("/daily-plan", headers={"If-None-Match": first.headers["etag"]})
    assert (same.status, same.text) == (304, "")
    user.post(f"/habits/{stretch}/complete")
    assert user.get("/daily-plan", headers={"If-None-Match": first.headers["etag"]}).status == 200


def test_a_replay_writes_once(user: User) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    first = user.post("/daily-plan/tasks", {"title": "once"}, headers=key)
    again = user.post("/daily-plan/tasks", {"title": "once"}, headers=key)
    assert again.json == first.json
    assert shown(user)["total_count"] == 1


def test_plans_are_private(user: User, other: User, stranger: Client) -> None:
    written(user, {"id": "a", "title": "A"})
    assert other.get("/daily-plan").json == {"plan": None}
    for method, path in (("GET", ""), ("POST", ""), ("POST", "/tasks"), ("PATCH", "/tasks/a"), ("DELETE", "/tasks/a")):
        stranger.request(method, f"/daily-plan{path}").refused(401, "unauthorized")
    for method in ("PATCH", "PUT", "DELETE"):
        other.request(method, "/daily-plan/tasks/a", body={"title": "mine"}).refused(404, "not_found")
    assert shown(user)["version"] == 1


def test_bad_dates_are_named(user: User) -> None:
    for value in ("yesterday", "2031-02-30", "20310509", "1900000000", "9999-12-31", "0001-01-01"):
        user.get("/daily-plan", query={"date": value}).invalid("date")
    assert user.get("/daily-plan", query={"date": "2031-05-09T12:00:00Z"}).json == {"plan": None}
    assert user.get("/daily-plan", query={"date": "2199-12-31"}).json == {"plan": None}
    assert written(user, date="2199-12-31")["date"] == "2199-12-31"
    assert shown(user, date="2199-12-31")["total_count"] == 0
    assert written(user, {"id": "plan_focus", "title": "x"}, date="1600-01-01")["completed_count"] == 0
