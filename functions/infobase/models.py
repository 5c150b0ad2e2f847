"""Requests and answers of the infobase routes."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints
from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on

from questlog.paging import PageShown
from questlog.wire import (
    Body,
    Flag,
    Instant,
    Page,
    PageSize,
    Query,
    ResponseModel,
    Row,
    Tags,
    Trimmed,
    absent,
)

Sort = Literal["updated", "created", "title"]

Title = Annotated[Trimmed, StringConstraints(min_length=1, max_length=200)]
Content = Annotated[str, StringConstraints(max_length=100_000)]
Category = Annotated[Trimmed, StringConstraints(min_length=1, max_length=50)]
VersionNumber = Annotated[int, Field(ge=1, le=2**31 - 1)]


class EntriesQuery(Query):
    search: Annotated[Trimmed, StringConstraints(max_length=200)] = ""
    category: Annotated[Trimmed, StringConstraints(max_length=50)] | None = None
    tag: Annotated[Trimmed, StringConstraints(max_length=50)] | None = None
    pinned: Flag | None = None
    trash: Flag = False
    sort: Sort = "updated"
    page: Page = 1
    page_size: PageSize = 100


class DeleteQuery(Query):
    permanent: Flag = False


class ExportQuery(Query):
    part: Annotated[int, Field(ge=1, le=100_000)] | None = None


class NewEntry(Body):
    id: UUID | None = None
    title: Annotated[Title, Field(examples=["Parallel compression"])]
    content: Annotated[Content, Field(examples=["Blend the *crushed* copy under the dry drums."])] = ""
    category: Category = "Tips"
    tags: Tags = []
    is_pinned: bool = False


class EntryChange(Body):
    title: Title = absent()
    content: Content = absent()
    category: Category = absent()
    tags: Tags = absent()
    is_pinned: bool = absent()
    expected_version: VersionNumber | None = None


def _is_none(value: object) -> bool:
    return value is None


class _EntryFields(ResponseModel):
    id: UUID
    title: str
    category: str
    tags: list[str]
    is_pinned: bool
    version: int
    deleted_at: Instant | None
    created_at: Instant
    updated_at: Instant


class Entry(_EntryFields):
    content: str


class ListedEntry(_EntryFields):
    # Left out of a search if the contents of the page are too large for one answer; GET /infobase/{id} has it.
    content: Annotated[str | None, Field(exclude_if=_is_none)]
    # Only with a search: HTML whose only tag is <mark>.
    snippet: Annotated[str | None, Field(exclude_if=_is_none)] = None


class Entries(ResponseModel):
    entries: list[ListedEntry]
    total: int
    page: int
    page_size: int


class CategoryCount(TypedDict):
    category: str
    count: int


class TagCount(TypedDict):
    tag: str
    count: int


class Facets(TypedDict):
    categories: list[CategoryCount]
    tags: list[TagCount]


class EntryId(Row):
    id: UUID


class Version(TypedDict):
    """A former text of an entry."""

    version: int
    title: str
    content: str
    replaced_at: Instant


class Versions(PageShown):
    versions: list[Version]


class ExportRow(Row):
    """An entry to export; those of other parts have no content."""

    part: int
    title: str
    content: str | None
    category: str
    tags: list[str]
    is_pinned: bool
    created_at: Instant
    updated_at: Instant
