"""Notes as Anki exports them to text, read and written (learn contract 2.4, rules 13, 14; import formats, 6)."""

import csv
import html
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Final, NamedTuple

from functions.learn.card_files import CardFile, FileCard, FileError, Line, cell, rows, tags_of

# A declaration stands in a line of its own before the notes: "#separator:tab".
_DECLARATION: Final = re.compile(r"#([a-z ]{1,40}):([^\r\n]*)", re.IGNORECASE)
_MOST_DECLARATIONS: Final = 100
_SEPARATORS: Final = {"comma": ",", "semicolon": ";", "tab": "\t", "space": " ", "pipe": "|", "colon": ":"}
_GUESSED: Final = "\t|;:,"
_GUESSED_WITHIN: Final = 8_192
# The columns that hold no text of the note, in the order in which Anki writes them; tags stand last.
_OF_THE_NOTE: Final = ("guid", "notetype", "deck")
_LONGEST_GUID: Final = 200
_SHOWS_HTML: Final = re.compile(r"<[a-zA-Z/!][^<>]*>|&(?:#[0-9]+|#x[0-9a-f]+|[a-z][a-z0-9]{1,31});", re.IGNORECASE)
_ROWS_THAT_SHOW: Final = 5

# Parts of HTML that a browser does not show, and how each ends. They are searched only before the last such end: after
# it, every beginning would be searched to the end of the text in vain.
_UNSEEN: Final = (
    (re.compile(r"<!-->|<!--.*?-->", re.DOTALL), re.compile(r"-->")),
    *(
        (
            re.compile(rf"<{name}(?=[\s/>])[^<>]*>.*?</{name}[^<>]*>?", re.DOTALL | re.IGNORECASE),
            re.compile(rf"</{name}[^<>]*>?", re.IGNORECASE),
        )
        for name in ("style", "script")
    ),
)
_BREAKING: Final = re.compile(r"</?(?:br|div|p|li|tr)(?=[\s/>])[^<>]*>", re.IGNORECASE)
_TAG: Final = re.compile(r"<[a-zA-Z/!][^<>]*>")
_SOUND: Final = re.compile(r"\[sound:[^\[\]]*\]")
# The standard library turns the number into an int, which refuses thousands of digits; no character has so many.
_NO_CHARACTER: Final = re.compile(r"&#[0-9]{8,};?")
# A side that is longer is too long however its entities are written: the longest has 33 letters.
_LONGEST_ENCODED: Final = 4_001 * 33
# Stands for a line break of the markup; a text with NUL in it is refused before.
_BREAK: Final = "\0"


class Layout(NamedTuple):
    """The column, counted from 0, of each part of a card; `further` are the fields after the back."""

    front: int
    back: int
    hint: int | None = None
    tags: int | None = None
    guid: int | None = None
    further: Sequence[int] = ()


def read(text: str) -> CardFile:
    """The cards in a text that Anki or a similar program has exported. Cloze notes are reported and left out."""
    declared, body = _declarations(text)
    separator = _separator(declared) or next((one for one in _GUESSED if one in body[:_GUESSED_WITHIN]), "\t")
    lines = rows(body, separator, comment="#")
    layout = _layout(declared, separator, max((len(line.cells) for line in lines), default=0))
    is_html = _is_html(declared, lines)
    # A spreadsheet has appended its separators here, too.
    tags_of_all = declared.get("tags", "").rstrip(separator)
    file = CardFile()
    for line in lines:
        if line.problem:
            file.errors.append(FileError(line.number, line.problem))
            continue
        card = _card(line, layout, tags_of_all, is_html=is_html)
        if "{{c" in card.front:
            file.errors.append(FileError(line.number, "This is a cloze note; cards with gaps are not taken."))
        else:
            file.add(card)
    return file


def _declarations(text: str) -> tuple[Mapping[str, str], str]:
    """The declarations of the first lines by name in lower case, and the text with those lines emptied."""
    declared: dict[str, str] = {}
    body: list[str] = []
    lines = io.StringIO(text, newline="")
    for line in islice(lines, _MOST_DECLARATIONS):
        # Old exports begin with the tags of all notes, without a #.
        found = _DECLARATION.match(f"#{line}" if not body and _has_old_tags(line) else line)
        if found:
            declared.setdefault(" ".join(found[1].lower().split()), found[2])
        body.append("\n" if found else line)
        if line.strip() and not found and not line.startswith("#"):
            break
    return declared, "".join(body) + lines.read()


def _has_old_tags(line: str) -> bool:
    return line[:5].lower() == "tags:" and "\t" not in line


def _separator(declared: Mapping[str, str]) -> str | None:
    """The declared separator, given by its name or as itself. A spreadsheet may have appended its own."""
    value = declared.get("separator", "")
    said = value.strip(" ") or value[:1]
    named = re.match(r"[^\W_]*", said)
    if named and named[0].lower() in _SEPARATORS:
        return _SEPARATORS[named[0].lower()]
    return said[0] if said and said[0] != '"' and len(named[0] if named else "") <= 1 else None


