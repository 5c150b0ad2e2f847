"""What other groups read of habits: the plan of a day, today and the badges."""

from datetime import date, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.conftest import Database, User
from tests.habits.conftest import Later, Today, weekday
from tests.support import factories


def on_day(database: Database, user: User, day: date) -> dict[str, dict[str, Any]]:
    """habits_on() of a day, by name, asked as the user."""
    with psycopg.connect(database.app_url, row_factory=dict_row) as connection:
        connection.execute("SELECT set_config('app.user_id', %s, true)", [str(user.id)])
        rows = connection.execute("SELECT * FROM habits_on(%s)", [day]).fetchall()
    return {row["name"]: row for row in rows}


def flags(row: dict[str, Any]) -> tuple[bool, bool, bool, bool]:
    return row["due"], row["done"], row["skipped"], row["pending"]


def test_habits_on_a_day(user: User, other: User, database: Database, later: Later, today: Today) -> None:
    factories.habit(other, name="someone else's")
    kinds: dict[str, dict[str, Any]] = {
        "open": {},
        "done": {},
        "part": {"target_count": 2},
        "skipped": {},
        "free": {"frequency": "custom", "custom_days": [(weekday(today()) + 1) % 7]},
        "week open": {"frequency": "weekly", "target_count": 7},
        "week met": {"frequency": "weekly", "target_count": 1},
        "archived": {},
    }
    ids = {name: factories.habit(user, name=name, **fields)["id"] for name, fields in kinds.items()}
    for name in ("done", "part", "week open", "week met"):
        user.post(f"/habits/{ids[name]}/complete")
    user.post(f"/habits/{ids['skipped']}/skip")
    user.post(f"/habits/{ids['archived']}/archive")
    rows = on_day(database, user, today())
    assert {name: flags(row) for name, row in rows.items()} == {
        "open": (True, False, False, True),
        "done": (True, True, False, False),
        "part": (True, False, False, True),
        "skipped": (False, False, True, False),
        "free": (False, False, False, False),
        "week open": (True, True, False, False),
        "week met": (False, True, False, False),
    }
    assert rows["done"]["habit_id"].hex == ids["done"].replace("-", "")
    shown = {habit["name"]: habit for habit in user.get("/habits").data["habits"]}
    assert {name: (h["due_today"], h["completed_today"], h["skipped_today"]) for name, h in shown.items()} == {
        name: flags(row)[:3] for name, row in rows.items()
    }
    later(user, 1)
    assert flags(on_day(database, user, today())["done"]) == (True, False, False, True)
    assert flags(on_day(database, user, today() - timedelta(1))["done"]) == (True, True, False, False)


def test_a_week_is_monday_to_sunday(user: User, database: Database, later: Later, today: Today) -> None:
    later(user, (5 - today().isoweekday()) % 7)
    friday = today()
    path = f"/habits/{factories.habit(user, name='run', frequency='weekly', target_count=2)['id']}"
    assert flags(on_day(database, user, friday)["run"]) == (True, False, False, True)
    user.post(f"{path}/complete")
    later(user, 2)
    user.post(f"{path}/complete")
    # The Sunday is the second day of its week, whichever day from Monday on is asked for, and of no other week.
    due = [on_day(database, user, friday + timedelta(days))["run"]["due"] for days in range(-5, 5)]
    assert due == [True, *[False] * 7, True, True]
