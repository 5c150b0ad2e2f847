"""The requests and responses of imports. These are TypedDicts: as models they would make each cold start longer."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field
from typing_extensions import TypedDict

from questlog.wire import Body, Instant, Row

MAX_BYTES = 5 * 1024**3
"""The most that the bucket takes in one request (Cloudflare R2, "Limits")."""

Status = Literal["awaiting_upload", "queued", "running", "done", "failed"]


class NewImport(Body):
    size_bytes: Annotated[int, Field(ge=1, le=MAX_BYTES)]


class Reason(TypedDict):
    type: str
    message: str


class Import(TypedDict):
    id: UUID
    status: Status
    progress: int
    created_at: Instant
    started_at: Instant | None
    finished_at: Instant | None
    counts: dict[str, int] | None
    skipped: dict[str, int] | None
    error: Reason | None


class StartedImport(Import):
    upload_url: str
    upload_expires_at: Instant


class ImportRow(Row):
    """An import as the database has it."""

    id: UUID
    status: Status
    progress: int
    created_at: Instant
    started_at: Instant | None
    finished_at: Instant | None
    counts: dict[str, int] | None
    skipped: dict[str, int] | None
    error_type: str | None
    error_message: str | None
    object_key: str
    size_bytes: int

    def shown(self) -> Import:
        """The import as the wire shows it."""
        return {
            "id": self.id,
            "status": self.status,
            "progress": self.progress,
            "created_at": self.created_at,
            "started_at": self.started_at,
            "finished_at": self.finished_at,
            "counts": self.counts,
            "skipped": self.skipped,
            "error": {"type": self.error_type, "message": self.error_message or ""} if self.error_type else None,
        }
