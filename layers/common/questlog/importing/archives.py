"""ZIP files from outside, opened without trusting them."""

import io
import zipfile
import zlib
from collections.abc import Callable
from typing import Final

from questlog.importing.problems import TooLarge, Unreadable

MAX_UNPACKED: Final = 20 * 1024 * 1024
MAX_ENTRIES: Final = 5_000
_END_OF_DIRECTORY: Final = b"PK\x05\x06"
# The largest directory that is read, in bytes: an entry has 46 and its name, which is seldom longer than a hundred.
_MAX_DIRECTORY: Final = MAX_ENTRIES * 200
_STRANGE: Final = "is compressed in a way that cannot be read here: use ordinary ZIP compression"


def unpacked(data: bytes, wanted: Callable[[str], bool]) -> dict[str, bytes]:
    """The entries whose names are wanted, by name.

    The number of entries and their size are read from the directory first, so that a ZIP bomb is refused before it is
    unpacked; zipfile never unpacks more of an entry than its directory says. Raises Unreadable and TooLarge.
    """
    _require_small_directory(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_ENTRIES:
                raise TooLarge(f"has more than {MAX_ENTRIES:,} entries")
            if sum(entry.file_size for entry in entries) > MAX_UNPACKED:
                raise TooLarge(f"unpacks to more than {MAX_UNPACKED // 1024 // 1024} MiB", MAX_UNPACKED)
            chosen = [entry for entry in entries if wanted(entry.filename)]
            if any(entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for entry in chosen):
                raise Unreadable(_STRANGE)
            return {entry.filename: archive.read(entry) for entry in chosen}
    # A directory that points outside the file makes zipfile raise any of these.
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OverflowError):
        raise Unreadable("is not a ZIP file, or a damaged one") from None
    except NotImplementedError:
        raise Unreadable(_STRANGE) from None
    except RuntimeError:  # what zipfile raises for an entry with a password
        raise Unreadable("is protected by a password") from None


def _require_small_directory(data: bytes) -> None:
    """Refuse a directory of too many entries by its size, before zipfile makes an object of each."""
    at = data.rfind(_END_OF_DIRECTORY)
    if at < 0:
        raise Unreadable("is not a ZIP file")
    if int.from_bytes(data[at + 12 : at + 16], "little") > _MAX_DIRECTORY:
        raise TooLarge(f"has more than {MAX_ENTRIES:,} entries")
