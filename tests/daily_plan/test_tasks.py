from typing import Any

import pytest

from tests.conftest import Database, User, at_once
from tests.daily_plan.conftest import generated, ids, plan_of, shown, ticked, written
from tests.support.clock import ahead
from tests.support.factories import habit


def added(user: User, title: str = "Water the plants", **fields: Any) -> dict[str, Any]:
    """A task just added."""
    answer = user.post("/daily-plan/tasks", {"title": title, **fields})
    assert answer.status == 200, answer.text
    task: dict[str, Any] = answer.json["task"]
    return task


def test_a_task_makes_its_plan(user: User) -> None:
    answer = user.post("/daily-plan/tasks", {"title": " Water the plants "}).json
    task = answer["task"]
    assert task.pop("id").startswith("task_")
    assert task == {
        "type": "focus",
        "title": "Water the plants",
        "action_url": "/focus",
        "completed": False,
        "priority": 300,
    }
    assert (answer["plan"]["total_count"], answer["plan"]["version"], answer["plan"]["date"]) == (1, 1, ahead(0))
    assert shown(user) == answer["plan"]


def test_a_task_with_everything(user: User) -> None:
    task = added(
        user,
        priority="low",
        estimated_minutes=20,
        type="workout",
        description=" a ",
        action_url="/goals",
        date=ahead(3),
    )
    assert task.pop("id")
    assert task == {
        "type": "workout",
        "title": "Water the plants",
        "description": "a",
        "duration": 20,
        "action_url": "/goals",
        "completed": False,
        "priority": 400,
    }
    assert shown(user, date=ahead(3))["total_count"] == 1


@pytest.mark.parametrize(("sent", "kept"), [("high", 50), ("medium", 300), ("low", 400), (0, 0), (1000, 1000)])
def test_priorities_are_words_or_numbers(user: User, sent: str | int, kept: int) -> None:
    task = added(user, priority=sent)
    assert task["priority"] == kept
    assert plan_of(user.patch(f"/daily-plan/tasks/{task['id']}", {"priority": sent}))["items"][0]["priority"] == kept


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "title"),
        ({"title": " "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": "x", "priority": "urgent"}, "priority"),
        ({"title": "x", "priority": "300"}, "priority"),
        ({"title": "x", "priority": 1001}, "priority"),
        ({"title": "x", "priority": None}, "priority"),
        ({"title": "x", "estimated_minutes": 0}, "estimated_minutes"),
        ({"title": "x", "estimated_minutes": 1441}, "estimated_minutes"),
        ({"title": "x", "type": "task"}, "type"),
        ({"title": "x", "description": "x" * 2001}, "description"),
        ({"title": "x", "date": "2031-13-01"}, "date"),
    ],
)
def test_bad_tasks_are_named(user: User, body: dict[str, Any], field: str) -> None:
    user.post("/daily-plan/tasks", body).invalid(field)
    assert user.get("/daily-plan").json == {"plan": None}


def test_tasks_added_at_once_all_stay(user: User) -> None:
    at_once(6, lambda: added(user))
    plan = shown(user)
    assert (plan["total_count"], plan["version"], len(set(ids(plan)))) == (6, 6, 6)


def test_the_51st_item_is_refused(user: User) -> None:
    full = written(user, *({"id": str(n), "title": "x"} for n in range(50)))
    user.post("/daily-plan/tasks", {"title": "one more"}).invalid("date")
    assert shown(user) == full


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_changes(user: User, method: str) -> None:
    task = added(user, description="a", estimated_minutes=5, type="habit")
    path = f"/daily-plan/tasks/{task['id']}"
    plan = plan_of(user.request(method, path, body={"title": "Feed the cat", "duration": 10, "type": "quest"}))
    assert plan["items"] == [{**task, "title": "Feed the cat", "duration": 10, "type": "quest"}]
    assert plan["version"] == 2
    cleared = plan_of(user.request(method, path, body={"description": None, "duration": None, "action_url": None}))
    assert cleared["items"] == [
        {
            "id": task["id"],
            "type": "quest",
            "title": "Feed the cat",
            "action_url": "/quests",
            "completed": False,
            "priority": 300,
        }
    ]
    for field in ("title", "type", "priority"):
        user.request(method, path, body={field: None}).invalid(field)
    ignored = {"id": "other", "completed": True, "edited": False, "estimated_minutes": 9, "user_id": "x"}
    assert plan_of(user.request(method, path, body=ignored))["items"] == cleared["items"]


def test_tasks_of_another_day_are_named_by_body_or_query(user: User) -> None:
    task = added(user, date=ahead(2))
    path = f"/daily-plan/tasks/{task['id']}"
    user.patch(path, {"title": "x"}).refused(404, "not_found")
    user.delete(path).refused(404, "not_found")
    assert plan_of(user.patch(path, {"title": "x", "date": ahead(2)}))["date"] == ahead(2)
    assert plan_of(user.patch(path, {"title": "y"}, query={"date": ahead(2)}))["items"][0]["title"] == "y"
    assert plan_of(user.delete(path, query={"date": ahead(2)}))["items"] == []
    again = added(user, date=ahead(2))
    assert plan_of(user.delete(f"/daily-plan/tasks/{again['id']}", {"date": ahead(2)}))["items"] == []
    user.delete(path, query={"date": "x"}).invalid("date")


def test_deleting(user: User) -> None:
    first, second = added(user), added(user)
    plan = plan_of(user.delete(f"/daily-plan/tasks/{first['id']}"))
    assert (plan["items"], plan["version"]) == ([second], 3)
    user.delete(f"/daily-plan/tasks/{first['id']}").refused(404, "not_found")
    assert shown(user) == plan


