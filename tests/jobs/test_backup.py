"""A backup holds everything, and a restore brings back all of it or nothing (platform contract, section 7, 6 to 8)."""

import hashlib
import io
import itertools
import json
import re
import secrets
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest

from questlog.db import Connection
from questlog.identity import Token, secret_hash
from questlog.release import SCHEMA_VERSION

from functions.jobs import backup, objects, restore
from functions.jobs import bucket as store
from functions.jobs.archive.manifest import MANIFEST, is_trusted, signed, signing_keys, written
from functions.jobs.work import Deadline, Job, TooLong
from local.clock import Clock
from tests.conftest import Answer, Database, User
from tests.jobs.archives import table, zipped
from tests.jobs.ticking import tick
from tests.support import bucket
from tests.support.client import log_in
from tests.support.clock import NOON
from tests.support.routes import routes
from tests.support.rows import likely, paths_of, rows_of
from tests.support.users import create_user
from tests.test_walk import inhabit

NewInstallation = Callable[[], Database]

# What stays of the installation itself, or is another there.
OWN = {
    *("backups", "restores", "jobs", "job_runs", "schema_code", "schema_migrations", "audit_log", "sessions"),
    *("idempotency_keys", "oauth_states", "rate_limits", "user_exports", "user_imports"),
    *("shared_revision", "user_revisions"),
}
# What tells of the installation itself: what was done in it, and what its tables are like.
TOLD_OF_THE_PLACE = {
    *("GET /admin/audit", "GET /admin/audit/event-types", "GET /admin/backup", "GET /admin/db-health"),
    *("GET /admin/db/tables", "GET /admin/jobs", "GET /admin/sessions", "GET /user/exports"),
}


@pytest.fixture
def new_installation(database: Database, migrated: Database) -> Iterator[NewInstallation]:
    """Makes installations of their own; the newest is the one that is served."""
    made: list[Database] = []

    def make() -> Database:
        name = f"{migrated.name}_{secrets.token_hex(4)}"
        made.append(Database(name, migrated.server_url, migrated.passwords).create(migrated.name))
        made[-1].serve()
        return made[-1]

    yield make
    database.serve()
    for one in made:
        one.drop()


def member(place: Database, role: str = "user") -> User:
    with place.admin() as connection:
        return create_user(connection, role=role)


def backed_up(admin: User) -> dict[str, Any]:
    """A finished backup, made by the jobs."""
    begun = admin.post("/admin/backup").json["backup"]
    assert begun["status"] == "queued"
    assert admin.post("/admin/backup").json["backup"]["id"] == begun["id"], "one at a time"
    tick()
    backup: dict[str, Any] = admin.get(f"/admin/backup/{begun['id']}").json["backup"]
    assert backup["status"] == "ready", backup
    return backup


def content_of(backup: Mapping[str, Any]) -> bytes:
    return bucket.send("GET", backup["download_url"])[1]


def members_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def uploaded(admin: User, content: bytes) -> str:
    made = admin.post("/admin/backup/upload", {"size_bytes": len(content)}).json
    assert made["backup"]["status"] == "awaiting_upload"
    assert bucket.send("PUT", made["upload_url"], content)[0] == 200
    return str(made["backup"]["id"])


def restored(admin: User, backup_id: str, mode: str, place: Database) -> dict[str, Any]:
    """What a restore has come to; read from the table, since a replaced installation has no session of the admin."""
    begun = admin.post("/admin/restore", {"backup_id": backup_id, "mode": mode})
    assert begun.status == 200, begun.text
    tick()
    [row] = place.query("SELECT * FROM restores WHERE id = %s", begun.json["restore"]["id"])
    assert row["status"] in ("done", "failed"), place.query("SELECT last_error FROM jobs WHERE kind = 'restore'")
    return row


