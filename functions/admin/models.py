"""What several subjects of the administration show or take."""

from typing import Final

from typing_extensions import TypedDict

# What a request of this group turns into once the caller's role has been checked: it sees the rows of all users.
ROLE: Final = "questlog_admin"


class Administration(TypedDict):
    """What the administration offers."""

    version: str
    modules: list[str]
    role_required: str


class Done(TypedDict):
    """What was done, in a sentence for the screen."""

    success: bool
    message: str


class Paging(TypedDict):
    """Which page of a list this is, and how many items all pages have."""

    total: int
    page: int
    page_size: int