def test_reordering(user: User) -> None:
    habit(user)
    generated(user)
    added(user, priority="high")
    added(user)
    order = ids(shown(user))
    order = order[3:] + order[:3]
    plan = plan_of(user.post("/daily-plan/reorder", {"item_ids": order}))
    assert ids(plan) == order == ids(shown(user))
    assert [item["priority"] for item in plan["items"]] == sorted(item["priority"] for item in plan["items"])
    version = plan["version"]
    for wrong in (order[1:], [*order, "x"], [*order[1:], "x"], []):
        user.post("/daily-plan/reorder", {"item_ids": wrong}).invalid("item_ids")
    user.post("/daily-plan/reorder", {"item_ids": [*order[1:], order[1]]}).invalid("item_ids")
    user.post("/daily-plan/reorder", {}).invalid("item_ids")
    user.post("/daily-plan/reorder", {"item_ids": order, "date": ahead(1)}).refused(404, "not_found")
    assert shown(user)["version"] == version


def test_rolling_over(user: User) -> None:
    written(user, {"id": "task_of_mine", "title": "x"}, {"id": "own", "title": "x"}, date=ahead(-1))
    generated(user, date=ahead(-1))
    open_task, done = added(user, "open", date=ahead(-1)), added(user, "done", date=ahead(-1))
    before = ticked(user, done["id"], date=ahead(-1))
    answer = user.post("/daily-plan/rollover").json
    assert answer["moved"] == 2
    assert (answer["plan"]["date"], answer["plan"]["version"]) == (ahead(0), 1)
    assert [item["id"] for item in answer["plan"]["items"]] == ["task_of_mine", open_task["id"]]
    left = shown(user, date=ahead(-1))
    assert ids(left) == [item for item in ids(before) if item not in ("task_of_mine", open_task["id"])]
    assert left["version"] == before["version"] + 1
    again = user.post("/daily-plan/rollover").json
    assert again == {"plan": answer["plan"], "moved": 0}
    assert shown(user, date=ahead(-1)) == left


def test_rolling_over_onto_a_plan(user: User) -> None:
    generated(user, date=ahead(5))
    task = added(user, date=ahead(3))
    answer = user.post("/daily-plan/rollover", {"from": ahead(3), "date": ahead(5)}).json
    assert (answer["moved"], answer["plan"]["version"]) == (1, 2)
    assert task in answer["plan"]["items"]
    assert shown(user, date=ahead(3))["items"] == []


def test_rolling_over_from_nothing_makes_a_plan(user: User) -> None:
    answer = user.post("/daily-plan/rollover").json
    assert (answer["moved"], answer["plan"]["items"], answer["plan"]["date"]) == (0, [], ahead(0))


def test_rolling_over_at_once_moves_once(user: User) -> None:
    task = added(user, date=ahead(-1))
    moved = at_once(5, lambda: user.post("/daily-plan/rollover").json["moved"])
    assert sorted(moved) == [0, 0, 0, 0, 1]
    assert ids(shown(user)) == [task["id"]]


def test_rolling_over_what_fits(user: User) -> None:
    added(user, date=ahead(-1))
    full = written(user, *({"id": str(n), "title": "x"} for n in range(50)))
    user.post("/daily-plan/rollover").invalid("date")
    assert (shown(user), shown(user, date=ahead(-1))["total_count"]) == (full, 1)


def test_rolling_over_backwards_is_refused(user: User) -> None:
    for body in ({"from": ahead(0)}, {"from": ahead(1)}, {"date": ahead(-1)}, {"from": ahead(4), "date": ahead(4)}):
        user.post("/daily-plan/rollover", body).invalid("from")
    user.post("/daily-plan/rollover", {"from": "x"}).invalid("from")
    assert user.get("/daily-plan").json == {"plan": None}


def test_a_range_that_would_be_too_large_is_of_fewer_days(user: User, database: Database) -> None:
    written(user, *({"id": str(n), "title": "x", "description": "x" * 2_000} for n in range(50)), date=ahead(0))
    database.query(
        "INSERT INTO daily_plans (user_id, date, items)"
        " SELECT user_id, date + n, items FROM daily_plans, generate_series(1, 59) AS n WHERE user_id = %s",
        user.id,
    )
    user.get("/daily-plan/range", query={"from": ahead(0), "to": ahead(59)}).invalid("to")
    assert len(user.get("/daily-plan/range", query={"from": ahead(0), "to": ahead(29)}).json["plans"]) == 30


def test_ranges(user: User, other: User) -> None:
    written(other, date=ahead(0))
    plans = [written(user, {"id": "a", "title": "A"}, date=ahead(days)) for days in (2, -1, 5)]
    listed = user.get("/daily-plan/range", query={"from": ahead(-1), "to": ahead(2)}).json
    assert listed == {"plans": [plans[1], plans[0]]}
    assert len(user.get("/daily-plan/range", query={"from": ahead(-1), "to": ahead(90)}).json["plans"]) == 3
    user.get("/daily-plan/range", query={"from": ahead(-1), "to": ahead(91)}).invalid("to")
    user.get("/daily-plan/range", query={"from": ahead(1), "to": ahead(0)}).invalid("to")
    user.get("/daily-plan/range", query={"from": ahead(1)}).invalid("to")
    user.get("/daily-plan/range").invalid("from", "to")
    user.get("/daily-plan/range", query={"from": "9999-12-01", "to": "9999-12-31"})
