"""Requests and responses of the routes for backups and restores: B and R of the platform contract, section 7."""

from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import Field
from typing_extensions import TypedDict

from questlog.wire import Body, Instant

# The most that one PUT can bring (S3, "Uploading objects").
LARGEST: Final = 5 * 1024**3

Mode = Literal["verify", "merge", "replace"]


class Backup(TypedDict):
    """B without the link to its file, as the table has it."""

    id: UUID
    status: Literal["awaiting_upload", "queued", "running", "ready", "failed"]
    created_at: Instant
    finished_at: Instant | None
    created_by: UUID | None
    schema_version: int
    size_bytes: int | None
    sha256: str | None
    row_count: int | None
    error: str | None


class Deleted(TypedDict):
    """Whether there was something to delete."""

    was_there: bool


class TableName(TypedDict):
    """A table that a backup holds."""

    name: str


class LinkedBackup(Backup):
    """B: a backup with a link under which its file can be fetched for 15 minutes, once it is ready."""

    download_url: str | None


class Backups(TypedDict):
    """What a backup holds now, and the backups, newest first."""

    current_version: int
    current_version_name: str
    tables: list[str]
    backups: list[LinkedBackup]


class OneBackup(TypedDict):
    backup: LinkedBackup


class BackupUpload(TypedDict):
    """Where the file of an announced backup is to be PUT."""

    backup: LinkedBackup
    upload_url: str
    upload_expires_at: Instant


class NewUpload(Body):
    size_bytes: Annotated[int, Field(ge=1, le=LARGEST)]


class NewRestore(Body):
    backup_id: UUID
    mode: Mode = "verify"


class Restored(TypedDict):
    """Of a table: how many rows were inserted, and how many were left out."""

    inserted: int
    skipped: int


class Problem(TypedDict):
    type: str
    message: str


class RestoreRow(TypedDict):
    """A restore as the table has it."""

    id: UUID
    backup_id: UUID
    mode: Mode
    status: Literal["queued", "running", "done", "failed"]
    original_version: int | None
    restored_version: int | None
    results: dict[str, Restored] | None
    error_type: str | None
    error: str | None
    created_at: Instant
    finished_at: Instant | None


class Restore(TypedDict):
    """R."""

    id: UUID
    backup_id: UUID
    mode: Mode
    status: Literal["queued", "running", "done", "failed"]
    original_version: int | None
    restored_version: int | None
    results: dict[str, Restored] | None
    error: Problem | None
    created_at: Instant
    finished_at: Instant | None


class OneRestore(TypedDict):
    restore: Restore
