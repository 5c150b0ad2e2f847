"""Quests: things worth doing for a reward, the user's own and universal ones (planning contract, section 1)."""

from typing import Any, Final
from uuid import UUID, uuid4

from questlog.api import Api
from questlog.db import Db
from questlog.wire import Success, Total

from functions.quests.models import (
    Completing,
    Completion,
    CompletionRow,
    History,
    HistoryQuery,
    Kind,
    NewQuest,
    PagesQuery,
    PastCompletion,
    Progress,
    Quest,
    QuestChange,
    QuestId,
    Quests,
    QuestsQuery,
    Status,
)

api = Api(__file__)

# What a quest has only by what its user did with it in its present period.
MOVED: Final = ("accepted", "completed", "abandoned")


@api.get("/quests")
def quests(db: Db, query: QuestsQuery) -> Quests:
    """List own quests, newest first, then the universal ones, each in its present period."""
    return _page(db, query, query.kind, query.status)


@api.get("/quests/active")
def active(db: Db, query: PagesQuery) -> Quests:
    """List the quests that are accepted."""
    return _page(db, query, None, "accepted")


@api.get("/quests/completed")
def completed(db: Db, query: PagesQuery) -> Quests:
    """List the quests that are completed in their present period."""
    return _page(db, query, None, "completed")


@api.post("/quests")
def add(db: Db, body: NewQuest) -> Quest:
    """Write a quest of one's own. Its difficulty says what it pays, unless less is asked for."""
    return db.one(Quest, "add", quest_id=uuid4(), sent=body.model_dump(mode="json", exclude_none=True))


@api.get("/quests/{quest_id}")
def quest(db: Db, quest_id: UUID) -> Quest:
    """Return one quest."""
    return db.one(Quest, "quest", quest_id=quest_id)


@api.patch("/quests/{quest_id}", errors={403: ["forbidden"]})
@api.put("/quests/{quest_id}", errors={403: ["forbidden"]})
def change(db: Db, quest_id: UUID, body: QuestChange) -> Quest:
    """Change a quest of one's own; 403 forbidden on a universal one."""
    return db.one(Quest, "change", quest_id=quest_id, changes=body.changes())


@api.delete("/quests/{quest_id}", errors={403: ["forbidden"]})
def delete(db: Db, quest_id: UUID) -> Success:
    """Delete a quest of one's own; what it paid stays. 403 forbidden on a universal one."""
    return db.one(Success, "delete", quest_id=quest_id)


@api.post("/quests/{quest_id}/accept", errors={409: ["invalid_state", "quest_expired"]})
def accept(db: Db, quest_id: UUID) -> Quest:
    """Accept a quest, also one that was abandoned.

    409 invalid_state when it is completed, quest_expired when its time is over.
    """
    return db.one(Quest, "accept", quest_id=quest_id)


@api.post("/quests/{quest_id}/abandon", errors={409: ["invalid_state", "quest_expired"]})
def abandon(db: Db, quest_id: UUID) -> Quest:
    """Abandon a quest for this period.

    409 invalid_state when it is completed, quest_expired when its time is over.
    """
    return db.one(Quest, "abandon", quest_id=quest_id)


@api.post("/quests/{quest_id}/progress", errors={409: ["automatic_progress", "invalid_state", "quest_expired"]})
def progress(db: Db, quest_id: UUID, body: Progress) -> Completion:
    """Add to a quest's progress, or set it; at the target it is completed and paid.

    409 automatic_progress where only real activity counts, invalid_state, quest_expired.
    """
    return _completion(db, "progress", quest_id=quest_id, increment=body.increment or 1, progress=body.progress)


@api.post("/quests/{quest_id}/complete", errors={409: ["quest_incomplete", "invalid_state", "quest_expired"]})
def complete(db: Db, quest_id: UUID, body: Completing) -> Completion:
    """Complete a quest and pay its reward. One that is completed already gets the reward of the first time.

    `period_key` claims the period before, when that ended at its target; 400 for any other. 409 quest_incomplete,
    invalid_state, quest_expired.
    """
    return _completion(db, "complete", quest_id=quest_id, period_key=body.period_key)


@api.post(
    "/quests/{quest_id}/reopen",
    errors={409: ["insufficient_coins", "automatic_progress", "invalid_state", "quest_expired"]},
)
def reopen(db: Db, quest_id: UUID) -> Quest:
    """Undo a completion of this period within 24 hours.

    409 insufficient_coins when its reward is spent, automatic_progress, invalid_state, quest_expired.
    """
    return db.one(Quest, "reopen", quest_id=quest_id)


@api.get("/quests/{quest_id}/history")
def history(db: Db, quest_id: UUID, query: HistoryQuery) -> History:
    """List the periods in which a quest was completed, newest first."""
    _, page, count = db.each((QuestId, list[PastCompletion], Total), "history", quest_id=quest_id, **query.model_dump())
    return History(completions=page, total=count.total, page=query.page, page_size=query.page_size)


def _page(db: Db, query: PagesQuery, kind: Kind | None, status: Status | None) -> Quests:
    """A page of the quests of a kind and a status; null stands for all."""
    name = "quests" if status is None else "moved" if status in MOVED else "unmoved"
    page, count = db.each(
        (list[Quest], Total), name, kind=kind, status=status, page=query.page, page_size=query.page_size
    )
    return Quests(quests=page, total=count.total, page=query.page, page_size=query.page_size)


def _completion(db: Db, name: str, **parameters: Any) -> Completion:
    """What the statements of a name made of a quest's progress."""
    row, quest = db.each((CompletionRow, Quest), name, **parameters)
    return Completion(**dict(row), quest=quest)


handler = api.handler
