"""The daily plan: what to do on a day, generated from what is due and edited by hand (planning contract, section 3)."""

from datetime import date
from typing import Any

from questlog.api import Api, Tool
from questlog.db import Db
from questlog.recurrence.listing import EventRow, Mark, Window, between

from functions.daily_plan import rules
from functions.daily_plan.models import (
    MAX_WORKOUTS,
    DatedItem,
    Draft,
    Item,
    ItemChanged,
    Moved,
    NewTask,
    PlanAction,
    Planned,
    PlanQuery,
    PlanRow,
    Plans,
    RangeQuery,
    Reordering,
    RolledOver,
    Rollover,
    TaskAdded,
    TaskChange,
    TaskDate,
)

api = Api(__file__)


@api.get(
    "/daily-plan",
    envelope=False,
    etag=True,
    tools=[
        Tool("show_plan", "The plan of a day with the ids of its items; null when there is none.", arguments=("date",)),
    ],
)
def plan(db: Db, query: PlanQuery) -> Planned:
    """Return the plan of a day, or null. An item is completed when it was ticked or when what it stands for is done."""
    found, items = db.each((list[PlanRow], list[Item]), "plan", date=query.date)
    return Planned(plan=rules.plan_of(found[0], items) if found else None)


@api.post(
    "/daily-plan",
    envelope=False,
    errors={404: ["not_found"], 409: ["conflict"]},
    tools=[
        Tool(
            "plan_day",
            "Make the plan of a day from what is due. Items that the user wrote or changed stay.",
            arguments=("date",),
            fixed={"action": "generate"},
            idempotent=True,
        ),
        Tool(
            "complete_task",
            "Tick an item of a day's plan, or with completed=false take the tick back.",
            arguments=("item_id", "date", "completed"),
            required=("item_id",),
            fixed={"action": "complete_item"},
            idempotent=True,
        ),
    ],
)
def act(db: Db, body: PlanAction) -> Planned:
    """Generate a plan, write it whole, or tick an item of it.

    Generating is 400 more than 31 days from today; writing is 409 conflict when `version` is no longer the plan's;
    ticking is 404 without such a plan or item.
    """
    match body.action:
        case "generate":
            return _generate(db, body.date)
        case "update":
            return _written(db, "update", date=body.date, version=body.version, contents=body.contents)
        case "complete_item":
            return _written(db, "complete_item", date=body.date, item_id=body.item_id, completed=body.completed)


def _generate(db: Db, day: date | None) -> Planned:
    """Generate a plan. If workouts may recur this takes a second trip, since series are expanded in Python.

    A series that changes between the two trips is planned as it was before; generating again corrects that.
    """
    draft, found, items, window, events, marks = db.each(
        (Draft, list[PlanRow], list[Item], Window, list[EventRow], list[Mark]), "generate", date=day
    )
    if not draft.written:
        workouts, _ = between(window, events, marks)
        _, found, items = db.each(
            (ItemChanged, list[PlanRow], list[Item]),
            "generate_with",
            date=draft.day,
            workout_ids=[workout.name for workout in workouts[:MAX_WORKOUTS]],
            workout_titles=[workout.row.title for workout in workouts[:MAX_WORKOUTS]],
        )
    return Planned(plan=rules.plan_of(found[0], items))


def _written(db: Db, name: str, **parameters: Any) -> Planned:
    """The plan after a statement that writes it; 404 where that found no plan, or no such item in it."""
    _, row, items = db.each((ItemChanged, PlanRow, list[Item]), name, **parameters)
    return Planned(plan=rules.plan_of(row, items))


@api.post(
    "/daily-plan/tasks",
    envelope=False,
    tools=[
        Tool(
            "add_task",
            "Add a task at the end of a day's plan.",
            arguments=("title", "description", "priority", "estimated_minutes", "date"),
        ),
    ],
)
def add_task(db: Db, body: NewTask) -> TaskAdded:
    """Add a task at the end of a day's plan, which is made if there is none; 400 at 50 items."""
    task, row, items = db.each((ItemChanged, PlanRow, list[Item]), "add_task", date=body.date, task=body.item)
    added = next(item for item in items if item.id == task.id)
    return TaskAdded(plan=rules.plan_of(row, items), task=added)


@api.put("/daily-plan/tasks/{item_id}", envelope=False)
@api.patch("/daily-plan/tasks/{item_id}", envelope=False)
def change_task(db: Db, item_id: str, query: PlanQuery, body: TaskChange) -> Planned:
    """Change an item. A generated item becomes the user's own by it: generating again leaves it as it is."""
    return _written(db, "change_task", date=body.date or query.date, item_id=item_id, changes=body.changes())


@api.delete("/daily-plan/tasks/{item_id}", envelope=False)
def delete_task(db: Db, item_id: str, query: PlanQuery, body: TaskDate) -> Planned:
    """Take an item out of a plan."""
    return _written(db, "delete_task", date=body.date or query.date, item_id=item_id)


@api.post("/daily-plan/reorder", envelope=False, errors={404: ["not_found"]})
def reorder(db: Db, body: Reordering) -> Planned:
    """Put a plan's items into this order; 400 unless each is named once."""
    return _written(db, "reorder", date=body.date, item_ids=body.item_ids)


@api.post("/daily-plan/rollover", envelope=False)
def rollover(db: Db, body: Rollover) -> RolledOver:
    """Move the user's unfinished tasks on to another day; 400 when that day is not later, or its plan has no room."""
    moved, row, items = db.each((Moved, PlanRow, list[Item]), "rollover", source=body.from_, date=body.date)
    return RolledOver(plan=rules.plan_of(row, items), moved=moved.moved)


@api.get("/daily-plan/range", envelope=False)
def plans(db: Db, query: RangeQuery) -> Plans:
    """List the plans of the days from one date to another, both included."""
    rows, items = db.each((list[PlanRow], list[DatedItem]), "plans", first=query.from_, last=query.to)
    return Plans(plans=rules.plans_of(rows, items))


handler = api.handler
