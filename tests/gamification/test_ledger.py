from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from questlog.cursor import cursor_at, place_of

from local.clock import Clock
from tests.conftest import NewUser, User
from tests.gamification.conftest import Pay
from tests.support.clock import NOON


def pages(user: User, **query: Any) -> list[list[dict[str, Any]]]:
    """The pages of the ledger, followed by their cursors."""
    found = []
    cursor: str | None = ""
    while cursor is not None:
        page = user.get("/gamification/ledger", query=query | {"cursor": cursor}).data
        found.append(page["entries"])
        cursor = page["next_cursor"]
    return found


def test_shows_exactly_the_fields_of_an_entry(user: User, pay: Pay, reverse: Pay) -> None:
    paid = pay(user, "milestone_complete", xp=10, coins=4, key="milestone_complete:1")
    reverse(user, "milestone_complete:1")
    undoing, undone = user.get("/gamification/ledger").data["entries"]
    assert undone.pop("created_at").endswith("Z")
    assert len(undone.pop("local_date")) == len("2031-05-09")
    assert undone == {
        "id": str(paid["ledger_id"]),
        "event_type": "milestone_complete",
        "source_type": "test",
        "source_id": None,
        "xp": 10,
        "bonus_xp": 0,
        "coins": 4,
        "skill_key": "discipline",
        "coins_after": 4,
        "total_xp_after": 10,
        "level_after": 1,
        "reason": None,
        "reversed": True,
        "reverses": None,
        "cause_id": None,
    }
    assert (undoing["event_type"], undoing["xp"], undoing["coins"]) == ("reversal", -10, -4)
    assert (undoing["reverses"], undoing["reversed"], undoing["reason"]) == (undone["id"], False, "a test")


def test_an_achievement_names_its_cause(user: User, pay: Pay) -> None:
    pay(user, "focus_complete", xp=25)
    achievement, focus = user.get("/gamification/ledger").data["entries"]
    assert (achievement["event_type"], achievement["cause_id"]) == ("achievement", focus["id"])


def test_following_the_cursor_visits_every_row_once(user: User, pay: Pay) -> None:
    paid = [str(pay(user, "admin_adjustment", xp=1)["ledger_id"]) for _ in range(7)]
    for limit, sizes in ((3, [3, 3, 1]), (7, [7]), (1, [1] * 7), (100, [7])):
        found = pages(user, limit=limit)
        assert [len(page) for page in found] == sizes
        assert [entry["id"] for page in found for entry in page] == paid[::-1]


def test_rows_that_arrive_while_paging_are_neither_repeated_nor_in_the_way(user: User, other: User, pay: Pay) -> None:
    paid = [str(pay(user, "admin_adjustment", xp=1)["ledger_id"]) for _ in range(6)]
    seen: list[str] = []
    cursor: str | None = ""
    for _ in range(3):
        page = user.get("/gamification/ledger", query={"limit": 2, "cursor": cursor}).data
        seen += [entry["id"] for entry in page["entries"]]
        cursor = page["next_cursor"]
        pay(user, "admin_adjustment", xp=1)
        pay(other, "admin_adjustment", xp=1)
    assert cursor is None
    assert seen == paid[::-1]


def test_filters_hold_across_pages(new_user: NewUser, pay: Pay, clock: Clock) -> None:
    clock.set(NOON)
    user = new_user()
    for days_ago in (3, 2, 1, 0):
        pay(user, "milestone_complete", days_ago=days_ago)
        pay(user, "admin_adjustment", days_ago=days_ago)
    today = date.fromisoformat(user.get("/gamification/history", query={"days": 1}).data["days"][0]["date"])
    query = {"event_type": "milestone_complete", "from": today - timedelta(2), "to": today - timedelta(1), "limit": 1}
    found = pages(user, **query)
    assert [[entry["local_date"] for entry in page] for page in found] == [
        [str(today - timedelta(1))],
        [str(today - timedelta(2))],
    ]
    assert {entry["event_type"] for page in found for entry in page} == {"milestone_complete"}
    assert pages(user, event_type="no such") == [[]]
    assert pages(user, **{"from": today, "to": today - timedelta(1)}) == [[]]


def test_each_bound_of_the_days_holds_by_itself(new_user: NewUser, pay: Pay, clock: Clock) -> None:
    clock.set("2031-05-09T12:00:00Z")
    user = new_user()
    for days_ago in (3, 2, 1, 0):
        pay(user, "admin_adjustment", days_ago=days_ago)

    def days(**query: str) -> list[str]:
        return [entry["local_date"][-2:] for page in pages(user, limit=2, **query) for entry in page]

    assert days() == ["09", "08", "07", "06"]
    assert days(**{"from": "2031-05-07"}) == ["09", "08", "07"]
    assert days(to="2031-05-07") == ["07", "06"]
    assert days(**{"from": "2031-05-07", "to": "2031-05-08"}) == ["08", "07"]
    assert days(**{"from": "2031-05-08", "to": "2031-05-08"}) == ["08"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"from": "yesterday"}, "from"),
        ({"to": "2031-02-30"}, "to"),
        ({"cursor": "1"}, "cursor"),
        ({"cursor": "*" * 16}, "cursor"),
        ({"cursor": cursor_at(7)[:-1]}, "cursor"),
        ({"cursor": cursor_at(7) + "A"}, "cursor"),
        ({"cursor": cursor_at(7).swapcase()}, "cursor"),
        ({"cursor": "ü" * 16}, "cursor"),
    ],
)
def test_bad_queries_are_named(user: User, query: dict[str, object], field: str) -> None:
    user.get("/gamification/ledger", query=query).invalid(field)


def test_a_cursor_of_another_user_shows_only_ones_own(user: User, other: User, pay: Pay) -> None:
    mine = str(pay(user, "admin_adjustment", xp=1)["ledger_id"])
    for _ in range(2):
        pay(other, "admin_adjustment", xp=1)
    cursor = other.get("/gamification/ledger", query={"limit": 1}).data["next_cursor"]
    found = user.get("/gamification/ledger", query={"cursor": cursor}).data["entries"]
    assert [entry["id"] for entry in found] == [mine]


@given(st.integers(0, 2**63 - 1))
def test_a_cursor_leads_back_to_its_place(seq: int) -> None:
    assert place_of(cursor_at(seq)) == seq


@given(st.integers(0, 2**63 - 1), st.integers(0, 15), st.sampled_from("ABCXYZabcxyz0189-_"))
def test_a_damaged_cursor_leads_nowhere(seq: int, position: int, character: str) -> None:
    cursor = cursor_at(seq)
    damaged = cursor[:position] + character + cursor[position + 1 :]
    if damaged != cursor:
        with pytest.raises(ValueError, match="is not a cursor"):
            place_of(damaged)


@given(st.text())
def test_no_text_breaks_a_cursor(text: str) -> None:
    with pytest.raises(ValueError, match="is not a cursor"):
        place_of(text)
