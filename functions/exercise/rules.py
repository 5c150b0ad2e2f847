"""What the exercise routes make of rows: workouts with their sections, sessions with their sets, statistics."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final
from uuid import UUID, uuid4

from functions.exercise.library_models import ExercisesQuery
from functions.exercise.session_models import (
    ActiveSession,
    Previous,
    Record,
    RecordType,
    Running,
    Session,
    SessionRow,
    Set,
)
from functions.exercise.statistics_models import DailyHistory, DayStats, Muscle, Performed, SpanRow, Stats, WeekStats
from functions.exercise.workout_models import (
    NewSection,
    PlannedExercise,
    Section,
    SectionRow,
    Workout,
    WorkoutRow,
    WorkoutsQuery,
)

# A running session in which nothing has happened for this long was forgotten.
STALE_AFTER: Final = timedelta(hours=12)
# The order in which the records of one set are shown.
RANK: Final[tuple[RecordType, ...]] = (
    "max_weight",
    "est_1rm",
    "max_volume",
    "max_reps",
    "max_distance",
    "max_duration",
)
_WEEK: Final = timedelta(days=7)
_CENT: Final = Decimal("0.01")


def listed(query: ExercisesQuery | WorkoutsQuery) -> dict[str, Any]:
    """The parameters of a list's statement: the filters, the words to find in the names, the limit and the offset."""
    filters = query.model_dump(exclude={"search", "page", "page_size"})
    return {**filters, "words": query.search.split(), **query.bounds}


# Workouts -------------------------------------------------------------------------------------------------------------


def workouts(
    rows: Iterable[WorkoutRow], sections: Iterable[SectionRow], planned: Iterable[PlannedExercise]
) -> list[Workout]:
    """Workouts with their sections, and those with their exercises; each in the order of its rows."""
    exercises: dict[UUID, list[PlannedExercise]] = defaultdict(list)
    for exercise in planned:
        exercises[exercise["section_id"]].append(exercise)
    of_workout: dict[UUID, list[Section]] = defaultdict(list)
    for section in sections:
        shown = Section(
            id=section["id"],
            name=section["name"],
            section_type=section["section_type"],
            sort_order=section["sort_order"],
            exercises=exercises[section["id"]],
        )
        of_workout[section["workout_id"]].append(shown)
    return [Workout(**row, sections=of_workout[row["id"]]) for row in rows]


def sections_document(sections: Iterable[NewSection]) -> dict[str, list[dict[str, Any]]]:
    """The sections of a workout as rows for write_sections(), numbered from 0 in the order sent."""
    rows: dict[str, list[dict[str, Any]]] = {"sections": [], "exercises": []}
    for place, section in enumerate(sections):
        section_id = str(uuid4())
        sent = section.model_dump(mode="json", exclude={"exercises"})
        rows["sections"].append({"id": section_id, "sort_order": place, **sent})
        rows["exercises"] += [
            {"id": str(uuid4()), "section_id": section_id, "sort_order": number, **exercise.model_dump(mode="json")}
            for number, exercise in enumerate(section.exercises or [])
        ]
    return rows


# Sessions -------------------------------------------------------------------------------------------------------------


def sessions(rows: Iterable[SessionRow], sets: Iterable[Set]) -> list[Session]:
    """Sessions with their sets, each in the order of its rows."""
    of_session: dict[UUID, list[Set]] = defaultdict(list)
    for logged in sets:
        of_session[logged["session_id"]].append(logged)
    return [Session(**row, sets=of_session[row["id"]]) for row in rows]


def active_session(
    session: Session, running: Running, workout: Workout, last_time: Iterable[SessionRow], last_sets: Iterable[Set]
) -> ActiveSession:
    """The running session with its workout and, of each exercise, what was done in its last completed session."""
    last_activity = max(
        [session["started_at"], running["opened_at"], *(logged["logged_at"] for logged in session["sets"])]
    )
    return ActiveSession(
        **session,
        workout=workout,
        previous=_previous(last_time, last_sets),
        is_stale=running["now"] - last_activity >= STALE_AFTER,
        intensity_modifier=running["intensity_modifier"],
    )


def _previous(sessions: Iterable[SessionRow], sets: Iterable[Set]) -> list[Previous]:
    completed = {session["id"]: session["completed_at"] for session in sessions}
    of_exercise: dict[tuple[UUID, UUID], list[Set]] = defaultdict(list)
    for logged in sets:
        of_exercise[logged["exercise_id"], logged["session_id"]].append(logged)
    return [
        Previous(exercise_id=exercise, session_id=session, completed_at=ended, sets=done)
        for (exercise, session), done in of_exercise.items()
        if (ended := completed[session]) is not None
    ]


def by_rank(records: Iterable[Record]) -> list[Record]:
    """The records of a set, the one it is told as first."""
    return sorted(records, key=lambda record: RANK.index(record["record_type"]))


