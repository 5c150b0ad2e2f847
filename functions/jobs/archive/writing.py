"""An archive, written member by member into a stream, so that it is never whole in memory or on disk.

The sizes and hashes of the members are noted for the manifest, which is the last member.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any, Final, Protocol
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from functions.jobs.archive.manifest import MANIFEST, FileEntry, signed, signing_keys, written

_READABLE_FILE: Final = 0o100644 << 16


class Sink(Protocol):
    """What the archive is written to."""

    def write(self, data: bytes, /) -> int: ...
    def flush(self) -> None: ...
    def close(self) -> None: ...


class Archive:
    """A ZIP under way. `files` is what the manifest says of its members."""

    def __init__(self, sink: Sink, at: datetime) -> None:
        """`at` is the time of all members."""
        self.files: list[FileEntry] = []
        self._zip = ZipFile(sink, "w")
        utc = at.astimezone(UTC)
        self._time = (utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second)

    def add(
        self, path: str, blocks: Iterable[bytes], *, rows: int | None = None, stored_size: int | None = None
    ) -> None:
        """Write a member: deflated, or stored where its size in bytes is given. `rows` is for the manifest."""
        entry = self._write(path, blocks, stored_size)
        if rows is not None:
            entry["rows"] = rows
        self.files.append(entry)

    def finish(self, manifest: Mapping[str, Any]) -> None:
        """Write the manifest, signed, and the directory of the ZIP."""
        self._write(MANIFEST, [written(signed(manifest, signing_keys()[0]))], None)
        self._zip.close()

    def _write(self, path: str, blocks: Iterable[bytes], stored_size: int | None) -> FileEntry:
        rest = iter(blocks)
        begin = list(islice(rest, 2))
        is_small = len(begin) < 2
        info = ZipInfo(path, self._time)
        info.compress_type = ZIP_DEFLATED if stored_size is None else ZIP_STORED
        info.external_attr = _READABLE_FILE
        # 64-bit sizes only if the content may need them, since some readers know only 32 bits.
        info.file_size = stored_size or sum(map(len, begin))
        digest, size = hashlib.sha256(), 0
        with self._zip.open(info, "w", force_zip64=stored_size is None and not is_small) as member:
            for block in chain(begin, rest):
                digest.update(block)
                size += member.write(block)
        return {"path": path, "bytes": size, "sha256": digest.hexdigest()}
