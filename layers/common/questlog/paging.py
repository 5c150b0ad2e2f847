"""Lists that are returned whole unless a page of them is asked for (platform contract, 1, rule 8).

Apart from the shapes that all groups share, because only few have such a list and every cold start would pay for it.
"""

from typing import ClassVar

from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on

from questlog.wire import Page, PageSize, Query


class PagePlace(TypedDict, total=False):
    """Which page of a list this is; absent where the list is whole."""

    page: int
    page_size: int


class PageShown(PagePlace, total=False):
    """Which page of a list this is, and how many items all pages have; absent where the list is whole."""

    total: int


class PageOrAll(Query):
    """A list is returned whole unless a page of it is asked for (platform contract, 1, rule 8)."""

    default_page_size: ClassVar[int] = 100

    page: Page | None = None
    page_size: PageSize | None = None

    @property
    def is_paged(self) -> bool:
        """Whether a page is asked for, and not the whole list."""
        return self.page is not None or self.page_size is not None

    @property
    def asked(self) -> dict[str, int]:
        """The page that is asked for, of the default size unless it says how many items."""
        return {"page": self.page or 1, "page_size": self.page_size or self.default_page_size}

    @property
    def bounds(self) -> dict[str, int | None]:
        """`limit` and `offset` of a statement; no limit for the whole list."""
        if not self.is_paged:
            return {"limit": None, "offset": 0}
        asked = self.asked
        return {"limit": asked["page_size"], "offset": (asked["page"] - 1) * asked["page_size"]}

    @property
    def place(self) -> PagePlace:
        """`page` and `page_size` as the answer repeats them; nothing for the whole list."""
        asked = self.asked
        return {"page": asked["page"], "page_size": asked["page_size"]} if self.is_paged else {}

    def shown(self, total: int) -> PageShown:
        """What the answer says of a page: its place, and how many items all pages have; nothing for the whole list."""
        return {"total": total, **self.place} if self.is_paged else {}
