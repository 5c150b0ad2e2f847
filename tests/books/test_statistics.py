"""GET /books/stats is what Python counts from the log and the shelf, whatever was written in whatever order."""

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.clock import Clock
from tests.books.test_books import added, logged
from tests.conftest import Database, NewUser, User

# The third of May, 22:00, in Auckland: the first days there are of another month.
NOW = datetime.fromisoformat("2031-05-03T10:00:00Z")
ZONE = ZoneInfo("Pacific/Auckland")
TODAY = date(2031, 5, 3)
UNITS = ("page", "minute", "percent")


def longest_run(days: Iterable[date]) -> int:
    """How many days in a row there are at most."""
    known = set(days)
    return max(
        (next(n for n in range(1, len(known) + 2) if day + timedelta(n) not in known) for day in known), default=0
    )


def current_run(days: set[date]) -> int:
    """How many days in a row there are up to today, or to yesterday."""
    last = next((day for day in (TODAY, TODAY - timedelta(1)) if day in days), None)
    return next(n for n in range(len(days) + 1) if last is None or last - timedelta(n) not in days)


def recounted(user: User) -> dict[str, Any]:
    """What the statistics of the log have to be."""
    log = user.get("/books/sessions", query={"page_size": 100}).data["sessions"]
    days = [datetime.fromisoformat(session["logged_at"]).astimezone(ZONE).date() for session in log]
    pages: Counter[date] = Counter()
    for session, day in zip(log, days, strict=True):
        pages[day] += session["pages_read"] if session["unit"] == "page" else 0
    by_month = Counter[str]()
    for day, count in pages.items():
        by_month[f"{day:%Y-%m}"] += count
    return {
        "reading_sessions": len(log),
        "total_pages_read": pages.total(),
        "total_reading_minutes": sum(
            s["pages_read"] if s["duration_minutes"] is None and s["unit"] == "minute" else s["duration_minutes"] or 0
            for s in log
        ),
        "current_streak_days": current_run(set(days)),
        "longest_streak_days": longest_run(days),
        "pages_this_month": by_month[f"{TODAY:%Y-%m}"],
        "pages_7d": sum(count for day, count in pages.items() if day > TODAY - timedelta(7)),
        "months": [by_month["2031-04"], by_month["2031-05"]],
    }


def rounded(number: Fraction) -> float:
    """The number with two decimals, half up."""
    return math.floor(number * 100 + Fraction(1, 2)) / 100


def shown(user: User) -> dict[str, Any]:
    stats = user.get("/books/stats").data
    shelf = user.get("/books").data["books"]
    rated = [book["rating"] for book in shelf if book["rating"] is not None]
    assert stats["total_books"] == len(shelf)
    assert stats["books_completed"] == sum(book["times_read"] > 0 for book in shelf)
    assert stats["books_reading"] == sum(book["status"] == "reading" for book in shelf)
    assert stats["average_rating"] == (rounded(Fraction(sum(rated)) / len(rated)) if rated else None)
    return {name: stats[name] for name in recounted(user) if name != "months"} | {
        "months": [month["pages"] for month in stats["months"][-2:]]
    }


