"""Quests: things worth doing for a reward, the user's own and universal ones (planning contract, section 1)."""

from uuid import UUID, uuid4

from questlog.api import Api
from questlog.db import Db
from questlog.wire import Success

from functions.quests.models import (
    Completing,
    Completion,
    History,
    HistoryQuery,
    NewQuest,
    PagesQuery,
    Progress,
    Quest,
    QuestChange,
    Quests,
    QuestsQuery,
)

api = Api(__file__)


@api.get("/quests")
def quests(db: Db, query: QuestsQuery) -> Quests:
    """Own quests, newest first, then the universal ones, each in its present period."""
    return db.one(Quests, "quests", **query.model_dump())


@api.get("/quests/active")
def active(db: Db, query: PagesQuery) -> Quests:
    """The list of those accepted."""
    return db.one(Quests, "quests", **query.model_dump(), kind=None, status="accepted")


@api.get("/quests/completed")
def completed(db: Db, query: PagesQuery) -> Quests:
    """The list of those completed in their present period."""
    return db.one(Quests, "quests", **query.model_dump(), kind=None, status="completed")


@api.post("/quests")
def add(db: Db, body: NewQuest) -> Quest:
    """Write a quest of one's own; its difficulty says what it pays, unless less is asked for."""
    return db.one(Quest, "add", quest_id=uuid4(), sent=body.model_dump(mode="json", exclude_none=True))


@api.get("/quests/{quest_id}")
def quest(db: Db, quest_id: UUID) -> Quest:
    """One quest."""
    return db.one(Quest, "quest", quest_id=quest_id)


@api.patch("/quests/{quest_id}")
@api.put("/quests/{quest_id}")
def change(db: Db, quest_id: UUID, body: QuestChange) -> Quest:
    """Change a quest of one's own; 403 forbidden on a universal one."""
    return db.one(Quest, "change", quest_id=quest_id, changes=body.changes())


@api.delete("/quests/{quest_id}")
def delete(db: Db, quest_id: UUID) -> Success:
    """Delete a quest of one's own; what it paid stays. 403 forbidden on a universal one."""
    return db.one(Success, "delete", quest_id=quest_id)


@api.post("/quests/{quest_id}/accept")
def accept(db: Db, quest_id: UUID) -> Quest:
    """Take a quest up, or up again; 409 invalid_state when it is completed, quest_expired when it is too late."""
    return db.one(Quest, "accept", quest_id=quest_id)


@api.post("/quests/{quest_id}/abandon")
def abandon(db: Db, quest_id: UUID) -> Quest:
    """Let a quest be for this period; 409 invalid_state when it is completed, quest_expired when it is too late."""
    return db.one(Quest, "abandon", quest_id=quest_id)


@api.post("/quests/{quest_id}/progress")
def progress(db: Db, quest_id: UUID, body: Progress) -> Completion:
    """Add to a quest's progress, or set it; at the target it is completed and paid.

    409 automatic_progress where only real activity counts, invalid_state, quest_expired.
    """
    return db.one(Completion, "progress", quest_id=quest_id, increment=body.increment or 1, progress=body.progress)


@api.post("/quests/{quest_id}/complete")
def complete(db: Db, quest_id: UUID, body: Completing) -> Completion:
    """Complete a quest and pay its reward; a replay answers what was paid the first time.

    `period_key` claims the period before, when that ended at its target; 400 for any other. 409 quest_incomplete,
    invalid_state, quest_expired.
    """
    return db.one(Completion, "complete", quest_id=quest_id, period_key=body.period_key)


@api.post("/quests/{quest_id}/reopen")
def reopen(db: Db, quest_id: UUID) -> Quest:
    """Undo a completion of this period within 24 hours.

    409 insufficient_coins when its reward is spent, automatic_progress, invalid_state, quest_expired.
    """
    return db.one(Quest, "reopen", quest_id=quest_id)


@api.get("/quests/{quest_id}/history")
def history(db: Db, quest_id: UUID, query: HistoryQuery) -> History:
    """The periods a quest was completed in, newest first."""
    return db.one(History, "history", quest_id=quest_id, **query.model_dump())


handler = api.handler
