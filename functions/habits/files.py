"""Which app a file of habits comes from, and its habits."""

from typing import Final, Literal

from questlog.importing.problems import Unreadable

from functions.habits import habitica, loop
from functions.habits.history import Records

Format = Literal["auto", "loop", "habitica", "questlog"]
_ARCHIVE: Final = b"PK"


def read(data: bytes, source: Format = "auto") -> Records:
    """The habits in a file. Raises Refused, with the reason, if it does not have the given format."""
    is_archive = data.startswith(_ARCHIVE)
    if source in ("loop", "questlog") and not is_archive:
        raise Unreadable("is not a Loop export: looked for a ZIP file")
    if source == "habitica" and is_archive:
        raise Unreadable("is not a Habitica export: looked for JSON, found a ZIP file")
    if not is_archive and not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        raise Unreadable("is neither a Loop export (a ZIP file) nor a Habitica export (a JSON object)")
    return loop.read(data, own=source == "questlog") if is_archive else habitica.read(data)
