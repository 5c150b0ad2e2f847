"""Requests and responses of the program routes.

In bodies that create something, null is the same as absent. Answers that Python puts together are TypedDicts, which
take less of a cold start than models.
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, field_validator
from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on

from questlog.paging import PageOrAll, PagePlace
from questlog.wire import Body, Instant, Trimmed, absent, blank_is_null

Difficulty = Literal["beginner", "intermediate", "advanced"]
SlotStatus = Literal["open", "completed", "skipped"]

MAX_WEEKS = 52
MAX_SLOTS_PER_WEEK = 28

Name = Annotated[Trimmed, StringConstraints(min_length=1, max_length=120)]
WeekName = Annotated[Trimmed, StringConstraints(max_length=120)]
Description = Annotated[Trimmed, StringConstraints(max_length=2_000), AfterValidator(blank_is_null)]
Notes = Annotated[Trimmed, StringConstraints(max_length=2_000), AfterValidator(blank_is_null)]
Weeks = Annotated[int, Field(ge=1, le=MAX_WEEKS)]
Days = Annotated[int, Field(ge=1, le=7)]
Intensity = Annotated[float, Field(ge=0.1, le=2)]


class ProgramsQuery(PageOrAll):
    default_page_size = 20


class NewSlot(Body):
    workout_id: UUID
    day_number: Days
    intensity_modifier: Intensity | None = None


def _once_a_day(slots: list[NewSlot]) -> list[NewSlot]:
    if len({(slot.day_number, slot.workout_id) for slot in slots}) < len(slots):
        raise ValueError("must have no workout twice on one day")
    return slots


NewSlots = Annotated[list[NewSlot], Field(max_length=MAX_SLOTS_PER_WEEK), AfterValidator(_once_a_day)]


class NewWeek(Body):
    week_number: Weeks
    name: WeekName | None = None
    is_deload: bool | None = None
    notes: Notes | None = None
    workouts: NewSlots | None = None


def _weeks_of_program(weeks: list[int], info: ValidationInfo) -> list[int]:
    if max(weeks, default=1) > info.data.get("duration_weeks", MAX_WEEKS):
        raise ValueError("must be weeks of the program")
    return weeks


def _fit_program(weeks: list[NewWeek], info: ValidationInfo) -> list[NewWeek]:
    numbers = [week.week_number for week in weeks]
    if len(set(numbers)) < len(numbers):
        raise ValueError("must list each week once")
    _weeks_of_program(numbers, info)
    days = info.data.get("days_per_week", 7)
    if any(slot.day_number > days for week in weeks for slot in week.workouts or []):
        raise ValueError("must have workouts on days of the program")
    return weeks


class NewProgram(Body):
    name: Name
    duration_weeks: Weeks
    days_per_week: Days
    description: Description | None = None
    difficulty: Difficulty | None = None
    goal: Name | None = None
    # After the size, which they have to fit.
    deload_weeks: Annotated[list[Weeks], Field(max_length=MAX_WEEKS), AfterValidator(_weeks_of_program)] | None = None
    weeks: Annotated[list[NewWeek], Field(max_length=MAX_WEEKS), AfterValidator(_fit_program)] | None = None


class ProgramChange(Body):
    name: Name = absent()
    description: Description | None = absent()
    difficulty: Difficulty = absent()
    goal: Name = absent()
    duration_weeks: Weeks = absent()
    days_per_week: Days = absent()


class WeekChange(Body):
    name: WeekName = absent()
    is_deload: bool = absent()
    notes: Notes | None = absent()
    workouts: NewSlots = absent()
    copy_to: Annotated[list[Weeks], Field(max_length=MAX_WEEKS)] | None = None

    @field_validator("copy_to")
    @classmethod
    def _has_something_to_copy(cls, copy_to: list[int] | None, info: ValidationInfo) -> list[int] | None:
        # A field that is not valid has an error of its own, and no value here.
        if copy_to and info.data.get("workouts", ()) is None:
            raise ValueError("needs workouts, which are what is copied")
        return copy_to


class Activating(Body):
    restart: bool | None = None


class Advancing(Body):
    week_number: Weeks | None = None
    day_number: Days | None = None


class Position(Body):
    week_number: Weeks
    day_number: Days


class Adopting(Body):
    template_key: Annotated[Trimmed, StringConstraints(min_length=1, max_length=40)]


class Removed(TypedDict):
    deleted: Literal[True]


class Program(TypedDict):
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


class Programs(PagePlace):
    programs: list[Program]
    total: int


class Slot(TypedDict):
    id: UUID
    week_number: Annotated[int, Field(exclude=True)]
    workout_id: UUID
    workout_name: str
    day_number: int
    order_index: int
    intensity_modifier: float
    status: SlotStatus
    session_id: UUID | None
    completed_at: Instant | None


class WeekRow(TypedDict):
    """A week without its slots."""

    id: UUID
    week_number: int
    name: str
    is_deload: bool
    notes: str | None


class Week(WeekRow):
    workouts: list[Slot]


class ProgramDetail(Program):
    weeks: list[Week]


class NextDay(TypedDict):
    """The day that is to be trained next, with the workouts that are still to be done on it."""

    week_number: int
    day_number: int
    is_deload: bool
    workouts: list[Slot]


class ActiveProgram(ProgramDetail):
    next: NextDay


class TemplateExercise(TypedDict):
    key: Annotated[str, Field(exclude=True)]
    workout_name: Annotated[str, Field(exclude=True)]
    exercise_id: UUID
    exercise_name: str
    sets: int
    reps_min: int | None
    reps_max: int | None
    duration_seconds: int | None
    rest_seconds: int


class TemplateWorkout(TypedDict):
    name: str
    exercises: list[TemplateExercise]


class TemplateRow(TypedDict):
    """A template without its workouts."""

    key: str
    name: str
    description: str
    duration_weeks: int
    days_per_week: int
    difficulty: Difficulty
    goal: str


class Template(TemplateRow):
    workouts: list[TemplateWorkout]


class Templates(TypedDict):
    templates: list[Template]
    total: int
