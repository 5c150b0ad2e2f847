"""Whatever was done to a plan, generating keeps what is the user's, and doing it again changes nothing."""

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import NewUser, User
from tests.daily_plan.conftest import generated, ids, plan_of, shown, ticked, written
from tests.support.factories import habit, quest

VERBS = ["generate", "tick", "untick", "edit", "delete", "add", "reorder", "rewrite", "due", "done", "over"]


def act(user: User, verb: str, chance: random.Random) -> None:
    """Do one thing to the plan, or to what it is made from."""
    plan = shown(user)
    item = chance.choice(plan["items"] or [None])
    habits = user.get("/habits").data["habits"]
    if verb == "generate":
        generated(user)
    elif verb == "add":
        user.post("/daily-plan/tasks", {"title": "Water the plants", "priority": chance.randrange(500)})
    elif verb == "reorder":
        order = ids(plan)
        chance.shuffle(order)
        plan_of(user.post("/daily-plan/reorder", {"item_ids": order}))
    elif verb == "rewrite":
        kept = [i for i in plan["items"] if chance.random() < 0.8]
        written(user, *kept)
    elif verb == "due":
        habit(user)
    elif verb == "done" and habits:
        user.post(f"/habits/{chance.choice(habits)['id']}/complete")
    elif verb == "over" and habits:
        user.post(f"/habits/{chance.choice(habits)['id']}/archive")
    elif item is not None:
        touch(user, verb, item)


def touch(user: User, verb: str, item: dict[str, Any]) -> None:
    path = f"/daily-plan/tasks/{item['id']}"
    if verb in ("tick", "untick"):
        ticked(user, item["id"], completed=verb == "tick")
    elif verb == "edit":
        plan_of(user.patch(path, {"title": "My own words"}))
    elif verb == "delete":
        plan_of(user.delete(path))


@settings(max_examples=30)
@given(verbs=st.lists(st.sampled_from(VERBS), max_size=12), chance=st.randoms(use_true_random=False))
def test_generating_merges(new_user: NewUser, verbs: list[str], chance: random.Random) -> None:
    user = new_user()
    habit(user)
    quest(user, accepted=True)
    generated(user)
    for verb in verbs:
        act(user, verb, chance)
    before = {item["id"]: item for item in shown(user)["items"]}
    first, second = generated(user), generated(user)
    assert {**second, "version": 0, "updated_at": ""} == {**first, "version": 0, "updated_at": ""}
    assert second["version"] == first["version"] + 1
    assert shown(user) == second
    after = {item["id"]: item for item in first["items"]}
    assert len(after) == first["total_count"] == len(first["items"])
    assert first["completed_count"] == sum(item["completed"] for item in first["items"])
    order = [item["priority"] for item in first["items"]]
    assert order == sorted(order)
    for item_id, item in before.items():
        if item["completed"] or item["title"] == "My own words" or item_id.startswith("task_"):
            assert after[item_id] == item
        elif item_id in after:
            assert after[item_id]["priority"] == item["priority"]
    # What stayed, stayed in its order.
    assert [item_id for item_id in after if item_id in before] == [item_id for item_id in before if item_id in after]
