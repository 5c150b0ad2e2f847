"""Tracks: uploaded to the bucket, registered, listed, changed, streamed, deleted."""

import io
import logging
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from local.clock import Clock
from tests.conftest import Database, User
from tests.reference.uploads import begin, register, tone, upload
from tests.reference.working import start, work
from tests.support import bucket


def ids(answer: Any) -> list[str]:
    return [track["id"] for track in answer.json["data"]]


def test_a_file_comes_back_as_it_went(user: User) -> None:
    content = tone()
    track = register(user, content, name="  Tone ", tags=["sine", " sine "], artist="Nobody")
    assert track["status"] == "ready"
    assert (track["name"], track["tags"], track["artist"]) == ("Tone", ["sine"], "Nobody")
    assert track["file_size_bytes"] == len(content)
    assert (track["duration_seconds"], track["sample_rate"], track["channels"], track["bit_depth"]) == (
        0.5,
        8000,
        1,
        16,
    )
    assert track["r2_key"].startswith(f"{user.id}/audio/")
    assert track["r2_key"].endswith(".wav")

    stream = user.get(f"/reference/tracks/{track['id']}/stream").json
    assert stream["method"] == "GET"
    assert bucket.send("GET", stream["url"]) == (200, content)
    assert bucket.send("GET", stream["url"], headers={"Range": "bytes=10-19"}) == (206, content[10:20])

    assert user.delete(f"/reference/tracks/{track['id']}").json == {"success": True}
    assert bucket.send("GET", stream["url"])[0] == 404
    user.delete(f"/reference/tracks/{track['id']}").refused(404, "not_found")
    assert bucket.keys(f"{user.id}/") == set()


def test_the_same_key_is_registered_once(user: User) -> None:
    first = register(user)
    again = user.post("/reference/tracks", {"name": "Another name", "r2_key": first["r2_key"]}).json
    assert again == first


def test_a_replay_returns_the_first_answer(user: User) -> None:
    body, key = {"name": "Once", "r2_key": upload(user, tone())}, {"idempotency-key": "once"}
    first, again = (user.post("/reference/tracks", body, headers=key) for _ in range(2))
    assert (again.status, again.json) == (200, first.json)
    assert again.headers["idempotent-replay"] == "true"
    user.post("/reference/tracks", {**body, "name": "Twice"}, headers=key).refused(422, "idempotency_mismatch")
    path = f"/reference/tracks/{first.json['id']}/analysis"
    first, again = (user.post(path, headers={"idempotency-key": "start"}) for _ in range(2))
    assert (again.status, again.json) == (200, first.json)


def test_a_track_without_its_file_waits_for_it(user: User) -> None:
    started = begin(user, tone())
    sent = {"name": "Late", "r2_key": started["r2_key"], "file_size_bytes": 99}
    track = user.post("/reference/tracks", sent).json
    assert (track["status"], track["file_size_bytes"]) == ("uploading", 99)
    user.get(f"/reference/tracks/{track['id']}/stream").refused(404, "not_found")
    bucket.send("PUT", started["url"], tone())
    assert user.get(f"/reference/tracks/{track['id']}/play").status == 200
    [found] = user.get("/reference/tracks").json["data"]
    assert (found["status"], found["file_size_bytes"], found["sample_rate"]) == ("ready", len(tone()), 8000)


def test_the_same_key_again_looks_for_its_file_again(user: User) -> None:
    started = begin(user, tone())
    body = {"name": "Late", "r2_key": started["r2_key"]}
    track = user.post("/reference/tracks", body).json
    assert user.post("/reference/tracks", body).json == track
    bucket.send("PUT", started["url"], tone())
    again = user.post("/reference/tracks", {**body, "name": "Another"}).json
    assert (again["id"], again["name"], again["status"]) == (track["id"], "Late", "ready")
    assert user.get("/reference/tracks").json["total"] == 1


def test_a_key_outlives_its_url(user: User, clock: Clock) -> None:
    key = upload(user, tone())
    clock.advance("PT23H")
    assert user.post("/reference/tracks", {"name": "Late", "r2_key": key}).json["status"] == "ready"


