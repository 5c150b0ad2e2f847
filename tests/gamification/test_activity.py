from datetime import datetime
from typing import Any

import pytest

from local.clock import Clock
from tests.conftest import Client, Database, NewUser, User, at_once
from tests.gamification.conftest import Pay
from tests.support.locks import after_a_wait


def feed(user: User, **query: Any) -> list[dict[str, Any]]:
    answer = user.get("/activity", query=query)
    assert answer.status == 200, answer.text
    rows: list[dict[str, Any]] = answer.json
    return rows


def test_what_a_client_logs_pays_nothing(user: User, pay: Pay) -> None:
    pay(user, "milestone_complete", xp=10, coins=5)
    paths = ("/gamification/stats", "/streaks", "/gamification/ledger", "/skills/user")
    before = [user.get(path).json for path in paths]
    answer = user.post("/activity", {"event_type": " page_view ", "category": "nav", "metadata": {"page": "/today"}})
    assert answer.status == 200
    logged = answer.json
    assert isinstance(logged.pop("id"), str)
    assert logged.pop("created_at").endswith("Z")
    assert logged == {
        "event_type": "page_view",
        "category": "nav",
        "metadata": {"page": "/today"},
        "xp_earned": 0,
        "coins_earned": 0,
    }
    assert [user.get(path).json for path in paths] == before


def test_only_what_names_the_event_is_needed(user: User) -> None:
    logged = user.post("/activity", {"type": "page_view", "category": "  "}).json
    assert (logged["event_type"], logged["category"], logged["metadata"]) == ("page_view", None, {})
    assert user.post("/activity", {"type": "a", "event_type": "b"}).json["event_type"] == "b"
    assert user.post("/activity", {"type": "a", "event_type": None}).json["event_type"] == "a"


@pytest.mark.parametrize("name", ["focus_complete", "market_purchase", "achievement", "reversal"])
def test_a_clients_word_does_not_look_like_the_ledgers(user: User, name: str) -> None:
    assert user.post("/activity", {"event_type": name}).json["event_type"] == f"client:{name}"
    assert user.get("/progress").json["xp"] == 0


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"event_type"}),
        ({"event_type": None, "type": None}, {"event_type"}),
        ({"event_type": "  "}, {"event_type"}),
        ({"event_type": "x" * 65}, {"event_type"}),
        ({"event_type": 7}, {"event_type"}),
        ({"type": "x" * 65}, {"type"}),
        ({"type": "a", "category": "x" * 65}, {"category"}),
        ({"type": "a", "metadata": []}, {"metadata"}),
        ({"type": "a", "metadata": {"x": "x" * 4089}}, {"metadata"}),
        ({"type": "a", "metadata": {"x": "ü" * 2045}}, {"metadata"}),
    ],
)
def test_bad_input_is_named(user: User, body: dict[str, object], fields: set[str]) -> None:
    user.post("/activity", body).invalid(*fields)
    assert feed(user) == []


def test_a_number_beyond_all_numbers_is_bad_input(user: User) -> None:
    user.post("/activity", b'{"type": "a", "metadata": {"n": [1e999]}}').invalid("metadata.n.0")
    assert feed(user) == []


def test_a_large_number_comes_back_as_it_was(user: User) -> None:
    logged = user.post("/activity", b'{"type": "a", "metadata": {"n": [1e308, 7]}}')
    assert logged.json["metadata"] == {"n": [1e308, 7]}
    assert len(logged.text) < 500
    assert feed(user) == [logged.json]


def test_metadata_may_fill_its_bytes(user: User) -> None:
    assert user.post("/activity", {"type": "a", "metadata": {"x": "ü" * 2044}}).status == 200


def test_the_feed_is_both_newest_first(user: User, other: User, pay: Pay) -> None:
    logged = [user.post("/activity", {"type": "first"}).json]
    paid = pay(user, "milestone_complete", xp=10, coins=5, metadata={"n": 1})
    logged.append(user.post("/activity", {"type": "last"}).json)
    other.post("/activity", {"type": "not mine"})
    pay(other, "milestone_complete", xp=10)
    newest, middle, oldest = feed(user)
    assert [newest, oldest] == logged[::-1]
    assert datetime.fromisoformat(middle.pop("created_at")).tzinfo
    assert middle == {
        "id": str(paid["ledger_id"]),
        "event_type": "milestone_complete",
        "category": "test",
        "metadata": {"n": 1},
        "xp_earned": 10,
        "coins_earned": 5,
    }


