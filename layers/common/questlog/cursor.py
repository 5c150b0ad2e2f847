"""Opaque cursors: a text that says where a page of a long list ended, and that clients send back as it is."""

import base64
import binascii
import struct
import zlib

# The place in the list, and a checksum: a damaged cursor must be refused, not lead to another place.
_LAYOUT = struct.Struct(">QI")


def cursor_at(seq: int) -> str:
    """The cursor behind the row with this number: 16 characters of base64url."""
    return base64.urlsafe_b64encode(_LAYOUT.pack(seq, _checksum(seq))).decode()


def place_of(cursor: str) -> int:
    """The number that a cursor holds; ValueError where it is not one of ours."""
    try:
        seq, checksum = _LAYOUT.unpack(base64.b64decode(cursor.encode(), altchars=b"-_", validate=True))
    except (binascii.Error, struct.error):
        raise ValueError("is not a cursor") from None
    if checksum != _checksum(seq) or seq >= 2**63:
        raise ValueError("is not a cursor")
    return int(seq)


def _checksum(seq: int) -> int:
    return zlib.crc32(seq.to_bytes(8, "big"))
