"""Habits as Habitica exports them, inside a document with everything else of a user.

Facts: imports contract, import formats 7. The document also holds an API token, addresses and messages: only the parts
named in `_parts` are read, and nothing of the others is kept, logged or put into a message.
"""

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

from questlog.importing.problems import Problems, Unreadable
from questlog.importing.tables import decoded
from questlog.importing.values import clean_line, fold

from functions.habits.history import (
    DUE_ON,
    LARGEST_AMOUNT,
    LONGEST_NAME,
    LONGEST_TEXT_OF_QUEST,
    LONGEST_TITLE_OF_QUEST,
    Days,
    Difficulty,
    HabitDay,
    ImportedHabit,
    ImportedQuest,
    Records,
    category_of,
    import_key,
    name_of,
    text_of,
)
from functions.habits.models import Frequency

FORMAT: Final = "habitica"
_KINDS: Final = ("habits", "dailys", "todos")
# The days of `repeat` in the order of our weekdays, 0 Sunday.
_WEEKDAYS: Final = ("su", "m", "t", "w", "th", "f", "s")
_DIFFICULTIES: Final[dict[float, Difficulty]] = {0.1: "easy", 1: "easy", 1.5: "medium", 2: "hard"}
# Habitica writes an entry when a day ends. An entry this close to the end of a day is such a one.
_AT_ROLL: Final = timedelta(seconds=5)
_ONE_DAY: Final = timedelta(days=1)
# More than anybody scores a habit on one day.
MOST_CLICKS: Final = 100_000
_NO_DAY: Final = "Entries of a history whose day cannot be read were left out"
_YEARS: Final = range(2000, 2200)


class _Document(NamedTuple):
    """What is read of the file."""

    tasks: Mapping[str, list[Any]]
    tags: Mapping[str, str]
    rolls: list[datetime]
    offset: timedelta


class _Schedule(NamedTuple):
    frequency: Frequency
    target_count: int = 1
    custom_days: tuple[int, ...] = tuple(range(7))


@dataclass(slots=True)
class _Reading:
    """What has been read so far, and the problems."""

    document: _Document
    problems: Problems
    habits: list[ImportedHabit]
    quests: list[ImportedQuest]
    skipped: int = 0
    keys: set[str] = field(default_factory=set)
    # What has no place here, and how much of it there is in the file.
    losses: Counter[str] = field(default_factory=Counter)


def read(data: bytes) -> Records:
    """The habits, dailies and open to-dos of a Habitica export. Raises Refused, with the reason, if it is none."""
    reading = _Reading(_parts(data), Problems(), [], [])
    for task in reading.document.tasks["dailys"]:
        _take_daily(reading, task)
    for task in reading.document.tasks["habits"]:
        _take_habit(reading, task)
    for task in reading.document.tasks["todos"]:
        _take_todo(reading, task)
    reading.losses["Rewards were left out"] += len(reading.document.tasks["rewards"])
    for message, count in reading.losses.items():
        reading.problems.sum_up(message, count)
    return Records(
        format=FORMAT,
        habits=reading.habits,
        quests=reading.quests,
        skipped=reading.skipped,
        problems=reading.problems,
    )


def _parts(data: bytes) -> _Document:
    try:
        document = json.loads(decoded(data), parse_constant=_refused)
    except (ValueError, RecursionError):
        raise Unreadable("is not JSON") from None
    document = _object(document)
    # Exports of the second version of the app have the tasks at the top.
    tasks = _object(document.get("tasks")) or document
    if not any(isinstance(tasks.get(kind), list) for kind in _KINDS):
        raise Unreadable(
            "is not a Habitica export: looked for habits, dailys or todos in tasks, and found none of them"
        )
    history, preferences = _object(document.get("history")), _object(document.get("preferences"))
    moments = (_moment(_object(entry).get("date")) for name in ("exp", "todos") for entry in _list(history.get(name)))
    west, start = _number(preferences.get("timezoneOffset")), _number(preferences.get("dayStart"))
    if not (-16 * 60 <= west <= 16 * 60 and 0 <= start < 24):
        west = start = 0
    return _Document(
        tasks={kind: _list(tasks.get(kind)) for kind in (*_KINDS, "rewards")},
        tags={
            str(_object(tag).get("id")): clean_line(_text(_object(tag).get("name")))
            for tag in _list(document.get("tags"))
        },
        rolls=sorted(moment for moment in moments if moment),
        offset=timedelta(minutes=-west, hours=-start),
    )


def _refused(_: str) -> None:
    raise ValueError("is not JSON")


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> float:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else 0


