from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from local.clock import Clock
from tests.conftest import Client, Database, NewUser, User, at_once
from tests.goals.conftest import complete, payments
from tests.support import factories
from tests.support.ledger import counter
from tests.support.locks import after_a_wait
from tests.support.paging import has_pages

FIELDS = {
    *("id", "title", "description", "category", "target_date", "started_at", "completed_at", "status", "progress"),
    *("priority", "milestones", "total_milestones", "completed_milestones", "is_overdue", "created_at", "updated_at"),
}
REWARD = {"xp_awarded", "coins_awarded", "leveled_up", "new_level", "achievements_unlocked", "streak"}


def test_a_goal_of_defaults(user: User) -> None:
    goal = user.post("/goals", {"title": "  Write a book "}).data
    assert set(goal) == FIELDS
    assert goal["started_at"].endswith("Z")
    assert {key: goal[key] for key in FIELDS - {"id", "created_at", "updated_at", "started_at"}} == {
        "title": "Write a book",
        "description": None,
        "category": None,
        "target_date": None,
        "completed_at": None,
        "status": "active",
        "progress": 0,
        "priority": 0,
        "milestones": [],
        "total_milestones": 0,
        "completed_milestones": 0,
        "is_overdue": False,
    }
    assert user.get(f"/goals/{goal['id']}").data == goal


def test_a_goal_with_everything(user: User) -> None:
    said = {
        "title": "Run",
        "description": "far",
        "category": "body",
        "target_date": "2031-05-09",
        "priority": 100,
    }
    goal = factories.goal(user, "5 km", "10 km", **said)
    assert {key: goal[key] for key in said} == said
    assert [(m["title"], m["sort_order"]) for m in goal["milestones"]] == [("5 km", 1), ("10 km", 2)]
    assert (goal["total_milestones"], goal["completed_milestones"]) == (2, 0)


@pytest.mark.parametrize(
    "written",
    ["2031-05-09", "2031-05-09T23:59:59Z", "2031-05-09T00:30:00+14:00", "2031-05-09T08:00:00.123456-11:00"],
)
def test_a_target_date_is_the_date_as_written(user: User, written: str) -> None:
    goal = factories.goal(user, target_date=written)
    assert goal["target_date"] == "2031-05-09"
    path = f"/goals/{goal['id']}"
    milestone = user.post(f"{path}/milestones", {"title": "m", "target_date": written}).data
    assert milestone["target_date"] == "2031-05-09"
    user.patch(path, {"target_date": None})
    assert user.patch(path, {"target_date": written}).data["target_date"] == "2031-05-09"


def test_the_list_has_pages(user: User) -> None:
    for priority in (1, 3, 2):
        factories.goal(user, "a", "b", priority=priority)
    paused = factories.goal(user, priority=100)
    user.patch(f"/goals/{paused['id']}", {"status": "paused"})
    has_pages(user, "/goals", "goals", status="active")


BAD_INPUT = [
    ({"title": " "}, "title"),
    ({"title": None}, "title"),
    ({"title": "x" * 201}, "title"),
    ({"description": "x" * 5001}, "description"),
    ({"category": "x" * 41}, "category"),
    ({"target_date": "soon"}, "target_date"),
    ({"target_date": "2031-02-30"}, "target_date"),
    ({"target_date": "2031-05-09T25:00:00Z"}, "target_date"),
    ({"target_date": 0}, "target_date"),
    ({"target_date": "86400"}, "target_date"),
    ({"priority": -1}, "priority"),
    ({"priority": 101}, "priority"),
    ({"priority": "5"}, "priority"),
]


@pytest.mark.parametrize(("body", "field"), BAD_INPUT)
def test_bad_input_is_named(user: User, body: dict[str, object], field: str) -> None:
    user.post("/goals", {"title": "t", **body}).invalid(field)
    assert user.get("/goals").data == {"goals": [], "total": 0}
    goal = factories.goal(user)
    user.patch(f"/goals/{goal['id']}", body).invalid(field)
    assert user.get(f"/goals/{goal['id']}").data == goal


def test_more_bad_input_is_named(user: User) -> None:
    user.post("/goals").invalid("title")
    goal = factories.goal(user)
    for status in ("done", None, 1):
        user.patch(f"/goals/{goal['id']}", {"status": status}).invalid("status")
    user.get("/goals", query={"status": "done"}).invalid("status")


def test_lists_the_highest_priority_first_then_the_newest(user: User) -> None:
    ids = [factories.goal(user, title=str(n), priority=priority)["id"] for n, priority in enumerate((0, 5, 0, 5))]
    listed = user.get("/goals").data
    assert [goal["id"] for goal in listed["goals"]] == [ids[3], ids[1], ids[2], ids[0]]
    assert listed["total"] == 4
    user.patch(f"/goals/{ids[0]}", {"status": "paused"})
    paused = user.get("/goals", query={"status": "paused"}).data
    assert ([goal["id"] for goal in paused["goals"]], paused["total"]) == ([ids[0]], 1)
    assert user.get("/goals", query={"status": ""}).data["total"] == 4
    assert user.get("/goals", query={"status": "abandoned"}).data == {"goals": [], "total": 0}


