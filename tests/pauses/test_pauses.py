"""/pauses: their days, their limits, and what of a pause can be changed when."""

from itertools import count
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from local.clock import Clock
from tests.conftest import Client, Database, NewUser, User, at_once
from tests.pauses.conftest import days, listed, pause
from tests.support import factories
from tests.support.clock import NOON, ahead


def test_a_pause_of_everything_and_one_of_a_habit(user: User) -> None:
    habit = factories.habit(user)["id"]
    of_all = pause(user, 3, 5)
    assert set(of_all) == {"id", "habit_id", "from", "to", "days", "created_at"}
    assert (of_all["habit_id"], of_all["from"], of_all["to"], of_all["days"]) == (None, ahead(3), ahead(5), 3)
    of_habit = pause(user, 4, 4, habit_id=habit)
    assert (of_habit["habit_id"], of_habit["from"], of_habit["to"], of_habit["days"]) == (habit, ahead(4), ahead(4), 1)
    assert user.get("/api/pauses").data == {"pauses": [of_habit, of_all], "total": 2}
    for query, shown in (
        ({"page": 1, "page_size": 1}, [of_habit]),
        ({"page": 2, "page_size": 1}, [of_all]),
        ({"page": 2, "page_size": 50}, []),
    ):
        assert user.get("/pauses", query=query).data == {"pauses": shown, "total": 2, **query}
    assert user.get("/pauses", query={"page_size": 1}).data["page"] == 1
    assert user.get("/pauses", query={"page": 2}).data["page_size"] == 50


def test_without_days_it_is_open_from_today(user: User, clock: Clock) -> None:
    habit = factories.habit(user)["id"]
    for scope, most in (({}, 60), ({"habit_id": habit}, 366)):
        made = user.post("/pauses", scope or None).data
        assert (made["from"], made["to"], made["days"]) == (ahead(0), None, 1)
        clock.advance("P2D")
        assert next(shown for shown in listed(user) if shown["id"] == made["id"]) == made | {"days": 3}
        clock.set(NOON)
        assert user.get(f"/habits/{habit}").data["paused_until"] == ahead(most - 1)


def test_an_open_pause_ends_by_itself(user: User, clock: Clock) -> None:
    made = pause(user)
    clock.advance("P59D")
    assert listed(user) == [made | {"days": 60}]
    clock.advance("P1D")
    assert listed(user) == [made | {"to": ahead(59), "days": 60}]
    user.delete(f"/pauses/{made['id']}").refused(409, "invalid_state")


def test_an_open_pause_ahead_has_no_days_yet(user: User) -> None:
    assert pause(user, 5)["days"] == 0


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [(-8, 0, "from"), (367, 370, "from"), (2, 1, "to"), (0, 366, "to"), (-7, 359, "to"), (None, -1, "to")],
)
def test_days_that_no_pause_has(user: User, first: int | None, last: int, field: str) -> None:
    habit = factories.habit(user)["id"]
    user.post("/pauses", days(first, last) | {"habit_id": habit}).invalid(field)
    assert listed(user) == []


@pytest.mark.parametrize(("first", "last", "total"), [(-7, -7, 1), (-7, 358, 366), (366, 366 + 365, 366), (0, 0, 1)])
def test_the_edges_of_what_a_pause_can_have(user: User, first: int, last: int, total: int) -> None:
    assert pause(user, first, last, habit_id=factories.habit(user)["id"])["days"] == total


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"habit_id": "mine"}, "habit_id"),
        ({"habit_id": 1}, "habit_id"),
        ({"from": "tomorrow"}, "from"),
        ({"from": 20310507}, "from"),
        ({"from": "2031-02-29"}, "from"),
        ({"from": "9999-12-31"}, "from"),
        ({"to": "2031-13-01"}, "to"),
        ({"to": True}, "to"),
        ({"to": []}, "to"),
    ],
)
def test_bad_input(user: User, fields: dict[str, Any], field: str) -> None:
    made = pause(user, 1, 2)
    user.post("/pauses", fields).invalid(field)
    if field != "habit_id":
        user.patch(f"/pauses/{made['id']}", fields).invalid(field)
    assert listed(user) == [made]


