"""What the daily plan's routes take and answer."""

from datetime import date, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from questlog.wire import (
    PATH_IN_APP,
    Body,
    Day,
    Form,
    Instant,
    Query,
    ResponseModel,
    Row,
    Trimmed,
    absent,
    blank_is_null,
)

ItemType = Literal["focus", "quest", "workout", "learning", "habit"]

# The numbers for the words of a task's priority; those of generated items begin at 100.
PRIORITIES = {"high": 50, "medium": 300, "low": 400}
MAX_ITEMS = 50
MAX_WORKOUTS = 2
MAX_RANGE = timedelta(days=92)


def _number_of(value: Any) -> Any:
    return PRIORITIES.get(value, value) if isinstance(value, str) else value


def _each_once(values: list[Any]) -> list[Any]:
    ids = [getattr(value, "id", value) for value in values]
    if len(set(ids)) < len(ids):
        raise ValueError("must not hold an id twice")
    return values


ItemId = Annotated[Trimmed, StringConstraints(min_length=1, max_length=80)]
Title = Annotated[Trimmed, StringConstraints(min_length=1, max_length=200)]
Text = Annotated[Trimmed, StringConstraints(max_length=2000), AfterValidator(blank_is_null)]
Notes = Annotated[Trimmed, StringConstraints(max_length=5000), AfterValidator(blank_is_null)]
Minutes = Annotated[int, Field(ge=1, le=1440)]
Priority = Annotated[int, Field(ge=0, le=1000)]
# A path within the app: no scheme, host, query, `//` or `..`.
ActionUrl = Annotated[
    Trimmed,
    Form(rf"^{PATH_IN_APP}$", "must be a path in the app, such as /focus or /quests/today"),
]
WordOrNumber = Annotated[
    Priority,
    BeforeValidator(_number_of),
    WithJsonSchema({"anyOf": [{"enum": list(PRIORITIES)}, {"type": "integer", "minimum": 0, "maximum": 1000}]}),
]


class PlanQuery(Query):
    date: Day | None = None


class RangeQuery(Query):
    from_: Annotated[Day, Field(alias="from")]
    to: Day

    @field_validator("to")
    @classmethod
    def _in_reach(cls, to: date, info: ValidationInfo) -> date:
        first = info.data.get("from_", to)
        if not first <= to < first + MAX_RANGE:
            raise ValueError(f"must be on or after from, and the range at most {MAX_RANGE.days} days")
        return to


class SentItem(Body):
    """An item as a plan that is written whole holds it."""

    id: ItemId
    type: ItemType = "focus"
    title: Title
    description: Text | None = None
    duration: Minutes | None = None
    action_url: ActionUrl | None = None
    completed: bool = False
    priority: Priority = PRIORITIES["medium"]


class PlanAction(Body):
    """Generate a plan, write it, or tick an item of it: `action` says which, and what else is looked at."""

    action: Literal["generate", "update", "complete_item"]
    date: Day | None = None
    items: Annotated[list[SentItem], Field(max_length=MAX_ITEMS), AfterValidator(_each_once)] = absent()
    notes: Notes | None = absent()
    version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    item_id: Annotated[ItemId | None, Field(validate_default=True)] = None
    completed: bool = True

    @field_validator("item_id")
    @classmethod
    def _needed_for_ticking(cls, item_id: str | None, info: ValidationInfo) -> str | None:
        if item_id is None and info.data.get("action") == "complete_item":
            raise ValueError("is needed to tick an item")
        return item_id

    @property
    def contents(self) -> dict[str, Any]:
        """The fields of a plan that were sent; absent ones keep their values."""
        return self.model_dump(mode="json", include={"items", "notes"} & self.model_fields_set)


class NewTask(Body):
    title: Title
    priority: WordOrNumber = PRIORITIES["medium"]
    estimated_minutes: Minutes | None = None
    type: ItemType = "focus"
    description: Text | None = None
    action_url: ActionUrl | None = None
    date: Day | None = None

    @property
    def item(self) -> dict[str, Any]:
        """The task as an item of a plan, without an id yet."""
        fields = self.model_dump(mode="json", exclude={"date", "estimated_minutes"})
        return {**fields, "duration": self.estimated_minutes, "completed": False}


class TaskChange(Body):
    title: Title = absent()
    description: Text | None = absent()
    duration: Minutes | None = absent()
    priority: WordOrNumber = absent()
    type: ItemType = absent()
    action_url: ActionUrl | None = absent()
    date: Day | None = absent()


class TaskDate(Body):
    date: Day | None = None


class Reordering(Body):
    item_ids: Annotated[list[ItemId], Field(max_length=MAX_ITEMS), AfterValidator(_each_once)]
    date: Day | None = None


class Rollover(Body):
    from_: Annotated[Day | None, Field(alias="from")] = None
    date: Day | None = None


def _is_none(value: object) -> bool:
    return value is None


class Item(ResponseModel):
    """Something to do on a day; without a description or a duration it has no such key."""

    id: str
    type: ItemType
    title: str
    description: Annotated[str | None, Field(exclude_if=_is_none)] = None
    duration: Annotated[int | None, Field(exclude_if=_is_none)] = None
    action_url: str
    completed: bool
    priority: int


class DatedItem(Item):
    """An item, with the day of its plan."""

    date: Annotated[Day, Field(exclude=True)]


class PlanRow(Row):
    """A plan without its items."""

    id: UUID
    date: Day
    notes: str | None
    version: int
    created_at: Instant
    updated_at: Instant


class Plan(ResponseModel):
    id: UUID
    date: Day
    items: list[Item]
    notes: str | None
    completed_count: int
    total_count: int
    version: int
    created_at: Instant
    updated_at: Instant


class Planned(ResponseModel):
    plan: Plan | None


class Draft(Row):
    """Whether generating wrote the plan of the day. It did not if workouts may recur, which Python has to expand."""

    written: bool
    day: Day


class ItemChanged(Row):
    """The plan, or the item, that a statement has written."""

    id: str | UUID


class Moved(Row):
    moved: int


class TaskAdded(ResponseModel):
    plan: Plan
    task: Item


class RolledOver(ResponseModel):
    plan: Plan
    moved: int


class Plans(ResponseModel):
    plans: list[Plan]
