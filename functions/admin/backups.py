"""Backups of everything, and restoring them (platform contract, section 7, 6 to 8). The work is done by the jobs."""

from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from questlog import storage
from questlog.api import Api
from questlog.db import Db
from questlog.errors import NotFound
from questlog.identity import Client
from questlog.release import SCHEMA_VERSION, VERSION

from functions.admin.backup_models import (
    Backup,
    Backups,
    BackupUpload,
    Deleted,
    LinkedBackup,
    NewRestore,
    NewUpload,
    OneBackup,
    OneRestore,
    Restore,
    RestoreRow,
    TableName,
)
from functions.admin.models import ROLE, Done

LINK_LIFETIME: Final = timedelta(minutes=15)

api = Api(__file__, "backups.sql", role=ROLE)


@api.get("/admin/backup", requires="system:manage", envelope=False)
def backups(db: Db) -> Backups:
    """List the newest 500 backups, and the tables that a backup holds."""
    tables, found = db.each((list[TableName], list[Backup]), "backups")
    return {
        "current_version": SCHEMA_VERSION,
        "current_version_name": f"{VERSION}, schema {SCHEMA_VERSION}",
        "tables": [table["name"] for table in tables],
        "backups": [_linked(backup) for backup in found],
    }


# Not kept under an Idempotency-Key: an answer holds a link that opens the whole database.
@api.post("/admin/backup", requires="system:manage", envelope=False, store_response=False)
def back_up(db: Db, client: Client) -> OneBackup:
    """Have a backup made; while one is queued or running, return that one."""
    return {"backup": _linked(db.one(Backup, "back_up", version=SCHEMA_VERSION, client=client._asdict()))}


@api.get("/admin/backup/{backup_id}", requires="system:manage", envelope=False)
def backup(db: Db, backup_id: UUID) -> OneBackup:
    """Return one backup; once it is ready, with a link under which its file can be fetched for 15 minutes."""
    return {"backup": _linked(db.one(Backup, "backup", backup_id=backup_id))}


@api.delete("/admin/backup/{backup_id}", requires="system:manage", envelope=False, errors={409: ["restore_running"]})
def delete(db: Db, backup_id: UUID, client: Client) -> Done:
    """Delete a backup and its file; one that is being made stops."""
    if not db.one(Deleted, "delete", backup_id=backup_id, client=client._asdict())["was_there"]:
        raise NotFound
    return {"success": True, "message": "The backup was deleted."}


@api.post("/admin/backup/upload", requires="system:manage", envelope=False, store_response=False)
def upload(db: Db, body: NewUpload, client: Client) -> BackupUpload:
    """Announce the upload of a backup of this installation, and return where its file is to be PUT."""
    announced = db.one(
        Backup, "upload", id=uuid4(), size=body.size_bytes, version=SCHEMA_VERSION, client=client._asdict()
    )
    signed = storage.signed_put(key_of(announced["id"]))
    return {"backup": _linked(announced), "upload_url": signed.url, "upload_expires_at": signed.expires_at}


@api.post(
    "/admin/restore",
    requires="system:manage",
    envelope=False,
    errors={404: ["not_found"], 409: ["not_ready", "restore_running", "not_empty"]},
)
def restore(db: Db, body: NewRestore) -> OneRestore:
    """Have a backup restored: `verify` only says what a merge would do, `merge` adds what is not here, `replace` loads
    everything into an installation whose only user asks for it.

    Two trips to the database: where the file was to be uploaded, the bucket is looked at once it is known which one.
    """
    found = db.one(Backup, "backup", backup_id=body.backup_id)
    uploaded = found["status"] == "awaiting_upload" and _is_there(found)
    begun = db.one(RestoreRow, "restore", backup_id=body.backup_id, mode=body.mode, uploaded=uploaded)
    return {"restore": _shown(begun)}


@api.get("/admin/restore/{restore_id}", requires="system:manage", envelope=False)
def restored(db: Db, restore_id: UUID) -> OneRestore:
    """Return a restore: how far it is, and what it did or why it failed."""
    return {"restore": _shown(db.one(RestoreRow, "restored", restore_id=restore_id))}


def key_of(backup_id: UUID) -> str:
    """The object that holds a backup."""
    return f"backups/{backup_id}.zip"


def _is_there(backup: Backup) -> bool:
    """Whether the bucket has the file that was announced."""
    start = storage.read_start(key_of(backup["id"]), 1)
    return start is not None and start.size == backup["size_bytes"]


def _linked(backup: Backup) -> LinkedBackup:
    is_ready = backup["status"] == "ready"
    url = storage.signed_get(key_of(backup["id"]), LINK_LIFETIME).url if is_ready else None
    return {**backup, "download_url": url}


def _shown(restore: RestoreRow) -> Restore:
    error_type, message = restore["error_type"], restore["error"]
    return {
        "id": restore["id"],
        "backup_id": restore["backup_id"],
        "mode": restore["mode"],
        "status": restore["status"],
        "original_version": restore["original_version"],
        "restored_version": restore["restored_version"],
        "results": restore["results"],
        "error": {"type": error_type, "message": message} if error_type and message else None,
        "created_at": restore["created_at"],
        "finished_at": restore["finished_at"],
    }
