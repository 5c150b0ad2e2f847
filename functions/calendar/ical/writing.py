"""Events as iCalendar (RFC 5545), written and read.

Reading goes event by event, so that one that is broken spoils no other, and past every VTIMEZONE: a zone is known by
its name, and a definition from outside could be made to take for ever to expand.

Only the routes that need this module import it: icalendar costs a cold start eight times what dateutil does.
"""

import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, get_args
from uuid import uuid4
from zoneinfo import ZoneInfo

from icalendar import Alarm, Calendar, Component, Timezone, TimezoneDaylight, TimezoneStandard, vBroken, vRecur
from icalendar import Event as VEvent
from icalendar.error import GloballyUniqueTZIDGuessed
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from questlog.recurrence.listing import EventRow
from questlog.recurrence.rule import ONCE, rule_of
from questlog.recurrence.series import Series, count_before, fitted
from questlog.recurrence.times import FIRST, LAST, Moment, instant, known_zone, placed, wall_clock

from functions.calendar.models import EventType
from functions.calendar.schedule import with_end

MAX_COMPONENTS: Final = 2_000
# Far from where an int ends, since every later edit adds one.
MAX_SEQUENCE: Final = 1_000_000_000
_TYPES: Final[tuple[EventType, ...]] = get_args(EventType)
_UID: Final = re.compile(r'UID(?:;(?:"[^"]*"|[^":])*)?:(.*)', re.IGNORECASE)
_HEX: Final = re.compile("#[0-9A-Fa-f]{6}")
# How far ahead the feed tells the changes of the clocks, to readers that do not know the zone.
_FORESEEN: Final = timedelta(days=30 * 365)
# Properties of our own: what RFC 5545 has no place for, and without which our export would not come back as it was.
_OWN_ZONE: Final = "X-QUESTLOG-TIMEZONE"
_OWN_COLOR: Final = "X-QUESTLOG-COLOR"


class NotCalendar(ValueError):
    """A text that is no iCalendar document at all, or more than is read at once."""


class Unusable(ValueError):
    """An event that cannot be taken; the message says why."""


# Writing ----------------------------------------------------------------------------------------------------------


def uid_of(row: EventRow) -> str:
    """The UID of an event: the one it was imported under, else made of its id."""
    return row.ical_uid or f"{row.id}@questlog"


def written(rows: Iterable[EventRow], now: datetime) -> bytes:
    """One VCALENDAR with the events, given with their exceptions, and a VTIMEZONE for each zone."""
    masters: dict[Any, EventRow] = {}
    exceptions: list[EventRow] = []
    for row in rows:
        if row.parent_event_id is None:
            masters[row.id] = row
        else:
            exceptions.append(row)
    calendar = Calendar()
    calendar.add("PRODID", "-//Questlog//Calendar//EN")
    calendar.add("VERSION", "2.0")
    calendar.add("CALSCALE", "GREGORIAN")
    calendar.add("X-WR-CALNAME", "Questlog")
    zones: dict[str, datetime] = {}
    for row in [*masters.values(), *exceptions]:
        if not row.all_day and row.timezone != "UTC":
            zones[row.timezone] = min(row.start_time, zones.get(row.timezone, LAST))
    for zone, since in sorted(zones.items()):
        calendar.add_component(_timezone(zone, since - timedelta(days=366), max(now, since) + _FORESEEN))
    for row in masters.values():
        calendar.add_component(_master(row))
    for row in exceptions:
        master = masters[row.parent_event_id]
        if row.original_start not in master.exdates:
            calendar.add_component(_exception(row, master))
    document: bytes = calendar.to_ical()
    return document


