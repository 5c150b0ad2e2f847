"""The routes of listening sessions and of the prompts for them."""

from typing import Any
from uuid import UUID

from questlog.api import Api
from questlog.db import Db
from questlog.wire import RewardFields, Success, Total

from functions.listening import rules
from functions.listening.session_models import (
    CategoryRow,
    Completed,
    Completing,
    ItemRow,
    NewSession,
    Outcome,
    Preset,
    Session,
    SessionChange,
    SessionRow,
    Sessions,
    SessionsQuery,
    Summary,
    SummaryQuery,
    SummaryTotals,
    Template,
    Templates,
    TemplatesQuery,
    TemplateWithPresets,
)

api = Api(__file__, queries="sessions.sql")

NO_ITEMS = {"prompts": None, "categories": None}


@api.get("/reference/listening/templates", envelope=False)
def templates(db: Db, query: TemplatesQuery) -> Templates:
    """List the prompts there are for sessions, by category."""
    found = db.many(Template, "templates", **query.model_dump())
    return {"templates": found, "total": len(found)}


@api.get("/reference/listening/templates/{template_id}", envelope=False)
def template(db: Db, template_id: UUID) -> TemplateWithPresets:
    """Return one prompt, with its presets."""
    found, presets = db.each((Template, list[Preset]), "template", template_id=template_id)
    return TemplateWithPresets(**found, presets=presets)


@api.post("/reference/listening/sessions", envelope=False, errors={404: ["not_found"]})
def start(db: Db, body: NewSession) -> Session:
    """Begin a session of a track; where one is in progress it is returned.

    Without a checklist it gets the default one, behind the template's prompt where there is a template. 404 for an
    unknown track, comparison, template or region.
    """
    items = rules.default_checklist() if body.checklist is None else rules.checklist(body.checklist)
    return one(
        db,
        "start",
        track_id=body.track_id,
        sent=body.model_dump(mode="json", exclude={"track_id", "checklist"}),
        with_prompt=body.checklist is None,
        **items._asdict(),
    )


@api.get("/reference/listening/sessions", envelope=False)
def sessions(db: Db, query: SessionsQuery) -> Sessions:
    """List the sessions, the last started first."""
    rows, items, count = db.each((list[SessionRow], list[ItemRow], Total), "sessions", **query.model_dump())
    return {"data": rules.sessions(rows, items), **rules.paging(count.total, query.page, query.page_size)}


@api.get("/reference/listening/summary", envelope=False)
def summary(db: Db, query: SummaryQuery) -> Summary:
    """Return what the completed sessions of the last local days add up to."""
    totals, categories = db.each((SummaryTotals, list[CategoryRow]), "summary", days=query.days)
    return {**totals, "by_category": {row["category"]: row["answered"] for row in categories}}


@api.get("/reference/listening/sessions/{session_id}", envelope=False)
def session(db: Db, session_id: UUID) -> Session:
    """Return one session."""
    return one(db, "session", session_id=session_id)


@api.patch(
    "/reference/listening/sessions/{session_id}",
    envelope=False,
    errors={409: ["session_closed", "limit_reached"]},
)
def change(db: Db, session_id: UUID, body: SessionChange) -> Session:
    """Change a session, and add to what was listened. 404 also for an unknown annotation.

    409 session_closed when it has ended, but for notes, takeaway and rating; limit_reached over 50 items.
    """
    changes = body.changes()
    changed_items = changes.pop("items", None)
    changes.pop("items_add", None)
    added = rules.checklist(body.items_add)._asdict() if "items_add" in body.model_fields_set else NO_ITEMS
    return one(db, "change_session", session_id=session_id, changes=changes, changed_items=changed_items, **added)


@api.delete("/reference/listening/sessions/{session_id}", envelope=False)
def delete(db: Db, session_id: UUID) -> Success:
    """Delete a session; its annotations stay, and so does what it paid."""
    return db.one(Success, "delete_session", session_id=session_id)


@api.post("/reference/listening/sessions/{session_id}/complete", envelope=False, errors={409: ["session_closed"]})
def complete(db: Db, session_id: UUID, body: Completing) -> Completed:
    """Complete a session and pay it: 15 XP and 5 coins after 3 minutes with something noted, 3 times a local day.

    `reason` says why nothing was paid. A completed one returns what it was paid. 409 session_closed when abandoned.
    """
    reward, outcome, row, items = db.each(
        (RewardFields, Outcome, SessionRow, list[ItemRow]),
        "complete",
        session_id=session_id,
        changes=body.model_dump(mode="json", exclude_none=True),
    )
    [shown] = rules.sessions([row], items)
    return Completed(
        **reward,
        session=shown,
        expected_observations=outcome["expected_observations"],
        awarded=outcome["reason"] is None,
        reason=outcome["reason"],
    )


@api.post("/reference/listening/sessions/{session_id}/abandon", envelope=False, errors={409: ["session_closed"]})
def abandon(db: Db, session_id: UUID) -> Session:
    """End a session unpaid. 409 session_closed when it is completed."""
    return one(db, "abandon", session_id=session_id)


def one(db: Db, name: str, /, **parameters: Any) -> Session:
    """The session that the statements of a name end with."""
    row, items = db.each((SessionRow, list[ItemRow]), name, **parameters)
    [found] = rules.sessions([row], items)
    return found