def _column(declared: Mapping[str, str], name: str) -> int | None:
    """The column, from 1, that is declared to hold something."""
    number = re.match(r"\s*([0-9]{1,4})(?![0-9])", declared.get(f"{name} column", ""))
    return int(number[1]) or None if number else None


def _layout(declared: Mapping[str, str], separator: str, widest: int) -> Layout:
    taken = _taken(declared, widest)
    names = _names(declared, separator)
    if {"front", "back"} <= set(names):
        hint, tags = (names.index(name) if name in names else None for name in ("hint", "tags"))
        tags = taken["tags"] - 1 if "tags" in taken else tags
        return Layout(names.index("front"), names.index("back"), hint, tags, _place(taken, "guid"))
    left = [place for place in range(widest) if place + 1 not in taken.values()]
    tags = _place(taken, "tags")
    if not taken and len(left) > 2:
        tags = left.pop()
    front, back, *further = [*left, widest, widest][: max(2, len(left))]
    return Layout(front, back, None, tags, _place(taken, "guid"), further)


def _place(columns: Mapping[str, int], name: str) -> int | None:
    return columns[name] - 1 if name in columns else None


def _taken(declared: Mapping[str, str], widest: int) -> dict[str, int]:
    """The columns, from 1, that hold no text of the note.

    Before 2025 Anki counted them wrongly where not all of them were exported: then two of them have one number, or the
    tags' is too small.
    """
    columns = {name: column for name in (*_OF_THE_NOTE, "tags") if (column := _column(declared, name)) is not None}
    of_the_note = [name for name in _OF_THE_NOTE if name in columns]
    if len(set(columns.values())) < len(columns):
        columns |= {name: column for column, name in enumerate(of_the_note, 1)}
        columns |= {"tags": widest} if "tags" in columns else {}
    elif of_the_note and columns.get("tags", widest) < widest:
        columns["tags"] = widest
    return columns


def _names(declared: Mapping[str, str], separator: str) -> list[str]:
    """The names that #columns gives to the columns, in lower case."""
    declaration = declared.get("columns", "")
    return [name.strip().lower() for name in next(csv.reader([declaration], delimiter=separator), [])]


def _is_html(declared: Mapping[str, str], lines: Sequence[Line]) -> bool:
    """Whether fields hold HTML: as it is declared, or as it looks."""
    said = re.match(r"\s*(true|false)", declared.get("html", ""), re.IGNORECASE)
    if said:
        return said[1].lower() == "true"
    return any(_SHOWS_HTML.search(text) for line in lines[:_ROWS_THAT_SHOW] for text in line.cells)


def _card(line: Line, layout: Layout, tags_of_all: str, *, is_html: bool) -> FileCard:
    def text(place: int | None) -> str:
        written = cell(line.cells, place)
        return plain_text(written) if is_html else written

    guid = cell(line.cells, layout.guid)
    return FileCard(
        line=line.number,
        front=text(layout.front),
        back="\n\n".join(filter(None, map(text, (layout.back, *layout.further)))),
        hint=text(layout.hint) or None,
        tags=tags_of(f"{cell(line.cells, layout.tags)} {tags_of_all}"),
        guid=guid if 0 < len(guid) <= _LONGEST_GUID else None,
    )


def plain_text(markup: str) -> str:
    """The text of a field that is HTML. Blocks begin and end lines; sounds and pictures are left out."""
    for unseen, ending in _UNSEEN:
        end = max((one.end() for one in ending.finditer(markup)), default=0)
        markup = unseen.sub("", markup[:end]) + markup[end:]
    text = _SOUND.sub("", _TAG.sub("", _BREAKING.sub(_BREAK, markup)))
    if len(text) > _LONGEST_ENCODED:
        return text
    text = html.unescape(_NO_CHARACTER.sub("\ufffd", text)).replace("\u00a0", " ")
    return "\n".join(filter(None, map(str.strip, text.split(_BREAK))))


def written(cards: Iterable[tuple[str, Sequence[str]]]) -> str:
    """The text that Anki imports, of cards each given by its guid and its front, back, hint and tags."""
    names = ("guid", "front", "back", "hint", "tags")
    header = ["#separator:tab", "#html:false", "#guid column:1", "#tags column:5", "#columns:" + "\t".join(names)]
    lines = ("\t".join(map(_quoted, (guid, *fields))) for guid, fields in cards)
    return "".join(f"{line}\n" for line in (*header, *lines))


def _quoted(text: str) -> str:
    if text.startswith("#") or any(sign in text for sign in '\t\r\n"'):
        return '"' + text.replace('"', '""') + '"'
    return text