def tables_of(place: Database) -> dict[str, list[str]]:
    """Every row of every table, but what is the installation's own."""
    names = [row["tablename"] for row in place.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    return {
        name: [row["text"] for row in place.query(f'SELECT t::text AS text FROM "{name}" AS t ORDER BY 1')]
        for name in names
        if name not in OWN
    }


def test_a_backup_holds_every_table_whole_and_signed(new_installation: NewInstallation) -> None:
    place = new_installation()
    admin, user = member(place, "admin"), member(place)
    inhabit(user)
    backup = backed_up(admin)
    content = content_of(backup)
    assert (backup["size_bytes"], backup["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    assert backup["created_by"] == str(admin.id)

    members = members_of(content)
    manifest = json.loads(members[MANIFEST])
    assert is_trusted(manifest, signing_keys())
    assert (manifest["format"], manifest["schema_version"]) == ("questlog-backup", SCHEMA_VERSION)
    tables = admin.get("/admin/backup").json["tables"]
    assert list(members) == [*(f"data/{name}.json" for name in tables), MANIFEST]
    left_out = {row["tablename"] for row in place.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
    left_out -= set(tables)
    assert left_out == {
        *("backups", "counted_lists", "idempotency_keys", "job_runs", "jobs", "list_counts", "oauth_states"),
        *("rate_limits", "restores", "schema_code"),
        *("schema_migrations", "sessions", "user_directory", "user_exports", "user_imports"),
        *("shared_revision", "user_revisions"),
    }
    for name in tables:
        rows = json.loads(members[f"data/{name}.json"])
        if name != "audit_log":  # grew since
            [counted] = place.query(f'SELECT count(*) AS total FROM "{name}"')
            assert len(rows) == manifest["tables"][name]["rows"] == counted["total"], name
    assert backup["row_count"] == sum(table["rows"] for table in manifest["tables"].values())


def test_replacing_a_fresh_installation_gives_the_same_answers(new_installation: NewInstallation) -> None:
    here = new_installation()
    admin, user, other = member(here, "admin"), member(here), member(here)
    for one in (user, other):
        inhabit(one)
    content = content_of(backed_up(admin))
    before = tables_of(here)

    there = new_installation()
    newcomer = member(there, "admin")
    restore = restored(newcomer, uploaded(newcomer, content), "replace", there)
    assert restore["status"] == "done", restore
    assert tables_of(there) == before
    assert there.query("SELECT FROM sessions") == []
    assert there.query("SELECT FROM ledger_audit") == []
    audited = there.query("SELECT details FROM audit_log WHERE event_type = 'backup_restored'")
    assert [row["details"] for row in audited] == [{"mode": "replace"}]
    for one in (admin, user, other):
        replaced, original = answers(one, there), answers(one, here)
        different = {name.partition(" [")[0] for name in original if replaced.get(name) != original[name]}
        assert different == set()
        assert replaced.keys() == original.keys()


def answers(user: User, place: Database) -> dict[str, Any]:
    """What every route that reads answers the user there, at one moment; signatures of URLs are left out."""
    place.serve()
    secret = Token.read(user.token or "").secret
    place.query("DELETE FROM sessions WHERE user_id = %s", user.id)
    place.query(
        "INSERT INTO sessions (user_id, id, token_hash, created_at, last_activity_at, expires_at)"
        " SELECT %s, %s, %s, t.at, t.at, t.at + interval '1 year' FROM (SELECT %s::timestamptz AS at) AS t",
        *(user.id, user.id, secret_hash(secret), NOON),
    )
    clock = Clock(place.admin)
    clock.freeze()
    clock.set(NOON)
    rows = sorted(row for row in rows_of(user.id, place) if row.table not in OWN)
    found = {}
    for route in routes():
        if route.endpoint.method != "GET" or route.public or str(route) in TOLD_OF_THE_PLACE:
            continue
        paths = paths_of(likely(rows, route.endpoint.path), len(route.identified_by)) if route.identified_by else [()]
        for path in itertools.islice(paths, 20):
            answer = route.ask(user, [row.id for row in path])
            assert answer.status < 500, answer.text
            found[f"{route} {[row.id for row in path]}"] = (answer.status, lasting(answer))
    return found


def lasting(answer: Answer) -> Any:
    """What an answer says for longer than a request and elsewhere too: without its id, what a URL was signed with and
    when, the revisions in the tag of a poll, and the versions of lists, whose rows the restore has written.
    """
    text = re.sub(r'(?<="request_id":")[^"]*|X-Amz-[^"]*|(?<="etag":"[0-9a-f]{32})[^"]*', "", answer.text)
    text = re.sub(r'"(goals|habits|quests)":"[^"]*"', r'"\1":""', text)
    if "X-Amz-Signature" in answer.text:
        text = re.sub(r'(?<="expires_at":")[^"]*', "", text)
    return json.loads(text) if answer.headers.get("content-type") == "application/json" else text


@pytest.fixture
def lost(new_installation: NewInstallation) -> tuple[Database, User, User, bytes]:
    """An installation with a backup, whose administrator stays; the other user was lost since, by a fault."""
    place = new_installation()
    admin, user = member(place, "admin"), member(place)
    inhabit(user)
    content = content_of(backed_up(admin))
    place.query("DELETE FROM users WHERE id = %s", user.id)
    place.query("DELETE FROM user_directory WHERE user_id = %s", user.id)
    return place, admin, user, content


Lost = tuple[Database, User, User, bytes]


def test_a_merge_brings_back_who_is_not_here_and_leaves_alone_who_is(lost: Lost) -> None:
    place, admin, user, content = lost
    assert admin.post("/habits", {"name": "Since the backup"}).status == 200
    backup_id = uploaded(admin, altered(content, fields={"schema_version": SCHEMA_VERSION - 1}))

    verified = restored(admin, backup_id, "verify", place)
    assert admin.get(f"/admin/backup/{backup_id}").json["backup"]["status"] == "ready"
    assert (verified["status"], verified["restored_version"]) == ("done", SCHEMA_VERSION)
    assert place.query("SELECT FROM users WHERE id = %s", user.id) == []
    assert place.query("SELECT FROM shared_revision WHERE restored = 0") != []
    merged = restored(admin, backup_id, "merge", place)
    assert merged["status"] == "done", merged
    assert (merged["original_version"], merged["restored_version"]) == (SCHEMA_VERSION - 1, SCHEMA_VERSION)
    assert merged["results"]["users"] == {"inserted": 1, "skipped": 1}
    changing = {"audit_log", "storage_deletions"}  # written by what happened in between
    assert {name: counts for name, counts in merged["results"].items() if name not in changing} == {
        name: counts for name, counts in verified["results"].items() if name not in changing
    }

    assert place.query("SELECT FROM shared_revision WHERE restored = 0") == [], "all lists have other versions"
    assert answers(user, place)["GET /user/profile []"][0] == 200
    assert [habit["name"] for habit in admin.get("/habits").data["habits"]] == ["Since the backup"]
    assert place.query("SELECT FROM ledger_audit") == []
    again = restored(admin, backup_id, "merge", place)
    assert again["results"]["users"] == {"inserted": 0, "skipped": 2}
    assert {counts["inserted"] for name, counts in again["results"].items() if name not in changing} == {0}


def test_who_was_deleted_is_not_brought_back(new_installation: NewInstallation) -> None:
    """Neither where the database knows of it, nor where only the bucket does."""
    place = new_installation()
    admin, user = member(place, "admin"), member(place)
    inhabit(user)
    content = content_of(backed_up(admin))
    assert user.delete("/user/delete").status == 200
    backup_id = uploaded(admin, content)
    assert restored(admin, backup_id, "merge", place)["results"]["users"] == {"inserted": 0, "skipped": 2}
    tick("storage")
    tick("cleanup")

    elsewhere = new_installation()
    newcomer = member(elsewhere, "admin")
    replaced = restored(newcomer, uploaded(newcomer, content), "replace", elsewhere)
    assert replaced["results"]["users"] == {"inserted": 1, "skipped": 1}
    assert elsewhere.query("SELECT FROM habits WHERE user_id = %s", user.id) == []


@pytest.mark.parametrize("taken", ["email", "account"])
def test_a_user_whose_address_or_account_is_taken_is_left_alone_with_all_rows(lost: Lost, taken: str) -> None:
    place, admin, user, content = lost
    other = member(place)
    if taken == "email":
        place.query("UPDATE user_directory SET key = lower(%s) WHERE user_id = %s", user.email.upper(), other.id)
        place.query("UPDATE users SET email = %s WHERE id = %s", user.email.upper(), other.id)
        backup_id = uploaded(admin, content)
    else:
        account = {"user_id": str(user.id), "id": str(uuid4()), "provider": "google", "subject": "s"}
        account["created_at"] = "2031-05-09T08:00:00.000000Z"
        place.query("INSERT INTO user_directory VALUES ('google', 's', %s)", other.id)
        backup_id = uploaded(admin, altered(content, accounts=[account]))
    merged = restored(admin, backup_id, "merge", place)
    assert merged["results"]["users"] == {"inserted": 0, "skipped": 2}
    assert place.query("SELECT FROM habits WHERE user_id = %s", user.id) == []


def altered(content: bytes, key: bytes | None = None, fields: Mapping[str, Any] | None = None, **tables: Any) -> bytes:
    """The backup with other rows in these tables and other fields in its manifest, and signed anew."""
    members = members_of(content)
    manifest = json.loads(members.pop(MANIFEST))
    for name, rows in tables.items():
        members[f"data/{name}.json"] = table(*rows)
        manifest["tables"][name]["rows"] = len(rows)
    files = {entry["path"]: entry for entry in manifest["files"]}
    for path, member_ in members.items():
        rows_in = manifest["tables"].get(path[5:-5], {}).get("rows")
        files[path] = {"path": path, "bytes": len(member_), "sha256": hashlib.sha256(member_).hexdigest()}
        files[path] |= {} if rows_in is None else {"rows": rows_in}
    unsigned = {**manifest, "files": list(files.values()), **(fields or {})}
    unsigned.pop("signature")
    return zipped({**members, MANIFEST: written(signed(unsigned, key or signing_keys()[0]))})


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize(
    ("change", "error_type"),
    [
        (flipped, "invalid_backup"),
        (lambda content: altered(content, key=b"x" * 32), "untrusted_backup"),
        (lambda content: altered(content, fields={"schema_version": SCHEMA_VERSION + 1}), "unsupported_version"),
        (lambda content: altered(content, fields={"format": "questlog-export"}), "invalid_backup"),
        (lambda content: altered(content, habits=[{"id": "1"}]), "invalid_backup"),
        (lambda content: content[:-100], "invalid_backup"),
    ],
)
@pytest.mark.parametrize("mode", ["verify", "merge"])
def test_a_backup_that_is_not_ours_changes_nothing(
    lost: Lost, change: Callable[[bytes], bytes], error_type: str, mode: str
) -> None:
    place, admin, _, content = lost
    backup_id = uploaded(admin, change(content))
    before = tables_of(place)
    failed = restored(admin, backup_id, mode, place)
    assert (failed["status"], failed["error_type"]) == ("failed", error_type), failed
    assert tables_of(place) == before
    assert admin.get(f"/admin/backup/{backup_id}").json["backup"]["status"] == "awaiting_upload"
    shown = admin.get(f"/admin/restore/{failed['id']}").json["restore"]
    assert shown["error"] == {"type": error_type, "message": failed["error"]}


def test_a_ledger_that_does_not_add_up_is_refused(lost: Lost) -> None:
    place, admin, user, content = lost
    wallets = json.loads(members_of(content)["data/user_wallet.json"])
    for wallet in wallets:
        wallet["coins"] += wallet["user_id"] == str(user.id)
    before = tables_of(place)
    failed = restored(admin, uploaded(admin, altered(content, user_wallet=wallets)), "merge", place)
    assert (failed["status"], failed["error_type"]) == ("failed", "invalid_backup")
    assert tables_of(place) == before


def test_shared_content_comes_row_by_row_and_what_points_at_none_is_left_out(lost: Lost) -> None:
    place, admin, _, content = lost
    purchases = json.loads(members_of(content)["data/user_purchases.json"])
    assert purchases
    items = json.loads(members_of(content)["data/market_items.json"])
    bought = {purchase["item_id"] for purchase in purchases}
    own = [item for item in items if item["id"] not in bought]
    merged = restored(admin, uploaded(admin, altered(content, market_items=own)), "merge", place)
    assert merged["status"] == "done", merged
    shared = sum(item["owner_id"] is None for item in own)
    assert merged["results"]["market_items"]["skipped"] >= shared


def test_only_an_empty_installation_is_replaced(lost: Lost) -> None:
    place, admin, _, content = lost
    member(place)
    backup_id = uploaded(admin, content)
    admin.post("/admin/restore", {"backup_id": backup_id, "mode": "replace"}).refused(409, "not_empty")


def test_a_file_that_was_exchanged_is_not_restored(lost: Lost) -> None:
    """The size is that of the file when it was uploaded."""
    _, admin, _, content = lost
    backup_id = uploaded(admin, content)
    begun = admin.post("/admin/restore", {"backup_id": backup_id, "mode": "merge"}).json["restore"]
    exchanged = altered(content, habits=[])
    bucket.client().put_object(Bucket="questlog", Key=f"backups/{backup_id}.zip", Body=exchanged)
    tick()
    failed = admin.get(f"/admin/restore/{begun['id']}").json["restore"]
    assert failed["error"] == {"type": "invalid_backup", "message": objects.GONE}


def test_what_an_attempt_before_left_behind_is_forgotten(new_installation: NewInstallation) -> None:
    place = new_installation()
    admin = member(place, "admin")
    key = f"backups/{admin.post('/admin/backup').json['backup']['id']}.zip"
    bucket.client().create_multipart_upload(Bucket="questlog", Key=key)
    tick()
    assert place.query("SELECT status FROM backups") == [{"status": "ready"}]
    assert list(store.unfinished(key)) == []


def claimed(place: Database, kind: str) -> Job:
    """The job of a kind, as a worker has claimed it."""
    [row] = place.query(
        "UPDATE jobs SET status = 'running', attempts = 1, lease_until = instant() + interval '5 minutes'"
        " WHERE kind = %s AND status = 'queued' RETURNING id",
        kind,
    )
    log_in("jobs")
    return Job(None, row["id"], kind, 1, {})


class Ending(Deadline):
    """A deadline that is over as soon as there is a connection for the work of a transaction."""

    @contextmanager
    def guard(self, connection: Connection) -> Iterator[None]:
        self.remaining_ms = lambda: 0
        with super().guard(connection):
            yield


def test_a_backup_stops_when_its_time_is_up(new_installation: NewInstallation) -> None:
    place = new_installation()
    admin = member(place, "admin")
    key = f"backups/{admin.post('/admin/backup').json['backup']['id']}.zip"
    with pytest.raises(TooLong):
        backup.run(claimed(place, "backup"), Ending(lambda: 900_000))
    assert list(store.unfinished(key)) == []
    assert store.head(key) is None


def test_a_restore_stops_when_its_time_is_up(lost: Lost) -> None:
    place, admin, _, content = lost
    admin.post("/admin/restore", {"backup_id": uploaded(admin, content), "mode": "merge"})
    before = tables_of(place)
    with pytest.raises(TooLong):
        restore.run(claimed(place, "restore"), Ending(lambda: 900_000))
    assert tables_of(place) == before


@pytest.mark.parametrize("kind", ["backup", "restore"])
def test_what_is_not_waited_for_any_more_is_not_done(kind: str, lost: Lost) -> None:
    place, admin, _, content = lost
    if kind == "backup":
        admin.post("/admin/backup")
    else:
        admin.post("/admin/restore", {"backup_id": uploaded(admin, content), "mode": "merge"})
    table, fields = ("backups", "error = 'x'") if kind == "backup" else ("restores", "error = 'x', error_type = 'x'")
    place.query(f"UPDATE {table} SET status = 'failed', finished_at = instant(), {fields} WHERE status = 'queued'")
    assert tick()["superseded"] == 1


def test_old_backups_go_but_the_newest_stays(database: Database) -> None:
    database.query("DELETE FROM backups")
    ages = {"ready": (1, 29, 31, 40), "awaiting_upload": (0, 2), "failed": (0, 2)}
    for status, days in ages.items():
        for age in days:
            database.query(
                "INSERT INTO backups (status, created_at, finished_at, schema_version, size_bytes, error)"
                " VALUES (%s, clock() - make_interval(days => %s), CASE WHEN %s <> 'awaiting_upload' THEN clock() END,"
                " 1, 10, CASE WHEN %s = 'failed' THEN 'It failed.' END)",
                *(status, age, status, status),
            )
    assert tick("cleanup")["backups"] == 4
    listed = database.query("SELECT FROM storage_deletions WHERE starts_with(object_key, 'backups/')")
    assert len(listed) == 4
    left = database.query("SELECT status, count(*) AS total FROM backups GROUP BY status ORDER BY status")
    assert {row["status"]: row["total"] for row in left} == {"awaiting_upload": 1, "failed": 1, "ready": 2}

    database.query("UPDATE backups SET created_at = clock() - interval '90 days'")
    tick("cleanup")
    assert [row["status"] for row in database.query("SELECT status FROM backups")] == ["ready"]
