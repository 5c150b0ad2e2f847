"""Whether an import inserts, updates or skips an entry of a file that may have been imported before. The entry is
recognised by a key, and a change of it by a digest of its content (imports contract, 2)."""

from collections.abc import Container, Mapping
from hashlib import blake2b
from typing import Any, Final, Literal

from pydantic_core import to_json

Verdict = Literal["imported", "updated", "unchanged"]

# Our own export. It holds less than the rows that it was made of: ratings, for example, only as whole stars.
OWN_FORMAT: Final = "questlog"


def digest_of(source: str, said: Any) -> bytes:
    """16 bytes that change with the content. The first one distinguishes our own export from other apps' files."""
    return _mark(source) + blake2b(to_json(said), digest_size=15).digest()


def verdict(
    key: str, digest: bytes, known: Mapping[str, bytes | None], deleted: Container[str], source: str
) -> Verdict:
    """What to do with an entry of a file. `known` holds the digests by key; None means that the user has changed it.

    What the user has changed or deleted stays so. An entry of our own export does not overwrite one of another app.
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
