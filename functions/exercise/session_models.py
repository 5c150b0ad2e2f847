"""Requests and responses about sessions, their sets and records. See models.py for the kinds of classes."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator
from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on

from questlog.wire import Body, Day, Instant, Page, PageSize, Query, RewardFields, Trimmed, absent, blank_is_null

from functions.exercise.models import Difficulty, SetNotes, Weight
from functions.exercise.workout_models import Workout

Status = Literal["active", "completed", "abandoned"]
RecordType = Literal["max_weight", "est_1rm", "max_volume", "max_reps", "max_distance", "max_duration"]
RecordUnit = Literal["kg", "kg_reps", "reps", "seconds", "m"]
Notes = Annotated[Trimmed, StringConstraints(max_length=2_000), AfterValidator(blank_is_null)]
Distance = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]
Effort = Annotated[float, Field(ge=1, le=10, multiple_of=0.5)]
Rating = Annotated[int, Field(ge=1, le=5)]
Mark = Annotated[bool | None, AfterValidator(bool)]
SetNumber = Annotated[int, Field(ge=1, le=1_000)]


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
