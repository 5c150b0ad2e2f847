"""The bucket as the jobs use it, on a server that speaks S3: parts, streams, ranges, lists, deletions."""

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import botocore
import pytest
from botocore.loaders import Loader
from botocore.session import Session

from questlog.errors import Unavailable

from functions.jobs import bucket
from tests.support import bucket as served
from tests.support.client import ROOT

MIB = 1024 * 1024


@pytest.fixture(autouse=True)
def _serve() -> None:
    served.serve()


@pytest.fixture
def prefix() -> str:
    return f"{uuid4()}/"


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The sizes of the parts that are sent."""
    sizes: list[int] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        sizes.append(len(params["Body"]))

    events = bucket.client().meta.events
    events.register("before-parameter-build.s3.UploadPart", note)
    yield sizes
    events.unregister("before-parameter-build.s3.UploadPart", note)


def content_of(key: str) -> bytes:
    found = bucket.stream(key)
    assert found is not None
    content = b"".join(found.blocks)
    assert len(content) == found.size
    return content


@pytest.mark.parametrize(
    ("total", "expected"),
    [
        (0, [0]),
        (5, [5]),
        (16 * MIB - 1, [16 * MIB - 1]),
        (16 * MIB, [16 * MIB]),
        (16 * MIB + 1, [16 * MIB, 1]),
        (40 * MIB, [16 * MIB, 16 * MIB, 8 * MIB]),
    ],
)
def test_parts_are_of_one_size(prefix: str, parts: list[int], total: int, expected: list[int]) -> None:
    """R2 refuses parts of different sizes; the server of the tests does not, so they are counted."""
    content = (b"0123456789abcdef" * (total // 16 + 1))[:total]
    with bucket.Upload(f"{prefix}a.zip", "application/zip", 'attachment; filename="b.zip"') as upload:
        for start in range(0, total, 5 * MIB):  # pieces that fit no part
            upload.write(content[start : start + 5 * MIB])
        assert bucket.head(f"{prefix}a.zip") is None
        upload.complete()
    assert parts == expected
    assert (upload.size, upload.sha256) == (total, hashlib.sha256(content).hexdigest())
    assert content_of(f"{prefix}a.zip") == content
    answer = bucket.client().head_object(Bucket="questlog", Key=f"{prefix}a.zip")
    assert (answer["ContentType"], answer["ContentDisposition"]) == ("application/zip", 'attachment; filename="b.zip"')
    assert list(bucket.unfinished(prefix)) == []


def test_an_upload_that_is_not_completed_leaves_nothing(prefix: str) -> None:
    with bucket.Upload(f"{prefix}a.zip", "application/zip") as upload:
        upload.write(bytes(17 * MIB))
        assert len(list(bucket.unfinished(prefix))) == 1
    assert list(bucket.unfinished(prefix)) == []
    assert bucket.head(f"{prefix}a.zip") is None


def test_an_upload_that_is_killed_is_found_and_aborted(prefix: str) -> None:
    killed = bucket.Upload(f"{prefix}a.zip", "application/zip")
    killed.__enter__().write(bytes(17 * MIB))
    [found] = bucket.unfinished(prefix)
    assert found.key == f"{prefix}a.zip"
    bucket.abort(found.key, found.upload_id)
    bucket.abort(found.key, found.upload_id)  # it is no error that it is gone
    assert list(bucket.unfinished(prefix)) == []


def test_an_object_that_is_not_there(prefix: str) -> None:
    assert bucket.head(f"{prefix}none") is None
    assert bucket.stream(f"{prefix}none") is None
    with pytest.raises(bucket.Replaced):
        bucket.read_range(f"{prefix}none", 0, 1, '"0"')


def test_ranges_are_those_of_one_object(prefix: str) -> None:
    bucket.put(f"{prefix}a", b"0123456789")
    found = bucket.head(f"{prefix}a")
    assert found is not None
    assert found.size == 10
    assert bucket.read_range(f"{prefix}a", 2, 3, found.etag) == b"234"
    assert bucket.read_range(f"{prefix}a", 8, 100, found.etag) == b"89"
    with pytest.raises(bucket.Replaced):
        bucket.read_range(f"{prefix}a", 10, 1, found.etag)
    bucket.put(f"{prefix}a", b"9876543210")
    with pytest.raises(bucket.Replaced):
        bucket.read_range(f"{prefix}a", 2, 3, found.etag)


def test_lists_and_deletions(prefix: str) -> None:
    names = {f"{prefix}{n} & <é>" for n in range(3)}
    for name in names:
        bucket.put(name, b"x")
    assert set(bucket.keys(prefix)) == names
    assert bucket.delete(sorted(names)) == names
    assert list(bucket.keys(prefix)) == []


def test_a_store_that_wants_one_request_for_each_key_gets_them(prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket.put(f"{prefix}a", b"x")

    def refuse(**_: Any) -> None:
        raise botocore.exceptions.ClientError({"Error": {"Code": "MissingContentMD5"}}, "DeleteObjects")

    monkeypatch.setattr(bucket.client(), "delete_objects", refuse)
    assert bucket.delete([f"{prefix}a"]) == {f"{prefix}a"}
    assert bucket.head(f"{prefix}a") is None


def test_only_what_the_answer_lists_is_deleted(prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket.client(), "delete_objects", lambda **_: {"Deleted": [{"Key": f"{prefix}a"}]})
    assert bucket.delete([f"{prefix}a", f"{prefix}b"]) == {f"{prefix}a"}


def test_a_bucket_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("R2_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(Unavailable) as caught:
        bucket.head("a")
    assert "127.0.0.1" not in repr(caught.value) + repr(caught.value.__context__ and caught.value.__cause__)


def test_what_the_layer_leaves_of_botocore_is_enough(tmp_path: Path) -> None:
    """The layer packs one service of 400: on Lambda the client finds nothing else."""
    makefile = (ROOT / "layers" / "common" / "Makefile").read_text("utf-8")
    [packed] = re.findall(r"^BOTOCORE_DATA := (.+)$", makefile, re.MULTILINE)
    for name in packed.split():
        (tmp_path / name).symlink_to(Path(botocore.__file__).with_name("data") / name)
    session = Session()
    session.register_component(
        "data_loader", Loader(extra_search_paths=[str(tmp_path)], include_default_search_paths=False)
    )
    client = session.create_client(
        "s3", "auto", endpoint_url=os.environ["R2_ENDPOINT"], aws_access_key_id="a", aws_secret_access_key="b"
    )
    assert client.can_paginate("list_multipart_uploads")
    assert client.meta.endpoint_url == os.environ["R2_ENDPOINT"]
