"""Requests and responses of the exercise routes.

In bodies that create something, null is the same as absent. Answers that Python puts together are TypedDicts, and rows
that only Python reads are NamedTuples: as models they would take the function's cold start over its budget.
"""

from datetime import date, datetime
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator
from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on

from questlog.paging import PageOrAll
from questlog.wire import (
    Body,
    Day,
    Flag,
    ImportReport,
    Instant,
    Page,
    PageSize,
    Query,
    RewardFields,
    Trimmed,
    absent,
    blank_is_null,
)

Force = Literal["push", "pull", "static"]
Level = Literal["beginner", "intermediate", "expert"]
Mechanic = Literal["compound", "isolation"]
Difficulty = Literal["beginner", "intermediate", "advanced"]
WorkoutType = Literal["strength", "cardio", "hiit", "flexibility", "mixed"]
SectionType = Literal["warmup", "main", "cooldown", "superset", "circuit"]
Status = Literal["active", "completed", "abandoned"]
RecordType = Literal["max_weight", "est_1rm", "max_volume", "max_reps", "max_distance", "max_duration"]
RecordUnit = Literal["kg", "kg_reps", "reps", "seconds", "m"]

MAX_EXERCISES_PER_WORKOUT = 100


def _lowered(words: list[str]) -> list[str]:
    """The words in lower case, each once."""
    return list(dict.fromkeys(word.lower() for word in words))


Name = Annotated[Trimmed, StringConstraints(min_length=1, max_length=120)]
Word = Annotated[Trimmed, StringConstraints(min_length=1, max_length=40)]
Category = Annotated[Word, AfterValidator(str.lower)]
Words = Annotated[list[Word], Field(max_length=20), AfterValidator(_lowered)]
Description = Annotated[Trimmed, StringConstraints(max_length=2_000), AfterValidator(blank_is_null)]
Instructions = Annotated[Trimmed, StringConstraints(max_length=10_000), AfterValidator(blank_is_null)]
Notes = Annotated[Trimmed, StringConstraints(max_length=2_000), AfterValidator(blank_is_null)]
SetNotes = Annotated[Trimmed, StringConstraints(max_length=500), AfterValidator(blank_is_null)]
Minutes = Annotated[int, Field(ge=1, le=1_440)]
Weight = Annotated[float, Field(ge=-500, le=2_000, allow_inf_nan=False)]
Distance = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]
Effort = Annotated[float, Field(ge=1, le=10, multiple_of=0.5)]
Rating = Annotated[int, Field(ge=1, le=5)]
Mark = Annotated[bool | None, AfterValidator(bool)]
SetNumber = Annotated[int, Field(ge=1, le=1_000)]


# The library ----------------------------------------------------------------------------------------------------------


class ExercisesQuery(PageOrAll):
    default_page_size = 20

    category: str | None = None
    muscle: str | None = None
    equipment: str | None = None
    level: str | None = None
    custom: Flag | None = None
    search: str = ""


class NewExercise(Body):
    name: Name
    category: Category
    muscle_groups: Words | None = None
    secondary_muscles: Words | None = None
    equipment: Words | None = None
    description: Description | None = None
    instructions: Instructions | None = None
    force: Force | None = None
    level: Level | None = None
    mechanic: Mechanic | None = None


class ExerciseChange(Body):
    name: Name = absent()
    category: Category = absent()
    muscle_groups: Words = absent()
    secondary_muscles: Words = absent()
    equipment: Words = absent()
    description: Description | None = absent()
    instructions: Instructions | None = absent()
    force: Force | None = absent()
    level: Level | None = absent()
    mechanic: Mechanic | None = absent()


class Merging(Body):
    into: UUID


class Exercise(TypedDict):
    id: UUID
    slug: str | None
    name: str
    category: str
    muscle_groups: list[str]
    primary_muscles: list[str]
    secondary_muscles: list[str]
    equipment: list[str]
    description: str | None
    instructions: str | None
    force: Force | None
    level: Level | None
    mechanic: Mechanic | None
    is_builtin: bool
    created_at: Instant


class Exercises(TypedDict):
    exercises: list[Exercise]
    total: int


class Removed(TypedDict):
    deleted: Literal[True]


class Seeded(TypedDict):
    seeded: int
    total: int


