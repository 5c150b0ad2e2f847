"""Habits as Loop Habit Tracker exports them: a ZIP of CSV files, read and written.

Facts: imports contract, import formats 5. A folder per habit holds its days; a file at the root holds those of all
habits side by side, under names without quotes, and is read where a folder is missing.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from questlog.importing.archives import MAX_UNPACKED, unpacked
from questlog.importing.dates import day_of
from questlog.importing.problems import Problems, Refused, Unreadable
from questlog.importing.tables import Row, decoded, read_lines, read_table
from questlog.importing.values import clean_line, decimal_of, integer_of, rounded

from functions.habits.history import (
    LARGEST_AMOUNT,
    LEAST_AMOUNT,
    LONGEST_UNIT,
    Days,
    HabitDay,
    ImportedHabit,
    Records,
    import_key,
    name_of,
    text_of,
)
from functions.habits.models import Direction, Frequency, Kind, Period

FORMAT: Final = "loop"
# Our own export is in Loop's layout.
OWN_FORMAT: Final = "questlog"
# The file with all habits side by side is written up to so many values; the folders have them too.
_MOST_SIDE_BY_SIDE: Final = 1_000_000
_HABITS: Final = "Habits.csv"
_CHECKMARKS: Final = "Checkmarks.csv"
_ALIASES: Final = {"numrepetitions": "frequencynumerator", "interval": "frequencydenominator"}
_REQUIRED: Final = frozenset({"name", "frequencynumerator", "frequencydenominator"})

UNKNOWN: Final = -1
NO: Final = 0
YES_AUTO: Final = 1
YES_MANUAL: Final = 2
SKIP: Final = 3
_WORDS: Final = {"unknown": UNKNOWN, "no": NO, "yes_auto": YES_AUTO, "yes_manual": YES_MANUAL, "skip": SKIP}
# Version 2.0 wrote an object of the program as text into each cell, with a comma that is not quoted.
_ENTRY: Final = re.compile(r"Entry\(timestamp=[^,()]*, ?value=(-?\d{1,13})\)")
_NUMBER: Final = re.compile(r"-?\d{1,13}")
_FOLDER: Final = re.compile(r"(\d{1,6})(?!\d)")
_COLOR: Final = re.compile(r"#[0-9A-Fa-f]{6}")
_THOUSAND: Final = Decimal(1000)


class _Entry(NamedTuple):
    """A day of a habit, the value as a number (see the names above; others are amounts times 1000)."""

    day: date
    value: int
    notes: str = ""


@dataclass(frozen=True, slots=True)
class _Listed:
    """A line of Habits.csv."""

    row: Row
    position: int
    name: str


def read(data: bytes, *, own: bool = False) -> Records:
    """The habits of a Loop export; with `own`, of one that `written` made. Raises Refused if it is none."""
    source = OWN_FORMAT if own else FORMAT
    files = _files(data)
    try:
        table = read_table(files[_HABITS])
    except Refused as error:
        raise Unreadable(f"is not a Loop export: its {_HABITS} {error}") from None
    if not _REQUIRED.issubset(_ALIASES.get(name, name) for name in table.columns):
        looked_for = "Name and a frequency (FrequencyNumerator or NumRepetitions, and so on)"
        raise Unreadable(f"is not a Loop export: looked in {_HABITS} for {looked_for}, found {table.found()}")
    problems = Problems()
    listed, skipped = _listed(list(table.rows(_ALIASES, problems)), problems)
    of_folders = _entries_of_folders(files, listed, problems)
    missing = [habit for habit in listed if habit.position not in of_folders]
    if missing and _CHECKMARKS in files:
        of_folders |= _entries_of_root(files[_CHECKMARKS], listed, missing, problems)
    habits = [_habit(source, habit, of_folders.get(habit.position, []), problems) for habit in listed]
    return Records(format=source, habits=habits, quests=[], skipped=skipped, problems=problems)


def _files(data: bytes) -> dict[str, bytes]:
    """The files by their path relative to Habits.csv, which is in a folder if the archive was repacked."""
    names = (_HABITS.casefold(), _CHECKMARKS.casefold())
    found = {
        name.replace("\\", "/"): content
        for name, content in unpacked(data, lambda name: name.replace("\\", "/").casefold().endswith(names)).items()
        if "__MACOSX" not in name
    }
    roots = [name for name in found if name.casefold().rpartition("/")[2] == names[0]]
    if not roots:
        raise Unreadable(f"is not a Loop export: looked for {_HABITS} in the archive, and there is none")
    root = min(roots, key=len)[: -len(_HABITS)]
    below = {name[len(root) :]: content for name, content in found.items() if name.startswith(root)}
    at_root = {path: path.casefold().capitalize() for path in below if "/" not in path}
    return {at_root.get(path, path): content for path, content in below.items()}


def _listed(rows: list[Row], problems: Problems) -> tuple[list[_Listed], int]:
    """The habits that Habits.csv lists, and how many of its lines were left out."""
    listed: dict[int, _Listed] = {}
    for index, row in enumerate(rows, 1):
        name = name_of(row["name"], row.line, problems)
        position = int(row["position"]) if re.fullmatch(r"\d{1,6}", row["position"].strip()) else index
        if not name:
            problems.tell(row.line, None, "The habit has no name.")
        elif position in listed:
            problems.tell(row.line, name, f"Position {position} is in the file twice.")
        else:
            listed[position] = _Listed(row, position, name)
    return list(listed.values()), len(rows) - len(listed)


# Days -------------------------------------------------------------------------------------------------------------


def _entries_of_folders(
    files: Mapping[str, bytes], listed: list[_Listed], problems: Problems
) -> dict[int, list[_Entry]]:
    """The entries by position. A folder is known by its number, since names in other scripts are dropped from it."""
    names = {habit.position: habit.name for habit in listed}
    found: dict[int, list[_Entry]] = {}
    for path, content in files.items():
        folder, _, file = path.rpartition("/")
        number = _FOLDER.match(folder)
        if not number or "/" in folder or file.casefold() != _CHECKMARKS.casefold():
            continue
        position = int(number[1])
        name = names.get(position)
        if name is None:
            problems.tell(None, folder, f"The folder belongs to no habit of {_HABITS}.")
        elif content.strip():
            try:
                found[position] = list(_entries(read_lines(content), name, problems))
            except Refused as error:
                problems.tell(None, name, f"The days of the habit cannot be read: their file {error}.")
        else:
            found[position] = []
    return found


def _entries(lines: list[tuple[int, list[str]]], name: str, problems: Problems) -> Iterator[_Entry]:
    """The entries of one habit's file; old versions write no header."""
    for line, (day, *cells) in lines:
        if day.strip().casefold() == "date":
            continue
        entry = [",".join(cells)] if cells and cells[0].startswith("Entry(") else cells
        value, notes, *_ = [*entry, "", ""]
        yield from _entry((day, value, notes), line, name, problems)


