"""The types of everything on the wire: models of requests and answers, and the few kinds of value they share."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
)
from pydantic_core import to_json

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}(?:[Tt ].*)?")


def rfc3339(instant: datetime) -> str:
    """An instant as the wire shows it: UTC with microseconds and Z."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _calendar_date(value: Any) -> Any:
    """A date as written; a date-time given for one is cut to its date (platform contract, 1.7).

    Text is made a date here: behind a validator of our own, strict pydantic takes no text, and lax also takes seconds.
    """
    if not isinstance(value, str):
        return value
    if not _DATE.fullmatch(value):
        raise ValueError("must be a date, YYYY-MM-DD")
    try:
        return datetime.fromisoformat(value).date()
    except ValueError:
        raise ValueError("is not a date of the calendar") from None


def _plain_boolean(value: Any) -> Any:
    """A boolean in a query is true, false, 1 or 0; pydantic alone would also take yes, on and t."""
    if isinstance(value, str) and value not in ("true", "false", "1", "0"):
        raise ValueError("must be true or false")
    return value


Instant = Annotated[AwareDatetime, PlainSerializer(rfc3339, return_type=str, when_used="json")]
"""A point in time: RFC 3339 in UTC with microseconds and Z."""

Day = Annotated[date, BeforeValidator(_calendar_date)]
"""A calendar date in a request."""

Flag = Annotated[bool, BeforeValidator(_plain_boolean)]
"""A boolean in a query."""

Trimmed = Annotated[str, StringConstraints(strip_whitespace=True)]
"""Text whose limits are checked after trimming; narrow it with StringConstraints."""


def json_at_most(limit: int) -> AfterValidator:
    """Free JSON whose text has at most so many bytes."""

    def check(value: Any) -> Any:
        if len(to_json(value)) > limit:
            raise ValueError(f"must be at most {limit} bytes of JSON")
        return value

    return AfterValidator(check)


def blank_is_null(value: str | None) -> str | None:
    """Optional text that was left blank is no text."""
    return value or None


def percentage(part: int, whole: int) -> float:
    """How much `part` is of `whole` in percent, rounded down to two decimals: 100 only when it is all of it.

    0 where there is nothing that it could be part of.
    """
    return (10_000 * part // whole) / 100 if whole else 0.0


Page = Annotated[int, Field(ge=1, le=2**31 - 1)]
PageSize = Annotated[int, Field(ge=1, le=100)]


class Query(BaseModel):
    """What a query string may hold. An empty value is absent."""

    model_config = ConfigDict(defer_build=True, frozen=True)


class Body(BaseModel):
    """What a request's JSON object may hold: no number as a string, unknown fields dropped."""

    model_config = ConfigDict(defer_build=True, frozen=True, strict=True)

    def changes(self) -> dict[str, Any]:
        """Only what was sent, as JSON: absent keeps, null clears (see `absent`)."""
        return self.model_dump(mode="json", exclude_unset=True)


class Row(BaseModel):
    """What a statement returns. It may hold what the wire never shows."""

    model_config = ConfigDict(defer_build=True, frozen=True)


class Total(Row):
    """How many rows a list has on all its pages together."""

    total: int


class ResponseModel(BaseModel):
    """What a route shows on the wire. A statement's row may be read straight into it."""

    model_config = ConfigDict(defer_build=True, frozen=True, serialize_by_alias=True)


def absent() -> Any:
    """The default of a field that keeps its value when it is not sent; null is what the field's type says of it."""
    return Field(default=None, json_schema_extra=_without_default)


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


class Deleted(ResponseModel):
    """What is answered for something that is gone."""

    success: bool = True
    id: UUID


class Success(ResponseModel):
    success: bool = True


class Unlocked(ResponseModel):
    """An achievement that this request earned."""

    key: str
    name: str
    reward_xp: int
    reward_coins: int


class Reward(ResponseModel):
    """What every route that pays answers beside its own fields (core contract, 1.9)."""

    xp_awarded: int
    coins_awarded: int
    leveled_up: bool
    new_level: int
    achievements_unlocked: list[Unlocked]
    streak: int
