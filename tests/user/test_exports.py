"""The routes of exports: in one answer, and as files that a job writes (that one is in tests/jobs/test_exports.py)."""

import base64
import json
import re
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from functions.user import exports
from local.clock import Clock
from tests.conftest import Database, NewUser, User, at_once
from tests.support import bucket
from tests.support.client import Client
from tests.test_walk import inhabit


def inline(user: User) -> dict[str, Any]:
    answer = user.get("/user/export")
    assert answer.status == 200, answer.text
    data: dict[str, Any] = answer.json["data"]
    return data


def ask(user: User, **fields: Any) -> dict[str, Any]:
    answer = user.post("/user/exports", fields)
    assert answer.status == 200, answer.text
    made: dict[str, Any] = answer.data
    return made


def made_ready(database: Database, user: User, export_id: str, size: int = 1000) -> None:
    """Have an export look as if its job had written it."""
    database.query("DELETE FROM jobs WHERE user_id = %s", user.id)
    database.query(
        """
        UPDATE user_exports
           SET status = 'ready', progress = 100, size_bytes = %s, sha256 = repeat('a', 64), row_count = 7,
               started_at = instant(), finished_at = instant(), expires_at = instant() + interval '7 days'
         WHERE id = %s
        """,
        *(size, export_id),
    )


# In one answer -------------------------------------------------------------------------------------------------------


def test_it_holds_all_rows_of_the_user_and_nobody_elses(user: User, other: User, database: Database) -> None:
    inhabit(user)
    inhabit(other)
    export = inline(user)
    assert (export["user_id"], export["email"]) == (str(user.id), user.email)
    tables = database.query("SELECT name, owner FROM export_tables()")
    assert list(export["data"]) == [table["name"] for table in tables]
    for table in tables:
        [count] = database.query(f'SELECT count(*) AS rows FROM "{table["name"]}" WHERE {table["owner"]} = %s', user.id)
        assert len(export["data"][table["name"]]) == count["rows"], table["name"]
    assert sum(bool(rows) for rows in export["data"].values()) > 55
    text = json.dumps(export["data"])
    assert str(other.id) not in text
    assert other.email not in text


def test_rows_are_exact(user: User, database: Database) -> None:
    user.post("/books", {"title": '=A \\ "book"\n', "total_pages": 10, "rating": 3.5, "tags": ["ä", "b,c"]})
    chunk = bytes(range(256))
    with database.admin() as connection, connection.transaction():
        connection.execute("SELECT set_config('app.user_id', %s, true)", [str(user.id)])
        connection.execute("UPDATE books SET created_at = '2026-01-02T03:04:05.06Z' WHERE user_id = %s", [user.id])
        connection.execute(
            "INSERT INTO user_settings (user_id, key, value) VALUES (%s, 'n', '[1e30, 0.10, 12345678901234567890]')",
            [user.id],
        )
        connection.execute(
            "INSERT INTO feedback (user_id, feedback_type, title, description, status, resolved_by, resolved_at)"
            " VALUES (%s, 'bug', 't', 'd', 'resolved', %s, instant())",
            [user.id, user.id],
        )
        connection.execute("SET LOCAL session_replication_role = replica")  # no analysis is needed for its data
        connection.execute(
            "INSERT INTO analysis_frame_data (user_id, analysis_id, chunk_index, start_frame, end_frame, frame_data)"
            " VALUES (%s, gen_random_uuid(), 0, 0, 1, %s)",
            [user.id, chunk],
        )
    answer = user.get("/user/export")
    data = answer.json["data"]["data"]
    [book] = data["books"]
    assert book["title"] == '=A \\ "book"'
    assert book["created_at"] == "2026-01-02T03:04:05.060000Z"
    assert book["tags"] == ["ä", "b,c"]
    assert '"rating":3.5' in answer.text
    assert data["analysis_frame_data"][0]["frame_data"] == base64.b64encode(chunk).decode()
    assert "[1000000000000000000000000000000, 0.10, 12345678901234567890]" in answer.text
    [report] = data["feedback"]
    assert report["resolved_by"] == "me"
    assert "user_id" not in book
    assert "time_zone" not in data["user_settings"][0], "the database makes it"


def test_a_completion_of_a_single_event_has_no_time(user: User) -> None:
    """It is -infinity in the database, which has no year."""
    event = user.post("/calendar", {"title": "Once", "start_time": "2031-05-05T09:00:00Z"}).data
    assert user.post(f"/calendar/{event['id']}/complete").status == 200
    [completion] = inline(user)["data"]["calendar_completions"]
    assert completion["occurrence"] == "-infinity"


def test_a_key_stands_without_the_users_prefix(user: User) -> None:
    bucket.serve()
    user.post("/reference/upload/init", {"filename": "a.wav", "mime_type": "audio/wav", "file_size": 9})
    [intent] = inline(user)["data"]["upload_intents"]
    assert re.fullmatch(r"audio/[0-9a-f-]{36}\.wav", intent["r2_key"])


