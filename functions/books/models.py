"""Requests and responses of the book routes."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, field_validator

from questlog.paging import PageOrAll, PagePlace
from questlog.wire import (
    Body,
    Day,
    Flag,
    ImportReport,
    Instant,
    Page,
    PageSize,
    Query,
    ResponseModel,
    Reward,
    Row,
    Trimmed,
    absent,
    blank_is_null,
)

Status = Literal["want_to_read", "reading", "completed", "abandoned"]
Unit = Literal["page", "minute", "percent"]
Sort = Literal["created", "title", "author", "rating", "finished"]


def _half_stars(rating: float) -> float:
    if rating * 2 != int(rating * 2):
        raise ValueError("must be a whole or half number of stars")
    return rating


def _each_once(tags: list[str]) -> list[str]:
    """The tags in order, without repeats that differ in case alone."""
    return list({tag.casefold(): tag for tag in reversed(tags)}.values())[::-1]


Title = Annotated[Trimmed, StringConstraints(min_length=1, max_length=500)]
Author = Annotated[Trimmed, StringConstraints(max_length=300), AfterValidator(blank_is_null)]
Isbn = Annotated[Trimmed, StringConstraints(max_length=20), AfterValidator(blank_is_null)]
CoverUrl = Annotated[Trimmed, StringConstraints(max_length=2000, pattern=r"^https?://")]
Genre = Annotated[Trimmed, StringConstraints(max_length=60), AfterValidator(blank_is_null)]
Total = Annotated[int, Field(ge=1, le=50_000)]
BookPage = Annotated[int, Field(ge=0, le=50_000)]
Rating = Annotated[float, Field(ge=0.5, le=5), AfterValidator(_half_stars)]
Notes = Annotated[Trimmed, StringConstraints(max_length=10_000), AfterValidator(blank_is_null)]
Tag = Annotated[Trimmed, StringConstraints(min_length=1, max_length=40)]
Tags = Annotated[list[Tag], Field(max_length=20), AfterValidator(_each_once)]
Pages = Annotated[int, Field(ge=1, le=5_000)]
Minutes = Annotated[int, Field(ge=0, le=1_440)]
Year = Annotated[int, Field(ge=1970, le=9999)]
ReadNumber = Annotated[int, Field(ge=1, le=2**31 - 1)]


class Paging(PageOrAll):
    default_page_size = 20


class BooksQuery(Paging):
    status: Status | None = None
    tag: Annotated[Trimmed, StringConstraints(max_length=40)] | None = None
    search: Annotated[Trimmed, StringConstraints(max_length=500)] | None = None
    sort: Sort = "created"


class SessionsQuery(Query):
    page: Page = 1
    page_size: PageSize = 20


class ImportQuery(Query):
    format: Literal["auto", "goodreads", "storygraph", "questlog"] = "auto"
    dry_run: Flag = False


class GoalQuery(Query):
    year: Year | None = None


class BookFields(Body):
    author: Author | None = absent()
    isbn: Isbn | None = absent()
    cover_url: CoverUrl | None = absent()
    genre: Genre | None = absent()
    total_pages: Total | None = absent()
    started_at: Instant | None = absent()
    finished_at: Instant | None = absent()
    rating: Rating | None = absent()
    notes: Notes | None = absent()


class NewBook(BookFields):
    """A book; null is as good as absent, except that `finished_at: null` means an unknown date."""

    title: Annotated[Title, Field(examples=["The Left Hand of Darkness"])]
    status: Status | None = absent()
    current_page: BookPage | None = absent()
    tags: Tags | None = absent()
    unit: Unit | None = absent()

    @field_validator("current_page")
    @classmethod
    def _nothing_is_read_of_a_wanted_book(cls, page: int | None, info: ValidationInfo) -> int | None:
        # Without a valid status, for which there is an error of its own, the page cannot be checked.
        if page and info.data.get("status", "unknown") in (None, "want_to_read"):
            raise ValueError("must be 0 for a book that is wanted")
        return page

    def sent(self) -> dict[str, Any]:
        """The fields that say something."""
        return {name: value for name, value in self.changes().items() if value is not None or name == "finished_at"}


class BookChange(BookFields):
    title: Title = absent()
    current_page: BookPage = absent()
    status: Status = absent()
    tags: Tags = absent()
    unit: Unit = absent()


class ReadChange(Body):
    started_at: Instant | None = absent()
    finished_at: Instant | None = absent()


class NewGoal(Body):
    year: Year | None = None
    target: Annotated[int, Field(ge=1, le=1_000)] | None


class NewSession(Body):
    pages_read: Annotated[Pages, Field(examples=[25])]
    duration_minutes: Minutes | None = None
    notes: Notes | None = None
    logged_at: Instant | None = None


class SessionChange(Body):
    pages_read: Pages = absent()
    duration_minutes: Minutes | None = absent()
    notes: Notes | None = absent()
    logged_at: Instant = absent()


class Book(ResponseModel):
    id: UUID
    title: str
    author: str | None
    isbn: str | None
    cover_url: str | None
    genre: str | None
    unit: Unit
    total_pages: int | None
    current_page: int
    progress_percent: int | None
    status: Status
    started_at: Instant | None
    finished_at: Instant | None
    rating: float | None
    notes: str | None
    tags: list[str]
    times_read: int
    created_at: Instant
    updated_at: Instant


class Books(PagePlace):
    books: list[Book]
    total: int


class Deleted(ResponseModel):
    deleted: bool


class Read(ResponseModel):
    read_number: int
    started_at: Instant | None
    finished_at: Instant | None


class Reads(ResponseModel):
    reads: list[Read]
    total: int


class ChangedRead(ResponseModel):
    read: Read
    book: Book


class Found(Row):
    """That the book is there."""

    id: UUID


class Goal(ResponseModel):
    year: int
    target: int | None
    completed: int


class ReadingSession(ResponseModel):
    id: UUID
    book_id: UUID
    pages_read: int
    duration_minutes: int | None
    notes: str | None
    logged_at: Instant
    start_page: int
    end_page: int
    unit: Unit
    read_number: int
    xp_awarded: int
    coins_awarded: int


class TitledSession(ReadingSession):
    book_title: str


class AllSessions(ResponseModel):
    sessions: list[TitledSession]
    total: int
    page: int
    page_size: int


class BookSessions(PagePlace):
    sessions: list[ReadingSession]
    total: int


class LogRow(Reward):
    """What logging brought."""

    session_id: UUID
    book_completed: bool


class Logged(LogRow):
    pages_read: int
    new_page: int
    session: ReadingSession
    book: Book


class ChangedSession(ResponseModel):
    session: ReadingSession
    book: Book


class DeletedSession(ResponseModel):
    deleted: bool
    book: Book


class ShelfRow(Row):
    """The shelf and its logs in numbers, on the user's day `today`, and how many books the goal of its year is."""

    today: Day
    total_books: int
    books_completed: int
    books_reading: int
    average_rating: float | None
    total_pages_read: int
    reading_sessions: int
    total_reading_minutes: int
    current_streak_days: int
    longest_streak_days: int
    pages_7d: int
    target: int | None


class MonthRow(Row):
    """How many pages were read, or books finished, in a month, by its first day; the other one is 0."""

    month: date
    pages: int
    books: int


class Written(Row):
    """Whether an import was written; it is not where the shelf has changed since it was read."""

    written: bool


class BooksReport(ImportReport):
    """The outcome of an import of books; `reads` counts the reads that were written."""

    reads: int


class Month(ResponseModel):
    month: str
    pages: int
    books: int


class Stats(ResponseModel):
    total_books: int
    books_completed: int
    books_reading: int
    total_pages_read: int
    reading_sessions: int
    total_reading_minutes: int
    current_streak_days: int
    longest_streak_days: int
    books_this_year: int
    pages_this_month: int
    pages_7d: int
    average_rating: float | None
    goal: Goal
    months: list[Month]
