"""Lists: what is in which, in which order, and the counts beside them."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.clock import Clock
from tests.conftest import Database, NewUser, User
from tests.inbox.conftest import STATUSES, added, changed, listed, notify, shown, titles, unread

NOW = "2031-05-07T12:00:00Z"
EARLIER = "2031-05-07T11:00:00Z"
LATER = "2031-05-07T13:00:00Z"


@pytest.fixture(autouse=True)
def _now(clock: Clock) -> None:
    clock.freeze()
    clock.set(NOW)


def test_an_empty_inbox(user: User) -> None:
    assert listed(user) == {
        "items": [],
        "total": 0,
        "page": 1,
        "page_size": 50,
        "unread_count": 0,
        "has_next": False,
    }


def test_which_item_is_in_which_list(user: User, clock: Clock) -> None:
    kept: dict[str, dict[str, Any]] = {
        "plain": {},
        "unread": {"is_read": False},
        "archived": {"is_archived": True, "is_read": False},
        "expired": {"expires_at": NOW, "is_read": False},
        "expiring": {"expires_at": LATER},
        "snoozed": {"snoozed_until": LATER},
        "snoozed and archived": {"snoozed_until": LATER, "is_archived": True},
        "snoozed and expired": {"snoozed_until": LATER, "expires_at": EARLIER},
        "back": {"snoozed_until": NOW},
    }
    for title, fields in kept.items():
        changed(user, added(user, title), **fields)
        clock.advance("PT0.001S")
    clock.set(NOW)
    done = added(user, "processed")
    user.post(f"/user/inbox/{done['id']}/process", {"to": "quest"})
    found = {status: set(titles(user, status)) for status in STATUSES}
    assert found == {
        "open": {"plain", "unread", "expiring", "back"},
        "unread": {"unread", "back"},
        "archived": {"archived", "snoozed and archived", "processed"},
        "processed": {"processed"},
        "snoozed": {"snoozed", "snoozed and expired"},
        "all": {*kept, "processed"},
    }
    assert {status: listed(user, status)["total"] for status in STATUSES} == {
        status: len(names) for status, names in found.items()
    }
    assert unread(user) == 2


def test_what_is_processed_is_to_be_done_no_more(user: User) -> None:
    """Also when it is taken out of the archive and snoozed."""
    item = added(user)
    user.post(f"/user/inbox/{item['id']}/process", {"to": "quest"})
    changed(user, item, is_archived=False)
    assert (titles(user), titles(user, "archived"), titles(user, "processed")) == ([], [], ["Ask Ada"])
    changed(user, item, snoozed_until=LATER)
    assert (titles(user), titles(user, "snoozed"), titles(user, "processed")) == ([], [], ["Ask Ada"])
    assert [listed(user, status)["total"] for status in ("open", "snoozed", "processed")] == [0, 0, 1]


def test_newest_first(user: User, clock: Clock) -> None:
    for title in "abc":
        added(user, title)
        clock.advance("PT1S")
    assert titles(user) == titles(user, "all") == ["c", "b", "a"]


def test_pages(user: User, clock: Clock) -> None:
    for n in range(5):
        added(user, str(n))
        clock.advance("PT1S")
    first = listed(user, page_size=2)
    assert [item["title"] for item in first["items"]] == ["4", "3"]
    assert (first["total"], first["page"], first["page_size"], first["has_next"]) == (5, 1, 2, True)
    last = listed(user, page_size=2, page=3)
    assert ([item["title"] for item in last["items"]], last["has_next"]) == (["0"], False)
    full = listed(user, page_size=5)
    assert (len(full["items"]), full["has_next"]) == (5, False)
    past = listed(user, page_size=2, page=1_000_000)
    assert (past["items"], past["total"], past["has_next"]) == ([], 5, False)


def test_a_page_is_of_fifty(user: User) -> None:
    for n in range(51):
        added(user, str(n))
    assert (len(listed(user)["items"]), listed(user)["has_next"]) == (50, True)
    assert len(listed(user, page=2)["items"]) == 1


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"status": "new"}, "status"),
        ({"status": "OPEN"}, "status"),
        ({"page": 0}, "page"),
        ({"page": "x"}, "page"),
        ({"page": 1_000_001}, "page"),
        ({"page_size": 0}, "page_size"),
        ({"page_size": 101}, "page_size"),
    ],
)
def test_what_no_list_is(user: User, query: dict[str, Any], named: str) -> None:
    user.get("/user/inbox", query=query).invalid(named)


def test_an_empty_status_is_none(user: User) -> None:
    added(user)
    assert listed(user, status="", page="")["total"] == 1


# Snooze ------------------------------------------------------------------------------------------------------------


def test_snoozing(user: User, database: Database, clock: Clock) -> None:
    notify(database, user, "News")
    [item] = listed(user)["items"]
    snoozed = changed(user, item, snoozed_until=LATER)
    assert (snoozed["is_read"], snoozed["snoozed_until"]) == (True, "2031-05-07T13:00:00.000000Z")
    assert (titles(user), titles(user, "snoozed"), unread(user)) == ([], ["News"], 0)
    clock.advance("PT59M59S")
    assert (titles(user), shown(user, item)["is_read"]) == ([], True)
    clock.advance("PT1S")
    assert (titles(user), titles(user, "snoozed"), unread(user)) == (["News"], [], 1)
    assert shown(user, item)["is_read"] is False
    assert changed(user, item, is_read=True)["is_read"] is True
    assert unread(user) == 0


def test_what_came_back_stands_where_it_came_back(user: User, clock: Clock) -> None:
    first = added(user, "first")
    clock.advance("PT1M")
    added(user, "second")
    changed(user, first, snoozed_until=LATER)
    clock.set(LATER)
    assert titles(user) == ["first", "second"]
    changed(user, first, is_read=True)
    assert titles(user) == ["first", "second"]
    clock.advance("PT1M")
    added(user, "third")
    assert titles(user) == titles(user, "all") == ["third", "first", "second"]


def test_what_is_snoozed_is_listed_by_when_it_was_made(user: User, clock: Clock) -> None:
    changed(user, added(user, "first"), snoozed_until="2031-05-09T12:00:00Z")
    clock.advance("PT1M")
    changed(user, added(user, "second"), snoozed_until="2031-05-08T12:00:00Z")
    assert titles(user, "snoozed") == ["second", "first"]


def test_marking_a_snoozed_item_read_lets_it_come_back_unread(user: User, clock: Clock) -> None:
    item = changed(user, added(user), snoozed_until=LATER)
    assert changed(user, item, is_read=True)["is_read"] is True
    assert changed(user, item, title="Ask Bob")["is_read"] is True
    clock.set(LATER)
    assert (shown(user, item)["is_read"], unread(user)) == (False, 1)


def test_ending_a_snooze_leaves_the_item_read(user: User) -> None:
    item = changed(user, added(user), snoozed_until=LATER)
    after = changed(user, item, snoozed_until=None)
    assert (after["is_read"], after["snoozed_until"], titles(user)) == (True, None, ["Ask Ada"])
    assert unread(user) == 0


def test_snoozing_until_the_past_brings_it_back_at_once(user: User) -> None:
    item = changed(user, added(user), snoozed_until=EARLIER)
    assert (item["is_read"], titles(user), unread(user)) == (False, ["Ask Ada"], 1)
    item = changed(user, item, snoozed_until=EARLIER, is_read=True)
    assert (item["is_read"], unread(user)) == (True, 0)
    assert changed(user, item, title="Ask Bob")["is_read"] is True


def test_snoozing_again(user: User, clock: Clock) -> None:
    item = changed(user, added(user), snoozed_until=LATER)
    clock.set(LATER)
    item = changed(user, item, snoozed_until="2031-05-08T12:00:00Z")
    assert (item["is_read"], titles(user), unread(user)) == (True, [], 0)
    clock.set("2031-05-08T12:00:00Z")
    assert (titles(user), unread(user)) == (["Ask Ada"], 1)


# Counts under anything -----------------------------------------------------------------------------------------------

MOVES = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(
            [
                {"is_read": True},
                {"is_read": False},
                {"is_archived": True},
                {"is_archived": False},
                {"expires_at": EARLIER},
                {"expires_at": LATER},
                {"expires_at": None},
                {"snoozed_until": EARLIER},
                {"snoozed_until": LATER},
                {"snoozed_until": None},
            ]
        ),
    ),
    min_size=4,
    max_size=16,
)


@settings(max_examples=15)
@given(MOVES)
def test_counts_stay_right(new_user: NewUser, moves: list[tuple[int, dict[str, Any]]]) -> None:
    """Every list's total is the number of items that the list's rule takes, and so is the count of unread items."""
    user = new_user()
    items = [added(user, str(n)) for n in range(4)]
    for place, fields in moves:
        changed(user, items[place], **fields)
    every = listed(user, "all")["items"]
    now, later = "2031-05-07T12:00:00.000000Z", "2031-05-07T13:00:00.000000Z"
    expired = {item["id"] for item in every if item["expires_at"] and item["expires_at"] <= now}
    asleep = {item["id"] for item in every if item["snoozed_until"] == later}
    current = {item["id"] for item in every if not item["is_archived"]}
    lists: dict[str, set[str]] = {
        "open": current - expired - asleep,
        "unread": {item["id"] for item in every if not item["is_read"]} & current - expired,
        "snoozed": current & asleep,
        "archived": {item["id"] for item in every} - current,
        "processed": set(),
        "all": {item["id"] for item in every},
    }
    for status, ids in lists.items():
        found = listed(user, status)
        assert ({item["id"] for item in found["items"]}, found["total"]) == (ids, len(ids)), status
        assert found["unread_count"] == len(lists["unread"])
    assert all(item["is_read"] for item in every if item["id"] in asleep)
