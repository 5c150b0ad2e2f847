"""Which app a file of workouts comes from, and its workouts."""

from typing import Literal

from questlog.importing.problems import Unreadable
from questlog.importing.tables import Table, read_table

from functions.exercise import hevy, strong
from functions.exercise.history import History
from functions.exercise.units import Unit

Format = Literal["auto", "strong", "hevy", "questlog"]


def read(data: bytes, source: Format = "auto", *, weight: Unit | None = None, distance: Unit | None = None) -> History:
    """The workouts in a file. Raises Refused, with the reason, if it does not have the given format."""
    table = read_table(data)
    is_hevy, is_strong = hevy.recognises(table), strong.recognises(table)
    if source in ("hevy", "questlog") and is_hevy:
        return hevy.read(table, weight=weight, distance=distance, own=source == "questlog")
    if source == "auto" and is_hevy:
        return hevy.read(table, weight=weight, distance=distance)
    if source in ("auto", "strong") and is_strong:
        return strong.read(table, weight=weight, distance=distance)
    raise _unknown(table, source)


def _unknown(table: Table, source: Format) -> Unreadable:
    of_strong = "Date, Exercise Name and Set Order (Strong)"
    of_hevy = "start_time, exercise_title and set_type (Hevy)"
    wanted = {"strong": of_strong, "hevy": of_hevy, "questlog": of_hevy}.get(source, f"{of_strong} or {of_hevy}")
    return Unreadable(f"is not such an export: looked for the columns {wanted}, found {table.found()}")