def test_what_was_spent_or_taken_back_is_left_out(user: User, pay: Pay, spend: Pay, reverse: Pay) -> None:
    pay(user, "milestone_complete", coins=10, key="milestone_complete:1")
    pay(user, "milestone_complete", key="milestone_complete:2")
    spend(user, 5, "purchase:1")
    spend(user, 5, "purchase:2")
    reverse(user, "purchase:2")
    reverse(user, "milestone_complete:2")
    assert [(row["event_type"], row["coins_earned"]) for row in feed(user)] == [("milestone_complete", 10)]


def test_goes_back_page_by_page(user: User, pay: Pay) -> None:
    for n in range(4):
        user.post("/activity", {"type": f"logged {n}"})
        pay(user, "admin_adjustment", xp=n)
    everything = feed(user)
    assert len(everything) == 8
    seen: list[dict[str, Any]] = []
    while page := feed(user, limit=3, **({"before": seen[-1]["created_at"]} if seen else {})):
        assert len(page) <= 3
        seen += page
    assert seen == everything


def test_the_limit_is_twenty_and_at_most_a_hundred(user: User, database: Database) -> None:
    database.query(
        "INSERT INTO activity_events (user_id, event_type, created_at)"
        " SELECT %s, 'old', clock() - make_interval(secs => n) FROM generate_series(1, 120) AS n",
        user.id,
    )
    assert len(feed(user)) == 20
    assert len(feed(user, limit=100)) == len(feed(user, limit=101)) == len(feed(user, limit=10**12)) == 100


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": -5}, "limit"),
        ({"limit": "x"}, "limit"),
        ({"before": "yesterday"}, "before"),
        ({"before": "2031-05-09T08:00:00"}, "before"),
    ],
)
def test_bad_queries_are_named(user: User, query: dict[str, object], field: str) -> None:
    user.get("/activity", query=query).invalid(field)


def fill(user: User, database: Database, events: int) -> None:
    """Leave so many events of now."""
    database.query(
        "INSERT INTO activity_events (user_id, event_type) SELECT %s, 'filler' FROM generate_series(1, %s)",
        *(user.id, events),
    )


def test_five_hundred_a_day_are_enough(user: User, other: User, database: Database, clock: Clock) -> None:
    clock.freeze()
    clock.set("2031-05-09T22:00:00Z")
    fill(user, database, 499)
    assert user.post("/activity", {"type": "a"}).status == 200
    refusal = user.post("/activity", {"type": "a"})
    assert refusal.refused(429, "rate_limited") == {"retry_after": 7200}
    assert refusal.headers["retry-after"] == "7200"
    assert other.post("/activity", {"type": "a"}).status == 200
    assert database.query("SELECT count(*) AS n FROM activity_events WHERE user_id = %s", user.id) == [{"n": 500}]


def test_a_new_day_is_a_new_start(new_user: NewUser, database: Database, clock: Clock) -> None:
    user = new_user(settings={"timezone": "Asia/Tokyo", "day_start_hour": 4})
    clock.freeze()
    clock.set("2031-05-09T18:59:59Z")  # the last second of the user's 9th of May
    fill(user, database, 500)
    user.post("/activity", {"type": "a"}).refused(429, "rate_limited")
    clock.set("2031-05-09T19:00:00Z")
    assert user.post("/activity", {"type": "a"}).status == 200
    fill(user, database, 499)
    user.post("/activity", {"type": "a"}).refused(429, "rate_limited")


def test_an_event_is_dated_after_the_wait_for_the_lock(user: User, database: Database) -> None:
    logged, released = after_a_wait(database, user, lambda: user.post("/activity", {"type": "a"}).json)
    assert datetime.fromisoformat(logged["created_at"]) >= released


def test_the_limit_holds_in_parallel(user: User, database: Database, clock: Clock) -> None:
    clock.set("2031-05-09T12:00:00Z")
    fill(user, database, 495)
    answers = at_once(10, lambda: user.post("/activity", {"type": "a"}).status)
    assert sorted(answers) == [200] * 5 + [429] * 5


def test_a_replay_logs_once(user: User) -> None:
    key = {"Idempotency-Key": "once"}
    first, again = (user.post("/activity", {"type": "a"}, headers=key) for _ in range(2))
    assert again.json == first.json
    assert len(feed(user)) == 1


def test_logging_needs_a_session(stranger: Client) -> None:
    stranger.post("/activity", {"type": "a"}).refused(401, "unauthorized")
