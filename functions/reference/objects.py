"""The objects of tracks in the bucket: whether they exist, and what their first bytes say."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from questlog import storage
from questlog.errors import Failure, Invalid

from functions.reference.headers import HEAD_BYTES, Sound, sound_of
from functions.reference.models import MAX_BYTES


class Found(NamedTuple):
    """An object: its size in bytes, and what it says about its sound."""

    size: int
    sound: Sound


def look(key: str) -> Found | None:
    """The object under a key, or None. An empty or too large one is deleted, and Invalid is raised."""
    start = storage.read_start(key, HEAD_BYTES)
    if start is None:
        return None
    if not 0 < start.size <= MAX_BYTES:
        storage.delete(key)
        size = "is empty" if start.size == 0 else f"is larger than {MAX_BYTES} bytes"
        raise Invalid([("r2_key", f"names a file that {size}; it was deleted")])
    return Found(start.size, sound_of(start.head, start.size))


def exists(key: str) -> bool:
    """Whether there is an object under a key."""
    return storage.read_start(key, 1) is not None


@contextmanager
def deleted_without_room(key: str) -> Iterator[None]:
    """Deletes the object when the user has no room for it."""
    try:
        yield
    except Failure as refusal:
        if refusal.type == "quota_exceeded":
            storage.delete(key)
        raise
