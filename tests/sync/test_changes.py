"""Versions and what is answered on them."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from local.clock import Clock
from tests.conftest import Database, User
from tests.daily_plan.conftest import generated, plan_of, ticked, written
from tests.inbox.conftest import notify
from tests.onboarding.conftest import answered, walk
from tests.support import factories
from tests.support.clock import ahead
from tests.support.factories import goal, habit, quest
from tests.sync.conftest import changes, document, poll, versions

DOMAINS = {"progress", "badges", "focus", "plan", "habits", "goals", "quests", "settings"}


@pytest.fixture
def settled(user: User) -> User:
    """A user with something in every domain."""
    habit(user)
    goal(user, "Float")
    quest(user, accepted=True)
    generated(user)
    factories.focus_session(user)
    user.put("/user/settings", {"theme": "dark"})
    return user


def test_state(user: User) -> None:
    state = document(user.get("/sync/state"))
    assert set(state) == {"versions", "server_time"}
    assert set(state["versions"]) == DOMAINS
    assert all(isinstance(version, str) for version in state["versions"].values())


def test_nothing_between_changes_nothing(settled: User, clock: Clock) -> None:
    first = versions(settled)
    assert versions(settled) == first
    assert document(settled.post("/sync/poll"))["versions"] == first
    assert changes(settled, first) == {}


def test_without_versions_everything_is_answered(settled: User) -> None:
    answer = document(settled.post("/sync/poll"))
    assert set(answer["updates"]) == DOMAINS
    assert set(answer) == {"updates", "versions", "server_time"}
    assert answer["server_time"].endswith("Z")


def test_data_is_what_the_routes_answer(settled: User) -> None:
    data = changes(settled)
    shown = poll(settled)
    for domain in ("progress", "badges", "plan"):
        assert data[domain] == shown[domain]
    assert data["focus"].keys() == shown["focus"].keys()
    assert data["focus"]["expires_at"] == shown["focus"]["expires_at"]
    assert data["habits"] == settled.get("/habits").data
    assert data["goals"] == settled.get("/goals").data
    quests = settled.get("/quests").data
    assert data["quests"] == {"quests": quests["quests"], "total": quests["total"]}
    assert data["settings"] == settled.get("/user/settings").data


def test_instants_are_told_by_name_and_no_title_is_taken_for_one(user: User) -> None:
    habit(user, "2031-05-09T08:00:00+00:00")
    assert changes(user)["habits"]["habits"][0]["name"] == "2031-05-09T08:00:00+00:00"


def test_quests_are_the_first_page(user: User, database: Database) -> None:
    database.query(
        "INSERT INTO quests (user_id, title, category, xp_reward, coin_reward)"
        " SELECT %s, 'quest ' || n, 'home', 0, 0 FROM generate_series(1, 120) AS n",
        user.id,
    )
    data = changes(user)["quests"]
    assert (len(data["quests"]), data["total"]) == (100, 129)
    assert data["quests"] == user.get("/quests").data["quests"]


def test_more_than_an_answer_holds_is_told_without_data(user: User, database: Database) -> None:
    """As many goals as there may be, with texts as long as they may be."""
    known = versions(user)
    database.query(
        "INSERT INTO goals (user_id, title, description)"
        " SELECT %s, 'g', repeat('語', 5000) FROM generate_series(1, 499)",
        user.id,
    )
    goal(user)
    user.post("/sync/poll", {"client_versions": known}).refused(413, "answer_too_large")
    assert changes(user, known, include_data=False) == {"goals": None}
    assert changes(user, known | {"goals": versions(user)["goals"]}) == {}
    size = user.get("/goals").refused(413, "answer_too_large")["page_size"]
    assert len(user.get("/goals", query={"page": 1, "page_size": size}).data["goals"]) == size


def test_without_data_only_what_changed_is_named(settled: User) -> None:
    known = versions(settled)
    assert changes(settled, include_data=False) == dict.fromkeys(DOMAINS)
    habit(settled)
    assert changes(settled, known, include_data=False) == {"habits": None, "badges": None}


def test_unknown_domains_are_ignored(user: User) -> None:
    known = versions(user)
    assert changes(user, {**known, "weather": "fair", "": "x"}) == {}
    assert set(changes(user, {**known, "plan": "stale"})) == {"plan"}
    del known["goals"]
    assert set(changes(user, known)) == {"goals"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"client_versions": {"habits": 1}}, "client_versions.habits"),
        ({"client_versions": {"habits": None}}, "client_versions.habits"),
        ({"client_versions": {"weather": True}}, "client_versions.weather"),
        ({"client_versions": []}, "client_versions"),
        ({"client_versions": "x"}, "client_versions"),
        ({"include_data": "true"}, "include_data"),
        ({"include_data": None}, "include_data"),
    ],
)
def test_bad_input_is_named(user: User, body: dict[str, Any], field: str) -> None:
    user.post("/sync/poll", body).invalid(field)


def test_changes_settle_the_timer(user: User, clock: Clock) -> None:
    factories.focus_session(user)
    known = versions(user)
    clock.advance("1600 seconds")
    updates = changes(user, known)
    assert updates["focus"]["has_active_session"] is False
    assert updates["progress"]["total_xp"] == 50
    assert {"focus", "progress", "quests"} <= set(updates)


def test_versions_are_the_users_own(user: User, other: User) -> None:
    known = versions(user)
    habit(other)
    goal(other)
    quest(other, accepted=True)
    generated(other)
    other.put("/user/settings", {"theme": "dark"})
    assert versions(user) == known


Change = Callable[[User], Any]


def each_change() -> dict[str, tuple[Change, Change, set[str]]]:
    """What changes: a stage, the change, and the domains it is seen in."""

    def first(user: User, path: str, key: str) -> dict[str, Any]:
        item: dict[str, Any] = user.get(path).data[key][0]
        return item

    def habit_path(user: User) -> str:
        return f"/habits/{first(user, '/habits', 'habits')['id']}"

    def quest_path(user: User) -> str:
        return f"/quests/{first(user, '/quests', 'quests')['id']}"

    def goal_path(user: User) -> str:
        return f"/goals/{first(user, '/goals', 'goals')['id']}"

    def step_path(user: User) -> str:
        return f"/goals/milestones/{first(user, '/goals', 'goals')['milestones'][0]['id']}"

    def nothing(_: User) -> None:
        pass

    def begun(user: User) -> None:
        quest(user, accepted=True)

    paid = {"progress", "quests"}
    return {
        "a habit's name": (habit, lambda u: u.patch(habit_path(u), {"name": "Run"}), {"habits"}),
        "a habit less": (habit, lambda u: u.delete(habit_path(u)), {"habits", "badges"}),
        "a habit for another": (
            habit,
            lambda u: (u.delete(habit_path(u)), habit(u)),
            {"habits"},
        ),
        "a habit put away": (habit, lambda u: u.post(f"{habit_path(u)}/archive"), {"habits", "badges"}),
        "a habit done": (habit, lambda u: u.post(f"{habit_path(u)}/complete"), {"habits", "badges", *paid}),
        "half a habit": (
            lambda u: habit(u, target_count=2),
            lambda u: u.post(f"{habit_path(u)}/complete"),
            {"habits"},
        ),
        "a habit skipped": (habit, lambda u: u.post(f"{habit_path(u)}/skip"), {"habits", "badges"}),
        "the habits' order": (
            lambda u: (habit(u, "a"), habit(u, "b")),
            lambda u: u.put("/habits/order", {"ids": [h["id"] for h in reversed(u.get("/habits").data["habits"])]}),
            {"habits"},
        ),
        "a habit taken back": (
            lambda u: (habit(u), u.post(f"{habit_path(u)}/complete")),
            lambda u: u.delete(f"{habit_path(u)}/complete"),
            {"habits", "badges", *paid},
        ),
        "a skip taken back": (
            lambda u: (habit(u), u.post(f"{habit_path(u)}/skip")),
            lambda u: u.delete(f"{habit_path(u)}/skip"),
            {"habits", "badges"},
        ),
        "an amount": (
            lambda u: habit(u, kind="amount", target_amount=8, unit="glasses"),
            lambda u: u.post(f"{habit_path(u)}/log", {"amount": 2}),
            {"habits"},
        ),
        "a pause": (
            habit,
            lambda u: u.post("/pauses", {"habit_id": u.get("/habits").data["habits"][0]["id"]}),
            {"habits", "badges"},
        ),
        "a pause less": (
            lambda u: (habit(u), u.post("/pauses", {})),
            lambda u: u.delete(f"/pauses/{u.get('/pauses').data['pauses'][0]['id']}"),
            {"habits", "badges"},
        ),
        "a goal": (nothing, goal, {"goals"}),
        "a first goal": (
            lambda u: walk(u, before="step_first_goal"),
            lambda u: answered(u, "step_first_goal", "Write a song"),
            {"goals"},
        ),
        "a goal's title": (goal, lambda u: u.patch(goal_path(u), {"title": "Swim well"}), {"goals"}),
        "a goal less": (lambda u: (goal(u), goal(u)), lambda u: u.delete(goal_path(u)), {"goals"}),
        "a goal overdue": (
            goal,
            lambda u: u.patch(goal_path(u), {"target_date": ahead(-1)}),
            {"goals", "badges"},
        ),
        "a milestone": (goal, lambda u: u.post(f"{goal_path(u)}/milestones", {"title": "Float"}), {"goals"}),
        "a milestone's title": (
            lambda u: goal(u, "Float"),
            lambda u: u.patch(step_path(u), {"title": "Sink"}),
            {"goals"},
        ),
        "the milestones' order": (
            lambda u: goal(u, "Float", "Dive"),
            lambda u: u.put(
                f"{goal_path(u)}/milestones/order",
                {"ids": [step["id"] for step in reversed(first(u, "/goals", "goals")["milestones"])]},
            ),
            {"goals"},
        ),
        "a milestone less": (lambda u: goal(u, "Float"), lambda u: u.delete(step_path(u)), {"goals"}),
        "a milestone done": (
            lambda u: goal(u, "Float", "Dive"),
            lambda u: u.post(f"{step_path(u)}/complete"),
            {"goals", *paid},
        ),
        "the last milestone done": (
            lambda u: goal(u, "Float"),
            lambda u: u.post(f"{step_path(u)}/complete"),
            {"goals", *paid},
        ),
        "a milestone undone": (
            lambda u: (goal(u, "Float"), u.post(f"{step_path(u)}/complete")),
            lambda u: u.post(f"{step_path(u)}/uncomplete"),
            {"goals"},
        ),
        "a goal reached": (goal, lambda u: u.patch(goal_path(u), {"status": "completed"}), {"goals", *paid}),
        "a goal given up": (goal, lambda u: u.patch(goal_path(u), {"status": "abandoned"}), {"goals"}),
        "a quest": (nothing, lambda u: u.post("/quests", {"title": "x", "category": "y"}), {"quests"}),
        "a quest accepted": (nothing, begun, {"quests", "badges"}),
        "a quest's title": (begun, lambda u: u.patch(quest_path(u), {"title": "x"}), {"quests"}),
        "a quest less": (begun, lambda u: u.delete(quest_path(u)), {"quests", "badges"}),
        "a quest's progress": (
            lambda u: quest(u, target=3, accepted=True),
            lambda u: u.post(f"{quest_path(u)}/progress"),
            {"quests"},
        ),
        "a quest done": (begun, lambda u: u.post(f"{quest_path(u)}/complete"), {"badges", *paid}),
        "a quest reopened": (
            lambda u: (quest(u, accepted=True), u.post(f"{quest_path(u)}/complete")),
            lambda u: u.post(f"{quest_path(u)}/reopen"),
            {"badges", *paid},
        ),
        "a quest of an idea": (
            lambda u: u.post("/ideas", {"title": "A bridge", "content": "x"}),
            lambda u: u.post(f"/ideas/{u.get('/ideas').data['ideas'][0]['id']}/promote", {"to": "quest"}),
            {"quests"},
        ),
        "a quest given up": (begun, lambda u: u.post(f"{quest_path(u)}/abandon"), {"quests", "badges"}),
        "a setting": (nothing, lambda u: u.put("/user/settings", {"theme": "dark"}), {"settings"}),
        "a setting reset": (
            lambda u: u.put("/user/settings", {"theme": "dark"}),
            lambda u: u.put("/user/settings", {"theme": None}),
            {"settings"},
        ),
        "a plan": (nothing, written, {"plan"}),
        "a plan's notes": (written, lambda u: u.post("/daily-plan", {"action": "update", "notes": "x"}), {"plan"}),
        "a plan's item": (
            lambda u: written(u, {"id": "a", "title": "A"}),
            lambda u: plan_of(u.patch("/daily-plan/tasks/a", {"title": "B"})),
            {"plan"},
        ),
        "a tick": (lambda u: written(u, {"id": "a", "title": "A"}), lambda u: ticked(u, "a"), {"plan"}),
        "a plan of another day": (nothing, lambda u: generated(u, date=ahead(1)), set()),
        "a timer": (nothing, factories.focus_session, {"focus"}),
        "a timer paused": (factories.focus_session, lambda u: u.post("/focus/pause"), {"focus"}),
        "a timer's notes": (
            factories.focus_session,
            lambda u: u.patch(f"/focus/{u.get('/focus/active').data['session']['id']}", {"notes": "x"}),
            {"focus"},
        ),
    }


@pytest.mark.parametrize("change", each_change().values(), ids=each_change())
def test_a_change_is_seen_where_it_shows_and_nowhere_else(user: User, change: tuple[Change, Change, set[str]]) -> None:
    stage, act, domains = change
    stage(user)
    known = versions(user)
    act(user)
    assert set(changes(user, known, include_data=False)) == domains
    assert changes(user, versions(user)) == {}


def test_a_refused_write_changes_nothing(settled: User) -> None:
    known = versions(settled)
    settled.post("/habits", {"name": ""}).invalid("name")
    settled.post("/daily-plan", {"action": "update", "items": [], "version": 99}).refused(409, "conflict")
    assert versions(settled) == known


def test_what_is_not_there_or_done_already_changes_nothing(user: User) -> None:
    habit(user)
    step = f"/goals/milestones/{goal(user, 'Float', 'Dive')['milestones'][0]['id']}"
    begun = f"/quests/{quest(user, accepted=True)['id']}"
    done = f"/quests/{quest(user)['id']}"
    user.post(f"{step}/complete")
    user.post(f"{done}/complete")
    known = versions(user)
    nobody = uuid4()
    for path in (f"/goals/{nobody}", f"/goals/milestones/{nobody}", f"/quests/{nobody}", f"/habits/{nobody}"):
        assert user.patch(path, {"title": "x", "name": "x"}).status == 404
        assert user.delete(path).status == 404
    for path in (f"{step}/complete", f"{begun}/accept", f"{done}/complete"):
        assert user.post(path).status == 200
    assert versions(user) == known


def test_the_turn_of_a_day_is_seen(user: User, clock: Clock) -> None:
    stretch = habit(user)["id"]
    user.post(f"/habits/{stretch}/complete")
    written(user)
    known = versions(user)
    clock.advance("12 hours")
    seen = set(changes(user, known))
    assert {"habits", "plan", "badges", "quests"} <= seen


@pytest.mark.parametrize("setting", [{"day_start_hour": 3}, {"timezone": "Africa/Lagos"}])
def test_days_that_end_at_another_hour_are_seen_in_quests(user: User, setting: dict[str, Any]) -> None:
    known = versions(user)
    ends = {one["expires_at"] for one in user.get("/quests").data["quests"]}
    user.put("/user/settings", setting)
    assert {one["expires_at"] for one in user.get("/quests").data["quests"]} != ends
    assert set(changes(user, known)) == {"quests", "settings"}


def test_a_quest_that_runs_out_is_seen(user: User, clock: Clock) -> None:
    quest(user, accepted=True, expires_at=f"{ahead(0)}T13:00:00Z")
    known = versions(user)
    clock.advance("59 minutes")
    assert versions(user) == known
    clock.advance("2 minutes")
    assert set(changes(user, known)) == {"quests", "badges"}


def test_a_write_that_was_committed_late_is_seen(user: User, clock: Clock) -> None:
    """One that began before another and ended after it carries the earlier time."""
    late, early = goal(user)["id"], goal(user)["id"]
    user.patch(f"/goals/{early}", {"title": "Learn to dive"})
    known = versions(user)
    clock.advance("-1 minute")
    user.patch(f"/goals/{late}", {"title": "Learn to row"})
    assert set(changes(user, known)) == {"goals"}


def test_the_inbox_counts_in_the_badges(user: User, database: Database) -> None:
    known = versions(user)
    notify(database, user)
    assert changes(user, known) == {
        "badges": {"unread_inbox": 1, "active_quests": 0, "pending_habits": 0, "overdue_items": 0}
    }
    user.post("/user/inbox/read-all")
    assert versions(user) == known
