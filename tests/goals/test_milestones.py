from uuid import uuid4

import pytest

from tests.conftest import Database, User, at_once
from tests.goals.conftest import complete, payments
from tests.support import factories
from tests.support.ledger import counter


def test_a_milestone_comes_last(user: User) -> None:
    goal = factories.goal(user, "one")
    milestone = user.post(
        f"/goals/{goal['id']}/milestones", {"title": " two ", "description": "then", "target_date": "2031-05-09"}
    ).data
    shown = {key: milestone[key] for key in milestone if key not in ("id", "created_at")}
    assert shown == {
        "goal_id": goal["id"],
        "title": "two",
        "description": "then",
        "is_completed": False,
        "completed_at": None,
        "sort_order": 2,
        "target_date": "2031-05-09",
    }
    assert user.get(f"/goals/{goal['id']}").data["milestones"] == [*goal["milestones"], milestone]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": None}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"description": "x" * 2001}, "description"),
        ({"target_date": "soon"}, "target_date"),
        ({"target_date": 20310509}, "target_date"),
    ],
)
def test_bad_input_is_named(user: User, body: dict[str, object], field: str) -> None:
    goal = factories.goal(user, "one")
    user.post(f"/goals/{goal['id']}/milestones", {"title": "t", **body}).invalid(field)
    user.patch(f"/goals/milestones/{goal['milestones'][0]['id']}", body).invalid(field)
    assert user.get(f"/goals/{goal['id']}").data == goal


def test_a_title_is_needed(user: User) -> None:
    user.post(f"/goals/{factories.goal(user)['id']}/milestones").invalid("title")


def test_changes(user: User) -> None:
    [milestone] = factories.goal(user, "one")["milestones"]
    path = f"/goals/milestones/{milestone['id']}"
    changed = user.patch(path, {"description": "first", "target_date": "2031-05-09T10:00:00Z"}).data
    assert changed == milestone | {"description": "first", "target_date": "2031-05-09"}
    ignored = {"is_completed": True, "sort_order": 9, "goal_id": str(uuid4()), "completed_at": "2031-05-09T10:00:00Z"}
    assert user.patch(path, ignored).data == changed
    assert user.patch(path, {"target_date": None, "description": " "}).data == milestone


def test_a_hundred_are_enough(user: User, database: Database) -> None:
    goal = factories.goal(user)
    database.query(
        "INSERT INTO goal_milestones (user_id, goal_id, title, sort_order)"
        " SELECT %s, %s, 'm', n FROM generate_series(1, 99) AS n",
        *(user.id, goal["id"]),
    )
    path = f"/goals/{goal['id']}/milestones"
    answers = at_once(5, lambda: user.post(path, {"title": "one more"}))
    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409, 409]
    assert user.post(path, {"title": "x"}).refused(409, "limit_reached") == {"limit": 100}


def test_added_at_once_they_follow_each_other(user: User) -> None:
    goal = factories.goal(user)
    at_once(8, lambda: user.post(f"/goals/{goal['id']}/milestones", {"title": "m"}).data)
    shown = user.get(f"/goals/{goal['id']}").data["milestones"]
    assert [milestone["sort_order"] for milestone in shown] == list(range(1, 9))


def test_an_order_names_every_milestone_once(user: User) -> None:
    goal, another = factories.goal(user, "a", "b", "c"), factories.goal(user, "d")
    path = f"/goals/{goal['id']}/milestones/order"
    a, b, c = (milestone["id"] for milestone in goal["milestones"])
    d = another["milestones"][0]["id"]
    for ids in ([a, b], [a, b, b], [a, b, c, c], [a, b, d], [a, b, c, d], [], [a, b, str(uuid4())]):
        user.put(path, {"ids": ids}).invalid("ids")
    user.put(path, {"ids": [a, b, 3]}).invalid("ids.2")
    user.put(path).invalid("ids")
    assert user.get(f"/goals/{goal['id']}").data == goal
    ordered = user.put(path, {"ids": [c, a, b]}).data
    assert [(m["id"], m["sort_order"]) for m in ordered["milestones"]] == [(c, 1), (a, 2), (b, 3)]
    assert user.get(f"/goals/{goal['id']}").data == ordered
    assert user.put(f"/goals/{factories.goal(user)['id']}/milestones/order", {"ids": []}).data["milestones"] == []


# Completing ------------------------------------------------------------------------------------------------------


