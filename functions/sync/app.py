"""Sync: what every open tab polls (core contract, section 7). One trip each, and 304 while nothing has changed."""

from typing import Any

from starlette.requests import Request

from questlog.api import Api, Reply, tag_of
from questlog.db import Db
from questlog.errors import Unchanged
from questlog.notifications import channels
from questlog.revision import seen

from functions.sync import rules
from functions.sync.models import (
    Badges,
    Changes,
    Domain,
    DomainVersion,
    FocusStatus,
    Known,
    PlanRow,
    PlanStatus,
    Poll,
    PollRow,
    Progress,
    ProgressRow,
    SettingRow,
    State,
)

api = Api(__file__)


@api.get("/sync/poll", envelope=False, etag=True)
def poll(request: Request, db: Db) -> Reply[Poll]:
    """Return progress, badges, timer and plan at once. A timer whose time is up is ended first."""
    known = seen(request)
    row = db.maybe(PollRow, "poll", **known.parameters)
    if row is None:
        raise Unchanged(known.tag)
    found = rules.poll(row)
    tag = rules.tag(tag_of(found), row)
    return Reply(found.model_copy(update={"etag": tag}), tag=tag)


@api.get("/sync/progress", envelope=False, etag=True)
def progress(db: Db) -> Progress:
    """Return level, XP, coins and streak."""
    return rules.progress(db.one(ProgressRow, "progress"))


@api.get("/sync/badges", envelope=False, etag=True)
def badges(db: Db) -> Badges:
    """Return the numbers of the badges: what waits for the user in each part of the app."""
    return db.one(Badges, "badges")


@api.get("/sync/focus-status", envelope=False, etag=True)
def focus_status(db: Db) -> FocusStatus:
    """Return the timer. A paused one is active too, and its remainder stands still."""
    return db.one(FocusStatus, "focus_status")


@api.get("/sync/plan-status", envelope=False, etag=True)
def plan_status(db: Db) -> PlanStatus:
    """Return how much of the day's plan is completed."""
    return rules.plan_status(db.one(PlanRow, "plan_status"))


@api.get("/sync/state", envelope=False)
def state(db: Db) -> State:
    """Return the versions of all domains."""
    rows = db.many(DomainVersion, "state")
    return State(versions=rules.versions(rows), server_time=rows[0].server_time)


@api.post("/sync/poll", envelope=False, errors={413: ["answer_too_large"]})
def changes(db: Db, body: Known) -> Changes:
    """Return what has changed since the versions that a client has; with include_data=false only in which domains.

    413 answer_too_large when that is more than 5 MiB, as hundreds of goals with long texts may be: include_data=false
    tells what has changed, and each list has pages of its own.
    """
    rows = list[dict[str, Any]]
    versions, progress, badges, focus, plan, habits, goals, milestones, quests, settings = db.each(
        (
            list[DomainVersion],
            list[ProgressRow],
            list[Badges],
            list[FocusStatus],
            list[PlanRow],
            *(rows, rows, rows, rows),
            list[SettingRow],
        ),
        "changes",
        **body.model_dump(),
    )
    data: dict[Domain, Any] = {
        "progress": [rules.progress(row) for row in progress],
        "badges": badges,
        "focus": focus,
        "plan": [rules.plan_status(row) for row in plan],
    }
    shown: dict[Domain, Any] = {domain: found[0].model_dump(mode="json") for domain, found in data.items() if found}
    shown |= {
        "habits": {"habits": rules.listed(habits)},
        "goals": rules.goals(goals, milestones),
        "quests": rules.quests(quests),
        "settings": rules.settings(settings, channels()),
    }
    return Changes(
        updates=rules.updates(versions, shown if body.include_data else None),
        versions=rules.versions(versions),
        server_time=versions[0].server_time,
    )


handler = api.handler
