"""Requests and responses about what the sessions add up to. See models.py for the kinds of classes."""

from datetime import date
from typing import Annotated, NamedTuple
from uuid import UUID

from pydantic import Field
from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on

from questlog.wire import Flag, Instant, Page, PageSize, Query

from functions.exercise.library_models import Exercise
from functions.exercise.session_models import Record, RecordType, Set


class RecordsQuery(Query):
    exercise_id: UUID | None = None
    record_type: RecordType | None = None
    history: Flag = False
    page: Page = 1
    page_size: PageSize = 50


class Records(TypedDict):
    records: list[Record]
    total: int
    page: int
    page_size: int


class ExerciseHistoryQuery(Query):
    page: Page = 1
    page_size: PageSize = 20


class Performed(TypedDict):
    session_id: UUID
    workout_id: UUID
    workout_name: str
    started_at: Instant
    completed_at: Instant
    sets: list[Set]
    volume_kg: float
    best_weight_kg: float | None
    best_est_1rm: float | None


class ExerciseHistory(TypedDict):
    exercise: Exercise
    sessions: list[Performed]
    records: list[Record]
    total: int
    page: int
    page_size: int


class StatsQuery(Query):
    weeks: Annotated[int, Field(ge=1, le=52)] = 12


class DailyHistoryQuery(Query):
    days: Annotated[int, Field(ge=1, le=366)] = 30


class Today(TypedDict):
    today: date


class SpanRow(NamedTuple):
    """What the workouts of a day or a week, which begins at `begins`, add up to."""

    begins: date
    workouts: int
    sets: int
    seconds: int
    volume_kg: float


class Muscle(TypedDict):
    muscle: str
    sets: float


class WeekStats(TypedDict):
    week_start: date
    workouts: int
    sets: int
    minutes: int
    volume_kg: float


class DayStats(TypedDict):
    date: date
    workouts: int
    sets: int
    minutes: int
    volume_kg: float


class Stats(TypedDict):
    workouts_7d: int
    sets_7d: int
    minutes_7d: int
    volume_kg_7d: float
    records_7d: int
    total_workouts: int
    total_sets: int
    total_minutes: int
    total_volume_kg: float
    current_streak_weeks: int
    longest_streak_weeks: int
    weeks: list[WeekStats]
    muscles: list[Muscle]


DailyHistory = TypedDict("DailyHistory", {"from": date, "to": date, "days": list[DayStats]})
