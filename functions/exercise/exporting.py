"""Sessions of ours as the lines of a Hevy export."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from functions.exercise import hevy
from functions.exercise.history import LoggedSet, LoggedWorkout
from functions.exercise.models import Session, Set


def document(sessions: Iterable[Session], zone: str) -> str:
    """The CSV of completed sessions in the order given, with times as clocks in the zone show them."""
    return "".join(hevy.written(_workout(session, zone) for session in sessions))


def _workout(session: Session, zone: str) -> LoggedWorkout:
    ended = session.completed_at or session.started_at
    return LoggedWorkout(
        name=session.workout_name,
        started_at=_shown(session.started_at, zone),
        ended=_shown(ended, zone),
        notes=session.notes,
        sets=[_set(logged) for logged in session.sets],
    )


def _shown(at: datetime, zone: str) -> datetime:
    """What a clock in the zone shows at an instant."""
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def _set(logged: Set) -> LoggedSet:
    return LoggedSet(
        exercise=logged.exercise_name,
        weight_kg=_decimal(logged.weight_kg),
        reps=logged.reps,
        duration_seconds=logged.duration_seconds,
        distance_m=_decimal(logged.distance_m),
        rpe=_decimal(logged.rpe),
        is_warmup=logged.is_warmup,
        is_dropset=logged.is_dropset,
        is_failure=logged.is_failure,
        notes=logged.notes,
    )


def _decimal(number: float | None) -> Decimal | None:
    return None if number is None else Decimal(str(number))
