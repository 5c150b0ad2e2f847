"""URLs of stored objects are what a boto3 client signs."""

import io
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.config import Config
from mypy_boto3_s3 import S3Client

from questlog import storage
from questlog.errors import Unavailable
from questlog.settings import Misconfigured

from tests.support import bucket as tests_bucket
from tests.support.environment import ENVIRONMENT

KEY_ID, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


@pytest.fixture(autouse=True)
def bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("R2_ENDPOINT", "https://account.r2.test/")
    monkeypatch.setenv("R2_BUCKET", "questlog")
    monkeypatch.setenv("R2_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("R2_SECRET_ACCESS_KEY", SECRET)


def signed_by_boto3(operation: str, key: str, seconds: int) -> str:
    client = boto3.client(
        "s3",
        endpoint_url="https://account.r2.test",
        region_name="auto",
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    url: str = client.generate_presigned_url(operation, {"Bucket": "questlog", "Key": key}, ExpiresIn=seconds)
    return url


def parts_of(url: str) -> tuple[str, dict[str, list[str]]]:
    """The address and the parameters, whose order depends on which of botocore's two signers a machine has."""
    split = urlsplit(url)
    return f"{split.scheme}://{split.netloc}{split.path}", parse_qs(split.query, strict_parsing=True)


def noon(*, remove_tzinfo: bool = True) -> datetime:
    """In the place of botocore's clock."""
    return datetime(2031, 5, 9, 12, tzinfo=None if remove_tzinfo else UTC)


METHODS: tuple[tuple[storage.Method, str], ...] = (
    ("GET", "get_object"),
    ("PUT", "put_object"),
    ("DELETE", "delete_object"),
)


@pytest.mark.parametrize(("method", "operation"), METHODS)
@pytest.mark.parametrize("key", ["a.mp3", "u/audio/0b.flac", "lessons/one thing.mp3", "a+b~c/%41/ü😀.ogg", "x?y&z=1#2"])
def test_a_url_is_what_boto3_signs(
    monkeypatch: pytest.MonkeyPatch, method: storage.Method, operation: str, key: str
) -> None:
    # A signature holds the second it was made in, and on a busy machine these two are not made in the same one.
    for signer in {"botocore.auth", "botocore.crt.auth"} & sys.modules.keys():
        monkeypatch.setattr(f"{signer}.get_current_datetime", noon)
    ours = storage.sign(method, key, timedelta(minutes=5)).url
    assert parts_of(ours) == parts_of(signed_by_boto3(operation, key, 300))


def test_it_holds_six_hours_unless_told_otherwise() -> None:
    assert parse_qs(urlsplit(storage.signed_get("a").url).query)["X-Amz-Expires"] == ["21600"]


@pytest.mark.parametrize("name", ["R2_ENDPOINT", "R2_BUCKET", "R2_ACCESS_KEY_ID", "R2_SECRET_ACCESS_KEY"])
def test_what_is_not_configured_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(Misconfigured, match=name):
        storage.signed_get("a")


# Objects --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> S3Client:
    """A bucket that answers, and its owner's client."""
    served_at = tests_bucket.serve()
    for name in ("R2_BUCKET", "R2_ACCESS_KEY_ID", "R2_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, ENVIRONMENT[name])
    monkeypatch.setenv("R2_ENDPOINT", served_at)
    return tests_bucket.client()


def test_the_start_of_an_object_is_read_with_its_size(served: S3Client) -> None:
    served.put_object(Bucket="questlog", Key="layer/ten", Body=b"0123456789")
    served.put_object(Bucket="questlog", Key="layer/none", Body=b"")
    assert storage.read_start("layer/ten", 4) == storage.Start(10, b"0123")
    assert storage.read_start("layer/ten", 99) == storage.Start(10, b"0123456789")
    assert storage.read_start("layer/none", 4) == storage.Start(0, b"")
    assert storage.read_start("layer/no", 4) is None


def test_an_object_is_fetched_unless_it_is_too_large(served: S3Client) -> None:
    served.put_object(Bucket="questlog", Key="layer/ten", Body=b"0123456789")
    for limit, content in ((10, b"0123456789"), (9, b"")):
        file = io.BytesIO()
        assert storage.fetch("layer/ten", file, limit) == 10
        assert file.getvalue() == content
    assert storage.fetch("layer/no", io.BytesIO(), 10) is None


def test_an_object_is_deleted_once_and_again(served: S3Client) -> None:
    served.put_object(Bucket="questlog", Key="layer/gone", Body=b"x")
    assert storage.delete("layer/gone")
    assert storage.delete("layer/gone")
    assert storage.read_start("layer/gone", 1) is None


def test_a_bucket_that_refuses_or_is_away_is_unavailable(served: S3Client, monkeypatch: pytest.MonkeyPatch) -> None:
    served.put_object(Bucket="questlog", Key="layer/ten", Body=b"0123456789")
    for name, value in (("R2_SECRET_ACCESS_KEY", "wrong"), ("R2_ENDPOINT", "http://127.0.0.1:1")):
        monkeypatch.setenv(name, value)
        with pytest.raises(Unavailable):
            storage.read_start("layer/ten", 4)
        with pytest.raises(Unavailable):
            storage.fetch("layer/ten", io.BytesIO(), 10)
        assert not storage.delete("layer/ten")


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123"])
def test_an_answer_that_breaks_off_is_none(monkeypatch: pytest.MonkeyPatch, answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with listener.accept()[0] as connection:
                connection.recv(65_536)
                connection.sendall(answer)

        monkeypatch.setenv("R2_ENDPOINT", f"http://127.0.0.1:{listener.getsockname()[1]}")
        with ThreadPoolExecutor(1) as pool:
            pool.submit(serve)
            with pytest.raises(Unavailable):
                storage.fetch("any", io.BytesIO(), 100)
