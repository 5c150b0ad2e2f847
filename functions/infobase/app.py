"""Infobase: a personal knowledge base in Markdown, with ranked search (planning contract, section 6)."""

from typing import Final
from uuid import UUID, uuid4

from starlette.responses import Response

from questlog.api import Api, Tool
from questlog.db import Db
from questlog.errors import Failure, NotFound
from questlog.paging import PageOrAll
from questlog.settings import settings
from questlog.wire import Success, Total

from functions.infobase.models import (
    CategoryCount,
    DeleteQuery,
    Entries,
    EntriesQuery,
    Entry,
    EntryChange,
    EntryId,
    ExportQuery,
    ExportRow,
    Facets,
    ListedEntry,
    NewEntry,
    TagCount,
    Version,
    VersionNumber,
    Versions,
)

api = Api(__file__)

ARCHIVE: Final = "application/zip"


@api.get(
    "/infobase",
    tools=[
        Tool(
            "search_notes",
            "Search the notes, the best matches first, ten on a page.",
            arguments=("search", "category", "tag", "page"),
            fixed={"page_size": 10},
        ),
    ],
)
def entries(db: Db, query: EntriesQuery) -> Entries:
    """List the entries or the trash, pinned ones first; with `search` the best matches first, with snippets.

    Where the entries that a search found are too large for one answer, the last of them come without their `content`.
    """
    filters = query.model_dump(include={"category", "tag", "pinned", "page", "page_size"})
    if query.search:
        from functions.infobase import searching  # noqa: PLC0415 - only who searches pays for it

        return searching.search(db, query, **filters)
    if query.trash or query.sort != "updated":
        found, count = db.each(
            (list[ListedEntry], Total), "entries_sorted", **filters, trash=query.trash, sort=query.sort
        )
    else:
        found, count = db.each((list[ListedEntry], Total), "entries", **filters)
    return Entries(entries=found, total=count.total, page=query.page, page_size=query.page_size)


@api.get("/infobase/facets")
def facets(db: Db) -> Facets:
    """Count the entries by category and by tag, the most frequent first."""
    categories, tags = db.each((list[CategoryCount], list[TagCount]), "facets")
    return {"categories": categories, "tags": tags}


@api.post("/infobase", errors={409: ["limit_reached"]})
def add(db: Db, body: NewEntry) -> Entry:
    """Add an entry, under the client's `id` if there is one: sent again, the entry is returned as it is.

    409 limit_reached when there are 20,000, those of the trash counted in.
    """
    return db.one(Entry, "add", **body.model_dump() | {"id": body.id or uuid4()})


@api.get("/infobase/export.zip", errors={404: ["not_found"], 413: ["answer_too_large"]})
def export(db: Db, query: ExportQuery) -> Response:
    """Return the entries as Markdown files in a ZIP archive, or a part of them with a Link to the next.

    413 answer_too_large where they do not fit into one answer and no `part` is asked for.
    """
    part = query.part or 1
    rows = db.many(ExportRow, "export", part=part)
    parts = rows[-1].part if rows else 1
    if query.part is None and parts > 1:
        message = "The archive would be too large for one answer; ask for its parts, from part=1 on."
        raise Failure(413, "answer_too_large", message, {"parts": parts})
    if part > parts:
        raise NotFound("There is no such part.")
    from functions.infobase.exporting import archive  # noqa: PLC0415 - only who exports pays for it

    headers = {"Content-Disposition": 'attachment; filename="infobase.zip"', "Cache-Control": "no-store"}
    if part < parts:
        headers["Link"] = f'<{settings().public_url}/infobase/export.zip?part={part + 1}>; rel="next"'
    return Response(archive(rows, part), headers=headers, media_type=ARCHIVE)


@api.get("/infobase/{entry_id}")
def entry(db: Db, entry_id: UUID) -> Entry:
    """Return one entry."""
    return db.one(Entry, "entry", entry_id=entry_id)


@api.patch("/infobase/{entry_id}", errors={409: ["conflict"]})
@api.put("/infobase/{entry_id}", errors={409: ["conflict"]})
def change(db: Db, entry_id: UUID, body: EntryChange) -> Entry:
    """Change an entry; the text that it had is kept as a version.

    409 conflict when `expected_version` is not the entry's version.
    """
    sent = {name: value for name, value in body.changes().items() if name != "expected_version"}
    return db.one(Entry, "change", entry_id=entry_id, sent=sent, expected_version=body.expected_version)


@api.delete("/infobase/{entry_id}")
def delete(db: Db, entry_id: UUID, query: DeleteQuery) -> Success:
    """Move an entry to the trash, or with `permanent` delete it for good, also from the trash."""
    return db.one(Success, "delete", entry_id=entry_id, permanent=query.permanent)


@api.post("/infobase/{entry_id}/restore")
def restore(db: Db, entry_id: UUID) -> Entry:
    """Take an entry back from the trash; one that is not there stays as it is."""
    return db.one(Entry, "restore", entry_id=entry_id)


@api.get("/infobase/{entry_id}/versions")
def versions(db: Db, entry_id: UUID, query: PageOrAll) -> Versions:
    """List the former texts of an entry, all or a page, the newest first."""
    _, found, count = db.each((EntryId, list[Version], Total), "versions", entry_id=entry_id, **query.bounds)
    return {"versions": found, **query.shown(count.total)}


@api.post("/infobase/{entry_id}/versions/{version}/restore")
def restore_version(db: Db, entry_id: UUID, version: VersionNumber) -> Entry:
    """Give an entry a former text again; the text that it has becomes a version."""
    _, found = db.each((EntryId, Entry), "restore_version", entry_id=entry_id, version=version)
    return found


handler = api.handler
