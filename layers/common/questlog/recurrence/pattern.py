"""The dates of a plain rule, by arithmetic: the n-th one, and those from any date on, cost the same near and far.

Plain are the rules that nearly all events have: every so many days; on weekdays of every so many weeks; on days, or
numbered weekdays, of months; and the same of years, or on the day of the year an event began. What else there is
(BYSETPOS, BYWEEKNO, BYYEARDAY, and parts that only filter) is left to dateutil.

A rule is seen as a row of periods (days, weeks, months, years), the one its event begins in first, every INTERVAL-th
after it, each with its dates.
"""

import calendar
from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice
from typing import Final, NamedTuple

from questlog.recurrence.rule import WEEKDAYS, Rule
from questlog.recurrence.times import LAST

# The number of days that a month has in every year.
_SHORTEST: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_EVERY_MONTH: Final = range(1, 13)


class Pattern(ABC):
    """The dates of a rule from `first` on, without regard to its end."""

    def __init__(self, first: date, interval: int) -> None:
        self._first = first
        self._interval = interval

    @property
    @abstractmethod
    def _per_period(self) -> int | None:
        """How many dates every period has; None where it differs."""

    @abstractmethod
    def _period_of(self, day: date) -> int:
        """The number of the period that a date lies in or behind."""

    @abstractmethod
    def _dates_in(self, period: int) -> list[date]:
        """The dates of a period, in order."""

    def dates(self, since: date, until: date) -> Iterator[date]:
        """The dates from one to another, in order."""
        since = max(since, self._first)
        if since > until:
            return
        for period in range(self._period_of(since), self._period_of(until) + 1):
            for day in self._dates_in(period):
                if day > until:
                    return
                if day >= since:
                    yield day

    def last(self, until: date) -> date | None:
        """The last date up to another, None where there is none."""
        if until < self._first:
            return None
        for period in range(self._period_of(until), -1, -1):
            found = [day for day in self._dates_in(period) if self._first <= day <= until]
            if found:
                return found[-1]
        return None

    def nth(self, number: int) -> date | None:
        """The date with a number, from 1; None where it would lie behind the last time there is."""
        if self._per_period is None:
            return next(islice(self.dates(self._first, LAST.date()), number - 1, None), None)
        skipped = sum(day < self._first for day in self._dates_in(0))
        period, index = divmod(skipped + number - 1, self._per_period)
        return self._dates_in(period)[index] if period <= self._period_of(LAST.date()) else None

    def count_before(self, day: date) -> int:
        """How many dates lie before another."""
        if day <= self._first:
            return 0
        if self._per_period is None:
            return sum(1 for _ in self.dates(self._first, day - timedelta(days=1)))
        period = self._period_of(day)
        skipped = sum(other < self._first for other in self._dates_in(0))
        return self._per_period * period + sum(other < day for other in self._dates_in(period)) - skipped


class _Days(Pattern):
    """Every so many days."""

    @property
    def _per_period(self) -> int:
        return 1

    def _period_of(self, day: date) -> int:
        return (day - self._first).days // self._interval

    def _dates_in(self, period: int) -> list[date]:
        return [self._first + timedelta(days=period * self._interval)]


class _Weeks(Pattern):
    """On weekdays of every so many weeks."""

    def __init__(self, first: date, interval: int, weekdays: set[int], week_start: int) -> None:
        super().__init__(first, interval)
        self._week = first - timedelta(days=(first.weekday() - week_start) % 7)
        self._offsets = sorted((weekday - week_start) % 7 for weekday in weekdays)

    @property
    def _per_period(self) -> int:
        return len(self._offsets)

    def _period_of(self, day: date) -> int:
        return (day - self._week).days // (7 * self._interval)

    def _dates_in(self, period: int) -> list[date]:
        week = self._week + timedelta(days=7 * self._interval * period)
        return [week + timedelta(days=offset) for offset in self._offsets]


