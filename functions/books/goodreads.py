"""Books as Goodreads exports its library: read, and written.

Facts: imports contract, import formats 3. Three sets of columns are in the wild, so columns go by their names.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple
from uuid import UUID

from questlog.importing.markup import as_html, plain_lines, plain_text
from questlog.importing.tables import Row, Table
from questlog.importing.values import clean_line, fold, rounded

from functions.books.isbn import isbn10, isbn13
from functions.books.shelf import (
    LONGEST_AUTHOR,
    LONGEST_NOTES,
    LONGEST_TITLE,
    MOST_PAGES,
    MOST_READS,
    Read,
    Shelf,
    ShelvedBook,
    Stacking,
    Status,
    likeness,
    status_of,
)

FORMAT: Final = "goodreads"
# Our own export is in Goodreads' columns.
OWN_FORMAT: Final = "questlog"
COLUMNS: Final = (
    "Book Id",
    "Title",
    "Author",
    "Author l-f",
    "Additional Authors",
    "ISBN",
    "ISBN13",
    "My Rating",
    "Average Rating",
    "Publisher",
    "Binding",
    "Number of Pages",
    "Year Published",
    "Original Publication Year",
    "Date Read",
    "Date Added",
    "Bookshelves",
    "Bookshelves with positions",
    "Exclusive Shelf",
    "My Review",
    "Spoiler",
    "Private Notes",
    "Read Count",
    "Owned Copies",
)
_REQUIRED: Final = frozenset({"title", "author", "exclusive shelf"})
# What users said of their books in older exports.
_LEFT_OUT: Final = (
    "Recommended For",
    "Recommended By",
    "Original Purchase Date",
    "Original Purchase Location",
    "Condition",
    "Condition Description",
    "BCID",
)
_SHELVES: Final[dict[Status, str]] = {
    "want_to_read": "to-read",
    "reading": "currently-reading",
    "completed": "read",
    "abandoned": "did-not-finish",
}
_STANDARD: Final = frozenset({"read", "currently reading", "to read"})
_ID: Final = re.compile(r"[0-9]{1,18}")
# The ids that our export gives to books without one of Goodreads lie far above its own, so that none is used twice.
_OWN_IDS: Final = 10**15


def recognises(table: Table) -> bool:
    """Whether the columns are those of a Goodreads export."""
    return _REQUIRED.issubset(table.columns)


def read(table: Table, *, own: bool = False) -> Shelf:
    """The books of a Goodreads export; with `own`, of one that `written` made."""
    books = Stacking()
    for row in table.rows({}, books.problems):
        _take(books, row)
    return books.shelf(OWN_FORMAT if own else FORMAT)


def _take(books: Stacking, row: Row) -> None:
    title = clean_line(row["title"])
    if not title:
        books.skip(row.line, None, "The book has no title.")
        return
    author = clean_line(row["author"])
    isbn = books.isbn(row.line, title, row["isbn13"], row["isbn"])
    book_id = clean_line(row["book id"])
    known = _ID.fullmatch(book_id)
    identity = book_id if known else isbn or likeness(title, author)
    key = books.import_key(FORMAT, identity)
    if known and key != f"{FORMAT}:{book_id}":
        books.skip(row.line, title, f"The book is in the file twice, with the id {book_id}.")
        return
    finished = books.day(row.line, title, row["date read"])
    count = books.count(row, title, "read count", MOST_READS) or 0
    shelf = clean_line(row["exclusive shelf"])
    status, tag = status_of(shelf, was_read=finished is not None or count > 0)
    if status == "abandoned" and count:
        count -= 1  # giving up was counted too
    notes = "\n\n".join(filter(None, [plain_text(row["my review"]), plain_lines(row["private notes"])]))
    books.books.append(
        ShelvedBook(
            import_key=key,
            line=row.line,
            title=books.cut(row.line, title, title, LONGEST_TITLE) or title,
            author=books.cut(row.line, title, _all_authors(author, row["additional authors"]), LONGEST_AUTHOR),
            isbn=isbn,
            total_pages=books.count(row, title, "number of pages", MOST_PAGES),
            status=status,
            rating=books.rating(row, title, "my rating"),
            notes=books.cut(row.line, title, notes, LONGEST_NOTES),
            tags=books.tags(row.line, title, [*_tags(row["bookshelves"], shelf), tag or ""]),
            reads=books.reads(status, count, [Read(finished=finished)] if finished else []),
            added=books.day(row.line, title, row["date added"]),
        )
    )
    books.leave_out(row, _LEFT_OUT)


def _all_authors(author: str, others: str) -> str:
    """The authors with a comma between them, as StoryGraph has them in one column."""
    return ", ".join(filter(None, map(clean_line, [author, *others.split(",")])))


def _tags(shelves: str, exclusive: str) -> Iterator[str]:
    """The shelves that are not the book's status."""
    for shelf in shelves.split(","):
        if fold(shelf) not in _STANDARD and fold(shelf) != fold(exclusive):
            yield shelf