def _entry(cells: tuple[str, str, str], line: int, name: str, problems: Problems) -> Iterator[_Entry]:
    """The entry of a day, a value and notes. One that cannot be read becomes a problem and None."""
    day, value, notes = cells
    try:
        at, number = day_of(day), _number(value)
    except ValueError as error:
        problems.tell(line, name, f"A day was left out: it {error}.")
        return
    if at is not None:
        yield _Entry(at, number, notes)


def _number(value: str) -> int:
    value = value.strip()
    if found := _ENTRY.fullmatch(value):
        return int(found[1])
    if value.casefold() in _WORDS:
        return _WORDS[value.casefold()]
    if _NUMBER.fullmatch(value):
        return int(value)
    raise ValueError(f"has a value that is not known: {value[:30] or 'none'}")


def _entries_of_root(
    data: bytes, listed: list[_Listed], missing: list[_Listed], problems: Problems
) -> dict[int, list[_Entry]]:
    """The entries of the habits without a file of their own, by position, from the file that has all side by side."""
    try:
        header, *lines = decoded(data, MAX_UNPACKED).splitlines() or [""]
    except Refused as error:
        problems.tell(None, None, f"{_CHECKMARKS} cannot be read: it {error}.")
        return {}
    columns = _columns(header.strip(), listed)
    if columns is None:
        problems.tell(1, None, f"The names in {_CHECKMARKS} are not those of {_HABITS}: it was not read.")
        return {}
    found: dict[int, list[_Entry]] = {habit.position: [] for habit in missing}
    for line, text in enumerate(lines, 2):
        day, *values = _cells(text)
        if not day:
            continue
        if len(values) != len(columns):
            problems.tell(line, None, f"A line of {_CHECKMARKS} has not as many values as there are habits.")
            continue
        for habit, value in zip(columns, values, strict=True):
            if habit.position in found:
                found[habit.position].extend(_entry((day, value, ""), line, habit.name, problems))
    return {position: _since_known(entries) for position, entries in found.items()}