def test_from_cannot_be_cleared(user: User) -> None:
    user.patch(f"/pauses/{pause(user, 1, 2)['id']}", {"from": None}).invalid("from")


def test_who_may_not(user: User, other: User, stranger: Client) -> None:
    habit = factories.habit(user)["id"]
    made = pause(user, 0, 1)
    for client, status, error in ((stranger, 401, "unauthorized"), (other, 404, "not_found")):
        client.patch(f"/pauses/{made['id']}", {"to": ahead(3)}).refused(status, error)
        client.delete(f"/pauses/{made['id']}").refused(status, error)
        client.post("/pauses", {"habit_id": habit}).refused(status, error)
    stranger.get("/pauses").refused(401, "unauthorized")
    for absent in (str(uuid4()), "mine"):
        user.patch(f"/pauses/{absent}", {}).refused(404, "not_found")
        user.delete(f"/pauses/{absent}").refused(404, "not_found")
    assert listed(other) == []
    assert listed(user) == [made]
    assert factories.habit(other)["paused_until"] is None


def test_a_replay_answers_the_same_and_adds_nothing(user: User) -> None:
    key = {"Idempotency-Key": "holiday"}
    first = user.post("/pauses", days(1, 2), headers=key)
    assert user.post("/pauses", days(1, 2), headers=key).data == first.data
    user.post("/pauses", days(1, 3), headers=key).refused(422, "idempotency_mismatch")
    assert listed(user) == [first.data]


# Overlaps ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("first", "last"), [(2, 2), (4, 4), (0, 2), (4, 9), (3, 3), (0, 9), (-2, None)])
def test_pauses_of_one_scope_do_not_overlap(user: User, first: int, last: int | None) -> None:
    habits = [factories.habit(user)["id"] for _ in range(2)]
    pause(user, 2, 4)
    pause(user, 2, 4, habit_id=habits[0])
    before = listed(user)
    user.post("/pauses", days(first, last)).refused(409, "conflict")
    user.post("/pauses", days(first, last) | {"habit_id": habits[0]}).refused(409, "conflict")
    assert listed(user) == before
    pause(user, first, last, habit_id=habits[1])


def test_pauses_may_touch(user: User) -> None:
    for first, last in ((2, 4), (0, 1), (5, 5)):
        pause(user, first, last)
    assert [shown["from"] for shown in listed(user)] == [ahead(5), ahead(2), ahead(0)]


def test_a_change_may_not_overlap_either(user: User) -> None:
    made = pause(user, 0, 1)
    pause(user, 5, 6)
    user.patch(f"/pauses/{made['id']}", {"to": ahead(5)}).refused(409, "conflict")
    assert user.patch(f"/pauses/{made['id']}", {"to": ahead(4)}).data == made | {"to": ahead(4), "days": 5}


def test_one_of_many_at_once(user: User) -> None:
    answers = at_once(6, lambda: user.post("/pauses", days(1, 3)))
    assert sorted(answer.status for answer in answers) == [200] + [409] * 5
    assert {answer.error["type"] for answer in answers if answer.status != 200} == {"conflict"}
    assert len(listed(user)) == 1


def test_the_database_itself_refuses_an_overlap(user: User, database: Database) -> None:
    pause(user, 1, 3)
    with pytest.raises(psycopg.errors.ExclusionViolation):
        database.query(
            "INSERT INTO habit_pauses (user_id, starts_on, ends_on) VALUES (%s, %s, %s)", user.id, ahead(3), ahead(4)
        )


# At most 60 days of everything in any 365 ---------------------------------------------------------------------------