@dataclass
class Reader:
    """A user, their books, and their logs, each with its book."""

    user: User
    books: list[str] = field(default_factory=list)
    logs: list[tuple[str, str]] = field(default_factory=list)

    def add(self, pick: int) -> None:
        unit = UNITS[pick % 3]
        total = 100 if unit == "percent" else 40
        self.books.append(added(self.user, unit=unit, total_pages=total, rating=1 + pick % 5)["id"])

    def log(self, pick: int) -> None:
        """A log on one of the last days: two in three of a book have no minutes of their own."""
        book = self.books[pick % len(self.books)]
        minutes = (None, None, 10)[pick % 3]
        session = logged(
            self.user,
            {"id": book},
            1 + pick,
            duration_minutes=minutes,
            logged_at=moment(pick),
            notes=str(len(self.logs)),
        )
        self.logs.append((book, session["session_id"]))

    def of_a_log(self, pick: int, act: Callable[[str], None]) -> None:
        if self.logs:
            book, log = self.logs[pick % len(self.logs)]
            act(f"/books/{book}/sessions/{log}")

    def move(self, pick: int) -> None:
        self.of_a_log(pick, lambda path: self.succeed(self.user.patch(path, {"logged_at": moment(pick // 2)})))

    def amend(self, pick: int) -> None:
        self.of_a_log(
            pick,
            lambda path: self.succeed(self.user.patch(path, {"pages_read": 2 + pick, "duration_minutes": pick % 2})),
        )

    def take_back(self, pick: int) -> None:
        self.of_a_log(pick, lambda path: self.succeed(self.user.delete(path)))
        if self.logs:
            del self.logs[pick % len(self.logs)]

    def give_away(self, pick: int) -> None:
        if len(self.books) > 1:
            book = self.books.pop(pick % len(self.books))
            self.logs = [log for log in self.logs if log[0] != book]
            self.succeed(self.user.delete(f"/books/{book}"))

    def shelve(self, pick: int) -> None:
        status = ("want_to_read", "reading", "completed", "abandoned")[pick % 4]
        rating = (None, 4.5, 1)[pick % 3]
        book = self.books[pick % len(self.books)]
        self.succeed(self.user.put(f"/books/{book}", {"status": status, "rating": rating}))

    @staticmethod
    def succeed(answer: Any) -> None:
        assert answer.status == 200, answer.text


def moment(pick: int) -> str:
    """A moment of one of the last nine days in Auckland: the first and the last one of the day, by turns."""
    midnight = datetime.combine(TODAY - timedelta(pick % 9), datetime.min.time(), ZONE)
    return (midnight if pick % 2 or pick % 9 == 0 else midnight + timedelta(hours=23, minutes=59)).isoformat()


STEPS = {"log": 6, "move": 2, "amend": 1, "take_back": 2, "give_away": 1, "add": 1, "shelve": 2}


@settings(max_examples=6)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from([name for name, share in STEPS.items() for _ in range(share)]), st.integers(0, 17)),
        min_size=10,
        max_size=18,
    )
)
def test_after_any_requests(new_user: NewUser, database: Database, clock: Clock, steps: list[tuple[str, int]]) -> None:
    clock.set(NOW)
    reader = Reader(new_user(settings={"timezone": ZONE.key}))
    for pick in range(2):
        reader.add(pick)
    for name, pick in steps:
        getattr(reader, name)(pick)
    assert shown(reader.user) == recounted(reader.user)
    assert database.audit(reader.user.id) == []


def test_months_and_the_year_begin_where_days_do(new_user: NewUser, clock: Clock) -> None:
    """Days begin at three: the first moment of a month is its own, and the one before it the last month's."""
    clock.set(NOW)
    user = new_user(settings={"timezone": ZONE.key, "day_start_hour": 3})
    for first in ((2030, 6, 1), (2030, 7, 1), (2031, 1, 1), (2031, 5, 1), (2031, 6, 1), (2032, 1, 1)):
        moment = datetime(*first, 3, tzinfo=ZONE)
        for at in (moment - timedelta(microseconds=1), moment):
            added(user, status="completed", finished_at=at.isoformat())
    assert user.put("/books/goal", {"target": 12}).status == 200
    stats = user.get("/books/stats").data
    expected = {"2030-06": 2, "2030-07": 1, "2030-12": 1, "2031-01": 1, "2031-04": 1, "2031-05": 2}
    assert {month["month"]: month["books"] for month in stats["months"] if month["books"]} == expected
    # Of this year are also the one in June and the one at its end.
    assert stats["books_this_year"] == 6
    assert stats["goal"] == user.get("/books/goal").data == {"year": 2031, "target": 12, "completed": 6}
    assert user.put("/books/goal", {"year": 2030, "target": 1}).status == 200
    assert user.get("/books/stats").data["goal"]["target"] == 12


def test_the_shelf_in_numbers(user: User) -> None:
    def numbers() -> tuple[int, int, int, float | None]:
        stats = user.get("/books/stats").data
        return stats["total_books"], stats["books_completed"], stats["books_reading"], stats["average_rating"]

    book = f"/books/{added(user, status='completed')['id']}"
    assert numbers() == (1, 1, 0, None)
    assert user.put(book, {"status": "reading", "rating": 4.5}).status == 200
    assert numbers() == (1, 1, 1, 4.5), "it was read before"
    other = f"/books/{added(user, status='reading', rating=2)['id']}"
    assert numbers() == (2, 1, 2, 3.25)
    assert user.put(other, {"status": "abandoned", "rating": None}).status == 200
    assert numbers() == (2, 1, 1, 4.5)
    assert user.delete(book).status == 200
    assert numbers() == (1, 0, 0, None)


def test_days_that_join_runs_and_part_them(user: User, database: Database, clock: Clock) -> None:
    clock.set(NOW)
    book = added(user)

    def log(day: int) -> str:
        session = logged(user, book, 1, logged_at=f"2031-05-0{day}T09:00:00Z", notes="Again")["session_id"]
        return f"/books/{book['id']}/sessions/{session}"

    def streaks() -> tuple[int, int]:
        stats = user.get("/books/stats").data
        return stats["current_streak_days"], stats["longest_streak_days"]

    log(1)
    assert streaks() == (0, 1)
    log(3)
    assert streaks() == (1, 1)
    between = log(2)
    assert streaks() == (3, 3)
    clock.advance("PT11S")  # the same again within ten seconds would be the first one
    again = log(2)
    user.delete(between)
    assert streaks() == (3, 3), "the day has another log"
    user.patch(again, {"logged_at": "2031-05-03T09:30:00Z"})
    assert streaks() == (1, 1)
    user.patch(again, {"logged_at": "2031-05-02T09:30:00Z"})
    assert streaks() == (3, 3)
    user.delete(f"/books/{book['id']}")
    assert streaks() == (0, 0)
    assert database.query("SELECT FROM user_runs WHERE user_id = %s", user.id) == []


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE user_runs SET last_day = last_day + 1 WHERE user_id = %s",
        "DELETE FROM user_runs WHERE user_id = %s",
        "UPDATE user_totals SET amount = amount + 1 WHERE list = 'reading' AND user_id = %s",
        "UPDATE user_totals SET amount = amount + 1 WHERE list = 'reading_minutes' AND user_id = %s",
        "UPDATE user_totals SET total = total + 1 WHERE list = 'books' AND total > 0 AND user_id = %s",
    ],
)
def test_what_is_not_as_the_log_says_is_found_and_made_anew(user: User, database: Database, damage: str) -> None:
    logged(user, added(user, total_pages=100), 30, duration_minutes=20)
    stats = user.get("/books/stats").data
    database.query(damage, user.id)
    assert len(database.audit(user.id)) == 1
    database.query("SELECT count_totals(%s)", user.id)
    assert database.audit(user.id) == []
    assert user.get("/books/stats").data == stats
