"""Ideas: quick capture, with fields for music, and a way onward (planning contract, section 7)."""

from uuid import UUID, uuid4

from questlog.api import Api
from questlog.db import Db
from questlog.wire import Success, Total

from functions.ideas.models import Idea, IdeaChange, Ideas, IdeasQuery, NewIdea, Promoted, Promotion

api = Api(__file__)


@api.get("/ideas")
def ideas(db: Db, query: IdeasQuery) -> Ideas:
    """List the ideas or the archived ones, pinned ones first, then the newest; with `search` the best matches first."""
    filters = query.model_dump(exclude={"search"})
    if query.search:
        from functions.ideas import searching  # noqa: PLC0415 - only who searches pays for it

        return searching.search(db, query, **filters)
    found, count = db.each((list[Idea], Total), "ideas", **filters)
    return {"ideas": found, "total": count.total, "page": query.page, "page_size": query.page_size}


@api.post("/ideas", errors={409: ["limit_reached"]})
def add(db: Db, body: NewIdea) -> Idea:
    """Write an idea down, under the client's `id` if there is one: sent again, the idea is returned as it is.

    A mood becomes a tag as well. 409 limit_reached when there are 20,000.
    """
    return db.one(Idea, "add", **body.fields() | {"id": body.id or uuid4()})


@api.get("/ideas/{idea_id}")
def idea(db: Db, idea_id: UUID) -> Idea:
    """Return one idea."""
    return db.one(Idea, "idea", idea_id=idea_id)


@api.patch("/ideas/{idea_id}")
@api.put("/ideas/{idea_id}")
def change(db: Db, idea_id: UUID, body: IdeaChange) -> Idea:
    """Change an idea. A mood takes the place of the former one among the tags."""
    return db.one(Idea, "change", idea_id=idea_id, sent=body.changes())


@api.delete("/ideas/{idea_id}")
def delete(db: Db, idea_id: UUID) -> Success:
    """Delete an idea. What it was made into stays."""
    return db.one(Success, "delete", idea_id=idea_id)


@api.post("/ideas/{idea_id}/promote", errors={409: ["limit_reached"]})
def promote(db: Db, idea_id: UUID, body: Promotion) -> Promoted:
    """Make an idea into a quest, an entry of the infobase, or a task of today's plan.

    Again for the same: what was made then is returned, or made anew if it was deleted for good. 409 limit_reached when
    the infobase is full.
    """
    found = db.one(Idea, "promote", idea_id=idea_id, to=body.to)
    return {"idea": found, "target": next(made for made in found.promoted_to if made["type"] == body.to)}


handler = api.handler
