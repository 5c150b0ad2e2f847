from typing import Any

import pytest

from local.clock import Clock
from tests.conftest import Database, NewUser, User, at_once
from tests.daily_plan.conftest import generated, ids, plan_of, shown, ticked, written
from tests.support import factories
from tests.support.clock import ahead
from tests.support.factories import habit, quest

CHANGES_WITH_EACH_WRITE = {"version", "updated_at"}


def lasting(plan: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in plan.items() if key not in CHANGES_WITH_EACH_WRITE}


def universal(user: User, key: str) -> str:
    """The id of a universal quest."""
    quests = user.get("/quests", query={"kind": "universal"}).data["quests"]
    return next(str(quest["id"]) for quest in quests if quest["key"] == key)


def test_without_a_plan_there_is_none(user: User) -> None:
    answer = user.get("/daily-plan")
    assert (answer.status, answer.json) == (200, {"plan": None})


def test_a_plan_in_full(user: User) -> None:
    first, second = habit(user, "Stretch")["id"], habit(user, "Read")["id"]
    errand = quest(user, "Call home", accepted=True)["id"]
    plan = generated(user)
    assert {key: plan[key] for key in plan if key not in ("id", "created_at", "updated_at")} == {
        "date": ahead(0),
        "items": [
            {
                "id": "plan_focus",
                "type": "focus",
                "title": "Focus block",
                "duration": 25,
                "action_url": "/focus",
                "completed": False,
                "priority": 100,
            },
            *(
                {
                    "id": f"plan_{kind}_{source}",
                    "type": kind,
                    "title": title,
                    "action_url": f"/{kind}s",
                    "completed": False,
                    "priority": priority,
                }
                for kind, source, title, priority in (
                    ("habit", first, "Stretch", 110),
                    ("habit", second, "Read", 120),
                    ("quest", errand, "Call home", 130),
                    ("quest", universal(user, "daily_focus"), "Twenty-five quiet minutes", 140),
                    ("quest", universal(user, "daily_habit"), "Keep one promise", 150),
                )
            ),
        ],
        "notes": None,
        "completed_count": 0,
        "total_count": 6,
        "version": 1,
    }
    assert shown(user) == plan


def test_generated_twice_is_the_same_plan(user: User) -> None:
    first_habit = habit(user)["id"]
    habit(user, "Read")
    quest(user, accepted=True)
    user.post("/daily-plan/tasks", {"title": "Water the plants", "priority": "high"})
    first = generated(user, date=ahead(1))
    user.post("/daily-plan/tasks", {"title": "Water the plants", "date": ahead(1)})
    before = ticked(user, f"plan_habit_{first_habit}", date=ahead(1))
    again = generated(user, date=ahead(1))
    assert lasting(again) == lasting(before)
    assert (first["version"], before["version"], again["version"]) == (1, 3, 4)
    assert lasting(generated(user, date=ahead(1))) == lasting(before)


def test_the_focus_block_lasts_as_set(new_user: NewUser) -> None:
    assert generated(new_user(settings={"focus_duration": 45}))["items"][0]["duration"] == 45


def test_no_more_than_five_habits_by_their_order(user: User) -> None:
    made = [habit(user, f"habit {n}")["id"] for n in range(7)]
    done = made[1]
    user.post(f"/habits/{done}/complete")
    user.post(f"/habits/{made[2]}/skip")
    user.put("/habits/order", {"ids": list(reversed(made))})
    plan = generated(user)
    assert [item["id"] for item in plan["items"] if item["type"] == "habit"] == [
        f"plan_habit_{made[n]}" for n in (6, 5, 4, 3, 0)
    ]


def test_habits_are_those_of_the_day(user: User, database: Database) -> None:
    tomorrow = habit(
        user,
        frequency="custom",
        custom_days=[4],  # a Thursday
    )["id"]
    assert f"plan_habit_{tomorrow}" not in ids(generated(user))
    assert f"plan_habit_{tomorrow}" in ids(generated(user, date=ahead(1)))


def test_own_quests_by_acceptance_then_daily_ones(user: User) -> None:
    late, early, done, unaccepted = (
        str(user.post("/quests", {"title": title, "category": "home"}).data["id"]) for title in "abcd"
    )
    for quest_id in (early, done, late):
        user.post(f"/quests/{quest_id}/accept")
    user.post(f"/quests/{done}/complete")
    planned = [item["id"] for item in generated(user)["items"] if item["type"] == "quest"]
    assert planned == [f"plan_quest_{quest_id}" for quest_id in (early, late, universal(user, "daily_focus"))]
    assert f"plan_quest_{unaccepted}" not in planned


