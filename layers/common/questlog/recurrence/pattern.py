"""The dates of a plain rule, by arithmetic: to find one of them, the dates before it need not be generated.

Nearly all events have a plain rule: every n days; on weekdays of every n-th week; on days or numbered weekdays of
months, also with BYSETPOS; the same of years, or yearly on the date of the first occurrence. All others (BYWEEKNO,
BYYEARDAY, and parts that only filter) are left to dateutil.

A rule is a sequence of periods (days, weeks, months or years). The first one contains the event's start, the others
follow at every INTERVAL-th; each period has its dates.
"""

import calendar
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Final, NamedTuple, TypeVar

from questlog.recurrence.rule import WEEKDAYS, Rule
from questlog.recurrence.times import LAST

T = TypeVar("T")

# The number of days that a month has in every year.
_SHORTEST: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_EVERY_MONTH: Final = frozenset(range(1, 13))


class Pattern(ABC):
    """The dates of a rule from `first` on, without regard to its end."""

    def __init__(self, first: date, interval: int) -> None:
        self._first = first
        self._interval = interval

    @property
    @abstractmethod
    def per_period(self) -> int | None:
        """How many dates every period has; None where it differs."""

    @abstractmethod
    def _period_of(self, day: date) -> int:
        """The number of the last period that begins on or before a date."""

    @abstractmethod
    def _dates_in(self, period: int) -> list[date]:
        """The dates of a period, in order."""

    def _count_in(self, period: int) -> int:
        return len(self._dates_in(period))

    def dates(self, since: date, until: date) -> Iterator[date]:
        """The dates in [since, until], in order."""
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
        """The last date on or before another; None if there is none."""
        if until < self._first:
            return None
        for period in range(self._period_of(until), -1, -1):
            found = [day for day in self._dates_in(period) if self._first <= day <= until]
            if found:
                return found[-1]
        return None

    def nth(self, number: int) -> date | None:
        """The n-th date, counted from 1; None if it would be later than times.LAST."""
        index = self._before_first + number - 1
        last_period = self._period_of(LAST.date())
        if self.per_period is not None:
            period, index = divmod(index, self.per_period)
            return self._dates_in(period)[index] if period <= last_period else None
        for period in range(last_period + 1):
            count = self._count_in(period)
            if index < count:
                return self._dates_in(period)[index]
            index -= count
        return None

    def count_before(self, day: date) -> int:
        """How many dates there are before another."""
        if day <= self._first:
            return 0
        period = self._period_of(day)
        whole = sum(map(self._count_in, range(period))) if self.per_period is None else self.per_period * period
        return whole + sum(other < day for other in self._dates_in(period)) - self._before_first

    @property
    def _before_first(self) -> int:
        """How many dates of the first period are before the event's start; they are no occurrences."""
        return sum(day < self._first for day in self._dates_in(0))


class _Days(Pattern):
    """Every so many days."""

    @property
    def per_period(self) -> int:
        return 1

    def _period_of(self, day: date) -> int:
        return (day - self._first).days // self._interval

    def _dates_in(self, period: int) -> list[date]:
        return [self._first + timedelta(days=period * self._interval)]


class _Weeks(Pattern):
    """On weekdays of every so many weeks."""

    def __init__(self, first: date, interval: int, week_start: int, weekdays: set[int], positions: list[int]) -> None:
        super().__init__(first, interval)
        self._week = first - timedelta(days=(first.weekday() - week_start) % 7)
        self._offsets = _at_positions(sorted((weekday - week_start) % 7 for weekday in weekdays), positions)

    @property
    def per_period(self) -> int | None:
        return len(self._offsets) or None

    def _period_of(self, day: date) -> int:
        return (day - self._week).days // (7 * self._interval)

    def _dates_in(self, period: int) -> list[date]:
        week = self._week + timedelta(days=7 * self._interval * period)
        return [week + timedelta(days=offset) for offset in self._offsets]

    def _count_in(self, _period: int) -> int:
        return len(self._offsets)


class _DaysOfMonth(NamedTuple):
    """Which days of a month: by number, by weekday, or by both, and by position. Below 0 counts from the end."""

    numbers: tuple[int, ...]
    weekdays: tuple[tuple[int, int], ...]
    positions: tuple[int, ...]

    def of(self, year: int, month: int) -> list[date]:
        return [date(year, month, day) for day in _in_month(self, *calendar.monthrange(year, month))]

    def always(self, month: int | None) -> int | None:
        """How many days fit in this month of every year, with None in any month; None if the number differs."""
        if self.numbers and self.weekdays:
            return None
        if self.positions:
            # Of each weekday a month has four at least.
            plain = not self.numbers and not any(number for number, _ in self.weekdays)
            return len(set(self.positions)) if plain and _on_one_side(self.positions, 4 * len(self.weekdays)) else None
        if self.numbers:
            most = 28 if month is None else _SHORTEST[month - 1]
            return len(set(self.numbers)) if _on_one_side(self.numbers, most) else None
        # The fifth Monday is not in every month, and the fourth may be the last.
        return len(set(self.weekdays)) if _on_one_side([number for number, _ in self.weekdays], 4) else None


