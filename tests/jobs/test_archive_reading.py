"""Reading of archives: what was written is read, and nothing else is."""

import io
import json
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from typing import IO, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from questlog.release import SCHEMA_VERSION

from functions.jobs.archive import container, reading
from functions.jobs.archive.container import BadArchive, open_container, ranged_file
from functions.jobs.archive.manifest import BACKUP, EXPORT, MANIFEST, ExportManifest, signed, written
from functions.jobs.archive.reading import Archive, open_archive
from tests.jobs.archives import KEY, archive_of, manifest_of, table, zipped

FILES = {
    "README.txt": b"An export.",
    "data/goals.json": table({"id": 1, "title": "Rest"}, {"id": 2, "title": "[\n]"}),
    "data/habits.json": b"[]\n",
    "audio/tone-1.wav": bytes(range(256)) * 9,
}
GOOD = archive_of(FILES)


def opened(content: bytes, keys: list[bytes] | None = None) -> Archive:
    return open_archive(io.BytesIO(content), ExportManifest, EXPORT, [KEY] if keys is None else keys)


def contents(content: bytes) -> dict[str, bytes]:
    """All that is in an archive, checked."""
    archive = opened(content)
    return {path: b"".join(archive.read(path)) for path in archive.files}


def refused(content: bytes, reason: str = "invalid") -> str:
    """Assert that an archive is refused for this reason. Returns the message."""
    with pytest.raises(BadArchive) as told:
        contents(content)
    assert told.value.reason == reason, told.value.message
    assert told.value.message.endswith(".")
    assert told.value.__cause__ is None
    return told.value.message


# What is read ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zip64", [False, True])
@pytest.mark.parametrize("streamed", [False, True])
def test_what_was_written_is_read(streamed: bool, zip64: bool) -> None:
    members = {**FILES, MANIFEST: written(signed(manifest_of(FILES), KEY))}
    content = zipped(members, streamed=streamed, zip64=zip64, stored=frozenset({"audio/tone-1.wav"}))
    assert contents(content) == FILES
    assert list(opened(content).rows("goals")) == [b'{"id": 1, "title": "Rest"}', b'{"id": 2, "title": "[\\n]"}']
    assert list(opened(content).rows("habits")) == []


def test_any_of_the_keys_is_trusted() -> None:
    assert opened(GOOD, [b"n" * 32, KEY]).tables.keys() == {"goals", "habits"}


def test_an_object_is_read_by_ranges() -> None:
    asked: list[tuple[int, int]] = []

    def fetch(start: int, end: int) -> bytes:
        asked.append((start, end))
        return GOOD[start:end]

    archive = open_archive(ranged_file(len(GOOD), fetch), ExportManifest, EXPORT, [KEY])
    assert b"".join(archive.read("audio/tone-1.wav")) == FILES["audio/tone-1.wav"]
    assert all(0 <= start < end <= len(GOOD) for start, end in asked)


def test_members_can_be_read_at_once() -> None:
    archive = opened(zipped({**FILES, MANIFEST: written(signed(manifest_of(FILES), KEY))}))
    one, other = archive.read("audio/tone-1.wav"), archive.read("README.txt")
    assert next(other) == FILES["README.txt"]
    assert b"".join(one) == FILES["audio/tone-1.wav"]


def test_progress_is_told_in_bytes() -> None:
    told: list[int] = []
    opened(GOOD).verify(["README.txt", "audio/tone-1.wav"], told.append)
    assert sum(told) == len(FILES["README.txt"]) + len(FILES["audio/tone-1.wav"])


def test_a_large_member_is_never_whole_in_memory() -> None:
    files = {"audio/silence.wav": bytes(96 * 1024**2)}
    archive = opened(archive_of(files))
    sizes: list[int] = []
    tracemalloc.start()
    try:
        archive.verify(archive.files, sizes.append)
        assert tracemalloc.get_traced_memory()[1] < 8 * 1024**2
        assert sum(sizes) == len(files["audio/silence.wav"])
    finally:
        tracemalloc.stop()


# What was changed --------------------------------------------------------------------------------------------------


@given(place=st.integers(0, len(GOOD) - 1), flip=st.integers(1, 255))
@example(place=0, flip=1)
@example(place=len(GOOD) - 1, flip=1)
def test_a_byte_that_was_changed_is_found(place: int, flip: int) -> None:
    """Wherever it is: in a member, in a header of which zipfile knows nothing, in the directory, in the end record."""
    changed = bytearray(GOOD)
    changed[place] ^= flip
    with pytest.raises(BadArchive) as told:
        contents(bytes(changed))
    # A size may have become a large one.
    assert told.value.reason in ("invalid", "too_large")


