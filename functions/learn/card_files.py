"""Cards in text files: what all formats share, and CSV, read and written (learn contract 2.4, rules 13 and 14)."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, NamedTuple

from questlog.importing.problems import Unreadable

MOST_ROWS: Final = 5_000
_MOST_LINES: Final = 100_000
_MOST_COLUMNS: Final = 1_000
_LONGEST_SIDE: Final = 4_000
_LONGEST_HINT: Final = 500
_LONGEST_TAG: Final = 40
_MOST_TAGS: Final = 20
COLUMNS: Final = ("front", "back", "hint", "tags")
# A line that is added at the end of every text. If it does not come back as a row, a quote was never closed. No text
# holds it itself, since one with NUL in it is refused.
_END: Final = "\0"


class FileCard(NamedTuple):
    """A card of a file; `line` is where its row begins, from 1."""

    line: int
    front: str
    back: str
    hint: str | None
    tags: list[str]
    guid: str | None = None


class FileError(NamedTuple):
    """A row that was left out, and why."""

    line: int
    message: str


@dataclass(slots=True)
class CardFile:
    """The cards of a file, and its rows that are not cards."""

    cards: list[FileCard] = field(default_factory=list)
    errors: list[FileError] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many rows of data there are."""
        return len(self.cards) + len(self.errors)

    def add(self, card: FileCard) -> None:
        """Add a card, or report what is wrong with it."""
        problem = _problem(card)
        if problem is None:
            self.cards.append(card)
        else:
            self.errors.append(FileError(card.line, problem))


class Line(NamedTuple):
    """A row as it stands in the file; of one that cannot be read, `problem` says why."""

    number: int
    cells: list[str]
    problem: str | None = None


def _problem(card: FileCard) -> str | None:
    if not card.front:
        return "The front is missing."
    if not card.back:
        return "The back is missing."
    for name, text, limit in (
        ("front", card.front, _LONGEST_SIDE),
        ("back", card.back, _LONGEST_SIDE),
        ("hint", card.hint or "", _LONGEST_HINT),
    ):
        if len(text) > limit:
            return f"The {name} has more than {limit} characters."
    return None


def tags_of(text: str) -> list[str]:
    """The tags in a text, which spaces separate: at most 20, each once.

    Of a tag that is too long, the outer parts of its hierarchy (outer::inner) are dropped until it fits.
    """
    return list(dict.fromkeys(map(_fitting, text.split())))[:_MOST_TAGS]


def _fitting(tag: str) -> str:
    if len(tag) <= _LONGEST_TAG:
        return tag
    _, parted, end = tag[-_LONGEST_TAG - 2 :].partition("::")
    return end if parted and end else tag.rpartition("::")[2][:_LONGEST_TAG] or tag[:_LONGEST_TAG]


def rows(text: str, delimiter: str, comment: str | None = None) -> list[Line]:
    """The rows that are not empty. A quote that is never closed makes the last row, with a problem.

    Lines that begin with `comment` and hold no delimiter are left out. Raises Unreadable for more rows than a header
    and the most cards.
    """
    found: list[Line] = []
    for line in _records(text, delimiter):
        is_comment = comment is not None and len(line.cells) == 1 and line.cells[0].startswith(comment)
        if line.problem or (any(map(str.strip, line.cells)) and not is_comment):
            found.append(line)
        if len(found) > MOST_ROWS + 1:
            raise too_many_rows()
    return found


def too_many_rows() -> Unreadable:
    """The refusal of a file with too many rows."""
    return Unreadable(f"has more than {MOST_ROWS:,} rows")


def _records(text: str, delimiter: str) -> Iterator[Line]:
    csv.field_size_limit(max(len(text) + 1, 131_072))
    ended = text if text.endswith(("\n", "\r")) else text + "\n"
    reader = csv.reader(chain(io.StringIO(ended, newline=""), [_END]), delimiter=delimiter)
    number = 1
    for count, cells in enumerate(reader):
        if cells == [_END]:
            return
        if count > _MOST_LINES:
            raise Unreadable(f"has more than {_MOST_LINES:,} lines")
        if cells and cells[-1].endswith(_END):
            yield Line(number, [], "A quote begins in this row and is never closed.")
            return
        problem = f"The row has more than {_MOST_COLUMNS:,} columns." if len(cells) > _MOST_COLUMNS else None
        yield Line(number, [] if problem else cells, problem)
        number = reader.line_num + 1


def read_csv(text: str, delimiter: str) -> CardFile:
    """The cards in a CSV file. Without a header the columns are front, back, hint and tags."""
    file = CardFile()
    lines = rows(text, delimiter)
    header = [cell.strip().lower() for cell in lines[0].cells] if lines else []
    places: Sequence[int] = range(len(COLUMNS))
    if {"front", "back"} <= set(header):
        places = [header.index(name) if name in header else -1 for name in COLUMNS]
        del lines[0]
    for line in lines:
        if line.problem:
            file.errors.append(FileError(line.number, line.problem))
        else:
            front, back, hint, tags = (cell(line.cells, place) for place in places)
            file.add(FileCard(line.number, front, back, hint or None, tags_of(tags)))
    return file


def cell(cells: Sequence[str], place: int | None) -> str:
    """The text in a column, counted from 0, of a row; empty if there is no such column."""
    return cells[place].strip() if place is not None and 0 <= place < len(cells) else ""


def written_csv(cards: Iterable[Sequence[str]]) -> str:
    """The CSV of cards (RFC 4180), each a row of its front, back, hint and tags."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows(cards)
    return out.getvalue()