def test_the_key_of_a_deleted_track_is_not_taken_again(user: User) -> None:
    """A request that is sent again late would make a track that waits for its file for ever."""
    track = register(user)
    body = {"name": "Again", "r2_key": track["r2_key"]}
    user.delete(f"/reference/tracks/{track['id']}")
    user.post("/reference/tracks", body).refused(404, "not_found")
    assert user.get("/reference/tracks").json["total"] == 0


def test_a_key_is_registered_by_who_got_it(user: User, other: User) -> None:
    key = upload(user, tone())
    other.post("/reference/tracks", {"name": "Mine?", "r2_key": key}).refused(404, "not_found")
    user.post("/reference/tracks", {"name": "x", "r2_key": f"{user.id}/audio/x.wav"}).refused(404, "not_found")


def test_tracks_are_listed_and_found(user: User) -> None:
    first = register(user, name="Alpha", artist="100% Noise", tags=["loud"])["id"]
    second = register(user, name="Beta", album="Noise Floor")["id"]
    assert ids(user.get("/reference/tracks")) == [second, first]
    assert ids(user.get("/reference/tracks", query={"q": "noise"})) == [second, first]
    assert ids(user.get("/reference/tracks", query={"q": "0% n"})) == [first]
    assert ids(user.get("/reference/tracks", query={"q": "_"})) == []
    assert ids(user.get("/reference/tracks", query={"tag": "loud"})) == [first]
    assert ids(user.get("/reference/tracks", query={"tag": "lou"})) == []
    assert ids(user.get("/reference/tracks", query={"status": "error"})) == []
    page = user.get("/reference/tracks", query={"page": 2, "page_size": 1}).json
    assert [track["id"] for track in page.pop("data")] == [first]
    assert page == {"total": 2, "page": 2, "page_size": 1, "has_next": False, "has_prev": True}


# Changes --------------------------------------------------------------------------------------------------------------

FIELDS: dict[str, Any] = {
    "description": "Low end",
    "duration_seconds": 3.5,
    "artist": "A",
    "album": "B",
    "genre": "C",
    "bpm": 120.5,
    "key_signature": "F#m",
}


def test_what_is_sent_changes_and_the_rest_stays(user: User) -> None:
    track = register(user)
    path = f"/reference/tracks/{track['id']}"
    changed = user.patch(path, {**FIELDS, "tags": ["b", "a", "b "], "status": "error", "user_id": "x"}).json
    assert changed == {**track, **FIELDS, "tags": ["b", "a"], "updated_at": changed["updated_at"]}
    assert user.patch(path, {"name": " New "}).json["name"] == "New"
    assert user.patch(path).json["artist"] == "A"
    cleared = user.patch(path, {**dict.fromkeys(FIELDS), "tags": None}).json
    assert [cleared[name] for name in FIELDS] == [None] * len(FIELDS)
    assert cleared["tags"] == []
    assert user.patch(path, {"artist": "  "}).json["artist"] is None


def test_bad_changes_change_nothing(user: User) -> None:
    track = register(user)
    path = f"/reference/tracks/{track['id']}"
    for field, value in [
        ("name", None),
        ("name", ""),
        ("bpm", 19),
        ("duration_seconds", 0),
        ("duration_seconds", 86_401),
        ("tags", ["x"] * 51),
        ("artist", 7),
    ]:
        user.patch(path, {field: value}).invalid(field)
    assert user.get("/reference/tracks").json["data"] == [track]


def test_paging_is_checked(user: User) -> None:
    for field, value in (("page", 0), ("page_size", 0), ("page_size", 101), ("status", "lost")):
        user.get("/reference/tracks", query={field: value}).invalid(field)
    past = user.get("/reference/tracks", query={"page": 9}).json
    assert past == {"data": [], "total": 0, "page": 9, "page_size": 20, "has_next": False, "has_prev": True}


# Deletion -------------------------------------------------------------------------------------------------------------


