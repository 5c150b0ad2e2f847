"""The routes of backups and restores; what the jobs make of them is tested in tests/jobs/test_backup.py."""

from uuid import uuid4

import pytest

from functions.admin.backup_models import LARGEST
from tests.conftest import Database, NewUser, User, at_once
from tests.support import bucket


@pytest.fixture(autouse=True)
def nothing_under_way(database: Database) -> None:
    bucket.serve()
    for table in ("backups", "restores", "jobs"):
        database.query(f"DELETE FROM {table}")


def ready(database: Database) -> str:
    """A backup that is said to be there."""
    [row] = database.query(
        "INSERT INTO backups (status, finished_at, schema_version, size_bytes)"
        " VALUES ('ready', instant(), 1, 10) RETURNING id::text"
    )
    return str(row["id"])


def test_a_backup_is_queued_once_and_audited(admin: User, database: Database) -> None:
    asked = at_once(4, lambda: admin.post("/admin/backup"))
    assert {answer.status for answer in asked} == {200}
    [backup_id] = {answer.json["backup"]["id"] for answer in asked}
    assert [job["kind"] for job in database.query("SELECT kind FROM jobs WHERE id = %s", backup_id)] == ["backup"]
    audited = database.query("SELECT user_id, event_type FROM audit_log WHERE resource_id = %s", backup_id)
    assert audited == [{"user_id": admin.id, "event_type": "backup_created"}]
    shown = admin.get(f"/admin/backup/{backup_id}").json["backup"]
    assert (shown["status"], shown["download_url"], shown["error"]) == ("queued", None, None)
    assert [one["id"] for one in admin.get("/admin/backup").json["backups"]] == [backup_id]


def test_a_deleted_backup_takes_its_job_and_its_object_along(admin: User, database: Database) -> None:
    backup_id = admin.post("/admin/backup").json["backup"]["id"]
    assert admin.delete(f"/admin/backup/{backup_id}").json["success"] is True
    assert database.query("SELECT FROM jobs WHERE id = %s", backup_id) == []
    assert database.query("SELECT is_prefix FROM storage_deletions WHERE object_key = %s", f"backups/{backup_id}.zip")
    for method in (admin.get, admin.delete):
        method(f"/admin/backup/{backup_id}").refused(404, "not_found")


def test_an_upload_is_announced_with_its_size(admin: User) -> None:
    made = admin.post("/admin/backup/upload", {"size_bytes": 4}).json
    assert made["backup"]["status"] == "awaiting_upload"
    backup_id = made["backup"]["id"]
    admin.post("/admin/restore", {"backup_id": backup_id}).refused(409, "not_ready")
    assert bucket.send("PUT", made["upload_url"], b"other")[0] == 200
    admin.post("/admin/restore", {"backup_id": backup_id}).refused(409, "not_ready")
    assert bucket.send("PUT", made["upload_url"], b"whole"[:4])[0] == 200
    begun = admin.post("/admin/restore", {"backup_id": backup_id})
    assert begun.json["restore"]["mode"] == "verify"
    assert admin.get(f"/admin/backup/{backup_id}").json["backup"]["status"] == "awaiting_upload", "not checked yet"


@pytest.mark.parametrize("size", [0, -1, LARGEST + 1, "4", None])
def test_a_size_that_no_object_has_is_refused(admin: User, size: object) -> None:
    admin.post("/admin/backup/upload", {"size_bytes": size}).invalid("size_bytes")


def test_one_restore_at_a_time(admin: User, database: Database) -> None:
    backup_id = ready(database)
    asked = at_once(4, lambda: admin.post("/admin/restore", {"backup_id": backup_id}))
    assert sorted(answer.status for answer in asked) == [200, 409, 409, 409]
    admin.delete(f"/admin/backup/{backup_id}").refused(409, "restore_running")
    [restore_id] = [answer.json["restore"]["id"] for answer in asked if answer.status == 200]
    shown = admin.get(f"/admin/restore/{restore_id}").json["restore"]
    assert (shown["status"], shown["results"], shown["error"]) == ("queued", None, None)


def test_what_is_not_there_cannot_be_restored(admin: User, database: Database, other: User) -> None:
    admin.post("/admin/restore", {"backup_id": str(uuid4())}).refused(404, "not_found")
    admin.post("/admin/restore", {"backup_id": admin.post("/admin/backup").json["backup"]["id"]}).refused(
        409, "not_ready"
    )
    admin.post("/admin/restore", {"backup_id": ready(database), "mode": "replace"}).refused(409, "not_empty")
    admin.post("/admin/restore", {"backup_id": "x", "mode": "overwrite"}).invalid("backup_id", "mode")
    admin.get(f"/admin/restore/{uuid4()}").refused(404, "not_found")


def test_who_asked_for_a_backup_is_forgotten_with_their_account(new_user: NewUser, database: Database) -> None:
    leaving, staying = new_user(role="admin"), new_user(role="admin")
    backup_id = leaving.post("/admin/backup").json["backup"]["id"]
    assert leaving.delete("/user/delete").status == 200
    assert staying.get(f"/admin/backup/{backup_id}").json["backup"]["created_by"] is None
