"""The occurrences of an event that repeats.

dateutil gives the dates of the rules that are not plain (see pattern). Its search is limited here: it would look for a
next match until the year 9999, which takes seconds if there is none. It is imported when the first such rule is seen,
so that requests without one do not pay for it.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice
from typing import Final, NamedTuple, cast

from questlog.recurrence.pattern import pattern_of
from questlog.recurrence.rule import WEEKDAYS, Rule, rule_of
from questlog.recurrence.times import FIRST, LAST, date_of, end_after, instant, wall_clock

# A rule without an occurrence in this time is taken to have none at all.
BARREN: Final = timedelta(days=30 * 366)
# Periods (days, weeks, months, years) that dateutil looks at, whether the rule fits them or not.
MAX_STEPS: Final = 20_000

_DAY: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)
_PERIOD_DAYS: Final = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 28, "YEARLY": 365}


class Span(NamedTuple):
    """When an occurrence starts and ends; an event without duration has no end."""

    start: datetime
    end: datetime | None


class Series(NamedTuple):
    """An event that repeats: its first occurrence and its rule.

    bound          the last instant at which an occurrence may start, besides UNTIL
    last_start     the last start that the rule gives, where it is known; else COUNT is counted
    nominal_days   of the duration, the days that are counted by the clock (RFC 5545, 3.3.6); null: all of it is exact
    extra          starts besides those of the rule (RDATE)
    removed        starts that are left out: those of removed occurrences, and those that an override replaces
    """

    start: datetime
    end: datetime | None
    all_day: bool
    zone: str
    rule: Rule
    bound: datetime | None = None
    last_start: datetime | None = None
    nominal_days: int | None = None
    extra: frozenset[datetime] = frozenset()
    removed: frozenset[datetime] = frozenset()

    @property
    def first_date(self) -> date:
        """The date of the first occurrence."""
        return date_of(self.start, self.zone)

    @property
    def time_of_day(self) -> time:
        """The wall-clock time of the occurrences: of all-day ones midnight, even where the clocks skip it."""
        return time.min if self.all_day else wall_clock(self.start, self.zone).time()

    @property
    def endless(self) -> bool:
        return self.rule.count is None and self.rule.until is None and self.bound is None

    @property
    def limit(self) -> datetime:
        """The last instant that UNTIL and `bound` admit, at most times.LAST."""
        limits = [LAST if self.bound is None else self.bound, LAST]
        if self.all_day and (last := self.rule.until_date(self.zone)) is not None:
            limits.append(instant(last, self.zone))
        elif not self.all_day and (until := self.rule.until_instant(self.zone)) is not None:
            limits.append(until)
        return min(limits)

    @property
    def until(self) -> datetime:
        """The last instant at which the rule may have an occurrence, with COUNT taken into account."""
        if self.last_start is not None:
            return self.last_start
        if self.rule.count is not None and (nth := _nth(self.rule.text, self.first_date)) is not None:
            return min(self.limit, self.at(nth))
        return self.limit

    def without(self, removed: Iterable[datetime]) -> "Series":
        """The series without the occurrences that start at these instants."""
        return self._replace(removed=self.removed | frozenset(removed))

    def at(self, day: date) -> datetime:
        """When an occurrence on a date starts."""
        return instant(datetime.combine(day, self.time_of_day), self.zone)

    def end_of(self, start: datetime) -> datetime | None:
        """The end of the occurrence that starts at `start`: it lasts as long, or as many days, as the first one."""
        return end_after(
            start, (self.start, self.end), all_day=self.all_day, nominal_days=self.nominal_days, zone=self.zone
        )


class _TooFar(Exception):
    """An expansion has looked at as many periods as it may."""


class _Stride(int):
    """The INTERVAL of a rule as an integer that can be added `allowed` times and then raises _TooFar.

    dateutil goes from period to period by adding the interval, and has no other limit than the year 9999.
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