def test_all_that_was_measured_goes_with_the_track(user: User, database: Database) -> None:
    track = register(user)
    work(start(user, track["id"])["id"])
    user.delete(f"/reference/tracks/{track['id']}")
    for table in ("track_analyses", "analysis_frame_manifests", "analysis_frame_data", "analysis_events"):
        assert database.query(f"SELECT 1 AS one FROM {table} WHERE user_id = %s", user.id) == [], table
    assert user.get("/reference/usage").json["bytes"] == 0


def test_an_object_that_cannot_be_deleted_at_once_is_on_the_list(
    user: User, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    track = register(user)
    listed = "SELECT count(*) AS rows FROM storage_deletions WHERE object_key = %s AND NOT is_prefix"
    monkeypatch.setenv("R2_ENDPOINT", "http://127.0.0.1:1")
    assert user.delete(f"/reference/tracks/{track['id']}").json == {"success": True}
    assert database.query(listed, track["r2_key"]) == [{"rows": 1}]


def test_without_the_bucket_nothing_is_said_of_a_file(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    track = register(user)
    key = upload(user, tone())
    monkeypatch.setenv("R2_ENDPOINT", "http://127.0.0.1:1")
    user.get(f"/reference/tracks/{track['id']}/stream").refused(503, "unavailable")
    user.post("/reference/tracks", {"name": "x", "r2_key": key}).refused(503, "unavailable")


def test_only_own_objects_can_be_put_on_the_list(user: User, other: User, database: Database) -> None:
    with psycopg.connect(database.app_url, autocommit=True) as connection:
        connection.execute("SELECT set_config('app.user_id', %s, false)", [str(user.id)])
        connection.execute("SELECT delete_object_later(%s)", [f"{user.id}/audio/1.wav"])
        for key in (f"{other.id}/audio/1.wav", str(user.id), "backups/1.zip"):
            with pytest.raises(psycopg.errors.InvalidParameterValue):
                connection.execute("SELECT delete_object_later(%s)", [key])


def test_a_url_is_signed_anew_for_six_hours(user: User) -> None:
    track = register(user)["id"]
    stream = user.get(f"/reference/tracks/{track}/stream").json
    query = parse_qs(urlsplit(stream["url"]).query)
    assert query["X-Amz-Expires"] == ["21600"]
    signed = datetime.strptime(query["X-Amz-Date"][0] + "+0000", "%Y%m%dT%H%M%SZ%z")
    assert datetime.fromisoformat(stream["expires_at"]) == signed + timedelta(hours=6)


def test_a_file_that_left_the_bucket_is_not_played(user: User) -> None:
    track = register(user)
    bucket.client().delete_object(Bucket="questlog", Key=track["r2_key"])
    user.get(f"/reference/tracks/{track['id']}/stream").refused(404, "not_found")


def test_an_empty_file_does_not_arrive(user: User) -> None:
    started = begin(user, tone())
    track = user.post("/reference/tracks", {"name": "Late", "r2_key": started["r2_key"]}).json
    bucket.send("PUT", started["url"], b"")
    user.get(f"/reference/tracks/{track['id']}/stream").refused(404, "not_found")
    assert bucket.keys(f"{user.id}/") == set()
    assert user.get(f"/reference/tracks/{track['id']}").json["track"]["status"] == "uploading"


def test_nothing_of_a_file_is_logged(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """No URL, key, e-mail address or name, at the lowest level."""
    user.get("/reference/usage")  # which sets the log up
    logger, log = logging.getLogger("reference"), io.StringIO()
    handler = logging.StreamHandler(log)
    handler.setFormatter(logger.handlers[0].formatter)
    monkeypatch.setattr(logger, "handlers", [handler])
    level = logger.level
    logger.setLevel(logging.DEBUG)
    try:
        track = register(user)
        user.get(f"/reference/tracks/{track['id']}/stream")
        user.get("/reference/browse", query={"email": user.email})
        user.delete(f"/reference/tracks/{track['id']}")
    finally:
        logger.setLevel(level)
    assert log.getvalue().count('"route":') == 5
    for secret in ("X-Amz", track["r2_key"], user.email, "Tone"):
        assert secret not in log.getvalue()
