"""What the calendar routes take and answer, and the row of an event that they decide on."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)

from questlog.recurrence import FIRST, LAST, Moment, Series, known_zone, rule_of
from questlog.wire import (
    Body,
    Day,
    Instant,
    Query,
    ResponseModel,
    Reward,
    Row,
    Trimmed,
    absent,
    blank_is_null,
    json_at_most,
)

EventType = Literal[
    "general", "meeting", "appointment", "workout", "focus", "habit", "goal", "task", "reminder", "other"
]
Scope = Literal["this", "following", "all"]

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)?)?", re.ASCII)
# An event's times may lie a zone's offset and a duration apart from what was sent, which must not pass the limits.
_EARLIEST, _LATEST = (FIRST + timedelta(days=2)).date(), (LAST - timedelta(days=2)).date()


def _moment(value: Any) -> Any:
    """A date, a wall-clock time or an instant, whichever the text is; seconds are whole, as in RFC 5545."""
    if not (isinstance(value, str) and _MOMENT.fullmatch(value)):
        raise ValueError("must be a date or a date-time (RFC 3339)")
    if len(value) == len("YYYY-MM-DD"):
        return date.fromisoformat(value)
    return datetime.fromisoformat(re.sub(r"\.\d+", "", value).upper())


def _in_reach(value: Moment) -> Moment:
    """Refuse what no calendar shows: near the ends of time, arithmetic fails."""
    day = value.date() if isinstance(value, datetime) else value
    if not _EARLIEST <= day <= _LATEST:
        raise ValueError(f"must lie between {_EARLIEST} and {_LATEST}")
    return value


def _zone(name: str) -> str:
    if not known_zone(name):
        raise ValueError("must be UTC or the IANA name of a time zone")
    return name


def _rule(text: str | None) -> str | None:
    return rule_of(text).text if text else None


When = Annotated[
    date | datetime,
    BeforeValidator(_moment),
    AfterValidator(_in_reach),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]}),
]
"""A time in a request: an instant, a wall-clock time of the event's zone, or a date, which is its midnight."""

Title = Annotated[Trimmed, StringConstraints(min_length=1, max_length=200)]
Description = Annotated[Trimmed, StringConstraints(max_length=5000), AfterValidator(blank_is_null)]
Location = Annotated[Trimmed, StringConstraints(max_length=300), AfterValidator(blank_is_null)]
Zone = Annotated[str, AfterValidator(_zone), Field(examples=["Europe/Berlin"])]
RuleText = Annotated[
    Trimmed,
    StringConstraints(max_length=500),
    AfterValidator(blank_is_null),
    AfterValidator(_rule),
    Field(examples=["FREQ=WEEKLY;BYDAY=MO"]),
]
Color = Annotated[str, StringConstraints(pattern="^#[0-9A-Fa-f]{6}$"), Field(examples=["#8b5cf6"])]
ReminderMinutes = Annotated[int, Field(ge=0, le=40320)]
Metadata = Annotated[dict[str, Any], json_at_most(16_384)]


@dataclass(frozen=True, slots=True)
class EventId:
    """What an event goes by on the wire: a uuid, or {uuid}_{stamp} for an occurrence of a series."""

    event: UUID
    occurrence: datetime | None

    @classmethod
    def of(cls, text: str) -> "EventId":
        """ValueError when the text is neither."""
        event, separator, stamp = text.partition("_")
        if not separator:
            return cls(UUID(event), None)
        if not re.fullmatch(r"\d{8}T\d{6}Z", stamp, re.ASCII):
            raise ValueError("is no occurrence")
        occurrence = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if not FIRST <= occurrence <= LAST:
            raise ValueError("is no occurrence")
        return cls(UUID(event), occurrence)


EventKey = Annotated[
    EventId,
    PlainValidator(EventId.of),
    WithJsonSchema({"type": "string", "examples": ["00000000-0000-4000-8000-000000000000_20310509T080000Z"]}),
]


ReachableDay = Annotated[Day, AfterValidator(_in_reach)]


class EventsQuery(Query):
    start_date: When | None = None
    end_date: When | None = None
    date: ReachableDay | None = None
    event_type: EventType | None = None


class WeekQuery(Query):
    date: ReachableDay | None = None


class ScopeQuery(Query):
    scope: Scope | None = None


class NewEvent(Body):
    title: Title
    start_time: When
    end_time: When | None = None
    all_day: bool = False
    event_type: EventType = "general"
    description: Description | None = None
    timezone: Zone | None = None
    location: Location | None = None
    workout_id: UUID | None = None
    habit_id: UUID | None = None
    goal_id: UUID | None = None
    recurrence_rule: RuleText | None = None
    recurrence_end: When | None = None
    color: Color | None = None
    reminder_minutes: ReminderMinutes | None = None
    metadata: Metadata | None = None


