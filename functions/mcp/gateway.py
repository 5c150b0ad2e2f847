"""Requests to our own gateway: a call of a tool is the same request that any client would make."""

import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

from questlog.errors import Failure, Unavailable
from questlog.settings import settings

from functions.mcp.tools import Asked

if TYPE_CHECKING:
    from http.client import HTTPConnection

# More than an assistant can read, and little enough to be sent twice in one answer: as data, and as text.
LARGEST_ANSWER: Final = 512 * 1024
# The longest that an idle connection is used again: the gateway closes it, and a frozen function does not notice.
_KEPT_SECONDS: Final = 30

# Per thread, as the connection to the database is: its `connection`, and when it was `used`.
_held = threading.local()


class Answer(NamedTuple):
    """The response of the gateway; content beyond LARGEST_ANSWER is cut off."""

    status: int
    is_object: bool
    """Whether the content is declared as JSON, and begins and ends like an object."""
    content: bytes


def ask(asked: Asked, headers: Mapping[str, str], seconds: float) -> Answer:
    """The answer to a request, within so many seconds. Raises Failure 503 if there is none.

    A kept connection may have been closed by the gateway. The request is then sent again on another one. That does
    nothing twice, since it only reads or carries an Idempotency-Key.
    """
    if seconds <= 0:
        raise Failure(503, "unavailable", "There was no time left for this call; nothing of it was done.")
    was_kept = _is_open()
    try:
        return _exchange(asked, headers, seconds)
    except ConnectionError:
        disconnect()
    if was_kept:
        try:
            return _exchange(asked, headers, seconds)
        except ConnectionError:
            disconnect()
    raise Unavailable


def disconnect() -> None:
    """Close the connection to the gateway, if there is one; the next request opens another."""
    connection: HTTPConnection | None = getattr(_held, "connection", None)
    if connection is not None:
        connection.close()
        _held.connection = None


def _exchange(asked: Asked, headers: Mapping[str, str], seconds: float) -> Answer:
    """One request and its answer on the open connection, or on a new one. Raises ConnectionError if there is none."""
    from http.client import HTTPException  # noqa: PLC0415 - only who calls a tool pays for it

    if not _is_open():
        _held.connection, _held.used = _connection(seconds), time.time()
    connection: HTTPConnection = _held.connection
    try:
        if connection.sock is not None:
            connection.sock.settimeout(seconds)
        connection.request(asked.method, asked.path, asked.body, dict(headers))
        response = connection.getresponse()
        content = response.read(LARGEST_ANSWER + 1)
    except TimeoutError:
        disconnect()
        late = "The service took too long. What was asked may have been done: look before you ask again."
        raise Failure(503, "unavailable", late) from None
    except (OSError, HTTPException) as error:
        raise ConnectionError from error
    _held.used = time.time()
    if len(content) > LARGEST_ANSWER:
        # The unread rest would come before the next answer.
        disconnect()
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_object = media_type == "application/json" and content[:1] == b"{" and content[-1:] == b"}"
    return Answer(response.status, is_object, content)


def _connection(seconds: float) -> "HTTPConnection":
    """A connection to the gateway. Its address is configured, and never taken from a request."""
    from http.client import HTTPConnection, HTTPSConnection  # noqa: PLC0415 - the same

    address = urlsplit(settings().public_url)
    kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
    return kind(address.netloc, timeout=seconds)


def _is_open() -> bool:
    """Whether there is a connection that was used a moment ago; an older one is closed."""
    if getattr(_held, "connection", None) is None:
        return False
    if time.time() - _held.used > _KEPT_SECONDS:
        disconnect()
        return False
    return True
