"""Requests and responses about workouts. See models.py for the kinds of classes."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator
from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on

from questlog.paging import PageOrAll, PagePlace
from questlog.wire import Body, Flag, Instant, absent

from functions.exercise.models import Description, Difficulty, Name, SetNotes, Weight

WorkoutType = Literal["strength", "cardio", "hiit", "flexibility", "mixed"]
SectionType = Literal["warmup", "main", "cooldown", "superset", "circuit"]
MAX_EXERCISES_PER_WORKOUT = 100
Minutes = Annotated[int, Field(ge=1, le=1_440)]


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


class Workouts(PagePlace):
    workouts: list[Workout]
    total: int


class Saving(Body):
    name: Name