def test_sixty_days_of_everything_and_not_one_more(user: User) -> None:
    assert user.post("/pauses", days(0, 60)).refused(409, "limit_reached") == {"limit": 60}
    pause(user, 0, 59)
    user.post("/pauses", days(60, 60)).refused(409, "limit_reached")
    user.post("/pauses", days(60)).refused(409, "limit_reached")
    pause(user, 0, 100, habit_id=factories.habit(user)["id"])
    assert len(listed(user)) == 2


@pytest.mark.parametrize("year", [2030, 2031])
def test_the_limit_is_of_any_365_days(new_user: NewUser, clock: Clock, year: int) -> None:
    """Those of a leap year too: the 29th of February 2032 is in the second one's."""
    clock.set(NOON.replace(year=year))
    user = new_user()
    first = NOON.date().replace(year=year)

    def at(day: int) -> str:
        return str(first.fromordinal(first.toordinal() + day))

    assert user.post("/pauses", {"from": at(0), "to": at(59)}).status == 200
    user.post("/pauses", {"from": at(364), "to": at(364)}).refused(409, "limit_reached")
    clock.advance("P10D")
    # A year after the first day each day that is added leaves one out.
    assert user.post("/pauses", {"from": at(365), "to": at(365 + 59)}).status == 200
    user.post("/pauses", {"from": at(364), "to": at(364)}).refused(409, "limit_reached")
    clock.advance("P60D")
    user.post("/pauses", {"from": at(425), "to": at(425)}).refused(409, "limit_reached")


def test_a_pause_over_the_end_of_the_365_days_counts_in_part(user: User) -> None:
    pause(user, 0, 58)
    user.post("/pauses", days(363, 400)).refused(409, "limit_reached")
    assert pause(user, 364, 400)["days"] == 37


def test_a_pause_between_two_others_counts_with_both(user: User) -> None:
    pause(user, 0, 19)
    pause(user, 300, 319)
    user.post("/pauses", days(100, 120)).refused(409, "limit_reached")
    middle = pause(user, 100, 119)
    user.patch(f"/pauses/{middle['id']}", {"to": ahead(120)}).refused(409, "limit_reached")
    assert user.patch(f"/pauses/{middle['id']}", {"from": ahead(101), "to": ahead(120)}).data["days"] == 20


def test_an_open_pause_lasts_as_long_as_days_are_left(user: User, clock: Clock) -> None:
    pause(user, 1, 50)
    clock.advance("P51D")
    made = pause(user)
    clock.advance("P10D")
    assert next(shown for shown in listed(user) if shown["id"] == made["id"])["to"] == ahead(60)


def test_of_parallel_pauses_only_so_many_fit(user: User) -> None:
    spans = count()
    answers = at_once(5, lambda: user.post("/pauses", days((n := 31 * next(spans)), n + 29)))
    assert sorted(answer.status for answer in answers) == [200, 200, 409, 409, 409]


def test_at_most_500_that_are_not_over(user: User, database: Database) -> None:
    habit = UUID(factories.habit(user)["id"])
    database.query(
        "INSERT INTO habit_pauses (user_id, habit_id, starts_on, ends_on)"
        " SELECT %s, %s, d, d FROM (SELECT %s::date + n AS d FROM generate_series(-1, 499) AS n WHERE n <> 3) AS s",
        *(user.id, habit, ahead(0)),
    )
    assert user.get("/pauses").data["total"] == 500
    pause(user, 3, 3, habit_id=str(habit))
    assert user.post("/pauses", days(0, 1)).refused(409, "limit_reached") == {"limit": 500}


# Changes ------------------------------------------------------------------------------------------------------------


