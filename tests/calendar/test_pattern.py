"""Plain rules by arithmetic, held against dateutil, which walks."""

import itertools
from datetime import date, datetime, time, timedelta

import pytest
from dateutil.rrule import rrulestr
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from questlog.recurrence.pattern import pattern_of
from questlog.recurrence.rule import WEEKDAYS, rule_of

from tests.calendar.test_oracle import rules

FIRST = st.dates(date(2023, 1, 1), date(2032, 12, 31))


def walked(rule: str, first: date, number: int) -> list[date]:
    """The first dates of a rule as dateutil has them; a week's rule from the beginning of its week (BYSETPOS)."""
    start = first
    if rule.startswith("FREQ=WEEKLY"):
        start -= timedelta(days=(first.weekday() - WEEKDAYS.index(rule_of(rule).week_start)) % 7)
        if "BYDAY" not in rule:
            rule += f";BYDAY={WEEKDAYS[first.weekday()]}"
    found = (at.date() for at in rrulestr(rule, dtstart=datetime.combine(start, time.min)))
    return list(itertools.islice((day for day in found if day >= first), number))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(rule=rules(), first=FIRST)
def test_the_same_dates_as_walking(rule: str, first: date) -> None:
    endless = ";".join(part for part in rule.split(";") if not part.startswith(("COUNT", "UNTIL")))
    pattern = pattern_of(rule_of(endless), first)
    assume(pattern is not None)
    assert pattern is not None
    ours = list(itertools.islice(pattern.dates(first, date(2198, 12, 31)), 30))
    # Where there is none dateutil looks until the year 9999.
    assume(ours)
    expected = walked(endless, first, len(ours))
    assert ours == expected
    for number, day in enumerate(expected, 1):
        assert pattern.nth(number) == day
        assert pattern.count_before(day) == number - 1
        assert pattern.count_before(day + timedelta(days=1)) == number
        assert pattern.last(day) == day
        assert list(pattern.dates(day, day)) == [day]
    for before, after in itertools.pairwise(expected):
        assert pattern.last(after - timedelta(days=1)) == before
    assert pattern.last(expected[0] - timedelta(days=1)) is None
    assert pattern.count_before(first - timedelta(days=400)) == 0


def test_where_walking_finds_nothing_there_is_nothing() -> None:
    for rule in ("FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=2"):
        pattern = pattern_of(rule_of(rule), date(2031, 1, 31))
        assert pattern is not None
        assert list(pattern.dates(date(2031, 1, 31), date(2071, 1, 31))) == []
        assert (pattern.nth(1), pattern.last(date(2071, 1, 31))) == (None, None)


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY",
        "FREQ=DAILY;INTERVAL=3",
        "FREQ=DAILY;BYDAY=MO,TU",
        "FREQ=WEEKLY",
        "FREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=-1",
        "FREQ=MONTHLY",
        "FREQ=MONTHLY;BYMONTHDAY=-1,15",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
        "FREQ=MONTHLY;BYDAY=2TU,-1FR;BYMONTH=3,4",
        "FREQ=YEARLY",
        "FREQ=YEARLY;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
        "FREQ=YEARLY;BYMONTH=2,3;BYMONTHDAY=29;BYSETPOS=1",
    ],
)
def test_these_are_plain(rule: str) -> None:
    assert pattern_of(rule_of(rule), date(2031, 1, 31)) is not None


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;BYMONTH=1",
        "FREQ=DAILY;INTERVAL=2;BYDAY=MO",
        "FREQ=WEEKLY;BYMONTH=1",
        "FREQ=YEARLY;BYDAY=MO",
        "FREQ=YEARLY;BYWEEKNO=1",
        "FREQ=YEARLY;BYYEARDAY=1",
        "FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=1,2",
    ],
)
def test_these_are_not(rule: str) -> None:
    assert pattern_of(rule_of(rule), date(2031, 1, 31)) is None


@pytest.mark.parametrize(
    ("rule", "first", "per_period"),
    [
        ("FREQ=MONTHLY", date(2031, 1, 28), 1),
        ("FREQ=MONTHLY", date(2031, 1, 29), None),
        ("FREQ=MONTHLY;BYMONTHDAY=1,28", date(2031, 1, 1), 2),
        ("FREQ=MONTHLY;BYMONTHDAY=1,-1", date(2031, 1, 1), None),
        ("FREQ=MONTHLY;BYMONTHDAY=-28,-1", date(2031, 1, 1), 2),
        ("FREQ=MONTHLY;BYDAY=1MO,4TU", date(2031, 1, 1), 2),
        ("FREQ=MONTHLY;BYDAY=5MO", date(2031, 1, 1), None),
        ("FREQ=MONTHLY;BYDAY=4MO,-1MO", date(2031, 1, 1), None),
        ("FREQ=MONTHLY;BYDAY=MO", date(2031, 1, 1), None),
        ("FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=8", date(2031, 1, 1), 1),
        ("FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=9", date(2031, 1, 1), None),
        ("FREQ=YEARLY", date(2028, 2, 29), None),
        ("FREQ=YEARLY", date(2028, 12, 31), 1),
        ("FREQ=YEARLY;BYMONTH=2,3;BYMONTHDAY=28", date(2028, 2, 28), 2),
    ],
)
def test_what_every_period_has(rule: str, first: date, per_period: int | None) -> None:
    pattern = pattern_of(rule_of(rule), first)
    assert pattern is not None
    assert pattern.per_period == per_period


def test_nothing_lies_behind_the_last_time() -> None:
    for rule in ("FREQ=DAILY;INTERVAL=1000", "FREQ=MONTHLY;INTERVAL=1000", "FREQ=YEARLY;INTERVAL=1000"):
        pattern = pattern_of(rule_of(rule), date(2031, 1, 31))
        assert pattern is not None
        assert pattern.nth(1) == date(2031, 1, 31)
        assert pattern.nth(1000) is None


@pytest.mark.parametrize(
    "text", ["\\W", "^=1;FREQ=DAILY", "FREQ=DAILY;$=1", "=", "FREQ=DAILY;PATTERN=", "FREQ=DAILY;1=2"]
)
def test_a_refusal_repeats_no_signs_that_were_sent(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"^(a part|PATTERN) (must be given once and have a value|is no part of a rule)"
    ):
        rule_of(text)