def _timezone(zone: str, since: datetime, until: datetime) -> Timezone:
    """The offsets of a zone between two instants (RFC 5545, 3.6.5), for a reader that does not know it by its name."""
    component = Timezone()
    component.add("TZID", zone)
    tz = ZoneInfo(zone)
    onsets: dict[tuple[timedelta, timedelta, str, bool], list[datetime]] = {}
    before, step = since.astimezone(tz), timedelta(days=7)
    found = [(before, before.utcoffset())]
    while (after := (before.astimezone(UTC) + step).astimezone(tz)) < until:
        if after.utcoffset() != before.utcoffset():
            found.append((_change_between(before, after), before.utcoffset()))
        before = after
    for at, offset_before in found:
        offset = at.utcoffset()
        assert offset is not None
        assert offset_before is not None
        # An onset is told in the time that ends with it.
        onset = at.astimezone(UTC).replace(tzinfo=None) + offset_before
        onsets.setdefault((offset_before, offset, at.tzname() or zone, bool(at.dst())), []).append(onset)
    for (offset_before, offset, name, daylight), starts in onsets.items():
        observance = TimezoneDaylight() if daylight else TimezoneStandard()
        observance.DTSTART = starts[0]
        observance.TZOFFSETFROM, observance.TZOFFSETTO = offset_before, offset
        observance.add("TZNAME", name)
        if len(starts) > 1:
            observance.add("RDATE", starts[1:])
        component.add_component(observance)
    return component


def _change_between(before: datetime, after: datetime) -> datetime:
    """The first second at which the clock has the later offset of two instants."""
    tz, low, high = before.tzinfo, before.astimezone(UTC), after.astimezone(UTC)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        if middle.astimezone(tz).utcoffset() == before.utcoffset():
            low = middle
        else:
            high = middle
    return high.astimezone(tz)


def _master(row: EventRow) -> VEvent:
    event = _event(row, uid_of(row))
    if row.recurrence_rule is not None:
        series = row.series
        event.add("RRULE", vRecur.from_ical(exported_rule(series)))
        for name, starts in (("EXDATE", row.exdates), ("RDATE", row.rdates)):
            for start in sorted(starts):
                event.add(name, _moment(_nominal(series, start), all_day=row.all_day, zone=row.timezone))
    return event


def _exception(row: EventRow, master: EventRow) -> VEvent:
    event = _event(row, uid_of(master))
    nominal = _nominal(master.series, row.recurrence_id)
    event.add("RECURRENCE-ID", _moment(nominal, all_day=master.all_day, zone=master.timezone))
    return event


def _event(row: EventRow, uid: str) -> VEvent:
    event = VEvent()
    event.add("UID", uid)
    event.add("DTSTAMP", row.updated_at)
    event.add("CREATED", row.created_at)
    event.add("LAST-MODIFIED", row.updated_at)
    event.add("SEQUENCE", row.sequence)
    event.add("SUMMARY", row.title)
    event.add("CATEGORIES", [row.event_type])
    for name, at in (("DTSTART", row.start_time), ("DTEND", row.end_time)):
        if at is not None:
            event.add(name, _time(at, row))
    for name, text in (("DESCRIPTION", row.description), ("LOCATION", row.location), (_OWN_COLOR, row.color)):
        if text is not None:
            event.add(name, text)
    if row.all_day or instant(wall_clock(row.start_time, row.timezone), row.timezone) != row.start_time:
        event.add(_OWN_ZONE, row.timezone)
    if row.reminder_minutes is not None:
        alarm = Alarm()
        alarm.add("ACTION", "DISPLAY")
        alarm.add("DESCRIPTION", row.title)
        alarm.add("TRIGGER", timedelta(minutes=-row.reminder_minutes))
        event.add_component(alarm)
    return event


def _time(at: datetime, row: EventRow) -> Moment:
    """A start or end as it is written; in UTC where the wall clock shows it a second time, which TZID cannot say."""
    wall = wall_clock(at, row.timezone)
    if not row.all_day and instant(wall, row.timezone) != at:
        return at
    return _moment(wall, all_day=row.all_day, zone=row.timezone)


def _moment(wall: datetime, *, all_day: bool, zone: str) -> Moment:
    if all_day:
        return wall.date()
    return wall.replace(tzinfo=UTC if zone == "UTC" else ZoneInfo(zone))


