"""Programs: weeks of numbered training days, which one is trained, and where it stands (training contract, 2)."""

from typing import Annotated, Any
from uuid import UUID, uuid4

from pydantic import Field

from questlog.api import Api
from questlog.db import Db
from questlog.wire import Total

from functions.programs import rules
from functions.programs.models import (
    MAX_WEEKS,
    Activating,
    ActiveProgram,
    Adopting,
    Advancing,
    NewProgram,
    Position,
    Program,
    ProgramChange,
    ProgramDetail,
    Programs,
    ProgramsQuery,
    Removed,
    Slot,
    TemplateExercise,
    TemplateRow,
    Templates,
    WeekChange,
    WeekRow,
)

api = Api(__file__)


@api.get("/exercise/programs")
def programs(db: Db, query: ProgramsQuery) -> Programs:
    """List the programs, the active one first, then the newest; whole unless a page is asked for."""
    rows, count = db.each((list[Program], Total), "programs", **query.bounds)
    return Programs(programs=rows, total=count.total, **query.place)


@api.post("/exercise/programs", errors={404: ["not_found"], 409: ["limit_reached"]})
def add(db: Db, body: NewProgram) -> ProgramDetail:
    """Add a program with all its weeks, not active. 404 for an unknown workout; 409 limit_reached at 100."""
    sent = body.model_dump(exclude={"deload_weeks", "weeks"})
    return one(db, "add", program_id=uuid4(), document=rules.plan(body), **sent)


@api.get("/exercise/programs/active")
def active(db: Db) -> ActiveProgram | None:
    """Return the active program and what is to be done next; null when none is active."""
    found, weeks, slots = db.each((list[Program], list[WeekRow], list[Slot]), "active")
    return rules.with_next(rules.detail(found[0], weeks, slots)) if found else None


@api.get("/exercise/programs/templates")
def templates(db: Db) -> Templates:
    """List the programs to begin with."""
    rows, exercises = db.each((list[TemplateRow], list[TemplateExercise]), "templates")
    return Templates(templates=rules.templates(rows, exercises), total=len(rows))


@api.post("/exercise/programs/from-template", errors={404: ["not_found"], 409: ["limit_reached"]})
def adopt(db: Db, body: Adopting) -> ProgramDetail:
    """Add a program made of a template, and its workouts. 404 for an unknown key.

    409 limit_reached at 100 programs, or when the workouts would be more than 500.
    """
    return one(db, "adopt", program_id=uuid4(), template_key=body.template_key)


@api.get("/exercise/programs/{program_id}")
def program(db: Db, program_id: UUID) -> ProgramDetail:
    """Return one program."""
    return one(db, "program", program_id=program_id)


@api.put("/exercise/programs/{program_id}", errors={409: ["conflict"]})
def change(db: Db, program_id: UUID, body: ProgramChange) -> ProgramDetail:
    """Change a program. 409 conflict when workouts are planned beyond its new size."""
    return one(db, "change", program_id=program_id, changes=body.changes())


@api.delete("/exercise/programs/{program_id}")
def delete(db: Db, program_id: UUID) -> Removed:
    """Delete a program; its workouts and the sessions that were done for it stay."""
    return db.one(Removed, "delete", program_id=program_id)


@api.put("/exercise/programs/{program_id}/weeks/{week_number}")
def change_week(
    db: Db, program_id: UUID, week_number: Annotated[int, Field(ge=1, le=MAX_WEEKS)], body: WeekChange
) -> ProgramDetail:
    """Change a week; workouts replace all it has, and with copy_to those of other weeks. 404 for an unknown workout."""
    changes = body.changes()
    if "name" in changes:
        changes["name"] = rules.week_name(body.name, week_number)
    weeks = [week_number, *(body.copy_to or [])]
    document = rules.slots(weeks, body.workouts) if "workouts" in changes else None
    return one(
        db,
        "change_week",
        program_id=program_id,
        week_number=week_number,
        changes=changes,
        week_numbers=weeks,
        document=document,
    )


@api.post("/exercise/programs/{program_id}/activate")
def activate(db: Db, program_id: UUID, body: Activating) -> ProgramDetail:
    """Make a program the one that is trained, and no other. It goes on where it was; a completed one begins anew."""
    return one(db, "activate", program_id=program_id, restart=bool(body.restart))


@api.post("/exercise/programs/{program_id}/deactivate")
def deactivate(db: Db, program_id: UUID) -> ProgramDetail:
    """Put a program away."""
    return one(db, "deactivate", program_id=program_id)


@api.post("/exercise/programs/{program_id}/advance", errors={409: ["conflict"]})
def advance(db: Db, program_id: UUID, body: Advancing) -> ProgramDetail:
    """Tick the present day off, or the day that is named; what is open on it is skipped. 409 when not active."""
    return one(db, "advance", program_id=program_id, **body.model_dump())


@api.put("/exercise/programs/{program_id}/position", errors={409: ["conflict"]})
def set_position(db: Db, program_id: UUID, body: Position) -> ProgramDetail:
    """Move the program to a day; what was skipped from there on is open again. 409 when not active."""
    return one(db, "position", program_id=program_id, **body.model_dump())


handler = api.handler


def one(db: Db, name: str, /, **parameters: Any) -> ProgramDetail:
    """The program that a statement ends with."""
    return rules.detail(*db.each((Program, list[WeekRow], list[Slot]), name, **parameters))