def test_a_pause_ahead_can_be_moved_opened_and_deleted(user: User) -> None:
    made = pause(user, 10, 12)
    path = f"/pauses/{made['id']}"
    assert user.patch(path, {}).data == made
    assert user.patch(path, {"from": ahead(11)}).data == made | {"from": ahead(11), "days": 2}
    assert user.patch(path, {"to": ahead(20)}).data == made | {"from": ahead(11), "to": ahead(20), "days": 10}
    assert user.patch(path, days(-7, -6)).data == made | {"from": ahead(-7), "to": ahead(-6), "days": 2}
    ahead_again = pause(user, 10, 12)
    assert user.patch(f"/pauses/{ahead_again['id']}", {"to": None}).data == ahead_again | {"to": None, "days": 0}
    assert user.patch(f"/pauses/{ahead_again['id']}", {"from": ahead(0)}).data["days"] == 1
    assert user.delete(f"/pauses/{ahead_again['id']}").data == {"success": True, "id": ahead_again["id"]}
    assert [shown["id"] for shown in listed(user)] == [made["id"]]


@pytest.mark.parametrize(
    ("fields", "field"),
    [(days(13), "from"), (days(-8), "from"), (days(367), "from"), (days(None, 9), "to"), (days(10, 376), "to")],
)
def test_days_that_a_change_cannot_give(user: User, fields: dict[str, str], field: str) -> None:
    made = pause(user, 10, 12, habit_id=factories.habit(user)["id"])
    user.patch(f"/pauses/{made['id']}", fields).invalid(field)
    assert listed(user) == [made]


def test_of_a_pause_that_runs_the_days_that_have_passed_stay(user: User, clock: Clock) -> None:
    made = pause(user, 0, 9)
    path = f"/pauses/{made['id']}"
    clock.advance("P9D")  # to ahead(9)
    user.patch(path, {"from": ahead(1)}).invalid("from")
    user.patch(path, {"to": ahead(7)}).invalid("to")
    assert user.patch(path, {"from": ahead(0), "to": ahead(9)}).data == made
    user.patch(path, {"from": ahead(-1)}).invalid("from")  # ten days back
    assert user.patch(path, {"to": None}).data == made | {"to": None, "days": 10}
    assert user.patch(path, {"to": ahead(8)}).data == made | {"to": ahead(8), "days": 9}
    user.patch(path, {"to": ahead(20)}).refused(409, "invalid_state")
    user.delete(path).refused(409, "invalid_state")
    assert listed(user) == [made | {"to": ahead(8), "days": 9}]


def test_a_pause_that_runs_can_begin_earlier(user: User, clock: Clock) -> None:
    made = pause(user, 0, 9)
    clock.advance("P2D")
    assert user.patch(f"/pauses/{made['id']}", {"from": ahead(-5)}).data == made | {"from": ahead(-5), "days": 15}


def test_deleting_a_pause_that_runs_ends_it_yesterday(user: User, clock: Clock) -> None:
    habit = factories.habit(user)["id"]
    of_all, of_habit = pause(user, 0, 9), pause(user, -3, 9, habit_id=habit)
    today = pause(user, 0, 4, habit_id=factories.habit(user)["id"])
    user.delete(f"/pauses/{today['id']}")
    clock.advance("P1D")
    for made in (of_all, of_habit):
        user.delete(f"/pauses/{made['id']}")
    assert listed(user) == [of_all | {"to": ahead(0), "days": 1}, of_habit | {"to": ahead(0), "days": 4}]
    shown = user.get(f"/habits/{habit}").data
    assert (shown["paused_until"], shown["due_today"]) == (None, True)


def test_two_changes_at_once_leave_one_of_them(user: User) -> None:
    made = pause(user, 0, 1)
    ends = count(2)
    answers = at_once(4, lambda: user.patch(f"/pauses/{made['id']}", {"to": ahead(next(ends))}))
    assert {answer.status for answer in answers} == {200}
    assert listed(user)[0] in [answer.data for answer in answers]


def test_a_deleted_habit_takes_its_pauses_along(user: User) -> None:
    habit = factories.habit(user)["id"]
    pause(user, 1, 2, habit_id=habit)
    kept = pause(user, 1, 2)
    user.delete(f"/habits/{habit}")
    assert listed(user) == [kept]