def _since_known(entries: list[_Entry]) -> list[_Entry]:
    """The entries from the first one with data on: this file has a line for each day, also before the habit existed."""
    first = min((entry.day for entry in entries if entry.value not in (UNKNOWN, NO)), default=date.max)
    return [entry for entry in entries if entry.day >= first]


def _cells(text: str) -> list[str]:
    """The cells of a line without quotes, without the empty one that its last comma makes."""
    text = text.strip().rstrip(",;")
    if "Entry(" in text:
        return [text.partition(",")[0], *(found[0] for found in _ENTRY.finditer(text))]
    return re.split("[,;]", text)


def _columns(header: str, listed: list[_Listed]) -> list[_Listed] | None:
    """The habits in the order of the columns; None when the header does not consist of their names.

    Names stand there without quotes, so that one with a comma looks like two: they are taken off one by one.
    """
    separator, rest = header[4:5], header[5:].rstrip(",;")
    if header[:4].casefold() != "date" or separator not in (",", ";"):
        return None
    columns = []
    for habit in listed:
        written = habit.row["name"].strip()
        for name in (written, _quoted(written)):
            if rest == name or rest.startswith(name + separator):
                columns.append(habit)
                rest = rest[len(name) + 1 :]
                break
    return None if rest else columns


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


# Habits -----------------------------------------------------------------------------------------------------------


def _habit(source: str, listed: _Listed, entries: list[_Entry], problems: Problems) -> ImportedHabit:
    row, name = listed.row, listed.name
    known = [entry for entry in entries if entry.value != UNKNOWN]
    goal = _goal(row, entries, name, problems)
    period = (
        None if goal is None else _PERIODS.get((row["frequencynumerator"].strip(), row["frequencydenominator"].strip()))
    )
    schedule: tuple[Frequency, int] = ("daily", 1) if period else _schedule(row, name, problems)
    color = row["color"].strip()
    return ImportedHabit(
        import_key=import_key(source, f"{listed.position:03}", clean_line(row["name"])),
        line=row.line,
        name=name,
        description=text_of([row["question"], row["description"]], row.line, name, problems),
        frequency=schedule[0],
        target_count=schedule[1],
        kind="check" if goal is None else "amount",
        direction="at_least" if goal is None else goal.direction,
        target_amount=None if goal is None else goal.target,
        unit=None if goal is None else goal.unit,
        period=period or "day",
        color=color if _COLOR.fullmatch(color) else None,
        is_active=row["archived?"].strip().casefold() != "true",
        created_on=min((entry.day for entry in known), default=None),
        days=_days(listed, goal, known, problems),
    )


def _schedule(row: Row, name: str, problems: Problems) -> tuple[Frequency, int]:
    """How often a habit is due: daily, or on a number of days a week; other intervals become the nearest of these."""
    try:
        times, days = integer_of(row["frequencynumerator"]) or 0, integer_of(row["frequencydenominator"]) or 0
    except ValueError:
        times = days = 0
    if times == days == 1:
        return "daily", 1
    if days == 7 and 1 <= times <= 7:
        return "weekly", times
    if times < 1 or days < 1:
        problems.tell(row.line, name, "The frequency cannot be read: the habit is due on 1 day of the week.")
        return "weekly", 1
    target = min(max(int(rounded(Decimal(7 * times) / days, 0)), 1), 7)
    due = f"{target} day{'s' * (target > 1)} of the week"
    problems.tell(row.line, name, f"A frequency of {times} in {days} days is not kept: the habit is due on {due}.")
    return "weekly", target


