"""The ZIP file of an archive that was uploaded: its directory is checked before a member is read.

Python's zipfile reads it. This module refuses what zipfile accepts although two programs may see different files in it:
a directory that differs from the members' own headers, bytes that belong to no member, a name that occurs twice. A file
that we have written has none of these, so a change of any byte is found.

Numbers in comments are those of the ZIP specification (PKWARE, APPNOTE.TXT 6.3.10).
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, Final, Literal, NamedTuple

MAX_MEMBERS: Final = 1_000_000
# The largest directory, in bytes, since it is read as a whole. Our own names need far less.
_MOST_OF_AN_ENTRY: Final = 512
# How many bytes are fetched from the bucket, and unpacked, at a time.
_BLOCK: Final = 4 * 1024**2
_PIECE: Final = 256 * 1024

_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
# 4.4.4: encryption, strong encryption, masked headers; sizes that stand behind the data; a name in UTF-8.
_ENCRYPTED: Final = 0x0001 | 0x0040 | 0x2000
_HAS_DESCRIPTOR: Final = 0x0008
_IS_UTF_8: Final = 0x0800
# A size that stands in the field for ZIP64, and the least that zipfile writes there.
_LONG: Final = 2**31
_IN_ZIP64: Final = 0xFFFFFFFF

_END: Final = struct.Struct("<4s4H2LH")  # 4.3.16
_LOCATOR: Final = struct.Struct("<4sLQL")  # 4.3.15
_END_64: Final = struct.Struct("<4sQ2H2L4Q")  # 4.3.14
_LOCAL: Final = struct.Struct("<4s5H3L2H")  # 4.3.7
# 4.3.12: how long the name, the extra data and the comment of a directory's entry are, so far before the first of them.
_LENGTHS: Final = struct.Struct("<3H")
_AFTER_LENGTHS: Final = 18
# 4.3.9, by length: with and without ZIP64.
_DESCRIPTORS: Final = {16: struct.Struct("<4s3L"), 24: struct.Struct("<4sL2Q")}
_ZIP64_FIELD: Final = struct.Struct("<2H2Q")  # 4.5.3

# The errors that a broken file may cause while it is read. An error of the bucket is none of these.
_BROKEN: Final = (
    zipfile.BadZipFile,
    NotImplementedError,
    EOFError,
    ValueError,
    OverflowError,
    struct.error,
    zlib.error,
)

Reason = Literal["invalid", "untrusted", "unsupported", "too_large"]


class BadArchive(Exception):
    """The archive is refused. `message` is one plain sentence that quotes nothing of it."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.message = message


def _altered() -> BadArchive:
    return BadArchive("invalid", "The archive is damaged, or it was changed after it had been made.")


class _Ranges(io.RawIOBase):
    """An object of the bucket as a file that can be read from any position."""

    def __init__(self, size: int, fetch: Callable[[int, int], bytes]) -> None:
        self._size = size
        self._fetch = fetch
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        position = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence] + offset
        if position < 0:
            raise ValueError("before the begin of the file")
        self._position = position
        return position

    def readinto(self, buffer: Any) -> int:
        end = min(self._position + len(buffer), self._size)
        if end <= self._position:
            return 0
        content = self._fetch(self._position, end)
        buffer[: len(content)] = content
        self._position += len(content)
        return len(content)


def ranged_file(size: int, fetch: Callable[[int, int], bytes]) -> IO[bytes]:
    """An object of `size` bytes as a file. `fetch` returns its bytes from one position up to before another."""
    return io.BufferedReader(_Ranges(size, fetch), _BLOCK)


