"""Recurrence rules (RFC 5545, 3.3.10): what is accepted of them, parsed and checked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final

from questlog.recurrence.times import FIRST, LAST, instant, wall_clock

WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
# The rule of what happens once: an imported event that has further dates (RDATE) but no rule.
ONCE: Final = "FREQ=DAILY;COUNT=1"

_FREQUENCIES: Final = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_UNTIL: Final = re.compile(r"[0-9]{8}(T[0-9]{6}Z?)?")
_WEEKDAY: Final = re.compile(r"(?P<number>[+-]?([1-9]|[1-4][0-9]|5[0-3]))?(?P<weekday>MO|TU|WE|TH|FR|SA|SU)")
# Parts that are lists of numbers, and the largest each may hold; the smallest is 1, or the negative of the largest.
_NUMBERS: Final = {"BYMONTHDAY": 31, "BYYEARDAY": 366, "BYWEEKNO": 53, "BYSETPOS": 366}
# The parts that RFC 5545 does not allow with a frequency.
_MEANINGLESS: Final = {
    "DAILY": {"BYYEARDAY", "BYWEEKNO"},
    "WEEKLY": {"BYYEARDAY", "BYWEEKNO", "BYMONTHDAY"},
    "MONTHLY": {"BYYEARDAY", "BYWEEKNO"},
    "YEARLY": set[str](),
}


@dataclass(frozen=True)
class Rule:
    """A recurrence rule that has been checked. `parts` are those that say which days fit, in the order given."""

    freq: str
    interval: int
    count: int | None
    until: str | None
    week_start: str
    parts: Mapping[str, tuple[str, ...]]
    text: str

    @property
    def weekdays(self) -> list[tuple[int, int]]:
        """BYDAY as pairs: the number, 0 for every one, and the weekday, 0 for Monday."""
        matches = (_WEEKDAY.fullmatch(day) for day in self.parts.get("BYDAY", ()))
        return [(int(match["number"] or 0), WEEKDAYS.index(match["weekday"])) for match in matches if match]

    def numbers(self, name: str) -> list[int]:
        """The numbers of a part that is a list of them; none where the rule does not have it."""
        return [int(number) for number in self.parts.get(name, ())]

    def until_date(self, zone: str) -> date | None:
        """The last date that UNTIL admits in an all-day series of the zone.

        It is the date as written, unless UNTIL is a UTC time that is midnight in the zone: then that midnight's date.
        """
        if self.until is None:
            return None
        if self.until.endswith("Z"):
            wall = wall_clock(_until_instant(self.until, zone), zone)
            if wall.time() == time.min:
                return wall.date()
        return _day(self.until)

    def until_instant(self, zone: str) -> datetime | None:
        """The last instant that UNTIL admits. UNTIL is in UTC or in the zone; a date alone admits the whole day."""
        if self.until is None:
            return None
        if len(self.until) == len("YYYYMMDD"):
            return instant(_day(self.until) + timedelta(days=1), zone) - timedelta(seconds=1)
        return _until_instant(self.until, zone)

    def with_count(self, count: int) -> "Rule":
        """The same rule with another COUNT."""
        return replace(self, count=count, text=re.sub(r"(?<=COUNT=)\d+", str(count), self.text))

    def with_until(self, until: str) -> "Rule":
        """The same rule with another UNTIL."""
        return replace(self, until=until, text=re.sub(r"(?<=UNTIL=)[0-9TZ]+", until, self.text))

    @property
    def pattern(self) -> str:
        """The rule without its end, worded so that dateutil reads it as RFC 5545 means it.

        dateutil takes BYDAY=MO,1TU for the days that are both, so plain weekdays become numbered ones there.
        """
        parts = dict(self.parts)
        weekdays = parts.get("BYDAY", ())
        plain = [day for day in weekdays if len(day) == len("MO")]
        if plain and len(plain) < len(weekdays):
            most = 5 if self.freq == "MONTHLY" or "BYMONTH" in parts else 53
            numbered = [f"{number}{day}" for day in plain for number in range(1, most + 1)]
            parts["BYDAY"] = tuple(dict.fromkeys([*(day for day in weekdays if len(day) > len("MO")), *numbered]))
        listed = "".join(f";{name}={','.join(values)}" for name, values in parts.items())
        return f"FREQ={self.freq};INTERVAL={self.interval}{listed};WKST={self.week_start}"


def _shown(name: str) -> str:
    """A part's name as an error message shows it; a name with other characters than letters is not shown."""
    return name[:20] if name.isalpha() else "a part"


@lru_cache(maxsize=4096)
def rule_of(text: str) -> Rule:
    """The parsed and checked rule of a text. Raises ValueError, whose message says what is wrong."""
    normal = re.sub(r"\s", "", text).upper().removeprefix("RRULE:")
    if not normal:
        raise ValueError("is empty")
    parts: dict[str, str] = {}
    for part in normal.split(";"):
        name, separator, value = part.partition("=")
        if not separator or not value or name in parts:
            raise ValueError(f"{_shown(name)} must be given once and have a value")
        parts[name] = value
    freq = parts.pop("FREQ", "")
    if freq not in _FREQUENCIES:
        raise ValueError("FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY")
    interval = _number("INTERVAL", parts.pop("INTERVAL", "1"), 1000)
    count = _number("COUNT", parts.pop("COUNT"), 1000) if "COUNT" in parts else None
    until = parts.pop("UNTIL", None)
    if until is not None:
        if count is not None:
            raise ValueError("COUNT and UNTIL exclude each other")
        _check_until(until)
    week_start = parts.pop("WKST", "MO")
    if week_start not in WEEKDAYS:
        raise ValueError("WKST must be a weekday")
    listed = {name: _values(name, value) for name, value in parts.items()}
    _check_together(freq, listed)
    return Rule(freq, interval, count, until, week_start, listed, normal)


def _until_instant(until: str, zone: str) -> datetime:
    """An UNTIL that has a time: in UTC where it ends in Z, else in the zone."""
    moment = time(int(until[9:11]), int(until[11:13]), int(until[13:15]), tzinfo=UTC if until.endswith("Z") else None)
    return instant(datetime.combine(_day(until), moment), zone)


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
        fit = all(_WEEKDAY.fullmatch(day) for day in values)
    elif name == "BYMONTH":
        fit = all(re.fullmatch(r"0?[1-9]|1[0-2]", month) for month in values)
    elif name in _NUMBERS:
        fit = all(
            re.fullmatch(r"[+-]?[0-9]{1,3}", number) and 1 <= abs(int(number)) <= _NUMBERS[name] for number in values
        )
    else:
        raise ValueError(f"{_shown(name)} is no part of a rule for events")
    if not fit:
        raise ValueError(f"{name} has a value that it cannot have")
    return values


def _check_together(freq: str, parts: Mapping[str, tuple[str, ...]]) -> None:
    """Refuse what RFC 5545 gives no meaning: other calendars would each read the feed in a way of their own."""
    for name in _MEANINGLESS[freq] & set(parts):
        raise ValueError(f"{name} does not go with FREQ={freq}")
    numbered = any(len(day) > len("MO") for day in parts.get("BYDAY", ()))
    if numbered and (freq in ("DAILY", "WEEKLY") or "BYWEEKNO" in parts):
        raise ValueError("BYDAY takes numbers only with FREQ=MONTHLY or YEARLY and without BYWEEKNO")
    if "BYSETPOS" in parts and len(parts) == 1:
        raise ValueError("BYSETPOS needs another part that says which days")