def _days(listed: _Listed, goal: "_Goal | None", entries: list[_Entry], problems: Problems) -> list[HabitDay]:
    row, name = listed.row, listed.name
    days, lost_notes = Days(), 0
    for entry in entries:
        amount = None if goal is None else goal.amount(entry.value)
        is_done = entry.value == YES_MANUAL if goal is None or amount is None else goal.is_met(amount)
        if is_done or amount is not None:
            notes = text_of([entry.notes], row.line, name, problems)
            days.add(HabitDay(entry.day, is_done=is_done, notes=notes, amount=amount))
            continue
        if entry.value == SKIP:
            days.add(HabitDay(entry.day, is_done=False))
        lost_notes += bool(entry.notes.strip())
    if lost_notes:
        problems.tell(row.line, name, f"Notes of days that are not done were left out: {lost_notes}.")
    return days.in_order()


# The periods of amounts, as Loop writes them.
_PERIODS: Final[dict[tuple[str, str], Period]] = {("1", "1"): "day", ("1", "7"): "week", ("1", "30"): "month"}


@dataclass(frozen=True, slots=True)
class _Goal:
    """When a day of a habit with amounts counts as done."""

    unit: str | None
    target: Decimal
    direction: Direction

    def amount(self, value: int) -> Decimal | None:
        """The amount that a value means; None for a day without data and for a skip.

        A day marked as done without an amount has the target itself, or 0 if the target is a limit.
        """
        if value == YES_MANUAL:
            return self.target if self.direction == "at_least" else Decimal(0)
        if value < 0 or value in (YES_AUTO, SKIP):
            return None
        return min(rounded(Decimal(value) / _THOUSAND), LARGEST_AMOUNT)

    def is_met(self, amount: Decimal) -> bool:
        return amount <= self.target if self.direction == "at_most" else amount >= self.target


def _goal(row: Row, entries: list[_Entry], name: str, problems: Problems) -> _Goal | None:
    """The goal of a habit with amounts; None for a habit that is only done or not. Old files do not say which it is.

    Without a target any amount is enough, and for a limit none is too much.
    """
    kind = row["type"].strip().casefold()
    if kind != "numerical" and (kind or all(entry.value <= SKIP for entry in entries)):
        return None
    direction: Direction = "at_most" if row["target type"].strip().casefold() == "at_most" else "at_least"
    least, unknown = (Decimal(0), LARGEST_AMOUNT) if direction == "at_most" else (LEAST_AMOUNT, LEAST_AMOUNT)
    try:
        said = decimal_of(row["target value"])
    except ValueError:
        problems.tell(row.line, name, "The target value is not a number: any amount counts.")
        said = None
    target = unknown if said is None else min(max(rounded(said), least), LARGEST_AMOUNT)
    unit = clean_line(row["unit"])
    if len(unit) > LONGEST_UNIT:
        problems.tell(row.line, name, f"The unit was cut to {LONGEST_UNIT} characters.")
    return _Goal(unit[:LONGEST_UNIT].rstrip() or None, target, direction)


# Writing ----------------------------------------------------------------------------------------------------------


class ExportedDay(NamedTuple):
    """How often a habit was done on a day, or that it was skipped, and the sum of its amounts."""

    times: int
    is_skipped: bool = False
    notes: str | None = None
    amount: Decimal | None = None


