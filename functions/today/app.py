"""Today: the dashboard, in one document (core contract, section 6)."""

from questlog.api import Api
from questlog.db import Db

from functions.today.models import DaySummary, Facts, Today
from functions.today.rules import dashboard

api = Api(__file__)


@api.get("/today", envelope=False, etag=True)
def today(db: Db) -> Today:
    """What the day has come to, what to do next, and how the user likes to be told; zeros and null where nothing is."""
    return dashboard(db.one(Facts, "facts"))


@api.get("/today/summary")
def summary(db: Db) -> DaySummary:
    """The local day in numbers."""
    return db.one(DaySummary, "summary")


handler = api.handler
