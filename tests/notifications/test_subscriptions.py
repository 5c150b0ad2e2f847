"""Browsers that take messages: POST, GET and DELETE /notifications/subscriptions, and GET /notifications/key."""

import os
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from questlog.notifications import VENDORS, channels, may_push_to

from functions.notifications.rules import is_point
from tests.conftest import Client, Database, User, at_once
from tests.notifications.browsers import encoded, point_of
from tests.notifications.inhabit import subscription

PATH = "/notifications/subscriptions"


def endpoint() -> str:
    return f"https://fcm.googleapis.com/fcm/send/{uuid4()}"


def test_the_key_is_the_configured_one(user: User) -> None:
    assert user.get("/notifications/key").data == {"public_key": os.environ["VAPID_PUBLIC_KEY"]}


def test_a_browser_is_stored_and_its_secrets_are_not_shown(user: User) -> None:
    address = endpoint()
    answer = user.post(PATH, subscription(address), headers={"user-agent": "Firefox/140"})
    [shown] = answer.data["subscriptions"]
    assert shown.keys() == {"id", "user_agent", "created_at", "last_delivered_at", "failing"}
    assert (shown["user_agent"], shown["last_delivered_at"], shown["failing"]) == ("Firefox/140", None, False)
    assert user.get(PATH).data == answer.data
    assert address not in answer.text
    assert "p256dh" not in answer.text


def test_the_same_endpoint_is_the_same_browser(user: User) -> None:
    address = endpoint()
    [first] = user.post(PATH, subscription(address)).data["subscriptions"]
    [second] = user.post(PATH, subscription(address, auth="BBBBBBBBBBBBBBBBBBBBBA")).data["subscriptions"]
    assert second["id"] == first["id"]


def test_a_browser_is_one_users_at_a_time(user: User, other: User) -> None:
    """Whoever uses it now gets its messages: what is shown on a screen is for who sits before it."""
    address = endpoint()
    user.post(PATH, subscription(address))
    other.post(PATH, subscription(address))
    assert user.get(PATH).data == {"subscriptions": []}
    assert len(other.get(PATH).data["subscriptions"]) == 1
    user.post(PATH, subscription(address))
    assert other.get(PATH).data == {"subscriptions": []}


def test_two_users_of_one_browser_at_once(user: User, other: User) -> None:
    address = endpoint()
    callers = iter([user, other])
    at_once(2, lambda: next(callers).post(PATH, subscription(address)))
    assert len([*user.get(PATH).data["subscriptions"], *other.get(PATH).data["subscriptions"]]) == 1


def test_ten_browsers(user: User) -> None:
    kept = endpoint()
    for address in [kept, *(endpoint() for _ in range(9))]:
        user.post(PATH, subscription(address))
    answer = user.post(PATH, subscription(endpoint()))
    assert (answer.status, answer.error["type"], answer.error["details"]) == (409, "limit_reached", {"limit": 10})
    assert len(user.post(PATH, subscription(kept)).data["subscriptions"]) == 10


def test_ten_browsers_at_once(user: User) -> None:
    statuses = at_once(13, lambda: user.post(PATH, subscription(endpoint())).status)
    assert sorted(statuses) == [200] * 10 + [409] * 3
    assert len(user.get(PATH).data["subscriptions"]) == 10


def test_a_refused_browser_stays_where_it_was(user: User, other: User) -> None:
    address = endpoint()
    other.post(PATH, subscription(address))
    for _ in range(10):
        user.post(PATH, subscription(endpoint()))
    assert user.post(PATH, subscription(address)).status == 409
    assert len(other.get(PATH).data["subscriptions"]) == 1


def test_a_browser_is_forgotten(user: User, other: User) -> None:
    [shown] = user.post(PATH, subscription(endpoint())).data["subscriptions"]
    assert other.delete(f"{PATH}/{shown['id']}").status == 404
    assert user.delete(f"{PATH}/{shown['id']}").data == {"success": True}
    assert user.delete(f"{PATH}/{shown['id']}").status == 404
    assert user.get(PATH).data == {"subscriptions": []}


@pytest.mark.parametrize(
    "hostile",
    [
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/x",
        "https://2130706433/x",
        "https://fcm.googleapis.com.evil.example/x",
        "https://evilfcm.googleapis.com/x",
        "https://evil-push.apple.com/x",
        "https://push.apple.com/x",
        "https://push.apple.com.evil.example/x",
        "https://fcm.googleapis.com@evil.example/x",
        "https://user:password@fcm.googleapis.com/x",
        "https://fcm.googleapis.com:22/x",
        "https://fcm.googleapis.com:0/x",
        "https://fcm.googleapis.com:99999/x",
        "https://fcm.googleapis.com\\@evil.example/x",
        "https://fcm.googleapis.com./x",
        "http://fcm.googleapis.com/x",
        "ftp://fcm.googleapis.com/x",
        "file:///etc/passwd",
        "//fcm.googleapis.com/x",
        "https://",
        "https://fcm.googleapis.com/\r\nHost: evil",
        "https://fcm.googleapis.com/" + "x" * 2000,
        "https://\uff46cm.googleapis.com/x",
    ],
)
def test_no_other_host_is_ever_sent_to(user: User, hostile: str) -> None:
    answer = user.post(PATH, subscription(hostile))
    assert (answer.status, answer.error["details"]["fields"][0]["field"]) == (400, "endpoint")
    assert user.get(PATH).data == {"subscriptions": []}


