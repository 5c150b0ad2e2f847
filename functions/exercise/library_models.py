"""Requests and responses about exercises. See models.py for the kinds of classes."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints
from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on

from questlog.paging import PageOrAll, PagePlace
from questlog.wire import Body, Flag, Instant, Trimmed, absent, blank_is_null

from functions.exercise.models import Description, Name

Force = Literal["push", "pull", "static"]
Level = Literal["beginner", "intermediate", "expert"]
Mechanic = Literal["compound", "isolation"]


def _lowered(words: list[str]) -> list[str]:
    """The words in lower case, each once."""
    return list(dict.fromkeys(word.lower() for word in words))


Word = Annotated[Trimmed, StringConstraints(min_length=1, max_length=40)]
Category = Annotated[Word, AfterValidator(str.lower)]
Words = Annotated[list[Word], Field(max_length=20), AfterValidator(_lowered)]
Instructions = Annotated[Trimmed, StringConstraints(max_length=10_000), AfterValidator(blank_is_null)]


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


class Exercises(PagePlace):
    exercises: list[Exercise]
    total: int


class Seeded(TypedDict):
    seeded: int
    total: int