@pytest.mark.parametrize("zip64", [False, True])
@pytest.mark.parametrize("streamed", [False, True])
def test_every_byte_counts(monkeypatch: pytest.MonkeyPatch, streamed: bool, zip64: bool) -> None:
    """Each byte of a small file changed in three ways: also the bits behind the end of a deflate stream.

    With `zip64` the file has all the records of a large one: it takes little to be large then.
    """
    if zip64:
        monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 50)
        monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 2)
        monkeypatch.setattr(container, "_LONG", 0)
    files = {"a": b"abc" * 40, "b": b"", "c.txt": b"x" * 60}
    good = zipped(files, streamed=streamed, zip64=zip64, stored=frozenset({"b"}))

    def read(content: bytes) -> dict[str, bytes]:
        opened = open_container(io.BytesIO(content))
        return {name: b"".join(opened.read(name)) for name in opened.sizes}

    assert read(good) == files
    assert (b"PK\6\6" in good) == zip64
    for place in range(len(good)):
        for flip in (0x01, 0x80, 0xFF):
            changed = bytearray(good)
            changed[place] ^= flip
            with pytest.raises(BadArchive):
                read(bytes(changed))


@given(st.binary(max_size=300))
def test_what_is_no_archive_is_refused(content: bytes) -> None:
    refused(content)


@given(start=st.integers(0, len(GOOD)), length=st.integers(1, 200), inserted=st.binary(max_size=40))
def test_pieces_that_are_missing_or_too_many_are_found(start: int, length: int, inserted: bytes) -> None:
    changed = GOOD[:start] + inserted + GOOD[start + length :]
    if changed != GOOD:
        with pytest.raises(BadArchive):
            contents(changed)


@pytest.mark.parametrize("content", [b"", b"PK\5\6", GOOD[:-1], GOOD + b"x", b"x" + GOOD, zipped({}), GOOD + GOOD])
def test_not_a_whole_archive(content: bytes) -> None:
    refused(content)


def test_a_file_that_was_put_in_again_with_another_content() -> None:
    refused(zipped({**FILES, "README.txt": b"An Export.", MANIFEST: written(signed(manifest_of(FILES), KEY))}))


def test_members_are_those_of_the_manifest() -> None:
    manifest = written(signed(manifest_of(FILES), KEY))
    without = {path: content for path, content in FILES.items() if path != "README.txt"}
    refused(zipped({**without, MANIFEST: manifest}))
    refused(zipped({**FILES, "more.txt": b"", MANIFEST: manifest}))
    refused(zipped(FILES))
    refused(zipped({MANIFEST: manifest}))


def test_a_manifest_that_was_hashed_again_is_not_trusted() -> None:
    changed = {**FILES, "README.txt": b"Another text"}
    was = json.loads(written(signed(manifest_of(FILES), KEY)))
    manifest = {**manifest_of(changed), "key_id": was["key_id"], "signature": was["signature"]}
    refused(zipped({**changed, MANIFEST: written(manifest)}), "untrusted")
    refused(zipped({**changed, MANIFEST: written(manifest_of(changed))}), "untrusted")


def test_the_key_is_named_where_it_is_not_trusted() -> None:
    manifest = signed(manifest_of(FILES), b"o" * 32)
    assert manifest["key_id"] in refused(archive_of(FILES, key=b"o" * 32), "untrusted")
    named = {**manifest, "key_id": "<b>no key</b>"}
    assert "no key" not in refused(zipped({**FILES, MANIFEST: written(named)}), "untrusted")


def test_versions() -> None:
    for fields in ({"format_version": 2}, {"schema_version": SCHEMA_VERSION + 1}):
        refused(archive_of(FILES, fields), "unsupported")
    assert opened(archive_of(FILES, {"schema_version": 1})).manifest["schema_version"] == 1
    bad: list[dict[str, Any]] = [{"format_version": 0}, {"schema_version": "1"}, {"schema_version": None}]
    for fields in bad:
        refused(archive_of(FILES, fields))


def test_another_format_is_refused() -> None:
    refused(archive_of(FILES, {"format": BACKUP}))
    refused(archive_of(FILES, {"format": None}))


FILE = manifest_of(FILES)["files"][0]


