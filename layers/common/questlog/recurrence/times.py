"""Instants, wall-clock times and dates of a time zone.

A wall-clock time that a change of the clocks skips takes the offset before the gap, one that occurs twice is the first
(PEP 495, fold=0; first_instant() in SQL does the same).
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

# The first and the last instant that an event may have (platform contract, 1.7).
FIRST: Final = datetime(1600, 1, 1, tzinfo=UTC)
LAST: Final = datetime(2199, 12, 31, 23, 59, 59, tzinfo=UTC)

Moment = date | datetime
"""A point in time as it is written: an instant (aware), a wall-clock time (naive), or a date, which is its midnight."""


@lru_cache(maxsize=1024)
def known_zone(name: str) -> bool:
    """Whether this is UTC or the IANA name of a zone, in its exact case."""
    if name != "UTC" and not re.fullmatch(
        r"(?!posix/|right/|Etc/Unknown)[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){1,2}", name
    ):
        return False
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return False
    return True


def wall_clock(at: datetime, zone: str) -> datetime:
    """What a clock in the zone shows at an instant."""
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)


def date_of(at: datetime, zone: str) -> date:
    """The date that a calendar in the zone shows at an instant."""
    return at.astimezone(ZoneInfo(zone)).date()


def instant(moment: Moment, zone: str) -> datetime:
    """The instant of a moment, in UTC and in whole seconds like every time of iCalendar (RFC 5545, 3.3.5)."""
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time.min)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone), fold=0)
    return moment.astimezone(UTC).replace(microsecond=0)


def placed(start: Moment, end: Moment | None, *, all_day: bool, zone: str) -> tuple[datetime, datetime | None]:
    """The instants at which an event starts and ends. Raises ValueError if it would end before it starts.

    An all-day event lasts from the midnight of its first date to the midnight after its last, at least one day. If it
    is given with times of day, its start is rounded down to a date and its end up.
    """
    starts = instant(start, zone)
    ends = None if end is None else instant(end, zone)
    if ends is not None and ends < starts:
        raise ValueError("is before start_time")
    if not all_day:
        return starts, ends
    first = date_of(starts, zone)
    after = first + timedelta(days=1)
    if ends is not None:
        after = max(after, (wall_clock(ends, zone) + timedelta(days=1) - timedelta(seconds=1)).date())
    return instant(first, zone), instant(after, zone)


def end_after(
    start: datetime, like: tuple[datetime, datetime | None], *, all_day: bool, nominal_days: int | None, zone: str
) -> datetime | None:
    """The end of an event that starts at `start` and lasts as long as the one whose start and end are `like`.

    All-day events last the same number of dates. `nominal_days` of a duration are counted in wall-clock time, the rest
    in exact time (RFC 5545, 3.3.6); without them all of it is exact.
    """
    first, last = like
    if last is None:
        return None
    if all_day:
        return instant(date_of(start, zone) + (date_of(last, zone) - date_of(first, zone)), zone)
    if nominal_days is None:
        return start + (last - first)
    days = timedelta(days=nominal_days)
    exact = last - instant(wall_clock(first, zone) + days, zone)
    return instant(wall_clock(start, zone) + days, zone) + exact


def stamp(recurrence_id: datetime) -> str:
    """A recurrence id as it stands in the id of an occurrence: YYYYMMDDTHHMMSSZ, in UTC."""
    return recurrence_id.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def moved(at: datetime, by: timedelta, zone: str) -> datetime:
    """An instant moved by a difference of wall-clock time."""
    return instant(wall_clock(at, zone) + by, zone)


def wall_difference(before: datetime, after: datetime, zone: str) -> timedelta:
    """How far a clock in the zone goes from one instant to another."""
    return wall_clock(after, zone) - wall_clock(before, zone)
