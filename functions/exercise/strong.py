"""Workouts as Strong exports them: five families of columns, one row for each set.

Facts: imports contract, import formats 1. Files name the unit in a column's name, in a cell of each row, or nowhere.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache, partial
from typing import Final

from questlog.importing.dates import moment_of
from questlog.importing.tables import Row, Table, normalised
from questlog.importing.values import clean_line, plain_spaces

from functions.exercise.history import Gathering, History, LoggedSet, import_key, number, seconds, whole_number
from functions.exercise.units import Quantity, Unit, kilograms, metres, only_unit, unit_of

FORMAT: Final = "strong"

# The reader's names of the columns, in the order of family A, which is the same in every language.
_ORDER: Final = (
    "date",
    "workout name",
    "duration",
    "exercise name",
    "set order",
    "weight",
    "reps",
    "distance",
    "seconds",
    "notes",
    "workout notes",
    "rpe",
)
_ALIASES: Final = {
    "workout duration": "duration",
    "duration (sec)": "duration",
    "nom de l'entraînement": "workout name",
    "durée": "duration",
    "nom de l'exercice": "exercise name",
    "ordre de la série": "set order",
    "poids": "weight",
    "réps": "reps",
    "secondes": "seconds",
    "notes d'entraînement": "workout notes",
}
_REQUIRED: Final = frozenset({"date", "exercise name", "set order"})
_WITH_UNIT: Final = re.compile(r"(weight|distance) \((.+)\)")
_DURATION: Final = re.compile(
    r"(?:(?P<hours>\d[\d., ]{0,8})\s?h)?\s?(?:(?P<minutes>\d{1,6})\s?m(?:in)?)?\s?(?:(?P<seconds>\d{1,9})\s?s(?:ec)?)?"
)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2} \d")
# Rows that are no sets: the rest after one, and what is written about an exercise.
_REST: Final = "rest timer"
_NOTE: Final = "note"
_MARKS: Final = {
    "w": "warmup",
    "warm_up": "warmup",
    "d": "dropset",
    "drop_set": "dropset",
    "f": "failure",
    "failure": "failure",
}


def recognises(table: Table) -> bool:
    """Whether the columns are those of a Strong export: by their names, or in another language by their order."""
    return _REQUIRED.issubset(_by_name(table).values()) or _in_order(table)


def read(table: Table, *, weight: Unit | None = None, distance: Unit | None = None) -> History:
    """The workouts of a Strong export. A unit that the file names wins over the one given.

    UnitNeeded when the file has weights or distances and neither it nor the caller says in what.
    """
    aliases = _by_name(table)
    if not _REQUIRED.issubset(aliases.values()):
        aliases = dict(zip(map(normalised, table.header), _ORDER, strict=True))
    workouts = Gathering()
    rows = list(_mended(table, aliases).rows(aliases, workouts.problems))
    units: dict[Quantity, Unit | None] = {
        "weight": _unit_named(aliases, rows, "weight") or weight,
        "distance": _unit_named(aliases, rows, "distance") or distance,
    }
    for row in rows:
        _take(workouts, row, units)
    return workouts.history(FORMAT)


def _by_name(table: Table) -> dict[str, str]:
    """The reader's names of columns, by the file's."""
    aliases = {}
    for name in table.columns:
        plain = name.replace("\u2019", "'")
        if found := _WITH_UNIT.fullmatch(plain):
            aliases[name] = found[1]
        elif unit_of(plain, "weight"):
            aliases[name] = "weight"
        elif unit_of(plain, "distance"):
            aliases[name] = "distance"
        else:
            aliases[name] = _ALIASES.get(plain, plain)
    return aliases


def _in_order(table: Table) -> bool:
    if len(table.header) != len(_ORDER) or normalised(table.header[-1]) != "rpe" or not table.lines:
        return False
    return bool(_DATE.match(table.lines[0][1][0]))


def _mended(table: Table, aliases: dict[str, str]) -> Table:
    """The table with rows put together again where 3,527h 3min was not quoted and has become two cells."""
    at = next((index for name, index in table.columns.items() if aliases[name] == "duration"), None)
    if at is None:
        return table

    def whole(cells: list[str]) -> list[str]:
        split = len(cells) == len(table.header) + 1 and re.fullmatch(r"\d{1,3}", cells[at])
        if split and re.match(r"\d{3}h", cells[at + 1]):
            return [*cells[:at], cells[at] + cells[at + 1], *cells[at + 2 :]]
        return cells

    return replace(table, lines=[(line, whole(cells)) for line, cells in table.lines])


def _unit_named(aliases: dict[str, str], rows: Sequence[Row], quantity: Quantity) -> Unit | None:
    """The unit of rows that name none: what all other rows name, else what the column's name says."""
    in_cells = only_unit({row[f"{quantity} unit"] for row in rows}, quantity)
    in_names = [found[2] for name in aliases if (found := _WITH_UNIT.fullmatch(name)) and found[1] == quantity]
    return in_cells or only_unit(in_names or filter(partial(unit_of, quantity=quantity), aliases), quantity)


def _take(workouts: Gathering, row: Row, units: dict[Quantity, Unit | None]) -> None:
    title = clean_line(row["workout name"])
    try:
        started_at = _moment(row["date"])
    except ValueError as error:
        workouts.refuse(f"{row['date']}|{title}", row.line, title, f"The workout {error}.")
        return
    key = import_key(FORMAT, str(started_at), title)
    duration = duration_of(row["duration"])
    is_new = workouts.open(
        key, line=row.line, name=title, started_at=started_at, ended=duration, notes=row["workout notes"]
    )
    if is_new and duration is None and row["duration"].strip():
        workouts.lose("Durations that cannot be read")
    order = plain_spaces(row["set order"]).casefold()
    if order == _REST:
        return
    if order == _NOTE:
        workouts.add_note(key, row["exercise name"], row["notes"])
        return
    mark = _MARKS.get(order)
    try:
        index = None if mark else whole_number(row, "set order")
        logged = LoggedSet(
            exercise=row["exercise name"],
            weight_kg=kilograms(number(row, "weight"), unit_of(row["weight unit"], "weight") or units["weight"]),
            reps=whole_number(row, "reps"),
            duration_seconds=seconds(row, "seconds"),
            distance_m=metres(number(row, "distance"), unit_of(row["distance unit"], "distance") or units["distance"]),
            rpe=workouts.effort(key, row, "rpe"),
            is_warmup=mark == "warmup",
            is_dropset=mark == "dropset",
            is_failure=mark == "failure",
        )
    except ValueError as error:
        workouts.refuse_row(key, row.line, title, f"The set was left out: {error}.")
        return
    workouts.add_set(key, row.line, index, row["notes"], logged)


# Each row repeats the time of its workout.
_moment = lru_cache(maxsize=4_096)(moment_of)


@lru_cache(maxsize=4_096)
def duration_of(text: str) -> timedelta | None:
    """A duration as Strong writes it: 45s, 42m, 1h 5m, 35min, 3,527h 3min or plain seconds; None for anything else."""
    text = plain_spaces(text).casefold()
    if re.fullmatch(r"\d{1,9}(?:\.0+)?", text):
        return timedelta(seconds=int(text.partition(".")[0]))
    found = _DURATION.fullmatch(text)
    if not found or not text:
        return None
    hours = re.sub(r"\D", "", found["hours"] or "0")
    return timedelta(hours=int(hours), minutes=int(found["minutes"] or 0), seconds=int(found["seconds"] or 0))
