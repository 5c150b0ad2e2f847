"""The search of the list of entries. It is a module of its own so that only requests that search import it."""

from typing import Any, Final
from uuid import UUID

from pydantic import ConfigDict
from pydantic_core import to_json

from questlog.db import Db
from questlog.searching import clauses, search_parameters
from questlog.wire import Row

from functions.infobase.models import Entries, EntriesQuery, ListedEntry
from functions.infobase.rules import snippets, wanted

# The most bytes of contents in an answer: with 100 titles, tags and snippets beside them it stays below 5 MiB.
_MOST_BYTES_OF_CONTENT: Final = 3 * 1024 * 1024


class Found(Row):
    """An entry that a search found, with the total and the patterns. If the page is empty, one row without an entry."""

    model_config = ConfigDict(extra="allow")

    id: UUID | None
    total: int
    patterns: list[str | None] | None


def search(db: Db, query: EntriesQuery, **filters: Any) -> Entries:
    """A page of what a search finds, the best matches first, each entry with its snippet.

    Where the contents of a page are too large for one answer, those of its last entries are left out.
    """
    asked = clauses(query.search)
    rows = db.many(Found, "search", **filters, trash=query.trash, **search_parameters(asked))
    fields = [{**(row.model_extra or {}), "id": row.id} for row in rows if row.id is not None]
    shown = snippets([entry["content"] for entry in fields], wanted(rows[0].patterns or [], asked))
    left = _MOST_BYTES_OF_CONTENT
    for entry, snippet in zip(fields, shown, strict=True):
        entry["snippet"] = snippet
        left -= _size(entry["content"])
        if left < 0:
            entry["content"] = None
    return Entries(
        entries=[ListedEntry.model_validate(entry) for entry in fields],
        total=rows[0].total,
        page=query.page,
        page_size=query.page_size,
    )


def _size(content: str) -> int:
    """How many bytes a content has in an answer, in which quotes and backslashes are escaped once more."""
    document = to_json(content)
    return len(document) + document.count(b'"') + document.count(b"\\")
