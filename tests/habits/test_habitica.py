"""Habitica's export (import formats, 7): what is taken, what is told, and what is never looked at."""

import json
import logging
import re
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from questlog.importing.problems import Refused, TooLarge, Unreadable

from functions.habits.files import read
from functions.habits.history import HabitDay, ImportedHabit, ImportedQuest, Records

SAMPLE = """
{"_id":"00000000-0000-4000-8000-000000000001","apiToken":"MUST-NOT-BE-READ","lastCron":"2031-03-04T07:10:00.000Z",
 "stats":{"lvl":12,"exp":87,"gp":41.530219,"hp":50,"mp":33.2,"class":"warrior"},
 "preferences":{"dayStart":4,"timezoneOffset":-60},"tags":[{"id":"t-1","name":"home"}],
 "history":{"exp":[{"date":"2031-03-04T07:10:00.000Z","value":4310}],"todos":[]},
 "tasks":{
  "dailys":[{"id":"d-1","type":"daily","text":"Stretch :muscle:","notes":"a\\nb","priority":1.5,"value":3.2,
    "frequency":"weekly","everyX":1,
    "repeat":{"m":true,"t":true,"w":true,"th":true,"f":true,"s":false,"su":false},"streak":9,"completed":false,
    "isDue":true,"tags":["t-1","gone"],"startDate":"2030-12-31T23:00:00.000Z","createdAt":"2031-01-01T09:00:00.000Z",
    "history":[{"date":1930000000000,"value":1.7},
      {"date":1930287600000,"value":2.6,"isDue":true,"completed":true},
      {"date":1930374601200,"value":1.6,"isDue":true,"completed":false}]}],
  "habits":[{"id":"h-1","type":"habit","text":"Sugar","up":false,"down":true,"counterUp":0,"counterDown":1,
    "frequency":"weekly","priority":0.1,"value":-2.1,
    "history":[{"date":1930300000000,"value":-2.1,"scoredUp":0,"scoredDown":3}]}],
  "rewards":[{"id":"r-1","type":"reward","text":"Film","value":20}]}}
"""
# The streak of 9 days, of which the file holds one, and the film.
LOSSES = ["Streaks of more days than the file holds were left out: 1.", "Rewards were left out: 1."]
ROLL = datetime(2031, 3, 4, 7, 10, tzinfo=UTC)


def at(moment: datetime) -> int:
    """A time as the entries of a task have it."""
    return round(moment.timestamp() * 1000)


def document(
    tasks: Any, rolls: list[datetime] | None = None, west: int = 0, start: int = 0, more: dict[str, Any] | None = None
) -> bytes:
    entries = [{"date": roll.isoformat().replace("+00:00", "Z"), "value": 1} for roll in rolls or []]
    parts = {
        "preferences": {"dayStart": start, "timezoneOffset": west},
        "history": {"exp": entries, "todos": []},
        "tasks": tasks,
    }
    return json.dumps(parts | (more or {})).encode()


def told(records: Records) -> list[str]:
    return [problem.message for problem in records.problems.in_order()]


def daily(history: list[dict[str, Any]] | None = None, **fields: Any) -> dict[str, Any]:
    """A daily of every day with some history, as a document's tasks."""
    task = {"id": "d-1", "text": "Read", "frequency": "daily", "everyX": 1, "history": history or []}
    return {"dailys": [task | fields]}


def one(tasks: dict[str, Any], **context: Any) -> ImportedHabit:
    """The habit of an export that has nothing to tell."""
    records = read(document(tasks, **context))
    assert (records.format, records.skipped, told(records)) == ("habitica", 0, [])
    return records.habits[0]


def test_the_sample() -> None:
    records = read(SAMPLE.encode())
    assert records.habits == [
        ImportedHabit(
            import_key="habitica:d-1",
            line=None,
            name="Stretch :muscle:",
            description="a\nb",
            frequency="custom",
            custom_days=[1, 2, 3, 4, 5],
            category="home",
            created_on=date(2031, 1, 1),
            days=[HabitDay(date(2031, 3, 3), is_done=True)],
        ),
        ImportedHabit(
            import_key="habitica:h-1",
            line=None,
            name="Sugar",
            kind="amount",
            direction="at_most",
            target_amount=Decimal(0),
            created_on=date(2031, 3, 3),
            days=[HabitDay(date(2031, 3, 3), is_done=False, amount=Decimal(3))],
        ),
    ]
    assert (records.format, records.skipped, records.quests) == ("habitica", 0, [])
    assert told(records) == LOSSES


