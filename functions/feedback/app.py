"""Feedback: reports from users, answered by administrators (planning contract, section 4)."""

from uuid import UUID

from questlog.api import Api
from questlog.db import Db
from questlog.wire import Success, Total

from functions.feedback.models import NewReport, Report, Reports, ReportsQuery

api = Api(__file__)


@api.get("/feedback")
def reports(db: Db, query: ReportsQuery) -> Reports:
    """List the user's own reports, newest first."""
    page, count = db.each((list[Report], Total), "reports", **query.model_dump())
    return Reports(feedback=page, total=count.total, page=query.page, page_size=query.page_size)


@api.post("/feedback", errors={429: ["rate_limited"]})
def add(db: Db, body: NewReport) -> Report:
    """Report something. What was reported with the same words in the last ten minutes is returned instead.

    429 rate_limited after 20 reports of a local day.
    """
    return db.one(Report, "add", **body.model_dump(exclude={"metadata"}), metadata=body.metadata or {})


@api.get("/feedback/{report_id}")
def report(db: Db, report_id: UUID) -> Report:
    """Return one report."""
    return db.one(Report, "report", report_id=report_id)


@api.delete("/feedback/{report_id}", errors={409: ["invalid_state"]})
def withdraw(db: Db, report_id: UUID) -> Success:
    """Withdraw a report; 409 invalid_state once it is no longer open."""
    return db.one(Success, "withdraw", report_id=report_id)


handler = api.handler
