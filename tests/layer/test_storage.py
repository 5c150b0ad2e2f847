"""URLs of stored objects are what a boto3 client signs."""

import sys
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.config import Config

from questlog import storage
from questlog.settings import Misconfigured

KEY_ID, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


@pytest.fixture(autouse=True)
def bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("R2_ENDPOINT", "https://account.r2.test/")
    monkeypatch.setenv("R2_BUCKET", "questlog")
    monkeypatch.setenv("R2_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("R2_SECRET_ACCESS_KEY", SECRET)


def signed_by_boto3(key: str, seconds: int) -> str:
    client = boto3.client(
        "s3",
        endpoint_url="https://account.r2.test",
        region_name="auto",
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    url: str = client.generate_presigned_url("get_object", {"Bucket": "questlog", "Key": key}, ExpiresIn=seconds)
    return url


def parts_of(url: str) -> tuple[str, dict[str, list[str]]]:
    """The address and the parameters, whose order depends on which of botocore's two signers a machine has."""
    split = urlsplit(url)
    return f"{split.scheme}://{split.netloc}{split.path}", parse_qs(split.query, strict_parsing=True)


def noon(*, remove_tzinfo: bool = True) -> datetime:
    """In the place of botocore's clock."""
    return datetime(2031, 5, 9, 12, tzinfo=None if remove_tzinfo else UTC)


@pytest.mark.parametrize("key", ["a.mp3", "u/audio/0b.flac", "lessons/one thing.mp3", "a+b~c/%41/ü😀.ogg", "x?y&z=1#2"])
def test_a_url_is_what_boto3_signs(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    # A signature holds the second it was made in, and on a busy machine these two are not made in the same one.
    for signer in {"botocore.auth", "botocore.crt.auth"} & sys.modules.keys():
        monkeypatch.setattr(f"{signer}.get_current_datetime", noon)
    assert parts_of(storage.signed_get(key, timedelta(minutes=5)).url) == parts_of(signed_by_boto3(key, 300))


def test_it_holds_six_hours_unless_told_otherwise() -> None:
    assert parse_qs(urlsplit(storage.signed_get("a").url).query)["X-Amz-Expires"] == ["21600"]


@pytest.mark.parametrize("name", ["R2_ENDPOINT", "R2_BUCKET", "R2_ACCESS_KEY_ID", "R2_SECRET_ACCESS_KEY"])
def test_what_is_not_configured_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(Misconfigured, match=name):
        storage.signed_get("a")
