"""Uploads: what may be uploaded, under which key, until when, and how much of it."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from questlog import storage

from local.clock import Clock
from tests.conftest import Client, Database, User, at_once
from tests.reference.uploads import begin, register, tone, upload
from tests.support import bucket

MIB = 1024**2


def init(user: Client, **fields: Any) -> Any:
    return user.post(
        "/reference/upload/init", {"filename": "a.wav", "mime_type": "audio/wav", "file_size": 1, **fields}
    )


@pytest.mark.parametrize(
    ("mime_type", "filename", "extension"),
    [
        ("audio/mpeg", "x", "mp3"),
        ("audio/mp3", "x", "mp3"),
        ("audio/x-mp3", "x", "mp3"),
        ("audio/mpeg3", "x", "mp3"),
        ("audio/wav", "x", "wav"),
        ("AUDIO/WAVE; codecs=1", "x", "wav"),
        ("audio/x-wav", "x", "wav"),
        ("audio/vnd.wave", "x", "wav"),
        ("audio/flac", "x", "flac"),
        ("audio/x-flac", "x", "flac"),
        ("audio/ogg", "x", "ogg"),
        ("application/ogg", "x", "ogg"),
        ("audio/opus", "x", "opus"),
        ("audio/mp4", "x", "m4a"),
        ("audio/m4a", "x", "m4a"),
        ("audio/x-m4a", "x", "m4a"),
        ("audio/aac", "x", "aac"),
        ("audio/x-aac", "x", "aac"),
        ("audio/aacp", "x", "aac"),
        ("audio/webm", "x", "webm"),
        ("video/webm", "x", "webm"),
        ("audio/aiff", "x", "aif"),
        ("audio/x-aiff", "x", "aif"),
        ("", "song.MP3", "mp3"),
        ("application/octet-stream", "a.b.wave", "wav"),
        ("video/mp4", "film.mp4", "m4a"),
        ("video/ogg", "x.oga", "ogg"),
        ("audio/unheard-of", "x.aifc", "aif"),
        ("audio/midi", "x.aiff", "aif"),
        # A type that is known counts more than the name.
        ("audio/flac", "x.mp3", "flac"),
    ],
)
def test_the_type_decides_the_key(user: User, mime_type: str, filename: str, extension: str) -> None:
    answer = init(user, mime_type=mime_type, filename=filename)
    assert answer.status == 200, answer.text
    owner, folder, name = answer.json["r2_key"].split("/")
    stem, _, ending = name.partition(".")
    assert (owner, folder, ending) == (str(user.id), "audio", extension)
    assert UUID(stem).version == 4


@pytest.mark.parametrize(
    ("mime_type", "filename"),
    [
        ("", "song.txt"),
        ("", "mp3"),
        ("", ".wav"),
        ("application/octet-stream", "song"),
        ("audio/midi", "song.mid"),
        ("video/mp4", "film.mov"),
        ("image/png", "cover.wav"),
        ("text/plain", "song.wav"),
    ],
)
def test_what_is_no_audio_is_refused(user: User, mime_type: str, filename: str) -> None:
    init(user, mime_type=mime_type, filename=filename).invalid("mime_type")


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"file_size": 0}, "file_size"),
        ({"file_size": 200 * MIB + 1}, "file_size"),
        ({"file_size": "1"}, "file_size"),
        ({"file_size": None}, "file_size"),
        ({"filename": " "}, "filename"),
        ({"filename": "x" * 256}, "filename"),
        ({"mime_type": 7}, "mime_type"),
    ],
)
def test_bad_input_is_named(user: User, fields: dict[str, Any], named: str) -> None:
    init(user, **fields).invalid(named)


def test_the_largest_file_and_the_longest_name_are_taken(user: User) -> None:
    answer = init(user, file_size=200 * MIB, filename="x" * 251 + ".wav")
    assert answer.status == 200
    assert answer.json["max_bytes"] == 200 * MIB


def test_a_stranger_is_told_nothing(stranger: Client) -> None:
    init(stranger, mime_type="text/plain").refused(401, "unauthorized")
    stranger.get("/reference/usage").refused(401, "unauthorized")


def test_the_url_takes_an_upload_for_fifteen_minutes(user: User) -> None:
    started = begin(user, tone())
    query = parse_qs(urlsplit(started["url"]).query)
    assert (query["X-Amz-Expires"], query["X-Amz-SignedHeaders"]) == (["900"], ["host"])
    signed = datetime.strptime(query["X-Amz-Date"][0] + "+0000", "%Y%m%dT%H%M%SZ%z")
    assert datetime.fromisoformat(started["expires_at"]) == signed + timedelta(minutes=15)
    assert (started["method"], started["headers"]) == ("PUT", {})
    # Neither type nor length is signed.
    assert bucket.send("PUT", started["url"], b"less", {"Content-Type": "text/html"})[0] == 200
    assert bucket.send("GET", started["url"])[0] == 403


def test_a_tampered_or_expired_url_is_refused(user: User) -> None:
    key = upload(user, tone())
    good = storage.signed_get(key).url
    assert bucket.send("GET", good)[0] == 200
    for bad in (
        good.replace("X-Amz-Expires=21600", "X-Amz-Expires=99999"),
        good.replace(key, f"{user.id}/audio/other.wav"),
        good[:-1] + ("0" if good[-1] != "0" else "1"),
        storage.sign("GET", key, timedelta(seconds=-1)).url,
    ):
        assert bucket.send("GET", bad)[0] in (400, 403)
    assert bucket.send("PUT", good, b"x")[0] == 403


def test_an_answer_with_a_url_is_not_kept(user: User) -> None:
    """A URL opens the bucket: a replay makes another one."""
    body = {"filename": "a.wav", "mime_type": "", "file_size": 1}
    keys = {
        user.post("/reference/upload/init", body, headers={"idempotency-key": "once"}).json["r2_key"] for _ in range(2)
    }
    assert len(keys) == 2


# Registration ---------------------------------------------------------------------------------------------------------


def test_an_empty_file_is_refused_and_deleted(user: User) -> None:
    key = begin(user, tone())["r2_key"]
    bucket.client().put_object(Bucket="questlog", Key=key, Body=b"")
    user.post("/reference/tracks", {"name": "Empty", "r2_key": key}).invalid("r2_key")
    assert bucket.keys(f"{user.id}/") == set()
    # The key stays the caller's: what is uploaded next is taken.
    bucket.client().put_object(Bucket="questlog", Key=key, Body=tone())
    assert user.post("/reference/tracks", {"name": "Full", "r2_key": key}).json["status"] == "ready"


def test_a_file_larger_than_any_may_be_is_refused_and_deleted(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.reference.objects.MAX_BYTES", len(tone()) - 1)
    key = upload(user, tone())
    user.post("/reference/tracks", {"name": "Large", "r2_key": key}).invalid("r2_key")
    assert bucket.keys(f"{user.id}/") == set()
    monkeypatch.setattr("functions.reference.objects.MAX_BYTES", len(tone()))
    assert user.post("/reference/tracks", {"name": "Fits", "r2_key": upload(user, tone())}).json["status"] == "ready"


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"name": "x" * 301}, "name"),
        ({"r2_key": None}, "r2_key"),
        ({"file_size_bytes": -1}, "file_size_bytes"),
        ({"description": "x" * 5001}, "description"),
        ({"duration_seconds": 0}, "duration_seconds"),
        ({"duration_seconds": 86400.5}, "duration_seconds"),
        ({"bpm": 19.9}, "bpm"),
        ({"bpm": 401}, "bpm"),
        ({"key_signature": "x" * 33}, "key_signature"),
        ({"tags": ["x"] * 51}, "tags"),
        ({"tags": [""]}, "tags.0"),
        ({"tags": ["x" * 51]}, "tags.0"),
        ({"genre": "x" * 301}, "genre"),
    ],
)
def test_bad_descriptions_are_named(user: User, fields: dict[str, Any], named: str) -> None:
    key = begin(user, tone())["r2_key"]
    user.post("/reference/tracks", {"name": "Tone", "r2_key": key, **fields}).invalid(named)


def test_parallel_registrations_make_one_track(user: User) -> None:
    key = upload(user, tone())
    answers = at_once(4, lambda: user.post("/reference/tracks", {"name": "Tone", "r2_key": key}))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert user.get("/reference/tracks").json["total"] == 1


def test_what_the_user_gave_is_not_overwritten(user: User) -> None:
    track = register(user, tone(0.5), duration_seconds=12.25, bpm=90, key_signature="Am")
    assert (track["duration_seconds"], track["bpm"], track["key_signature"]) == (12.25, 90, "Am")
    assert track["sample_rate"] == 8000


# Room -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_quota(database: Database) -> Any:
    """Every user has room for 100,000 bytes."""
    with database.admin() as connection:
        before = connection.execute("SELECT pg_get_functiondef('app.storage_quota'::regproc) AS text").fetchone()
        assert before is not None
        connection.execute(
            "CREATE OR REPLACE FUNCTION app.storage_quota() RETURNS bigint LANGUAGE sql IMMUTABLE RETURN 100000"
        )
    yield
    with database.admin() as connection:
        connection.execute(before["text"])


def test_the_quota_is_five_gibibytes(user: User) -> None:
    usage = user.get("/reference/usage").json
    assert usage == {"tracks": 0, "bytes": 0, "quota_bytes": 5 * 1024**3, "max_file_bytes": 200 * MIB}


def test_open_uploads_count_for_fifteen_minutes(user: User, small_quota: None, clock: Clock) -> None:
    assert init(user, file_size=60_000).status == 200
    init(user, file_size=40_001).refused(409, "quota_exceeded")
    assert init(user, file_size=40_000).status == 200
    init(user, file_size=1).refused(409, "quota_exceeded")
    clock.advance("PT15M1S")
    assert init(user, file_size=100_000).status == 200


def test_parallel_uploads_do_not_share_the_last_room(user: User, small_quota: None) -> None:
    answers = at_once(4, lambda: init(user, file_size=30_000))
    assert sorted(answer.status for answer in answers) == [200, 200, 200, 409]


def test_the_real_size_counts(user: User, small_quota: None) -> None:
    """A file may be smaller or larger than declared; one that has no room is refused and deleted."""
    register(user, tone(5.0))  # 80,044 bytes
    assert user.get("/reference/usage").json["bytes"] == 80_044
    started = init(user, file_size=10).json
    bucket.send("PUT", started["url"], tone(2.0))
    user.post("/reference/tracks", {"name": "More", "r2_key": started["r2_key"]}).refused(409, "quota_exceeded")
    assert len(bucket.keys(f"{user.id}/")) == 1
    bucket.send("PUT", started["url"], tone(1.0))
    assert user.post("/reference/tracks", {"name": "Less", "r2_key": started["r2_key"]}).status == 200
    assert user.get("/reference/usage").json == {
        "tracks": 2,
        "bytes": 80_044 + 16_044,
        "quota_bytes": 100_000,
        "max_file_bytes": 200 * MIB,
    }


def test_a_file_that_arrives_late_takes_the_room_that_was_kept_for_it(user: User, small_quota: None) -> None:
    started = init(user, file_size=80_044).json
    sent = {"name": "Late", "r2_key": started["r2_key"], "file_size_bytes": 80_044}
    track = user.post("/reference/tracks", sent).json
    assert (track["status"], user.get("/reference/usage").json["bytes"]) == ("uploading", 80_044)
    bucket.send("PUT", started["url"], tone(5.0))
    assert user.get(f"/reference/tracks/{track['id']}/stream").status == 200
    assert user.get("/reference/usage").json["bytes"] == 80_044


def test_a_file_that_arrives_late_and_has_no_room_is_deleted(user: User, small_quota: None) -> None:
    started = init(user, file_size=10).json
    track = user.post("/reference/tracks", {"name": "Late", "r2_key": started["r2_key"]}).json
    register(user, tone(5.0))
    bucket.send("PUT", started["url"], tone(2.0))
    user.get(f"/reference/tracks/{track['id']}/stream").refused(409, "quota_exceeded")
    assert len(bucket.keys(f"{user.id}/")) == 1
    user.get(f"/reference/tracks/{track['id']}/stream").refused(404, "not_found")
