"""The requests and answers of the routes of notifications."""

from datetime import UTC, datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, PlainValidator, StringConstraints, WithJsonSchema
from typing_extensions import TypedDict

from questlog.cursor import place_of
from questlog.wire import Body, Form, Instant, Query

from functions.notifications.rules import is_point

# The end of the calendar that the wire knows, in the milliseconds since 1970 of browsers.
LAST_MILLISECOND: Final = 7_258_118_399_999


def _point(text: str) -> str:
    if not is_point(text):
        raise ValueError("must be a public key of the curve P-256, as the browser made it")
    return text


Endpoint = Annotated[
    str,
    StringConstraints(max_length=2000),
    Form("^https?://[!-~]+$", "must be an https address of a push service that is known here"),
]


class Keys(Body):
    """What encrypts messages to a browser (RFC 8291): its public key, and a secret of 16 bytes, in base64url."""

    p256dh: Annotated[
        str,
        StringConstraints(max_length=200),
        Form("^[A-Za-z0-9_-]{87}=?$", "must be 65 bytes in base64url"),
        AfterValidator(lambda text: _point(text.rstrip("="))),
        Field(examples=["BHnbaOmPf4_9-UZCUxVNNmzPDc0fUnuOfbLQh2hI6zJfsFuMgr0Sv3CI35-fjsPUupuuHdhJRz9sVhy2Uncd4M8"]),
    ]
    auth: Annotated[
        str,
        StringConstraints(max_length=100),
        Form("^[A-Za-z0-9_-]{22}(==)?$", "must be 16 bytes in base64url"),
        AfterValidator(lambda text: text.rstrip("=")),
        Field(examples=["AAAAAAAAAAAAAAAAAAAAAA"]),
    ]


class NewSubscription(Body):
    """A browser's PushSubscription. `expiration_time` is in milliseconds since 1970, as browsers have it."""

    endpoint: Annotated[Endpoint, Field(examples=["https://fcm.googleapis.com/fcm/send/of-this-browser"])]
    keys: Keys
    expiration_time: Annotated[float, Field(ge=0, le=LAST_MILLISECOND)] | None = None

    @property
    def expires_at(self) -> datetime | None:
        """When the browser's subscription ends, where the browser says so."""
        return None if self.expiration_time is None else datetime.fromtimestamp(self.expiration_time / 1000, UTC)


class MessagesQuery(Query):
    cursor: Annotated[int, PlainValidator(place_of), WithJsonSchema({"type": "string"})] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50


class Key(TypedDict):
    public_key: str


class Subscription(TypedDict):
    id: UUID
    user_agent: str | None
    created_at: Instant
    last_delivered_at: Instant | None
    failing: bool


class Subscriptions(TypedDict):
    subscriptions: list[Subscription]


class Queued(TypedDict):
    queued: int


Kind = Literal["habit", "event", "daily", "streak", "reviews", "quest", "export", "feedback", "test"]
Status = Literal["queued", "delivered", "failed", "gone", "expired"]


class Channel(TypedDict):
    """Where a message went: to the browser of a subscription, or by mail."""

    channel: Literal["push", "email"]
    subscription_id: UUID | None
    status: Status
    attempts: int
    finished_at: Instant | None


class Delivery(Channel):
    message_id: UUID


class Message(TypedDict):
    id: UUID
    kind: Kind
    title: str
    body: str
    path: str
    created_at: Instant
    channels: list[Channel]


class MessageRow(TypedDict):
    id: UUID
    seq: int
    kind: Kind
    title: str
    body: str
    path: str
    created_at: Instant


class Messages(TypedDict):
    messages: list[Message]
    next_cursor: str | None
