"""Promotion: an idea becomes a quest, an entry or a task, once."""

from typing import Any

import pytest

from tests.conftest import User, at_once
from tests.ideas.conftest import added, changed, promote


@pytest.fixture(autouse=True)
def _noon(noon: None) -> None:
    """A day's plan is today's: each test begins at noon."""


def quests(user: User) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = user.get("/quests", query={"kind": "user"}).data["quests"]
    return found


def entries(user: User, **query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = user.get("/infobase", query=query).data["entries"]
    return found


def tasks(user: User) -> list[dict[str, Any]]:
    plan = user.get("/daily-plan").json["plan"]
    found: list[dict[str, Any]] = plan["items"] if plan else []
    return found


def test_a_quest(user: User) -> None:
    idea = added(user, content="Only bells.", tags=["bells"], category="song", key="C", bpm=90)
    data = promote(user, idea, "quest").data
    [quest] = quests(user)
    assert data["target"] == {"type": "quest", "id": quest["id"]}
    assert data["idea"] == user.get(f"/ideas/{idea['id']}").data
    assert data["idea"]["promoted_to"] == [data["target"]]
    assert {**data["idea"], "promoted_to": [], "updated_at": idea["updated_at"]} == idea
    assert (quest["title"], quest["description"]) == ("A bridge in 7/8", "Only bells.")
    assert (quest["category"], quest["difficulty"], quest["status"]) == ("ideas", "starter", "available")


def test_an_entry(user: User) -> None:
    idea = added(user, content="  Only *bells*.\n", tags=["bells", "7/8"], category="song")
    data = promote(user, idea, "infobase").data
    [entry] = entries(user, search="bells")
    assert data["target"] == {"type": "infobase", "id": entry["id"]}
    assert (entry["title"], entry["content"]) == ("A bridge in 7/8", "  Only *bells*.\n")
    assert (entry["category"], entry["tags"], entry["version"]) == ("song", ["bells", "7/8"], 1)


def test_a_task_of_todays_plan(user: User) -> None:
    idea = added(user, content="Only bells.")
    data = promote(user, idea, "plan").data
    [task] = tasks(user)
    assert data["target"] == {"type": "plan", "id": task["id"]}
    assert (task["title"], task["description"], task["completed"]) == ("A bridge in 7/8", "Only bells.", False)


def test_without_content(user: User) -> None:
    idea = added(user)
    for to in ("quest", "infobase", "plan"):
        assert promote(user, idea, to).status == 200
    assert (quests(user)[0]["description"], entries(user)[0]["content"]) == (None, "")
    assert "description" not in tasks(user)[0]


def test_an_idea_may_become_one_of_each(user: User) -> None:
    idea = added(user)
    targets = [promote(user, idea, to).data["target"] for to in ("quest", "infobase", "plan")]
    shown = user.get(f"/ideas/{idea['id']}").data["promoted_to"]
    assert sorted(shown, key=str) == sorted(targets, key=str)


@pytest.mark.parametrize("to", ["quest", "infobase", "plan"])
def test_again_is_the_same_target(user: User, to: str) -> None:
    idea = added(user)
    first = promote(user, idea, to).data
    assert promote(user, idea, to).data == first
    assert len(quests(user)) + len(entries(user)) + len(tasks(user)) == 1


@pytest.mark.parametrize("to", ["quest", "infobase", "plan"])
def test_two_at_once_make_one(user: User, to: str) -> None:
    idea = added(user)
    answers = at_once(4, lambda: promote(user, idea, to))
    assert len({answer.data["target"]["id"] for answer in answers}) == 1
    assert len(quests(user)) + len(entries(user)) + len(tasks(user)) == 1


def test_what_was_deleted_for_good_is_made_anew(user: User) -> None:
    idea = added(user)
    made = {to: promote(user, idea, to).data["target"]["id"] for to in ("quest", "infobase", "plan")}
    user.delete(f"/quests/{made['quest']}")
    user.delete(f"/infobase/{made['infobase']}")
    user.delete(f"/daily-plan/tasks/{made['plan']}")
    assert promote(user, idea, "infobase").data["target"]["id"] == made["infobase"], "it is in the trash"
    user.delete(f"/infobase/{made['infobase']}", query={"permanent": "true"})
    again = {to: promote(user, idea, to).data["target"]["id"] for to in ("quest", "infobase", "plan")}
    assert not set(again.values()) & set(made.values())
    assert len(user.get(f"/ideas/{idea['id']}").data["promoted_to"]) == 3
    assert [len(quests(user)), len(entries(user)), len(tasks(user))] == [1, 1, 1]


def test_what_is_over_the_limit_of_the_target_is_cut(user: User) -> None:
    idea = added(user, content="x" * 20_000)
    for to in ("quest", "infobase", "plan"):
        promote(user, idea, to)
    assert quests(user)[0]["description"] == "x" * 4_999 + "…"
    assert tasks(user)[0]["description"] == "x" * 1_999 + "…"
    assert entries(user)[0]["content"] == "x" * 20_000
    assert user.get(f"/ideas/{idea['id']}").data["content"] == "x" * 20_000


def test_a_changed_idea_leaves_its_targets(user: User) -> None:
    idea = added(user)
    target = promote(user, idea, "quest").data["target"]
    changed(user, idea, title="Another")
    assert promote(user, idea, "quest").data["target"] == target
    assert quests(user)[0]["title"] == "A bridge in 7/8"
    user.delete(f"/ideas/{idea['id']}")
    assert len(quests(user)) == 1


@pytest.mark.parametrize("body", [{}, {"to": "calendar"}, {"to": "idea"}, {"to": None}, {"to": ["quest"]}])
def test_other_targets_are_refused(user: User, body: dict[str, Any]) -> None:
    user.post(f"/ideas/{added(user)['id']}/promote", body).invalid("to")


def test_a_full_plan_is_refused_and_nothing_is_noted(user: User) -> None:
    idea = added(user)
    for n in range(50):
        user.post("/daily-plan/tasks", {"title": f"T{n}"})
    promote(user, idea, "plan").invalid("to")
    assert user.get(f"/ideas/{idea['id']}").data == idea


def test_a_replay(user: User) -> None:
    idea = added(user)
    at = f"/ideas/{idea['id']}/promote"
    first, second = (user.post(at, {"to": "quest"}, headers={"idempotency-key": "k"}) for _ in range(2))
    assert first.data == second.data
    assert len(quests(user)) == 1
