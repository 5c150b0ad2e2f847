"""Reads uploaded archives. Nothing of an archive is used before it was checked.

open_archive() makes the cheap checks: the directory of the ZIP file, the manifest and its signature, the versions, and
that the members are those of the manifest. The content of a member is compared with its hash in the manifest while it
is read: verify() reads all members once before anything is loaded, and read() compares again what is loaded.
"""

import json
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from functools import cache
from hashlib import sha256
from typing import IO, Any, Final, cast

from pydantic import TypeAdapter, ValidationError

from questlog.release import SCHEMA_VERSION

from functions.jobs.archive.container import BadArchive, Container, open_container
from functions.jobs.archive.manifest import FORMAT_VERSION, MANIFEST, FileEntry, TableEntry, Unsigned, is_trusted

MAX_UNPACKED: Final = 20 * 1024**3
# It is read as a whole.
MAX_MANIFEST: Final = 64 * 1024**2
_KEY_ID: Final = re.compile("[0-9a-f]{8}")


class Archive:
    """An archive whose directory and manifest are sound."""

    def __init__(self, container: Container, manifest: Mapping[str, Any]) -> None:
        self.manifest = manifest
        self.files: Mapping[str, FileEntry] = {entry["path"]: entry for entry in manifest["files"]}
        self.tables: Mapping[str, TableEntry] = manifest["tables"]
        self._container = container

    def read(self, path: str) -> Iterator[bytes]:
        """The content of a member, piece by piece. Raises BadArchive at its end if it is not what was signed."""
        entry = self.files[path]
        digest = sha256()
        size = 0
        for piece in self._container.read(path):
            size += len(piece)
            digest.update(piece)
            yield piece
        if size != entry["bytes"] or digest.hexdigest() != entry["sha256"]:
            raise BadArchive("invalid", "A file in the archive is not the one that was put into it.")

    def verify(self, paths: Iterable[str], on_progress: Callable[[int], None]) -> None:
        """Read members to their end. Raises BadArchive if one is not what was signed. `on_progress` gets the bytes."""
        for path in paths:
            for piece in self.read(path):
                on_progress(len(piece))

    def rows(self, table: str) -> Iterator[bytes]:
        """The rows of a table, each as a JSON object. Raises BadArchive at the end for another number."""
        count = 0
        for line in _lines(self.read(data_path(table))):
            row = line.strip().removesuffix(b",")
            if row not in (b"", b"[", b"]", b"[]"):
                count += 1
                yield row
        if count != self.tables[table]["rows"]:
            raise BadArchive("invalid", "A table of the archive has not as many rows as it says.")


def data_path(table: str) -> str:
    """The member that holds the rows of a table."""
    return f"data/{table}.json"


def open_archive(file: IO[bytes], manifest_type: type[Unsigned], expected: str, keys: list[bytes]) -> Archive:
    """The archive in a file. Raises BadArchive, which says why it is refused.

    `expected` is the format that it must have, `manifest_type` the type of that format's manifest; signatures by one of
    `keys` are trusted.
    """
    container = open_container(file)
    manifest = _manifest(container)
    _check_origin(manifest, expected, keys)
    archive = Archive(container, _of_its_type(manifest, manifest_type))
    _check_members(container, archive)
    return archive


def _manifest(container: Container) -> dict[str, Any]:
    """The manifest of the archive, whose signature is not checked yet."""
    if MANIFEST not in container.sizes:
        raise BadArchive("invalid", "The archive has no manifest.")
    if container.sizes[MANIFEST] > MAX_MANIFEST:
        raise BadArchive("too_large", "The archive's manifest is too large.")
    content = b"".join(container.read(MANIFEST))
    try:
        manifest = json.loads(content)
    except (ValueError, RecursionError):
        manifest = None
    if not isinstance(manifest, dict):
        raise BadArchive("invalid", "The archive's manifest cannot be read.")
    return manifest


def _check_origin(manifest: Mapping[str, Any], expected: str, keys: list[bytes]) -> None:
    """Check that the archive has this format, was signed by a trusted key, and is not newer than this installation."""
    if manifest.get("format") != expected:
        raise BadArchive("invalid", f"This is no {expected}.")
    if not is_trusted(manifest, keys):
        key = manifest.get("key_id")
        named = f" It names the key {key}." if isinstance(key, str) and _KEY_ID.fullmatch(key) else ""
        raise BadArchive("untrusted", f"The archive was changed, or it was not made by this installation.{named}")
    for field, newest in (("format_version", FORMAT_VERSION), ("schema_version", SCHEMA_VERSION)):
        version = manifest.get(field)
        if not isinstance(version, int) or version < 1:
            raise BadArchive("invalid", "The archive's manifest has not the versions that it should have.")
        if version > newest:
            raise BadArchive("unsupported", "The archive was made by a newer version of Questlog.")


def _of_its_type(manifest: dict[str, Any], manifest_type: type[Unsigned]) -> Mapping[str, Any]:
    """The manifest as this type. Raises BadArchive if it has other fields."""
    try:
        checked: Mapping[str, Any] = _adapter(cast("Hashable", manifest_type)).validate_python(manifest, strict=True)
    except ValidationError:
        # From None: the original quotes the manifest.
        raise BadArchive("invalid", "The archive's manifest has not the fields that it should have.") from None
    return checked


@cache
def _adapter(manifest_type: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(manifest_type)


def _check_members(container: Container, archive: Archive) -> None:
    """Check that the members are exactly those of the manifest, and not too large together."""
    named = [entry["path"] for entry in archive.manifest["files"]]
    if len(set(named)) != len(named):
        raise BadArchive("invalid", "The archive's manifest names a file twice.")
    if container.sizes.keys() != {*named, MANIFEST}:
        raise BadArchive("invalid", "A file is missing in the archive, or there is one too many.")
    if sum(container.sizes.values()) > MAX_UNPACKED:
        raise BadArchive("too_large", f"The archive has more than {MAX_UNPACKED // 1024**3} GiB unpacked.")
    if any(container.sizes[path] != entry["bytes"] for path, entry in archive.files.items()):
        raise BadArchive("invalid", "A file in the archive has not the size that it should have.")
    if not {data_path(table) for table in archive.tables} <= archive.files.keys():
        raise BadArchive("invalid", "A table is missing in the archive.")


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a text that comes in pieces, without their ends."""
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines
    yield rest
