"""Archives made by the tests: as the export makes them, and as nobody should."""

import io
import json
import zipfile
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from questlog.release import SCHEMA_VERSION

from functions.jobs.archive.manifest import EXPORT, MANIFEST, signed, written

KEY = b"k" * 32
WRITTEN_AT = (2031, 5, 9, 8, 0, 2)


class Stream(io.RawIOBase):
    """A file that cannot be sought, such as an upload in parts."""

    def __init__(self) -> None:
        self.content = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.content += data
        return len(data)


def manifest_of(files: Mapping[str, bytes]) -> dict[str, Any]:
    """The unsigned manifest of files. data/<table>.json is a table with the columns of its first row."""
    tables = {
        path[5:-5]: {"rows": len(rows), "columns": list(rows[0]) if rows else []}
        for path, content in files.items()
        if path.startswith("data/")
        for rows in [json.loads(content)]
    }
    return {
        "format": EXPORT,
        "format_version": 1,
        "schema_version": SCHEMA_VERSION,
        "app_version": "1",
        "exported_at": "2031-05-09T08:00:00.000000Z",
        "user": {"id": "00000000-0000-4000-8000-000000000000", "email": "a@questlog.test"},
        "timezone": "UTC",
        "tables": tables,
        "files": [
            {"path": path, "bytes": len(content), "sha256": sha256(content).hexdigest()}
            for path, content in files.items()
        ],
        "objects": [],
        "ledger": {"rows": 0, "total_xp": 0, "coins": 0},
    }


def table(*rows: Mapping[str, Any]) -> bytes:
    """A member with the rows of a table, one a line."""
    return ("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n").encode()


def zipped(
    files: Mapping[str, bytes], *, streamed: bool = True, zip64: bool = False, stored: frozenset[str] = frozenset()
) -> bytes:
    """A ZIP file of these members in their order."""
    file = Stream() if streamed else io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            info = zipfile.ZipInfo(path, WRITTEN_AT)
            info.compress_type = zipfile.ZIP_STORED if path in stored else zipfile.ZIP_DEFLATED
            with archive.open(info, "w", force_zip64=zip64) as member:
                member.write(content)
    return bytes(file.content) if isinstance(file, Stream) else file.getvalue()


def archive_of(files: Mapping[str, bytes], fields: Mapping[str, Any] | None = None, *, key: bytes = KEY) -> bytes:
    """A signed archive of files, with these fields in its manifest."""
    return zipped({**files, MANIFEST: written(signed({**manifest_of(files), **(fields or {})}, key))})