class _DaysOfMonth(NamedTuple):
    """Which days of a month: by number, by weekday, or by both. A number below 0 counts from the end."""

    numbers: list[int]
    weekdays: list[tuple[int, int]]

    def of(self, year: int, month: int) -> list[date]:
        first_weekday, length = calendar.monthrange(year, month)
        if self.numbers:
            days = {number if number > 0 else length + 1 + number for number in self.numbers}
            weekdays = {weekday for _, weekday in self.weekdays} or range(7)
            days = {day for day in days if (first_weekday + day - 1) % 7 in weekdays}
        else:
            days = set()
            for number, weekday in self.weekdays:
                of_weekday = range(1 + (weekday - first_weekday) % 7, length + 1, 7)
                if number == 0:
                    days.update(of_weekday)
                elif abs(number) <= len(of_weekday):
                    days.add(of_weekday[number - 1 if number > 0 else number])
        return [date(year, month, day) for day in sorted(days) if 1 <= day <= length]

    def always(self, month: int | None) -> int | None:
        """How many days there are in the month of every year, or with None in every month; None where it differs."""
        shortest = 28 if month is None else _SHORTEST[month - 1]
        if self.numbers and self.weekdays:
            return None
        counted = self.numbers or [number for number, _ in self.weekdays]
        # The fifth Monday is not in every month, and of the fourth and the last no one knows whether they are two.
        most = shortest if self.numbers else 4
        if all(1 <= number <= most for number in counted) or all(-most <= number <= -1 for number in counted):
            return len(set(self.numbers or self.weekdays))
        return None


class _Months(Pattern):
    """On days of every so many months; only of certain months of the year, where it names them."""

    def __init__(self, first: date, interval: int, days: _DaysOfMonth, months: set[int]) -> None:
        super().__init__(first, interval)
        self._days = days
        self._months = months
        self._origin = first.year * 12 + first.month - 1

    @property
    def _per_period(self) -> int | None:
        return None if self._months else self._days.always(None)

    def _period_of(self, day: date) -> int:
        return (day.year * 12 + day.month - 1 - self._origin) // self._interval

    def _dates_in(self, period: int) -> list[date]:
        year, month = divmod(self._origin + period * self._interval, 12)
        return self._days.of(year, month + 1) if not self._months or month + 1 in self._months else []


class _Years(Pattern):
    """On days of certain months of every so many years."""

    def __init__(self, first: date, interval: int, days: _DaysOfMonth, months: set[int]) -> None:
        super().__init__(first, interval)
        self._days = days
        self._months = sorted(months)

    @property
    def _per_period(self) -> int | None:
        counts = [self._days.always(month) for month in self._months]
        return None if None in counts else sum(count for count in counts if count)

    def _period_of(self, day: date) -> int:
        return (day.year - self._first.year) // self._interval

    def _dates_in(self, period: int) -> list[date]:
        year = self._first.year + period * self._interval
        return [day for month in self._months for day in self._days.of(year, month)]


def pattern_of(rule: Rule, first: date) -> Pattern | None:
    """The pattern of a rule whose event begins on a date; None where the rule is not plain."""
    parts = rule.parts.keys()
    if rule.freq == "DAILY" and not parts:
        return _Days(first, rule.interval)
    if rule.freq == "WEEKLY" or (rule.freq == "DAILY" and rule.interval == 1):
        weekdays = {weekday for _, weekday in rule.weekdays} or {first.weekday()}
        return _Weeks(first, rule.interval, weekdays, WEEKDAYS.index(rule.week_start)) if parts <= {"BYDAY"} else None
    if rule.freq == "DAILY" or not parts <= {"BYMONTH", "BYMONTHDAY", "BYDAY"}:
        return None
    return _of_months(rule, first)


def _of_months(rule: Rule, first: date) -> Pattern | None:
    numbers, weekdays, months = rule.numbers("BYMONTHDAY"), rule.weekdays, set(rule.numbers("BYMONTH"))
    if numbers and any(number for number, _ in weekdays):
        return None
    days = _DaysOfMonth(numbers or ([] if weekdays else [first.day]), weekdays)
    if rule.freq == "MONTHLY":
        return _Months(first, rule.interval, days, months)
    if weekdays and not months:
        # These are weekdays of the year.
        return None
    return _Years(first, rule.interval, days, months or (set(_EVERY_MONTH) if numbers else {first.month}))