# Workouts -------------------------------------------------------------------------------------------------------------


class NewPlannedExercise(Body):
    exercise_id: UUID
    sets: Annotated[int, Field(ge=1, le=50)]
    reps_min: Annotated[int, Field(ge=1, le=1_000)] | None = None
    reps_max: Annotated[int, Field(ge=1, le=1_000)] | None = None
    weight_kg: Weight | None = None
    duration_seconds: Annotated[int, Field(ge=1, le=86_400)] | None = None
    rest_seconds: Annotated[int, Field(ge=0, le=3_600)] | None = None
    notes: SetNotes | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "NewPlannedExercise":
        if self.reps_min is not None and self.reps_max is not None and self.reps_min > self.reps_max:
            raise ValueError("reps_min must not be more than reps_max")
        return self


class NewSection(Body):
    name: Name
    section_type: SectionType
    exercises: Annotated[list[NewPlannedExercise], Field(max_length=MAX_EXERCISES_PER_WORKOUT)] | None = None


def _not_too_many(sections: list[NewSection]) -> list[NewSection]:
    if sum(len(section.exercises or []) for section in sections) > MAX_EXERCISES_PER_WORKOUT:
        raise ValueError(f"must hold at most {MAX_EXERCISES_PER_WORKOUT} exercises together")
    return sections


NewSections = Annotated[list[NewSection], Field(max_length=20), AfterValidator(_not_too_many)]


class WorkoutsQuery(PageOrAll):
    default_page_size = 20

    workout_type: WorkoutType | None = None
    is_template: Flag | None = None
    deleted: Flag = False
    search: str = ""


class NewWorkout(Body):
    name: Name
    description: Description | None = None
    duration_minutes: Minutes | None = None
    difficulty: Difficulty | None = None
    workout_type: WorkoutType | None = None
    is_template: bool | None = None
    sections: NewSections | None = None


class WorkoutChange(Body):
    name: Name = absent()
    description: Description | None = absent()
    duration_minutes: Minutes | None = absent()
    difficulty: Difficulty = absent()
    workout_type: WorkoutType = absent()
    is_template: bool = absent()
    sections: NewSections = absent()


class Duplicating(Body):
    name: Name | None = None


class PlannedExercise(TypedDict):
    id: UUID
    section_id: Annotated[UUID, Field(exclude=True)]
    exercise_id: UUID
    exercise_name: str
    sets: int
    reps_min: int | None
    reps_max: int | None
    weight_kg: float | None
    duration_seconds: int | None
    rest_seconds: int | None
    notes: str | None
    sort_order: int


class Section(TypedDict):
    id: UUID
    name: str
    section_type: SectionType
    sort_order: int
    exercises: list[PlannedExercise]


class WorkoutRow(TypedDict):
    """A workout without its sections."""

    id: UUID
    name: str
    description: str | None
    duration_minutes: int | None
    difficulty: Difficulty
    workout_type: WorkoutType
    is_template: bool
    is_quick: bool
    times_performed: int
    last_performed_at: Instant | None
    created_at: Instant
    updated_at: Instant


class SectionRow(TypedDict):
    """A section without its exercises."""

    id: UUID
    workout_id: UUID
    name: str
    section_type: SectionType
    sort_order: int


class Workout(WorkoutRow):
    sections: list[Section]


class Workouts(TypedDict):
    workouts: list[Workout]
    total: int


# Sessions -------------------------------------------------------------------------------------------------------------


class SessionsQuery(Query):
    status: Status | None = None
    workout_id: UUID | None = None
    from_: Annotated[Day | None, Field(alias="from")] = None
    to: Day | None = None
    page: Page = 1
    page_size: PageSize = 20


class Starting(Body):
    workout_id: UUID | None = None
    program_workout_id: UUID | None = None
    started_at: Instant | None = None
    notes: Notes | None = None


class SessionChange(Body):
    notes: Notes | None = absent()
    rating: Rating | None = absent()
    started_at: Instant = absent()
    completed_at: Instant = absent()


class Completing(Body):
    notes: Notes | None = None
    rating: Rating | None = None
    completed_at: Instant | None = None


class Saving(Body):
    name: Name


