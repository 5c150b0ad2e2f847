from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from functions.habits import rules
from functions.habits.models import History, HistorySpan, RecordedDay
from tests.conftest import Database, User
from tests.habits.conftest import Later, Today, weekday
from tests.support import factories

# A Monday and a Sunday, four weeks apart; every test below is of weeks long over, but for those of today.
FIRST, LAST = date(2031, 5, 5), date(2031, 6, 1)


def recorded(database: Database, user: User, habit: dict[str, Any], days: dict[date, int], **fields: int) -> None:
    """Completions of days, so many each."""
    for day, count in days.items():
        database.query(
            "INSERT INTO habit_completions (user_id, habit_id, completed_date, ordinal, target, week_target)"
            " SELECT %s, %s, %s, n, %s, %s FROM generate_series(1, %s) AS n",
            *(user.id, habit["id"], day, fields.get("target", 1), fields.get("week_target"), count),
        )


def statuses(
    database: Database, user: User, habit: dict[str, Any], marks: str, *, at: date = LAST + timedelta(30), **fields: int
) -> str:
    """What the days marked with how often the habit was done (or s, skipped) were to it: the first letter of each.

    From FIRST on, one sign a day, seen from the day `at`; the habit was made on FIRST.
    """
    row = marks.replace(" ", "")
    database.query("UPDATE habits SET created_on = %s WHERE id = %s", FIRST, habit["id"])
    days = {FIRST + timedelta(n): mark for n, mark in enumerate(row)}
    recorded(database, user, habit, {day: int(mark) for day, mark in days.items() if mark in "123456789"}, **fields)
    for day in (day for day, mark in days.items() if mark == "s"):
        database.query(
            "INSERT INTO habit_skips (user_id, habit_id, day) VALUES (%s, %s, %s)", user.id, habit["id"], day
        )
    span = (FIRST, FIRST + timedelta(len(row) - 1))
    return "".join(day.status[0] for day in history(database, habit, span, at).days)


def history(database: Database, habit: dict[str, Any], span: tuple[date, date], at: date) -> History:
    """The history of a habit, seen from the day `at`."""
    first, last = span
    facts = database.query(
        "SELECT *, %s::date AS first, %s::date AS last, %s::date AS today, streak AS current_streak"
        " FROM habits WHERE id = %s",
        *(first, last, at, habit["id"]),
    )
    days = database.query(
        "SELECT d.* FROM habits AS h, habit_days(h, week_of(%s), week_of(%s) + 6) AS d WHERE h.id = %s ORDER BY d.date",
        *(first, last, habit["id"]),
    )
    return rules.history(HistorySpan(**facts[0]), [RecordedDay(**day) for day in days])


@pytest.mark.parametrize(
    ("fields", "marks", "expected"),
    [
        ({}, "1.1s1..", "dmdsdmm"),
        ({"target_count": 2}, "21.s2..", "dpmsdmm"),
        ({"frequency": "custom", "custom_days": [1, 3, 5]}, "1.s.1..", "dnsndnn"),
        ({"frequency": "custom", "custom_days": [1, 3, 5]}, ".1...1.", "mdmnmdn"),
    ],
)
def test_days(database: Database, user: User, fields: dict[str, Any], marks: str, expected: str) -> None:
    habit = factories.habit(user, **fields)
    assert statuses(database, user, habit, marks, target=fields.get("target_count", 1)) == expected


@pytest.mark.parametrize(
    ("target", "marks", "expected"),
    [
        (3, "1.1.1..", "dndndnn"),
        (3, "11.....", "ddnnnnm"),  # one short: the last day cost the week
        (3, ".......", "nnnnmmm"),
        (3, "......1", "nnnnmmd"),
        (7, "111.111", "dddmddd"),
        (1, ".......", "nnnnnnm"),
        (2, "1..s...", "dnnsnnm"),
        (1, "1111111", "ddddddd"),
    ],
)
def test_days_of_a_weekly_habit(database: Database, user: User, target: int, marks: str, expected: str) -> None:
    habit = factories.habit(user, frequency="weekly", target_count=target)
    assert statuses(database, user, habit, marks, week_target=target) == expected


