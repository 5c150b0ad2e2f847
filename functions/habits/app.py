"""Habits: what a user means to do again and again, and the streaks of doing it (core contract, section 4)."""

from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from questlog.api import Api, Tool
from questlog.db import Db
from questlog.errors import Conflict
from questlog.wire import Deleted, Total

from functions.habits import rules
from functions.habits.models import (
    Completed,
    Completing,
    Completion,
    Correcting,
    DayBody,
    DayQuery,
    Habit,
    HabitChange,
    Habits,
    HabitsQuery,
    HabitsReport,
    History,
    HistoryQuery,
    HistorySpan,
    ImportQuery,
    LogEntry,
    Logged,
    Logging,
    NewHabit,
    Order,
    RecordedDay,
    Reversal,
    Undone,
    Written,
)

api = Api(__file__)

# How often an import is planned again when something else has changed the habits in between.
ATTEMPTS = 3


@api.get(
    "/habits",
    tools=[
        Tool(
            "list_habits", "List the habits, with their ids and whether they are done today.", arguments=("archived",)
        ),
    ],
)
def habits(db: Db, query: HabitsQuery) -> Habits:
    """List the active habits, or the archived ones, all or a page, in the user's order."""
    if not query.is_paged:
        return {"habits": rules.in_order(db.many(Habit, "habits", archived=query.archived))}
    found, count = db.each((list[Habit], Total), "habits_page", archived=query.archived, **query.bounds)
    return {"habits": rules.in_order(found), **query.shown(count.total)}


@api.post("/habits", errors={409: ["limit_reached"]})
def add(db: Db, body: NewHabit) -> Habit:
    """Add a habit, last in the order. 409 limit_reached when there are 200 active ones."""
    return db.one(Habit, "add", **body.model_dump())


@api.put("/habits/order")
def reorder(db: Db, body: Order) -> Habits:
    """Put the active habits in the order of `ids`, which must name each of them once."""
    return {"habits": rules.in_order(db.many(Habit, "reorder", ids=body.ids))}


@api.post("/habits/import", errors={409: ["conflict", "limit_reached"]})
def import_habits(db: Db, request: Request, query: ImportQuery, content: bytes) -> HabitsReport:
    """Take the habits of a Loop export (a ZIP file) or a Habitica export (JSON). Nothing is paid for them.

    Two trips: what is there decides, habit by habit, what is written. 409 limit_reached when more than 200 would be
    active, conflict when other changes keep coming in between.
    """
    from functions.habits import importing  # noqa: PLC0415 - only who imports or exports pays for it

    importing.require_file(request)
    records = None
    for _ in range(ATTEMPTS):
        standing, held, deleted, quests = db.each(
            (importing.Standing, list[importing.Held], list[importing.Key], list[importing.Key]), "importable"
        )
        records = records or importing.read(content, query)
        plan = importing.planned(records, standing.zone, held, deleted, quests)
        if query.dry_run or not plan.writes:
            return plan.report(records, dry_run=query.dry_run)
        if db.one(Written, "import", version=standing.version, **plan.parameters()).written:
            return plan.report(records, dry_run=False)
    raise Conflict("conflict", "Other changes to the habits keep coming in between; try again.")


@api.get("/habits/export.zip", errors={413: ["answer_too_large"]})
def export(db: Db) -> Response:
    """Return the habits with their days as a ZIP file in Loop's layout."""
    from functions.habits import importing  # noqa: PLC0415 - only who imports or exports pays for it

    return importing.attached(*db.each((list[importing.HabitRow], list[importing.DayRow]), "export"))


@api.get("/habits/{habit_id}")
def habit(db: Db, habit_id: UUID) -> Habit:
    """Return one habit."""
    return db.one(Habit, "habit", habit_id=habit_id)


@api.patch("/habits/{habit_id}")
def change(db: Db, habit_id: UUID, body: HabitChange) -> Habit:
    """Change a habit. Earlier days keep the target they had; streaks follow the new schedule."""
    return db.one(Habit, "change", habit_id=habit_id, changes=body.changes())


@api.delete("/habits/{habit_id}")
def delete(db: Db, habit_id: UUID) -> Deleted:
    """Delete a habit and its history. The user keeps what it paid."""
    return db.one(Deleted, "delete", habit_id=habit_id)


@api.post("/habits/{habit_id}/archive")
def archive(db: Db, habit_id: UUID) -> Habit:
    """Archive a habit; its history is kept."""
    return db.one(Habit, "archive", habit_id=habit_id)


@api.post("/habits/{habit_id}/restore", errors={409: ["limit_reached"]})
def restore(db: Db, habit_id: UUID) -> Habit:
    """Make an archived habit active again. 409 limit_reached when there are 200 active ones."""
    return db.one(Habit, "restore", habit_id=habit_id)


