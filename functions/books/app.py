"""Books: the shelf, the progress in each book and the reading log (training contract, section 3)."""

from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import Response

from questlog.api import Api, Tool
from questlog.db import Db
from questlog.errors import Conflict
from questlog.wire import Total

from functions.books import rules
from functions.books.models import (
    AllSessions,
    Book,
    BookChange,
    Books,
    BookSessions,
    BooksQuery,
    BooksReport,
    ChangedRead,
    ChangedSession,
    Deleted,
    DeletedSession,
    Found,
    Goal,
    GoalQuery,
    ImportQuery,
    Logged,
    LogRow,
    MonthRow,
    NewBook,
    NewGoal,
    NewSession,
    Paging,
    Read,
    ReadChange,
    ReadingSession,
    ReadNumber,
    Reads,
    SessionChange,
    SessionsQuery,
    ShelfRow,
    Stats,
    TitledSession,
    Written,
)

api = Api(__file__)

# How often an import is planned again when something else has changed the shelf in between.
ATTEMPTS = 3


@api.get(
    "/books",
    tools=[
        Tool(
            "list_books",
            "List the books with their ids, twenty on a page.",
            arguments=("search", "status", "page"),
            fixed={"page_size": 20},
        ),
    ],
)
def books(db: Db, query: BooksQuery) -> Books:
    """List the books, whole unless a page is asked for."""
    filters = query.model_dump(include={"status", "tag", "search", "sort"})
    found, count = db.each((list[Book], Total), "books", **filters, **query.bounds)
    return Books(books=found, total=count.total, **query.place)


@api.post("/books", errors={409: ["limit_reached"]})
def add(db: Db, body: NewBook) -> Book:
    """Add a book. 409 limit_reached when there are 5,000."""
    return db.one(Book, "add", id=uuid4(), title=body.title, sent=body.sent())


@api.get("/books/stats")
def stats(db: Db) -> Stats:
    """Return the shelf and the reading log in numbers, and the last twelve months."""
    shelf, months = db.each((ShelfRow, list[MonthRow]), "stats")
    return rules.stats(shelf, months)


@api.get("/books/goal")
def goal(db: Db, query: GoalQuery) -> Goal:
    """Return the goal of a year, this one unless another is asked for, and how many books were finished in it."""
    return db.one(Goal, "goal", year=query.year)


@api.put("/books/goal")
def set_goal(db: Db, body: NewGoal) -> Goal:
    """Set the goal of a year; a target of null removes it."""
    return db.one(Goal, "set_goal", year=body.year, target=body.target)


@api.get("/books/sessions")
def sessions(db: Db, query: SessionsQuery) -> AllSessions:
    """List the log of all books, newest first."""
    found, count = db.each((list[TitledSession], Total), "sessions", **query.model_dump())
    return AllSessions(sessions=found, total=count.total, page=query.page, page_size=query.page_size)


@api.post("/books/import", errors={409: ["conflict", "limit_reached"]})
def import_books(db: Db, request: Request, query: ImportQuery, content: bytes) -> BooksReport:
    """Take the books of a Goodreads or StoryGraph export, sent as it is or as {"csv": text}. Nothing is paid for them.

    Two trips: what is on the shelf decides, book by book, what is written. 409 limit_reached when there would be more
    than 5,000, conflict when other changes keep coming in between.
    """
    from functions.books import importing  # noqa: PLC0415 - only who imports or exports pays for it

    sent, shelf = importing.sent_csv(db, request, content), None
    for _ in range(ATTEMPTS):
        standing, held, deleted = db.each((importing.Standing, list[importing.Held], list[importing.Key]), "importable")
        shelf = shelf or importing.read(sent, query)
        plan = importing.planned(shelf, standing, held, deleted)
        if query.dry_run or not plan.writes:
            return plan.report(shelf, dry_run=query.dry_run)
        if db.one(Written, "import", version=standing.version, rows=plan.rows).written:
            return plan.report(shelf, dry_run=False)
    raise Conflict("conflict", "Other changes to the shelf keep coming in between; try again.")


@api.get("/books/export.csv", errors={413: ["answer_too_large"]})
def export(db: Db) -> Response:
    """Return the books as CSV in Goodreads' columns, the newest first."""
    from functions.books import importing  # noqa: PLC0415 - only who imports or exports pays for it

    (found,) = db.each((list[importing.ExportedBook],), "export")
    return importing.attached(found)


@api.get("/books/{book_id}")
def book(db: Db, book_id: UUID) -> Book:
    """Return one book."""
    return db.one(Book, "book", book_id=book_id)


@api.put("/books/{book_id}")
def change(db: Db, book_id: UUID, body: BookChange) -> Book:
    """Change a book. Its status follows what is sent, or else its page: the last page completes it."""
    return db.one(Book, "change", book_id=book_id, sent=body.changes())


@api.delete("/books/{book_id}")
def delete(db: Db, book_id: UUID) -> Deleted:
    """Delete a book and its log. The user keeps what it paid."""
    return db.one(Deleted, "delete", book_id=book_id)


@api.get("/books/{book_id}/reads")
def reads(db: Db, book_id: UUID) -> Reads:
    """List the times a book was finished, newest first."""
    _, found = db.each((Found, list[Read]), "reads", book_id=book_id)
    return Reads(reads=found, total=len(found))


@api.put("/books/{book_id}/reads/{read_number}")
def change_read(db: Db, book_id: UUID, read_number: ReadNumber, body: ReadChange) -> ChangedRead:
    """Change the dates of a read; those of the last read of a completed book are the book's too."""
    read, found = db.each((Read, Book), "change_read", book_id=book_id, read_number=read_number, sent=body.changes())
    return ChangedRead(read=read, book=found)


@api.get("/books/{book_id}/sessions")
def book_sessions(db: Db, book_id: UUID, query: Paging) -> BookSessions:
    """List the log of a book, newest first."""
    _, found, count = db.each((Found, list[ReadingSession], Total), "book_sessions", book_id=book_id, **query.bounds)
    return BookSessions(sessions=found, total=count.total, **query.place)


@api.post(
    "/books/{book_id}/sessions",
    tools=[
        Tool(
            "log_reading",
            "Log how many pages of a book were read.",
            arguments=("pages_read", "duration_minutes", "notes", "logged_at"),
        ),
    ],
)
def log(db: Db, book_id: UUID, body: NewSession) -> Logged:
    """Log what was read: it moves the book, pays, and completes the book at its last page.

    The same log again within 10 seconds returns the first one.
    """
    logged, session, found = db.each((LogRow, ReadingSession, Book), "log", book_id=book_id, **body.model_dump())
    return Logged(
        **dict(logged),
        pages_read=session.pages_read,
        new_page=found.current_page,
        session=session,
        book=found,
    )


@api.patch("/books/{book_id}/sessions/{session_id}")
def change_session(db: Db, book_id: UUID, session_id: UUID, body: SessionChange) -> ChangedSession:
    """Change a log and move the book by the difference. What was paid stays."""
    session, found = db.each(
        (ReadingSession, Book), "change_session", book_id=book_id, session_id=session_id, sent=body.changes()
    )
    return ChangedSession(session=session, book=found)


@api.delete("/books/{book_id}/sessions/{session_id}")
def delete_session(db: Db, book_id: UUID, session_id: UUID) -> DeletedSession:
    """Delete a log and move the book back. What was paid stays."""
    _, found = db.each((Found, Book), "delete_session", book_id=book_id, session_id=session_id)
    return DeletedSession(deleted=True, book=found)


handler = api.handler
