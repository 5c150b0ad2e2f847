"""What arrives at a browser, and what the sender makes of each answer of its push service."""

import base64
import hashlib
import json
import os
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from questlog.settings import Misconfigured

from functions.notifier import pushing, sending, statements
from functions.notifier.pushing import seconds_to_wait
from functions.notifier.settings import sender_settings
from local.clock import Clock
from tests.conftest import Database, User
from tests.notifications.browsers import Browser, decoded
from tests.notifier.ticking import tick

TEST = {"reminders": 1, "messages": 1}


def sent(user: User) -> list[dict[str, Any]]:
    """The user's messages, as the history shows them."""
    messages: list[dict[str, Any]] = user.get("/notifications").data["messages"]
    return messages


def state(user: User) -> tuple[str, int]:
    [message] = sent(user)
    [channel] = message["channels"]
    return channel["status"], channel["attempts"]


def test_a_message_arrives_and_only_this_browser_can_read_it(user: User, browser: Browser, noon: None) -> None:
    browser.subscribe(user)
    assert user.post("/notifications/test").data == {"queued": 1}
    assert tick() == {**TEST, "delivered": 1}
    [arrival] = browser.arrived
    [shown] = browser.shown()
    assert (shown["title"], shown["body"], shown["path"]) == (
        "Notifications work",
        "This is the message that you asked for.",
        "/hub",
    )
    assert b"Notifications" not in arrival.content
    assert len(arrival.content) <= 4096
    assert arrival.headers["content-encoding"] == "aes128gcm"
    assert 3500 < int(arrival.headers["ttl"]) <= 3600
    [message] = sent(user)
    assert message["kind"] == "test"
    assert [(one["channel"], one["status"]) for one in message["channels"]] == [("push", "delivered")]
    [listed] = user.get("/notifications/subscriptions").data["subscriptions"]
    assert listed["last_delivered_at"] is not None
    assert tick() == {}


def test_the_topic_is_made_of_the_dedupe_key(user: User, browser: Browser, database: Database) -> None:
    """RFC 8030, 5.4: at most 32 characters of base64url."""
    browser.subscribe(user)
    user.post("/notifications/test")
    tick()
    [row] = database.query("SELECT dedupe_key FROM notification_outbox WHERE user_id = %s", user.id)
    topic = browser.arrived[0].headers["topic"]
    assert topic == base64.urlsafe_b64encode(hashlib.sha256(row["dedupe_key"].encode()).digest())[:32].decode()
    assert browser.shown()[0]["tag"] == topic