class Container:
    """The members of a ZIP file by name. Each is checked again as it is read."""

    def __init__(self, file: IO[bytes], members: list[zipfile.ZipInfo], end: int) -> None:
        """`members` in the order in which they lie in the file; `end` is where the last one ends."""
        self.sizes: Mapping[str, int] = {member.filename: member.file_size for member in members}
        """The size of each member once it is unpacked."""
        self._file = file
        ends = [*(member.header_offset for member in members[1:]), end]
        self._members = {member.filename: (member, end) for member, end in zip(members, ends, strict=True)}

    def read(self, name: str) -> Iterator[bytes]:
        """The content of a member in pieces, never more than `sizes` says. Raises BadArchive if it is damaged."""
        member, end = self._members[name]
        with _readable():
            start = _check_header(self._file, member, end)
            packed = self._packed(start, start + member.compress_size)
            checksum = size = 0
            for piece in packed if member.compress_type == zipfile.ZIP_STORED else _inflated(packed):
                size += len(piece)
                checksum = zlib.crc32(piece, checksum)
                if size > member.file_size:
                    raise _altered()
                yield piece
            if (size, checksum) != (member.file_size, member.CRC):
                raise _altered()

    def _packed(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes of the file from one place to another."""
        while start < end:
            # Another member may have been read meanwhile.
            self._file.seek(start)
            block = self._file.read(min(_PIECE, end - start))
            if not block:
                raise EOFError
            start += len(block)
            yield block


def open_container(file: IO[bytes]) -> Container:
    """Read the directory of a ZIP file. Raises BadArchive, which says what is wrong with it."""
    with _readable():
        directory = _find_directory(file)
        entries = zipfile.ZipFile(file).infolist()
        # zipfile reads as many as there are.
        if len(entries) != directory.entries:
            raise _altered()
        _check_last_entry(file, entries, directory)
        members = sorted(entries, key=lambda member: member.header_offset)
        _check_entries(members)
        return Container(file, members, directory.start)


@contextmanager
def _readable() -> Iterator[None]:
    """Turns the errors of a broken file into BadArchive."""
    try:
        yield
    except _BROKEN:
        # From None: the text of the original may quote the file.
        raise _altered() from None


class _Place(NamedTuple):
    """Where the directory begins and ends, and how many entries the record at the end says that it has."""

    start: int
    end: int
    entries: int


def _find_directory(file: IO[bytes]) -> _Place:
    """Where the directory is, once it is known that it is not too large.

    It goes up to the records at the end of the file (4.3.6), and nothing follows those.
    """
    size = file.seek(0, io.SEEK_END)
    at = size - _END.size
    fields = _unpacked(_END, file, at)
    if fields[0] != b"PK\5\6":
        raise BadArchive("invalid", "This is not a ZIP file.")
    _, disk, first_disk, here, entries, length, start, comment = fields
    # zipfile takes the other record wherever its locator stands, so it has to be read here too.
    if at >= _LOCATOR.size and _unpacked(_LOCATOR, file, at - _LOCATOR.size)[0] == b"PK\6\7":
        at, entries, length, start = _zip64_end(file, at)
    if entries > MAX_MEMBERS:
        raise BadArchive("too_large", f"The archive has more than {MAX_MEMBERS} files.")
    short = min(entries, 0xFFFF), min(entries, 0xFFFF), min(length, _IN_ZIP64), min(start, _IN_ZIP64)
    if (disk, first_disk, here, *fields[4:7], comment) != (0, 0, *short, 0) or start + length != at:
        raise _altered()
    if length > _MOST_OF_AN_ENTRY * entries:
        raise BadArchive("too_large", "The archive's directory is too large.")
    return _Place(start, at, entries)


def _zip64_end(file: IO[bytes], end: int) -> tuple[int, int, int, int]:
    """Where the ZIP64 record is that belongs to the end record at `end`; and what it says: the number of entries, the
    length of the directory and its begin.
    """
    signature, disk, at, disks = _unpacked(_LOCATOR, file, end - _LOCATOR.size)
    if (signature, disk, at, disks) != (b"PK\6\7", 0, end - _LOCATOR.size - _END_64.size, 1):
        raise _altered()
    signature, size, made, needed, disk, first_disk, here, entries, length, start = _unpacked(_END_64, file, at)
    # The size is of what follows this field.
    said = (signature, size, made, disk, first_disk, here)
    if said != (b"PK\6\6", _END_64.size - 12, needed, 0, 0, entries):
        raise _altered()
    return at, entries, length, start


def _unpacked(record: struct.Struct, file: IO[bytes], at: int) -> tuple[Any, ...]:
    """A record of the file. Raises struct.error if the file ends before."""
    file.seek(at)
    return record.unpack(file.read(record.size))


def _check_last_entry(file: IO[bytes], entries: list[zipfile.ZipInfo], directory: _Place) -> None:
    """Check that the parts of the last entry are as long as it says: zipfile accepts a part that is cut off."""
    if entries:
        last = entries[-1]
        name = last.orig_filename.encode("utf-8" if last.flag_bits & _IS_UTF_8 else "cp437")
        lengths = (len(name), len(last.extra), len(last.comment))
        if _unpacked(_LENGTHS, file, directory.end - sum(lengths) - _AFTER_LENGTHS) != lengths:
            raise _altered()


class _Maker(NamedTuple):
    """What a directory's entry says about the program that wrote it: the same in all entries."""

    # The version of the program less the version that is needed to read the member.
    version: int
    system: int
    disk: int
    internal: int
    external: int
    comment: bytes

    @classmethod
    def of(cls, member: zipfile.ZipInfo) -> "_Maker":
        return cls(
            version=member.create_version - member.extract_version,
            system=member.create_system,
            disk=member.volume,
            internal=member.internal_attr,
            external=member.external_attr,
            comment=member.comment,
        )


def _check_entries(members: list[zipfile.ZipInfo]) -> None:
    """Check what the directory says about the members, which are in the order in which they lie in the file."""
    if len({member.filename for member in members}) != len(members):
        raise BadArchive("invalid", "Two files in the archive have the same name.")
    if members and members[0].header_offset != 0:
        raise BadArchive("invalid", "Something stands before the first file of the archive.")
    if len({_Maker.of(member) for member in members}) > 1:
        raise _altered()
    for member in members:
        # zipfile cuts a name at NUL.
        name = member.orig_filename
        if "\0" in name or "\\" in name or ".." in name.split("/"):
            raise BadArchive("invalid", "A file in the archive has a name that is not allowed.")
        # 4.5: extra data, of which only the sizes and places are known that do not fit into the entry itself.
        if member.extra and max(member.file_size, member.compress_size, member.header_offset) < _LONG:
            raise _altered()
        if member.flag_bits & _ENCRYPTED:
            raise BadArchive("invalid", "The archive is encrypted.")
        if member.compress_type not in _METHODS:
            raise BadArchive("invalid", "A file in the archive is compressed in a way that is not supported.")


def _check_header(file: IO[bytes], member: zipfile.ZipInfo, end: int) -> int:
    """Check that a member's own header says what the directory says of it, and that the member ends at `end`.

    Returns where its data begin.
    """
    signature, version, flags, method, time, date, crc, packed, size, name_length, extra_length = _unpacked(
        _LOCAL, file, member.header_offset
    )
    name_and_extra = file.read(name_length + extra_length)
    name = name_and_extra[:name_length].decode("utf-8" if flags & _IS_UTF_8 else "cp437")
    here = (signature, version, flags, method, _date_time(date, time), name)
    version_needed = member.extract_version | member.reserved << 8
    there = (version_needed, member.flag_bits, member.compress_type, member.date_time, member.orig_filename)
    if here != (b"PK\3\4", *there):
        raise _altered()
    start = member.header_offset + _LOCAL.size + len(name_and_extra)
    sizes = (crc, *_real_sizes(packed, size, name_and_extra[name_length:]))
    known = (member.CRC, member.compress_size, member.file_size)
    if member.flag_bits & _HAS_DESCRIPTOR:
        # They were not known when the header was written.
        behind = _descriptor(file, start + member.compress_size, end)
        if behind != known or sizes != (0, 0, 0):
            raise _altered()
    elif start + member.compress_size != end or sizes != known:
        raise _altered()
    return start


def _real_sizes(packed: int, size: int, extra: bytes) -> tuple[int, int]:
    """The packed and the real size that a header says, in itself or in the ZIP64 field of its extra data."""
    if not extra:
        return packed, size
    tag, length, long_size, long_packed = _ZIP64_FIELD.unpack(extra)
    if (tag, length, packed, size) != (1, _ZIP64_FIELD.size - 4, _IN_ZIP64, _IN_ZIP64):
        raise _altered()
    return long_packed, long_size


def _descriptor(file: IO[bytes], at: int, end: int) -> tuple[int, int, int]:
    """The checksum, the packed and the real size that stand between the data of a member and its end."""
    record = _DESCRIPTORS.get(end - at)
    if record is None:
        raise _altered()
    signature, crc, packed, size = _unpacked(record, file, at)
    if signature != b"PK\7\x08":
        raise _altered()
    return crc, packed, size


def _date_time(date: int, time: int) -> tuple[int, int, int, int, int, int]:
    """A time as the headers pack it (4.4.6), in the form of zipfile."""
    return (date >> 9) + 1980, date >> 5 & 15, date & 31, time >> 11, time >> 5 & 63, (time & 31) * 2


def _inflated(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The content of a deflate stream (RFC 1951) in pieces. It ends in its last byte, the rest of which is 0."""
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    last = b""
    for block in blocks:
        yield from _pieces(inflate, last + block[:-1])
        last = block[-1:]
    before = inflate.copy()
    end = b"".join(_pieces(inflate, last))
    if not inflate.eof or inflate.unused_data:
        raise _altered()
    # If the stream also ends without the high bits of its last byte, they are padding, where a compressor writes 0.
    for count in range(8):
        fewer = bytes([last[0] & (1 << count) - 1])
        other = before.copy()
        if fewer != last and b"".join(_pieces(other, fewer)) == end and other.eof:
            raise _altered()
    yield end


def _pieces(inflate: "zlib._Decompress", packed: bytes) -> Iterator[bytes]:
    """What packed bytes become, in pieces of limited size: a few bytes may become a thousand times as many."""
    piece = b""
    while packed or len(piece) == _PIECE:
        piece = inflate.decompress(packed, _PIECE)
        packed = inflate.unconsumed_tail
        yield piece
