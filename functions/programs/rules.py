"""What the program routes make of rows and of requests: programs with their weeks and slots, templates, plans."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from functions.programs.models import (
    ActiveProgram,
    NewProgram,
    NewSlot,
    NewWeek,
    NextDay,
    Program,
    ProgramDetail,
    Slot,
    Template,
    TemplateExercise,
    TemplateRow,
    TemplateWorkout,
    Week,
    WeekRow,
)

# Requests -------------------------------------------------------------------------------------------------------------


def week_name(name: str | None, week_number: int) -> str:
    """A week's name; without one it is called by its number."""
    return name or f"Week {week_number}"


def plan(program: NewProgram) -> dict[str, list[dict[str, Any]]]:
    """Every week of a new program and the slots in them, as rows for the statements.

    What is sent for the week itself wins over `deload_weeks`.
    """
    deload = set(program.deload_weeks or [])
    described = {week.week_number: week for week in program.weeks or []}
    weeks = [described.get(number) or NewWeek(week_number=number) for number in range(1, program.duration_weeks + 1)]
    return {
        "weeks": [
            {
                "week_number": week.week_number,
                "name": week_name(week.name, week.week_number),
                "is_deload": week.week_number in deload if week.is_deload is None else week.is_deload,
                "notes": week.notes,
            }
            for week in weeks
        ],
        "slots": [row for week in weeks for row in _slot_rows(week.week_number, week.workouts or [])],
    }


def slots(week_numbers: Iterable[int], sent: Sequence[NewSlot]) -> dict[str, list[dict[str, Any]]]:
    """The same slots in several weeks, as rows for write_slots()."""
    return {"slots": [row for number in sorted(set(week_numbers)) for row in _slot_rows(number, sent)]}


def _slot_rows(week_number: int, sent: Sequence[NewSlot]) -> list[dict[str, Any]]:
    """Rows of a week's slots, numbered from 0 within each day in the order sent."""
    on_day: dict[int, int] = defaultdict(int)
    rows = []
    for slot in sent:
        values = slot.model_dump(mode="json")
        rows.append({"week_number": week_number, "order_index": on_day[slot.day_number], **values})
        on_day[slot.day_number] += 1
    return rows


# Programs -------------------------------------------------------------------------------------------------------------


def detail(program: Program, weeks: Iterable[WeekRow], slots: Iterable[Slot]) -> ProgramDetail:
    """A program with its weeks, and those with their slots; each in the order of its rows."""
    of_week: dict[int, list[Slot]] = defaultdict(list)
    for row in slots:
        of_week[row["week_number"]].append(row)
    return ProgramDetail(**program, weeks=[Week(**week, workouts=of_week[week["week_number"]]) for week in weeks])


def with_next(program: ProgramDetail) -> ActiveProgram:
    """The active program with the day that is to be trained next."""
    week = program["weeks"][program["current_week"] - 1]
    due = NextDay(
        week_number=week["week_number"],
        day_number=program["current_day"],
        is_deload=week["is_deload"],
        workouts=[
            slot
            for slot in week["workouts"]
            if slot["day_number"] == program["current_day"] and slot["status"] == "open"
        ],
    )
    return ActiveProgram(**program, next=due)


# Templates ------------------------------------------------------------------------------------------------------------


def templates(rows: Iterable[TemplateRow], exercises: Iterable[TemplateExercise]) -> list[Template]:
    """Templates with their workouts, and those with their exercises; each in the order of its rows."""
    of_template: dict[str, dict[str, list[TemplateExercise]]] = defaultdict(lambda: defaultdict(list))
    for row in exercises:
        of_template[row["key"]][row["workout_name"]].append(row)
    return [
        Template(
            **row,
            workouts=[TemplateWorkout(name=name, exercises=done) for name, done in of_template[row["key"]].items()],
        )
        for row in rows
    ]
