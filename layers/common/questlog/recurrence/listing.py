"""The occurrences of all of a user's events between two times, in order.

SQL finds the events that may have one (calendar_found, calendar_marks); this expands the series among them, all at once
and no further than the list goes, so that a list costs what it shows.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any, Final, NamedTuple
from uuid import UUID

from pydantic import AwareDatetime

from questlog.recurrence.rule import rule_of
from questlog.recurrence.series import Series, occurrences
from questlog.recurrence.times import end_after, instant, stamp
from questlog.wire import Row

MAX_PER_SERIES: Final = 730
MAX_EVENTS: Final = 2_000


class Window(Row):
    """Where a list begins and ends: by instants for timed events, and by dates for all-day ones."""

    since: AwareDatetime
    before: AwareDatetime
    first_day: date
    last_day: date


class EventRow(Row):
    """A row of calendar_rows: a single event, a series, or an override that stands for an occurrence of one.

    `series_rule` and `series_end` are those of an override's series; `completed_at` is that of a single event or an
    override.
    """

    id: UUID
    title: str
    description: str | None = None
    event_type: str = "general"
    start_time: AwareDatetime
    end_time: AwareDatetime | None = None
    nominal_days: int | None = None
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
    last_start: AwareDatetime | None = None
    series_until: AwareDatetime | None = None
    exdates: list[AwareDatetime] = []
    rdates: list[AwareDatetime] = []
    parent_event_id: UUID | None = None
    original_start: AwareDatetime | None = None
    ical_uid: str | None = None
    ical_stamp: AwareDatetime | None = None
    ical_exdates: list[AwareDatetime] = []
    lone_recurrence_id: str | None = None
    sequence: int = 0
    metadata: dict[str, Any] | None = None
    created_at: AwareDatetime | None = None
    updated_at: AwareDatetime | None = None
    series_rule: str | None = None
    series_end: AwareDatetime | None = None
    completed_at: AwareDatetime | None = None

    @property
    def series(self) -> Series:
        """How it repeats, without regard to what was removed or overridden."""
        return Series(
            start=self.start_time,
            end=self.end_time,
            all_day=self.all_day,
            zone=self.timezone,
            rule=rule_of(self.recurrence_rule or ""),
            bound=self.recurrence_end,
            last_start=self.last_start,
            nominal_days=self.nominal_days,
            extra=frozenset(self.rdates),
        )

    def end_of(self, start: datetime) -> datetime | None:
        """When the event would end if it started at `start` and lasted as long as it does now."""
        return end_after(
            start,
            (self.start_time, self.end_time),
            all_day=self.all_day,
            nominal_days=self.nominal_days,
            zone=self.timezone,
        )

    @property
    def recurrence_id(self) -> datetime:
        """The occurrence that an override stands for."""
        assert self.original_start is not None
        return self.original_start


class Mark(Row):
    """What is known of an occurrence besides its series: that an override stands for it, or when it was completed."""

    event_id: UUID
    recurrence_id: AwareDatetime
    completed_at: AwareDatetime | None


class Occurrence(NamedTuple):
    """An event, or one occurrence of a series, and when it is. `name` is its id on the wire."""

    start: datetime
    name: str
    end: datetime | None
    row: EventRow
    recurrence_id: datetime | None
    completed_at: datetime | None


def event_key(event_id: UUID, recurrence_id: datetime | None) -> str:
    """The id of an event on the wire: its uuid, and for an occurrence of a series its stamp."""
    return str(event_id) if recurrence_id is None else f"{event_id}_{stamp(recurrence_id)}"


def single(row: EventRow) -> Occurrence:
    """A single event, an override, or a series by its bare id."""
    name = event_key(row.parent_event_id or row.id, row.original_start)
    return Occurrence(row.start_time, name, row.end_time, row, row.original_start, row.completed_at)


class _Listing:
    def __init__(self, window: Window, marks: Iterable[Mark]) -> None:
        self.window = window
        self.truncated = False
        self._bounds: dict[str, tuple[datetime, datetime]] = {}
        self.overridden: defaultdict[UUID, set[datetime]] = defaultdict(set)
        self.completed: dict[tuple[UUID, datetime], datetime] = {}
        for mark in marks:
            if mark.completed_at is None:
                self.overridden[mark.event_id].add(mark.recurrence_id)
            else:
                self.completed[mark.event_id, mark.recurrence_id] = mark.completed_at

    def bounds(self, row: EventRow) -> tuple[datetime, datetime]:
        """Where the list begins and ends for a series: an all-day one is dates, so by the midnights of its own zone."""
        if not row.all_day:
            return self.window.since, self.window.before
        zone = row.timezone
        if zone not in self._bounds:
            after = self.window.last_day + timedelta(days=1)
            self._bounds[zone] = instant(self.window.first_day, zone), instant(after, zone)
        return self._bounds[zone]

    def expanded(self, row: EventRow) -> Iterator[Occurrence]:
        """The occurrences of a series in the window, without those that have an override."""
        since, before = self.bounds(row)
        series = row.series.without({*row.exdates, *self.overridden.get(row.id, ())})
        for number, span in enumerate(occurrences(series, since, before)):
            if number == MAX_PER_SERIES:
                self.truncated = True
                return
            start, end = span
            done = self.completed.get((row.id, start))
            yield Occurrence(start, event_key(row.id, start), end, row, start, done)


def between(window: Window, rows: Iterable[EventRow], marks: Iterable[Mark]) -> tuple[list[Occurrence], bool]:
    """What happens in a window, by start and id, and whether there is more than a list may hold."""
    listing = _Listing(window, marks)
    singles: list[Occurrence] = []
    series: list[Iterator[Occurrence]] = []
    for row in rows:
        if row.recurrence_rule is None:
            singles.append(single(row))
        else:
            series.append(listing.expanded(row))
    singles.sort(key=_order)
    found = heapq.merge(singles, *series, key=_order)
    listed = list(islice(found, MAX_EVENTS))
    return listed, listing.truncated or next(found, None) is not None


def _order(occurrence: Occurrence) -> tuple[datetime, str]:
    return occurrence.start, occurrence.name