def test_the_list_shows_each_goal_as_it_is_alone(user: User) -> None:
    """With its own milestones, in their order, in the whole list and in that of a status."""
    active, paused = factories.goal(user, "a", "b", "c"), factories.goal(user, "d", "e", priority=1)
    for goal in (active, paused):
        ids = [milestone["id"] for milestone in goal["milestones"]]
        user.put(f"/goals/{goal['id']}/milestones/order", {"ids": ids[::-1]})
    complete(user, active["milestones"][1])
    user.patch(f"/goals/{paused['id']}", {"status": "paused"})
    alone = [user.get(f"/goals/{goal['id']}").data for goal in (paused, active)]
    assert [[milestone["title"] for milestone in goal["milestones"]] for goal in alone] == [["e", "d"], ["c", "b", "a"]]
    assert (alone[1]["total_milestones"], alone[1]["completed_milestones"]) == (3, 1)
    assert user.get("/goals").data == {"goals": alone, "total": 2}
    assert user.get("/goals", query={"status": "paused"}).data == {"goals": alone[:1], "total": 1}


def test_five_hundred_are_enough(user: User, database: Database) -> None:
    database.query("INSERT INTO goals (user_id, title) SELECT %s, 'g' FROM generate_series(1, 499)", user.id)
    answers = at_once(5, lambda: user.post("/goals", {"title": "one more"}))
    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409, 409]
    assert user.post("/goals", {"title": "x"}).refused(409, "limit_reached") == {"limit": 500}
    listed = user.get("/goals").data
    assert listed["total"] == len(listed["goals"]) == 500


def test_changes_keep_what_is_absent_and_clear_what_is_null(user: User) -> None:
    goal = factories.goal(user, "one", description="long", category="art", priority=3, target_date="2031-05-09")
    path = f"/goals/{goal['id']}"
    changed = user.patch(path, {"title": "Write two books", "description": None}).data
    assert set(changed) == FIELDS | REWARD
    assert (changed["xp_awarded"], changed["coins_awarded"], changed["achievements_unlocked"]) == (0, 0, [])
    expected = goal | {"title": "Write two books", "description": None, "updated_at": changed["updated_at"]}
    assert {key: changed[key] for key in FIELDS} == expected
    ignored = {"progress": 100, "completed_at": "2031-05-09T00:00:00Z", "user_id": str(uuid4()), "started_at": None}
    kept = user.patch(path, ignored).data
    assert {key: kept[key] for key in FIELDS - {"updated_at"}} == {key: changed[key] for key in FIELDS - {"updated_at"}}


# Status ----------------------------------------------------------------------------------------------------------

STATUSES = ("active", "paused", "abandoned", "completed")


def brought_to(user: User, status: str) -> dict[str, Any]:
    goal = factories.goal(user)
    if status != "active":
        user.patch(f"/goals/{goal['id']}", {"status": status})
    shown: dict[str, Any] = user.get(f"/goals/{goal['id']}").data
    return shown


@pytest.mark.parametrize("before", STATUSES)
@pytest.mark.parametrize("after", STATUSES)
def test_every_transition(user: User, database: Database, before: str, after: str) -> None:
    goal = brought_to(user, before)
    paid = payments(user, database)
    answer = user.patch(f"/goals/{goal['id']}", {"status": after})
    shown = user.get(f"/goals/{goal['id']}").data
    if before == "completed" and after in ("paused", "abandoned"):
        assert answer.refused(409, "invalid_state") == {"status": "completed"}
        assert shown == goal
        assert payments(user, database) == paid
        return
    assert {key: answer.data[key] for key in FIELDS} == shown
    assert (shown["status"], shown["progress"]) == (after, 100 if after == "completed" else 0)
    assert (shown["completed_at"] is not None) == (after == "completed")
    if before == after:
        assert shown["completed_at"] == goal["completed_at"]
    earned = before != "completed" and after == "completed"
    assert (answer.data["xp_awarded"], answer.data["coins_awarded"]) == ((40, 20) if earned else (0, 0))
    assert payments(user, database) == paid + ([("goal_complete", 40, 20)] if earned else [])


def test_a_refused_status_changes_nothing_else(user: User) -> None:
    goal = brought_to(user, "completed")
    user.patch(f"/goals/{goal['id']}", {"status": "paused", "title": "other"}).refused(409, "invalid_state")
    assert user.get(f"/goals/{goal['id']}").data == goal


