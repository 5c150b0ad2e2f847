"""Components of a document beside the stored events: which is newer, for what it stands, what becomes of both.

A component (an Entry) is a VEVENT: a master, which is a single event or a series, or an instance, which stands for one
occurrence of a series and has a RECURRENCE-ID.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import uuid4

from questlog.ical.writing import exported_rule
from questlog.recurrence.listing import EventRow
from questlog.recurrence.rule import rule_of
from questlog.recurrence.series import occurs
from questlog.recurrence.times import date_of, instant, stamp, wall_clock

from functions.calendar.ical.reading import Entry
from functions.calendar.schedule import NO_RECURRENCE

TEXTS: Final = ("title", "description", "location")
_TIMES: Final = ("start_time", "end_time", "nominal_days", "all_day", "timezone")
# What a user sets too; it stays where a document says nothing of it.
_USERS: Final = ("event_type", "color", "reminder_minutes")
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


# Versions -------------------------------------------------------------------------------------------------------------


def newest(entries: Iterable[Entry]) -> Entry | None:
    """The newest of several versions of one component; of two equal ones the later in the document."""

    def age(numbered: tuple[int, Entry]) -> tuple[int, datetime, datetime, int]:
        number, entry = numbered
        version = entry.version
        return version.sequence, version.stamp or _FIRST, version.modified or _FIRST, number

    return max(enumerate(entries), key=age, default=(0, None))[1]


def is_newer(entry: Entry, stored: EventRow) -> bool:
    """Whether a component is newer than the stored event: it has the higher SEQUENCE, or the same and a later time."""
    if entry.version.sequence != stored.sequence:
        return entry.version.sequence > stored.sequence
    return (entry.version.written or _FIRST) > (stored.ical_stamp or _LAST)


def is_older(entry: Entry, stored: EventRow) -> bool:
    """Whether a cancellation is older than the stored event: it has a lower SEQUENCE, and was not written later."""
    was_written_later = (entry.version.written or _FIRST) > (stored.ical_stamp or _FIRST)
    return entry.version.sequence < stored.sequence and not was_written_later


# Instances ------------------------------------------------------------------------------------------------------------


def by_occurrence(instances: Iterable[Entry], series: EventRow) -> dict[datetime, Entry]:
    """The instances of a series by the occurrences that they stand for, each in its newest version."""
    versions: defaultdict[datetime, list[Entry]] = defaultdict(list)
    for entry in instances:
        assert entry.recurrence_id is not None
        versions[entry.recurrence_id.in_series(series)].append(entry)
    return {at: latest for at, entries in versions.items() if (latest := newest(entries)) is not None}


def by_lone_id(instances: Iterable[Entry]) -> dict[str, Entry]:
    """Instances without their series by their `lone_recurrence_id`, each in its newest version."""
    versions: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in instances:
        assert entry.recurrence_id is not None
        in_dates = entry.event.all_day or not isinstance(entry.recurrence_id.moment, datetime)
        lone_id = f"{entry.recurrence_id.day:%Y%m%d}" if in_dates else stamp(entry.recurrence_id.at)
        versions[lone_id].append(entry)
    return {lone_id: latest for lone_id, entries in versions.items() if (latest := newest(entries)) is not None}


def occurrence_of(lone_id: str, series: EventRow) -> datetime:
    """The occurrence of a series for which a lone instance stands: a date stands for the one that begins on it."""
    day = date.fromisoformat(lone_id[:8])
    if series.all_day:
        return instant(day, series.timezone)
    if "T" in lone_id:
        return datetime.fromisoformat(lone_id)
    return instant(datetime.combine(day, wall_clock(series.start_time, series.timezone).time()), series.timezone)


def cancelled_occurrences(instances: Iterable[Entry], series: EventRow) -> set[datetime]:
    """The occurrences that a document cancels; none of a single event."""
    if series.recurrence_rule is None:
        return set()
    instances_by_occurrence = by_occurrence(instances, series)
    return {at for at, entry in instances_by_occurrence.items() if entry.cancelled and occurs(series.series, at)}


def is_left(series: EventRow, at: datetime) -> bool:
    """Whether a series has an occurrence at this instant that nobody has removed."""
    return series.recurrence_rule is not None and occurs(series.series.without(series.exdates), at)


# Rows -----------------------------------------------------------------------------------------------------------------


def in_stored_zone(entry: Entry, stored: EventRow) -> EventRow:
    """The event that a component describes. An all-day one is dates only, and gets the zone of the stored event."""
    event = entry.event
    if not (event.all_day and stored.all_day) or "timezone" in entry.says or event.timezone == stored.timezone:
        return event

    def same_date(at: datetime) -> datetime:
        return instant(date_of(at, event.timezone), stored.timezone)

    single = ("start_time", "end_time", "recurrence_end", "last_start", "series_until")
    changes: dict[str, Any] = {name: same_date(at) for name in single if (at := getattr(event, name)) is not None}
    lists = {name: [same_date(at) for at in getattr(event, name)] for name in ("exdates", "rdates")}
    return event.model_copy(update={**changes, **lists, "timezone": stored.timezone})


def overlaid(base: EventRow, described: EventRow, entry: Entry) -> EventRow:
    """`base` with what the component describes; what a user has set stays where the component says nothing of it."""
    users = [name for name in _USERS if name in entry.says]
    changes = {name: getattr(described, name) for name in (*TEXTS, *_TIMES, *users)}
    return versioned(base.model_copy(update=changes), entry)


def versioned(row: EventRow, entry: Entry) -> EventRow:
    """The row with the component's version."""
    written = entry.version.written or row.ical_stamp
    return row.model_copy(update={"sequence": entry.version.sequence, "ical_stamp": written})


def new_override(series: EventRow, at: datetime) -> EventRow:
    """An override that changes nothing of an occurrence yet."""
    place = {"id": uuid4(), "parent_event_id": series.id, "original_start": at, "created_at": None}
    times = {"start_time": at, "end_time": series.end_of(at)}
    return series.model_copy(update={**NO_RECURRENCE, **place, **times})


def differ(one: EventRow, other: EventRow) -> bool:
    """Whether two versions of an event differ in what iCalendar says of it."""
    return _properties(one) != _properties(other)


def _properties(row: EventRow) -> dict[str, Any]:
    """The properties of an event that iCalendar has, in a normal form."""
    properties: dict[str, Any] = {name: getattr(row, name) for name in (*TEXTS, *_TIMES, *_USERS)}
    if row.recurrence_rule is not None:
        rule = rule_of(exported_rule(row.series))
        until = rule.until_date(row.timezone) if row.all_day else rule.until_instant(row.timezone)
        properties["rule"] = (rule.freq, rule.interval, rule.count, until, rule.week_start)
        properties["days"] = {name: _unsigned(values) for name, values in rule.parts.items()}
        properties["dates"] = (set(row.exdates), set(row.rdates))
    return properties


def _unsigned(values: Iterable[str]) -> set[str]:
    return {value.removeprefix("+").removeprefix("0") for value in values}
