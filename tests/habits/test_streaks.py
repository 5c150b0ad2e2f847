"""The mathematics of streaks, asked of the SQL functions alone: days in, lengths out."""

from collections.abc import Iterable
from datetime import date, timedelta

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import Database
from tests.habits.conftest import DAILY, weekday

# A Monday.
MONDAY = date(2031, 5, 5)

ASK = """
    SELECT standing_streak(s.streak, s.through, %s, %s, %s), s.longest
      FROM habit_streaks(%s, %s, %s, %s) AS s
"""


@pytest.fixture(scope="module")
def connection(database: Database) -> Iterable[psycopg.Connection]:
    with psycopg.connect(database.admin_url, autocommit=True) as connection:
        yield connection


def streaks(
    connection: psycopg.Connection,
    frequency: str,
    custom_days: list[int],
    marks: tuple[Iterable[date], Iterable[date]],
    today: date,
) -> tuple[int, int]:
    """The streak that days done and days skipped make, as it stands today, and the longest."""
    done, skipped = marks
    row = connection.execute(
        ASK.encode(), (frequency, custom_days, today, frequency, custom_days, list(done), list(skipped))
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def days(marks: str) -> tuple[list[date], list[date]]:
    """`x` done, `s` skipped, `.` neither, one sign a day from a Monday on; spaces are for the reader."""
    row = marks.replace(" ", "")
    done = [MONDAY + timedelta(n) for n, mark in enumerate(row) if mark == "x"]
    return done, [MONDAY + timedelta(n) for n, mark in enumerate(row) if mark == "s"]


@pytest.mark.parametrize(
    ("marks", "today", "shown", "longest"),
    [
        ("", 0, 0, 0),
        ("x", 0, 1, 1),
        ("x", 1, 1, 1),  # today is open
        ("x", 2, 0, 1),  # yesterday was missed
        ("xxx", 3, 3, 3),
        ("xxx.x", 4, 1, 3),
        ("xxx.x", 6, 0, 3),
        ("xxsx", 3, 3, 3),  # a skip bridges, and adds nothing
        ("xxs", 3, 2, 2),
        ("xxss", 4, 2, 2),
        ("xxss", 5, 0, 2),
        ("xxs.x", 4, 1, 2),
        ("sx", 1, 1, 1),
        ("s", 0, 0, 0),
        ("x.s", 2, 0, 1),
        ("x.s", 3, 0, 1),
        ("xxxxx.xx", 8, 2, 5),
        ("xx", 0, 2, 2),  # a journey west: what is done tomorrow stands
        (".x", 0, 1, 1),
    ],
)
def test_daily(connection: psycopg.Connection, marks: str, today: int, shown: int, longest: int) -> None:
    done, skipped = days(marks)
    at = MONDAY + timedelta(today)
    assert streaks(connection, "daily", DAILY, (done, skipped), at) == (shown, longest)
    # Every day, said the other way.
    assert streaks(connection, "custom", DAILY, (done, skipped), at) == (shown, longest)


@pytest.mark.parametrize(
    ("marks", "today", "shown", "longest"),
    [
        # Mondays, Wednesdays and Fridays.
        ("x.x.x.. x", 7, 4, 4),
        ("x.x.x.. .", 7, 3, 3),  # Monday is open
        ("x.x.x.. .", 8, 0, 3),  # and was missed
        ("x.x....", 4, 2, 2),
        ("x.x....", 5, 0, 2),
        ("xxxxx..", 4, 3, 3),  # what is done on other days neither extends
        (".x.....", 1, 0, 0),  # nor begins
        ("x...x..", 4, 1, 1),  # nor bridges
        ("xx..x..", 4, 1, 1),
        ("x.s.x..", 4, 2, 2),
        ("x.x.s.. s.x", 9, 3, 3),
        ("x.xs...", 3, 2, 2),  # a skip on another day does nothing
        ("x.xs...", 5, 0, 2),
    ],
)
def test_custom(connection: psycopg.Connection, marks: str, today: int, shown: int, longest: int) -> None:
    done, skipped = days(marks)
    at = MONDAY + timedelta(today)
    assert streaks(connection, "custom", [1, 3, 5], (done, skipped), at) == (shown, longest)


def test_one_weekday_is_a_streak_of_weeks(connection: psycopg.Connection) -> None:
    sunday = MONDAY - timedelta(1)
    done = [sunday + timedelta(7 * n) for n in range(10)]
    assert streaks(connection, "custom", [0], (done, []), done[-1] + timedelta(7)) == (10, 10)
    assert streaks(connection, "custom", [0], (done, []), done[-1] + timedelta(8)) == (0, 10)


@pytest.mark.parametrize(
    ("met", "today", "shown", "longest"),
    [
        ([0], 0, 1, 1),
        ([6], 7, 1, 1),  # Sunday is the last day of its week
        ([6], 13, 1, 1),  # this week is open to its end
        ([6], 14, 0, 1),
        ([0, 13], 14, 2, 2),
        ([0, 13, 14, 27], 27, 4, 4),
        ([0, 14], 14, 1, 1),
        ([0, 8, 16, 30], 30, 1, 3),
    ],
)
def test_weekly(connection: psycopg.Connection, met: list[int], today: int, shown: int, longest: int) -> None:
    done = [MONDAY + timedelta(n) for n in met]
    assert streaks(connection, "weekly", DAILY, (done, []), MONDAY + timedelta(today)) == (shown, longest)


@pytest.mark.parametrize("year", [2026, 2028, 2032])
def test_weeks_do_not_end_with_the_year(connection: psycopg.Connection, year: int) -> None:
    done = [date(year, 12, 20) + timedelta(7 * n) for n in range(4)]
    assert streaks(connection, "weekly", DAILY, (done, []), done[-1]) == (4, 4)


def test_sundays_are_zero(database: Database) -> None:
    rows = database.query(
        "SELECT n, is_habit_day(%s::date + n, 'custom', ARRAY[n]) AS held FROM generate_series(0, 6) AS n",
        MONDAY - timedelta(1),
    )
    assert [row["held"] for row in rows] == [True] * 7


def naive(custom_days: list[int], done: set[date], skipped: set[date], today: date) -> tuple[int, int]:
    """The rules, day by day."""
    current = longest = 0
    first, last = min(done | skipped | {today}), max(done | skipped | {today})
    for n in range((last - first).days + 1):
        day = first + timedelta(n)
        if weekday(day) not in custom_days:
            continue
        if day in done:
            current += 1
        elif day not in skipped and day < today:
            current = 0
        longest = max(longest, current)
    return current, longest


OFFSETS = st.sets(st.integers(0, 40))


@settings(max_examples=150)
@given(done=OFFSETS, skipped=OFFSETS, custom_days=st.sets(st.integers(0, 6), min_size=1), today=st.integers(0, 45))
def test_agrees_with_the_rules_day_by_day(
    connection: psycopg.Connection, done: set[int], skipped: set[int], custom_days: set[int], today: int
) -> None:
    at = MONDAY + timedelta(max([today, *done, *skipped]))
    completed, left_out = ({MONDAY + timedelta(n) for n in offsets} for offsets in (done, skipped))
    scheduled = sorted(custom_days)
    assert streaks(connection, "custom", scheduled, (completed, left_out), at) == naive(
        scheduled, completed, left_out, at
    )


TRANSITIONS = [
    # zone, first local day of three around a change of clocks
    ("Europe/Berlin", date(2031, 3, 29)),
    ("Europe/Berlin", date(2031, 10, 25)),
    ("America/New_York", date(2031, 3, 8)),
    ("America/New_York", date(2031, 11, 1)),
    ("America/Santiago", date(2031, 9, 6)),  # midnight itself is skipped
    ("America/Santiago", date(2031, 4, 5)),  # and shown twice
    ("Australia/Lord_Howe", date(2031, 4, 5)),  # by half an hour
    ("Asia/Kathmandu", date(2031, 3, 29)),
]


@pytest.mark.parametrize("day_start", [0, 4])
@pytest.mark.parametrize(("zone", "first"), TRANSITIONS)
def test_days_follow_each_other_through_a_change_of_clocks(
    connection: psycopg.Connection, zone: str, first: date, day_start: int
) -> None:
    """Done in the first hour of one day and the last of the next, as early and as late as each can be."""
    rows = connection.execute(
        b"""
        SELECT array_agg(local_day(t.at, %(zone)s, %(start)s) ORDER BY n)
          FROM generate_series(0, 2) AS n,
               day_bounds(%(first)s::date + n, %(zone)s, %(start)s) AS day,
               LATERAL (SELECT CASE n %% 2 WHEN 0 THEN lower(day) ELSE upper(day) - interval '1 second' END AS at) AS t
        """,
        {"zone": zone, "start": day_start, "first": first},
    ).fetchone()
    assert rows is not None
    assert streaks(connection, "daily", DAILY, (rows[0], []), first + timedelta(2)) == (3, 3)
