"""The routes of imports: an export that is uploaded to fill an empty account (platform contract, 6)."""

from uuid import UUID

from questlog import storage
from questlog.api import Api
from questlog.db import Db
from questlog.errors import Conflict

from functions.user.import_models import Import, ImportRow, NewImport, StartedImport

api = Api(__file__, queries="imports.sql")


@api.post("/user/imports", store_response=False, errors={429: ["rate_limited"]})
def add_import(db: Db, body: NewImport) -> StartedImport:
    """Return a URL that the ZIP of an export can be uploaded to, for 15 minutes, with Content-Type application/zip.

    Five within 24 hours. The account stays as it is until the import is started.
    """
    row = db.one(ImportRow, "add_import", size_bytes=body.size_bytes)
    signed = storage.signed_put(row.object_key)
    return {**row.shown(), "upload_url": signed.url, "upload_expires_at": signed.expires_at}


@api.get("/user/imports/{import_id}")
def one_import(db: Db, import_id: UUID) -> Import:
    """Return an import: how far it is, what it has brought, or why it has failed."""
    return db.one(ImportRow, "one_import", import_id=import_id).shown()


@api.post("/user/imports/{import_id}/start", errors={409: ["upload_incomplete", "account_not_empty", "import_running"]})
def start_import(db: Db, import_id: UUID) -> Import:
    """Start an import whose file has been uploaded; one that was started before is returned as it is.

    Two trips to the database: the bucket is looked at once it is known that the import is the caller's.
    409 upload_incomplete where the file is not there or has another size; 409 account_not_empty with `details.tables`,
    the number of rows by table; 409 import_running while another import is under way.
    """
    row = db.one(ImportRow, "one_import", import_id=import_id)
    if row.status != "awaiting_upload":
        return row.shown()
    found = storage.read_start(row.object_key, 1)
    if found is None or found.size != row.size_bytes:
        raise Conflict("upload_incomplete", "The file is not there, or it has another size than was announced.")
    return db.one(ImportRow, "start_import", import_id=import_id).shown()
