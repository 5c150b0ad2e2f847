"""Recurring events: RFC 5545 rules, checked when they are written and expanded when they are read.

A series repeats in wall-clock time of its own zone: a meeting at nine stays at nine when the clocks change. A local
time that a change skips takes the offset before the gap, one that occurs twice is the first (PEP 495, fold=0; the same
as first_instant() in SQL). Occurrences are told apart by the instant they were to begin at.

dateutil expands the rules, within bounds it does not have itself: it looks for a next match until the year 9999, which
takes seconds where there is none. The first expansion imports it, so that requests without one do not pay for it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

# What falls on which day is reckoned within these years; nobody's calendar reaches further.
FIRST: Final = datetime(1600, 1, 1, tzinfo=UTC)
LAST: Final = datetime(2199, 12, 31, tzinfo=UTC)
# A rule without an occurrence in this time has none.
BARREN: Final = timedelta(days=30 * 366)
# Periods (days, weeks, months, years) that an expansion looks at, whether the rule fits them or not.
MAX_STEPS: Final = 20_000
MAX_PER_SERIES: Final = 730
MAX_EVENTS: Final = 2_000
# The rule of what happens once: an imported event that has further dates (RDATE) but no rule.
ONCE: Final = "FREQ=DAILY;COUNT=1"

_PERIOD_DAYS: Final = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 28, "YEARLY": 365}
_WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_UNTIL: Final = re.compile(r"[0-9]{8}(T[0-9]{6}Z?)?")
# Parts that are lists of numbers, and the largest each may hold; the smallest is 1, or the negative of the largest.
_NUMBERS: Final = {"BYMONTHDAY": 31, "BYYEARDAY": 366, "BYWEEKNO": 53, "BYSETPOS": 366}
# Of the parts that say which days, those that RFC 5545 (3.3.10) gives no meaning with a frequency.
_MEANINGLESS: Final = {
    "DAILY": {"BYYEARDAY", "BYWEEKNO"},
    "WEEKLY": {"BYYEARDAY", "BYWEEKNO", "BYMONTHDAY"},
    "MONTHLY": {"BYYEARDAY", "BYWEEKNO"},
    "YEARLY": set[str](),
}
# More wall-clock days than a zone's offset can shift an instant by; Samoa once left a whole day out.
_SLACK: Final = timedelta(days=2)

Moment = date | datetime
"""A point in time as a request gives it: an instant, a wall-clock time (naive) or a date, which is its midnight."""


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


def instant(moment: Moment, zone: str) -> datetime:
    """The instant of a moment, in UTC and whole seconds like everything in a calendar (RFC 5545, 3.3.5)."""
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time.min)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone), fold=0)
    return moment.astimezone(UTC).replace(microsecond=0)


def placed(start: Moment, end: Moment | None, *, all_day: bool, zone: str) -> tuple[datetime, datetime | None]:
    """When an event starts and ends. ValueError when it would end before it starts.

    An all-day event lasts from the local midnight it starts on to the one it ends by, at least one day.
    calendar_placed() is the same in SQL, for where only the database knows the zone.
    """
    starts = instant(start, zone)
    ends = None if end is None else instant(end, zone)
    if ends is not None and ends < starts:
        raise ValueError("is before start_time")
    if not all_day:
        return starts, ends
    first = wall_clock(starts, zone).date()
    after = first + timedelta(days=1)
    if ends is not None:
        after = max(after, (wall_clock(ends, zone) + timedelta(days=1) - timedelta(seconds=1)).date())
    return instant(first, zone), instant(after, zone)


def stamp(occurrence: datetime) -> str:
    """How an occurrence is told from the others of its series: the UTC instant it was to begin at."""
    return occurrence.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


@dataclass(frozen=True, slots=True)
class Rule:
    """A recurrence rule that has been checked. `parts` are those that say which days fit, in the order given."""

    freq: str
    interval: int
    count: int | None
    until: str | None
    week_start: str
    parts: Mapping[str, tuple[str, ...]]
    text: str

    def bound(self, zone: str) -> datetime | None:
        """The last instant UNTIL admits: given in UTC, or in the zone, where a date without a time is the whole day."""
        if self.until is None:
            return None
        if len(self.until) == len("YYYYMMDD"):
            return instant(_day(self.until) + timedelta(days=1), zone) - timedelta(seconds=1)
        until = datetime.strptime(self.until[:15], "%Y%m%dT%H%M%S")  # noqa: DTZ007 - local unless it says Z
        return until.replace(tzinfo=UTC) if self.until.endswith("Z") else instant(until, zone)

    def counting(self, count: int) -> "Rule":
        """The same rule with another COUNT."""
        return replace(self, count=count, text=re.sub(r"(?<=COUNT=)\d+", str(count), self.text))

    @property
    def days(self) -> str:
        """The rule without its end, worded so that dateutil reads it as RFC 5545 means it.

        dateutil takes BYDAY=MO,1TU for the days that are both, so plain weekdays become numbered ones there.
        """
        parts = dict(self.parts)
        weekdays = parts.get("BYDAY", ())
        plain = [day for day in weekdays if len(day) == 2]
        if plain and len(plain) < len(weekdays):
            most = 5 if self.freq == "MONTHLY" or "BYMONTH" in parts else 53
            numbered = [f"{number}{day}" for day in plain for number in range(1, most + 1)]
            parts["BYDAY"] = tuple(dict.fromkeys([*(day for day in weekdays if len(day) > 2), *numbered]))
        listed = "".join(f";{name}={','.join(values)}" for name, values in parts.items())
        return f"FREQ={self.freq};INTERVAL={self.interval}{listed};WKST={self.week_start}"


def rule_of(text: str) -> Rule:
    """The rule that a text is (RFC 5545, 3.3.10), within what events need. ValueError says what is wrong."""
    normal = re.sub(r"\s", "", text).upper().removeprefix("RRULE:")
    if not normal:
        raise ValueError("is empty")
    parts: dict[str, str] = {}
    for part in normal.split(";"):
        name, separator, value = part.partition("=")
        if not separator or not value or name in parts:
            raise ValueError(f"{name[:20] or 'a part'} must be given once and have a value")
        parts[name] = value
    freq = parts.pop("FREQ", "")
    if freq not in _PERIOD_DAYS:
        raise ValueError("FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY")
    interval = _number("INTERVAL", parts.pop("INTERVAL", "1"), 1000)
    count = _number("COUNT", parts.pop("COUNT"), 1000) if "COUNT" in parts else None
    until = parts.pop("UNTIL", None)
    if until is not None:
        if count is not None:
            raise ValueError("COUNT and UNTIL exclude each other")
        _check_until(until)
    week_start = parts.pop("WKST", "MO")
    if week_start not in _WEEKDAYS:
        raise ValueError("WKST must be a weekday")
    listed = {name: _values(name, value) for name, value in parts.items()}
    _check_together(freq, listed)
    return Rule(freq, interval, count, until, week_start, listed, normal)


def _number(name: str, value: str, largest: int) -> int:
    if not re.fullmatch(r"[0-9]{1,4}", value) or not 1 <= int(value) <= largest:
        raise ValueError(f"{name} must be a number from 1 to {largest}")
    return int(value)


def _check_until(until: str) -> None:
    if not _UNTIL.fullmatch(until):
        raise ValueError("UNTIL must be a date or a date-time")
    try:
        day = _day(until)
        time(int(until[9:11] or 0), int(until[11:13] or 0), int(until[13:15] or 0))
    except ValueError:
        raise ValueError("UNTIL must be a date or a date-time") from None
    if not FIRST.year <= day.year <= LAST.year:
        raise ValueError(f"UNTIL must be from {FIRST.year} to {LAST.year}")


def _day(text: str) -> date:
    return date(int(text[:4]), int(text[4:6]), int(text[6:8]))


def _values(name: str, value: str) -> tuple[str, ...]:
    values = tuple(value.split(","))
    if name == "BYDAY":
        fit = all(re.fullmatch(r"([+-]?([1-9]|[1-4][0-9]|5[0-3]))?(MO|TU|WE|TH|FR|SA|SU)", day) for day in values)
    elif name == "BYMONTH":
        fit = all(re.fullmatch(r"0?[1-9]|1[0-2]", month) for month in values)
    elif name in _NUMBERS:
        fit = all(
            re.fullmatch(r"[+-]?[0-9]{1,3}", number) and 1 <= abs(int(number)) <= _NUMBERS[name] for number in values
        )
    else:
        raise ValueError(f"{name[:20]} is no part of a rule for events")
    if not fit:
        raise ValueError(f"{name} holds what it cannot")
    return values


def _check_together(freq: str, parts: Mapping[str, tuple[str, ...]]) -> None:
    """Refuse what RFC 5545 gives no meaning: other calendars would each read the feed in a way of their own."""
    for name in _MEANINGLESS[freq] & set(parts):
        raise ValueError(f"{name} does not go with FREQ={freq}")
    numbered = any(len(day) > 2 for day in parts.get("BYDAY", ()))
    if numbered and (freq in ("DAILY", "WEEKLY") or "BYWEEKNO" in parts):
        raise ValueError("BYDAY takes numbers only with FREQ=MONTHLY or YEARLY and without BYWEEKNO")
    if "BYSETPOS" in parts and len(parts) == 1:
        raise ValueError("BYSETPOS needs another part that says which days")


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What repeats, and how. `removed` are starts that do not count: removed ones, and those exceptions stand for."""

    start: datetime
    end: datetime | None
    all_day: bool
    zone: str
    rule: Rule
    bound: datetime | None = None
    extra: frozenset[datetime] = frozenset()
    removed: frozenset[datetime] = frozenset()

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Series":
        """The series that a row of calendar_events is; with `replaced`, if it was shown by calendar_between()."""
        return cls(
            start=_read(row["start_time"]),
            end=None if row["end_time"] is None else _read(row["end_time"]),
            all_day=row["all_day"],
            zone=row["timezone"],
            rule=_rule(row["recurrence_rule"]),
            bound=None if row["recurrence_end"] is None else _read(row["recurrence_end"]),
            extra=frozenset(map(_read, row["rdates"])),
            removed=frozenset(map(_read, [*row["exdates"], *row.get("replaced", ())])),
        )

    @property
    def first_wall(self) -> datetime:
        """The wall-clock time of the first occurrence: of an all-day one midnight, even where the clocks skip it."""
        wall = wall_clock(self.start, self.zone)
        return datetime.combine(wall.date(), time.min) if self.all_day else wall

    @property
    def until(self) -> datetime:
        """The last instant at which the rule may have an occurrence, but for its COUNT."""
        return min(bound for bound in (self.rule.bound(self.zone), self.bound, LAST) if bound is not None)

    @property
    def after(self) -> datetime:
        """The first instant at which the rule has no occurrence any more, but for its COUNT."""
        return self.until + timedelta(seconds=1)

    @property
    def endless(self) -> bool:
        return self.rule.count is None and self.rule.until is None and self.bound is None

    def end_of(self, start: datetime) -> datetime | None:
        """When the occurrence that starts then ends: after as long as the first one, or after as many days."""
        if self.end is None:
            return None
        if not self.all_day:
            return start + (self.end - self.start)
        days = wall_clock(self.end, self.zone).date() - wall_clock(self.start, self.zone).date()
        return instant(wall_clock(start, self.zone).date() + days, self.zone)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One occurrence of a series, at the time the rule gives it."""

    start: datetime
    end: datetime | None


@lru_cache(maxsize=1024)
def _rule(text: str) -> Rule:
    """A stored rule: checked when it was written, so only taken apart here."""
    return rule_of(text)


def _read(value: str | datetime) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


class _TooFar(Exception):
    """An expansion has looked at every period it may."""


class _Stride(int):
    """The INTERVAL of a rule that counts how often it is added, and stops the expansion after `allowed` times.

    dateutil steps from period to period by adding the interval, and looks no further only where the year 9999 ends.
    """

    allowed: int

    @classmethod
    def of(cls, interval: int, allowed: int) -> "_Stride":
        stride = cls(interval)
        stride.allowed = allowed
        return stride

    def _count(self) -> None:
        self.allowed -= 1
        if self.allowed < 0:
            raise _TooFar

    def __radd__(self, other: int) -> int:
        self._count()
        return int(self) + other

    def __mul__(self, other: int) -> int:
        # A week's step is seven times the interval, added as a plain number.
        self._count()
        return int(self) * other


def _walls(rule: Rule, start: datetime, since: datetime, until: datetime) -> Iterator[datetime]:
    """The wall-clock times at which a rule falls from `start` to `until`, in order, without regard to COUNT.

    Those before `since` are left out where that saves work.
    """
    from dateutil.rrule import rrule, rrulestr  # noqa: PLC0415 - costs a cold start

    period = timedelta(days=_PERIOD_DAYS[rule.freq] * rule.interval)
    begin, days = start, rule.days
    if rule.freq == "WEEKLY":
        # From the first day of the week, or BYSETPOS would count from the middle of the first one.
        if not rule.parts.keys() & {"BYDAY", "BYMONTHDAY"}:
            days += f";BYDAY={_WEEKDAYS[start.weekday()]}"
        begin -= timedelta(days=(start.weekday() - _WEEKDAYS.index(rule.week_start)) % 7)
    if rule.freq in ("DAILY", "WEEKLY"):
        begin += max(0, (since - begin) // period - 1) * period
    allowed = min(MAX_STEPS, max(0, (until - begin) // period) + 2)
    expansion = cast("rrule", rrulestr(days, dtstart=begin))
    try:
        for wall in expansion.replace(interval=_Stride.of(rule.interval, allowed)):
            if wall > until:
                return
            if wall >= start:
                yield wall
    except _TooFar:
        return


def _rule_starts(series: Series, since: datetime, before: datetime) -> Iterator[datetime]:
    """The instants in [since, before) at which the rule has an occurrence, in order."""
    rule, zone = series.rule, series.zone
    since, before = max(since, series.start, FIRST), min(before, series.after)
    if since >= before:
        return
    first = series.first_wall
    # Counting begins at the first occurrence.
    wanted = first if rule.count is not None else wall_clock(since, zone) - _SLACK
    walls = _walls(rule, first, wanted, wall_clock(before, zone) + _SLACK)
    previous = None
    for number, wall in enumerate(walls, 1):
        if rule.count is not None and number > rule.count:
            return
        start = instant(wall, zone)
        # Two days are one instant where a zone left a day out.
        if since <= start < before and start != previous:
            yield start
        previous = start


def _starts(series: Series, since: datetime, before: datetime) -> Iterator[datetime]:
    """The instants in [since, before) at which the series has an occurrence, in order."""
    extra = sorted(at for at in series.extra if since <= at < before)
    for start in _rule_starts(series, since, before):
        while extra and extra[0] <= start:
            at = extra.pop(0)
            if at < start and at not in series.removed:
                yield at
        if start not in series.removed:
            yield start
    yield from (at for at in extra if at not in series.removed)


def occurrences(series: Series, since: datetime, before: datetime, limit: int = MAX_PER_SERIES) -> list[Occurrence]:
    """The occurrences that start before `before` and end after `since`, or, without a duration, start at or after it.

    In order, and at most `limit`.
    """
    length = timedelta() if series.end is None else series.end - series.start
    found: list[Occurrence] = []
    # A change of the clocks makes a day up to three hours longer.
    for start in _starts(series, max(FIRST, since) - length - timedelta(days=1), before):
        if len(found) == limit:
            break
        end = series.end_of(start)
        if start >= since or (end is not None and end > since):
            found.append(Occurrence(start, end))
    return found


def occurs(series: Series, start: datetime) -> bool:
    """Whether the series has an occurrence at an instant: one that counts, not a removed one."""
    return next(_starts(series, start, start + timedelta(seconds=1)), None) is not None


def fitted(series: Series) -> Series:
    """The series moved forward to the first instant that fits its rule; ValueError if none does in 30 years."""
    length = None if series.end is None else series.end - series.start
    start = instant(series.first_wall, series.zone)
    at_start = replace(series, start=start, end=None if length is None else start + length)
    first = next(_rule_starts(replace(at_start, extra=frozenset()), start, min(LAST, start + BARREN)), None)
    if first is None:
        raise ValueError("has no occurrence")
    return replace(at_start, start=first, end=at_start.end_of(first))


def count_before(series: Series, start: datetime) -> int:
    """How many occurrences the rule has before an instant, the removed ones included: what COUNT counts."""
    return sum(1 for _ in _rule_starts(series, series.start, start))


def last_end(series: Series) -> datetime | None:
    """When the last occurrence ends, or starts if it has no duration; None when there is no last one."""
    if series.endless:
        return None
    last = series.start
    if series.rule.count is not None:
        for last in _rule_starts(series, series.start, LAST):  # noqa: B007 - the last one is wanted
            pass
    else:
        # Back from the bound, by ever longer steps: from the start it may be centuries.
        for years in (2, 60, 600):
            since = max(series.start, series.until - timedelta(days=years * 366))
            starts = list(_rule_starts(series, since, series.after))
            if starts:
                last = starts[-1]
                break
    last = max(last, *series.extra) if series.extra else last
    return series.end_of(last) or last


def shown(row: Mapping[str, Any], occurrence: Occurrence) -> dict[str, Any]:
    """An occurrence as the wire shows it, from its series as calendar_shown() does."""
    name = stamp(occurrence.start)
    return {
        **row,
        "id": f"{row['id']}_{name}",
        "series_id": row["id"],
        "original_start": occurrence.start,
        "start_time": occurrence.start,
        "end_time": occurrence.end,
        "completed_at": row.get("completed", {}).get(name),
    }


def between(found: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], bool]:
    """The events that calendar_between() found, series expanded, by start and id; and whether there are more."""
    since, before = _read(found["since"]), _read(found["before"])
    events: list[tuple[datetime, str, Mapping[str, Any], Occurrence | None]] = [
        (_read(row["start_time"]), row["id"], row, None) for row in found["events"]
    ]
    truncated = False
    for row in found["series"]:
        hits = occurrences(Series.of(row), since, before, MAX_PER_SERIES + 1)
        truncated = truncated or len(hits) > MAX_PER_SERIES
        events += [(hit.start, f"{row['id']}_{stamp(hit.start)}", row, hit) for hit in hits[:MAX_PER_SERIES]]
    events.sort(key=lambda event: event[:2])
    shortened = [row if hit is None else shown(row, hit) for _, _, row, hit in events[:MAX_EVENTS]]
    return shortened, truncated or len(events) > MAX_EVENTS


def shifted(starts: Iterable[datetime], by: timedelta, zone: str) -> Sequence[datetime]:
    """Instants moved by a difference of wall-clock time."""
    return [instant(wall_clock(start, zone) + by, zone) for start in starts]
