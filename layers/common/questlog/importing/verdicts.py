"""What an import does with something it may have brought before: it is known by a key, and what was said of it then by
a digest (imports contract, 2)."""

from collections.abc import Container, Mapping
from hashlib import blake2b
from typing import Any, Final, Literal

from pydantic_core import to_json

Verdict = Literal["imported", "updated", "unchanged"]

# Our own export, which says less than what it was made from: ratings are whole stars, for one.
OWN_FORMAT: Final = "questlog"


def digest_of(source: str, said: Any) -> bytes:
    """16 bytes that differ when a file says something else. The first tells our own export from other apps' files."""
    return _mark(source) + blake2b(to_json(said), digest_size=15).digest()


def verdict(
    key: str, digest: bytes, known: Mapping[str, bytes | None], deleted: Container[str], source: str
) -> Verdict:
    """What to do with something of a file. `known` holds the digests by key; None means that the user has changed it.

    What the user has changed or deleted stays so. Our own export does not take back what another app's file has said.
    """
    if key in deleted:
        return "unchanged"
    if key not in known:
        return "imported"
    before = known[key]
    if before is None or before == digest:
        return "unchanged"
    if source == OWN_FORMAT and not before.startswith(_mark(source)):
        return "unchanged"
    return "updated"


def _mark(source: str) -> bytes:
    return b"\1" if source == OWN_FORMAT else b"\0"
