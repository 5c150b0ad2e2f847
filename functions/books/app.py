"""Books: the shelf, the progress in each book and the reading log (training contract, section 3)."""

from uuid import UUID, uuid4

from questlog.api import Api
from questlog.db import Db

from functions.books import rules
from functions.books.models import (
    AllSessions,
    Book,
    BookChange,
    Books,
    BookSessions,
    BooksQuery,
    ChangedRead,
    ChangedSession,
    DayRow,
    Deleted,
    DeletedSession,
    Found,
    Goal,
    GoalQuery,
    Logged,
    LogRow,
    LogTotals,
    MonthRow,
    NewBook,
    NewGoal,
    NewSession,
    Paging,
    Read,
    ReadChange,
    ReadingSession,
    Reads,
    RowCount,
    SessionChange,
    SessionsQuery,
    ShelfRow,
    Stats,
    TitledSession,
)

api = Api(__file__)


@api.get("/books")
def books(db: Db, query: BooksQuery) -> Books:
    """List the books, whole unless a page is asked for."""
    filters = query.model_dump(include={"status", "tag", "search", "sort"})
    found, count = db.each((list[Book], RowCount), "books", **filters, **query.bounds)
    return Books(books=found, total=count.total)


@api.post("/books", errors={409: ["limit_reached"]})
def add(db: Db, body: NewBook) -> Book:
    """Add a book. 409 limit_reached when there are 5,000."""
    return db.one(Book, "add", id=uuid4(), title=body.title, sent=body.sent())


@api.get("/books/stats")
def stats(db: Db) -> Stats:
    """Return the shelf and the reading log in numbers, and the last twelve months."""
    shelf, totals, days, goal, pages, books = db.each(
        (ShelfRow, LogTotals, list[DayRow], Goal, list[MonthRow], list[MonthRow]), "stats"
    )
    return rules.stats(shelf, totals, days=days, goal=goal, pages=pages, books=books)


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
    found, count = db.each((list[TitledSession], RowCount), "sessions", **query.model_dump())
    return AllSessions(sessions=found, total=count.total, page=query.page, page_size=query.page_size)


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
def change_read(db: Db, book_id: UUID, read_number: int, body: ReadChange) -> ChangedRead:
    """Change the dates of a read; those of the last read of a completed book are the book's too."""
    read, found = db.each(
        (Read, Book), "change_read", book_id=book_id, read_number=min(read_number, 2**31 - 1), sent=body.changes()
    )
    return ChangedRead(read=read, book=found)


@api.get("/books/{book_id}/sessions")
def book_sessions(db: Db, book_id: UUID, query: Paging) -> BookSessions:
    """List the log of a book, newest first."""
    _, found, count = db.each((Found, list[ReadingSession], RowCount), "book_sessions", book_id=book_id, **query.bounds)
    return BookSessions(sessions=found, total=count.total)


@api.post("/books/{book_id}/sessions")
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