def test_the_token_is_ours_and_for_this_service(user: User, browser: Browser) -> None:
    """RFC 8292: signed by the key that browsers subscribe with, for the origin, for at most a day."""
    browser.subscribe(user)
    user.post("/notifications/test")
    tick()
    scheme, _, parts = browser.arrived[0].headers["authorization"].partition(" ")
    token, key = (part.strip().partition("=")[2] for part in parts.split(","))
    assert (scheme, key) == ("vapid", os.environ["VAPID_PUBLIC_KEY"])
    head, claims, signature = token.split(".")
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decoded(key))
    r, s = (int.from_bytes(decoded(signature)[n : n + 32], "big") for n in (0, 32))
    public.verify(utils.encode_dss_signature(r, s), f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
    said = json.loads(decoded(claims))
    assert json.loads(decoded(head)) == {"typ": "JWT", "alg": "ES256"}
    assert said["aud"] == f"http://localhost:{browser.port}"
    assert said["sub"] == os.environ["VAPID_SUBJECT"]
    assert timedelta() < datetime.fromtimestamp(said["exp"], UTC) - datetime.now(UTC) <= timedelta(days=1)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_taken(user: User, browser: Browser, status: int) -> None:
    browser.subscribe(user)
    user.post("/notifications/test")
    browser.answer = lambda _: (status, {})
    tick()
    assert state(user) == ("delivered", 1)


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_gone_is_forgotten(user: User, other: User, browser: Browser, status: int) -> None:
    browser.subscribe(user)
    browser.subscribe(other, "two")
    user.post("/notifications/test")
    browser.answer = lambda _: (status, {})
    assert tick() == {**TEST, "gone": 1}
    assert state(user) == ("gone", 1)
    assert user.get("/notifications/subscriptions").data == {"subscriptions": []}
    assert len(other.get("/notifications/subscriptions").data["subscriptions"]) == 1
    assert user.post("/notifications/test").data == {"queued": 0}


@pytest.mark.parametrize("status", [400, 401, 403, 413, 301])
def test_what_is_refused_is_not_tried_again(user: User, browser: Browser, status: int) -> None:
    """A redirect is one of these: it could lead anywhere."""
    browser.subscribe(user)
    user.post("/notifications/test")
    browser.answer = lambda _: (status, {"Location": "http://localhost:1/"})
    assert tick() == {**TEST, "failed": 1}
    assert state(user) == ("failed", 1)
    [listed] = user.get("/notifications/subscriptions").data["subscriptions"]
    assert (listed["failing"], listed["last_delivered_at"]) == (True, None)


@pytest.mark.parametrize(
    ("status", "headers", "wait"), [(429, {"Retry-After": "120"}, 120), (500, {}, 30), (503, {}, 30)]
)
def test_a_busy_service_is_asked_again_when_it_says(
    user: User, browser: Browser, clock: Clock, *, noon: None, status: int, headers: dict[str, str], wait: int
) -> None:
    browser.subscribe(user)
    user.post("/notifications/test")
    clock.freeze()
    browser.answer = lambda _: (status, headers)
    assert tick() == {**TEST, "later": 1}
    assert state(user) == ("queued", 1)
    assert user.get("/notifications/subscriptions").data["subscriptions"][0]["failing"] is True
    clock.advance(timedelta(seconds=wait - 1))
    assert tick() == {}
    clock.advance(timedelta(seconds=1))
    browser.answer = lambda _: (201, {})
    assert tick() == {"delivered": 1}
    assert state(user) == ("delivered", 2)
    assert user.get("/notifications/subscriptions").data["subscriptions"][0]["failing"] is False


def test_five_attempts_each_later_than_the_one_before(user: User, browser: Browser, clock: Clock, noon: None) -> None:
    browser.subscribe(user)
    user.post("/notifications/test")
    clock.freeze()
    browser.answer = lambda _: (500, {})
    tick()
    for seconds in (30, 60, 120, 240):
        clock.advance(timedelta(seconds=seconds - 1))
        assert tick() == {}
        clock.advance(timedelta(seconds=1))
        tick()
    assert state(user) == ("failed", 5)
    clock.advance(timedelta(minutes=20))
    assert tick() == {}
    assert len(browser.arrived) == 5


def test_a_service_that_hangs_is_given_up_and_asked_again(
    user: User, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushing, "TIMEOUT_SECONDS", 0.2)
    browser.subscribe(user)
    user.post("/notifications/test")
    browser.answer = lambda _: (0, {})
    assert tick() == {**TEST, "later": 1}
    assert state(user) == ("queued", 1)


def test_a_service_that_is_away_is_asked_again(user: User, browser: Browser, database: Database) -> None:
    browser.subscribe(user)
    user.post("/notifications/test")
    database.query("UPDATE push_subscriptions SET endpoint = 'http://localhost:1/x' WHERE user_id = %s", user.id)
    assert tick() == {**TEST, "later": 1}


def test_what_has_no_use_any_more_is_not_sent(user: User, browser: Browser, clock: Clock, noon: None) -> None:
    browser.subscribe(user)
    user.post("/notifications/test")
    browser.answer = lambda _: (503, {"Retry-After": "7200"})
    tick()
    clock.advance(timedelta(hours=2, seconds=1))
    assert tick() == {"expired": 1}
    assert len(browser.arrived) == 1


def test_each_browser_by_itself(user: User, browser: Browser) -> None:
    for name in ("one", "two", "three"):
        browser.subscribe(user, name)
    assert user.post("/notifications/test").data == {"queued": 3}
    answers = {"/push/one": 201, "/push/two": 410, "/push/three": 500}
    browser.answer = lambda arrival: (answers[arrival.path], {})
    assert tick() == {**TEST, "delivered": 1, "gone": 1, "later": 1}
    [message] = sent(user)
    assert sorted(one["status"] for one in message["channels"]) == ["delivered", "gone", "queued"]
    assert len(user.get("/notifications/subscriptions").data["subscriptions"]) == 2


def test_a_host_that_is_not_allowed_any_more_is_not_sent_to(user: User, browser: Browser, database: Database) -> None:
    browser.subscribe(user)
    user.post("/notifications/test")
    database.query(
        "UPDATE push_subscriptions SET endpoint = %s WHERE user_id = %s", f"http://127.0.0.1:{browser.port}/x", user.id
    )
    assert tick() == {**TEST, "gone": 1}
    assert browser.arrived == []


def test_killed_between_sending_and_marking(
    user: User, browser: Browser, clock: Clock, database: Database, *, noon: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At most one copy, and the push service replaces the first with it: it has the same topic."""
    browser.subscribe(user)
    user.post("/notifications/test")
    clock.freeze()
    execute = statements.execute

    def killed(connection: Any, name: str, **parameters: Any) -> Any:
        if name == "settle":
            raise KeyboardInterrupt
        return execute(connection, name, **parameters)

    monkeypatch.setattr(sending, "execute", killed)
    with pytest.raises(KeyboardInterrupt):
        tick()
    monkeypatch.undo()
    # The lease of the run that was killed keeps others away for as long as the claim does.
    database.query("DELETE FROM job_runs WHERE name = 'reminders'")
    clock.advance(timedelta(minutes=4, seconds=59))
    assert tick() == {}
    clock.advance(timedelta(seconds=2))
    assert tick() == {"delivered": 1}
    first, second = browser.arrived
    assert first.headers["topic"] == second.headers["topic"]
    clock.advance(timedelta(hours=1))
    assert tick() == {}


def test_a_refusal_says_until_when() -> None:
    ahead = datetime.now(UTC) + timedelta(seconds=90)
    assert 85 <= (seconds_to_wait(format_datetime(ahead, usegmt=True)) or 0) <= 90
    assert seconds_to_wait(format_datetime(ahead - timedelta(days=1), usegmt=True)) == 0
    assert seconds_to_wait("17") == 17
    assert seconds_to_wait("9" * 40) == 999_999_999
    for nothing in (None, "", "soon", "-1", "1.5"):
        assert seconds_to_wait(nothing) is None


@pytest.mark.parametrize(
    ("private_key", "sentence"),
    [("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAL7vASNFZ4mrze4", "is not the key"), ("A" * 43, "is malformed"), ("", "is not set")],
)
def test_another_key_pair_stops_the_sender(
    user: User, browser: Browser, monkeypatch: pytest.MonkeyPatch, private_key: str, sentence: str
) -> None:
    """Before anything is claimed: what could not be signed would be lost."""
    browser.subscribe(user)
    user.post("/notifications/test")
    caches = (sender_settings, pushing._signer, pushing._token, pushing.require_key_pair)
    monkeypatch.setenv("VAPID_PRIVATE_KEY", private_key)
    for one in caches:
        one.cache_clear()
    with pytest.raises(Misconfigured, match=sentence):
        tick()
    monkeypatch.undo()
    for one in caches:
        one.cache_clear()
    assert tick() == {**TEST, "delivered": 1}
