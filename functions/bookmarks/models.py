"""Requests and responses of the bookmark routes."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from questlog.wire import (
    WEB_ADDRESS,
    Body,
    Flag,
    Form,
    Instant,
    Page,
    PageSize,
    Query,
    ResponseModel,
    Trimmed,
    absent,
    blank_is_null,
)


def _each_once(tags: list[str]) -> list[str]:
    """The tags in order, without repeats."""
    return list(dict.fromkeys(tags))


Title = Annotated[Trimmed, StringConstraints(min_length=1, max_length=300)]
Content = Annotated[Trimmed, StringConstraints(max_length=20_000), AfterValidator(blank_is_null)]
# A blank one is none.
Url = Annotated[
    Trimmed,
    StringConstraints(max_length=2048),
    Form(rf"^([Hh][Tt][Tt][Pp][Ss]?{WEB_ADDRESS})?$", "must be a web address, such as https://questlog.test/"),
    AfterValidator(blank_is_null),
    Field(examples=["https://questlog.test/"]),
]
Category = Annotated[Trimmed, StringConstraints(max_length=100), AfterValidator(blank_is_null)]
Tag = Annotated[Trimmed, StringConstraints(min_length=1, max_length=50)]
Tags = Annotated[list[Tag], Field(max_length=50), AfterValidator(_each_once)]
# What null clears where a column has no null: no tag, not pinned.
ClearableTags = Annotated[Tags | None, AfterValidator(lambda tags: tags or [])]
ClearableFlag = Annotated[bool | None, AfterValidator(bool)]


class ReferencesQuery(Query):
    page: Page = 1
    page_size: PageSize = 50
    category: Annotated[Trimmed, StringConstraints(max_length=100)] | None = None
    tag: Annotated[Trimmed, StringConstraints(max_length=50)] | None = None
    q: Annotated[Trimmed, StringConstraints(max_length=300)] | None = None
    archived: Flag = False


class NewReference(Body):
    """A bookmark; null is the same as absent."""

    title: Annotated[Title, Field(examples=["How compressors work"])]
    content: Content | None = None
    url: Url | None = None
    category: Category | None = None
    tags: ClearableTags = []
    is_pinned: ClearableFlag = False


class ReferenceChange(Body):
    title: Title = absent()
    content: Content | None = absent()
    url: Url | None = absent()
    category: Category | None = absent()
    tags: ClearableTags = absent()
    is_pinned: ClearableFlag = absent()
    is_archived: ClearableFlag = absent()


def _is_none(value: object) -> bool:
    return value is None


class Reference(ResponseModel):
    """A bookmark; what is not set has no key."""

    id: UUID
    title: str
    content: Annotated[str | None, Field(exclude_if=_is_none)] = None
    url: Annotated[str | None, Field(exclude_if=_is_none)] = None
    category: Annotated[str | None, Field(exclude_if=_is_none)] = None
    tags: list[str]
    is_pinned: bool
    is_archived: bool
    created_at: Instant
    updated_at: Instant


class References(ResponseModel):
    items: list[Reference]
    total: int
    page: int
    page_size: int