@pytest.mark.parametrize(
    "allowed",
    [
        "https://fcm.googleapis.com/fcm/send/x",
        "https://FCM.googleapis.com:443/fcm/send/x",
        "https://updates.push.services.mozilla.com/wpush/v2/x",
        "https://web.push.apple.com/x",
        "https://db5p.notify.windows.com/w/?token=x",
    ],
)
def test_the_vendors_hosts_are_known(allowed: str) -> None:
    assert may_push_to(allowed, tuple(VENDORS.split(",")))
    assert not may_push_to("https://localhost/x", tuple(VENDORS.split(",")))


def test_loopback_only_where_it_is_listed() -> None:
    assert may_push_to("http://localhost:8123/x", channels().push_hosts)
    assert not may_push_to("http://127.0.0.1:8123/x", channels().push_hosts)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("p256dh", "A" * 87),
        ("p256dh", "BEfNxNHhYgUd_zGGYLHWvmeQCVYZ15jV_hMytPJSvVdOvGvBxTn5C3oy4dK3I4kvagvisq_l0GpY1ey1Ku2sGhg"),
        ("p256dh", "x" * 200_000),
        ("p256dh", ""),
        ("auth", "A" * 21),
        ("auth", "A" * 23),
        ("auth", "!" * 22),
        ("auth", "x" * 200_000),
    ],
)
def test_keys_that_nothing_can_be_encrypted_to(user: User, field: str, value: str) -> None:
    answer = user.post(PATH, subscription(endpoint(), **{field: value}))
    assert (answer.status, answer.error["details"]["fields"][0]["field"]) == (400, f"keys.{field}")


def test_a_key_of_ten_megabytes_is_not_read(user: User) -> None:
    assert user.post(PATH, subscription(endpoint(), p256dh="x" * 10_000_000)).status == 413


@pytest.mark.parametrize("number", [1, 2, 3, 0xC0FFEE, 2**255])
def test_the_points_of_the_curve_are_known(number: int) -> None:
    """By another implementation: cryptography's, which is not loaded by a request."""
    public = ec.derive_private_key(number, ec.SECP256R1()).public_key()
    assert is_point(encoded(point_of(public)))
    for index in (1, 33, 64):
        broken = bytearray(point_of(public))
        broken[index] ^= 1
        assert not is_point(encoded(bytes(broken)))


def test_a_browser_says_until_when(user: User, database: Database) -> None:
    user.post(PATH, subscription(endpoint()) | {"expiration_time": 1_936_080_000_000.5})
    [row] = database.query("SELECT expires_at::text FROM push_subscriptions WHERE user_id = %s", user.id)
    assert row["expires_at"].startswith("2031-05-09 08:00:00.0005")
    assert user.post(PATH, subscription(endpoint()) | {"expiration_time": -1}).status == 400
    assert user.post(PATH, subscription(endpoint()) | {"expiration_time": 1e300}).status == 400


def test_requests_cannot_read_what_would_let_somebody_send(user: User, database: Database) -> None:
    for role in ("questlog_app", "questlog_admin", "questlog_console", "questlog_operator"):
        [row] = database.query(
            """
            SELECT bool_or(has_column_privilege(%s, 'push_subscriptions', name, 'SELECT')) AS may
              FROM unnest('{endpoint,p256dh,auth}'::text[]) AS name
            """,
            role,
        )
        assert row["may"] is False, role


def test_without_a_key_pair_nothing_is_pushed(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAPID_PUBLIC_KEY", "")
    monkeypatch.setenv("MAIL_FROM", "")
    channels.cache_clear()
    try:
        for answer in (user.get("/notifications/key"), user.post(PATH, subscription(endpoint()))):
            assert (answer.status, answer.error["type"]) == (409, "push_unavailable")
        settings = user.get("/user/settings").data
        assert (settings["push_available"], settings["email_available"]) == (False, False)
    finally:
        channels.cache_clear()
    monkeypatch.undo()
    channels.cache_clear()
    settings = user.get("/user/settings").data
    assert (settings["push_available"], settings["email_available"]) == (True, True)


def test_strangers_are_told_nothing(stranger: Client) -> None:
    assert stranger.get("/notifications/key").status == 401
    assert stranger.post(PATH, subscription("https://evil.example/x")).status == 401
    assert stranger.post("/notifications/test").status == 401