def test_a_daily_quest_that_is_done_is_planned_for_tomorrow_only(user: User) -> None:
    daily = f"plan_quest_{universal(user, 'daily_habit')}"
    user.post(f"/habits/{habit(user)['id']}/complete")
    user.post(f"/quests/{universal(user, 'daily_habit')}/complete")
    assert daily not in ids(generated(user))
    assert daily in ids(generated(user, date=ahead(1)))


def test_reviews_that_are_due_make_a_learning_item(user: User, clock: Clock) -> None:
    user.post("/learn/lessons/plan_the_day/complete", {"quiz_score": 95})
    assert "plan_learning" not in ids(generated(user))
    clock.advance("P8D")
    item = generated(user)["items"][-1]
    assert (item["id"], item["type"], item["action_url"]) == ("plan_learning", "learning", "/learn")
    user.post("/learn/lessons/plan_the_day/complete", {"quiz_score": 95})
    assert "plan_learning" not in ids(generated(user))


def test_what_is_no_longer_due_goes_unless_completed_or_edited(user: User) -> None:
    made = {name: habit(user, name)["id"] for name in ("gone", "ticked", "edited", "done", "due")}
    item = {name: f"plan_habit_{habit_id}" for name, habit_id in made.items()}
    generated(user)
    ticked(user, item["ticked"])
    plan_of(user.patch(f"/daily-plan/tasks/{item['edited']}", {"title": "My own words"}))
    user.post(f"/habits/{made['done']}/complete")
    for name in ("gone", "ticked", "edited"):
        user.post(f"/habits/{made[name]}/archive")
    plan = generated(user)
    kept = {i["id"]: i for i in plan["items"] if i["type"] == "habit"}
    assert list(kept) == [item[name] for name in ("ticked", "edited", "done", "due")]
    assert kept[item["edited"]]["title"] == "My own words"
    assert [i["completed"] for i in kept.values()] == [True, False, True, False]


def test_merging_keeps_what_the_user_did(user: User) -> None:
    kept = f"plan_habit_{habit(user)['id']}"
    before = generated(user)
    task = user.post("/daily-plan/tasks", {"title": "Water the plants"}).json["task"]
    plan_of(user.patch("/daily-plan/tasks/plan_focus", {"title": "Thesis", "duration": 90, "priority": 7}))
    plan_of(user.post("/daily-plan", {"action": "update", "notes": "slowly"}))
    ticked(user, kept)
    renamed = kept.removeprefix("plan_habit_")
    user.patch(f"/habits/{renamed}", {"name": "Stretch well"})
    later = habit(user, "Read")["id"]
    plan = generated(user)
    items = {item["id"]: item for item in plan["items"]}
    assert plan["id"] == before["id"]
    assert plan["notes"] == "slowly"
    assert items[task["id"]] == task
    assert plan["items"][0] == {**before["items"][0], "title": "Thesis", "duration": 90, "priority": 7}
    # What nobody edited follows its source.
    assert (items[kept]["title"], items[kept]["completed"]) == ("Stretch well", True)
    assert items[f"plan_habit_{later}"]["priority"] == 120


def test_an_order_given_by_hand_survives(user: User) -> None:
    habit(user)
    quest(user, accepted=True)
    order = ids(generated(user))[::-1]
    plan_of(user.post("/daily-plan/reorder", {"item_ids": order}))
    assert ids(generated(user)) == order


def test_a_full_plan_takes_no_more(user: User) -> None:
    habit(user)
    written(user, *({"id": f"own {n}", "title": "x"} for n in range(49)))
    plan = generated(user)
    assert plan["total_count"] == 50
    assert "plan_focus" in ids(plan)


@pytest.mark.parametrize("days", [-31, 31])
def test_within_31_days(user: User, days: int) -> None:
    assert generated(user, date=ahead(days))["date"] == ahead(days)
    for action in (days + (1 if days > 0 else -1), days * 40):
        user.post("/daily-plan", {"action": "generate", "date": ahead(action)}).invalid("date")
    assert user.get("/daily-plan", query={"date": ahead(days + (1 if days > 0 else -1))}).json == {"plan": None}


