"""Notifications: browsers that receive them, messages that were sent, unsubscribing from mail (beyond contract, 3).

The function notifier decides every minute what to send.
"""

from typing import Final
from uuid import UUID

from starlette.responses import Response

from questlog.api import Api
from questlog.db import Db
from questlog.errors import Conflict, Invalid, NotFound
from questlog.identity import Client
from questlog.notifications import channels, may_push_to, unsubscribing_user
from questlog.wire import Success

from functions.notifications.models import (
    Delivery,
    Key,
    MessageRow,
    Messages,
    MessagesQuery,
    NewSubscription,
    Queued,
    Subscription,
    Subscriptions,
)
from functions.notifications.pages import page
from functions.notifications.rules import listed

api = Api(__file__)

AFTER_ALL_ROWS: Final = 2**63 - 1


@api.get("/notifications/key", errors={409: ["push_unavailable"]})
def key(db: Db) -> Key:
    """Return the key that browsers subscribe with (VAPID).

    409 push_unavailable where this installation pushes nothing.
    """
    db.authenticate_only()
    return Key(public_key=_public_key())


@api.get("/notifications/subscriptions")
def subscriptions(db: Db) -> Subscriptions:
    """List the browsers that take the user's messages."""
    return Subscriptions(subscriptions=db.many(Subscription, "subscriptions"))


@api.post("/notifications/subscriptions", errors={409: ["limit_reached", "push_unavailable"]})
def subscribe(db: Db, client: Client, body: NewSubscription) -> Subscriptions:
    """Store the browser's subscription, and return all. What was stored for the same endpoint is replaced.

    409 limit_reached for an eleventh browser, push_unavailable where this installation pushes nothing.
    """
    hosts = channels().push_hosts
    if not may_push_to(body.endpoint, hosts):
        db.authenticate_only()
        raise Invalid([("endpoint", "must be an https address of a push service that is known here")])
    if not channels().push_available:
        db.authenticate_only()
        raise _push_unavailable()
    return Subscriptions(
        subscriptions=db.many(
            Subscription,
            "subscribe",
            endpoint=body.endpoint,
            p256dh=body.keys.p256dh,
            auth=body.keys.auth,
            expires_at=body.expires_at,
            user_agent=client.user_agent or None,
        )
    )


@api.delete("/notifications/subscriptions/{subscription_id}")
def unsubscribe_browser(db: Db, subscription_id: UUID) -> Success:
    """Forget a browser: it takes no more messages."""
    return db.one(Success, "unsubscribe_browser", subscription_id=subscription_id)


@api.post("/notifications/test", store_response=False, errors={429: ["rate_limited"]})
def test(db: Db) -> Queued:
    """Send a message that says that messages arrive. Returns to how many browsers and addresses it goes; 5 a minute."""
    here = channels()
    return db.one(Queued, "test", push_available=here.push_available, email_available=here.email_available)


@api.get("/notifications")
def messages(db: Db, query: MessagesQuery) -> Messages:
    """List the messages, the newest first, each with its deliveries and their outcome."""
    before = AFTER_ALL_ROWS if query.cursor is None else query.cursor
    rows, deliveries = db.each((list[MessageRow], list[Delivery]), "messages", before=before, limit=query.limit + 1)
    return listed(rows, deliveries, query.limit)


@api.get("/notifications/unsubscribe/{token}", requires=None)
def ask_to_unsubscribe(token: str) -> Response:
    """Return a page with a button that ends the mails. Opening it changes nothing: mail scanners open every link.

    404 for a token that no mail has.
    """
    _unsubscribing(token)
    return page("Get no more mail from Questlog?", with_button=True)


@api.post("/notifications/unsubscribe/{token}", requires=None)
def unsubscribe(db: Db, token: str, content: bytes) -> Response:
    """Send no more mail to the user whose token this is, signed in or not (RFC 8058). Again, it changes nothing.

    The body says nothing: mail programs send a form. 404 for a token that no mail has.
    """
    del content  # taken as it comes
    db.one(Success, "unsubscribe", user_id=_unsubscribing(token))
    return page("You get no more mail. The settings turn it on again.")


def _unsubscribing(token: str) -> UUID:
    here = channels()
    user_id = unsubscribing_user(token, here.unsubscribe_key) if here.email_available else None
    if user_id is None:
        raise NotFound
    return user_id


def _public_key() -> str:
    public_key = channels().public_key
    if public_key is None:
        raise _push_unavailable()
    return public_key


def _push_unavailable() -> Conflict:
    return Conflict("push_unavailable", "This installation cannot send to browsers.")


handler = api.handler
