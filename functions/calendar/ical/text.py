"""The bytes of an iCalendar document as components and their content lines (RFC 5545, 3.1 and 3.4)."""

import codecs
import hashlib
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Final, NamedTuple, cast

from icalendar.parser import Contentline, unescape_backslash

MAX_COMPONENTS: Final = 10_000
_NAME: Final = re.compile(r"[A-Za-z0-9-]+(?=[:;])")
# The codecs of Python that are charsets. Others (idna, punycode) take very long to decode a large text.
_CHARSETS: Final = re.compile(
    r"utf-(8|8-sig|16|16-le|16-be)|ascii|iso8859-\d+|cp125\d|cp932|koi8-[ru]|shift_jis|euc_jp|iso2022_jp|gb2312|gbk|gb18030"
    r"|big5|euc_kr|mac-roman"
)
# icalendar has type hints, but not for this function.
_content_line: Final = cast("Callable[[str], Any]", Contentline)
# Properties that say when a component was written; they are no part of its content.
_OF_WRITING: Final = ("DTSTAMP", "CREATED", "LAST-MODIFIED", "SEQUENCE")


class NotCalendar(ValueError):
    """The document is not iCalendar at all, or larger than is read at once; the message says which."""


class Line(NamedTuple):
    """A property: its parameters by name in capitals, and its value as written."""

    name: str
    parameters: Mapping[str, str]
    value: str

    @property
    def text(self) -> str:
        """The value as TEXT, its escapes undone."""
        return str(unescape_backslash(self.value))


class Component:
    """A component: its own content lines, and the components in it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: list[str] = []
        self.parts: list[Component] = []
        self._read: dict[str, list[Line | None]] = {}

    def named(self, name: str) -> list[Line]:
        """The properties of a name that can be read."""
        return [line for line in self._properties(name) if line is not None]

    def first(self, name: str) -> Line | None:
        """The first property of a name that can be read."""
        return next(iter(self.named(name)), None)

    def has(self, name: str) -> bool:
        """Whether there is a property of this name, whether or not it can be read."""
        return name in self._lines_by_name

    def is_broken(self, name: str) -> bool:
        """Whether there is a property of this name that cannot be read; "" asks for lines that are no property."""
        return None in self._properties(name)

    @property
    def uid(self) -> str | None:
        """The UID of the component itself, not of a component in it."""
        line = self.first("UID")
        return None if line is None else line.text.strip()[:1000] or None

    @property
    def content_id(self) -> str:
        """An id computed from the component's content, so that another copy of it has the same."""
        said = [line for name, lines in self._lines_by_name.items() if name not in _OF_WRITING for line in lines]
        for part in self.parts:
            said += [part.name, *part.lines]
        return hashlib.sha256("\n".join(said).encode()).hexdigest()[:32] + "@content"

    def _properties(self, name: str) -> list[Line | None]:
        if name not in self._read:
            self._read[name] = [_parsed(line) if name else None for line in self._lines_by_name.get(name, ())]
        return self._read[name]

    @cached_property
    def _lines_by_name(self) -> dict[str, list[str]]:
        by_name: dict[str, list[str]] = {}
        for line in self.lines:
            match = _NAME.match(line)
            by_name.setdefault(match[0].upper() if match else "", []).append(line)
        return by_name


def unfolded(content: bytes, charset: str | None) -> str:
    """The text of a document, in lines that end in LF. Raises NotCalendar for bytes that cannot be decoded.

    A byte order mark or the declared charset says how to decode. Without either it is UTF-8, or else Windows-1252.
    Lines are unfolded first, since a fold may cut a character into two.
    """
    encoding = _encoding(content, charset)
    try:
        if encoding.startswith("utf-16"):
            halves = _joined(content.decode(encoding, "surrogatepass").encode("utf-8", "surrogatepass"))
            text = halves.decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass").decode("utf-16")
        else:
            text = _joined(content).decode(encoding)
    except UnicodeDecodeError as error:
        raise NotCalendar(f"cannot be read as {error.encoding}; say its charset in the Content-Type") from None
    if "\0" in text:
        raise NotCalendar("must not contain U+0000")
    return text


def calendars(text: str) -> list[Component]:
    """The VCALENDARs of an unfolded document. Raises NotCalendar if it holds none, a broken one, or too much."""
    document = Component("")
    inside = [document]
    for line in filter(None, map(str.strip, text.split("\n"))):
        kind, _, name = line.upper().partition(":")
        if kind == "BEGIN":
            component = Component(name.strip())
            inside[-1].parts.append(component)
            inside.append(component)
        elif kind != "END":
            inside[-1].lines.append(line)
        elif inside.pop().name != name.strip() or not inside:
            raise NotCalendar("is not an iCalendar document: what begins does not end")
    if len(inside) > 1:
        raise NotCalendar("is not an iCalendar document: what begins does not end")
    if not document.parts or any(part.name != "VCALENDAR" for part in document.parts):
        raise NotCalendar("is not an iCalendar document")
    if sum(part.name != "VTIMEZONE" for calendar in document.parts for part in calendar.parts) > MAX_COMPONENTS:
        raise NotCalendar(f"holds more than {MAX_COMPONENTS} components")
    return document.parts


def _encoding(content: bytes, charset: str | None) -> str:
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(mark):
            return encoding
    if charset is None:
        try:
            _joined(content).decode()
        except UnicodeDecodeError:
            return "cp1252"
        return "utf-8"
    try:
        name = codecs.lookup(charset).name
    except LookupError:
        name = ""
    if not _CHARSETS.fullmatch(name):
        raise NotCalendar(f"has a charset that is not known: {charset[:40]}")
    # Without a mark the first letter says in which order the bytes are.
    return ("utf-16-be" if content.startswith(b"\0") else "utf-16-le") if name == "utf-16" else name


def _joined(content: bytes) -> bytes:
    """Lines that end in LF, unfolded. Some programs write CR CR LF, or CR alone."""
    for end in (b"\r\r\n", b"\r\n", b"\r"):
        content = content.replace(end, b"\n")
    return content.replace(b"\n ", b"").replace(b"\n\t", b"")


def _parsed(line: str) -> Line | None:
    head, separator, value = line.partition(":")
    if separator and '"' not in head and " " not in head:
        name, *given = head.split(";")
        pairs = [part.partition("=") for part in given]
        if all(name and equals for name, equals, _ in pairs):
            return Line(name.upper(), {key.upper(): said for key, _, said in pairs}, value.strip())
    try:
        name, parameters, value = _content_line(line).raw_parts()
    except ValueError:
        return None
    single = {key: given if isinstance(given, str) else ",".join(given) for key, given in parameters.items()}
    return Line(name.upper(), single, value.strip()) if ":" in line else None