def _nominal(series: Series, start: datetime) -> datetime:
    """The wall-clock time that the rule gives an occurrence, also where the clocks skip it."""
    wall = wall_clock(start, series.zone)
    nominal = datetime.combine(wall.date(), series.time_of_day)
    return nominal if instant(nominal, series.zone) == start else wall


def exported_rule(series: Series) -> str:
    """The rule with its true end: a further bound has no part of its own in RFC 5545, so it becomes UNTIL or COUNT."""
    rule = series.rule
    end = ""
    if rule.count is not None:
        count = rule.count if series.bound is None else count_before(series, series.until + timedelta(seconds=1))
        end = f";COUNT={max(1, count)}"
    elif not series.endless:
        local = wall_clock(series.limit, series.zone)
        end = f";UNTIL={local:%Y%m%d}" if series.all_day else f";UNTIL={series.limit:%Y%m%dT%H%M%SZ}"
    return rule.pattern.replace(";INTERVAL=1;", ";") + end


# Reading ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A VEVENT that was understood. `recurrence_id` is set for an exception; `cancelled` ones only take away."""

    uid: str
    event: EventRow
    recurrence_id: Moment | None
    cancelled: bool

    def original_in(self, series: EventRow) -> datetime:
        """The occurrence of a series that this is an exception of."""
        assert self.recurrence_id is not None
        return _occurrence(self.recurrence_id, series, series.timezone)


@dataclass(frozen=True, slots=True)
class Document:
    """What was understood of a VCALENDAR, and what was not: pairs of UID and reason."""

    entries: list[Entry] = field(default_factory=list)
    problems: list[tuple[str | None, str]] = field(default_factory=list)


def uids_in(text: str) -> list[str]:
    """The UIDs a document holds. NotCalendar when it is none, or larger than is taken."""
    blocks, _ = _blocks(text)
    return list(dict.fromkeys(uid for block in blocks if (uid := _uid(block)) is not None))


def read(text: str, users_zone: str) -> Document:
    """The events of a document; what says no zone is in X-WR-TIMEZONE, else in the user's."""
    blocks, named_zone = _blocks(text)
    floating = _zone(named_zone) or users_zone
    document = Document()
    with warnings.catch_warnings():
        # What it makes of a zone's name is of no account here: the name is read by _zone().
        warnings.simplefilter("ignore", GloballyUniqueTZIDGuessed)
        for block in blocks:
            try:
                document.entries.append(_entry(_uid(block), _parsed(block), floating))
            except Unusable as problem:
                document.problems.append((_uid(block), str(problem)))
    return document


def _parsed(block: Sequence[str]) -> Component:
    try:
        return VEvent.from_ical("\r\n".join(block))
    except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError):
        # What it cannot read it mostly says with ValueError, but a VALUE that does not fit the property goes deeper.
        raise Unusable("is not a well-formed event") from None


def _blocks(text: str) -> tuple[list[list[str]], str | None]:
    """The unfolded lines of each VEVENT of a document, and its X-WR-TIMEZONE."""
    unfolded = re.sub(r"(\r\n|\r|\n)[ \t]", "", text.removeprefix("\ufeff"))
    lines = [line.strip() for line in re.split(r"\r\n|\r|\n", unfolded) if line.strip()]
    if not lines or lines[0].upper() != "BEGIN:VCALENDAR":
        raise NotCalendar("is not an iCalendar document")
    blocks: list[list[str]] = []
    inside: list[str] = []
    zone: str | None = None
    for line in lines:
        kind, _, name = line.upper().partition(":")
        if kind == "BEGIN":
            inside.append(name)
            if len(inside) == 2:
                blocks.append([])
        if len(inside) > 1:
            blocks[-1].append(line)
        elif kind.startswith("X-WR-TIMEZONE"):
            zone = line.partition(":")[2]
        if kind == "END" and (not inside or inside.pop() != name):
            inside.append("unended")
            break
    if inside:
        raise NotCalendar("is not an iCalendar document: what begins does not end")
    components = [block for block in blocks if block[0].upper() != "BEGIN:VTIMEZONE"]
    if len(components) > MAX_COMPONENTS:
        raise NotCalendar(f"holds more than {MAX_COMPONENTS} components")
    return [block for block in components if block[0].upper() == "BEGIN:VEVENT"], zone


