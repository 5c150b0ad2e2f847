"""Today: the dashboard, in one document (core contract, section 6)."""

from questlog.api import Api, Tool
from questlog.db import Db

from functions.today.models import Activity, DayRow, DaySummary, Facts, PlanItem, Today, Uses
from functions.today.rules import dashboard, day_summary

api = Api(__file__)


@api.get(
    "/today",
    envelope=False,
    etag=True,
    tools=[
        Tool("today", "What today has come to, and what to do next."),
    ],
)
def today(db: Db) -> Today:
    """Return what the user has done today, what to do next, and how they want to be told. Missing is 0 or null."""
    facts, items, newest, uses = db.each((Facts, list[PlanItem], list[Activity], list[Uses]), "facts")
    return dashboard(facts, items, newest[0] if newest else None, {use.event_type: use.count for use in uses})


@api.get("/today/summary")
def summary(db: Db) -> DaySummary:
    """Return the local day in numbers."""
    row, items = db.each((DayRow, list[PlanItem]), "summary")
    return day_summary(row, items)


handler = api.handler
