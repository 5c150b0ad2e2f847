"""Reads the events of an iCalendar document (planning contract, 2, rule 13).

Only the properties that we need are read. If one that does not say when the event happens cannot be read, it is left
out with a note; an event that cannot be read at all is skipped. icalendar parses the content lines, but of some values
it keeps too little (a DURATION in days, a TZID beside a DATE), so values are read here.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, NamedTuple, get_args
from uuid import uuid4

from icalendar.parser import split_on_unescaped_comma

from questlog.ical.writing import OWN_COLOR, OWN_ZONE
from questlog.recurrence.listing import EventRow
from questlog.recurrence.rule import ONCE, rule_of
from questlog.recurrence.series import effort, fitted
from questlog.recurrence.times import FIRST, LAST, Moment, date_of, instant, known_zone, placed, wall_clock

from functions.calendar.ical.text import Component, Line
from functions.calendar.ical.zones import Zones
from functions.calendar.models import EventType
from functions.calendar.schedule import with_end

# The largest SEQUENCE that is kept, far below the limit of int, since every later edit adds one.
MAX_SEQUENCE: Final = 1_000_000_000
# The most dates of one event, since all are read with every list that shows it.
MAX_DATES: Final = 5_000
MAX_PERIODS: Final = 500

_TYPES: Final[tuple[EventType, ...]] = get_args(EventType)
# What events and documents hold of their users that has no place here.
_LEFT_OUT: Final = (
    "ATTACH",
    "ATTENDEE",
    "COLOR",
    "COMMENT",
    "CONFERENCE",
    "CONTACT",
    "GEO",
    "IMAGE",
    "ORGANIZER",
    "RELATED-TO",
    "RESOURCES",
    "URL",
)
_OTHER_KINDS: Final = ("VTODO", "VJOURNAL")
_HEX: Final = re.compile("#[0-9A-Fa-f]{6}")
_TIME: Final = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z)?)?", re.IGNORECASE)
_DURATION: Final = re.compile(
    r"([+-])?P(?:(\d{1,5})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,7})H)?(?:(\d{1,8})M)?(?:(\d{1,9})S)?)?", re.IGNORECASE
)
_LONGEST: Final = timedelta(days=36_600)
_UNREADABLE: Final = "cannot be read and was left out"


class Unusable(ValueError):
    """An event that cannot be imported; the message says why."""


class Given(NamedTuple):
    """A moment of a document: a date, a wall-clock time of the zone, or an instant in UTC."""

    moment: Moment
    zone: str
    zones: Zones

    @property
    def at(self) -> datetime:
        """The instant."""
        return instant(self.moment, self.zone)

    @property
    def day(self) -> date:
        """The date that it means in an all-day series: the written one, or the one that begins then in a zone."""
        if not isinstance(self.moment, datetime):
            return self.moment
        midnight = None if self.moment.tzinfo is None else self.zones.midnight(self.moment)
        return self.moment.date() if midnight is None else midnight

    def in_series(self, series: EventRow) -> datetime:
        """The recurrence id that it means. A date, and any moment in an all-day series, means the day's occurrence."""
        if series.all_day:
            return instant(self.day, series.timezone)
        if isinstance(self.moment, datetime):
            return self.at
        time_of_day = wall_clock(series.start_time, series.timezone).time()
        return instant(datetime.combine(self.moment, time_of_day), series.timezone)


class Duration(NamedTuple):
    """A length of time: days in wall-clock time, and a rest in exact time (RFC 5545, 3.3.6)."""

    days: int
    rest: timedelta

    def after(self, start: datetime, zone: str) -> datetime:
        """When it ends, begun at an instant."""
        return instant(wall_clock(start, zone) + timedelta(days=self.days), zone) + self.rest


class Version(NamedTuple):
    """The version of a component. The newer of two has the higher SEQUENCE, or else was written later."""

    sequence: int
    stamp: datetime | None
    modified: datetime | None

    @property
    def written(self) -> datetime | None:
        """The later of DTSTAMP and LAST-MODIFIED."""
        return max((at for at in (self.stamp, self.modified) if at is not None), default=None)