@pytest.mark.parametrize(
    "fields",
    [
        {"files": None},
        {"files": [*manifest_of(FILES)["files"], FILE]},
        {"files": [{**FILE, "bytes": "10"}, *manifest_of(FILES)["files"][1:]]},
        {"files": [{**FILE, "bytes": 9}, *manifest_of(FILES)["files"][1:]]},
        {"files": [{**FILE, "sha256": "0" * 64}, *manifest_of(FILES)["files"][1:]]},
        {"tables": {"goals": {"rows": 2}}},
        {"tables": {"quests": {"rows": 0, "columns": []}}},
        {"objects": [{}]},
        {"user": {}},
        {"exported_at": 1},
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(fields: dict[str, Any]) -> None:
    refused(archive_of(FILES, fields))


@pytest.mark.parametrize("manifest", [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b'{"format": 1' + b"0" * 5000 + b"}"])
def test_a_manifest_that_is_none_is_refused(manifest: bytes) -> None:
    refused(zipped({**FILES, MANIFEST: manifest}))


@pytest.mark.parametrize("rows", [1, 3])
def test_rows_are_counted(rows: int) -> None:
    tables = {**manifest_of(FILES)["tables"], "goals": {"rows": rows, "columns": ["id", "title"]}}
    archive = opened(archive_of(FILES, {"tables": tables}))
    with pytest.raises(BadArchive):
        list(archive.rows("goals"))


# What a ZIP file may be, and an archive may not ----------------------------------------------------------------------


def patched(content: bytes, name: str, change: Callable[[bytearray, int, int], None]) -> bytes:
    """A ZIP file whose local header and directory entry of a member are changed: given are both their places."""
    [info] = [info for info in zipfile.ZipFile(io.BytesIO(content)).infolist() if info.filename == name]
    entry = content.rindex(b"PK\1\2", 0, content.rindex(name.encode()))
    changed = bytearray(content)
    change(changed, info.header_offset, entry)
    return bytes(changed)


def put(form: str, value: int, in_header: int, in_entry: int) -> Callable[[bytearray, int, int], None]:
    """Write a field in both places, so far from where each begins."""

    def change(content: bytearray, header: int, entry: int) -> None:
        struct.pack_into(form, content, header + in_header, value)
        struct.pack_into(form, content, entry + in_entry, value)

    return change


@pytest.mark.parametrize("flags", [0x0001, 0x0041, 0x2000])
def test_encrypted_members(flags: int) -> None:
    assert "encrypted" in refused(patched(GOOD, "README.txt", put("<H", 0x0008 | flags, 6, 8)))


@pytest.mark.parametrize("method", [1, 6, 9, 12, 14, 93, 99])
def test_other_methods_of_compression(method: int) -> None:
    assert "compressed" in refused(patched(GOOD, "README.txt", put("<H", method, 8, 10)))


@pytest.mark.parametrize("name", ["..\\up.txt", "a\\b", "../up.txt", "a/../../up.txt", "..", "a/..", "nul\0.txt", "\0"])
def test_names_that_lead_elsewhere(name: str) -> None:
    plain = name.replace("\0", "#")
    content = archive_of({plain: b"x"}).replace(plain.encode(), name.encode())
    assert "name" in refused(content)


def test_dots_in_a_name_are_no_way_up() -> None:
    files = {"audio/Wait..what.wav": b"x", "a/.../b": b"y"}
    assert contents(archive_of(files)) == files


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_equal_names() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for content in (b"one", b"two"):
            archive.writestr(zipfile.ZipInfo("README.txt"), content)
    assert "same name" in refused(file.getvalue())


def test_anything_before_the_first_member() -> None:
    file = io.BytesIO(b"#!/bin/sh\n")
    file.seek(0, io.SEEK_END)
    with zipfile.ZipFile(file, "a") as archive:  # its places count from the begin of the file
        archive.writestr(zipfile.ZipInfo(MANIFEST), written(signed(manifest_of({}), KEY)))
    assert "before" in refused(file.getvalue())
    assert contents(archive_of({})) == {}


def test_a_comment_is_no_part_of_an_archive() -> None:
    file = io.BytesIO(GOOD)
    with zipfile.ZipFile(file, "a") as archive:
        archive.comment = b"read me"
    refused(file.getvalue())


def test_bytes_between_members() -> None:
    """They belong to none, and another program may take them for one."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo("a"), b"x")
        file.write(b"hidden")
        archive.start_dir = file.tell()
        archive.writestr(zipfile.ZipInfo("b"), b"y")
    opened = open_container(io.BytesIO(file.getvalue()))
    assert b"".join(opened.read("b")) == b"y"
    with pytest.raises(BadArchive):
        list(opened.read("a"))


# What is too large -------------------------------------------------------------------------------------------------


class Counted(io.BytesIO):
    """A file that counts the bytes that are read of it."""

    count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        content = super().read(size)
        self.count += len(content)
        return content


def of_many(entries: int, length: int = 0) -> Counted:
    """The end of a file of so many members in ZIP64, behind a directory of `length` bytes."""
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, entries, entries, length, 0)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, length, 1)
    short = min(entries, 0xFFFF)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, short, short, length, 0, 0)
    return Counted(bytes(length) + end64 + locator + end)


def test_members_are_counted_before_the_directory_is_read() -> None:
    file = of_many(container.MAX_MEMBERS + 1, 60_000_000)
    with pytest.raises(BadArchive) as told:
        open_container(file)
    assert told.value.reason == "too_large"
    assert file.count < 1000
    with pytest.raises(BadArchive) as told:
        open_container(of_many(container.MAX_MEMBERS))
    assert told.value.reason == "invalid"


@pytest.mark.parametrize("more", [1, -1])
def test_the_end_record_counts_the_members(more: int) -> None:
    """zipfile reads those that are there."""
    end = bytearray(GOOD[-22:])
    for at in (8, 10):
        struct.pack_into("<H", end, at, struct.unpack_from("<H", end, at)[0] + more)
    with pytest.raises(BadArchive) as told:
        open_container(io.BytesIO(GOOD[:-22] + end))
    assert told.value.reason == "invalid"


def test_a_directory_is_not_larger_than_its_entries_can_be() -> None:
    file = of_many(10, 60_000_000)
    with pytest.raises(BadArchive) as told:
        open_container(file)
    assert told.value.reason == "too_large"
    assert file.count < 1000


def test_unpacked_sizes_are_added_up(monkeypatch: pytest.MonkeyPatch) -> None:
    size = sum(map(len, FILES.values())) + zipfile.ZipFile(io.BytesIO(GOOD)).getinfo(MANIFEST).file_size
    monkeypatch.setattr(reading, "MAX_UNPACKED", size)
    assert contents(GOOD) == FILES
    monkeypatch.setattr(reading, "MAX_UNPACKED", size - 1)
    refused(GOOD, "too_large")


def test_a_large_manifest_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    size = zipfile.ZipFile(io.BytesIO(GOOD)).getinfo(MANIFEST).file_size
    monkeypatch.setattr(reading, "MAX_MANIFEST", size - 1)
    refused(GOOD, "too_large")


def test_a_member_that_unpacks_to_more_than_it_says() -> None:
    """It is left at the first piece that is too much: 1 MiB here, of 64."""
    bomb = bytes(64 * 1024**2)
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = deflate.compress(bomb) + deflate.flush()
    fields = (20, 0, 8, 0, 0x21, zlib.crc32(bomb[:10]), len(packed), 10, 4, 0)
    local = struct.pack("<4s5H3L2H", b"PK\3\4", *fields) + b"bomb"
    entry = struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, *fields, 0, 0, 0, 0, 0) + b"bomb"
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(entry), len(local) + len(packed), 0)
    opened = open_container(io.BytesIO(local + packed + entry + end))
    assert opened.sizes == {"bomb": 10}
    tracemalloc.start()
    try:
        with pytest.raises(BadArchive):
            list(opened.read("bomb"))
        assert tracemalloc.get_traced_memory()[1] < 4 * 1024**2
    finally:
        tracemalloc.stop()


# The bucket --------------------------------------------------------------------------------------------------------


def test_an_error_of_the_bucket_is_not_one_of_the_archive() -> None:
    class Away(Exception):
        pass

    def fetch(start: int, end: int) -> bytes:
        raise Away

    with pytest.raises(Away):
        open_container(ranged_file(1000, fetch))


@pytest.mark.parametrize("content", [GOOD, b"x" * 10])
def test_a_ranged_file_is_like_any_other(content: bytes) -> None:
    def read(file: IO[bytes]) -> list[bytes | int]:
        return [
            file.seek(-4, io.SEEK_END),
            file.read(2),
            file.read(9),
            file.read(1),
            file.seek(3),
            file.read(4),
            file.seek(1, io.SEEK_CUR),
            file.read(),
            file.seek(10**6),
            file.read(1),
        ]

    assert read(ranged_file(len(content), lambda start, end: content[start:end])) == read(io.BytesIO(content))
