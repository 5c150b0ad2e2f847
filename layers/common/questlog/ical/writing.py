"""Events as an iCalendar document (RFC 5545), written by icalendar."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

from icalendar import Alarm, Calendar, Timezone, TimezoneDaylight, TimezoneStandard, vRecur
from icalendar import Event as VEvent

from questlog.ical.offsets import changes_between
from questlog.recurrence.listing import EventRow
from questlog.recurrence.series import Series, count_before
from questlog.recurrence.times import LAST, Moment, instant, wall_clock

# Properties of our own, for what RFC 5545 has no property for. Without them an export would lose it on import.
OWN_ZONE: Final = "X-QUESTLOG-TIMEZONE"
OWN_COLOR: Final = "X-QUESTLOG-COLOR"
# What a part of an export may hold.
MAX_COMPONENTS: Final = 5_000
MAX_BYTES: Final = 3 * 1_048_576
# How far ahead a VTIMEZONE lists the changes of the clocks, for readers that do not know the zone.
_FORESEEN: Final = timedelta(days=30 * 365)
# Upper limits, in bytes: a zone, an event without its texts and dates, and each of its dates.
_ZONE_BYTES: Final = 20_000
_EVENT_BYTES: Final = 1_500
_DATE_BYTES: Final = 80
_END: Final = b"END:VCALENDAR\r\n"


def uid_of(row: EventRow) -> str:
    """The UID of an event: the one it was imported under, else made of its id."""
    return row.ical_uid or f"{row.id}@questlog"


def in_parts(rows: Iterable[EventRow]) -> list[list[EventRow]]:
    """The events in parts that each fit into one import. A series and its overrides are always in the same part."""
    parts: list[list[EventRow]] = [[]]
    size, zones = 0, set[str]()
    for together in series_of(rows):
        more = sum(map(_most_bytes, together)) + _ZONE_BYTES * len({row.timezone for row in together} - zones)
        if parts[-1] and (len(parts[-1]) + len(together) > MAX_COMPONENTS or size + more > MAX_BYTES):
            parts.append([])
            size, zones = 0, set()
            more = sum(map(_most_bytes, together)) + _ZONE_BYTES * len({row.timezone for row in together})
        parts[-1] += together
        zones |= {row.timezone for row in together}
        size += more
    return parts


def series_of(rows: Iterable[EventRow]) -> Iterator[list[EventRow]]:
    """Each single event, and each series with its overrides. The overrides must follow their series in `events`."""
    return (list(group) for _, group in groupby(rows, lambda row: row.parent_event_id or row.id))


def written(rows: Sequence[EventRow], now: datetime) -> bytes:
    """One VCALENDAR with the events, given with their overrides, and a VTIMEZONE for each zone."""
    zones: dict[str, datetime] = {}
    for row in rows:
        if not row.all_day and row.timezone != "UTC":
            zones[row.timezone] = min(row.start_time, zones.get(row.timezone, LAST))
    return b"".join(pieces(series_of(rows), zones, now))


def pieces(series: Iterable[Sequence[EventRow]], zones: Mapping[str, datetime], now: datetime) -> Iterator[bytes]:
    """The same document in pieces, so that it is never whole in memory.

    `zones` are the zones, other than UTC, of events that are not all-day, each with the start of its first event.
    """
    calendar = Calendar()
    calendar.add("PRODID", "-//Questlog//Calendar//EN")
    calendar.add("VERSION", "2.0")
    calendar.add("CALSCALE", "GREGORIAN")
    calendar.add("X-WR-CALNAME", "Questlog")
    head: bytes = calendar.to_ical()
    yield head.removesuffix(_END)
    for zone, since in sorted(zones.items()):
        yield _timezone(zone, since - timedelta(days=366), max(now, since) + _FORESEEN).to_ical()
    for master, *overrides in series:
        yield _master(master).to_ical()
        for row in overrides:
            if row.recurrence_id not in master.exdates:
                yield _override(row, master).to_ical()
    yield _END


def exported_rule(series: Series) -> str:
    """The rule with its real end. RFC 5545 has no part for a series' further `bound`, so it becomes UNTIL or COUNT."""
    rule = series.rule
    end = ""
    if rule.count is not None:
        count = rule.count if series.bound is None else count_before(series, series.until + timedelta(seconds=1))
        end = f";COUNT={max(1, count)}"
    elif not series.endless:
        local = wall_clock(series.limit, series.zone)
        end = f";UNTIL={local:%Y%m%d}" if series.all_day else f";UNTIL={series.limit:%Y%m%dT%H%M%SZ}"
    return rule.pattern.replace(";INTERVAL=1;", ";") + end


