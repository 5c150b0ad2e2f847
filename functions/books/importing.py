"""Decides which of a file's books are new to the shelf, which have changed, and what is written of them.

1. A book that came with an earlier import is recognised by its key.
2. Any other is looked for among the books that no row has matched yet: by the id that our export gave it, else by its
   ISBN, else by title and author. Its empty fields are filled from the file; what its user wrote stays.
3. The rest are new.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

from starlette.responses import Response

from questlog.errors import Conflict
from questlog.importing.requests import attachment, refusals, reported, sent_csv
from questlog.importing.verdicts import digest_of, verdict
from questlog.recurrence.times import instant
from questlog.wire import rfc3339

from functions.books import files, goodreads
from functions.books.goodreads import ExportedBook
from functions.books.isbn import isbn13
from functions.books.models import BooksReport, ImportQuery
from functions.books.shelf import Read, Shelf, ShelvedBook, likeness

__all__ = ["ExportedBook", "Held", "Key", "Plan", "Standing", "attached", "planned", "read", "sent_csv"]

# training contract, Whole lists
MOST_BOOKS: Final = 5_000
_NOON: Final = time(12)


class Standing(NamedTuple):
    """The user's zone, the time, and a version of the shelf that changes whenever anything on it does."""

    zone: str
    now: datetime
    version: str


class Held(NamedTuple):
    """A book on the shelf, with the columns that an import needs."""

    id: UUID
    import_key: str | None
    import_digest: bytes | None
    title: str
    author: str | None
    isbn: str | None
    unit: str
    total_pages: int | None
    current_page: int
    status: str
    has_rating: bool
    has_notes: bool
    has_tags: bool
    times_read: int


class Key(NamedTuple):
    """The key of a book that an import brought and the user has deleted."""

    import_key: str


@dataclass(slots=True)
class Plan:
    """The rows to write, as the statement takes them, and the outcome for each of the file's books."""

    imported: list[dict[str, Any]] = field(default_factory=list)
    updated: list[dict[str, Any]] = field(default_factory=list)
    filled: list[dict[str, Any]] = field(default_factory=list)
    reads: list[dict[str, Any]] = field(default_factory=list)
    unchanged: int = 0
    filled_in: int = 0

    @property
    def writes(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.imported or self.updated or self.filled)

    @property
    def rows(self) -> dict[str, Any]:
        """The rows by what is done with them."""
        return {"imported": self.imported, "updated": self.updated, "filled": self.filled, "reads": self.reads}

    def report(self, shelf: Shelf, *, dry_run: bool) -> BooksReport:
        return BooksReport(
            format=shelf.format,
            imported=len(self.imported),
            updated=len(self.updated) + self.filled_in,
            unchanged=self.unchanged,
            skipped=shelf.skipped,
            problems=reported(shelf.problems),
            dry_run=dry_run,
            reads=len(self.reads),
        )


def read(content: bytes, query: ImportQuery) -> Shelf:
    """The books of a file that was sent. Raises Failure (400, 413) for a file that cannot be read."""
    with refusals("csv"):
        return files.read(content, query.format)


def planned(shelf: Shelf, standing: Standing, held: Sequence[Held], deleted: Iterable[Key]) -> Plan:
    """What to write of a file's books. Raises Conflict limit_reached if there would be too many."""
    plan = Plan()
    keys = {book.import_key: book for book in held if book.import_key is not None}
    digests = {key: book.import_digest for key, book in keys.items()}
    gone = {key.import_key for key in deleted}
    new: list[tuple[int, ShelvedBook]] = []
    for place, book in enumerate(shelf.books):
        decided = verdict(book.import_key, _digest(shelf, book), digests, gone, shelf.format)
        if decided == "imported":
            new.append((place, book))
        elif decided == "updated":
            _rewrite(plan, shelf, book, keys[book.import_key].id, standing)
        else:
            plan.unchanged += 1
    in_file = {book.import_key for book in shelf.books}
    unclaimed = _Unclaimed([book for book in held if book.import_key not in in_file])
    for own, (place, sent) in zip(unclaimed.taken_by([book for _, book in new]), new, strict=True):
        if own is None:
            _add(plan, shelf, sent, place, standing)
        else:
            _fill(plan, own, sent, standing)
    if plan.imported and len(held) + len(plan.imported) > MOST_BOOKS:
        message = f"There would be more than {MOST_BOOKS} books."
        raise Conflict("limit_reached", message, {"limit": MOST_BOOKS})
    return plan


