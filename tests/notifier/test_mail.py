"""Mails, and the way out of them (RFC 8058)."""

import os
import re
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from uuid import uuid4

import pytest

from questlog.notifications import channels, unsubscribe_token, unsubscribing_user

from functions.notifier import mailing
from functions.notifier.settings import sender_settings
from local import mail
from local.clock import Clock
from local.mail import Mailbox
from local.service import Service
from tests.conftest import Client, Database, User
from tests.notifications.browsers import Browser
from tests.notifier.ticking import tick

KEY = b"a-key-for-tests-that-signs-ways-out-of-mail"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, Mailbox]]:
    folder = tmp_path_factory.mktemp("mail")
    with mail.start(folder, folder / "mail.log") as service:
        service.ready()
        yield service, Mailbox(folder)


@pytest.fixture
def box(service: tuple[Service, Mailbox], monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    """The mailbox of all that is sent."""
    monkeypatch.setenv("MAIL_ENDPOINT", service[0].url)
    _forget()
    yield service[1]
    _forget()


def _forget() -> None:
    sender_settings.cache_clear()
    mailing._client.cache_clear()


def newest(box: Mailbox) -> EmailMessage:
    read = box.read(box.names()[0])
    assert read is not None
    return message_from_bytes(read.as_bytes(), _class=EmailMessage, policy=policy.default)


@pytest.fixture
def reader(user: User) -> User:
    user.patch("/user/settings", {"email_notifications": True})
    return user


def test_a_mail_in_two_forms_with_a_way_out(reader: User, box: Mailbox) -> None:
    assert reader.post("/notifications/test").data == {"queued": 1}
    assert tick() == {"reminders": 1, "messages": 1, "delivered": 1}
    message = newest(box)
    assert (message["To"], message["Subject"]) == (reader.email, "Notifications work")
    assert message["From"] == "Questlog <questlog@questlog.test>"
    way_out = f"https://api.questlog.test/notifications/unsubscribe/{unsubscribe_token(reader.id, KEY)}"
    assert message["List-Unsubscribe"] == f"<{way_out}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    for kind in ("plain", "html"):
        body = message.get_body((kind,))
        assert body is not None
        text = body.get_content()
        assert "This is the message that you asked for." in text
        assert "https://questlog.test/hub" in text
        assert way_out in text
    [channel] = reader.get("/notifications").data["messages"][0]["channels"]
    assert (channel["channel"], channel["status"], channel["subscription_id"]) == ("email", "delivered", None)


def test_the_way_out_is_written_as_it_is(box: Mailbox) -> None:
    of = uuid4()
    mail = {"user_id": of, "address": "a@questlog.test", "title": "Lauf ü", "body": "Fünf km", "path": "/habits"}
    written = mailing.message_of(mail).as_bytes()
    way_out = f"https://api.questlog.test/notifications/unsubscribe/{unsubscribe_token(of, KEY)}"
    assert (
        f"\r\nList-Unsubscribe: <{way_out}>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n".encode()
        in written
    )
    assert written.isascii()
    assert written.count(b"\n") == written.count(b"\r\n")


def test_what_users_wrote_is_no_html(reader: User, box: Mailbox, database: Database) -> None:
    database.query("SELECT internal.notify_user(%s, '<img src=x>', E'a\\r\\nBcc: b', news => 'feedback')", reader.id)
    tick()
    message = newest(box)
    assert message["Bcc"] is None
    html = message.get_body(("html",))
    assert html is not None
    assert "<img" not in html.get_content()


def test_both_ways(reader: User, box: Mailbox, browser: Browser) -> None:
    browser.subscribe(reader)
    assert reader.post("/notifications/test").data == {"queued": 2}
    assert tick()["delivered"] == 2
    [message] = reader.get("/notifications").data["messages"]
    assert sorted(one["channel"] for one in message["channels"]) == ["email", "push"]


def test_one_click_ends_the_mails(reader: User, box: Mailbox, stranger: Client) -> None:
    path = f"/notifications/unsubscribe/{unsubscribe_token(reader.id, KEY)}"
    asked = stranger.get(path)
    assert (asked.status, asked.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert re.search(r'<form method="post"><button>', asked.text)
    assert reader.get("/user/settings").data["email_notifications"] is True
    form = {"content-type": "application/x-www-form-urlencoded"}
    for _ in range(2):
        done = stranger.request("POST", path, body=b"List-Unsubscribe=One-Click", headers=form)
        assert done.status == 200, done.text
        assert reader.get("/user/settings").data["email_notifications"] is False
    assert reader.post("/notifications/test").data == {"queued": 0}


def test_a_replayed_click_is_harmless(reader: User, box: Mailbox, stranger: Client) -> None:
    """It ends mails, whenever it comes, and nothing else: it opens no account."""
    before = reader.get("/settings").json["data"]
    path = f"/notifications/unsubscribe/{unsubscribe_token(reader.id, KEY)}"
    answer = stranger.post(path)
    assert not answer.cookies
    assert reader.get("/settings").json["data"] == before | {"email_notifications": False}
    assert stranger.get("/user/profile").status == 401


def test_what_waits_is_not_sent_after_it(
    reader: User, box: Mailbox, stranger: Client, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = os.environ["MAIL_ENDPOINT"]
    monkeypatch.setenv("MAIL_ENDPOINT", "http://localhost:1")
    _forget()
    reader.post("/notifications/test")
    assert tick()["later"] == 1
    monkeypatch.setenv("MAIL_ENDPOINT", address)
    _forget()
    stranger.post(f"/notifications/unsubscribe/{unsubscribe_token(reader.id, KEY)}")
    clock.advance(timedelta(minutes=1))
    assert tick() == {"gone": 1}


@pytest.mark.parametrize("change", [0, 15, 16, 47])
def test_another_token_is_nobodys(reader: User, stranger: Client, change: int) -> None:
    token = unsubscribe_token(reader.id, KEY)
    place = change * 4 // 3
    broken = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
    for method in ("GET", "POST"):
        assert stranger.request(method, f"/notifications/unsubscribe/{broken}").status == 404
    assert reader.get("/user/settings").data["email_notifications"] is True


@pytest.mark.parametrize("token", ["x", "A" * 64, "A" * 63, "A" * 4000, "%C3%A9" * 20])
def test_nonsense_is_nobodys(stranger: Client, token: str) -> None:
    assert stranger.post(f"/notifications/unsubscribe/{token}").status == 404


def test_a_user_who_is_gone(stranger: Client) -> None:
    assert stranger.post(f"/notifications/unsubscribe/{unsubscribe_token(uuid4(), KEY)}").status == 404


def test_a_token_is_good_for_its_key_alone() -> None:
    user_id = uuid4()
    assert unsubscribing_user(unsubscribe_token(user_id, b"one"), b"one") == user_id
    assert unsubscribing_user(unsubscribe_token(user_id, b"one"), b"two") is None
    assert unsubscribing_user(unsubscribe_token(user_id, b""), b"") is None


def test_ses_that_is_away_is_asked_again(reader: User, box: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_ENDPOINT", "http://localhost:1")
    _forget()
    reader.post("/notifications/test")
    assert tick() == {"reminders": 1, "messages": 1, "later": 1}


def test_without_a_sender_there_is_no_mail(reader: User, box: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_FROM", "")
    channels.cache_clear()
    try:
        assert reader.post("/notifications/test").data == {"queued": 0}
        path = f"/notifications/unsubscribe/{unsubscribe_token(reader.id, KEY)}"
        assert reader.post(path).status == 404
    finally:
        monkeypatch.undo()
        channels.cache_clear()
