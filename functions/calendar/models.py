"""What the calendar routes take and return, and the rows that they decide on."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final, Literal, NamedTuple, cast
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)

from questlog.recurrence.listing import EventRow, Occurrence
from questlog.recurrence.rule import rule_of
from questlog.recurrence.times import FIRST, LAST, Moment, known_zone
from questlog.wire import (
    Body,
    Color,
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
    uuid_of,
)

EventType = Literal[
    "general", "meeting", "appointment", "workout", "focus", "habit", "goal", "task", "reminder", "other"
]
Scope = Literal["this", "following", "all"]

_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)?)?", re.ASCII)


def _moment(value: Any) -> Any:
    """A date, a wall-clock time or an instant, whichever the text is; seconds are whole, as in RFC 5545."""
    if not (isinstance(value, str) and _MOMENT.fullmatch(value)):
        raise ValueError("must be a date or a date-time (RFC 3339)")
    if len(value) == len("YYYY-MM-DD"):
        return date.fromisoformat(value)
    return datetime.fromisoformat(re.sub(r"\.\d+", "", value).upper())


def _in_reach(value: Moment) -> Moment:
    """Refuse what no calendar shows; near the ends of time, arithmetic fails (platform contract, 1.7)."""
    if isinstance(value, datetime) and value.tzinfo is not None and FIRST.year - 1 <= value.year <= LAST.year + 1:
        value = value.astimezone(UTC)
    if not FIRST.year <= value.year <= LAST.year:
        raise ValueError(f"must lie in the years {FIRST.year} to {LAST.year}, in UTC")
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
ReminderMinutes = Annotated[int, Field(ge=0, le=40320)]
Metadata = Annotated[dict[str, Any], json_at_most(16_384)]


class EventId(NamedTuple):
    """The id of an event on the wire: a uuid, or {uuid}_{stamp} for an occurrence of a series."""

    event: UUID
    recurrence_id: datetime | None

    @classmethod
    def of(cls, text: str) -> "EventId":
        """ValueError when the text is neither."""
        event, separator, stamp = text.partition("_")
        if not separator:
            return cls(uuid_of(event), None)
        if not re.fullmatch(r"\d{8}T\d{6}Z", stamp, re.ASCII):
            raise ValueError("is no occurrence")
        recurrence_id = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if not FIRST <= recurrence_id <= LAST:
            raise ValueError("is no occurrence")
        return cls(uuid_of(event), recurrence_id)


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


class ExportQuery(Query):
    part: Annotated[int, Field(ge=1, le=1_000)] | None = None


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

    @classmethod
    def of(cls, occurrence: Occurrence) -> "Event":
        """An occurrence as the wire shows it. It is not validated: the row was when it was read."""
        row = occurrence.row
        rule = row.recurrence_rule or row.series_rule
        is_exception = row.parent_event_id is not None
        return cls.model_construct(
            id=occurrence.name,
            title=row.title,
            description=row.description,
            event_type=cast("EventType", row.event_type),
            start_time=occurrence.start,
            end_time=occurrence.end,
            all_day=row.all_day,
            timezone=row.timezone,
            location=row.location,
            color=row.color,
            reminder_minutes=row.reminder_minutes,
            created_at=cast("datetime", row.created_at),
            updated_at=cast("datetime", row.updated_at),
            workout_id=row.workout_id,
            habit_id=row.habit_id,
            goal_id=row.goal_id,
            recurrence_rule=rule,
            recurrence_end=row.recurrence_end or row.series_end,
            is_recurring=rule is not None,
            series_id=row.parent_event_id or (None if occurrence.recurrence_id is None else row.id),
            original_start=occurrence.recurrence_id,
            is_exception=is_exception,
            completed_at=occurrence.completed_at,
            metadata=row.metadata,
        )


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
    removed: int
    skipped: int
    problems: list[Problem]


class Deciding(NamedTuple):
    """An event with all that a change of it concerns.

    `completed` names the occurrences that are done or were once; None stands for the one of a single event.
    """

    event: EventRow
    overrides: list[EventRow]
    completed: list[datetime | None]
    zone: str


class Completions(Row):
    """A completion, also one that was taken back. Its recurrence id is null for a single event."""

    event_id: UUID
    recurrence_id: AwareDatetime | None


class Now(Row):
    now: AwareDatetime


class UserZone(Row):
    """The user's own time zone."""

    zone: str


class Rewritten(Row):
    """Whether rewrite_calendar() found the events as they had been read, and has written."""

    written: bool


class Completed(Reward):
    """What complete_event() did, and what it paid."""

    completed_at: Instant | None
    already_completed: bool
    reward_capped: bool
