"""Books as StoryGraph exports its library.

Facts: imports contract, import formats 4. There is no id of a book: its ISBN or ASIN is one, else title and author.
"""

import re
from collections.abc import Iterator
from typing import Final

from questlog.importing.markup import plain_text
from questlog.importing.tables import Row, Table
from questlog.importing.values import clean_line

from functions.books.shelf import (
    LONGEST_AUTHOR,
    LONGEST_NOTES,
    LONGEST_TITLE,
    MOST_READS,
    Read,
    Shelf,
    ShelvedBook,
    Stacking,
    likeness,
    status_of,
)

FORMAT: Final = "storygraph"
# Names of 2021 that still circulate.
_ALIASES: Final = {"author": "authors", "isbn": "isbn/uid"}
_REQUIRED: Final = frozenset({"title", "authors", "read status"})
_LEFT_OUT: Final = ("Contributors", "Format", "Owned?")
_ASIN: Final = re.compile(r"B[0-9A-Z]{9}")
_RANGE: Final = re.compile(r"(\d{4}/\d{1,2}/\d{1,2})\s*-\s*(\d{4}/\d{1,2}/\d{1,2})")


def recognises(table: Table) -> bool:
    """Whether the columns are those of a StoryGraph export."""
    return _REQUIRED.issubset({_ALIASES.get(name, name) for name in table.columns})


def read(table: Table) -> Shelf:
    """The books of a StoryGraph export."""
    books = Stacking()
    for row in table.rows(_ALIASES, books.problems):
        _take(books, row)
    return books.shelf(FORMAT)


def _take(books: Stacking, row: Row) -> None:
    title = clean_line(row["title"])
    if not title:
        books.skip(row.line, None, "The book has no title.")
        return
    author = clean_line(row["authors"])
    isbn = books.isbn(row.line, title, row["isbn/uid"])
    uid = clean_line(row["isbn/uid"]).upper()
    identity = isbn or (uid if _ASIN.fullmatch(uid) else likeness(title, author))
    dated = list(_dated(books, row, title))
    count = books.count(row, title, "read count", MOST_READS) or 0
    status, tag = status_of(row["read status"], was_read=bool(dated or count))
    notes = plain_text(row["review"])
    books.books.append(
        ShelvedBook(
            import_key=books.import_key(FORMAT, identity),
            line=row.line,
            title=books.cut(row.line, title, title, LONGEST_TITLE) or title,
            author=books.cut(row.line, title, author, LONGEST_AUTHOR),
            isbn=isbn,
            total_pages=None,
            status=status,
            rating=books.rating(row, title, "star rating"),
            notes=books.cut(row.line, title, notes, LONGEST_NOTES),
            tags=books.tags(row.line, title, [*row["tags"].split(","), tag or "", *row["moods"].split(",")]),
            reads=books.reads(status, count, dated),
            added=books.day(row.line, title, row["date added"]),
        )
    )
    books.leave_out(row, _LEFT_OUT)


def _dated(books: Stacking, row: Row, title: str) -> Iterator[Read]:
    """The reads with a day: a range is start and finish, one day is the finish."""
    items = [item.strip() for item in row["dates read"].split(",") if item.strip()]
    if len(items) > MOST_READS:
        books.problems.tell(row.line, title, f"Only {MOST_READS} reads of a book are taken.")
    for item in items[:MOST_READS] or [row["last date read"]]:
        found = _RANGE.fullmatch(item)
        started = books.day(row.line, title, found[1]) if found else None
        finished = books.day(row.line, title, found[2] if found else item)
        if started and finished and started > finished:
            books.problems.tell(row.line, title, "The start of a read was left out: it is after the finish.")
            started = None
        if finished:
            yield Read(started, finished)