def best_records(records: Iterable[Record]) -> list[Record]:
    """Of each exercise and type the record with the highest value, in the order given."""
    best: dict[tuple[UUID, str], Record] = {}
    for record in records:
        key = (record["exercise_id"], record["record_type"])
        if key not in best or record["value"] > best[key]["value"]:
            best[key] = record
    return list(best.values())


# History and statistics -----------------------------------------------------------------------------------------------


def performed(rows: Iterable[SessionRow], sets: Iterable[Set]) -> list[Performed]:
    """The sessions of one exercise with its sets, and the best of each."""
    of_session: dict[UUID, list[Set]] = defaultdict(list)
    for logged in sets:
        of_session[logged["session_id"]].append(logged)
    return [
        _performed(session, session["completed_at"], of_session[session["id"]])
        for session in rows
        if session["completed_at"] is not None
    ]


def _performed(session: SessionRow, completed_at: datetime, sets: list[Set]) -> Performed:
    working = [logged for logged in sets if _is_working(logged)]
    volume = sum((Decimal(str(max(s["weight_kg"] or 0, 0))) * (s["reps"] or 0) for s in working), Decimal(0))
    weights = [s["weight_kg"] for s in working if s["weight_kg"] and s["reps"]]
    estimates = [estimate for s in working if (estimate := est_1rm(s["weight_kg"], s["reps"])) is not None]
    return Performed(
        session_id=session["id"],
        workout_id=session["workout_id"],
        workout_name=session["workout_name"],
        started_at=session["started_at"],
        completed_at=completed_at,
        sets=sets,
        volume_kg=float(volume),
        best_weight_kg=max(weights, default=None),
        best_est_1rm=max(estimates, default=None),
    )


def _is_working(logged: Set) -> bool:
    """Whether a set counts; exercise_sets.is_working says the same."""
    return not logged["is_warmup"] and bool(logged["reps"] or logged["duration_seconds"] or logged["distance_m"])


def est_1rm(weight_kg: float | None, reps: int | None) -> float | None:
    """The estimated one-rep maximum in kg (Epley: weight x (1 + reps / 30)), of 1 to 12 repetitions; else None."""
    if not weight_kg or weight_kg < 0 or not reps or reps > 12:
        return None
    weight = Decimal(str(weight_kg)).quantize(_CENT, ROUND_HALF_UP)
    if reps == 1:
        return float(weight)
    return float((weight * (30 + reps) / 30).quantize(_CENT, ROUND_HALF_UP))


def week_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def stats(
    today: date,
    weeks: Sequence[SpanRow],
    days: Sequence[SpanRow],
    *,
    records: int,
    muscles: list[Muscle],
    shown: int,
) -> Stats:
    """Statistics of all weeks with a workout, and of the days of the last week."""
    current, longest = streaks([row.begins for row in weeks], week_of(today))
    return Stats(
        workouts_7d=sum(row.workouts for row in days),
        sets_7d=sum(row.sets for row in days),
        minutes_7d=sum(row.seconds for row in days) // 60,
        volume_kg_7d=_sum(row.volume_kg for row in days),
        records_7d=records,
        total_workouts=sum(row.workouts for row in weeks),
        total_sets=sum(row.sets for row in weeks),
        total_minutes=sum(row.seconds for row in weeks) // 60,
        total_volume_kg=_sum(row.volume_kg for row in weeks),
        current_streak_weeks=current,
        longest_streak_weeks=longest,
        weeks=_last_weeks({row.begins: row for row in weeks}, week_of(today), shown),
        muscles=muscles,
    )


def _sum(volumes: Iterable[float]) -> float:
    """A sum of numbers of three decimals, without the dust of binary fractions."""
    return float(sum((Decimal(str(volume)) for volume in volumes), Decimal(0)))


def _last_weeks(rows: Mapping[date, SpanRow], this_week: date, count: int) -> list[WeekStats]:
    mondays = [this_week - _WEEK * back for back in reversed(range(count))]
    none = SpanRow(begins=this_week, workouts=0, sets=0, seconds=0, volume_kg=0)
    return [
        WeekStats(
            week_start=monday,
            workouts=row.workouts,
            sets=row.sets,
            minutes=row.seconds // 60,
            volume_kg=row.volume_kg,
        )
        for monday in mondays
        for row in [rows.get(monday, none)]
    ]


def streaks(mondays: Sequence[date], this_week: date) -> tuple[int, int]:
    """The streak of weeks that ends this week or last week, and the longest. `mondays` in ascending order."""
    longest = current = 0
    before: date | None = None
    for monday in mondays:
        current = current + 1 if before is not None and monday - before == _WEEK else 1
        longest = max(longest, current)
        before = monday
    stands = before is not None and before >= this_week - _WEEK
    return (current if stands else 0), longest


def history(today: date, days: Iterable[SpanRow], span: int) -> DailyHistory:
    """The days with a workout among the last `span`."""
    shown = [
        DayStats(
            date=row.begins, workouts=row.workouts, sets=row.sets, minutes=row.seconds // 60, volume_kg=row.volume_kg
        )
        for row in days
    ]
    return {"from": today - timedelta(days=span - 1), "to": today, "days": shown}
