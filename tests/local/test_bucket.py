"""The stand-in for R2 takes what the functions sign, refuses what they did not, and lets the web client in."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import httpx
import pytest
from botocore.config import Config

from local import bucket

SETTINGS = {
    "R2_BUCKET": "questlog",
    "R2_ACCESS_KEY_ID": "id",
    "R2_SECRET_ACCESS_KEY": "secret",
    "ALLOWED_ORIGINS": "http://localhost:3000,http://127.0.0.1:3000",
}


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[str]:
    with bucket.start(tmp_path / "bucket", SETTINGS, tmp_path / "bucket.log") as service:
        service.ready()
        bucket.create(service.url, SETTINGS)
        bucket.create(service.url, SETTINGS)  # as a second start does
        yield service.url


def signed(endpoint: str, operation: str, secret: str = "secret") -> str:
    """A URL signed as for R2, whose region is `auto`."""
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="auto",
        aws_access_key_id="id",
        aws_secret_access_key=secret,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    return client.generate_presigned_url(operation, Params={"Bucket": "questlog", "Key": "u/audio/1.wav"}, ExpiresIn=60)


def test_signed_urls_store_and_fetch(endpoint: str) -> None:
    assert httpx.put(signed(endpoint, "put_object"), content=b"0123456789").status_code == 200
    whole = httpx.get(signed(endpoint, "get_object"))
    assert whole.content == b"0123456789"
    part = httpx.get(signed(endpoint, "get_object"), headers={"range": "bytes=2-4"})
    assert (part.status_code, part.content) == (206, b"234")


def test_what_is_not_signed_is_refused(endpoint: str) -> None:
    assert httpx.put(signed(endpoint, "put_object", secret="other"), content=b"x").status_code == 403
    assert httpx.get(f"{endpoint}/questlog/u/audio/1.wav").status_code == 403
    url = signed(endpoint, "get_object").replace("1.wav", "2.wav")
    assert httpx.get(url).status_code == 403


def test_the_web_client_may_upload_and_others_may_not(endpoint: str) -> None:
    ask = {"access-control-request-method": "PUT", "access-control-request-headers": "content-type"}
    allowed = httpx.options(signed(endpoint, "put_object"), headers={**ask, "origin": "http://localhost:3000"})
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, "http://localhost:3000")
    other = httpx.options(signed(endpoint, "put_object"), headers={**ask, "origin": "http://evil.example"})
    assert "access-control-allow-origin" not in other.headers