def _uid(block: Sequence[str]) -> str | None:
    for line in block:
        if match := _UID.fullmatch(line):
            return re.sub(r"\\([\\;,])", r"\1", match[1]).strip()[:1000] or None
    return None


def _zone(name: str | None) -> str | None:
    """The IANA zone that a TZID names: by its own name, a Windows one, or one behind the path of its publisher."""
    if name is None:
        return None
    name = name.strip().strip('"')
    last = "/".join(name.split("/")[-2:])
    for candidate in (name, WINDOWS_TO_OLSON.get(name, ""), last, name.rpartition("/")[2]):
        if candidate in ("Etc/UTC", "GMT", "Z"):
            return "UTC"
        if known_zone(candidate):
            return candidate
    return None


def _values(component: Component, name: str, kind: str = "__str__") -> list[Any]:
    """The values of a property, however often it is given; Unusable where one is broken, or of another kind.

    A kind is known by an attribute: a VALUE parameter makes anything of any property.
    """
    found = component.get(name, [])
    values = found if isinstance(found, list) else [found]
    if any(isinstance(value, vBroken) or not hasattr(value, kind) for value in values):
        raise Unusable(f"{name} cannot be read")
    return values


def _text(component: Component, name: str, longest: int) -> str | None:
    values = _values(component, name)
    return str(values[0]).replace("\0", "").strip()[:longest].strip() or None if values else None


def _entry(uid: str | None, event: Component, floating: str) -> Entry:
    if uid is None:
        raise Unusable("has no UID")
    starts = _values(event, "DTSTART", "dt")
    if len(starts) != 1:
        raise Unusable("needs one DTSTART")
    start, zone = _read_moment(starts[0].dt, starts[0].params, floating)
    own_zone = _text(event, _OWN_ZONE, 100)
    if own_zone is not None and known_zone(own_zone) and zone in (floating, "UTC"):
        zone = own_zone
    all_day = not isinstance(start, datetime)
    try:
        starts_at, ends_at = placed(start, _end(event, start, zone), all_day=all_day, zone=zone)
    except ValueError:
        raise Unusable("ends before it starts") from None
    sequences = _values(event, "SEQUENCE", "__index__")
    color = _text(event, _OWN_COLOR, 7)
    drafted = EventRow(
        id=uuid4(),
        title=_text(event, "SUMMARY", 200) or "Untitled",
        description=_text(event, "DESCRIPTION", 5000),
        location=_text(event, "LOCATION", 300),
        event_type=_event_type(event),
        start_time=starts_at,
        end_time=ends_at,
        all_day=all_day,
        timezone=zone,
        color=color if color is not None and _HEX.fullmatch(color) else None,
        reminder_minutes=_reminder(event),
        sequence=min(max(0, int(sequences[0])), MAX_SEQUENCE) if sequences else 0,
    )
    recurrence_ids = _values(event, "RECURRENCE-ID", "dt")
    recurrence_id: Moment | None = None
    if recurrence_ids:
        if "RANGE" in recurrence_ids[0].params:
            raise Unusable("RANGE is not supported")
        moment, id_zone = _read_moment(recurrence_ids[0].dt, recurrence_ids[0].params, floating)
        recurrence_id = instant(moment, id_zone) if isinstance(moment, datetime) else moment
    else:
        drafted = _recurring(event, drafted.model_copy(update={"ical_uid": uid}), floating)
    cancelled = (_text(event, "STATUS", 20) or "").upper() == "CANCELLED"
    return Entry(uid=uid, event=drafted, recurrence_id=recurrence_id, cancelled=cancelled)


