"""The manifest of an archive: its contents, and the signature by which an installation recognises its own archives."""

import hmac
import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final, NotRequired

from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on

from questlog.settings import variable

EXPORT: Final = "questlog-export"
BACKUP: Final = "questlog-backup"
FORMAT_VERSION: Final = 1
# The member that holds it. It is the last one of an archive.
MANIFEST: Final = "manifest.json"

_SHORTEST_KEY: Final = 32


class TableEntry(TypedDict):
    """A table: how many rows, and the columns in their order."""

    rows: int
    columns: list[str]


class FileEntry(TypedDict):
    """A member of the archive: its uncompressed size, the hash of that in lower hex, and of a table the rows."""

    path: str
    bytes: int
    sha256: str
    rows: NotRequired[int]


class ObjectEntry(TypedDict):
    """An object of the bucket: its member, its key without the user's prefix, and the row that has it."""

    path: str
    key: str
    content_type: str
    table: str
    id: str


class UserEntry(TypedDict):
    """Whose archive it is."""

    id: str
    email: str


class LedgerEntry(TypedDict):
    """What the ledger adds up to."""

    rows: int
    total_xp: int
    coins: int


class Unsigned(TypedDict):
    """What every archive's manifest says, of an export or of a backup."""

    format: str
    format_version: int
    schema_version: int
    app_version: str
    exported_at: str
    tables: dict[str, TableEntry]
    files: list[FileEntry]


class ExportManifest(Unsigned):
    """The manifest of an export, unsigned. `exported_at` is the time of the snapshot, RFC 3339 in UTC."""

    user: UserEntry
    timezone: str
    objects: list[ObjectEntry]
    ledger: LedgerEntry


def signing_keys() -> list[bytes]:
    """The keys of EXPORT_SIGNING_KEY, a list separated by commas. The first one signs; each of them is trusted.

    Raises Misconfigured if it is not set, or a key has fewer than 32 characters.
    """
    return variable("EXPORT_SIGNING_KEY", _keys)


def key_id(key: bytes) -> str:
    """The public name of a key: the first 8 hexadecimal digits of its SHA-256."""
    return sha256(key).hexdigest()[:8]


def signed(manifest: Mapping[str, Any], key: bytes) -> dict[str, Any]:
    """The manifest with `key_id` and `signature`: what is written into the archive."""
    named = {**manifest, "key_id": key_id(key)}
    return {**named, "signature": _signature(named, key)}


def is_trusted(manifest: Mapping[str, Any], keys: list[bytes]) -> bool:
    """Whether the manifest was signed by one of the keys. The key that it names is not looked at."""
    signature = manifest.get("signature")
    if not isinstance(signature, str) or not signature.isascii():
        return False
    unsigned = {name: value for name, value in manifest.items() if name != "signature"}
    return any(hmac.compare_digest(_signature(unsigned, key), signature) for key in keys)


def written(manifest: Mapping[str, Any]) -> bytes:
    """The manifest as the bytes of its member."""
    return json.dumps(manifest, ensure_ascii=False, indent=2).encode()


def _keys(raw: str) -> list[bytes]:
    keys = [key.strip() for key in raw.split(",")]
    if any(len(key) < _SHORTEST_KEY for key in keys):
        raise ValueError
    return [key.encode() for key in keys]


def _signature(unsigned: Mapping[str, Any], key: bytes) -> str:
    """HMAC-SHA256 in lower hex of the manifest as JSON with sorted keys and no spaces.

    In ASCII, with escapes: an uploaded manifest may hold a lone surrogate, which UTF-8 cannot encode.
    """
    canonical = json.dumps(unsigned, sort_keys=True, separators=(",", ":"))
    return hmac.new(key, canonical.encode(), sha256).hexdigest()
