"""GET /notifications and POST /notifications/test: what was sent, and a message to try the way (beyond contract, 3)."""

from typing import Any
from uuid import UUID

import pytest

from local.clock import Clock
from tests.conftest import Client, Database, User, at_once
from tests.jobs.ticking import tick as tick_jobs
from tests.notifications.browsers import Browser
from tests.notifier.ticking import tick
from tests.support import bucket
from tests.support.client import Bearer

MESSAGE = {"id", "kind", "title", "body", "path", "created_at", "channels"}
CHANNEL = {"channel", "subscription_id", "status", "attempts", "finished_at"}
SOME_BROWSER = UUID("00000000-0000-4000-8000-000000000000")


def past(database: Database, user: User, count: int) -> None:
    """Messages of the past, numbered from 1, each delivered to a browser and not by mail."""
    database.query(
        """
        WITH made AS (
            INSERT INTO notification_outbox (user_id, seq, kind, dedupe_key, title, body, path, expires_at)
            SELECT %s, n, 'habit', 'habit:' || n, n::text, 'It is time.', '/habits', clock() + interval '1 hour'
              FROM generate_series(1, %s) AS n
            RETURNING user_id, id)
        INSERT INTO notification_deliveries
               (user_id, message_id, channel, subscription_id, status, attempts, finished_at)
        SELECT m.user_id, m.id, c.*, clock()
          FROM made AS m, (VALUES ('push', %s::uuid, 'delivered', 1), ('email', NULL, 'failed', 5)) AS c
        """,
        *(user.id, count, SOME_BROWSER),
    )


def pages(user: User, limit: int) -> list[list[str]]:
    """The titles of each page, by its cursors."""
    found: list[list[str]] = []
    cursor: dict[str, Any] = {}
    while True:
        page = user.get("/notifications", query={"limit": limit, **cursor}).data
        found.append([message["title"] for message in page["messages"]])
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}


def test_what_was_sent_and_what_became_of_it(user: User, database: Database) -> None:
    past(database, user, 1)
    [message] = user.get("/notifications").data["messages"]
    assert set(message) == MESSAGE
    assert (message["kind"], message["title"], message["path"]) == ("habit", "1", "/habits")
    assert all(set(channel) == CHANNEL for channel in message["channels"])
    email, push = sorted(message["channels"], key=lambda channel: str(channel["channel"]))
    assert (email["channel"], email["status"], email["attempts"], email["subscription_id"]) == (
        *("email", "failed", 5),
        None,
    )
    assert (push["channel"], push["status"], push["attempts"], push["subscription_id"]) == (
        *("push", "delivered", 1),
        str(SOME_BROWSER),
    )


def test_the_newest_come_first_and_each_on_one_page(user: User, other: User, database: Database) -> None:
    past(database, user, 5)
    past(database, other, 3)
    assert pages(user, 2) == [["5", "4"], ["3", "2"], ["1"]]
    assert pages(user, 5) == pages(user, 100) == [["5", "4", "3", "2", "1"]]
    # A cursor is a place in a list, and opens nobody else's.
    cursor = other.get("/notifications", query={"limit": 1}).data["next_cursor"]
    mine = user.get("/notifications", query={"cursor": cursor}).data["messages"]
    assert [message["title"] for message in mine] == ["2", "1"]


def test_a_page_has_fifty_messages_and_a_hundred_at_most(user: User, database: Database) -> None:
    past(database, user, 101)
    assert len(user.get("/notifications").data["messages"]) == 50
    assert [len(page) for page in pages(user, 100)] == [100, 1]
    user.get("/notifications", query={"limit": 101}).invalid("limit")


def test_strangers_see_nothing(stranger: Client) -> None:
    stranger.get("/notifications").refused(401, "unauthorized")


# A message to try the way --------------------------------------------------------------------------------------------


def test_five_a_minute(user: User, other: User, browser: Browser, clock: Clock, noon: None) -> None:
    browser.subscribe(user)
    statuses = [answer.status for answer in at_once(8, lambda: user.post("/notifications/test"))]
    assert sorted(statuses) == [200] * 5 + [429] * 3
    answer = user.post("/notifications/test")
    assert answer.refused(429, "rate_limited").keys() == {"retry_after"}
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert other.post("/notifications/test").status == 200
    assert tick()["delivered"] == 5
    clock.advance("PT1M")
    assert user.post("/notifications/test").data == {"queued": 1}


@pytest.mark.parametrize("off", ["notifications_enabled", "push_notifications"])
def test_none_to_who_wants_none(user: User, browser: Browser, off: str) -> None:
    browser.subscribe(user)
    user.patch("/user/settings", {off: False})
    assert user.post("/notifications/test").data == {"queued": 0}
    assert tick() == {}


def test_a_key_makes_no_message_of_an_hour_ago(user: User, browser: Browser) -> None:
    """Its answer is not kept: a second try is a second message."""
    browser.subscribe(user)
    key = {"Idempotency-Key": "once"}
    answers = [user.post("/notifications/test", headers=key) for _ in range(2)]
    assert ["idempotent-replay" in answer.headers for answer in answers] == [False, False]
    assert tick()["delivered"] == 2


def test_a_token_that_only_reads_sends_none(user: User, browser: Browser) -> None:
    browser.subscribe(user)
    reading = Bearer(user.post("/auth/sessions", {"name": "Reads", "scope": "read"}).data["token"])
    reading.post("/notifications/test").refused(403, "forbidden")
    assert reading.get("/notifications").data["messages"] == []
    assert tick() == {}


# A browser that is another user's now --------------------------------------------------------------------------------


def test_what_waits_for_a_browser_is_not_shown_to_its_next_user(
    user: User, other: User, browser: Browser, clock: Clock, *, noon: None
) -> None:
    """A push service was busy; meanwhile somebody else has signed in and subscribed there."""
    browser.subscribe(user)
    user.post("/notifications/test")
    browser.answer = lambda _: (503, {})
    assert tick()["later"] == 1
    browser.arrived.clear()
    browser.answer = lambda _: (201, {})
    browser.subscribe(other)
    clock.advance("PT1M")
    assert tick() == {"gone": 1}
    assert browser.arrived == []
    [message] = user.get("/notifications").data["messages"]
    assert [channel["status"] for channel in message["channels"]] == ["gone"]
    assert other.get("/notifications").data["messages"] == []


def test_what_waits_for_a_browser_that_was_removed_is_not_sent(
    user: User, browser: Browser, clock: Clock, noon: None
) -> None:
    subscription = browser.subscribe(user)
    user.post("/notifications/test")
    browser.answer = lambda _: (503, {})
    tick()
    browser.arrived.clear()
    assert user.delete(f"/notifications/subscriptions/{subscription}").status == 200
    clock.advance("PT1M")
    assert tick() == {"gone": 1}
    assert browser.arrived == []


# What is ready -------------------------------------------------------------------------------------------------------


def test_an_export_that_is_ready_is_told(user: User, browser: Browser) -> None:
    bucket.serve()
    browser.subscribe(user)
    export = user.post("/user/exports", {"include_audio": False}).data["id"]
    assert tick() == {}
    assert tick_jobs()["done"] >= 1
    assert user.get(f"/user/exports/{export}").data["status"] == "ready"
    assert tick()["delivered"] == 1
    [shown] = browser.shown()
    assert (shown["title"], shown["body"]) == ("Your export is ready", "It can be downloaded for 7 days.")