def _read_moment(moment: Any, parameters: Mapping[str, Any], floating: str) -> tuple[Moment, str]:
    """A date, or a wall-clock time or instant, and its zone."""
    if isinstance(moment, tuple):  # a period
        moment = moment[0]
    if not isinstance(moment, date):
        raise Unusable("holds a time that cannot be read")
    day = moment.date() if isinstance(moment, datetime) else moment
    if not FIRST.date() + timedelta(days=2) <= day <= LAST.date() - timedelta(days=2):
        raise Unusable(f"holds a time outside {FIRST.year} to {LAST.year}")
    if not isinstance(moment, datetime):
        return moment, floating
    named = parameters.get("TZID")
    if named is not None:
        zone = _zone(str(named))
        if zone is None:
            raise Unusable(f"the time zone {str(named)[:100]} is not known")
        return moment.replace(tzinfo=None, fold=0), zone
    return (moment, floating) if moment.tzinfo is None else (moment.astimezone(UTC), "UTC")


def _end(event: Component, start: Moment, zone: str) -> Moment | None:
    ends, durations = _values(event, "DTEND", "dt"), _values(event, "DURATION", "dt")
    if ends:
        end, end_zone = _read_moment(ends[0].dt, ends[0].params, zone)
        return instant(end, end_zone) if isinstance(end, datetime) else end
    if not durations:
        return None
    length = durations[0].dt
    if not isinstance(length, timedelta) or not timedelta() <= length <= timedelta(days=36_600):
        raise Unusable("DURATION cannot be read")
    return instant(start, zone) + length if isinstance(start, datetime) else start + length


def _event_type(event: Component) -> EventType:
    """The first of the categories that is a type of ours."""
    named = [
        str(category).strip().lower() for values in _values(event, "CATEGORIES", "cats") for category in values.cats
    ]
    return next((event_type for name in named for event_type in _TYPES if event_type == name), "general")


def _reminder(event: Component) -> int | None:
    """The minutes before its start at which the first alarm that says so rings."""
    for alarm in event.subcomponents:
        for trigger in _values(alarm, "TRIGGER", "dt") if alarm.name == "VALARM" else ():
            minutes = -trigger.dt // timedelta(minutes=1) if isinstance(trigger.dt, timedelta) else -1
            if 0 <= minutes <= 40_320 and trigger.params.get("RELATED", "START") == "START":
                return minutes
    return None


def _recurring(event: Component, drafted: EventRow, floating: str) -> EventRow:
    """The event with its rule, further and left-out dates."""
    rules = _values(event, "RRULE", "items")
    if len(rules) > 1 or _values(event, "EXRULE"):
        raise Unusable("more than one rule is not supported")
    extra = list(_dates(event, "RDATE", drafted, floating))
    if not rules and not extra:
        return drafted
    text = rules[0].to_ical().decode() if rules else ONCE
    if len(text) > 500:
        raise Unusable("its rule is too long")
    try:
        drafted = drafted.model_copy(update={"recurrence_rule": rule_of(text).text})
        series = fitted(drafted.series)
    except ValueError as error:
        raise Unusable(f"its rule {error}") from None
    drafted = drafted.model_copy(
        update={
            "start_time": series.start,
            "end_time": series.end,
            "rdates": sorted(set(extra)),
            "exdates": sorted(set(_dates(event, "EXDATE", drafted, floating))),
        }
    )
    return with_end(drafted)


def _dates(event: Component, name: str, drafted: EventRow, floating: str) -> Iterator[datetime]:
    """The instants that lists of dates name."""
    for values in _values(event, name, "dts"):
        for value in values.dts:
            moment, zone = _read_moment(value.dt, values.params, floating)
            yield _occurrence(moment, drafted, zone)


def _occurrence(moment: Moment, series: EventRow, zone: str) -> datetime:
    """The instant a moment names in a series: a date, and any moment in an all-day one, that day's occurrence."""
    if isinstance(moment, datetime):
        at = instant(moment, zone)
        if not series.all_day:
            return at
        moment = wall_clock(at, series.timezone).date()
    time_of_day = time.min if series.all_day else wall_clock(series.start_time, series.timezone).time()
    return instant(datetime.combine(moment, time_of_day), series.timezone)
