"""The totals of long lists, which are kept: they are what the rows say after any requests, in any order, also at once.

Every test that makes a user holds the totals to the rows when it ends (tests/conftest.py).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.clock import Clock
from tests.conftest import Database, NewUser, User, at_once
from tests.listening import music
from tests.support import ledger

# Each list, narrowed to all that has a total of its own, and to some of what has none.
LISTS: dict[str, list[dict[str, str]]] = {
    "/references": [{}, {"archived": "true"}, {"tag": "mixing"}],
    "/user/inbox": [{"status": status} for status in ("open", "snoozed", "archived", "processed", "all", "unread")],
    "/focus": [
        *(
            {},
            {"mode": "break"},
            {"status": "completed"},
            {"mode": "focus", "status": "abandoned"},
            {"status": "active"},
        ),
        *({"tag": "loud"}, {"tag": "new", "status": "completed"}, {"tag": "loud", "mode": "break"}, {"tag": "none"}),
        *({"from": "2031-05-07"}, {"to": "2031-05-06"}, {"from": "2031-05-07", "to": "2031-05-07", "tag": "deep"}),
    ],
    "/infobase": [
        *({}, {"trash": "true"}, {"pinned": "true"}, {"pinned": "false"}, {"category": "Tips"}, {"tag": "mix"}),
        *({"category": "Bells", "tag": "MIX"}, {"tag": "none"}),
    ],
    "/ideas": [{}, {"archived": "true"}, {"category": "Bells"}, {"tag": "mix", "category": "general"}],
    "/market/history": [{}, *({"status": status} for status in ("active", "expired", "redeemed", "refunded"))],
    "/books/sessions": [{}],
    "/reference/listening/sessions": [
        {},
        *({"status": status} for status in ("in_progress", "completed", "abandoned")),
    ],
}


def total(user: User, path: str, **query: str) -> int:
    """The total of a list, of which a page is asked for that has room for all."""
    answer = user.get(path, query={"page_size": 100, **query}).json
    data = answer["data"] if isinstance(answer.get("data"), dict) else answer
    [rows] = [value for value in data.values() if isinstance(value, list)]
    assert len(rows) == data["total"], (path, query)
    number: int = data["total"]
    return number


def totals(user: User, path: str) -> list[int]:
    """The totals of a list, narrowed in each way."""
    return [total(user, path, **query) for query in LISTS[path]]


# Any requests -------------------------------------------------------------------------------------------------------


@dataclass
class Account:
    """A user and the ids of what they have made, by the kind of thing."""

    user: User
    made: dict[str, list[str]] = field(default_factory=dict)

    def make(self, kind: str, path: str, body: dict[str, Any]) -> None:
        answer = self.user.post(path, body)
        assert answer.status == 200, answer.text
        self.made.setdefault(kind, []).append(answer.data["id"])

    def change(self, kind: str, pick: int, change: Callable[[str], Any]) -> None:
        """Do something with one of the things there are; nothing where there is none."""
        if ids := self.made.get(kind):
            assert change(ids[pick % len(ids)]).status in (200, 404, 409)


STEPS: dict[str, Callable[[Account, int], None]] = {
    "a bookmark": lambda account, _: account.make("bookmark", "/references", {"title": "Bells"}),
    "a bookmark is archived": lambda account, pick: account.change(
        "bookmark", pick, lambda id_: account.user.put(f"/references/{id_}", {"is_archived": True})
    ),
    "a bookmark is brought back": lambda account, pick: account.change(
        "bookmark", pick, lambda id_: account.user.put(f"/references/{id_}", {"is_archived": False})
    ),
    "a bookmark is deleted": lambda account, pick: account.change(
        "bookmark", pick, lambda id_: account.user.delete(f"/references/{id_}")
    ),
    "an item": lambda account, _: account.make("item", "/user/inbox", {"title": "Ask Ada"}),
    "an item is archived": lambda account, pick: account.change(
        "item", pick, lambda id_: account.user.put(f"/user/inbox/{id_}", {"is_archived": True})
    ),
    "an item is brought back": lambda account, pick: account.change(
        "item", pick, lambda id_: account.user.put(f"/user/inbox/{id_}", {"is_archived": False})
    ),
    "an item is snoozed": lambda account, pick: account.change(
        "item", pick, lambda id_: account.user.put(f"/user/inbox/{id_}", {"snoozed_until": "2031-05-08T09:00:00Z"})
    ),
    "an item has expired": lambda account, pick: account.change(
        "item", pick, lambda id_: account.user.put(f"/user/inbox/{id_}", {"expires_at": "2031-05-01T09:00:00Z"})
    ),
    "an item is processed": lambda account, pick: account.change(
        "item", pick, lambda id_: account.user.post(f"/user/inbox/{id_}/process", {"to": "idea"})
    ),
    "an item is deleted": lambda account, pick: account.change(
        "item", pick, lambda id_: account.user.delete(f"/user/inbox/{id_}")
    ),
    "an entry": lambda account, pick: account.make(
        "entry", "/infobase", {"title": "Bells", "tags": ["mix", "Bass"][: pick % 3], "is_pinned": pick == 5}
    ),
    "an entry is changed": lambda account, pick: account.change(
        "entry", pick, lambda id_: account.user.put(f"/infobase/{id_}", {"category": "Bells", "tags": ["Mix"]})
    ),
    "an entry goes to the trash": lambda account, pick: account.change(
        "entry", pick, lambda id_: account.user.delete(f"/infobase/{id_}")
    ),
    "an entry comes back": lambda account, pick: account.change(
        "entry", pick, lambda id_: account.user.post(f"/infobase/{id_}/restore")
    ),
    "an entry is deleted": lambda account, pick: account.change(
        "entry", pick, lambda id_: account.user.delete(f"/infobase/{id_}", query={"permanent": "true"})
    ),
    "an idea": lambda account, pick: account.make(
        "idea", "/ideas", {"title": "Bells", "category": ("general", "Bells")[pick % 2], "tags": ["Mix"]}
    ),
    "an idea is archived": lambda account, pick: account.change(
        "idea", pick, lambda id_: account.user.put(f"/ideas/{id_}", {"is_archived": True})
    ),
    "an idea is deleted": lambda account, pick: account.change(
        "idea", pick, lambda id_: account.user.delete(f"/ideas/{id_}")
    ),
    "a session": lambda account, pick: account.make(
        "session", "/focus", {"mode": ("focus", "break")[pick % 2], "tags": ["deep", "loud"][: pick % 3]}
    ),
    "a session is completed": lambda account, pick: account.change(
        "session", pick, lambda id_: account.user.post(f"/focus/{id_}/complete")
    ),
    "a session is abandoned": lambda account, pick: account.change(
        "session", pick, lambda id_: account.user.post(f"/focus/{id_}/abandon")
    ),
    "a session gets other tags": lambda account, pick: account.change(
        "session", pick, lambda id_: account.user.patch(f"/focus/{id_}", {"tags": ["loud", "new"][: pick % 3]})
    ),
}


@settings(max_examples=4)
@given(steps=st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 5)), min_size=8, max_size=14))
def test_totals_after_any_requests(
    new_user: NewUser, database: Database, noon: None, steps: list[tuple[str, int]]
) -> None:
    account = Account(new_user())
    for name, pick in steps:
        STEPS[name](account, pick)
    assert database.audit(account.user.id) == []
    for path in ("/references", "/user/inbox", "/focus", "/infobase", "/ideas"):
        totals(account.user, path)
    facets = account.user.get("/infobase/facets").data
    for narrowed in ("category", "tag"):
        shown = facets["categories" if narrowed == "category" else "tags"]
        assert all(total(account.user, "/infobase", **{narrowed: row[narrowed]}) == row["count"] for row in shown)


# Each list ----------------------------------------------------------------------------------------------------------


def test_purchases(user: User, database: Database, clock: Clock) -> None:
    ledger.award(database, user, coins=10_000)
    assert user.post("/market/items", {"name": "Tea", "price_coins": 1, "valid_days": 1}).status == 200
    key = user.get("/market/items").data["items"][-1]["key"]
    bought = [user.post("/market/purchase", {"item_key": key}).data["purchase"]["id"] for _ in range(4)]
    assert totals(user, "/market/history") == [4, 4, 0, 0, 0]
    assert user.post("/market/redeem", {"purchase_id": bought[0]}).status == 200
    assert user.post("/market/refund", {"purchase_id": bought[1]}).status == 200
    assert totals(user, "/market/history") == [4, 2, 0, 1, 1]
    clock.advance("P2D")
    assert totals(user, "/market/history") == [4, 0, 2, 1, 1]
    assert total(user, "/market/history", item=key, status="refunded") == 1
    assert [total(user, "/market/history", item=key, **query) for query in LISTS["/market/history"]] == [4, 0, 2, 1, 1]
    assert user.post("/market/purchase", {"item_key": "movie_night"}).status == 200
    [item] = [
        row["item_id"] for row in user.get("/market/history").data["purchases"] if row["item_key"] == "movie_night"
    ]
    assert [total(user, "/market/history", item=of) for of in (key, "movie_night", item, "nothing")] == [4, 1, 1, 0]
    assert totals(user, "/market/history") == [5, 1, 2, 1, 1]


def test_reading(user: User) -> None:
    books = [user.post("/books", {"title": title, "total_pages": 300}).data["id"] for title in ("Bells", "Owls")]
    logs = [
        user.post(f"/books/{book}/sessions", {"pages_read": pages}).data["session"]["id"]
        for book in books
        for pages in (1, 2)
    ]
    assert totals(user, "/books/sessions") == [4]
    assert user.delete(f"/books/{books[1]}/sessions/{logs[-1]}").status == 200
    assert totals(user, "/books/sessions") == [3]
    assert user.delete(f"/books/{books[0]}").status == 200
    assert totals(user, "/books/sessions") == [1]


def test_listening(user: User, database: Database) -> None:
    path = "/reference/listening/sessions"
    tracks = [music.track(database, user) for _ in range(2)]
    session = ""
    for track in tracks:
        for end in ("complete", "abandon", "abandon"):
            session = user.post(path, {"track_id": track}).json["id"]
            assert user.post(f"{path}/{session}/{end}").status == 200
            assert user.post(f"{path}/{session}/{end}").status == 200, "an end that is repeated counts once"
    user.post(path, {"track_id": tracks[1]})
    assert totals(user, path) == [7, 1, 2, 4]
    assert user.delete(f"{path}/{session}").status == 200
    assert totals(user, path) == [6, 1, 2, 3]
    assert total(user, path, track_id=tracks[0], status="abandoned") == 2
    assert user.delete(f"/reference/tracks/{tracks[0]}").status == 200
    assert totals(user, path) == [3, 1, 1, 1]


# On and around the first instants of months, in UTC and where the user is.
STARTS = [
    *("2030-12-31T23:59:59.999999Z", "2031-01-01T00:00:00Z", "2031-01-31T10:59:59Z", "2031-01-31T11:00:00Z"),
    *("2031-01-31T23:00:00Z", "2031-02-01T00:00:00Z", "2031-02-01T00:00:00.000001Z", "2031-02-28T12:00:00Z"),
    *("2031-03-01T00:00:00Z", "2031-03-15T00:00:00Z", "2031-03-31T10:00:00Z", "2031-04-30T23:59:59Z"),
]


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland", "America/St_Johns"])
def test_focus_of_any_span(user: User, database: Database, zone: str) -> None:
    """What is kept by months of UTC and counted at the ends of a span is what all sessions of the span are."""
    assert user.put("/user/settings", {"timezone": zone}).status == 200
    database.query(
        """
        INSERT INTO focus_sessions
               (user_id, mode, duration_seconds, started_at, ended_at, completed_at, status, end_reason, tags)
        SELECT %s, CASE WHEN s.n %% 3 = 0 THEN 'break' ELSE 'focus' END, 60, s.at, s.at, s.at, 'completed', 'user',
               '{deep}'
          FROM unnest(%s::timestamptz[]) WITH ORDINALITY AS s (at, n)
        """,
        *(user.id, STARTS),
    )
    database.query("SELECT count_totals(%s)", user.id)
    [found] = ledger.as_user(
        database,
        user,
        """
        SELECT count(*) AS spans, count(*) FILTER (WHERE f.total = w.total) AS equal, max(f.total) AS most
          FROM unnest(ARRAY[NULL, '2030-12-31', '2031-01-01', '2031-01-31', '2031-02-01', '2031-03-01', '2031-03-02',
                            '2031-04-30']::date[]) AS first,
               unnest(ARRAY[NULL, '2030-12-31', '2031-01-30', '2031-01-31', '2031-02-01', '2031-02-28', '2031-03-31',
                            '2031-05-01']::date[]) AS last,
               (VALUES (NULL, NULL, NULL), ('break', NULL, NULL), (NULL, 'completed', NULL), (NULL, NULL, 'deep'),
                       ('focus', NULL, 'deep'), ('break', 'completed', 'deep'), (NULL, 'expired', 'deep'))
                   AS n (mode, status, tag),
               focus_total(n.mode, n.status, n.tag, first, last) AS f,
               LATERAL (SELECT count(*) AS total FROM focus_sessions_where(n.mode, n.status, n.tag, first, last)) AS w
        """,
    )
    assert (found["spans"], found["equal"], found["most"]) == (8 * 8 * 7, 8 * 8 * 7, len(STARTS))


# At once ------------------------------------------------------------------------------------------------------------


def test_two_who_archive_a_bookmark_while_others_delete_it(user: User) -> None:
    made = user.post("/references", {"title": "Bells"}).data["id"]
    turn = iter([{"is_archived": True}, None, {"is_archived": False}, {"is_archived": True}, None])

    def change() -> int:
        body = next(turn)
        return (user.put(f"/references/{made}", body) if body else user.delete(f"/references/{made}")).status

    assert set(at_once(5, change)) <= {200, 404}
    assert totals(user, "/references") == [0, 0, 0]


def test_notes_that_come_while_the_user_writes(user: User, database: Database) -> None:
    turn = iter([True, False] * 3)

    def write() -> None:
        if next(turn):
            assert user.post("/user/inbox", {"title": "Ask Ada"}).status == 200
        else:
            with database.admin() as connection:
                connection.execute("SELECT notify_user(%s, 'An answer', NULL)", [user.id])

    at_once(6, write)
    assert total(user, "/user/inbox") == 6


# What is wrong is found ---------------------------------------------------------------------------------------------


def test_a_wrong_total_is_found(user: User, database: Database) -> None:
    user.post("/references", {"title": "Bells"})
    database.query("UPDATE user_totals SET total = 2 WHERE user_id = %s", user.id)
    [found] = database.audit(user.id)
    assert found["problem"] == "The total of references, -infinity, open is kept as 2 and counted as 1."
    [row] = database.query("SELECT count_miscounts() AS wrong")
    assert row["wrong"] >= 1
    database.query("DELETE FROM user_totals WHERE user_id = %s", user.id)
    assert len(database.audit(user.id)) == 1, "a total that is missing"
    database.query("SELECT count_totals(%s)", user.id)


def test_a_list_that_has_no_totals_is_refused(user: User, database: Database) -> None:
    user.post("/references", {"title": "Bells"})
    with pytest.raises(psycopg.errors.CheckViolation):
        database.query("UPDATE user_totals SET list = 'bells' WHERE user_id = %s", user.id)
