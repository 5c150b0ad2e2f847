"""Web Push: a message to one browser, by the push service of its vendor (RFC 8030).

It is encrypted to the browser (RFC 8291) and signed as ours (RFC 8292).
"""

import base64
import hashlib
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final
from urllib.parse import urlsplit

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

from questlog.notifications import channels, may_push_to
from questlog.settings import Misconfigured

from functions.notifier.outcome import DELIVERED, FAILED, GONE, Outcome, tried_again
from functions.notifier.settings import sender_settings

# A push service that has not answered by then is tried again.
TIMEOUT_SECONDS: Final = 10
# The most bytes that every push service accepts (RFC 8030, 7.2: at least 4096 with those of the encryption).
LARGEST_PAYLOAD: Final = 3072
# A token is good for at most a day (RFC 8292, 2), and for one service.
_TOKEN_SECONDS: Final = 12 * 3600
# Push services keep messages for four weeks at most.
_LONGEST_TTL: Final = 28 * 86_400
_LARGEST_ANSWER: Final = 65_536
# Kinds of messages for which a phone may wake up; all others can wait until it is awake.
_URGENT: Final = frozenset({"event", "habit", "test"})


def payload_of(delivery: Mapping[str, Any]) -> bytes:
    """The payload for the browser's service worker. By its tag a second copy replaces the first on the screen."""
    fields = {"title": delivery["title"], "body": delivery["body"], "path": delivery["path"]}
    payload = json.dumps(fields | {"tag": topic_of(delivery["dedupe_key"])}, ensure_ascii=False).encode()
    assert len(payload) <= LARGEST_PAYLOAD, "the texts are limited to less"
    return payload


def topic_of(dedupe_key: str) -> str:
    """The Topic of a message (RFC 8030, 5.4), 32 characters. A push service keeps only a topic's newest message."""
    return base64.urlsafe_b64encode(hashlib.sha256(dedupe_key.encode()).digest()[:24]).decode()


@cache
def require_key_pair() -> None:
    """Raise Misconfigured if the private key is malformed, or does not belong to the key that browsers subscribe with.

    Every push service would refuse its signatures, and all messages would be lost.
    """
    public_key = channels().public_key
    if public_key is None:
        return
    try:
        point = _signer().public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    except ValueError:
        raise Misconfigured("VAPID_PRIVATE_KEY is malformed") from None
    if point != _decoded(public_key):
        raise Misconfigured("VAPID_PRIVATE_KEY is not the key that belongs to VAPID_PUBLIC_KEY")


def push(delivery: Mapping[str, Any], ttl: int) -> Outcome:
    """Send a message to a browser; `ttl` is for how many seconds it is of use."""
    endpoint = delivery["endpoint"]
    # Checked again, since the list of hosts may have changed since the browser was stored.
    if endpoint is None or not may_push_to(endpoint, channels().push_hosts):
        return GONE
    headers = {
        "TTL": str(min(ttl, _LONGEST_TTL)),
        "Topic": topic_of(delivery["dedupe_key"]),
        "Urgency": "high" if delivery["kind"] in _URGENT else "normal",
        "Content-Type": "application/octet-stream",
        "Content-Encoding": "aes128gcm",
        "Authorization": _authorization(endpoint),
    }
    try:
        status, retry_after = _post(endpoint, _encrypted(delivery), headers)
    except (OSError, HTTPException):
        return tried_again(delivery["attempts"])
    if status in (200, 201, 202, 204):
        return DELIVERED
    if status in (404, 410):
        return GONE
    if status == 429 or status >= 500:
        return tried_again(delivery["attempts"], seconds_to_wait(retry_after))
    return FAILED


def seconds_to_wait(retry_after: str | None) -> int | None:
    """The seconds of a Retry-After (RFC 9110, 10.2.3), which may be a number or a date; None if it is neither."""
    if not retry_after:
        return None
    if retry_after.isdigit():
        return int(retry_after[:9])
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max(0, int((until.astimezone(UTC) - datetime.now(UTC)).total_seconds()))


def _encrypted(delivery: Mapping[str, Any]) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    encrypted: bytes = http_ece.encrypt(
        payload_of(delivery),
        private_key=key,
        dh=_decoded(delivery["p256dh"]),
        auth_secret=_decoded(delivery["auth"]),
        version="aes128gcm",
    )
    return encrypted


def _authorization(endpoint: str) -> str:
    parts = urlsplit(endpoint)
    # A new token an hour, and not one for each message: a signature costs more than the rest of it.
    return _token(f"{parts.scheme}://{parts.netloc.lower()}", int(time.time()) // 3600 * 3600 + _TOKEN_SECONDS)


@cache
def _token(audience: str, expires: int) -> str:
    claims = {"aud": audience, "exp": expires, "sub": sender_settings().vapid_subject}
    signed: dict[str, str] = _signer().sign(claims)
    return signed["Authorization"]


@cache
def _signer() -> Vapid02:
    return Vapid02.from_raw(sender_settings().vapid_private_key.encode())


def _post(endpoint: str, content: bytes, headers: Mapping[str, str]) -> tuple[int, str | None]:
    """The status of the answer and its Retry-After. No redirect is followed."""
    parts = urlsplit(endpoint)
    connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, content, dict(headers))
        answer = connection.getresponse()
        answer.read(_LARGEST_ANSWER)
        return answer.status, answer.headers.get("Retry-After")
    finally:
        connection.close()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