def test_two_at_once_make_one_plan(user: User) -> None:
    habit(user)
    plans = at_once(5, lambda: generated(user))
    assert len({plan["id"] for plan in plans}) == 1
    assert {plan["version"] for plan in plans} == {1, 2, 3, 4, 5}
    assert ids(plans[0]) == ids(shown(user))


def test_the_day_is_the_users(new_user: NewUser, clock: Clock) -> None:
    user = new_user(settings={"timezone": "Pacific/Kiritimati", "day_start_hour": 6})
    assert generated(user)["date"] == ahead(0)  # it is two in the morning there, of the next day
    clock.advance("4 hours")
    assert generated(user)["date"] == ahead(1)


def test_completing_the_source_completes_the_item(user: User, clock: Clock) -> None:
    stretch = habit(user)["id"]
    errand = quest(user, accepted=True)["id"]
    generated(user)
    assert shown(user)["completed_count"] == 0
    user.post(f"/habits/{stretch}/complete")
    user.post(f"/quests/{errand}/complete")
    factories.focus_session(user, mode="break", duration_seconds=60)
    clock.advance("60 seconds")
    user.get("/focus/active")
    assert {item["id"] for item in shown(user)["items"] if item["completed"]} == {
        f"plan_habit_{stretch}",
        f"plan_quest_{errand}",
    }
    factories.focus_session(user)
    clock.advance("1600 seconds")
    # The tab is closed: reading the plan is what settles the timer.
    plan = shown(user)
    assert plan["items"][0]["completed"] is True
    assert plan["completed_count"] == 3
    user.delete(f"/habits/{stretch}/complete")
    user.post(f"/quests/{errand}/reopen")
    assert shown(user)["completed_count"] == 1


def test_a_source_done_on_another_day_completes_nothing(user: User, database: Database, clock: Clock) -> None:
    stretch, errand = habit(user)["id"], quest(user, accepted=True)["id"]
    for days in (-1, 1):
        generated(user, date=ahead(days))
    user.post(f"/habits/{stretch}/complete")
    user.post(f"/quests/{errand}/complete")
    session = factories.focus_session(user)
    clock.advance("1600 seconds")
    user.get("/focus/active")
    assert user.get(f"/focus/{session['id']}").data["status"] == "completed"
    for days in (-1, 1):
        assert shown(user, date=ahead(days))["completed_count"] == 0


def test_a_quest_claimed_late_is_not_done_today(user: User, clock: Clock) -> None:
    """Yesterday's period of a daily quest may be claimed today, and today's is still to be done."""
    path = f"/quests/{universal(user, 'daily_habit')}"
    stretch = habit(user)["id"]
    user.post(f"/habits/{stretch}/complete")
    clock.advance("P1D")
    item = f"plan_quest_{universal(user, 'daily_habit')}"
    generated(user)
    yesterday = user.get(path).data["unclaimed_period"]
    assert user.post(f"{path}/complete", {"period_key": yesterday}).data["xp_awarded"] == 25
    assert [i["completed"] for i in shown(user)["items"] if i["id"] == item] == [False]
    user.post(f"/habits/{stretch}/complete")
    assert user.post(f"{path}/complete").data["xp_awarded"] == 25
    assert [i["completed"] for i in shown(user)["items"] if i["id"] == item] == [True]


@pytest.mark.parametrize("frequency", ["daily", "weekly", "monthly"])
def test_a_quest_that_comes_back_is_done_on_the_day_it_was(user: User, clock: Clock, frequency: str) -> None:
    errand = quest(user, accepted=True, is_repeatable=True, repeat_frequency=frequency)["id"]
    generated(user)
    generated(user, date=ahead(1))
    user.post(f"/quests/{errand}/complete")

    def done(day: int) -> list[bool]:
        items = shown(user, date=ahead(day))["items"]
        return [item["completed"] for item in items if item["id"] == f"plan_quest_{errand}"]

    assert (done(0), done(1)) == ([True], [False])


def test_a_habit_due_several_times_is_done_with_the_last(user: User) -> None:
    twice = habit(user, target_count=2)["id"]
    generated(user)
    user.post(f"/habits/{twice}/complete")
    assert shown(user)["completed_count"] == 0
    user.post(f"/habits/{twice}/complete")
    assert shown(user)["completed_count"] == 1
