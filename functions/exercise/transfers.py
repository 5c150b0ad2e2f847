"""The routes that import sessions from files of other apps, and export them as such a file."""

from starlette.requests import Request
from starlette.responses import Response

from questlog.api import Api
from questlog.db import Db
from questlog.errors import Conflict

from functions.exercise import rules
from functions.exercise.session_models import SessionRow, Set
from functions.exercise.transfer_models import ExportQuery, ImportQuery, SessionsReport

api = Api(__file__, queries="transfers.sql")

# How often an import is planned again when something else has changed what it was planned by.
ATTEMPTS = 3


@api.post("/exercise/import", errors={409: ["conflict", "limit_reached"]})
def import_sessions(db: Db, request: Request, query: ImportQuery, content: bytes) -> SessionsReport:
    """Take the workouts of a Strong or Hevy export, sent as it is or as {"csv": text}. Nothing is paid for them.

    Two trips: what is there decides, workout by workout, what is written. 409 limit_reached when there would be more
    than 500 exercises of the user's own, conflict when other changes keep coming in between.
    """
    from questlog.importing.requests import sent_csv  # noqa: PLC0415 - only who imports pays for it

    from functions.exercise import importing  # noqa: PLC0415 - only who imports pays for it

    sent, history = sent_csv(db, request, content), None
    for _ in range(ATTEMPTS):
        standing, held, deleted, library = db.each(
            (importing.Standing, list[importing.Held], list[importing.Key], list[importing.ExerciseRow]), "importable"
        )
        history = history or importing.read(sent, query)
        plan = importing.planned(history, standing, held, deleted, library)
        if not plan.writes:
            return plan.report(history, 0, dry_run=query.dry_run)
        (done,) = db.each(
            (importing.Written,), "import", version=standing.version, rows=plan.rows, dry_run=query.dry_run
        )
        if done.written:
            return plan.report(history, done.records or 0, dry_run=query.dry_run)
    raise Conflict("conflict", "Other changes to sessions and exercises keep coming in between; try again.")


@api.get("/exercise/export.csv", errors={413: ["answer_too_large"]})
def export(db: Db, query: ExportQuery) -> Response:
    """Return the completed sessions as CSV in Hevy's columns, in kg and km, the newest first."""
    from functions.exercise import exporting  # noqa: PLC0415 - only who exports pays for it

    clock, rows, sets = db.each((exporting.Zone, list[SessionRow], list[Set]), "export", **query.model_dump())
    return exporting.attached(rules.sessions(rows, sets), clock.zone)