def _most_bytes(row: EventRow) -> int:
    """An upper limit of the bytes of a written event: escaping may double a text, and folding adds to it."""
    texts = [row.title, row.title, row.description, row.location, row.ical_uid]
    length = sum(len(text.encode()) for text in texts if text)
    return _EVENT_BYTES + length * 9 // 4 + _DATE_BYTES * (len(row.exdates) + len(row.rdates))


def _timezone(zone: str, since: datetime, until: datetime) -> Timezone:
    """The offsets of a zone between two instants (RFC 5545, 3.6.5), for a reader that does not know the zone's name.

    icalendar's own function is not used: it writes an onset in the new local time, and the RFC asks for the old one.
    """
    component = Timezone()
    component.add("TZID", zone)
    tz = ZoneInfo(zone)
    onsets: dict[tuple[timedelta, timedelta, str, bool], list[datetime]] = {}
    before = since.astimezone(tz).utcoffset() or timedelta()
    for at, offset in [(since, before), *changes_between(zone, since, until)]:
        local = at.astimezone(tz)
        kind = before, offset, local.tzname() or zone, bool(local.dst())
        # DTSTART of an onset is in the local time before it.
        onsets.setdefault(kind, []).append(at.astimezone(UTC).replace(tzinfo=None) + before)
        before = offset
    for (offset_before, offset, name, daylight), starts in onsets.items():
        observance = TimezoneDaylight() if daylight else TimezoneStandard()
        observance.DTSTART = starts[0]
        observance.TZOFFSETFROM, observance.TZOFFSETTO = offset_before, offset
        observance.add("TZNAME", name)
        if len(starts) > 1:
            observance.add("RDATE", starts[1:])
        component.add_component(observance)
    return component


def _master(row: EventRow) -> VEvent:
    event = _event(row, uid_of(row))
    if row.recurrence_rule is not None:
        series = row.series
        event.add("RRULE", vRecur.from_ical(exported_rule(series)))
        for name, starts in (("EXDATE", row.exdates), ("RDATE", row.rdates)):
            for start in sorted(starts):
                event.add(name, _moment(_nominal(series, start), all_day=row.all_day, zone=row.timezone))
    return event


def _override(row: EventRow, master: EventRow) -> VEvent:
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
    event.add("DTSTART", _time(row.start_time, row))
    if row.end_time is not None and row.nominal_days is not None:
        days = timedelta(days=row.nominal_days)
        exact = row.end_time - instant(wall_clock(row.start_time, row.timezone) + days, row.timezone)
        event.add("DURATION", days + exact)
    elif row.end_time is not None:
        event.add("DTEND", _time(row.end_time, row))
    if row.lone_recurrence_id is not None:
        event.add("RECURRENCE-ID", _lone_recurrence_id(row.lone_recurrence_id, row))
    for name, text in (("DESCRIPTION", row.description), ("LOCATION", row.location), (OWN_COLOR, row.color)):
        if text is not None:
            event.add(name, text)
    if row.all_day or instant(wall_clock(row.start_time, row.timezone), row.timezone) != row.start_time:
        event.add(OWN_ZONE, row.timezone)
    if row.reminder_minutes is not None:
        alarm = Alarm()
        alarm.add("ACTION", "DISPLAY")
        alarm.add("DESCRIPTION", row.title)
        alarm.add("TRIGGER", timedelta(minutes=-row.reminder_minutes))
        event.add_component(alarm)
    return event


def _time(at: datetime, row: EventRow) -> Moment:
    """A start or end as it is written: in UTC if its wall-clock time is a repeated one, which TZID cannot express."""
    wall = wall_clock(at, row.timezone)
    if not row.all_day and instant(wall, row.timezone) != at:
        return at
    return _moment(wall, all_day=row.all_day, zone=row.timezone)


def _lone_recurrence_id(key: str, row: EventRow) -> Moment:
    """The recurrence id of an override without its series: a date, or an instant in the override's own zone."""
    if "T" not in key:
        return date.fromisoformat(key)
    return _time(datetime.fromisoformat(key), row.model_copy(update={"all_day": False}))


def _moment(wall: datetime, *, all_day: bool, zone: str) -> Moment:
    if all_day:
        return wall.date()
    return wall.replace(tzinfo=UTC if zone == "UTC" else ZoneInfo(zone))


def _nominal(series: Series, start: datetime) -> datetime:
    """The wall-clock time that the rule gives an occurrence, also where the clocks skip it."""
    wall = wall_clock(start, series.zone)
    nominal = datetime.combine(wall.date(), series.time_of_day)
    return nominal if instant(nominal, series.zone) == start else wall
