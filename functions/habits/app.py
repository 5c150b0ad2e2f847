"""Habits: what a user means to do again and again, and how long it has held (core contract, section 4)."""

from uuid import UUID

from questlog.api import Api
from questlog.db import Db
from questlog.wire import Deleted

from functions.habits.models import (
    Completed,
    Completing,
    DayBody,
    DayQuery,
    Habit,
    HabitChange,
    Habits,
    HabitsQuery,
    History,
    HistoryQuery,
    NewHabit,
    Order,
    Undone,
)

api = Api(__file__)


@api.get("/habits")
def habits(db: Db, query: HabitsQuery) -> Habits:
    """The active habits or, with archived=true, the archived ones, in their order."""
    return db.one(Habits, "habits", archived=query.archived)


@api.post("/habits")
def add(db: Db, body: NewHabit) -> Habit:
    """A new habit, last in the order; 409 limit_reached at 200 active ones."""
    return db.one(Habit, "add", **body.model_dump())


@api.put("/habits/order")
def reorder(db: Db, body: Order) -> Habits:
    """Put the active habits in this order; 400 unless each is named once."""
    return db.one(Habits, "reorder", ids=body.ids)


@api.get("/habits/{habit_id}")
def habit(db: Db, habit_id: UUID) -> Habit:
    """One habit."""
    return db.one(Habit, "habit", habit_id=habit_id)


@api.patch("/habits/{habit_id}")
def change(db: Db, habit_id: UUID, body: HabitChange) -> Habit:
    """Change a habit. Days that were done stay done, whatever the new target; streaks follow the new schedule."""
    return db.one(Habit, "change", habit_id=habit_id, changes=body.changes())


@api.delete("/habits/{habit_id}")
def delete(db: Db, habit_id: UUID) -> Deleted:
    """Delete a habit and its history; what it paid stays paid."""
    return db.one(Deleted, "delete", habit_id=habit_id)


@api.post("/habits/{habit_id}/archive")
def archive(db: Db, habit_id: UUID) -> Habit:
    """Put a habit away with its history."""
    return db.one(Habit, "archive", habit_id=habit_id)


@api.post("/habits/{habit_id}/restore")
def restore(db: Db, habit_id: UUID) -> Habit:
    """Take an archived habit up again; 409 limit_reached at 200 active ones."""
    return db.one(Habit, "restore", habit_id=habit_id)


@api.post("/habits/{habit_id}/complete")
def complete(db: Db, habit_id: UUID, query: DayQuery, body: Completing) -> Completed:
    """Record a completion, and pay it where it makes today done; past the day's target nothing happens.

    An earlier day, up to 7 back, counts unpaid. 409 habit_archived.
    """
    return db.one(Completed, "complete", habit_id=habit_id, date=body.date or query.date, notes=body.notes)


@api.delete("/habits/{habit_id}/complete")
def undo(db: Db, habit_id: UUID, query: DayQuery, body: DayBody) -> Undone:
    """Take a day's last completion back and reverse what it paid; 404 when there is none.

    409 insufficient_coins when the coins it paid are spent.
    """
    return db.one(Undone, "undo", habit_id=habit_id, date=body.date or query.date)


@api.post("/habits/{habit_id}/skip")
def skip(db: Db, habit_id: UUID, query: DayQuery, body: DayBody) -> Habit:
    """Leave a day out without breaking the streak; 409 already_completed, and limit_reached beyond 2 in any 7 days."""
    return db.one(Habit, "skip", habit_id=habit_id, date=body.date or query.date)


@api.delete("/habits/{habit_id}/skip")
def unskip(db: Db, habit_id: UUID, query: DayQuery, body: DayBody) -> Habit:
    """Take a skip back, if there is one."""
    return db.one(Habit, "unskip", habit_id=habit_id, date=body.date or query.date)


@api.get("/habits/{habit_id}/history")
def history(db: Db, habit_id: UUID, query: HistoryQuery) -> History:
    """What the days from `from` to `to` were to a habit; the last 30 unless told otherwise, at most 366."""
    return db.one(History, "history", habit_id=habit_id, **query.model_dump())


handler = api.handler