def test_a_goal_with_open_milestones_is_not_completed(user: User, database: Database) -> None:
    goal = factories.goal(user, "one", "two", "three")
    complete(user, goal["milestones"][0])
    path = f"/goals/{goal['id']}"
    details = user.patch(path, {"status": "completed"}).refused(409, "open_milestones")
    assert details == {"open": 2}
    complete(user, goal["milestones"][1])
    assert user.patch(path, {"status": "completed"}).refused(409, "open_milestones") == {"open": 1}
    assert user.get(path).data["status"] == "active"
    assert payments(user, database) == [("milestone_complete", 10, 0)] * 2


def test_completing_again_pays_nothing(user: User, database: Database) -> None:
    goal = brought_to(user, "completed")
    path = f"/goals/{goal['id']}"
    reopened = user.patch(path, {"status": "active"}).data
    assert (reopened["status"], reopened["progress"], reopened["completed_at"]) == ("active", 0, None)
    again = user.patch(path, {"status": "completed"}).data
    assert (again["status"], again["xp_awarded"], again["coins_awarded"]) == ("completed", 0, 0)
    assert payments(user, database) == [("goal_complete", 40, 20)]
    assert counter(database, user, "goals_completed") == 1


def test_ten_completions_at_once_pay_once(user: User, database: Database) -> None:
    path = f"/goals/{factories.goal(user)['id']}"
    answers = at_once(10, lambda: user.patch(path, {"status": "completed"}).data)
    assert sorted(answer["xp_awarded"] for answer in answers) == [0] * 9 + [40]
    assert payments(user, database) == [("goal_complete", 40, 20)]


def test_three_goals_are_paid_a_day(user: User, database: Database) -> None:
    goals = [factories.goal(user)["id"] for _ in range(4)]
    answers = [user.patch(f"/goals/{goal}", {"status": "completed"}).data for goal in goals]
    assert [(answer["xp_awarded"], answer["coins_awarded"]) for answer in answers] == [(40, 20)] * 3 + [(0, 0)]
    assert counter(database, user, "goals_completed") == 4
    # What the cap left unpaid stays unpaid: its key is used.
    user.patch(f"/goals/{goals[3]}", {"status": "active"})
    assert user.patch(f"/goals/{goals[3]}", {"status": "completed"}).data["xp_awarded"] == 0
    assert len(payments(user, database)) == 4


def test_the_cap_is_of_a_day(user: User, clock: Clock) -> None:
    stopped_at_noon(clock)
    goals = [factories.goal(user)["id"] for _ in range(5)]
    answers = [user.patch(f"/goals/{goal}", {"status": "completed"}).data for goal in goals[:4]]
    assert [answer["xp_awarded"] for answer in answers] == [40, 40, 40, 0]
    clock.advance("1 day")
    assert user.patch(f"/goals/{goals[4]}", {"status": "completed"}).data["xp_awarded"] == 40


def test_a_goal_is_paid_once_whichever_way_it_is_completed(user: User, database: Database) -> None:
    goal = factories.goal(user, "one")
    path = f"/goals/{goal['id']}"
    assert complete(user, goal["milestones"][0])["goal_completed"] is True
    reopened = user.patch(path, {"status": "active"}).data
    assert (reopened["status"], reopened["progress"], reopened["completed_milestones"]) == ("active", 100, 1)
    again = user.patch(path, {"status": "completed"}).data
    assert (again["status"], again["xp_awarded"], again["coins_awarded"]) == ("completed", 0, 0)
    # A further milestone is paid for itself, and the goal that it completes is not.
    further = factories.milestone(user, goal["id"])
    last = complete(user, further)
    assert (last["goal_completed"], last["xp_awarded"], last["coins_awarded"]) == (True, 10, 0)
    assert payments(user, database) == [
        ("milestone_complete", 10, 0),
        ("goal_complete", 40, 20),
        ("milestone_complete", 10, 0),
    ]


def test_the_cap_holds_in_parallel(user: User, database: Database) -> None:
    goals = iter([factories.goal(user)["id"] for _ in range(8)])
    answers = at_once(8, lambda: user.patch(f"/goals/{next(goals)}", {"status": "completed"}).data)
    assert sorted(answer["xp_awarded"] for answer in answers) == [0] * 5 + [40] * 3


# Overdue ---------------------------------------------------------------------------------------------------------


def stopped_at_noon(clock: Clock) -> datetime:
    """Noon of tomorrow, at which the clock then stands still."""
    noon = (clock.now() + timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0)
    clock.set(noon)
    clock.freeze()
    return noon


def overdue(database: Database, user: User) -> int:
    with psycopg.connect(database.app_url) as connection:
        connection.execute("SELECT set_config('app.user_id', %s, true)", [str(user.id)])
        row = connection.execute("SELECT overdue_goals()").fetchone()
    assert row is not None
    return int(row[0])