def _moment(value: object) -> datetime | None:
    """A point in time as Habitica writes it: milliseconds since 1970, or ISO 8601 in UTC. None for anything else."""
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value)
            found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found = datetime.fromtimestamp(value / 1000, UTC)
        else:
            return None
    except (ValueError, OverflowError, OSError):
        return None
    return found if found.year in _YEARS else None


# Tasks ------------------------------------------------------------------------------------------------------------


def _take_daily(reading: _Reading, sent: Any) -> None:
    task = _object(sent)
    name = _name(reading, task, "daily")
    if name is not None:
        schedule = _schedule(task, name, reading.problems)
        habit = _habit(reading, task, name, schedule, _days_of_daily(reading, task, name))
        reading.habits.append(habit)
        # Streaks are counted from days, of which the file holds only the last.
        reading.losses["Streaks of more days than the file holds were left out"] += _number(task.get("streak")) > len(
            habit.days
        )


def _take_habit(reading: _Reading, sent: Any) -> None:
    task = _object(sent)
    name = _name(reading, task, "habit")
    if name is None:
        return
    slips = _clicks(reading, task, "scoredDown")
    if task.get("up") is True:
        clicks = _clicks(reading, task, "scoredUp")
        days = [HabitDay(day, is_done=True) for day in clicks]
        reading.habits.append(_habit(reading, task, name, _Schedule("weekly"), days))
        if several := sum(times > 1 for times in clicks.values()):
            message = f"Days on which the habit was scored up several times count as done once: {several}."
            reading.problems.tell(None, name, message)
        if slips:
            message = f"Days on which the habit was scored down were left out: {len(slips)}."
            reading.problems.tell(None, name, message)
    elif task.get("down") is True:
        days = [HabitDay(day, is_done=False, amount=times) for day, times in slips.items()]
        limit = _habit(reading, task, name, _Schedule("daily"), days)
        nothing = replace(limit, kind="amount", direction="at_most", target_amount=Decimal(0))
        reading.habits.append(nothing)
    else:
        reading.skipped += 1
        reading.problems.tell(None, name, "The habit was left out: it can be scored neither up nor down.")


def _clicks(reading: _Reading, task: Mapping[str, Any], kind: str) -> dict[date, Decimal]:
    """How often a habit was scored up or down on each day on which it was."""
    clicks: dict[date, Decimal] = {}
    for entry in map(_object, _list(task.get("history"))):
        times, moment = _number(entry.get(kind)), _moment(entry.get("date"))
        if not 0 < times <= MOST_CLICKS:
            continue
        if moment is None:
            reading.losses[_NO_DAY] += 1
        else:
            day = _day(moment, reading.document)
            clicks[day] = min(clicks.get(day, Decimal(0)) + round(times), LARGEST_AMOUNT)
    return clicks


def _take_todo(reading: _Reading, sent: Any) -> None:
    task = _object(sent)
    if task.get("completed") is True:
        reading.losses["Completed to-dos were left out"] += 1
        return
    title = _name(reading, task, "to-do", LONGEST_TITLE_OF_QUEST)
    if title is None:
        return
    due = _due(task.get("date"))
    reading.losses["Due dates that cannot be read were left out"] += due is None and bool(task.get("date"))
    notes = _text(task.get("notes"))
    items = [f"- [{'x' if is_done else ' '}] {item}" for item, is_done in _checklist(task)]
    longest = LONGEST_TEXT_OF_QUEST - (len(DUE_ON.format(due)) if due else 0)
    reading.quests.append(
        ImportedQuest(
            import_key=_key(task, title),
            title=title,
            description=text_of([notes, *items], None, title, reading.problems, longest),
            difficulty=_DIFFICULTIES.get(_number(task.get("priority")), "easy"),
            category=_category(reading, task, title),
            due=due,
        )
    )


def _due(value: object) -> date | None:
    """The date or the instant at which a to-do is due. None also for words, which old versions of the app accepted."""
    found = _moment(value)
    return found.date() if found and isinstance(value, str) and len(value) <= len("2031-03-04") else found


def _name(reading: _Reading, task: Mapping[str, Any], kind: str, longest: int = LONGEST_NAME) -> str | None:
    """The name of a task; None for one that is left out, which is reported, and counted unless it is a to-do."""
    name = name_of(_text(task.get("text")), None, reading.problems, longest)
    key = _key(task, name)
    if name and key not in reading.keys:
        reading.keys.add(key)
        return name
    reading.skipped += kind != "to-do"
    reading.problems.tell(
        None, name, f"A {kind} that {'is in the file twice' if name else 'has no text'} was left out."
    )
    return None


