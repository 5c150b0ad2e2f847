"""The search of the list of ideas. It is a module of its own so that only requests that search import it."""

from typing import Any
from uuid import UUID

from pydantic import ConfigDict

from questlog.db import Db
from questlog.searching import clauses, search_parameters
from questlog.wire import Row

from functions.ideas.models import Idea, Ideas, IdeasQuery


class Found(Row):
    """An idea that a search found, with the total. If the page is empty, one row with null in place of the idea."""

    model_config = ConfigDict(extra="allow")

    id: UUID | None
    total: int


def search(db: Db, query: IdeasQuery, **filters: Any) -> Ideas:
    """A page of what a search finds, the best matches first."""
    rows = db.many(Found, "search", **filters, **search_parameters(clauses(query.search)))
    return {
        "ideas": [Idea.model_validate({**(row.model_extra or {}), "id": row.id}) for row in rows if row.id is not None],
        "total": rows[0].total,
        "page": query.page,
        "page_size": query.page_size,
    }