def test_a_goal_is_overdue_the_day_after(user: User, other: User, database: Database, clock: Clock) -> None:
    today = stopped_at_noon(clock).date()
    goals = {back: factories.goal(user, target_date=str(today - timedelta(back))) for back in (-1, 0, 1)}
    assert {back: goal["is_overdue"] for back, goal in goals.items()} == {-1: False, 0: False, 1: True}
    assert factories.goal(user)["is_overdue"] is False
    assert (overdue(database, user), overdue(database, other)) == (1, 0)
    late = f"/goals/{goals[1]['id']}"
    for status in ("paused", "abandoned", "active", "completed"):
        assert user.patch(late, {"status": status}).data["is_overdue"] is (status == "active")
        assert overdue(database, user) == (status == "active")


def test_overdue_is_of_the_users_day(new_user: NewUser, database: Database, clock: Clock) -> None:
    west, east = new_user(settings={"timezone": "Etc/GMT+12"}), new_user(settings={"timezone": "Asia/Kamchatka"})
    today_in_the_west = str((stopped_at_noon(clock) - timedelta(hours=12)).date())
    assert factories.goal(west, target_date=today_in_the_west)["is_overdue"] is False
    assert factories.goal(east, target_date=today_in_the_west)["is_overdue"] is True
    assert (overdue(database, west), overdue(database, east)) == (0, 1)


# ------------------------------------------------------------------------------------------------------------------


def test_deleting_takes_the_milestones_but_not_what_was_paid(user: User, database: Database) -> None:
    goal = factories.goal(user, "one", "two")
    complete(user, goal["milestones"][0])
    paid = payments(user, database)
    assert user.delete(f"/goals/{goal['id']}").data == {"success": True, "id": goal["id"]}
    assert payments(user, database) == paid == [("milestone_complete", 10, 0)]
    assert database.query("SELECT id FROM goal_milestones WHERE user_id = %s", user.id) == []
    user.get(f"/goals/{goal['id']}").refused(404, "not_found")
    user.delete(f"/goals/{goal['id']}").refused(404, "not_found")


def test_moments_are_those_after_the_wait(user: User, database: Database) -> None:
    goal, released = after_a_wait(database, user, lambda: factories.goal(user))
    for field in ("started_at", "created_at", "updated_at"):
        assert datetime.fromisoformat(goal[field]) >= released
    path = f"/goals/{goal['id']}"
    milestone, released = after_a_wait(database, user, lambda: user.post(f"{path}/milestones", {"title": "one"}).data)
    assert datetime.fromisoformat(milestone["created_at"]) >= released
    completed, released = after_a_wait(database, user, lambda: complete(user, milestone))
    assert datetime.fromisoformat(completed["milestone"]["completed_at"]) >= released
    shown = user.get(path).data
    assert datetime.fromisoformat(shown["completed_at"]) >= released
    assert datetime.fromisoformat(shown["updated_at"]) >= released


def test_a_replay_adds_nothing(user: User) -> None:
    key = {"Idempotency-Key": "add-once"}
    first = user.post("/goals", {"title": "t"}, headers=key)
    assert user.post("/goals", {"title": "t"}, headers=key).json == first.json
    assert user.get("/goals").data["total"] == 1


def test_someone_elses_is_absent_on_every_verb(user: User, other: User, stranger: Client) -> None:
    goal = factories.goal(user, "one", "two")
    path, milestone = f"/goals/{goal['id']}", f"/goals/milestones/{goal['milestones'][0]['id']}"
    ids = [m["id"] for m in goal["milestones"]]
    for client, status, error in ((other, 404, "not_found"), (stranger, 401, "unauthorized")):
        client.get(path).refused(status, error)
        client.patch(path, {"title": "mine"}).refused(status, error)
        client.patch(path, {"status": "completed"}).refused(status, error)
        client.delete(path).refused(status, error)
        client.post(f"{path}/milestones", {"title": "mine"}).refused(status, error)
        client.put(f"{path}/milestones/order", {"ids": ids}).refused(status, error)
        client.put(f"{path}/milestones/order", {"ids": []}).refused(status, error)
        client.patch(milestone, {"title": "mine"}).refused(status, error)
        client.delete(milestone).refused(status, error)
        client.post(f"{milestone}/complete").refused(status, error)
        client.post(f"{milestone}/uncomplete").refused(status, error)
    stranger.get("/goals").refused(401, "unauthorized")
    stranger.post("/goals", {"title": "t"}).refused(401, "unauthorized")
    assert user.get(path).data == goal
    assert other.get("/goals").data["total"] == 0
    for unknown in (uuid4(), "not-a-uuid"):
        user.get(f"/goals/{unknown}").refused(404, "not_found")
        user.post(f"/goals/milestones/{unknown}/complete").refused(404, "not_found")
