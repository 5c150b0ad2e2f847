"""Sync: what every open tab polls (core contract, section 7). One trip each, and 304 while nothing has changed."""

from questlog.api import Api, tag_of
from questlog.db import Db

from functions.sync.models import Badges, Changes, FocusStatus, Known, PlanStatus, Poll, Progress, State

api = Api(__file__)


@api.get("/sync/poll", envelope=False, etag=True)
def poll(db: Db) -> Poll:
    """Progress, badges, timer and plan at once. Asking settles the timer."""
    found = db.one(Poll, "poll")
    return found.model_copy(update={"etag": tag_of(found)})


@api.get("/sync/progress", envelope=False, etag=True)
def progress(db: Db) -> Progress:
    """Level, XP, coins and streak."""
    return db.one(Progress, "progress")


@api.get("/sync/badges", envelope=False, etag=True)
def badges(db: Db) -> Badges:
    """How much waits where."""
    return db.one(Badges, "badges")


@api.get("/sync/focus-status", envelope=False, etag=True)
def focus_status(db: Db) -> FocusStatus:
    """The timer; a paused one is active too, and its remainder stands still."""
    return db.one(FocusStatus, "focus_status")


@api.get("/sync/plan-status", envelope=False, etag=True)
def plan_status(db: Db) -> PlanStatus:
    """How far the day's plan is."""
    return db.one(PlanStatus, "plan_status")


@api.get("/sync/state", envelope=False)
def state(db: Db) -> State:
    """The versions of all domains."""
    return db.one(State, "state")


@api.post("/sync/poll", envelope=False)
def changes(db: Db, body: Known) -> Changes:
    """What has changed since the versions a client has; with include_data=false only where."""
    return db.one(Changes, "changes", **body.model_dump())


handler = api.handler
