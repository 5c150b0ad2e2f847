"""What the routes of notifications and their sender share: channels, the hosts that may be pushed to, unsubscribing.

A channel is off where it is not configured:
    VAPID_PUBLIC_KEY   of the key pair that signs what is pushed (RFC 8292): base64url, 65 bytes; empty for no push
    MAIL_FROM          the sender's address; empty for no mail
    PUSH_HOSTS         hosts of browsers' endpoints, by commas; *.example.org is every host below example.org
    UNSUBSCRIBE_KEY    signs the tokens; needed where there is mail
"""

import base64
import binascii
import hashlib
import hmac
from functools import cache
from typing import Final, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

from questlog.settings import variable

# Google (Chrome and its kin), Mozilla (Firefox), Apple (Safari), Microsoft (Edge).
VENDORS: Final = "fcm.googleapis.com,updates.push.services.mozilla.com,*.push.apple.com,*.notify.windows.com"
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1"})
_MAC_BYTES: Final = 32
_PURPOSE: Final = b"questlog: unsubscribe from mail\n"


class Channels(NamedTuple):
    """How messages can be sent here."""

    public_key: str | None
    mail_from: str | None
    push_hosts: tuple[str, ...]

    @property
    def push_available(self) -> bool:
        """Whether push messages can be sent to browsers."""
        return self.public_key is not None

    @property
    def email_available(self) -> bool:
        """Whether mail can be sent."""
        return self.mail_from is not None

    @property
    def unsubscribe_key(self) -> bytes:
        """The key that signs the tokens of unsubscribe links. Only functions that sign or check them have it."""
        return variable("UNSUBSCRIBE_KEY", str).encode()


@cache
def channels() -> Channels:
    """The channels of this execution environment."""
    return Channels(
        public_key=variable("VAPID_PUBLIC_KEY", str, default="") or None,
        mail_from=variable("MAIL_FROM", str, default="") or None,
        push_hosts=variable("PUSH_HOSTS", _hosts, default=VENDORS),
    )


def may_push_to(endpoint: str, hosts: tuple[str, ...]) -> bool:
    """Whether an endpoint lies on one of the hosts, at the port of https and without credentials.

    We connect to every endpoint that a user stores, so without this check one could reach into our network. A loopback
    host that is listed, as on the local stack, may have any port and no TLS.
    """
    try:
        parts = urlsplit(endpoint)
        port = parts.port
    except ValueError:
        return False
    host = parts.hostname or ""
    if "@" in parts.netloc or not any(_covers(pattern, host) for pattern in hosts):
        return False
    if host in _LOOPBACK:
        return parts.scheme in ("http", "https")
    return parts.scheme == "https" and port in (None, 443)


def unsubscribe_token(user_id: UUID, key: bytes) -> str:
    """The token by which the user unsubscribes from mail without signing in: their id, signed. 64 characters."""
    return base64.urlsafe_b64encode(user_id.bytes + _signature(user_id, key)).decode()


def unsubscribing_user(token: str, key: bytes) -> UUID | None:
    """The user for whom we signed this token; None if we did not sign it."""
    try:
        raw = base64.b64decode(token.encode(), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    if not key or len(raw) != 16 + _MAC_BYTES:
        return None
    user_id = UUID(bytes=raw[:16])
    return user_id if hmac.compare_digest(raw[16:], _signature(user_id, key)) else None


def _signature(user_id: UUID, key: bytes) -> bytes:
    return hmac.digest(key, _PURPOSE + user_id.bytes, hashlib.sha256)


def _covers(pattern: str, host: str) -> bool:
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern


def _hosts(raw: str) -> tuple[str, ...]:
    return tuple(host for part in raw.split(",") if (host := part.strip().lower()))