def test_a_milestone_is_paid(user: User, database: Database) -> None:
    goal = factories.goal(user, "one", "two", "three")
    answer = complete(user, goal["milestones"][1])
    milestone = answer.pop("milestone")
    assert answer == {
        "goal_progress": 33,
        "goal_completed": False,
        "completed": True,
        "already_completed": False,
        "xp_awarded": 10,
        "coins_awarded": 0,
        "leveled_up": False,
        "new_level": 1,
        "achievements_unlocked": [],
        "streak": 1,
    }
    assert milestone == goal["milestones"][1] | {"is_completed": True, "completed_at": milestone["completed_at"]}
    assert milestone["completed_at"] is not None
    shown = user.get(f"/goals/{goal['id']}").data
    assert (shown["progress"], shown["completed_milestones"], shown["status"]) == (33, 1, "active")
    [row] = database.query(
        "SELECT * FROM points_ledger WHERE user_id = %s AND event_type = 'milestone_complete'", user.id
    )
    assert row["idempotency_key"] == f"milestone_complete:{milestone['id']}"


def test_the_last_milestone_completes_the_goal(user: User, database: Database) -> None:
    goal = factories.goal(user, "one", "two")
    complete(user, goal["milestones"][0])
    answer = complete(user, goal["milestones"][1])
    assert (answer["goal_progress"], answer["goal_completed"]) == (100, True)
    assert (answer["xp_awarded"], answer["coins_awarded"]) == (50, 20)
    shown = user.get(f"/goals/{goal['id']}").data
    assert (shown["status"], shown["progress"]) == ("completed", 100)
    assert shown["completed_at"] is not None
    assert payments(user, database) == [
        ("milestone_complete", 10, 0),
        ("milestone_complete", 10, 0),
        ("goal_complete", 40, 20),
    ]


def test_completing_again_answers_without_paying(user: User, database: Database) -> None:
    goal = factories.goal(user, "one")
    first = complete(user, goal["milestones"][0])
    paid = payments(user, database)
    again = complete(user, goal["milestones"][0])
    assert again == first | {
        "already_completed": True,
        "xp_awarded": 0,
        "coins_awarded": 0,
        "achievements_unlocked": [],
    }
    assert payments(user, database) == paid


def test_milestones_completed_at_once_complete_the_goal_once(user: User, database: Database) -> None:
    goal = factories.goal(user, *"abcdefgh")
    milestones = iter(goal["milestones"])
    answers = at_once(8, lambda: complete(user, next(milestones)))
    assert sum(answer["goal_completed"] for answer in answers) == 1
    assert sorted(answer["goal_progress"] for answer in answers) == [12, 25, 37, 50, 62, 75, 87, 100]
    assert sum(answer["xp_awarded"] for answer in answers) == 8 * 10 + 40
    shown = user.get(f"/goals/{goal['id']}").data
    assert (shown["status"], shown["progress"], shown["completed_milestones"]) == ("completed", 100, 8)
    assert payments(user, database).count(("goal_complete", 40, 20)) == 1


def test_one_milestone_completed_at_once_is_paid_once(user: User, database: Database) -> None:
    goal = factories.goal(user, "one")
    answers = at_once(10, lambda: complete(user, goal["milestones"][0]))
    assert sorted(answer["already_completed"] for answer in answers) == [False] + [True] * 9
    assert payments(user, database) == [("milestone_complete", 10, 0), ("goal_complete", 40, 20)]


def test_a_paused_goal_can_be_worked_on_and_finished(user: User) -> None:
    goal = factories.goal(user, "one", "two")
    user.patch(f"/goals/{goal['id']}", {"status": "paused"})
    assert complete(user, goal["milestones"][0])["goal_progress"] == 50
    assert user.get(f"/goals/{goal['id']}").data["status"] == "paused"
    assert complete(user, goal["milestones"][1])["goal_completed"] is True


def test_an_abandoned_goal_cannot(user: User, database: Database) -> None:
    goal = factories.goal(user, "one")
    user.patch(f"/goals/{goal['id']}", {"status": "abandoned"})
    details = user.post(f"/goals/milestones/{goal['milestones'][0]['id']}/complete").refused(409, "invalid_state")
    assert details == {"status": "abandoned"}
    assert user.get(f"/goals/{goal['id']}").data["completed_milestones"] == 0
    assert payments(user, database) == []


