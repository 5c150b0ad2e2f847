"""Requests and responses about files of other apps. See models.py for the kinds of classes."""

from typing import Annotated, Literal

from pydantic import Field

from questlog.wire import Day, Flag, ImportReport, Query


class ExportQuery(Query):
    from_: Annotated[Day | None, Field(alias="from")] = None
    to: Day | None = None


class ImportQuery(Query):
    format: Literal["auto", "strong", "hevy", "questlog"] = "auto"
    weight_unit: Literal["kg", "lb"] | None = None
    distance_unit: Literal["km", "mi", "m"] | None = None
    dry_run: Flag = False


class SessionsReport(ImportReport):
    """What became of a file's workouts: the sets that were written, the exercises made for them, and their records."""

    sets: int
    exercises_created: list[str]
    records: int