class Entry(NamedTuple):
    """A VEVENT that could be read.

    `says` are the fields that the document sets, of those a user may set; `periods` are the ends of RDATEs that have a
    length of their own; `notes` say what was left out, and `losses` name what has no place here.
    """

    uid: str
    event: EventRow
    recurrence_id: Given | None
    cancelled: bool
    version: Version
    says: frozenset[str]
    periods: dict[datetime, datetime]
    notes: list[str]
    losses: list[str]


class Effort:
    """The time that may be spent on rules whose end can be found only by counting their occurrences."""

    def __init__(self, components: int) -> None:
        self._microseconds = 1_000_000 + 200 * components

    def spend(self, microseconds: int) -> None:
        """Unusable where there is not as much left."""
        if microseconds > self._microseconds:
            raise Unusable("its rule takes long to count, and there are many such rules; import it in a smaller file")
        self._microseconds -= microseconds


class Document(NamedTuple):
    """The events of a document that could be read, and those that could not, as pairs of UID and reason.

    `losses` counts the components of other kinds, and the events with properties, that have no place here.
    """

    entries: list[Entry]
    problems: list[tuple[str | None, str]]
    losses: Counter[str]


def uid_of(event: Component) -> str:
    """The UID of a VEVENT; of one without, an id made of its content."""
    return event.uid or event.content_id


def events_of(calendar: Component) -> Iterator[Component]:
    """The VEVENTs of a VCALENDAR."""
    return (part for part in calendar.parts if part.name == "VEVENT")


def read(calendars: Iterable[Component], users_zone: str) -> Document:
    """The events of a document. Times without a zone are in X-WR-TIMEZONE, else in the user's zone."""
    entries: list[Entry] = []
    problems: list[tuple[str | None, str]] = []
    calendars = list(calendars)
    allowed = Effort(sum(len(calendar.parts) for calendar in calendars))
    losses = Counter(part.name for calendar in calendars for part in calendar.parts if part.name in _OTHER_KINDS)
    for calendar in calendars:
        zones = Zones(calendar, users_zone)
        method = calendar.first("METHOD")
        cancels = method is not None and method.text.strip().upper() == "CANCEL"
        for event in events_of(calendar):
            try:
                entries.append(_Reader(event, zones, users_zone, allowed).entry(cancels=cancels))
            except Unusable as problem:
                problems.append((event.uid, str(problem)))
    for entry in entries:
        losses.update(() if entry.cancelled else entry.losses)
    return Document(entries, problems, losses)


