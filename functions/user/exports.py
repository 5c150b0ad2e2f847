"""The routes of exports: all that a user has here, in one answer or as a file (platform contract, section 6)."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal, NamedTuple
from uuid import UUID

from pydantic import Field
from starlette.responses import RedirectResponse, Response
from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on

from questlog import identity, storage
from questlog.api import Api
from questlog.db import Db
from questlog.errors import Conflict, Failure
from questlog.wire import Body, Instant, rfc3339

# Data can be taken away without agreeing to anything, so no route here asks for age or terms (platform contract, 1.17).
api = Api(__file__, queries="exports.sql")

# An export in one answer has at most so many bytes.
LARGEST_INLINE: Final = 4 * 1024 * 1024
# Lambda takes 6 MiB of an answer, in which each of these is escaped once more.
LARGEST_ESCAPED: Final = 5 * 1024 * 1024
DOWNLOAD_LIFETIME: Final = timedelta(hours=1)

Status = Literal["queued", "running", "ready", "failed", "expired"]


class ExportError(TypedDict):
    type: str
    message: str


class Export(TypedDict):
    """An export as a file. `importable` is whether it is small enough for an import, known once it is ready."""

    id: UUID
    status: Status
    include_audio: bool
    progress: Annotated[int, Field(ge=0, le=100)]
    created_at: Instant
    started_at: Instant | None
    finished_at: Instant | None
    expires_at: Instant | None
    size_bytes: int | None
    sha256: str | None
    row_count: int | None
    importable: bool | None
    download_url: str | None
    error: ExportError | None


class Exports(TypedDict):
    exports: list[Export]


class DeletedExport(TypedDict):
    deleted: bool


class NewExport(Body):
    include_audio: bool = True


class ExportRow(NamedTuple):
    """A row of exports_now."""

    id: UUID
    status: Status
    include_audio: bool
    progress: int
    object_key: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None
    size_bytes: int | None
    sha256: str | None
    row_count: int | None
    importable: bool | None
    error_type: str | None
    error_message: str | None


class DeletedObject(NamedTuple):
    object_key: str


class Head(NamedTuple):
    """Whose export it is, and of when."""

    exported_at: datetime
    user_id: UUID
    email: str


class Line(NamedTuple):
    """A row of a table as JSON text; None announces a table."""

    name: str
    line: str | None


@api.get("/user/export", requires=identity.SESSION, errors={413: ["payload_too_large"]})
def export(db: Db, client: identity.Client) -> Response:
    """Return all that the user has here as one document: {"data": {exported_at, user_id, email, data: {table: [row]}}}.

    413 payload_too_large where it is larger than 4 MiB: then POST /user/exports makes a file of it.
    """
    head, lines = db.each((Head, list[Line]), "export", client=client._asdict(), most_bytes=LARGEST_INLINE)
    body = document(head, lines)
    if len(body) > LARGEST_INLINE or len(body) + body.count(b'"') + body.count(b"\\") > LARGEST_ESCAPED:
        message = "The export would be larger than 4 MiB. Ask for a file with POST /user/exports."
        raise Failure(413, "payload_too_large", message, {"limit_bytes": LARGEST_INLINE})
    name = f"questlog-export-{head.exported_at:%Y-%m-%d}.json"
    return Response(
        body, headers={"Content-Disposition": f'attachment; filename="{name}"'}, media_type="application/json"
    )


@api.post("/user/exports", requires=identity.SESSION, errors={429: ["rate_limited"]})
def request_export(db: Db, client: identity.Client, body: NewExport) -> Export:
    """Have an archive written of all that the user has here; while one is queued or running, that one is returned.

    429 rate_limited after five within 24 hours.
    """
    return shown(db.one(ExportRow, "request_export", include_audio=body.include_audio, client=client._asdict()))


@api.get("/user/exports", requires=identity.SESSION)
def exports(db: Db) -> Exports:
    """List the user's exports of the last 30 days, newest first."""
    return {"exports": [shown(row) for row in db.many(ExportRow, "exports")]}


@api.get("/user/exports/{export_id}", requires=identity.SESSION)
def export_by_id(db: Db, export_id: UUID) -> Export:
    """Return an export: how far it is, and once it is ready where it can be downloaded for an hour."""
    return shown(db.one(ExportRow, "export_by_id", export_id=export_id))


@api.get("/user/exports/{export_id}/download", requires=identity.SESSION, errors={409: ["not_ready"]})
def download(db: Db, export_id: UUID) -> RedirectResponse:
    """Redirect to the archive, at an address that holds for an hour.

    409 not_ready before the export is ready, when it has failed, and after 7 days.
    """
    url = shown(db.one(ExportRow, "export_by_id", export_id=export_id))["download_url"]
    if url is None:
        raise Conflict("not_ready", "There is no archive to download; ask for the export to see why.")
    return RedirectResponse(url, 302)


@api.delete("/user/exports/{export_id}", requires=identity.SESSION)
def delete_export(db: Db, export_id: UUID) -> DeletedExport:
    """Delete an export with its archive; one that is being written is stopped."""
    # What the bucket does not delete now, the list of deletions has.
    storage.delete(db.one(DeletedObject, "delete_export", export_id=export_id).object_key)
    return {"deleted": True}


def document(head: Head, lines: Iterable[Line]) -> bytes:
    """The export as JSON. The rows are the database's own texts: parsing and writing them would change numbers."""
    tables: dict[str, list[str]] = {}
    for name, line in lines:
        rows = tables.setdefault(name, [])
        if line is not None:
            rows.append(line)
    members = ",".join(f'"{name}":[{",".join(rows)}]' for name, rows in tables.items())
    about = f'"exported_at":"{rfc3339(head.exported_at)}","user_id":"{head.user_id}","email":{json.dumps(head.email)}'
    return f'{{"data":{{{about},"data":{{{members}}}}}}}'.encode()


def shown(row: ExportRow) -> Export:
    """An export as the wire shows it, with an address of its archive while there is one."""
    address = storage.signed_get(row.object_key, DOWNLOAD_LIFETIME).url if row.status == "ready" else None
    return {
        "id": row.id,
        "status": row.status,
        "include_audio": row.include_audio,
        "progress": row.progress,
        "created_at": row.created_at,
        "started_at": row.started_at,
        "finished_at": row.finished_at,
        "expires_at": row.expires_at,
        "size_bytes": row.size_bytes,
        "sha256": row.sha256,
        "row_count": row.row_count,
        "importable": row.importable,
        "download_url": address,
        "error": None if row.error_type is None else {"type": row.error_type, "message": row.error_message or ""},
    }
