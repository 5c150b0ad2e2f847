"""The routes of what the sessions add up to: records, histories, statistics."""

from uuid import UUID

from questlog.api import Api
from questlog.db import Db
from questlog.wire import Total

from functions.exercise import rules
from functions.exercise.library_models import Exercise
from functions.exercise.session_models import Record, SessionRow, Set
from functions.exercise.statistics_models import (
    DailyHistory,
    DailyHistoryQuery,
    ExerciseHistory,
    ExerciseHistoryQuery,
    Muscle,
    Records,
    RecordsQuery,
    SpanRow,
    Stats,
    StatsQuery,
    Today,
)

api = Api(__file__, queries="statistics.sql")


@api.get("/exercise/records")
def records(db: Db, query: RecordsQuery) -> Records:
    """List the personal records, the newest first; with history=true also those that were beaten since."""
    name = "records_with_history" if query.history else "records"
    page, count = db.each((list[Record], Total), name, **query.model_dump())
    return Records(records=page, total=count.total, page=query.page, page_size=query.page_size)


@api.get("/exercise/{exercise_id}/history")
def exercise_history(db: Db, exercise_id: UUID, query: ExerciseHistoryQuery) -> ExerciseHistory:
    """List the completed sessions with an exercise, the newest first, and its current records."""
    found, rows, sets, records, count = db.each(
        (Exercise, list[SessionRow], list[Set], list[Record], Total),
        "exercise_history",
        exercise_id=exercise_id,
        **query.model_dump(),
    )
    return ExerciseHistory(
        exercise=found,
        sessions=rules.performed(rows, sets),
        records=records,
        total=count.total,
        page=query.page,
        page_size=query.page_size,
    )


@api.get("/exercise/stats")
def stats(db: Db, query: StatsQuery) -> Stats:
    """Return what the completed sessions add up to: the last 7 days, all time, the last weeks, the streak in weeks."""
    day, weeks, days, muscles, recent = db.each((Today, list[SpanRow], list[SpanRow], list[Muscle], Total), "stats")
    return rules.stats(day["today"], weeks, days, records=recent.total, muscles=muscles, shown=query.weeks)


@api.get("/exercise/history")
def history(db: Db, query: DailyHistoryQuery) -> DailyHistory:
    """Return the days with a workout among the last `days`."""
    day, days = db.each((Today, list[SpanRow]), "history", days=query.days)
    return rules.history(day["today"], days, query.days)
