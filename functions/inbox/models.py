"""Requests and responses of the inbox routes."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, field_validator
from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on

from questlog.wire import (
    PATH_IN_APP,
    WEB_ADDRESS,
    Body,
    Form,
    Instant,
    Page,
    PageSize,
    Query,
    ResponseModel,
    Row,
    Tags,
    Trimmed,
    absent,
    blank_is_null,
)

Listing = Literal["open", "unread", "archived", "processed", "snoozed", "all"]
# The types of items that users add; the app adds notifications.
WrittenType = Literal["note", "task", "link"]
Target = Literal["quest", "idea", "infobase", "plan", "calendar"]

Title = Annotated[Trimmed, StringConstraints(min_length=1, max_length=500)]
Description = Annotated[Trimmed, StringConstraints(max_length=10_000), AfterValidator(blank_is_null)]
Category = Annotated[Trimmed, StringConstraints(min_length=1, max_length=50)]
# A path within the app (planning contract, common rule 7), or a web address.
ActionUrl = Annotated[
    Trimmed,
    StringConstraints(max_length=2000),
    Form(
        rf"^({PATH_IN_APP}|https{WEB_ADDRESS})$",
        "must be a path in the app, such as /focus or /quests/today, or an address that begins with https://",
    ),
]


class ItemsQuery(Query):
    status: Listing = "open"
    page: Page = 1
    page_size: PageSize = 50


class NewItem(Body):
    id: UUID | None = None
    title: Annotated[Title, Field(examples=["Ask Ada about the bell"])]
    description: Description | None = None
    tags: Tags = []
    item_type: WrittenType = "note"
    action_url: Annotated[ActionUrl | None, Field(examples=["https://questlog.test/bell"])] = None
    expires_at: Instant | None = None


class ItemChange(Body):
    title: Title = absent()
    description: Description | None = absent()
    tags: Tags = absent()
    item_type: WrittenType = absent()
    action_url: ActionUrl | None = absent()
    expires_at: Instant | None = absent()
    snoozed_until: Instant | None = absent()
    is_read: bool = absent()
    is_archived: bool = absent()


class Processing(Body):
    """What to make of an item. `start_time` is for an event, `category` for a quest, an idea or an entry.

    Without a category a quest gets `inbox`, and an idea or an entry its usual default.
    """

    to: Target
    category: Category | None = None
    start_time: Annotated[Instant | None, Field(validate_default=True)] = None

    @field_validator("start_time")
    @classmethod
    def _needed_for_an_event(cls, start_time: datetime | None, info: ValidationInfo) -> datetime | None:
        if start_time is None and info.data.get("to") == "calendar":
            raise ValueError("is needed for an event")
        return start_time


def _is_none(value: object) -> bool:
    return value is None


class Item(ResponseModel):
    id: UUID
    title: str
    description: Annotated[str | None, Field(exclude_if=_is_none)]
    tags: list[str]
    item_type: Literal["note", "task", "link", "notification"]
    is_read: bool
    is_archived: bool
    is_processed: bool
    processed_at: Instant | None
    action_url: str | None
    expires_at: Instant | None
    snoozed_until: Instant | None
    created_at: Instant
    updated_at: Instant


class Items(TypedDict):
    items: list[Item]
    total: int
    page: int
    page_size: int
    unread_count: int
    has_next: bool


class Counts(Row):
    total: int
    unread: int


class Made(TypedDict):
    """What an item was made into. The id of a task of the daily plan is no UUID."""

    type: Target
    id: str


class ProcessedRow(Row):
    target: Made


class Processed(TypedDict):
    item: Item
    target: Made


class Updated(ResponseModel):
    updated: int
