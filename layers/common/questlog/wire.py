"""The types of everything on the wire: models of requests and answers, and the few kinds of value they share."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import core_schema, to_json
from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}(?:[Tt ].*)?", re.ASCII)
# RFC 3339, 5.6; seconds may be left out, and the colon of the offset too, as clients do.
_INSTANT: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?P<offset>[Zz]|[+-]\d{2}:?\d{2})?", re.ASCII
)
# Times are within these years in UTC, and so is every day (platform contract, 1.7): in any zone they stay far from
# where the calendars of Python and Postgres end.
FIRST_DAY: Final = date(1600, 1, 1)
LAST_DAY: Final = date(2199, 12, 31)
_FIRST: Final = datetime(1600, 1, 1, tzinfo=UTC)
_END: Final = datetime(2200, 1, 1, tzinfo=UTC)
OUTSIDE_THE_YEARS: Final = "must be in the years 1600 to 2199"


class _ReadBy:
    """Reads values from JSON with a function of ours. A Python value, such as that of a row, is taken as it is.

    pydantic alone would also accept seconds since 1970, as a number or as text.
    """

    def __init__(self, read: Callable[[Any], Any]) -> None:
        self._read = read

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        python = handler(source)
        sent = core_schema.no_info_before_validator_function(self._read, python)
        return core_schema.json_or_python_schema(json_schema=sent, python_schema=python)


class _ShownBy:
    """Has JSON show the text that a function of ours makes of the value.

    pydantic's PlainSerializer does the same. The module that it is in would be a hundredth of a cold start.
    """

    def __init__(self, show: Callable[[Any], str]) -> None:
        self._show = show

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        serialization = core_schema.plain_serializer_function_ser_schema(
            self._show, return_schema=core_schema.str_schema(), when_used="json"
        )
        return {**handler(source), "serialization": serialization}


# Cached, since the hundreds of rows of a seed all have the same time.
@lru_cache(maxsize=256)
def rfc3339(instant: datetime) -> str:
    """An instant as the wire shows it: UTC with microseconds and Z."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _instant(value: Any) -> datetime:
    found = _INSTANT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("must be a time, such as 2031-05-09T08:00:00Z")
    if found["offset"] is None:
        raise ValueError("must have an offset from UTC, such as Z")
    try:
        instant = datetime.fromisoformat(value.upper())
    except ValueError:
        raise ValueError("is not a time of the calendar") from None
    if not _FIRST <= instant < _END:
        raise ValueError(OUTSIDE_THE_YEARS)
    return instant.astimezone(UTC)


def _day(value: Any) -> date:
    """A date as written; a date-time given for one is cut to its date (platform contract, 1.7)."""
    if not (isinstance(value, str) and _DATE.fullmatch(value)):
        raise ValueError("must be a date, YYYY-MM-DD")
    try:
        day = datetime.fromisoformat(value.upper()).date()
    except ValueError:
        raise ValueError("is not a date of the calendar") from None
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(OUTSIDE_THE_YEARS)
    return day


def _plain_boolean(value: Any) -> Any:
    """A boolean in a query is true, false, 1 or 0; pydantic alone would also take yes, on and t."""
    if isinstance(value, str) and value not in ("true", "false", "1", "0"):
        raise ValueError("must be true or false")
    return value


Instant = Annotated[
    AwareDatetime,
    _ReadBy(_instant),
    _ShownBy(rfc3339),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A point in time: RFC 3339, shown in UTC with microseconds and Z. In a request, within the years 1600 to 2199."""

Day = Annotated[date, _ReadBy(_day)]
"""A calendar date. In a request, within the years 1600 to 2199; a date-time is cut to its date."""

Flag = Annotated[bool, BeforeValidator(_plain_boolean)]
"""A boolean in a query."""


class Form:
    """Text that matches a pattern as a whole: Annotated[str, Form("^[a-z]+$", "must be ...")].

    The sentence is the error for any other text; a plain `pattern` of pydantic has no sentence of its own.
    """

    def __init__(self, pattern: str, sentence: str) -> None:
        self._pattern = pattern
        self._sentence = sentence

    def _check(self, text: str) -> str:
        if re.fullmatch(self._pattern, text) is None:
            raise ValueError(self._sentence)
        return text

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), "pattern": self._pattern}


# What follows the scheme of a web address: a host, which may be an IPv6 address in brackets, and the rest.
WEB_ADDRESS: Final = r"://([^\s/?#\[\]]+|([^\s/?#\[\]@]*@)?\[[0-9A-Fa-f:.]+\](:[0-9]*)?)([/?#]\S*)?"

# A path within the app: no scheme, host, query, `//` or `..` (planning contract, common rule 7).
PATH_IN_APP: Final = "/(focus|(quests|exercise|learn|habits|planner|goals|hub)(/[A-Za-z0-9_-]+)*)"

Color = Annotated[str, Form("^#[0-9A-Fa-f]{6}$", "must be a colour, such as #8b5cf6"), Field(examples=["#8b5cf6"])]

Trimmed = Annotated[str, StringConstraints(strip_whitespace=True)]
"""Text whose limits are checked after trimming; narrow it with StringConstraints."""


def json_at_most(limit: int) -> AfterValidator:
    """Free JSON whose text has at most so many bytes."""

    def check(value: Any) -> Any:
        if len(to_json(value)) > limit:
            raise ValueError(f"must be at most {limit} bytes of JSON")
        return value

    return AfterValidator(check)


class MaxEntries:
    """Limits the entries of a map: Annotated[dict[str, str], MaxEntries(50)].

    Field(max_length=...) would validate all entries of a map before it counts them.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(self._counted, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), "maxProperties": self._limit}

    def _counted(self, value: Any) -> Any:
        if isinstance(value, dict) and len(value) > self._limit:
            raise ValueError(f"must have at most {self._limit} entries")
        return value