@lru_cache(maxsize=4096)
def _in_month(of: _DaysOfMonth, first_weekday: int, length: int) -> tuple[int, ...]:
    """The days in a month that begins on a weekday and has a length; there are 28 kinds of month."""
    if of.numbers:
        days = {number if number > 0 else length + 1 + number for number in of.numbers}
        weekdays = {weekday for _, weekday in of.weekdays} or range(7)
        days = {day for day in days if (first_weekday + day - 1) % 7 in weekdays}
    else:
        days = set()
        for number, weekday in of.weekdays:
            of_weekday = range(1 + (weekday - first_weekday) % 7, length + 1, 7)
            if number == 0:
                days.update(of_weekday)
            elif abs(number) <= len(of_weekday):
                days.add(of_weekday[number - 1 if number > 0 else number])
    return tuple(_at_positions(sorted(day for day in days if 1 <= day <= length), of.positions))


class _Months(Pattern):
    """On days of every so many months; only of certain months of the year, where it names them."""

    def __init__(self, first: date, interval: int, days: _DaysOfMonth, months: frozenset[int]) -> None:
        super().__init__(first, interval)
        self._days = days
        self._months = months
        self._origin = first.year * 12 + first.month - 1

    @property
    def per_period(self) -> int | None:
        return self._days.always(None) if self._months == _EVERY_MONTH else None

    def _period_of(self, day: date) -> int:
        return (day.year * 12 + day.month - 1 - self._origin) // self._interval

    def _dates_in(self, period: int) -> list[date]:
        year, month = divmod(self._origin + period * self._interval, 12)
        return self._days.of(year, month + 1) if month + 1 in self._months else []

    def _count_in(self, period: int) -> int:
        year, month = divmod(self._origin + period * self._interval, 12)
        return len(_in_month(self._days, *calendar.monthrange(year, month + 1))) if month + 1 in self._months else 0


class _Years(Pattern):
    """On days of certain months of every so many years; by position in the year, where it says so."""

    def __init__(
        self, first: date, interval: int, days: _DaysOfMonth, months: frozenset[int], positions: Sequence[int]
    ) -> None:
        super().__init__(first, interval)
        self._days = days
        self._months = sorted(months)
        self._positions = positions

    @property
    def per_period(self) -> int | None:
        counts = [self._days.always(month) for month in self._months]
        return None if self._positions or None in counts else sum(count for count in counts if count)

    def _period_of(self, day: date) -> int:
        return (day.year - self._first.year) // self._interval

    def _dates_in(self, period: int) -> list[date]:
        year = self._first.year + period * self._interval
        return _at_positions([day for month in self._months for day in self._days.of(year, month)], self._positions)


def pattern_of(rule: Rule, first: date) -> Pattern | None:
    """The pattern of a rule whose event begins on a date; None where the rule is not plain."""
    parts = rule.parts.keys()
    if rule.freq == "DAILY" and not parts:
        return _Days(first, rule.interval)
    if rule.freq == "WEEKLY" and parts <= {"BYDAY", "BYSETPOS"}:
        weekdays = {weekday for _, weekday in rule.weekdays} or {first.weekday()}
        week_start = WEEKDAYS.index(rule.week_start)
        return _Weeks(first, rule.interval, week_start, weekdays, rule.numbers("BYSETPOS"))
    if rule.freq == "DAILY" and rule.interval == 1 and parts == {"BYDAY"}:
        return _Weeks(first, 1, 0, {weekday for _, weekday in rule.weekdays}, [])
    if rule.freq in ("MONTHLY", "YEARLY") and parts <= {"BYMONTH", "BYMONTHDAY", "BYDAY", "BYSETPOS"}:
        return _of_months(rule, first)
    return None


def _of_months(rule: Rule, first: date) -> Pattern | None:
    numbers, weekdays, months = rule.numbers("BYMONTHDAY"), rule.weekdays, frozenset(rule.numbers("BYMONTH"))
    if (numbers and any(number for number, _ in weekdays)) or (rule.freq == "YEARLY" and weekdays and not months):
        # Numbered weekdays among numbered days, and weekdays of the year.
        return None
    positions = tuple(rule.numbers("BYSETPOS"))
    said = tuple(numbers) or (() if weekdays else (first.day,))
    if rule.freq == "MONTHLY":
        return _Months(first, rule.interval, _DaysOfMonth(said, tuple(weekdays), positions), months or _EVERY_MONTH)
    months = months or (_EVERY_MONTH if numbers else frozenset({first.month}))
    return _Years(first, rule.interval, _DaysOfMonth(said, tuple(weekdays), ()), months, positions)


def _at_positions(items: list[T], positions: Sequence[int]) -> list[T]:
    """The items at some positions, from 1, or from the end below 0; without positions all of them."""
    if not positions:
        return items
    there = {number - 1 if number > 0 else len(items) + number for number in positions}
    return [items[index] for index in sorted(there) if 0 <= index < len(items)]


def _on_one_side(numbers: Sequence[int], most: int) -> bool:
    """Whether all numbers count from the same end, so that no two can mean the same day, and none is too large."""
    return all(1 <= number <= most for number in numbers) or all(-most <= number <= -1 for number in numbers)