def test_twenty_milestones_are_paid_a_day(user: User, database: Database) -> None:
    goal = factories.goal(user, *[str(n) for n in range(22)])
    answers = [complete(user, milestone) for milestone in goal["milestones"]]
    assert [answer["xp_awarded"] for answer in answers] == [10] * 20 + [0, 40]
    assert answers[-1]["coins_awarded"] == 20
    assert counter(database, user, "milestones_completed") == 22
    # The key of what the cap left unpaid is used.
    user.post(f"/goals/milestones/{goal['milestones'][20]['id']}/uncomplete")
    assert complete(user, goal["milestones"][20])["xp_awarded"] == 0
    assert len(payments(user, database)) == 23


def test_the_cap_holds_in_parallel(user: User, database: Database) -> None:
    milestones = iter(factories.goal(user, *[str(n) for n in range(25)])["milestones"])
    for _ in range(17):
        complete(user, next(milestones))
    answers = at_once(6, lambda: complete(user, next(milestones)))
    assert sorted(answer["xp_awarded"] for answer in answers) == [0, 0, 0, 10, 10, 10]
    assert counter(database, user, "milestones_completed") == 23


# Reopening -------------------------------------------------------------------------------------------------------


def test_uncompleting_reopens_and_keeps_what_was_paid(user: User, database: Database) -> None:
    goal = factories.goal(user, "one", "two")
    for milestone in goal["milestones"]:
        complete(user, milestone)
    paid = payments(user, database)
    path = f"/goals/milestones/{goal['milestones'][0]['id']}"
    answer = user.post(f"{path}/uncomplete").data
    assert answer == {"milestone": goal["milestones"][0], "goal_progress": 50, "goal_completed": False}
    shown = user.get(f"/goals/{goal['id']}").data
    assert (shown["status"], shown["progress"], shown["completed_at"]) == ("active", 50, None)
    assert user.post(f"{path}/uncomplete").data == answer
    assert payments(user, database) == paid
    again = complete(user, goal["milestones"][0])
    assert (again["already_completed"], again["goal_completed"], again["goal_progress"]) == (False, True, 100)
    assert (again["xp_awarded"], again["coins_awarded"]) == (0, 0)
    assert payments(user, database) == paid


def test_uncompleting_leaves_another_status_alone(user: User) -> None:
    goal = factories.goal(user, "one", "two")
    complete(user, goal["milestones"][0])
    user.patch(f"/goals/{goal['id']}", {"status": "abandoned"})
    user.post(f"/goals/milestones/{goal['milestones'][0]['id']}/uncomplete")
    shown = user.get(f"/goals/{goal['id']}").data
    assert (shown["status"], shown["progress"]) == ("abandoned", 0)


def test_adding_to_a_completed_goal_makes_it_active(user: User) -> None:
    goal = factories.goal(user, "one")
    complete(user, goal["milestones"][0])
    user.post(f"/goals/{goal['id']}/milestones", {"title": "two"})
    shown = user.get(f"/goals/{goal['id']}").data
    assert (shown["status"], shown["progress"], shown["completed_at"]) == ("active", 50, None)


@pytest.mark.parametrize("status", ["paused", "abandoned"])
def test_adding_to_another_goal_only_counts(user: User, status: str) -> None:
    goal = factories.goal(user, "one", "two")
    complete(user, goal["milestones"][0])
    user.patch(f"/goals/{goal['id']}", {"status": status})
    user.post(f"/goals/{goal['id']}/milestones", {"title": "three"})
    shown = user.get(f"/goals/{goal['id']}").data
    assert (shown["status"], shown["progress"]) == (status, 33)


def test_deleting_counts_anew_and_never_completes(user: User, database: Database) -> None:
    goal = factories.goal(user, "one", "two")
    complete(user, goal["milestones"][0])
    gone = goal["milestones"][1]["id"]
    assert user.delete(f"/goals/milestones/{gone}").data == {"success": True, "id": gone, "goal_progress": 100}
    shown = user.get(f"/goals/{goal['id']}").data
    assert (shown["status"], shown["progress"], shown["completed_at"]) == ("active", 100, None)
    assert payments(user, database) == [("milestone_complete", 10, 0)]
    user.delete(f"/goals/milestones/{gone}").refused(404, "not_found")
    # It has nothing open, so its user may complete it.
    assert user.patch(f"/goals/{goal['id']}", {"status": "completed"}).data["xp_awarded"] == 40
    last = goal["milestones"][0]["id"]
    assert user.delete(f"/goals/milestones/{last}").data["goal_progress"] == 100
    assert user.patch(f"/goals/{goal['id']}", {"status": "active"}).data["progress"] == 0