class ExportedHabit(NamedTuple):
    """A habit of ours for the export, with the days that have anything."""

    name: str
    description: str | None
    frequency: Frequency
    target_count: int
    custom_days: list[int]
    color: str | None
    is_active: bool
    kind: Kind
    direction: Direction
    target_amount: Decimal | None
    unit: str | None
    period: Period
    days: Mapping[date, ExportedDay]

    @property
    def counts(self) -> bool:
        """Whether it is to be done more than once a day, which is an amount in Loop."""
        return self.kind == "check" and self.frequency != "weekly" and self.target_count > 1

    @property
    def goal(self) -> tuple[str, str, str]:
        """The unit, whether the target is to be reached, and the target; empty for a habit that is done or not."""
        if self.target_amount is not None:
            target = f"{rounded(self.target_amount):f}"
            return self.unit or "", self.direction.upper(), target if "." in target else f"{target}.0"
        return ("times", "AT_LEAST", f"{self.target_count}.0") if self.counts else ("", "", "")

    @property
    def interval(self) -> tuple[int, int]:
        """On how many days of how many it is due."""
        if self.period != "day":
            return {"week": (1, 7), "month": (1, 30)}[self.period]
        return {"daily": (1, 1), "weekly": (self.target_count, 7), "custom": (len(self.custom_days), 7)}[self.frequency]

    def value(self, day: date) -> str:
        """The word or number that Loop writes for a day."""
        found = self.days.get(day)
        if found is None:
            return "UNKNOWN"
        if found.is_skipped:
            return "SKIP"
        if self.kind == "amount" and found.amount is not None:
            return str(int(found.amount * _THOUSAND)) if found.amount else "NO"
        return str(found.times * 1000) if self.counts else "YES_MANUAL"


_HEADER: Final = (
    "Position",
    "Name",
    "Type",
    "Question",
    "Description",
    "FrequencyNumerator",
    "FrequencyDenominator",
    "Color",
    "Unit",
    "Target Type",
    "Target Value",
    "Archived?",
)
# A grey of Loop's palette, for habits without a colour.
_NO_COLOR: Final = "#757575"
# Entries carry no time of their own, so that equal habits make equal archives.
_WRITTEN: Final = (1980, 1, 1, 0, 0, 0)


def written(habits: Iterable[ExportedHabit]) -> bytes:
    """A Loop export: Habits.csv, Checkmarks.csv, and a folder with a Checkmarks.csv for each habit."""
    listed = list(habits)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:

        def add(name: str, rows: Iterable[Iterable[object]]) -> None:
            archive.writestr(zipfile.ZipInfo(name, _WRITTEN), _csv(rows), zipfile.ZIP_DEFLATED)

        add(_HABITS, [_HEADER, *(_line(index, habit) for index, habit in enumerate(listed, 1))])
        if len(listed) * _span(listed) <= _MOST_SIDE_BY_SIDE:
            add(_CHECKMARKS, _side_by_side(listed))
        for index, habit in enumerate(listed, 1):
            days = [(day, habit.value(day), habit.days[day].notes or "") for day in sorted(habit.days, reverse=True)]
            add(f"{_folder(index, habit.name)}/{_CHECKMARKS}", [("Date", "Value", "Notes"), *days])
    return packed.getvalue()


def _line(index: int, habit: ExportedHabit) -> tuple[object, ...]:
    goal = habit.goal
    return (
        f"{index:03}",
        habit.name,
        "NUMERICAL" if any(goal) else "YES_NO",
        "",
        habit.description or "",
        *habit.interval,
        habit.color or _NO_COLOR,
        *goal,
        str(not habit.is_active).lower(),
    )


def _span(habits: list[ExportedHabit]) -> int:
    """The number of days from the first to the last day with an entry, both included."""
    known = {day for habit in habits for day in habit.days}
    return (max(known) - min(known)).days + 1 if known else 0


def _side_by_side(habits: list[ExportedHabit]) -> Iterator[tuple[object, ...]]:
    """A line for each day from the last to the first, with an empty cell at its end, as Loop writes it."""
    yield ("Date", *(habit.name for habit in habits), "")
    known = {day for habit in habits for day in habit.days}
    day, first = max(known, default=date.min), min(known, default=date.max)
    while day >= first:
        yield (day, *(habit.value(day) for habit in habits), "")
        day -= timedelta(days=1)


def _folder(index: int, name: str) -> str:
    """The name of a habit's folder, as Loop makes it: its number, and the letters of its name that may be in one."""
    plain = re.sub(r"[^ a-zA-Z0-9._-]", "", name)[:100].strip()
    return f"{index:03} {plain}".strip()


def _csv(rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
