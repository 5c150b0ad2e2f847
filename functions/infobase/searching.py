"""The search of the list of entries, apart from it: what a search takes is imported by the first one."""

from typing import Any
from uuid import UUID

from pydantic import ConfigDict

from questlog.db import Db
from questlog.searching import clauses, search_parameters
from questlog.wire import Row

from functions.infobase.models import Entries, EntriesQuery, Entry
from functions.infobase.rules import snippet, wanted


class Found(Row):
    """An entry that a search found, or where id is null the search alone: how much it found, and what it looked for."""

    model_config = ConfigDict(extra="allow")

    id: UUID | None
    total: int
    patterns: list[str | None] | None


def search(db: Db, query: EntriesQuery, **filters: Any) -> Entries:
    """A page of what a search finds, the best matches first, each entry with its snippet."""
    asked = clauses(query.search)
    rows = db.many(Found, "search", **filters, trash=query.trash, **search_parameters(asked))
    looked_for = wanted(rows[0].patterns or [], asked)
    entries = [Entry.model_validate({**(row.model_extra or {}), "id": row.id}) for row in rows if row.id is not None]
    return Entries(
        entries=[entry.model_copy(update={"snippet": snippet(entry.content, looked_for)}) for entry in entries],
        total=rows[0].total,
        page=query.page,
        page_size=query.page_size,
    )
