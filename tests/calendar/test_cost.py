"""A list costs what it shows, and an import about what reading the file costs."""

import gc
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from icalendar import Calendar

from questlog.recurrence.listing import EventRow, Window, between

from functions.calendar import importing
from tests.support.effort import at_most

YEAR = Window(
    since=datetime(2033, 1, 1, tzinfo=UTC),
    before=datetime(2034, 1, 1, tzinfo=UTC),
    first_day=date(2033, 1, 1),
    last_day=date(2033, 12, 31),
)
# Beside the plain ones: by position, on days that not every month has, on leap days, and such that dateutil follows.
RULES = [
    "FREQ=DAILY",
    "FREQ=WEEKLY;BYDAY=MO,WE",
    "FREQ=WEEKLY;INTERVAL=2;COUNT=500",
    "FREQ=MONTHLY",
    "FREQ=MONTHLY;BYDAY=2TU;UNTIL=21000101T000000Z",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=300",
    "FREQ=YEARLY;COUNT=100",
    "FREQ=YEARLY;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
    "FREQ=YEARLY;BYDAY=20MO",
    "FREQ=DAILY;BYMONTH=3",
]


def cpu(work: Callable[[], Any]) -> tuple[float, Any]:
    """The seconds of a core that something takes, and what it returns."""
    gc.disable()  # it would look through all that other tests have left
    try:
        began = time.process_time()
        result = work()
        return time.process_time() - began, result
    finally:
        gc.enable()


def events(number: int, *rules: str, start: str = "DTSTART;TZID=Europe/Berlin:2031{:02}{:02}T{:02}0000") -> bytes:
    """A document of so many series."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN"]
    for n in range(number):
        begin = start.format(n % 12 + 1, n % 28 + 1, n % 24)
        rule = rules[n % len(rules)]
        lines += ["BEGIN:VEVENT", f"UID:{n}", "DTSTAMP:20310101T000000Z", begin, f"RRULE:{rule}", f"SUMMARY:Event {n}"]
        lines += ["DESCRIPTION:Every time", "LOCATION:Here", "SEQUENCE:1", "STATUS:CONFIRMED", "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


def taken(document: bytes) -> tuple[list[EventRow], Any]:
    """The rows that a document makes of nothing, and what became of its components."""
    rewrite, outcome = importing.imported(importing.parsed(document, None), "UTC", [], [])
    return list(rewrite.kept), outcome


@pytest.mark.parametrize(
    "rules",
    [["FREQ=DAILY;UNTIL=21001231T235959Z"], ["FREQ=MONTHLY;BYMONTHDAY=31;COUNT=100"], RULES],
    ids=["daily until", "monthly on the 31st", "of every kind"],
)
def test_an_import_takes_at_most_twice_what_parsing_takes(rules: list[str]) -> None:
    document = events(2_000, *rules)
    taken(events(20, *rules))  # what is loaded once
    # In turns, and the least of each: what else the machine does only ever adds.
    runs = [(cpu(lambda: Calendar.from_ical(document)), cpu(lambda: taken(document))) for _ in range(3)]
    _, outcome = runs[0][1][1]
    assert (outcome.imported, outcome.problems) == (2_000, [])
    assert min(took for _, (took, _) in runs) < 2 * min(parsing for (parsing, _), _ in runs)


def test_rules_that_have_to_be_counted_are_bounded_together() -> None:
    """What no arithmetic shortens is counted for so long; the rest of such events is told, and all others are taken."""
    hard = "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO;COUNT=150"
    document = events(2_000, hard, "FREQ=DAILY;COUNT=1000")
    with at_most(8):
        rows, outcome = taken(document)
    assert 1_000 < outcome.imported < 2_000
    assert outcome.imported + outcome.skipped == 2_000
    assert sum(row.recurrence_rule == "FREQ=DAILY;COUNT=1000" for row in rows) == 1_000
    assert "smaller file" in outcome.problems[0].message


@pytest.mark.parametrize("rules", [["FREQ=DAILY"], RULES], ids=["daily", "of every kind"])
def test_a_list_of_a_year_takes_no_more_than_it_shows(rules: list[str]) -> None:
    rows, _ = taken(events(2_000, *rules))
    with at_most(1.5):  # whole, these are up to 700,000 occurrences and as many microseconds
        listed, truncated = between(YEAR, rows, [])
    assert (len(listed), truncated) == (2_000, True)
    order = [(occurrence.start, occurrence.name) for occurrence in listed]
    assert order == sorted(order)


def test_a_late_window_takes_no_longer_than_an_early_one() -> None:
    rows, _ = taken(events(300, *RULES))
    late = Window(
        since=datetime(2131, 1, 1, tzinfo=UTC),
        before=datetime(2131, 1, 8, tzinfo=UTC),
        first_day=date(2131, 1, 1),
        last_day=date(2131, 1, 7),
    )
    with at_most(0.5):
        listed, _ = between(late, rows, [])
    assert {occurrence.row.recurrence_rule for occurrence in listed} >= {"FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,WE"}