class _Reader:
    """Reads one VEVENT, and notes what it leaves out."""

    def __init__(self, component: Component, zones: Zones, users_zone: str, effort: Effort) -> None:
        self._component = component
        self._effort = effort
        self._zones = zones
        self._users_zone = users_zone
        # Of times that name no zone: that of DTSTART, once it is read.
        self._default = zones.floating
        self._notes: list[str] = []
        self._losses = [name for name in _LEFT_OUT if component.has(name)]

    def entry(self, *, cancels: bool) -> Entry:
        """The event. Raises Unusable if it cannot be imported."""
        self._check()
        start = self._start()
        own_zone = self._own_zone(start)
        zone = own_zone or start.zone
        fields, says = self._described()
        drafted = EventRow(
            id=uuid4(),
            timezone=zone,
            all_day=not isinstance(start.moment, datetime),
            **self._times(start, zone),
            **fields,
        )
        recurrence_id = self._recurrence_id()
        periods: dict[datetime, datetime] = {}
        if recurrence_id is None:
            drafted, periods = self._recurring(drafted, start)
        status = self._text("STATUS", 20)
        uid = uid_of(self._component)
        return Entry(
            uid=uid,
            event=drafted.model_copy(update={"ical_uid": uid}),
            recurrence_id=recurrence_id,
            cancelled=cancels or (status or "").upper() == "CANCELLED",
            version=self._version(drafted.sequence),
            says=frozenset({*says, *(["timezone"] if own_zone or not drafted.all_day else [])}),
            periods=periods,
            notes=self._notes,
            losses=self._losses,
        )

    def _check(self) -> None:
        for name in ("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "STATUS"):
            if self._component.is_broken(name):
                raise Unusable(f"{name} cannot be read")
        for name in ("SUMMARY", "DESCRIPTION", "LOCATION", "CATEGORIES", "SEQUENCE", "DTSTAMP", "LAST-MODIFIED", ""):
            if self._component.is_broken(name):
                self._notes.append(f"{name or 'a line'} {_UNREADABLE}")

    def _start(self) -> Given:
        lines = self._component.named("DTSTART")
        if len(lines) != 1:
            raise Unusable("needs one DTSTART")
        start = self._moment(lines[0], lines[0].value)
        if isinstance(start.moment, datetime) and start.moment.tzinfo is None:
            self._default = start.zone
        return start

    def _own_zone(self, start: Given) -> str | None:
        """The zone in our own property, for an event whose start has none: an all-day one, or a time in UTC."""
        zone = self._text(OWN_ZONE, 100)
        names_one = isinstance(start.moment, datetime) and start.moment.tzinfo is None
        return zone if zone and known_zone(zone) and not names_one else None

    def _moment(self, line: Line, value: str) -> Given:
        """A moment as a property says it. A TZID means nothing beside a date or a Z (RFC 5545, 3.2.19)."""
        match = _TIME.fullmatch(value.strip())
        try:
            wall = _wall(match)
        except ValueError:
            raise Unusable(f"{line.name} cannot be read") from None
        if match is None or not FIRST.year <= wall.year <= LAST.year:
            raise Unusable(f"holds a time outside {FIRST.year} to {LAST.year}")
        if match[4] is None or line.parameters.get("VALUE", "").upper() == "DATE":
            return Given(wall.date(), self._users_zone, self._zones)
        if match[7]:
            return Given(wall.replace(tzinfo=UTC), "UTC", self._zones)
        name = line.parameters.get("TZID")
        if not name:
            return Given(wall, self._default, self._zones)
        meaning = self._zones.meaning(name, wall)
        if meaning is None:
            raise Unusable(f"the time zone {name[:100]} is not known")
        if meaning.note and meaning.note not in self._notes:
            self._notes.append(meaning.note)
        if meaning.offset is not None:
            return Given((wall - meaning.offset).replace(tzinfo=UTC), "UTC", self._zones)
        return Given(wall, meaning.zone, self._zones)

    def _times(self, start: Given, zone: str) -> dict[str, Any]:
        all_day = not isinstance(start.moment, datetime)
        end: Moment | None = None
        nominal_days = None
        if (line := self._component.first("DTEND")) is not None:
            given = self._moment(line, line.value)
            end = given.day if all_day else given.at
        elif (line := self._component.first("DURATION")) is not None:
            length = _duration(line)
            end = length.after(start.at, zone)
            nominal_days = length.days if not all_day and length.days and length.rest < timedelta(days=1) else None
        try:
            starts, ends = placed(start.moment if all_day else start.at, end, all_day=all_day, zone=zone)
        except ValueError:
            raise Unusable("ends before it starts") from None
        if not FIRST <= starts <= (ends or starts) <= LAST:
            raise Unusable(f"holds a time outside {FIRST.year} to {LAST.year}")
        return {"start_time": starts, "end_time": ends, "nominal_days": nominal_days}

    def _described(self) -> tuple[dict[str, Any], set[str]]:
        """The fields that do not say when the event happens, and which of those that users may set are among them."""
        color, event_type, reminder = self._text(OWN_COLOR, 7), self._event_type(), self._reminder()
        if color is not None and not _HEX.fullmatch(color):
            color = None
        users = {"color": color, "event_type": event_type, "reminder_minutes": reminder}
        said = {name: value for name, value in users.items() if value is not None}
        texts = {
            "title": self._text("SUMMARY", 200) or "Untitled",
            "description": self._text("DESCRIPTION", 5000),
            "location": self._text("LOCATION", 300),
            "sequence": self._sequence(),
        }
        return texts | said, set(said)

    def _text(self, name: str, longest: int) -> str | None:
        line = self._component.first(name)
        text = None if line is None else line.text.strip()
        if text and len(text) > longest:
            self._notes.append(f"{name} is longer than {longest} characters and was cut")
            text = text[:longest].rstrip()
        return text or None

    def _event_type(self) -> EventType | None:
        """The first category that is one of our event types."""
        lines = self._component.named("CATEGORIES")
        texts = (str(name).strip().lower() for line in lines for name in split_on_unescaped_comma(line.value))
        named = list(filter(None, dict.fromkeys(texts)))
        found = next((event_type for name in named for event_type in _TYPES if event_type == name), None)
        if len(named) > (found is not None):
            self._losses.append("CATEGORIES")
        return found

    def _reminder(self) -> int | None:
        """The minutes before the start at which the first alarm with such a trigger rings. Others are lost."""
        reminder: int | None = None
        for alarm in self._component.parts:
            if alarm.name != "VALARM":
                continue
            trigger = alarm.first("TRIGGER")
            match = None if trigger is None else _DURATION.fullmatch(trigger.value)
            if trigger is None or (match is None and not _TIME.fullmatch(trigger.value)):
                self._notes.append(f"an alarm {_UNREADABLE}")
                continue
            minutes = None if match is None else _minutes_before_start(trigger, match)
            reminder = minutes if reminder is None else reminder
            is_kept = minutes is not None and minutes == reminder
            if not (is_kept or _never_rings(alarm) or "VALARM" in self._losses):
                self._losses.append("VALARM")
        return reminder

    def _sequence(self) -> int:
        line = self._component.first("SEQUENCE")
        if line is None:
            return 0
        if not re.fullmatch(r"[+-]?\d{1,18}", line.value):
            self._notes.append(f"SEQUENCE {_UNREADABLE}")
            return 0
        return min(max(0, int(line.value)), MAX_SEQUENCE)

    def _version(self, sequence: int) -> Version:
        stamp, modified = (self._written(name) for name in ("DTSTAMP", "LAST-MODIFIED"))
        return Version(sequence, stamp, modified)

    def _written(self, name: str) -> datetime | None:
        """When a version was written, by one of these properties: in UTC, even if the Z is missing."""
        line = self._component.first(name)
        if line is None:
            return None
        try:
            return _wall(_TIME.fullmatch(line.value)).replace(tzinfo=UTC)
        except ValueError:
            self._notes.append(f"{name} {_UNREADABLE}")
            return None

    def _recurrence_id(self) -> Given | None:
        line = self._component.first("RECURRENCE-ID")
        if line is None:
            return None
        if "RANGE" in line.parameters:
            raise Unusable("RANGE is not supported")
        return self._moment(line, line.value)

    def _recurring(self, drafted: EventRow, start: Given) -> tuple[EventRow, dict[datetime, datetime]]:
        """The event with its rule, its further dates and those left out, and the periods among them."""
        rules = [line.value for line in self._component.named("RRULE") if line.value.strip("; ")]
        if len(rules) > 1 or self._component.named("EXRULE"):
            raise Unusable("more than one rule is not supported")
        further = list(self._further(drafted))
        if not rules and not further:
            return drafted, {}
        text = self._rule(rules[0], drafted, start) if rules else ONCE
        try:
            drafted = drafted.model_copy(update={"recurrence_rule": rule_of(text).text})
            self._effort.spend(effort(rule_of(text), date_of(drafted.start_time, drafted.timezone)))
            series = fitted(drafted.series)
        except ValueError as error:
            raise Unusable(f"its rule {error}") from None
        drafted = drafted.model_copy(update={"start_time": series.start, "end_time": series.end})
        left_out = {given.in_series(drafted) for given in self._dates("EXDATE")}
        dates = {"rdates": sorted({at for at, _ in further}), "exdates": sorted(left_out)}
        periods = {at: end for at, end in further if end is not None and end != drafted.end_of(at)}
        if len(periods) > MAX_PERIODS:
            raise Unusable(f"has more than {MAX_PERIODS} periods")
        return with_end(drafted.model_copy(update=dates)), periods

    def _rule(self, value: str, drafted: EventRow, start: Given) -> str:
        """The rule without parts that have no effect: empty ones, the start's own time, an end after the last year."""
        wall = start.moment if isinstance(start.moment, datetime) else datetime.combine(start.moment, time.min)
        times = {"BYHOUR": wall.hour, "BYMINUTE": wall.minute, "BYSECOND": wall.second}
        parts = []
        for part in re.sub(r"\s", "", value).upper().removeprefix("RRULE:").split(";"):
            name, _, said = part.partition("=")
            repeats = name in times and re.fullmatch(r"\d{1,2}", said) and int(said) == times[name]
            until = _TIME.fullmatch(said) if name == "UNTIL" else None
            if not part or repeats or (until is not None and int(until[1]) > LAST.year):
                continue
            if until is not None and drafted.all_day:
                last = self._moment(Line(name, {}, said), said)
                parts.append(f"UNTIL={last.day:%Y%m%d}")
            else:
                parts.append(part)
        if len(text := ";".join(parts)) > 500:
            raise Unusable("its rule is too long")
        return text

    def _dates(self, name: str) -> Iterator[Given]:
        values = [(line, value) for line in self._component.named(name) for value in line.value.split(",") if value]
        if len(values) > MAX_DATES:
            raise Unusable(f"{name} has more than {MAX_DATES} dates")
        return (self._moment(line, value) for line, value in values)

    def _further(self, drafted: EventRow) -> Iterator[tuple[datetime, datetime | None]]:
        """The starts of RDATE, each with its end where it is a period."""
        lines = [(line, value) for line in self._component.named("RDATE") for value in line.value.split(",") if value]
        if len(lines) > MAX_DATES:
            raise Unusable(f"RDATE has more than {MAX_DATES} dates")
        for line, value in lines:
            begin, _, end = value.partition("/")
            start = self._moment(line, begin).in_series(drafted)
            if not end or drafted.all_day:
                yield start, None
            elif end.upper().startswith(("P", "+P")):
                yield start, _duration(Line("RDATE", {}, end)).after(start, drafted.timezone)
            else:
                yield start, max(start, self._moment(line, end).at)


def _never_rings(alarm: Component) -> bool:
    action = alarm.first("ACTION")
    return action is not None and action.value.upper() == "NONE"


def _minutes_before_start(trigger: Line, match: re.Match[str]) -> int | None:
    """The minutes of a trigger; None of one that is after the start, long before it or beside the end."""
    days, rest = _length(match)
    minutes = (timedelta(days=days) + rest) // timedelta(minutes=1)
    is_of_start = trigger.parameters.get("RELATED", "START").upper() == "START"
    return minutes if is_of_start and (match[1] == "-" or minutes == 0) and minutes <= 40_320 else None


def _wall(match: re.Match[str] | None) -> datetime:
    """A wall-clock time, naive, or a date's midnight; a leap second is the one before. Raises ValueError for None."""
    if match is None:
        raise ValueError("is no time")
    year, month, day, hour, minute, second = (int(digits or 0) for digits in match.groups()[:6])
    return datetime(year, month, day, hour, minute, min(second, 59))  # noqa: DTZ001 - the caller knows its zone


def _length(match: re.Match[str]) -> tuple[int, timedelta]:
    weeks, days, hours, minutes, seconds = (int(digits or 0) for digits in match.groups()[1:])
    return 7 * weeks + days, timedelta(hours=hours, minutes=minutes, seconds=seconds)


def _duration(line: Line) -> Duration:
    match = _DURATION.fullmatch(line.value.strip())
    if match is None or match[1] == "-" or not any(match.groups()[1:]):
        raise Unusable(f"{line.name} cannot be read")
    days, rest = _length(match)
    if timedelta(days=days) + rest > _LONGEST:
        raise Unusable(f"{line.name} is longer than {_LONGEST.days} days")
    return Duration(days, rest)