SECRETS = {
    "_id": "SECRET-id",
    "apiToken": "SECRET-token",
    "auth": {"local": {"email": "SECRET-mail", "hashed_password": "SECRET-hash"}},
    "pushDevices": [{"regId": "SECRET-device"}],
    "webhooks": [{"url": "https://SECRET-hook.test"}],
    "inbox": {"messages": {"m": {"text": "SECRET-message"}}},
    "profile": {"name": "SECRET-name"},
    "notifications": ["SECRET-note"],
}


@pytest.mark.parametrize("tasks", [daily(), {}, {"habits": [{"text": ""}, {"text": "x"}]}, {"dailys": "none"}])
def test_nothing_else_in_the_file_is_kept_logged_or_told(
    tasks: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    data = document(tasks, more=SECRETS)
    try:
        found = repr(read(data))
    except Refused as error:
        found = f"{error!r} {error.__context__!r}"
    assert "SECRET" not in found + caplog.text
    with pytest.raises(Unreadable) as refused:
        read(data[:-5] + b"SECRET")
    assert "SECRET" not in str(refused.value)
    assert refused.value.__suppress_context__


EVERY_DAY = dict.fromkeys(("m", "t", "w", "th", "f", "s", "su"), True)


@pytest.mark.parametrize(
    ("fields", "schedule", "is_told"),
    [
        ({"frequency": "daily", "everyX": 1}, ("daily", 1, [0, 1, 2, 3, 4, 5, 6]), False),
        ({"frequency": "daily", "everyX": 3}, ("weekly", 1, [0, 1, 2, 3, 4, 5, 6]), True),
        ({"frequency": "weekly", "repeat": EVERY_DAY}, ("daily", 1, [0, 1, 2, 3, 4, 5, 6]), False),
        ({"frequency": "weekly", "repeat": EVERY_DAY | {"su": False}}, ("custom", 1, [1, 2, 3, 4, 5, 6]), False),
        ({"frequency": "weekly", "repeat": dict.fromkeys(EVERY_DAY, False)}, ("weekly", 1, list(range(7))), True),
        ({"frequency": "weekly", "everyX": 2, "repeat": EVERY_DAY}, ("weekly", 1, list(range(7))), True),
        ({"frequency": "weekly"}, ("daily", 1, list(range(7))), False),
        ({"frequency": "monthly", "daysOfMonth": [3]}, ("weekly", 1, list(range(7))), True),
        ({"frequency": "yearly"}, ("weekly", 1, list(range(7))), True),
        ({"frequency": None}, ("weekly", 1, list(range(7))), True),
    ],
)
def test_schedules(fields: dict[str, Any], schedule: tuple[str, int, list[int]], is_told: bool) -> None:
    records = read(document(daily(**fields)))
    [habit] = records.habits
    assert (habit.frequency, habit.target_count, habit.custom_days) == schedule
    assert bool(told(records)) is is_told


def test_a_positive_habit_has_no_schedule() -> None:
    history = [
        {"date": at(ROLL), "value": 1, "scoredUp": 13, "scoredDown": 0},
        {"date": at(ROLL) + 1, "value": 1, "scoredUp": 1},
        {"date": at(ROLL - timedelta(days=1)), "value": 1, "scoredUp": 0, "scoredDown": 1},
        {"date": at(ROLL - timedelta(days=2)), "value": 3},
    ]
    task = {"id": "h", "text": "Walk", "up": True, "down": True, "history": history}
    records = read(document({"habits": [task]}, rolls=[ROLL]))
    [habit] = records.habits
    assert told(records) == [
        "Days on which the habit was scored up several times count as done once: 1.",
        "Days on which the habit was scored down were left out: 1.",
    ]
    assert (habit.frequency, habit.target_count) == ("weekly", 1)
    assert habit.days == [HabitDay(date(2031, 3, 4), is_done=True)]


def test_a_negative_habit_is_a_limit_of_nothing_a_day() -> None:
    history = [
        {"date": at(ROLL), "value": -1, "scoredUp": 0, "scoredDown": 2},
        {"date": at(ROLL) + 1, "value": -2, "scoredDown": 1},
        {"date": at(ROLL - timedelta(days=1)), "value": -3, "scoredDown": 4},
        {"date": at(ROLL - timedelta(days=2)), "value": 3},
        {"date": at(ROLL - timedelta(days=3)), "value": -3, "scoredDown": -4},
        {"date": at(ROLL - timedelta(days=4)), "value": -3, "scoredDown": 1e300},
    ]
    habit = one({"habits": [{"id": "h", "text": "Smoke", "up": False, "down": True, "history": history}]}, rolls=[ROLL])
    assert (habit.kind, habit.direction, habit.target_amount, habit.period) == ("amount", "at_most", Decimal(0), "day")
    assert habit.days == [
        HabitDay(date(2031, 3, 3), is_done=False, amount=Decimal(4)),
        HabitDay(date(2031, 3, 4), is_done=False, amount=Decimal(3)),
    ]


def test_a_limit_holds_no_more_on_a_day_than_a_habit_may_have() -> None:
    """However many entries of that day there are."""
    history = [{"date": at(ROLL), "scoredDown": 100_000}] * 10_001
    tasks = {"habits": [{"id": "h-1", "text": "Sugar", "up": False, "down": True, "history": history}]}
    assert [day.amount for day in one(tasks).days] == [1_000_000_000]


@pytest.mark.parametrize("sent", ["a\0b", "a\ud800b", "a\nb", " a b "])
def test_an_id_becomes_a_key_that_can_be_stored(sent: str) -> None:
    task = {"id": sent, "text": "Read"}
    records = read(document({"dailys": [task], "todos": [{**task, "id": f"{sent}c"}]}))
    keys = [records.habits[0].import_key, records.quests[0].import_key]
    assert all(re.fullmatch("habitica:a ?b ?c?", key) for key in keys), keys


def test_an_id_that_cannot_be_stored_at_all_is_none() -> None:
    assert one(daily(id="\0")).import_key == one(daily(id="")).import_key


def test_a_habit_that_cannot_be_scored_is_left_out() -> None:
    records = read(
        document({"habits": [{"id": "h", "text": "Walk", "up": False, "down": False}, {"id": "i", "text": "x"}]})
    )
    assert (records.habits, records.skipped, len(told(records))) == ([], 2, 2)


@pytest.mark.parametrize(
    ("priority", "difficulty"),
    [(0.1, "easy"), (1, "easy"), (1.5, "medium"), (2, "hard"), (None, "easy"), ("x", "easy")],
)
def test_open_to_dos_become_quests(priority: Any, difficulty: str) -> None:
    todos = [
        {"id": "t", "text": "Tax", "notes": "soon", "priority": priority},
        {"id": "u", "text": "Old", "completed": True},
        {"id": "v", "text": ""},
    ]
    records = read(document({"todos": todos}))
    assert [vars_of(quest) for quest in records.quests] == [("habitica:t", "Tax", "soon", difficulty)]
    assert (records.habits, records.skipped) == ([], 0)
    assert told(records) == ["A to-do that has no text was left out.", "Completed to-dos were left out: 1."]


def quest(**fields: Any) -> ImportedQuest:
    """The quest of a to-do, of which nothing is told."""
    records = read(document({"todos": [{"id": "t", "text": "Tax"} | fields]}, more={"tags": TAGS}))
    assert (len(records.quests), told(records)) == (1, [])
    return records.quests[0]


def test_a_checklist_stands_below_the_notes() -> None:
    checklist = [{"text": "one", "completed": True}, {"text": " two "}, {"text": ""}, "x"]
    assert quest(notes="soon", checklist=checklist).description == "soon\n- [x] one\n- [ ] two"
    # Those of a daily begin anew each day.
    assert one(daily(notes="soon", checklist=checklist)).description == "soon\n- one\n- two"


def test_a_to_do_is_as_long_as_a_quest_may_be() -> None:
    whole = quest(text="t" * 200, notes="n" * 5_000)
    assert (len(whole.title), len(whole.description or "")) == (200, 5_000)
    records = read(document({"todos": [{"id": "t", "text": "t" * 201, "notes": "n" * 5_001}]}))
    assert [(len(one.title), len(one.description or "")) for one in records.quests] == [(200, 5_000)]
    assert told(records) == ["Text was cut to 200 characters.", "Text was cut to 5,000 characters."]
    habit = read(document(daily(text="t" * 200, notes="n" * 5_000))).habits[0]
    assert (len(habit.name), len(habit.description or "")) == (120, 2_000)


TAGS = [{"id": "a", "name": "home"}, {"id": "b", "name": "late"}, {"id": "c", "name": "x" * 60}]


def test_the_first_tag_of_a_to_do_is_its_category() -> None:
    assert quest(tags=["gone", "a"]).category == "home"
    assert quest(tags=["gone"]).category is None


@pytest.mark.parametrize(
    ("sent", "due"),
    [
        ("2031-05-09T22:00:00.000Z", datetime(2031, 5, 9, 22, tzinfo=UTC)),
        ("2031-05-09T22:00:00+02:00", datetime(2031, 5, 9, 20, tzinfo=UTC)),
        ("2031-05-09", date(2031, 5, 9)),
        (at(ROLL), ROLL),
        (None, None),
        ("", None),
    ],
)
def test_due_dates(sent: Any, due: date | None) -> None:
    assert quest(date=sent).due == due


def test_due_dates_that_cannot_be_read_are_told_once() -> None:
    todos = [{"id": text, "text": "Tax", "date": text} for text in ("3/13", "today", "9999-12-31", "2031-05-09")]
    records = read(document({"todos": todos}))
    assert [quest.due for quest in records.quests] == [None, None, None, date(2031, 5, 9)]
    assert told(records) == ["Due dates that cannot be read were left out: 3."]


def test_what_tasks_have_besides_is_told_once() -> None:
    reminder = {"id": "r", "startDate": "", "time": "2031-03-04T18:00:00.000Z"}
    more: dict[str, Any] = {"reminders": [reminder], "tags": ["a", "gone", "b"]}
    tasks = daily(streak=3, **more) | {
        "habits": [{"id": "h", "text": "Walk", "up": True} | more],
        "todos": [{"id": "t", "text": "Tax"} | more, {"id": "u", "text": "Old", "completed": True} | more],
        "rewards": [{"id": "w", "text": "Film", "value": 20}, {"id": "x", "text": "Cake", "value": 5}],
    }
    assert sorted(told(read(document(tasks, more={"tags": TAGS})))) == [
        "Completed to-dos were left out: 1.",
        "Reminders of tasks were left out: 3.",
        "Rewards were left out: 2.",
        "Streaks of more days than the file holds were left out: 1.",
        "Tags of a task after its first were left out: 3.",
    ]


def test_a_streak_that_the_days_show_is_not_told() -> None:
    assert len(one(daily([entry(ROLL), entry(ROLL - timedelta(days=1))], streak=2)).days) == 2


def test_a_history_without_days_is_told_once() -> None:
    done = [{"completed": True, "date": moment} for moment in ("soon", True, 1e300, -1, None)]
    history = [{"date": "never", "scoredUp": 1, "scoredDown": 1}, {"date": "never", "value": 2.0}]
    records = read(document(daily(done) | {"habits": [{"id": "h", "text": "Walk", "up": True, "history": history}]}))
    assert [habit.days for habit in records.habits] == [[], []]
    assert told(records) == ["Entries of a history whose day cannot be read were left out: 7."]


def vars_of(quest: ImportedQuest) -> tuple[str, str, str | None, str]:
    return quest.import_key, quest.title, quest.description, quest.difficulty


def entry(moment: datetime, completed: bool | None = True, **more: Any) -> dict[str, Any]:
    return {"date": at(moment), "value": 1.5} | ({} if completed is None else {"completed": completed}) | more


@pytest.mark.parametrize(
    ("history", "days"),
    [
        ([entry(ROLL - timedelta(hours=1))], ["2031-03-04"]),
        ([entry(ROLL + timedelta(hours=1))], ["2031-03-04"]),
        ([entry(ROLL)], ["2031-03-03"]),
        ([entry(ROLL + timedelta(seconds=5))], ["2031-03-03"]),
        ([entry(ROLL - timedelta(seconds=5))], ["2031-03-03"]),
        ([entry(ROLL + timedelta(seconds=5.1))], ["2031-03-04"]),
        ([entry(ROLL - timedelta(seconds=5.1))], ["2031-03-04"]),
        # Ticked, and then closed by the roll: one day, and completed wins.
        ([entry(ROLL - timedelta(hours=20)), entry(ROLL, completed=False)], ["2031-03-03"]),
        ([entry(ROLL, completed=False), entry(ROLL - timedelta(hours=20))], ["2031-03-03"]),
        ([entry(ROLL, completed=False)], []),
        # Not due, and done all the same.
        ([entry(ROLL + timedelta(hours=1), isDue=False)], ["2031-03-04"]),
        # An average, or from before entries said so.
        ([entry(ROLL, completed=None), {"value": 2.0}], []),
        ([{"date": "2031-03-04T10:00:00.000Z", "completed": True}], ["2031-03-04"]),
        ([{"date": float(at(ROLL)) + 7e6, "completed": True}], ["2031-03-04"]),
        ([None, 5, "x", []], []),
    ],
)
def test_the_day_of_an_entry(history: list[dict[str, Any]], days: list[str]) -> None:
    habit = one(daily(history), rolls=[ROLL])
    assert [str(day.day) for day in habit.days] == days
    assert {day.is_done for day in habit.days} <= {True}


@pytest.mark.parametrize(
    ("west", "start", "day"),
    [
        (0, 0, "2031-03-04"),
        (300, 0, "2031-03-03"),
        (-600, 0, "2031-03-04"),
        (0, 5, "2031-03-03"),
        (-600, 16, "2031-03-03"),
    ],
)
def test_days_begin_where_the_user_lives_at_the_hour_they_chose(west: int, start: int, day: str) -> None:
    moment = datetime(2031, 3, 4, 4, 30, tzinfo=UTC)
    assert [str(day.day) for day in one(daily([entry(moment)]), west=west, start=start).days] == [day]


def test_an_entry_at_a_roll_after_days_without_one_is_told() -> None:
    rolls = [ROLL - timedelta(days=3), ROLL]
    records = read(document(daily([entry(ROLL), entry(ROLL - timedelta(days=3))]), rolls))
    assert [str(day.day) for day in records.habits[0].days] == ["2031-02-28", "2031-03-03"]
    [message] = told(records)
    assert message.endswith(": 1.")
    assert one(daily([entry(ROLL)]), rolls=[ROLL - timedelta(days=1), ROLL]).days


def test_exports_of_the_second_version_have_the_tasks_at_the_top() -> None:
    task = daily(dateCreated="2014-03-02T10:00:00.000Z", tags={"t-0": False, "t-1": True, "t-2": True})["dailys"][0]
    tags = [{"id": "t-0", "name": "work"}, {"id": "t-1", "name": "home"}, {"id": "t-2"}]
    records = read(json.dumps({"dailys": [task], "habits": [], "apiToken": "x", "tags": tags}).encode())
    assert [(habit.name, habit.created_on, habit.category) for habit in records.habits] == [
        ("Read", date(2014, 3, 2), "home")
    ]


def test_the_first_tag_that_is_known_is_the_category() -> None:
    tags = [{"id": "a", "name": " "}, {"id": "b", "name": "home"}, None]
    assert one(daily(tags=["gone", "a", "b", 5]), more={"tags": tags}).category == "home"


def test_a_long_category_is_cut_and_told() -> None:
    records = read(document(daily(tags=["c"]), more={"tags": TAGS}))
    assert records.habits[0].category == "x" * 40
    assert told(records) == ["Text was cut to 40 characters."]


def test_what_cannot_be_taken_is_told_and_counted() -> None:
    tasks = {
        "dailys": [{"id": "d", "text": " "}, None, {"id": "d", "text": "A"}, {"id": "d", "text": "B"}],
        "habits": [{"text": "C", "up": True}, {"_id": "c", "text": "C", "up": True}],
    }
    records = read(document(tasks))
    assert [(habit.name, habit.import_key) for habit in records.habits] == [("A", "habitica:d"), ("C", "habitica:c")]
    assert (records.skipped, len(told(records))) == (4, 4)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"{", "is not JSON"),
        (b"{} {}", "is not JSON"),
        (b'{"tasks": NaN}', "is not JSON"),
        (b'{"a":' * 50_000, "is not JSON"),
        (b'{"a": 1' + b"0" * 5_000 + b"}", "is not JSON"),
        (b'{"tasks": {"rewards": []}}', "looked for habits, dailys or todos"),
        (b'{"tasks": []}', "looked for habits, dailys or todos"),
        (b"[]", "neither"),
        (b"PK\x03\x04", "found a ZIP file"),
    ],
)
def test_what_is_no_export_is_refused(data: bytes, error: str) -> None:
    with pytest.raises(Unreadable, match=error):
        read(data, "habitica" if data.startswith(b"PK") else "auto")


def test_a_file_that_is_too_large_is_refused() -> None:
    with pytest.raises(TooLarge):
        read(b'{"a": "' + b"x" * (4 * 1024 * 1024) + b'"}')


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5), st.lists, max_leaves=6)
)
def test_any_values_are_records_or_refused(value: Any) -> None:
    names = ("id", "text", "notes", "frequency", "everyX", "repeat", "history", "tags", "createdAt", "checklist", "up")
    for name in (*names, "date", "reminders", "streak"):
        tasks = {kind: [daily(**{name: value})["dailys"][0]] for kind in ("dailys", "habits", "todos")}
        with suppress(Refused):
            read(document(tasks))
    for name in ("tasks", "history", "preferences", "tags"):
        with suppress(Refused):
            read(document(daily(), more={name: value}))
    with suppress(Refused):
        read(document(daily([value, {"date": value, "completed": True}, entry(ROLL, completed=value)])))