def _walked(rule: Rule, first: date, since: date, until: date) -> Iterator[date]:
    """The dates from `first` on that dateutil finds for a rule from one date to another, in order."""
    from dateutil.rrule import rrule, rrulestr  # noqa: PLC0415 - costs a cold start

    period = timedelta(days=_PERIOD_DAYS[rule.freq] * rule.interval)
    begin, pattern = first, rule.pattern
    if rule.freq == "WEEKLY":
        # Begin at the first day of the week, or BYSETPOS would count only a part of the first week.
        if not rule.parts.keys() & {"BYDAY", "BYMONTHDAY"}:
            pattern += f";BYDAY={WEEKDAYS[first.weekday()]}"
        begin -= timedelta(days=(first.weekday() - WEEKDAYS.index(rule.week_start)) % 7)
    if rule.freq in ("DAILY", "WEEKLY"):
        begin += max(0, (since - begin) // period - 1) * period
    allowed = min(MAX_STEPS, max(0, (until - begin) // period) + 2)
    expansion = cast("rrule", rrulestr(pattern, dtstart=datetime.combine(begin, time.min)))
    try:
        for midnight in expansion.replace(interval=_Stride.of(rule.interval, allowed)):
            day = midnight.date()
            if day > until:
                return
            if day >= max(first, since):
                yield day
    except _TooFar:
        return


def dates_of(rule: Rule, first: date, since: date, until: date) -> Iterator[date]:
    """The dates of a rule in [since, until], in order. COUNT and UNTIL are ignored."""
    pattern = pattern_of(rule, first)
    return _walked(rule, first, since, until) if pattern is None else pattern.dates(since, until)


@lru_cache(maxsize=1024)
def _nth(text: str, first: date) -> date | None:
    """The last date that the COUNT of a rule admits; None if it is later than times.LAST."""
    rule = rule_of(text)
    assert rule.count is not None
    pattern = pattern_of(rule, first)
    if pattern is not None:
        return pattern.nth(rule.count)
    found = list(islice(_walked(rule, first, first, LAST.date()), rule.count))
    # Fewer than COUNT only if the search was given up; then those are taken to be all.
    return found[-1] if found else None


def effort(rule: Rule, first: date) -> int:
    """Roughly how many microseconds it takes to find a rule's first and last date; 0 if no search is needed."""
    pattern = pattern_of(rule, first)
    if pattern is None:
        # With UNTIL its last two years are expanded; without an end only its beginning.
        followed = rule.count or (200 if rule.until else 0)
        return 500 + 25 * followed
    return 0 if pattern.per_period is not None or rule.count is None else 2 * rule.count


def rule_starts(series: Series, since: datetime, before: datetime) -> Iterator[datetime]:
    """The instants in [since, before) at which the rule has an occurrence, in order."""
    since, until = max(since, series.start, FIRST), min(before - _SECOND, series.until)
    if since > until:
        return
    zone, time_of_day = series.zone, series.time_of_day
    # If a zone skipped a day (Samoa, 2011), the occurrence of that day starts at the same instant as the next day's.
    first, last = date_of(since, zone) - _DAY, date_of(until, zone) + _DAY
    previous = None
    for day in dates_of(series.rule, series.first_date, first, last):
        start = instant(datetime.combine(day, time_of_day), zone)
        if start > until:
            return
        if start >= since and start != previous:
            yield start
        previous = start


def starts(series: Series, since: datetime, before: datetime) -> Iterator[datetime]:
    """The instants in [since, before) at which the series has an occurrence, in order."""
    extra = sorted(at for at in series.extra if since <= at < before)
    for start in rule_starts(series, since, before):
        while extra and extra[0] <= start:
            at = extra.pop(0)
            if at < start and at not in series.removed:
                yield at
        if start not in series.removed:
            yield start
    yield from (at for at in extra if at not in series.removed)


def occurrences(series: Series, since: datetime, before: datetime) -> Iterator[Span]:
    """The occurrences that start before `before` and end after `since`, or, without a duration, start at or after it.

    In order; those of an endless series go on until times.LAST.
    """
    length = timedelta() if series.end is None else series.end - series.start
    # A change of the clocks makes a day up to three hours longer.
    for start in starts(series, max(FIRST, since) - length - _DAY, before):
        end = series.end_of(start)
        if start >= since or (end is not None and end > since):
            yield Span(start, end)


def occurs(series: Series, start: datetime) -> bool:
    """Whether the series has an occurrence at an instant that was not removed."""
    return next(starts(series, start, start + _SECOND), None) is not None


def fitted(series: Series) -> Series:
    """The series moved forward to the first instant that fits its rule; ValueError if none does in 30 years."""
    length = None if series.end is None else series.end - series.start
    start = series.at(series.first_date)
    at_start = series._replace(start=start, end=None if length is None else start + length, extra=frozenset())
    first = next(rule_starts(at_start, start, min(LAST, start + BARREN)), None)
    if first is None:
        raise ValueError("has no occurrence")
    return at_start._replace(start=first, end=at_start.end_of(first), extra=series.extra)


def count_before(series: Series, start: datetime) -> int:
    """How many occurrences the rule has before an instant, the removed ones included: what COUNT counts."""
    pattern = pattern_of(series.rule, series.first_date)
    if pattern is None:
        return sum(1 for _ in rule_starts(series, series.start, start))
    start = min(start, series.until + _SECOND)
    day = date_of(start, series.zone)
    if series.at(day) < start:
        day += _DAY
    return pattern.count_before(day)


def last_start(series: Series) -> datetime | None:
    """The last start that the rule gives; None when there is no last one."""
    if series.endless:
        return None
    until = series.until
    day = date_of(until, series.zone)
    pattern = pattern_of(series.rule, series.first_date)
    if pattern is not None:
        last = pattern.last(day)
        if last is not None and series.at(last) > until:
            last = pattern.last(last - _DAY)
        return series.start if last is None else max(series.start, series.at(last))
    # Search back from the bound in ever longer steps, since the start may be centuries before.
    for years in (2, 60, 600):
        since = max(series.start, until - timedelta(days=years * 366))
        found = list(rule_starts(series, since, until + _SECOND))
        if found:
            return found[-1]
    return series.start


def last_end(series: Series) -> datetime | None:
    """When the last occurrence ends, or starts if it has no duration; None when there is no last one.

    The series' `last_start` must be set, unless it is endless.
    """
    last = series.last_start
    if last is None:
        return None
    last = max(last, *series.extra) if series.extra else last
    return series.end_of(last) or last
