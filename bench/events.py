"""What a large calendar costs: the list of a year of many series, and an import as large as it may be."""

import statistics
import time
from collections.abc import Callable
from typing import Any, Final

from icalendar import Calendar

from bench.database_cpu import backend_of
from bench.figure import Figure
from bench.stage import Stage
from tests.support.client import Answer
from tests.support.users import User

SERIES: Final = 2_000
EVENTS: Final = 10_000
ROUNDS: Final = 5
# Of every kind: plain ones, by position, on days that not every month has, and such that dateutil follows.
RULES: Final = (
    "FREQ=DAILY",
    "FREQ=WEEKLY;BYDAY=MO,WE",
    "FREQ=WEEKLY;INTERVAL=2;COUNT=500",
    "FREQ=MONTHLY;BYMONTHDAY=31",
    "FREQ=MONTHLY;BYDAY=2TU;UNTIL=21000101T000000Z",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
    "FREQ=YEARLY;COUNT=100",
    "FREQ=YEARLY;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
    "FREQ=YEARLY;BYDAY=20MO",
    "FREQ=DAILY;BYMONTH=3",
)
YEAR: Final = {"start_date": "2033-01-01", "end_date": "2033-12-31"}


def measure(stage: Stage) -> Figure:
    """Each request several times, by a user of its own; the import again changes nothing."""
    figure = Figure(
        "A large calendar",
        f"Milliseconds of CPU time, the median of {ROUNDS}: of the function, which is this process, and of the "
        "Postgres process that serves it. Parsing is what icalendar takes to read the same document alone.",
        ("what", "function", "database"),
    )
    events, series = document(EVENTS, ("",)), document(SERIES, RULES)
    figure.add(f"parsing {EVENTS:,} events", f"{median(lambda: Calendar.from_ical(events)):.0f}", "")
    stage.serve()
    users = [stage.new_user() for _ in range(ROUNDS)]
    users[0].get("/calendar/feed")  # opens the connection
    backend = backend_of(stage)
    requests: dict[str, Callable[[User], Answer]] = {
        f"POST /calendar/import, {EVENTS:,} events": lambda user: sent(user, events),
        "the same again, which changes nothing": lambda user: sent(user, events),
        f"POST /calendar/import, {SERIES:,} series of every kind": lambda user: sent(user, series),
        f"GET /calendar of a year, {SERIES:,} series beside the events": lambda user: user.get("/calendar", query=YEAR),
        "GET /calendar of a day": lambda user: user.get("/calendar", query={"date": "2033-05-05"}),
        "GET /calendar/export.ics, its first part": lambda user: user.get("/calendar/export.ics", query={"part": "1"}),
    }
    for what, request in requests.items():
        function, database = [], []
        for user in users:
            before, began = backend.cpu_ns(), time.process_time()
            answer = request(user)
            function.append((time.process_time() - began) * 1000)
            database.append((backend.cpu_ns() - before) / 1e6)
            assert answer.status == 200, answer.text
        figure.add(what, f"{statistics.median(function):.0f}", f"{statistics.median(database):.0f}")
    return figure


def document(number: int, rules: tuple[str, ...]) -> bytes:
    """So many events, with rules in turn; "" for a single one."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Questlog//Bench//EN"]
    for n in range(number):
        rule = rules[n % len(rules)]
        start = f"2031{n % 12 + 1:02}{n % 28 + 1:02}T{n % 22:02}0000"
        end = start.replace("0000", "4500")
        lines += [
            "BEGIN:VEVENT",
            f"UID:{number}-{n}",
            "DTSTAMP:20310101T000000Z",
            f"DTSTART;TZID=Europe/Berlin:{start}",
        ]
        lines += [f"DTEND;TZID=Europe/Berlin:{end}", *([f"RRULE:{rule}"] if rule else []), f"SUMMARY:Event {n}"]
        lines += [
            "DESCRIPTION:Bring the minutes of the last one\\, please",
            "LOCATION:Room 1",
            "SEQUENCE:1",
            "END:VEVENT",
        ]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


def sent(user: User, content: bytes) -> Answer:
    """The answer to the import of a document."""
    return user.post("/calendar/import", content, headers={"content-type": "text/calendar"})


def median(work: Callable[[], Any]) -> float:
    """The milliseconds of CPU time that something takes."""
    taken = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        taken.append((time.process_time() - began) * 1000)
    return statistics.median(taken)