def test_it_is_a_file(user: User, clock: Clock) -> None:
    clock.set("2031-05-09T23:30:00Z")
    answer = user.get("/user/export")
    assert answer.headers["content-disposition"] == 'attachment; filename="questlog-export-2031-05-09.json"'
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"


def test_it_is_whole_or_refused(user: User, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    inhabit(user)
    size = len(user.get("/user/export").text.encode())
    monkeypatch.setattr(exports, "LARGEST_INLINE", size)
    assert user.get("/user/export").status == 200
    for limit in (size - 1, size // 2, 100):
        monkeypatch.setattr(exports, "LARGEST_INLINE", limit)
        refused = user.get("/user/export")
        refused.refused(413, "payload_too_large")
        assert "POST /user/exports" in refused.json["error"]["message"]


def test_what_lambda_would_not_take_is_refused_too(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Quotes and backslashes count twice on their way out."""
    text = user.get("/user/export").text
    escaped = len(text.encode()) + text.count('"') + text.count("\\")
    monkeypatch.setattr(exports, "LARGEST_ESCAPED", escaped)
    assert user.get("/user/export").status == 200
    monkeypatch.setattr(exports, "LARGEST_ESCAPED", escaped - 1)
    user.get("/user/export").refused(413, "payload_too_large")


def test_it_is_audited(user: User, database: Database) -> None:
    request_id = user.get("/user/export").headers["x-request-id"]
    [row] = database.query("SELECT * FROM audit_log WHERE request_id = %s", request_id)
    assert (row["event_type"], row["action"], row["user_id"], row["details"]) == (
        *("data_export", "read", user.id),
        {"inline": True},
    )


# As files ------------------------------------------------------------------------------------------------------------


def test_an_export_waits_for_its_job(user: User, database: Database) -> None:
    export = ask(user)
    assert {name: export[name] for name in export if name not in ("id", "created_at")} == {
        "status": "queued",
        "include_audio": True,
        "progress": 0,
        **dict.fromkeys(("started_at", "finished_at", "expires_at", "size_bytes", "sha256", "row_count")),
        **dict.fromkeys(("importable", "download_url", "error")),
    }
    assert database.query("SELECT kind, status FROM jobs WHERE id = %s", export["id"]) == [
        {"kind": "export", "status": "queued"}
    ]
    [audited] = database.query("SELECT event_type, details FROM audit_log WHERE resource_id = %s", export["id"])
    assert audited == {"event_type": "data_export", "details": {"include_audio": True}}
    assert user.get(f"/user/exports/{export['id']}").data == export
    assert user.get("/user/exports").data == {"exports": [export]}


def test_while_one_is_under_way_it_is_the_same_again(user: User, database: Database) -> None:
    first = ask(user, include_audio=False)
    assert first["include_audio"] is False
    assert ask(user, include_audio=True)["id"] == first["id"]
    database.query("UPDATE user_exports SET status = 'running' WHERE id = %s", first["id"])
    assert ask(user)["id"] == first["id"]
    made_ready(database, user, first["id"])
    second = ask(user)
    assert second["id"] != first["id"]
    assert [export["id"] for export in user.get("/user/exports").data["exports"]] == [second["id"], first["id"]]


def test_at_once_they_are_one(user: User, database: Database) -> None:
    ids = at_once(4, lambda: ask(user)["id"])
    assert len(set(ids)) == 1
    assert len(database.query("SELECT id FROM jobs WHERE user_id = %s", user.id)) == 1


def test_a_replay_is_the_same_answer(user: User) -> None:
    first = user.request("POST", "/user/exports", body={}, headers={"idempotency-key": "k"})
    again = user.request("POST", "/user/exports", body={}, headers={"idempotency-key": "k"})
    assert again.data == first.data
    assert again.headers["idempotent-replay"] == "true"


def test_five_a_day(user: User, clock: Clock, database: Database) -> None:
    clock.set("2031-05-05T12:00:00Z")
    for _ in range(5):
        made_ready(database, user, ask(user)["id"])
    refused = user.post("/user/exports", {})
    refused.refused(429, "rate_limited")
    assert 23 * 3600 < int(refused.headers["retry-after"]) <= 24 * 3600
    clock.set("2031-05-06T11:59:59Z")
    user.post("/user/exports", {}).refused(429, "rate_limited")
    clock.set("2031-05-06T12:05:00Z")
    ask(user)


def test_a_refusal_of_the_limit_is_not_kept_under_a_key(user: User, clock: Clock, database: Database) -> None:
    clock.set("2031-05-05T12:00:00Z")
    for _ in range(5):
        made_ready(database, user, ask(user)["id"])
    key = {"idempotency-key": "k"}
    user.post("/user/exports", {}, headers=key).refused(429, "rate_limited")
    clock.set("2031-05-06T11:59:00Z")
    user.post("/user/exports", {}, headers=key).refused(429, "rate_limited")
    clock.set("2031-05-06T12:05:00Z")
    first = user.post("/user/exports", {}, headers=key)
    assert first.data["status"] == "queued"
    assert user.post("/user/exports", {}, headers=key).data == first.data


def test_a_ready_one_can_be_downloaded_for_seven_days(user: User, database: Database, clock: Clock) -> None:
    bucket.serve()
    export_id = ask(user)["id"]
    user.get(f"/user/exports/{export_id}/download").refused(409, "not_ready")
    made_ready(database, user, export_id)
    bucket.client().put_object(Bucket="questlog", Key=f"{user.id}/exports/{export_id}.zip", Body=b"archive")
    export = user.get(f"/user/exports/{export_id}").data
    assert (export["status"], export["progress"], export["importable"]) == ("ready", 100, True)
    assert bucket.send("GET", export["download_url"]) == (200, b"archive")
    assert "X-Amz-Expires=3600" in export["download_url"]
    redirect = user.get(f"/user/exports/{export_id}/download")
    assert (redirect.status, redirect.headers["cache-control"]) == (302, "no-store")
    assert bucket.send("GET", redirect.headers["location"]) == (200, b"archive")
    lasts = datetime.fromisoformat(export["expires_at"]) - datetime.fromisoformat(export["finished_at"])
    assert abs(lasts - timedelta(days=7)) < timedelta(seconds=1)
    clock.advance("P7DT1S")
    expired = user.get(f"/user/exports/{export_id}").data
    assert (expired["status"], expired["download_url"]) == ("expired", None)
    user.get(f"/user/exports/{export_id}/download").refused(409, "not_ready")


@pytest.mark.parametrize(("size", "importable"), [(5 * 1024**3, True), (5 * 1024**3 + 1, False)])
def test_more_than_an_import_takes_is_said(user: User, database: Database, size: int, importable: bool) -> None:
    export_id = ask(user)["id"]
    made_ready(database, user, export_id, size)
    assert user.get(f"/user/exports/{export_id}").data["importable"] is importable


def test_a_deleted_one_is_gone_with_its_object(user: User, database: Database) -> None:
    bucket.serve()
    export_id = ask(user)["id"]
    made_ready(database, user, export_id)
    key = f"{user.id}/exports/{export_id}.zip"
    bucket.client().put_object(Bucket="questlog", Key=key, Body=b"archive")
    assert user.delete(f"/user/exports/{export_id}").data == {"deleted": True}
    assert bucket.keys(f"{user.id}/") == set()
    user.get(f"/user/exports/{export_id}").refused(404, "not_found")
    user.delete(f"/user/exports/{export_id}").refused(404, "not_found")
    [listed] = database.query(
        "SELECT run_after <= instant() AS is_due FROM storage_deletions WHERE object_key = %s", key
    )
    assert listed["is_due"]


def test_a_deleted_one_under_way_is_stopped(user: User, database: Database) -> None:
    """Its worker may still be writing: what it leaves is deleted once no worker can be alive."""
    bucket.serve()
    export_id = ask(user)["id"]
    assert user.delete(f"/user/exports/{export_id}").status == 200
    assert database.query("SELECT id FROM jobs WHERE user_id = %s", user.id) == []
    [listed] = database.query(
        "SELECT run_after - instant() > interval '15 minutes' AS is_later FROM storage_deletions WHERE object_key = %s",
        f"{user.id}/exports/{export_id}.zip",
    )
    assert listed["is_later"]
    assert ask(user)["id"] != export_id


def test_nobody_elses(user: User, other: User) -> None:
    bucket.serve()
    export_id = ask(user)["id"]
    for name in (export_id, str(uuid4()), "none"):
        other.get(f"/user/exports/{name}").refused(404, "not_found")
        other.get(f"/user/exports/{name}/download").refused(404, "not_found")
        other.delete(f"/user/exports/{name}").refused(404, "not_found")
    assert other.get("/user/exports").data == {"exports": []}
    assert user.get(f"/user/exports/{export_id}").data["status"] == "queued"


@pytest.mark.parametrize("value", ["true", 1, None, "no"])
def test_bad_input(user: User, value: Any) -> None:
    user.post("/user/exports", {"include_audio": value}).invalid("include_audio")
    assert user.get("/user/exports").data == {"exports": []}


def test_data_is_given_without_agreeing_to_anything(new_user: NewUser, stranger: Client) -> None:
    bucket.serve()
    person = new_user(consented=False)
    assert person.get("/user/export").status == 200
    export_id = ask(person)["id"]
    assert person.get("/user/exports").status == 200
    assert person.get(f"/user/exports/{export_id}").status == 200
    person.get(f"/user/exports/{export_id}/download").refused(409, "not_ready")
    assert person.delete(f"/user/exports/{export_id}").status == 200
    for path in ("/user/export", "/user/exports", f"/user/exports/{export_id}"):
        stranger.get(path).refused(401, "unauthorized")