class _Unclaimed:
    """The books on the shelf that no row of the file matches by its key. Each is matched once."""

    def __init__(self, books: Iterable[Held]) -> None:
        self._by_key: dict[str, list[Held]] = {}
        self._by_isbn: dict[str, list[Held]] = {}
        self._by_likeness: dict[str, list[Held]] = {}
        self._taken: set[UUID] = set()
        for book in books:
            exported = f"{goodreads.FORMAT}:{goodreads.book_id(book.id, book.import_key)}"
            self._by_key.setdefault(exported, []).append(book)
            if isbn := isbn13(book.isbn or ""):
                self._by_isbn.setdefault(isbn, []).append(book)
            if like := _likeness(book.title, book.author):
                self._by_likeness.setdefault(like, []).append(book)

    def taken_by(self, rows: Sequence[ShelvedBook]) -> list[Held | None]:
        """For each row the book that it matches, or None. All rows are compared by the surest property first."""
        found: list[Held | None] = [None] * len(rows)
        for books, names in (
            (self._by_key, [row.import_key for row in rows]),
            (self._by_isbn, [row.isbn for row in rows]),
            (self._by_likeness, [_likeness(row.title, row.author) for row in rows]),
        ):
            found = [book or self._take(books, name) for book, name in zip(found, names, strict=True)]
        return found

    def _take(self, books: dict[str, list[Held]], name: str | None) -> Held | None:
        for book in books.get(name or "", ()):
            if book.id not in self._taken:
                self._taken.add(book.id)
                return book
        return None


def _likeness(title: str, author: str | None) -> str | None:
    """Title and author as they are compared; None of a title that has no letter or digit in it."""
    like = likeness(title, author)
    return None if like.startswith("|") else like


def _digest(shelf: Shelf, book: ShelvedBook) -> bytes:
    said = asdict(book)
    del said["line"]
    return digest_of(shelf.format, said)


def _add(plan: Plan, shelf: Shelf, book: ShelvedBook, place: int, standing: Standing) -> None:
    """Add a book. In the list it follows the book before it in the file, unless they were added on different days."""
    added = standing.now if book.added is None else min(_noon(book.added, standing.zone), standing.now)
    row = _row(shelf, book, uuid4(), standing)
    plan.imported.append(row | {"created_at": rfc3339(added - timedelta(microseconds=place))})
    plan.reads += _reads(book.reads, row["id"], standing)


def _rewrite(plan: Plan, shelf: Shelf, book: ShelvedBook, book_id: UUID, standing: Standing) -> None:
    plan.updated.append(_row(shelf, book, book_id, standing))
    plan.reads += _reads(book.reads, str(book_id), standing)


def _row(shelf: Shelf, book: ShelvedBook, book_id: UUID, standing: Standing) -> dict[str, Any]:
    return {
        "id": str(book_id),
        "import_key": book.import_key,
        "import_digest": f"\\x{_digest(shelf, book).hex()}",
        "title": book.title,
        "author": book.author,
        "isbn": book.isbn,
        "total_pages": book.total_pages,
        "rating": _number(book.rating),
        "notes": book.notes,
        "tags": book.tags,
        **_progress(book, standing),
    }


def _progress(book: ShelvedBook, standing: Standing) -> dict[str, Any]:
    """The status of a book, and the dates of its last read where it is completed."""
    last = book.reads[-1] if book.status == "completed" else Read()
    return {
        "status": book.status,
        "times_read": len(book.reads),
        "started_at": _at_noon(last.started, standing),
        "finished_at": _at_noon(last.finished, standing),
    }


def _fill(plan: Plan, held: Held, book: ShelvedBook, standing: Standing) -> None:
    """Fill the empty fields of a book. If it did not come with an import, the row's key identifies it from now on.

    A book that an import brought and its user has changed stays as it is.
    """
    is_own = held.import_key is None
    if not is_own and held.import_digest is None:
        plan.unchanged += 1
        return
    fills_pages = held.unit == "page" and held.total_pages is None and held.current_page < (book.total_pages or 0)
    values = {
        "author": book.author if held.author is None else None,
        "isbn": book.isbn if held.isbn is None else None,
        "total_pages": book.total_pages if fills_pages else None,
        "rating": None if held.has_rating else _number(book.rating),
        "notes": None if held.has_notes else book.notes,
        "tags": None if held.has_tags or not book.tags else book.tags,
    }
    if held.status == "want_to_read" and held.times_read == 0 and book.status != "want_to_read":
        values |= _progress(book, standing)
        plan.reads += _reads(book.reads, str(held.id), standing)
    is_filled = any(value is not None for value in values.values())
    plan.filled_in += is_filled
    plan.unchanged += not is_filled
    if is_filled or is_own:
        plan.filled.append(values | {"id": str(held.id), "import_key": book.import_key})


def _reads(reads: Sequence[Read], book_id: str, standing: Standing) -> list[dict[str, Any]]:
    return [
        {
            "book_id": book_id,
            "read_number": number,
            "started_at": _at_noon(one.started, standing),
            "finished_at": _at_noon(one.finished, standing),
        }
        for number, one in enumerate(reads, 1)
    ]


def _at_noon(day: date | None, standing: Standing) -> str | None:
    return None if day is None else rfc3339(_noon(day, standing.zone))


def _noon(day: date, zone: str) -> datetime:
    """Noon of a day in the zone: the day is the same there whatever hour the user's days begin at."""
    return instant(datetime.combine(day, _NOON), zone)


def _number(rating: Decimal | None) -> float | None:
    return None if rating is None else float(rating)


def attached(books: Iterable[ExportedBook]) -> Response:
    """The CSV of books in Goodreads' columns, to save. Failure answer_too_large for more than an answer may hold."""
    document = "".join(goodreads.written(books))
    return attachment(document, "books.csv", too_large="The books would be larger than 5 MiB as a file.")
