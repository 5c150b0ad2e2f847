"""Books as files of other apps hold them: what the readers of Goodreads and StoryGraph files share."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_FLOOR, Decimal
from typing import Final, Literal, NamedTuple

from questlog.importing.dates import day_of
from questlog.importing.problems import Problems
from questlog.importing.tables import Row
from questlog.importing.values import clean_line, decimal_of, fold, integer_of

from functions.books.isbn import isbn13

Status = Literal["want_to_read", "reading", "completed", "abandoned"]

# The limits of our own tables (training contract, 3); longer text is cut, which the report says.
LONGEST_TITLE: Final = 500
LONGEST_AUTHOR: Final = 300
LONGEST_NOTES: Final = 10_000
LONGEST_TAG: Final = 40
MOST_TAGS: Final = 20
MOST_PAGES: Final = 50_000
# A read count is limited, since a mistyped one would become as many rows.
MOST_READS: Final = 100
# An index over a longer key would be refused by the database.
_LONGEST_KEY: Final = 300
PAUSED: Final = "paused"
_GIVEN_UP: Final = frozenset({"dnf", "did not finish", "abandoned", "dropped", "unfinished"})
_PAUSED: Final = frozenset({"paused", "on hold"})
_STATUSES: Final[dict[str, Status]] = {
    "read": "completed",
    "currently reading": "reading",
    "to read": "want_to_read",
    **dict.fromkeys(_GIVEN_UP, "abandoned"),
    **dict.fromkeys(_PAUSED, "reading"),
}
# Cells without information.
_NOTHING: Final = frozenset({"", "no"})
# An ISBN with a wrong digit, or what a spreadsheet makes of one: 9.78E+12, or without its zeros in front.
_LIKE_ISBN: Final = re.compile(r"[0-9][0-9.,E+ X-]{7,}", re.IGNORECASE)
_SERIES: Final = re.compile(r"\s*\([^()]*#[^()]*\)$")


class Read(NamedTuple):
    """One reading of a book from beginning to end; days that are not known are None."""

    started: date | None = None
    finished: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelvedBook:
    """A book with its reads, oldest first. A later import recognises it by `import_key`; `line` is its line."""

    import_key: str
    line: int
    title: str
    author: str | None
    isbn: str | None
    total_pages: int | None
    status: Status
    rating: Decimal | None
    notes: str | None
    tags: list[str]
    reads: list[Read]
    added: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """What a file holds: `skipped` counts its books that are not among `books`."""

    format: str
    books: list[ShelvedBook]
    skipped: int
    problems: Problems


def likeness(title: str, author: str | None) -> str:
    """The title without its series and the first author, folded: the same for two editions of a book."""
    first_author = (author or "").split(",")[0]
    return f"{fold(_SERIES.sub('', title))}|{fold(first_author)}"


@dataclass(slots=True)
class Stacking:
    """Collects the books of a file row by row, and the problems of what cannot be imported."""

    problems: Problems = field(default_factory=Problems)
    books: list[ShelvedBook] = field(default_factory=list)
    skipped: int = 0
    _keys: dict[str, int] = field(default_factory=dict)
    _rounded: int = 0
    _left_out: Counter[str] = field(default_factory=Counter)
    _given_up: int = 0

    def skip(self, line: int, title: str | None, message: str) -> None:
        self.skipped += 1
        self.problems.tell(line, title, message)

    def import_key(self, source: str, identity: str) -> str:
        """The key by which a later import recognises the book; a second book with the same identity gets another."""
        key = f"{source}:{identity}"[:_LONGEST_KEY]
        count = self._keys[key] = self._keys.get(key, 0) + 1
        return key if count == 1 else f"{key}|{count}"

    def day(self, line: int, title: str, text: str) -> date | None:
        """The day in a text. One that cannot be read becomes a problem and None."""
        try:
            return day_of(text)
        except ValueError as error:
            self.problems.tell(line, title, f"A day was left out: the book {error}.")
            return None

    def count(self, row: Row, title: str, name: str, most: int) -> int | None:
        """The whole number in a column; None if it is empty or 0. A number out of range becomes a problem and None."""
        try:
            found = integer_of(row[name])
        except ValueError:
            found = -1
        if found is None or 0 <= found <= most:
            return found or None
        self.problems.tell(row.line, title, f"The {name} was left out: it is not a whole number from 0 to {most:,}.")
        return None

    def isbn(self, line: int, title: str, *texts: str) -> str | None:
        """The first of the texts that is a valid ISBN. If none is, one that looks like an ISBN becomes a problem."""
        if found := next(filter(None, map(isbn13, texts)), None):
            return found
        if any(_LIKE_ISBN.fullmatch(text.strip('=" ')) for text in texts):
            self.problems.tell(line, title, "The ISBN was left out: it is not valid, or a spreadsheet has changed it.")
        return None

    def rating(self, row: Row, title: str, name: str) -> Decimal | None:
        """The rating in a column in half stars; 0 is none. Quarters go to the nearest half, ties up."""
        try:
            found = decimal_of(row[name])
        except ValueError:
            found = Decimal(-1)
        if not found:
            return None
        if not 0 < found <= 5:
            self.problems.tell(row.line, title, "The rating was left out: it is not a number of stars from 0 to 5.")
            return None
        halves = (found * 2 + Decimal("0.5")).to_integral_value(ROUND_FLOOR)
        if halves != found * 2:
            self._rounded += 1
        return max(halves, Decimal(1)) / 2

    def tags(self, line: int, title: str, texts: Iterable[str]) -> list[str]:
        """Tags without repeats, in their order, as many and as long as we keep them."""
        found: dict[str, str] = {}
        cut = False
        for text in filter(None, map(clean_line, texts)):
            tag = text[:LONGEST_TAG].rstrip()
            cut = cut or len(text) > LONGEST_TAG
            found.setdefault(tag.casefold(), tag)
        if cut or len(found) > MOST_TAGS:
            message = f"A book has at most {MOST_TAGS} tags of at most {LONGEST_TAG} characters: the rest was left out."
            self.problems.tell(line, title, message)
        return list(found.values())[:MOST_TAGS]

    def cut(self, line: int, title: str, text: str, longest: int) -> str | None:
        """The text, cut to the longest that we keep, which becomes a problem; None for none."""
        if len(text) > longest:
            self.problems.tell(line, title, f"Text was cut to {longest:,} characters.")
        return text[:longest].rstrip() or None

    def leave_out(self, row: Row, columns: Iterable[str]) -> None:
        """Count the columns in which a row says something that we have no place for."""
        self._left_out.update(name for name in columns if clean_line(row[name.casefold()]).casefold() not in _NOTHING)

    def reads(self, status: Status, count: int, dated: list[Read]) -> list[Read]:
        """The reads of a book, see `reads_of`. Counts the days on which one was given up, which no read holds."""
        found = reads_of(status, count, dated)
        self._given_up += max(len(dated) - len(found), 0)
        return found

    def shelf(self, source: str) -> Shelf:
        """All books taken."""
        self.problems.sum_up("Ratings in quarters were rounded to the nearest half star", self._rounded)
        self.problems.sum_up("Days on which books were given up were left out", self._given_up)
        for name, count in self._left_out.items():
            self.problems.sum_up(f"What books have in the column {name} was left out", count)
        return Shelf(format=source, books=self.books, skipped=self.skipped, problems=self.problems)


def status_of(shelf: str, *, was_read: bool) -> tuple[Status, str | None]:
    """The status for a shelf or read status, and a tag for what the status alone would lose.

    A shelf of the user's own becomes a tag; the status then depends on whether the book was read.
    """
    name = fold(shelf)
    if status := _STATUSES.get(name):
        return status, PAUSED if name in _PAUSED else None
    return "completed" if was_read else "want_to_read", clean_line(shelf) or None


def reads_of(status: Status, count: int, dated: list[Read]) -> list[Read]:
    """The reads of a book, oldest first: those with a date, and before them as many without as `count` has more.

    `count` is the file's. For a wanted book it makes no read; for a book being read it includes the present reading.
    """
    counted = {"completed": max(count, 1), "reading": count - 1, "want_to_read": 0, "abandoned": count}[status]
    in_order = sorted(dated, key=lambda read: read.finished or date.min)
    if status == "abandoned":
        # The last date of an abandoned book is the day on which it was abandoned.
        in_order = in_order[: max(counted, 0)]
    return [Read()] * (counted - len(in_order)) + in_order
