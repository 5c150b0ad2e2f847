"""Requests and responses of the pause routes."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from typing_extensions import TypedDict

from questlog.paging import PageOrAll, PagePlace
from questlog.wire import Body, Day, Instant, absent


class PausesQuery(PageOrAll):
    default_page_size = 50


class NewPause(Body):
    habit_id: UUID | None = None
    from_: Annotated[Day | None, Field(alias="from")] = None
    to: Day | None = None


class PauseChange(Body):
    from_: Annotated[Day, Field(alias="from")] = absent()
    to: Day | None = absent()

    def sent(self) -> dict[str, Any]:
        """What was sent, as changes() returns it, under the wire's names."""
        return self.model_dump(mode="json", exclude_unset=True, by_alias=True)


# A functional definition, because `from` is a keyword.
Pause = TypedDict(
    "Pause",
    {
        "id": UUID,
        "habit_id": UUID | None,
        "from": date,
        "to": date | None,
        "days": int,
        "created_at": Instant,
    },
)


class Pauses(PagePlace):
    pauses: list[Pause]
    total: int