def uuid_of(text: str) -> UUID:
    """The UUID in its one form on the wire, with hyphens and in either case. ValueError for any other text.

    Python alone would also take it in braces, after urn:uuid:, and with its hyphens anywhere or nowhere.
    """
    found = UUID(text)
    if str(found) != text.lower():
        raise ValueError("must be a UUID")
    return found


def blank_is_null(value: str | None) -> str | None:
    """None for optional text that was left blank."""
    return value or None


def percentage(part: int, whole: int) -> float:
    """How much `part` is of `whole` in percent, rounded down to two decimals: 100 only when it is all of it.

    0 where there is nothing that it could be part of.
    """
    return (10_000 * part // whole) / 100 if whole else 0.0


MAX_TAGS: Final = 20


def _distinct(tags: list[str]) -> list[str]:
    """The tags without blank ones, and each once whatever its case: the first spelling and its place stay."""
    kept: dict[str, str] = {}
    for tag in filter(None, tags):
        kept.setdefault(tag.casefold(), tag)
    if len(kept) > MAX_TAGS:
        raise ValueError(f"must hold at most {MAX_TAGS} tags")
    return list(kept.values())


Tags = Annotated[
    list[Annotated[Trimmed, StringConstraints(max_length=50)]], Field(max_length=100), AfterValidator(_distinct)
]
"""Tags (planning contract, common rule 2): at most 20 that differ in more than case, each of 1 to 50 characters."""

Page = Annotated[int, Field(ge=1, le=1_000_000)]
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
    """What a route shows on the wire. A statement's row may be read straight into it; other columns are dropped."""

    model_config = ConfigDict(
        defer_build=True, frozen=True, serialize_by_alias=True, json_schema_serialization_defaults_required=True
    )


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


_ABSENT: Final = Field(default=None, json_schema_extra=_without_default)


def absent() -> Any:
    """The default of a field that may be left out and then keeps its value. Its type says whether null is allowed.

    One for all fields: pydantic copies it into each, and to make one anew costs as much as all else of a field.
    """
    return _ABSENT


class Tagging:
    """The context in which a document is serialised for its ETag. It notes whether a moving field was shown."""

    def __init__(self) -> None:
        self.moving = False


class _Moving:
    """Leaves a field out of its document's tag. Everywhere else the field is shown as its own type says."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        own = handler(source)
        serialization = core_schema.wrap_serializer_function_ser_schema(
            self._shown, info_arg=True, schema=own, when_used="json"
        )
        return {**own, "serialization": serialization}

    @staticmethod
    def _shown(value: Any, serialize: SerializerFunctionWrapHandler, info: SerializationInfo) -> Any:
        if isinstance(info.context, Tagging):
            info.context.moving = True
            return None
        return serialize(value)


Moving: Final = _Moving()
"""Marks a field whose value changes by itself while nothing happens, such as a clock: Annotated[int, Moving].

An ETag does not count it, or it would never match. A document that shows one is not for a browser's cache: a browser
that finds it unchanged would show its old copy, in which the clock stands still (core contract, 7.1).
"""


class Deleted(ResponseModel):
    """Confirms that something is deleted."""

    success: bool = True
    id: UUID


class Success(ResponseModel):
    """Confirms what has nothing to show."""

    success: bool = True


class Unlocked(TypedDict):
    """An achievement that this request earned."""

    key: str
    name: str
    reward_xp: int
    reward_coins: int


class Reward(ResponseModel):
    """The fields that every route that pays shows beside its own (core contract, 1.9)."""

    xp_awarded: int
    coins_awarded: int
    leveled_up: bool
    new_level: int
    achievements_unlocked: list[Unlocked]
    streak: int


class RewardFields(TypedDict):
    """The fields of Reward, for a group whose answers are TypedDicts: as models they would cost it its cold start."""

    xp_awarded: int
    coins_awarded: int
    leveled_up: bool
    new_level: int
    achievements_unlocked: list[Unlocked]
    streak: int


class ImportProblem(TypedDict):
    """Something in a file from another app that was not taken, or not as it stands there."""

    line: int | None
    name: str | None
    message: str


class ImportReport(TypedDict):
    """What became of the workouts, books or habits of such a file: the four numbers together are all that it holds."""

    format: str
    imported: int
    updated: int
    unchanged: int
    skipped: int
    problems: list[ImportProblem]
    dry_run: bool
