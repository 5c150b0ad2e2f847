"""The daily plan: what to do on a day, generated from what is due and edited by hand (planning contract, section 3)."""

from datetime import date

from questlog.api import Api
from questlog.db import Db
from questlog.recurrence.listing import between

from functions.daily_plan.models import (
    MAX_WORKOUTS,
    Draft,
    NewTask,
    PlanAction,
    Planned,
    PlanQuery,
    Plans,
    RangeQuery,
    Reordering,
    RolledOver,
    Rollover,
    TaskAdded,
    TaskChange,
    TaskDate,
    Workouts,
)

api = Api(__file__)


@api.get("/daily-plan", envelope=False, etag=True)
def plan(db: Db, query: PlanQuery) -> Planned:
    """The plan of a day, or null; an item reads completed when it was ticked or what it stands for is done."""
    return db.one(Planned, "plan", date=query.date)


@api.post("/daily-plan", envelope=False)
def act(db: Db, body: PlanAction) -> Planned:
    """Generate a plan, write it whole, or tick an item of it.

    Generating is 400 more than 31 days from today; writing is 409 conflict when `version` is no longer the plan's;
    ticking is 404 without such a plan or item.
    """
    match body.action:
        case "generate":
            return _generate(db, body.date)
        case "update":
            return db.one(Planned, "update", date=body.date, version=body.version, contents=body.contents)
        case "complete_item":
            return db.one(Planned, "complete_item", date=body.date, item_id=body.item_id, completed=body.completed)


def _generate(db: Db, day: date | None) -> Planned:
    """Generate, in a second trip where workouts may recur: what falls on the day is not for SQL to say.

    A series that changes between the two is planned as it was a moment ago, and mended by generating again.
    """
    draft = db.one(Draft, "generate", date=day, calendar=None)
    if draft.plan is None:
        found = Workouts.model_validate(draft.calendar)
        occurrences, _ = between(found.window, [*found.events, *found.series], found.marks)
        workouts = [
            {"id": workout.name, "title": workout.row.title, "start_time": str(workout.start)}
            for workout in occurrences[:MAX_WORKOUTS]
        ]
        draft = db.one(Draft, "generate", date=draft.day, calendar={"events": workouts, "series": []})
    return Planned(plan=draft.plan)


@api.post("/daily-plan/tasks", envelope=False)
def add_task(db: Db, body: NewTask) -> TaskAdded:
    """Add a task of one's own at the end of a day's plan, which is made if there is none; 400 at 50 items."""
    return db.one(TaskAdded, "add_task", date=body.date, task=body.item)


@api.put("/daily-plan/tasks/{item_id}", envelope=False)
@api.patch("/daily-plan/tasks/{item_id}", envelope=False)
def change_task(db: Db, item_id: str, query: PlanQuery, body: TaskChange) -> Planned:
    """Change an item, a generated one too: it is then the user's, and generating again leaves it as it is."""
    return db.one(Planned, "change_task", date=body.date or query.date, item_id=item_id, changes=body.changes())


@api.delete("/daily-plan/tasks/{item_id}", envelope=False)
def delete_task(db: Db, item_id: str, query: PlanQuery, body: TaskDate) -> Planned:
    """Take an item out of a plan."""
    return db.one(Planned, "delete_task", date=body.date or query.date, item_id=item_id)


@api.post("/daily-plan/reorder", envelope=False)
def reorder(db: Db, body: Reordering) -> Planned:
    """Put a plan's items into this order; 400 unless each is named once."""
    return db.one(Planned, "reorder", date=body.date, item_ids=body.item_ids)


@api.post("/daily-plan/rollover", envelope=False)
def rollover(db: Db, body: Rollover) -> RolledOver:
    """Move the user's unfinished tasks on to another day; 400 when that day is not later, or its plan has no room."""
    return db.one(RolledOver, "rollover", source=body.from_, date=body.date)


@api.get("/daily-plan/range", envelope=False)
def plans(db: Db, query: RangeQuery) -> Plans:
    """The plans of the days from one to another, both included."""
    return db.one(Plans, "plans", first=query.from_, last=query.to)


handler = api.handler