@api.post(
    "/habits/{habit_id}/complete",
    errors={409: ["habit_archived"]},
    tools=[
        Tool(
            "log_habit",
            "Record that a habit was done, today or in the last 7 days. For a habit with amounts, log what is missing.",
            arguments=("date", "notes"),
        ),
    ],
)
def complete(db: Db, habit_id: UUID, query: DayQuery, body: Completing) -> Completed:
    """Record a completion of today or of one of the 7 days before, and pay it when it meets today's target.

    Once the day's target is met, nothing is recorded and `already_completed` is true. Of a habit with amounts, what its
    period lacks is logged. 409 habit_archived.
    """
    # One row holds both: the habit is known after its completion, and to read it again would take another statement.
    row = db.one(dict[str, Any], "complete", habit_id=habit_id, date=body.date or query.date, notes=body.notes)
    return Completed.model_validate({**row, "habit": row})


@api.post(
    "/habits/{habit_id}/log",
    errors={409: ["habit_archived", "invalid_state", "limit_reached", "insufficient_coins"]},
    tools=[
        Tool(
            "log_amount",
            "Add to the amount of a habit with amounts, such as 0.5 litres; a number below 0 takes as much back.",
            arguments=("amount", "date", "notes"),
        ),
    ],
)
def log(db: Db, habit_id: UUID, query: DayQuery, body: Logging) -> Logged:
    """Log an amount, `amount_step` without one, and pay the period when its sum reaches the target.

    An amount below 0 takes back as much; where the sum falls below the target, so is the payment. 409 habit_archived,
    invalid_state for a habit of kind check, limit_reached after 100 amounts of a day, insufficient_coins when the coins
    to take back have been spent.
    """
    entry, habit = db.each(
        (LogEntry, Habit),
        "log",
        habit_id=habit_id,
        date=body.date or query.date,
        amount=body.amount,
        notes=body.notes,
    )
    return Logged(**dict(entry), habit=habit)


@api.put("/habits/{habit_id}/log", errors={409: ["habit_archived", "invalid_state", "insufficient_coins"]})
def correct(db: Db, habit_id: UUID, query: DayQuery, body: Correcting) -> Logged:
    """Set the sum of a day. The same sum again changes nothing.

    409 habit_archived, invalid_state for a habit of kind check, insufficient_coins when the coins to take back are
    spent.
    """
    entry, habit = db.each(
        (LogEntry, Habit), "correct", habit_id=habit_id, date=body.date or query.date, amount=body.amount
    )
    return Logged(**dict(entry), habit=habit)


@api.post(
    "/habits/{habit_id}/kept",
    errors={409: ["habit_archived", "invalid_state", "period_open", "already_completed", "limit_exceeded"]},
)
def kept(db: Db, habit_id: UUID) -> Completed:
    """Claim the last period that is over as kept within the limit, and pay it: once.

    409 habit_archived, invalid_state unless the direction is at_most, period_open when no period is over yet,
    already_completed, limit_exceeded.
    """
    completion, habit = db.each((Completion, Habit), "kept", habit_id=habit_id)
    return Completed(**dict(completion), habit=habit)


@api.delete(
    "/habits/{habit_id}/complete",
    errors={409: ["insufficient_coins"]},
    tools=[
        Tool(
            "undo_habit",
            "Take back the last completion of a habit on a day, and what it paid.",
            arguments=("date",),
            destructive=True,
        ),
    ],
)
def undo(db: Db, habit_id: UUID, query: DayQuery, body: DayBody) -> Undone:
    """Delete a day's last completion and reverse what it paid. 404 when the day has none.

    409 insufficient_coins when the coins it paid have been spent.
    """
    reversal, habit = db.each((Reversal, Habit), "undo", habit_id=habit_id, date=body.date or query.date)
    return Undone(**dict(reversal), habit=habit)


@api.post("/habits/{habit_id}/skip", errors={409: ["already_completed", "limit_reached", "habit_archived"]})
def skip(db: Db, habit_id: UUID, query: DayQuery, body: DayBody) -> Habit:
    """Skip a day, so that it does not break the streak.

    409 already_completed when the day's target is met, limit_reached after 2 skips in any 7 days, habit_archived.
    """
    return db.one(Habit, "skip", habit_id=habit_id, date=body.date or query.date)


@api.delete("/habits/{habit_id}/skip")
def unskip(db: Db, habit_id: UUID, query: DayQuery, body: DayBody) -> Habit:
    """Take a skip back. A day that was not skipped stays as it is."""
    return db.one(Habit, "unskip", habit_id=habit_id, date=body.date or query.date)


@api.get("/habits/{habit_id}/history")
def history(db: Db, habit_id: UUID, query: HistoryQuery) -> History:
    """Return a habit's days from `from` to `to`, at most 366; without them, the last 30 days."""
    span, days = db.each((HistorySpan, list[RecordedDay]), "history", habit_id=habit_id, **query.model_dump())
    return rules.history(span, days)


handler = api.handler
