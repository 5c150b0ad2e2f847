"""What several subjects of the administration show or take."""

from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import Field, StringConstraints
from typing_extensions import TypedDict

from questlog.wire import Form, Instant, Trimmed

# The database role that a request of this group takes on once the caller's role is checked: it sees all users' rows.
ROLE: Final = "questlog_admin"

Role = Literal["user", "moderator", "admin"]
Key = Annotated[
    Trimmed,
    Form(
        "^[a-z0-9][a-z0-9_-]{0,99}$",
        "must have 1 to 100 of the characters a to z, 0 to 9, _ and -, and begin with a letter or digit",
    ),
    Field(examples=["sunrise"]),
]
Search = Annotated[Trimmed, StringConstraints(max_length=200)]


class Administration(TypedDict):
    """What the administration offers."""

    version: str
    modules: list[str]
    role_required: str


class Done(TypedDict):
    """A sentence for the screen that says what was done."""

    success: bool
    message: str


class Paging(TypedDict):
    """Which page of a list this is, and how many items all pages have."""

    total: int
    page: int
    page_size: int


class User(TypedDict):
    """A user as administrators see them."""

    id: UUID
    email: str
    name: str
    image: str | None
    role: Role
    approved: bool
    age_verified: bool
    tos_accepted: bool
    last_activity_at: Instant | None
    created_at: Instant
    level: int
    total_xp: int
    coins: int


class NamedNumber(TypedDict):
    """One of the numbers of the statistics."""

    name: str
    value: int


class UserStatistics(TypedDict):
    """How many users there are, and how many of them are administrators, were active of late, and so on."""

    total_users: int
    tos_accepted: int
    admins: int
    active_7d: int
    active_30d: int