def _key(task: Mapping[str, Any], name: str) -> str:
    return import_key(FORMAT, clean_line(_text(task.get("id"))) or clean_line(_text(task.get("_id"))) or fold(name))


def _checklist(task: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """The items of a checklist, and whether each is done."""
    for item in map(_object, _list(task.get("checklist"))):
        if text := clean_line(_text(item.get("text"))):
            yield text, item.get("completed") is True


def _category(reading: _Reading, task: Mapping[str, Any], name: str) -> str | None:
    """The first of a task's tags. The others, and the task's reminders, are counted as losses."""
    sent = task.get("tags")
    # Exports of the second version of the app have an object whose names are the tags.
    tags = [tag for tag, is_set in sent.items() if is_set is True] if isinstance(sent, dict) else _list(sent)
    names = [found for tag in tags if (found := reading.document.tags.get(str(tag)))]
    reading.losses["Tags of a task after its first were left out"] += len(names[1:])
    reading.losses["Reminders of tasks were left out"] += len(_list(task.get("reminders")))
    return category_of("".join(names[:1]), name, reading.problems)


def _habit(
    reading: _Reading, task: Mapping[str, Any], name: str, schedule: _Schedule, days: list[HabitDay]
) -> ImportedHabit:
    document = reading.document
    unique = Days()
    for day in days:
        unique.add(day)
    in_order = unique.in_order()
    created = _moment(task.get("createdAt")) or _moment(task.get("dateCreated"))
    first = [*(day.day for day in in_order[:1]), *([_day(created, document)] if created else [])]
    # The items of a checklist are not done for good: a daily begins anew each day.
    items = [f"- {item}" for item, _ in _checklist(task)]
    return ImportedHabit(
        import_key=_key(task, name),
        line=None,
        name=name,
        description=text_of([_text(task.get("notes")), *items], None, name, reading.problems),
        frequency=schedule.frequency,
        target_count=schedule.target_count,
        custom_days=list(schedule.custom_days),
        category=_category(reading, task, name),
        created_on=min(first, default=None),
        days=in_order,
    )


def _schedule(task: Mapping[str, Any], name: str, problems: Problems) -> _Schedule:
    """When a daily is due: every day, or on days of the week. Other schedules become once a week, and a problem."""
    frequency, every = task.get("frequency", "weekly"), _number(task.get("everyX", 1))
    if frequency == "daily" and every == 1:
        return _Schedule("daily")
    if frequency == "weekly" and every == 1:
        repeat = _object(task.get("repeat"))
        days = tuple(number for number, day in enumerate(_WEEKDAYS) if repeat.get(day, True) is True)
        if len(days) == 7:
            return _Schedule("daily")
        if days:
            return _Schedule("custom", custom_days=days)
    problems.tell(None, name, "The schedule is not kept: the habit is due on 1 day of the week.")
    return _Schedule("weekly")


# Days -------------------------------------------------------------------------------------------------------------


def _days_of_daily(reading: _Reading, task: Mapping[str, Any], name: str) -> list[HabitDay]:
    """The days a daily was done on. Entries that are averages, or too old to say, have no `completed`."""
    days, unsure = [], 0
    for entry in map(_object, _list(task.get("history"))):
        moment = _moment(entry.get("date"))
        if entry.get("completed") is not True:
            continue
        if moment is None:
            reading.losses[_NO_DAY] += 1
            continue
        day, is_sure = _day_meant(moment, reading.document)
        unsure += not is_sure
        days.append(HabitDay(day, is_done=True))
    if unsure:
        message = f"Completions that may be of an earlier day, since the app was not opened for days: {unsure}."
        reading.problems.tell(None, name, message)
    return days


def _day(moment: datetime, document: _Document) -> date:
    """The user's day at a point in time, which begins at the hour they chose."""
    return (moment + document.offset).date()


def _day_meant(moment: datetime, document: _Document) -> tuple[date, bool]:
    """The day that an entry is about, and whether that is certain.

    An entry is written when a daily is ticked, and when the app ends the day, which it does at the user's next visit.
    An entry of the second kind is about the day before that visit, or about any day since the visit before.
    """
    rolls = document.rolls
    at = bisect_left(rolls, moment - _AT_ROLL)
    if at == len(rolls) or rolls[at] > moment + _AT_ROLL:
        return _day(moment, document), True
    rolled = _day(rolls[at], document)
    is_sure = at == 0 or rolled - _day(rolls[at - 1], document) <= _ONE_DAY
    return rolled - _ONE_DAY, is_sure
