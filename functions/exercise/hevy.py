"""Workouts as Hevy exports them: fourteen columns, one row for each set; read and written.

Facts: imports contract, import formats 2. The app and hevy.com write the same header with different dates and line
breaks, so both are decided cell by cell.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Final

from questlog.importing.dates import AmbiguousDate, day_comes_first, moment_of
from questlog.importing.tables import Row, Table
from questlog.importing.values import clean_line, rounded

from functions.exercise.history import (
    Gathering,
    History,
    LoggedSet,
    LoggedWorkout,
    helps,
    import_key,
    number,
    seconds,
    whole_number,
)
from functions.exercise.units import Quantity, Unit, kilograms, metres, only_unit

FORMAT: Final = "hevy"
# Our own export is in Hevy's columns.
OWN_FORMAT: Final = "questlog"
COLUMNS: Final = (
    "title",
    "start_time",
    "end_time",
    "description",
    "exercise_title",
    "superset_id",
    "exercise_notes",
    "set_index",
    "set_type",
    "weight_kg",
    "reps",
    "distance_km",
    "duration_seconds",
    "rpe",
)
_REQUIRED: Final = frozenset({"start_time", "exercise_title", "set_type"})
_WITH_UNIT: Final = re.compile(r"(weight|distance)_(.+)")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_METRES: Final = Decimal(1000)


def recognises(table: Table) -> bool:
    """Whether the columns are those of a Hevy export."""
    return _REQUIRED.issubset(table.columns)


def read(table: Table, *, weight: Unit | None = None, distance: Unit | None = None, own: bool = False) -> History:
    """The workouts of a Hevy export; with `own`, of one that `written` made.

    A unit that the file names wins over the one given. UnitNeeded when there are values and neither names their unit.
    """
    aliases = {name: found[1] for name in table.columns if (found := _WITH_UNIT.fullmatch(name))}
    units: dict[Quantity, Unit | None] = {
        "weight": only_unit(_units(table, "weight"), "weight") or weight,
        "distance": only_unit(_units(table, "distance"), "distance") or distance,
    }
    workouts = Gathering(own=own)
    rows = list(table.rows(aliases, workouts.problems))
    reader = _Reader(workouts, units, day_comes_first({row["start_time"] for row in rows}), own=own)
    for row in rows:
        reader.take(row)
    return workouts.history(OWN_FORMAT if own else FORMAT)


def _units(table: Table, quantity: Quantity) -> Iterator[str]:
    for name in table.columns:
        found = _WITH_UNIT.fullmatch(name)
        if found and found[1] == quantity:
            yield found[2]


class _Reader:
    def __init__(
        self, workouts: Gathering, units: dict[Quantity, Unit | None], day_first: bool | None, *, own: bool
    ) -> None:
        self._workouts = workouts
        self._units = units
        self._day_first = day_first
        self._own = own
        self._moments: dict[str, datetime | ValueError] = {}
        # Two workouts of one title and time differ only in their place: rows that begin again are a second one.
        self._current: tuple[str, ...] = ()
        self._runs: dict[tuple[str, ...], int] = {}
        self._supersets: set[tuple[str, str]] = set()

    def take(self, row: Row) -> None:
        title = clean_line(row["title"])
        if not row["start_time"].strip():
            self._workouts.problems.tell(row.line, title, "The row has no start_time and was left out.")
            return
        started_at = self._moment(row["start_time"])
        if isinstance(started_at, ValueError):
            hint = "; export it again in English" if isinstance(started_at, AmbiguousDate) else ""
            self._workouts.refuse(f"{row['start_time']}|{title}", row.line, title, f"The workout {started_at}{hint}.")
            return
        ended = self._moment(row["end_time"]) if row["end_time"].strip() else None
        ended_at = None if isinstance(ended, ValueError) else ended
        key = self._key(started_at, ended_at, title)
        is_new = self._workouts.open(
            key,
            line=row.line,
            name=title,
            started_at=started_at,
            ended=ended_at,
            notes=self._text(row["description"]),
        )
        if is_new and isinstance(ended, ValueError):
            self._workouts.problems.tell(row.line, title, f"The workout's end was left out: it {ended}.")
        try:
            logged = self._logged(row, key)
            index = whole_number(row, "set_index")
        except ValueError as error:
            self._workouts.refuse_row(key, row.line, title, f"The set was left out: {error}.")
            return
        self._workouts.add_set(key, row.line, index, self._text(row["exercise_notes"]), logged)
        superset = (key, row["superset_id"].strip())
        if superset[1] and superset not in self._supersets:
            self._supersets.add(superset)
            self._workouts.lose("Supersets")

    def _key(self, started_at: datetime, ended_at: datetime | None, title: str) -> str:
        times = (_minute(started_at), "" if ended_at is None else _minute(ended_at))
        if self._current != (*times, title):
            self._current = (*times, title)
            self._runs[self._current] = self._runs.get(self._current, 0) + 1
        return import_key(FORMAT, *times, title, str(self._runs[self._current]))

    def _logged(self, row: Row, key: str) -> LoggedSet:
        kind = row["set_type"].strip().casefold()
        return LoggedSet(
            exercise=row["exercise_title"],
            weight_kg=kilograms(number(row, "weight"), self._units["weight"], as_written=self._own),
            reps=whole_number(row, "reps"),
            duration_seconds=seconds(row, "duration_seconds"),
            distance_m=metres(number(row, "distance"), self._units["distance"]),
            rpe=self._workouts.effort(key, row, "rpe"),
            is_warmup=kind == "warmup",
            is_dropset=kind == "dropset",
            is_failure=kind == "failure",
        )

    def _moment(self, text: str) -> datetime | ValueError:
        """The time in a cell, or why there is none. Cached, since each row repeats the times of its workout."""
        if text not in self._moments:
            try:
                self._moments[text] = moment_of(text, day_first=self._day_first)
            except ValueError as error:
                self._moments[text] = error
        return self._moments[text]

    def _text(self, text: str) -> str:
        """A text with its line breaks: the app writes a backslash and an n for each, hevy.com the break itself."""
        return text if self._own or "\n" in text else text.replace("\\n", "\n")


def _minute(at: datetime) -> str:
    return at.isoformat(sep=" ", timespec="minutes")


def written(workouts: Iterable[LoggedWorkout]) -> Iterator[str]:
    """The lines of a Hevy export in kg and km, the header first; workouts in the order given, text in quotes."""
    yield ",".join(map(_quoted, COLUMNS)) + "\n"
    for workout in workouts:
        ended = workout.ended if isinstance(workout.ended, datetime) else workout.started_at
        beginning = [workout.name, _shown(workout.started_at), _shown(ended), workout.notes or ""]
        index, exercise = -1, None
        for logged in workout.sets:
            index = index + 1 if logged.exercise == exercise else 0
            exercise = logged.exercise
            cells = [*map(_quoted, [*beginning, exercise]), "", _quoted(logged.notes or ""), str(index)]
            yield ",".join([*cells, *_measures(logged)]) + "\n"


def _measures(logged: LoggedSet) -> Iterator[str]:
    kinds = (("warmup", logged.is_warmup), ("dropset", logged.is_dropset), ("failure", logged.is_failure))
    yield _quoted(next((kind for kind, is_so in kinds if is_so), "normal"))
    weight = logged.weight_kg
    if weight is not None and helps(logged.exercise):
        weight = -weight
    distance = None if logged.distance_m is None else rounded(logged.distance_m / _METRES, 6)
    for measure in (weight, logged.reps, distance, logged.duration_seconds, logged.rpe):
        yield str(rounded(Decimal(measure), 6)) if measure else ""


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _shown(at: datetime) -> str:
    """A time as the app writes it in English, 5 Dec 2031, 06:05, whatever the machine's locale."""
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}, {at:%H:%M}"
