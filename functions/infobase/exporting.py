"""The infobase as a ZIP archive of Markdown files that Obsidian opens as a vault."""

import json
import re
import zipfile
from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import Final
from unicodedata import normalize

from functions.infobase.models import ExportRow

# Characters that Windows, the strictest system, does not allow in file names, and the names of its devices.
_FORBIDDEN: Final = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f]')
_DEVICE: Final = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?=\.|$)", re.IGNORECASE)
_LONGEST: Final = 100
# Characters that YAML allows in quotes only as escapes (YAML 1.2.2, 5.1, 5.4). Else a JSON string is a YAML string.
_ESCAPED: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


class Names:
    """File names for one folder. No two are equal on a file system that ignores case and Unicode normalisation."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, wanted: str) -> str:
        """The text as a file name, with a number behind it if the name is taken."""
        name, number = file_name(wanted), 1
        while (key := normalize("NFKC", name).casefold()) in self._taken:
            number += 1
            suffix = f" ({number})"
            name = _cut(file_name(wanted), _LONGEST - len(suffix)) + suffix
        self._taken.add(key)
        return name


def file_name(text: str) -> str:
    """A text as the name of a file or folder, at most 100 bytes long; `untitled` if no character of it is allowed."""
    name = _cut(_FORBIDDEN.sub("_", text).strip(" "), _LONGEST)
    # A name that begins with a dot is hidden, from Obsidian too.
    name = "_" + name[1:] if name.startswith(".") else name
    return _DEVICE.sub(r"\1_", name, count=1) if _DEVICE.match(name) else name or "untitled"


def _cut(name: str, most: int) -> str:
    return name.encode()[:most].decode(errors="ignore").rstrip(". ")


def archive(rows: Sequence[ExportRow], part: int) -> bytes:
    """The entries of a part as files in a folder for each category.

    A file's name depends on those of all entries before it, so that the parts fit into one folder.
    """
    folders: dict[str, tuple[str, Names]] = {}
    folder_names = Names()
    document = BytesIO()
    with zipfile.ZipFile(document, "w", zipfile.ZIP_DEFLATED) as files:
        for row in rows:
            if row.category not in folders:
                folders[row.category] = folder_names.take(row.category), Names()
            folder, names = folders[row.category]
            name = names.take(row.title)
            if row.part == part:
                info = zipfile.ZipInfo(f"{folder}/{name}.md", row.updated_at.timetuple()[:6])
                info.compress_type = zipfile.ZIP_DEFLATED
                files.writestr(info, _front_matter(row) + (row.content or ""))
    return document.getvalue()


def _front_matter(row: ExportRow) -> str:
    fields = {
        "title": _quoted(row.title),
        "tags": _list(_quoted(tag) for tag in row.tags),
        "created": row.created_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "updated": row.updated_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "pinned": "true" if row.is_pinned else "false",
    }
    return "---\n" + "".join(f"{name}: {value}\n" for name, value in fields.items()) + "---\n"


def _list(items: Iterable[str]) -> str:
    return f"[{', '.join(items)}]"


def _quoted(text: str) -> str:
    """Text as a quoted scalar of YAML."""
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(text, ensure_ascii=False))