class NewSet(Body):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"exercise_id": "0192f3c4-5a6b-7c8d-9e0f-112233445566", "reps": 8}]}
    )

    exercise_id: UUID
    set_number: SetNumber | None = None
    reps: Annotated[int, Field(ge=0, le=10_000)] | None = None
    weight_kg: Weight | None = None
    duration_seconds: Annotated[int, Field(ge=0, le=86_400)] | None = None
    distance_m: Distance | None = None
    rpe: Effort | None = None
    is_warmup: Mark = False
    is_dropset: Mark = False
    is_failure: Mark = False
    notes: SetNotes | None = None

    @model_validator(mode="after")
    def _measured(self) -> "NewSet":
        if self.reps is None and self.duration_seconds is None and self.distance_m is None:
            raise ValueError("needs reps, duration_seconds or distance_m")
        return self

    @property
    def values(self) -> dict[str, Any]:
        """The values of the set, without its exercise and number."""
        return self.model_dump(mode="json", exclude={"exercise_id", "set_number"})


class SetChange(Body):
    reps: Annotated[int, Field(ge=0, le=10_000)] | None = absent()
    weight_kg: Weight | None = absent()
    duration_seconds: Annotated[int, Field(ge=0, le=86_400)] | None = absent()
    distance_m: Distance | None = absent()
    rpe: Effort | None = absent()
    is_warmup: bool = absent()
    is_dropset: bool = absent()
    is_failure: bool = absent()
    notes: SetNotes | None = absent()


class Set(TypedDict):
    id: UUID
    session_id: Annotated[UUID, Field(exclude=True)]
    exercise_id: UUID
    exercise_name: str
    set_number: int
    reps: int | None
    weight_kg: float | None
    duration_seconds: int | None
    distance_m: float | None
    rpe: float | None
    is_warmup: bool
    is_dropset: bool
    is_failure: bool
    notes: str | None
    logged_at: Instant


class Record(TypedDict):
    id: UUID
    exercise_id: UUID
    exercise_name: str
    record_type: RecordType
    value: float
    unit: RecordUnit
    reps: int | None
    weight_kg: float | None
    previous_value: float | None
    achieved_at: Instant
    session_id: UUID
    set_id: UUID
    is_current: bool


class SessionRow(TypedDict):
    """A session without its sets."""

    id: UUID
    workout_id: UUID
    workout_name: str
    program_workout_id: UUID | None
    started_at: Instant
    completed_at: Instant | None
    abandoned_at: Instant | None
    status: Status
    duration_seconds: int | None
    notes: str | None
    rating: int | None
    total_sets: int
    total_volume_kg: float
    xp_awarded: int
    coins_awarded: int


class Session(SessionRow):
    sets: list[Set]


class Sessions(TypedDict):
    sessions: list[Session]
    total: int
    page: int
    page_size: int


class Running(TypedDict):
    """Columns of a running session only: whether it was forgotten, and the intensity that a program asks for."""

    intensity_modifier: float | None
    opened_at: datetime
    now: datetime


class Previous(TypedDict):
    """An exercise as it was done the last time."""

    exercise_id: UUID
    session_id: UUID
    completed_at: Instant
    sets: list[Set]


class ActiveSession(Session):
    workout: Workout
    previous: list[Previous]
    is_stale: bool
    intensity_modifier: float | None


class Started(TypedDict):
    session_id: UUID
    workout_id: UUID
    started_at: Instant
    session: ActiveSession


class Logged(TypedDict):
    set_id: UUID
    set_number: int
    is_personal_record: bool
    record_type: RecordType | None
    session_id: UUID
    set: Set
    records: list[Record]


class Program(TypedDict):
    """A training program, as the completion of one of its workouts leaves it."""

    id: UUID
    name: str
    description: str | None
    duration_weeks: int
    days_per_week: int
    difficulty: Difficulty
    goal: str
    is_active: bool
    started_at: Instant | None
    completed_at: Instant | None
    current_week: int
    current_day: int
    total_workouts: int
    completed_workouts: int
    progress_percent: int
    template_key: str | None
    created_at: Instant
    updated_at: Instant


class Completed(RewardFields):
    session_id: UUID
    workout_id: UUID
    duration_seconds: int | None
    total_sets: int
    total_volume_kg: float
    personal_records: list[Record]
    session: Session
    program: Program | None


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


# History and statistics -----------------------------------------------------------------------------------------------


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
