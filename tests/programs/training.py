"""What the program tests ask for again and again."""

from collections.abc import Iterable
from typing import Any

from tests.conftest import User
from tests.exercise.training import complete, log, start

Program = dict[str, Any]


def program(
    user: User, weeks: int = 2, days: int = 2, *, plan: list[dict[str, Any]] | None = None, **fields: Any
) -> Program:
    """A program of so many weeks and days; `plan` describes weeks, see week()."""
    body = {"name": "Strength", "duration_weeks": weeks, "days_per_week": days, "weeks": plan} | fields
    made: Program = user.post("/exercise/programs", body).data
    return made


def week(*days: Iterable[str], week_number: int = 1) -> dict[str, Any]:
    """A week as a request describes it: for each of its days the ids of the workouts on it."""
    workouts = [{"workout_id": workout, "day_number": day} for day, done in enumerate(days, 1) for workout in done]
    return {"week_number": week_number, "workouts": workouts}


def activated(user: User, made: Program, **fields: Any) -> Program:
    """The program once it is active."""
    active: Program = user.post(f"/exercise/programs/{made['id']}/activate", fields).data
    return active


def shown(user: User, made: Program) -> Program:
    """The program as it is now."""
    found: Program = user.get(f"/exercise/programs/{made['id']}").data
    return found


def advanced(user: User, made: Program, **fields: Any) -> Program:
    """The program once its present day is ticked off."""
    after: Program = user.post(f"/exercise/programs/{made['id']}/advance", fields).data
    return after


def position(made: Program) -> tuple[int, int]:
    """The week and the day at which the program is."""
    return made["current_week"], made["current_day"]


def slots(made: Program) -> list[dict[str, Any]]:
    """All slots of the program, in order."""
    return [slot for one in made["weeks"] for slot in one["workouts"]]


def statuses(made: Program) -> list[str]:
    """The status of each slot, in order."""
    return [slot["status"] for slot in slots(made)]


def train(user: User, slot: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Do a slot: a session with one set, as its completion returned it."""
    start(user, program_workout_id=slot["id"], **fields)
    log(user)
    return complete(user)
