"""Sessions of ours as the lines of a Hevy export."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from starlette.responses import Response

from questlog.importing.requests import attachment

from functions.exercise import hevy
from functions.exercise.history import LoggedSet, LoggedWorkout
from functions.exercise.session_models import Session, Set


class Zone(NamedTuple):
    """The user's zone."""

    zone: str


def attached(sessions: Iterable[Session], zone: str) -> Response:
    """The CSV of completed sessions in the order given, to save, with times as clocks in the zone show them.

    Raises Failure answer_too_large if it is too large for an answer.
    """
    document = "".join(hevy.written(_workout(session, zone) for session in sessions))
    message = "The workouts would be larger than 5 MiB as a file; ask for a part of them by from and to."
    return attachment(document, "workouts.csv", too_large=message)


def _workout(session: Session, zone: str) -> LoggedWorkout:
    ended = session["completed_at"] or session["started_at"]
    return LoggedWorkout(
        name=session["workout_name"],
        started_at=_shown(session["started_at"], zone),
        ended=_shown(ended, zone),
        notes=session["notes"],
        sets=[_set(logged) for logged in session["sets"]],
    )


def _shown(at: datetime, zone: str) -> datetime:
    """What a clock in the zone shows at an instant."""
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def _set(logged: Set) -> LoggedSet:
    return LoggedSet(
        exercise=logged["exercise_name"],
        weight_kg=_decimal(logged["weight_kg"]),
        reps=logged["reps"],
        duration_seconds=logged["duration_seconds"],
        distance_m=_decimal(logged["distance_m"]),
        rpe=_decimal(logged["rpe"]),
        is_warmup=logged["is_warmup"],
        is_dropset=logged["is_dropset"],
        is_failure=logged["is_failure"],
        notes=logged["notes"],
    )


def _decimal(number: float | None) -> Decimal | None:
    return None if number is None else Decimal(str(number))