def test_the_days_ahead_and_the_days_before_it_was_made(database: Database, user: User) -> None:
    thursday = FIRST + timedelta(3)
    assert statuses(database, user, factories.habit(user), ".......", at=thursday) == "mmmpnnn"
    weekly = factories.habit(user, frequency="weekly", target_count=5)
    assert statuses(database, user, weekly, ".......", at=thursday) == "nnmpnnn"
    before = history(database, weekly, (FIRST - timedelta(7), FIRST - timedelta(1)), LAST)
    assert {day.status for day in before.days} == {"not_due"}


def test_the_last_thirty_days(user: User, later: Later, today: Today) -> None:
    habit = factories.habit(user, target_count=2)
    path = f"/habits/{habit['id']}"
    later(user, 3)
    user.post(f"{path}/complete", {"date": str(today() - timedelta(2)), "notes": "one"})
    user.post(f"{path}/complete", {"date": str(today() - timedelta(2)), "notes": "two"})
    user.post(f"{path}/complete", {"date": str(today() - timedelta(1)), "notes": "half"})
    user.post(f"{path}/skip", {"date": str(today() - timedelta(3))})
    history = user.get(f"{path}/history").data
    assert set(history) == {
        *("days", "completed_days", "due_days", "completion_rate", "current_streak", "longest_streak"),
    }
    days = history["days"]
    assert len(days) == 30
    assert [day["date"] for day in days] == [str(today() - timedelta(29 - n)) for n in range(30)]
    assert days[-4:] == [
        {
            "date": str(today() - timedelta(3)),
            "count": 0,
            "target": 2,
            "status": "skipped",
            "amount": None,
            "notes": None,
        },
        {
            "date": str(today() - timedelta(2)),
            "count": 2,
            "target": 2,
            "status": "done",
            "amount": None,
            "notes": "two",
        },
        {
            "date": str(today() - timedelta(1)),
            "count": 1,
            "target": 2,
            "status": "partial",
            "amount": None,
            "notes": "half",
        },
        {"date": str(today()), "count": 0, "target": 2, "status": "pending", "amount": None, "notes": None},
    ]
    assert {day["status"] for day in days[:-4]} == {"not_due"}
    assert (history["completed_days"], history["due_days"], history["completion_rate"]) == (1, 3, 33)
    assert (history["current_streak"], history["longest_streak"]) == (0, 1)


def test_a_rate_is_at_most_a_hundred(user: User, today: Today) -> None:
    habit = factories.habit(user, frequency="custom", custom_days=[(weekday(today()) + 1) % 7])
    path = f"/habits/{habit['id']}"
    assert user.get(f"{path}/history").data["completion_rate"] == 0
    user.post(f"{path}/complete")
    history = user.get(f"{path}/history").data
    assert (history["completed_days"], history["due_days"], history["completion_rate"]) == (1, 1, 100)


def test_a_span_may_be_named(user: User, today: Today) -> None:
    path = f"/habits/{factories.habit(user)['id']}/history"

    def dates(**query: str) -> list[str]:
        return [day["date"] for day in user.get(path, query=query).data["days"]]

    assert dates(**{"from": "2031-05-01", "to": "2031-05-03"}) == ["2031-05-01", "2031-05-02", "2031-05-03"]
    assert len(dates(to="2031-05-03")) == 30
    assert dates(**{"from": str(today()), "to": ""}) == [str(today())]
    assert len(dates(**{"from": "2030-01-01", "to": "2031-01-01"})) == 366
    assert dates(to="1600-01-30T08:00:00Z")[0] == "1600-01-01"
    assert len(dates(**{"from": "2199-12-01", "to": "2199-12-31"})) == 31


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "2030-01-01", "to": "2031-01-02"}, "from"),
        ({"from": "2031-01-02", "to": "2031-01-01"}, "from"),
        ({"from": "1600-01-01", "to": "2199-12-31"}, "from"),
        ({"from": "1600-01-01"}, "from"),
        ({"from": "2199-12-31"}, "from"),
        ({"from": "1599-12-31", "to": "1600-01-01"}, "from"),
        ({"from": "2199-12-31", "to": "2200-01-01"}, "to"),
        ({"from": "2031-02-30"}, "from"),
        ({"to": "soon"}, "to"),
        ({"to": "86400"}, "to"),
    ],
)
def test_bad_spans_are_named(user: User, query: dict[str, str], field: str) -> None:
    user.get(f"/habits/{factories.habit(user)['id']}/history", query=query).invalid(field)


def test_an_id_of_nothing_has_no_history(user: User) -> None:
    user.get(f"/habits/{UUID(int=1)}/history").refused(404, "not_found")
