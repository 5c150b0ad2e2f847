"""Pages of messages, and what a public key has to be."""

import base64
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID

from questlog.cursor import cursor_at

if TYPE_CHECKING:
    from functions.notifications.models import Delivery, Message, MessageRow, Messages

# The curve P-256 (NIST SP 800-186, 3.2.1.3): y^2 = x^3 - 3x + b over the integers modulo p.
_P: Final = 2**256 - 2**224 + 2**192 + 2**96 - 1
_B: Final = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B


def is_point(text: str) -> bool:
    """Whether base64url without padding is an uncompressed point of P-256: only such a key can be encrypted to."""
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if len(raw) != 65 or raw[0] != 4:
        return False
    x, y = int.from_bytes(raw[1:33], "big"), int.from_bytes(raw[33:], "big")
    return x < _P and y < _P and (y * y - x * x * x + 3 * x - _B) % _P == 0


def listed(rows: "Sequence[MessageRow]", deliveries: "Iterable[Delivery]", limit: int) -> "Messages":
    """A page of messages, each with its deliveries; `rows` holds one more than the page where there is another page."""
    found: defaultdict[UUID, list[Delivery]] = defaultdict(list)
    for delivery in deliveries:
        found[delivery["message_id"]].append(delivery)
    page = rows[:limit]
    return {
        "messages": [_message(row, found[row["id"]]) for row in page],
        "next_cursor": cursor_at(page[-1]["seq"]) if len(rows) > limit else None,
    }


def _message(row: "MessageRow", deliveries: "Iterable[Delivery]") -> "Message":
    return {
        "id": row["id"],
        "kind": row["kind"],
        "title": row["title"],
        "body": row["body"],
        "path": row["path"],
        "created_at": row["created_at"],
        "channels": [
            {
                "channel": delivery["channel"],
                "subscription_id": delivery["subscription_id"],
                "status": delivery["status"],
                "attempts": delivery["attempts"],
                "finished_at": delivery["finished_at"],
            }
            for delivery in deliveries
        ],
    }
