"""Signed URLs before a bucket that checks them otherwise than the local one: moto behind our own reading of SigV4."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from questlog import storage

from tests.conftest import Client, User
from tests.reference.uploads import tone
from tests.support import signed_bucket
from tests.support.bucket import send
from tests.support.environment import ENVIRONMENT

MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    """The address of the bucket."""
    key_id, secret = ENVIRONMENT["R2_ACCESS_KEY_ID"], ENVIRONMENT["R2_SECRET_ACCESS_KEY"]
    with signed_bucket.serve("questlog", key_id, secret) as address:
        yield address


@pytest.fixture(autouse=True)
def _bucket(running_bucket: None, served: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The functions reach this bucket, and not the one of the other tests."""
    monkeypatch.setenv("R2_ENDPOINT", served)


def sign_at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    """Have URLs signed at this moment."""

    def now(*, remove_tzinfo: bool = True) -> datetime:
        return moment.replace(tzinfo=None) if remove_tzinfo else moment

    for signer in {"botocore.auth", "botocore.crt.auth"} & sys.modules.keys():
        monkeypatch.setattr(f"{signer}.get_current_datetime", now)


def refused(method: str, url: str, content: bytes = b"") -> bool:
    status, _ = send(method, url, content)
    assert status in (200, 204, 403), status
    return status == 403


def test_a_file_goes_there_and_back(user: User) -> None:
    content = tone()
    body = {"filename": "tone.wav", "mime_type": "audio/wav", "file_size": len(content)}
    started = user.post("/reference/upload/init", body).json
    assert started["url"].startswith(storage.Bucket.configured().endpoint)
    assert send("PUT", started["url"], content, {"Content-Type": "audio/wav"})[0] == 200
    track = user.post("/reference/tracks", {"name": "Tone", "r2_key": started["r2_key"]}).json
    assert (track["status"], track["file_size_bytes"]) == ("ready", len(content))

    url = user.get(f"/reference/tracks/{track['id']}/stream").json["url"]
    assert send("GET", url) == (200, content)
    assert send("GET", url, headers={"Range": "bytes=10-19"}) == (206, content[10:20])
    assert storage.keys_below(f"{user.id}/") == [started["r2_key"]]
    assert user.delete(f"/reference/tracks/{track['id']}").json == {"success": True}
    assert send("GET", url)[0] == 404


@pytest.mark.parametrize("key", ["a.mp3", "u/audio/0b.flac", "lessons/one thing.mp3", "a+b~c/%41/\u00fc\U0001f600.ogg"])
def test_what_the_functions_sign_is_admitted(key: str) -> None:
    assert send("PUT", storage.signed_put(key).url, b"0123456789")[0] == 200
    assert send("GET", storage.signed_get(key).url) == (200, b"0123456789")
    assert storage.read_start(key, 4) == storage.Start(10, b"0123")
    assert storage.delete(key)
    assert storage.read_start(key, 4) is None


@pytest.mark.parametrize(
    ("part", "other"),
    [
        ("u/audio/1.wav", "u/audio/2.wav"),
        ("/questlog/", "/other/"),
        ("X-Amz-Expires=900", "X-Amz-Expires=90000"),
        ("X-Amz-Date=2", "X-Amz-Date=3"),
        ("%2Fauto%2F", "%2Fus-east-1%2F"),
        ("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders="),
        ("X-Amz-Signature=", "X-Amz-Signature=0"),
        ("X-Amz-Signature=", "X-Amz-Other="),
        ("X-Amz-Algorithm=", "x-id=GetObject&X-Amz-Algorithm="),
        ("X-Amz-Credential=", "X-Amz-Credential=other"),
    ],
)
def test_a_tampered_url_is_refused(part: str, other: str) -> None:
    for method, url in (
        ("GET", storage.sign("GET", "u/audio/1.wav", 15 * MINUTE).url),
        ("PUT", storage.signed_put("u/audio/1.wav").url),
    ):
        assert part in url
        assert not refused("PUT", storage.signed_put("u/audio/1.wav").url, b"x")
        assert not refused(method, url, b"x")
        assert refused(method, url.replace(part, other, 1), b"x")


def test_a_url_is_for_one_method_and_one_host() -> None:
    storage_key = "u/audio/1.wav"
    assert not refused("PUT", storage.signed_put(storage_key).url, b"kept")
    put, get = storage.signed_put(storage_key).url, storage.signed_get(storage_key).url
    assert refused("GET", put)
    assert refused("DELETE", put)
    assert refused("PUT", get, b"other")
    assert refused("DELETE", get)
    parts = urlsplit(get)
    connection = HTTPConnection(parts.netloc, timeout=30)
    connection.request("GET", f"{parts.path}?{parts.query}", headers={"Host": "elsewhere.test"})
    assert connection.getresponse().status == 403
    connection.close()
    assert send("GET", get) == (200, b"kept")


@pytest.mark.parametrize("secret", ["wrong", ENVIRONMENT["R2_SECRET_ACCESS_KEY"] + "x"])
def test_another_secret_signs_nothing(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    monkeypatch.setenv("R2_SECRET_ACCESS_KEY", secret)
    assert refused("PUT", storage.signed_put("u/audio/1.wav").url, b"x")


@pytest.mark.parametrize(
    ("signed", "lifetime", "admitted"),
    [
        (timedelta(minutes=-14), 15 * MINUTE, True),
        (timedelta(minutes=-15, seconds=-1), 15 * MINUTE, False),
        (timedelta(hours=-5, minutes=-59), timedelta(hours=6), True),
        (timedelta(hours=-6, seconds=-1), timedelta(hours=6), False),
        (timedelta(hours=1), timedelta(hours=6), False),
        (timedelta(0), timedelta(0), False),
        (timedelta(0), timedelta(seconds=-1), False),
        (timedelta(0), timedelta(days=8), False),
    ],
)
def test_an_expired_url_is_refused(
    monkeypatch: pytest.MonkeyPatch, signed: timedelta, lifetime: timedelta, *, admitted: bool
) -> None:
    sign_at(monkeypatch, datetime.now(UTC) + signed)
    url = storage.sign("PUT", "u/audio/1.wav", lifetime)
    assert refused("PUT", url.url, b"x") is not admitted
    assert (url.expires_at > datetime.now(UTC)) is (admitted or signed + lifetime > timedelta(0))


def test_nobody_reads_without_a_url(stranger: Client) -> None:
    address = storage.Bucket.configured().endpoint
    for path in ("/questlog/u/audio/1.wav", "/questlog", "/questlog?list-type=2", "/"):
        assert refused("GET", f"{address}{path}")
