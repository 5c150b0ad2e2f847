"""An import fills an empty account with all that an export holds."""

import io
import json
import zipfile
from typing import Any
from uuid import uuid4

from tests.conftest import Database, NewUser, User
from tests.jobs.accounts import bring, export_of, stored
from tests.jobs.ticking import tick
from tests.reference.uploads import register, tone
from tests.support import bucket
from tests.support.ledger import award, boost
from tests.test_walk import inhabit


def fill(database: Database, user: User) -> None:
    """Leave at least one row in every table that an export holds."""
    inhabit(user)
    effect = boost(database, user.id, factor=2, started="-1 hour", ends="1 hour")
    [row] = database.query("SELECT purchase_id AS id FROM user_effects WHERE id = %s", effect)
    database.query(
        "INSERT INTO user_equipment (user_id, slot, purchase_id) VALUES (%s, 'theme', %s)", *(user.id, row["id"])
    )
    database.query(
        "INSERT INTO streak_shield_uses (user_id, streak_type, day, purchase_id)"
        " VALUES (%s, 'daily_activity', '2031-05-01', %s)",
        *(user.id, row["id"]),
    )
    database.query(
        "INSERT INTO habit_claims (user_id, habit_id, through, ledger_key)"
        " SELECT user_id, id, '2031-05-01', 'habit_claim:' || id FROM habits WHERE user_id = %s LIMIT 1",
        user.id,
    )
    database.query(
        "INSERT INTO user_saving_goal (user_id, item_owner, item_id)"
        " SELECT owner_id, owner_key, id FROM market_items WHERE owner_id = %s LIMIT 1",
        user.id,
    )


def profile(user: User) -> dict[str, Any]:
    data: dict[str, Any] = user.get("/user/profile").data
    return data


def test_an_account_comes_back_as_it_was(new_user: NewUser, database: Database) -> None:
    user, other = new_user(), new_user(settings={"theme": "dark"})
    fill(database, user)
    export = export_of(database, user)
    assert [table for table, rows in export.data().items() if not rows] == []

    before, known = profile(other), other.get("/sync/state").json["versions"]
    done = bring(other, export.zipped())
    assert (done["status"], done["progress"], done["error"]) == ("done", 100, None)
    assert done["counts"] == {table: len(rows) for table, rows in export.data().items()}
    assert done["skipped"] == {}
    assert done["started_at"] <= done["finished_at"]

    again = export_of(database, other)
    for table, rows in export.data().items():
        assert again.rows(table) == rows, table
    # Name and image are those of the export; who it is and what was agreed to are not.
    brought = {"name": "Ada", "image": "https://questlog.test/ada.png"}
    counted = {field: profile(user)[field] for field in ("level", "total_xp", "coins", "timezone")}
    assert profile(other) == {**before, **brought, **counted}
    versions = other.get("/sync/state").json["versions"]
    assert [name for name in ("habits", "goals", "quests") if versions[name] == known[name]] == []
    # The audio is in the bucket under the user's own prefix, and what was uploaded will be deleted.
    keys = {entry["key"]: entry["path"] for entry in export.fields["objects"]}
    assert keys
    for key, path in keys.items():
        assert stored(f"{other.id}/{key}") == export.files[path]
    deleted = database.query("SELECT object_key FROM storage_deletions WHERE object_key LIKE %s", f"{other.id}/%")
    assert [row["object_key"] for row in deleted] == [f"{other.id}/imports/{done['id']}.zip"]
    assert bucket.keys(f"{other.id}/audio/") == {f"{other.id}/{key}" for key in keys}


def test_an_export_fills_another_account(new_user: NewUser, database: Database) -> None:
    """The archive as the queue makes it and as the user downloads it; both accounts say the same afterwards."""
    user, other = new_user(), new_user()
    fill(database, user)
    tick()  # the account was inhabited by an export without audio too
    export_id = user.post("/user/exports").data["id"]
    tick()
    status, content = bucket.send("GET", user.get(f"/user/exports/{export_id}").data["download_url"])
    assert status == 200

    done = bring(other, content)
    assert (done["status"], done["skipped"], done["error"]) == ("done", {}, None)
    assert other.get("/user/export").data["data"] == user.get("/user/export").data["data"]
    balances = ("level", "total_xp", "coins", "name", "image", "timezone")
    assert [profile(other)[field] for field in balances] == [profile(user)[field] for field in balances]
    assert (database.audit(user.id), database.audit(other.id)) == ([], [])
    objects = json.loads(zipfile.ZipFile(io.BytesIO(content)).read("manifest.json"))["objects"]
    assert objects
    for entry in objects:
        ours, theirs = (one.get(f"/reference/tracks/{entry['id']}/stream").json["url"] for one in (user, other))
        assert bucket.send("GET", theirs) == bucket.send("GET", ours)
        assert bucket.send("GET", theirs)[0] == 200
    [audited] = database.query("SELECT * FROM audit_log WHERE user_id = %s AND event_type = 'data_import'", other.id)
    assert (audited["resource_id"], audited["status"], audited["details"]) == (done["id"], "success", {})


def status_of(user: User, track: str) -> str:
    status: str = user.get(f"/reference/tracks/{track}").json["track"]["status"]
    return status


def test_without_its_audio_a_track_waits_for_it(new_user: NewUser, database: Database) -> None:
    user, other = new_user(), new_user()
    track = register(user, tone())["id"]
    assert status_of(user, track) == "ready"
    export_id = user.post("/user/exports", {"include_audio": False}).data["id"]
    tick()
    _, content = bucket.send("GET", user.get(f"/user/exports/{export_id}").data["download_url"])
    assert bring(other, content)["status"] == "done"
    assert status_of(other, track) == "uploading"
    assert (
        other.get(f"/reference/tracks/{track}/stream").status == user.get(f"/reference/tracks/{uuid4()}/stream").status
    )


def test_life_goes_on_after_an_import(new_user: NewUser, database: Database) -> None:
    user, other = new_user(), new_user()
    first = award(database, user, "focus_complete", xp=60, coins=12, key="first")
    user.post("/infobase", {"title": "Gain staging", "content": "Leave headroom."})
    user.post("/ideas", {"content": "A bridge in 7/8"})
    assert bring(other, export_of(database, user).zipped())["status"] == "done"
    replayed = award(database, other, "focus_complete", xp=60, coins=12, key="first")
    assert (replayed["replayed"], replayed["ledger_id"]) == (True, first["ledger_id"])
    assert award(database, other, xp=40)["total_xp"] == first["total_xp"] + 40
    assert [one["title"] for one in other.get("/infobase", query={"search": "headroom"}).data["entries"]]
    other.post("/infobase", {"title": "Headroom again"})
    assert len(other.get("/infobase", query={"search": "headroom"}).data["entries"]) == 2