class EventChange(Body):
    title: Title = absent()
    start_time: When = absent()
    end_time: When | None = absent()
    all_day: bool = absent()
    event_type: EventType = absent()
    description: Description | None = absent()
    timezone: Zone | None = absent()
    location: Location | None = absent()
    workout_id: UUID | None = absent()
    habit_id: UUID | None = absent()
    goal_id: UUID | None = absent()
    recurrence_rule: RuleText | None = absent()
    recurrence_end: When | None = absent()
    color: Color | None = absent()
    reminder_minutes: ReminderMinutes | None = absent()
    metadata: Metadata | None = absent()

    @property
    def plain(self) -> dict[str, Any]:
        """What was sent of the fields that say nothing about when the event is."""
        return self.model_dump(exclude_unset=True, exclude=set(WHEN))


WHEN = frozenset({"start_time", "end_time", "all_day", "timezone", "recurrence_rule", "recurrence_end"})
"""The fields of a change that decide when an event is."""


class Completing(Body):
    completed: bool = True


class Event(ResponseModel):
    id: str
    title: str
    description: str | None
    event_type: EventType
    start_time: Instant
    end_time: Instant | None
    all_day: bool
    timezone: str | None
    location: str | None
    color: str | None
    reminder_minutes: int | None
    created_at: Instant
    updated_at: Instant
    workout_id: UUID | None
    habit_id: UUID | None
    goal_id: UUID | None
    recurrence_rule: str | None
    recurrence_end: Instant | None
    is_recurring: bool
    series_id: UUID | None
    original_start: Instant | None
    is_exception: bool
    completed_at: Instant | None
    metadata: dict[str, Any] | None


class Events(ResponseModel):
    events: list[Event]
    truncated: bool


class Week(ResponseModel):
    events: list[Event]
    week_start: date
    week_end: date


class Completion(Reward):
    event: Event
    already_completed: bool
    reward_capped: bool


class FeedState(ResponseModel):
    active: bool
    created_at: Instant | None
    last_used_at: Instant | None


class NewFeed(Row):
    """A feed that was just made, and whose it is."""

    user_id: UUID
    created_at: Instant


class Feed(ResponseModel):
    url: str
    created_at: Instant


class Problem(ResponseModel):
    uid: str | None
    message: str


class Imported(ResponseModel):
    imported: int
    updated: int
    unchanged: int
    skipped: int
    problems: list[Problem]


class StoredEvent(BaseModel):
    """What is read from the database to decide on; nothing of it is checked twice."""

    model_config = ConfigDict(defer_build=True, frozen=True)


class Stored(StoredEvent):
    """A row of calendar_events."""

    id: UUID
    title: str
    description: str | None = None
    event_type: EventType = "general"
    start_time: AwareDatetime
    end_time: AwareDatetime | None = None
    all_day: bool = False
    timezone: str
    location: str | None = None
    color: str | None = None
    reminder_minutes: int | None = None
    workout_id: UUID | None = None
    habit_id: UUID | None = None
    goal_id: UUID | None = None
    recurrence_rule: str | None = None
    recurrence_end: AwareDatetime | None = None
    series_until: AwareDatetime | None = None
    exdates: list[AwareDatetime] = []
    rdates: list[AwareDatetime] = []
    parent_event_id: UUID | None = None
    original_start: AwareDatetime | None = None
    ical_uid: str | None = None
    sequence: int = 0
    metadata: dict[str, Any] | None = None
    created_at: AwareDatetime | None = None
    updated_at: AwareDatetime | None = None

    @property
    def series(self) -> Series:
        """How it repeats, without regard to what was removed or moved."""
        return Series(
            start=self.start_time,
            end=self.end_time,
            all_day=self.all_day,
            zone=self.timezone,
            rule=rule_of(self.recurrence_rule or ""),
            bound=self.recurrence_end,
            extra=frozenset(self.rdates),
        )


class Found(StoredEvent):
    """An event as calendar_shown() shows it; asked for an occurrence, also what became of that."""

    event: dict[str, Any]
    exception: dict[str, Any] | None
    completed_at: AwareDatetime | None


class FoundBetween(StoredEvent):
    """What calendar_between() answers."""

    since: AwareDatetime
    before: AwareDatetime
    events: list[dict[str, Any]]
    series: list[dict[str, Any]]


class FoundWeek(StoredEvent):
    week_start: date
    week_end: date
    found: dict[str, Any]


class Editable(StoredEvent):
    """An event with all that a change of it concerns. `completions` are occurrences that are done or were once."""

    event: Stored
    exceptions: list[Stored]
    completions: list[AwareDatetime]
    zone: str


class Rewritten(StoredEvent):
    """What rewrite_calendar() answers: the event it was asked to show, or null where it has not written."""

    event: dict[str, Any] | None


class Clock(StoredEvent):
    zone: str


class Completed(Reward):
    completed_at: Instant | None
    already_completed: bool
    reward_capped: bool
    event: dict[str, Any]


class Fed(StoredEvent):
    """The events of a feed or export: rows, exceptions after their series."""

    events: list[Stored]


class Importable(StoredEvent):
    """What an import may meet: the user's events that go by its identifiers, exceptions among them."""

    events: list[Stored]
    zone: str