class ExportedBook(NamedTuple):
    """A book of ours for the export; pages are None when the book counts in another unit, days are the user's."""

    id: UUID
    import_key: str | None
    title: str
    author: str | None
    isbn: str | None
    total_pages: int | None
    status: Status
    rating: Decimal | None
    notes: str | None
    tags: list[str]
    times_read: int
    finished: date | None
    added: date


def written(books: Iterable[ExportedBook]) -> Iterator[str]:
    """The lines of a Goodreads export, the header first."""
    positions: Counter[str] = Counter()
    yield _line(COLUMNS)
    for book in books:
        yield _line(_cells(book, positions))


def _cells(book: ExportedBook, positions: Counter[str]) -> list[str]:
    thirteen = isbn13(book.isbn or "")
    exclusive = _SHELVES[book.status]
    # A comma would make two shelves of one; the shelf of finished books is not listed (import formats, 3).
    shelves = [tag.replace(",", " ") for tag in book.tags]
    if book.status != "completed":
        shelves.insert(0, exclusive)
    positions.update(shelves)
    author, others = _first_author(book.author or "")
    # A reading that is not finished counts too.
    unfinished = book.status in ("reading", "abandoned")
    cells = {
        "Book Id": book_id(book.id, book.import_key),
        "Title": book.title,
        "Author": author,
        "Author l-f": _last_name_first(author),
        "Additional Authors": others,
        "ISBN": f'="{(thirteen and isbn10(thirteen)) or ""}"',
        "ISBN13": f'="{thirteen or ""}"',
        "My Rating": str(rounded(book.rating or Decimal(0), 0)),
        "Number of Pages": str(book.total_pages or ""),
        "Date Read": "" if book.finished is None else f"{book.finished:%Y/%m/%d}",
        "Date Added": f"{book.added:%Y/%m/%d}",
        "Bookshelves": ", ".join(shelves),
        "Bookshelves with positions": ", ".join(f"{shelf} (#{positions[shelf]})" for shelf in shelves),
        "Exclusive Shelf": exclusive,
        "My Review": as_html(book.notes or ""),
        "Read Count": str(book.times_read + unfinished),
        "Owned Copies": "0",
    }
    return [cells.get(column, "") for column in COLUMNS]


def book_id(own_id: UUID, import_key: str | None) -> str:
    """The id that Goodreads gave a book, else one computed from ours, by which an import recognises our export."""
    source, _, known = (import_key or "").partition(":")
    if source == FORMAT and _ID.fullmatch(known):
        return known
    return str(_OWN_IDS + int.from_bytes(own_id.bytes[:6]))


def _first_author(authors: str) -> tuple[str, str]:
    """The first of the authors, and the others. A single word may be a first name, as in `King, Stephen`."""
    first, *others = names = authors.split(", ")
    return (first, ", ".join(others)) if all(" " in name.strip() for name in names) else (authors, "")


def _last_name_first(author: str) -> str:
    names = author.split()
    return f"{names[-1]}, {' '.join(names[:-1])}" if len(names) > 1 and "," not in author else author


def _line(cells: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()
