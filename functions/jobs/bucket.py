"""The bucket as the jobs use it: uploads in parts, streams, ranges, lists and deletions, by botocore's S3 client.

The request functions sign single requests instead (questlog.storage): a client costs them too much at each cold start.
If the bucket does not respond or refuses, Unavailable is raised.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import cache
from types import TracebackType
from typing import TYPE_CHECKING, Final, NamedTuple, ParamSpec, Self, TypeVar, cast

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import get_session

from questlog import storage
from questlog.errors import Unavailable
from questlog.storage import Bucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

P = ParamSpec("P")
T = TypeVar("T")

# Every part but the last one has exactly this size: R2 refuses parts that differ ("Multipart upload", limits).
PART_BYTES: Final = 16 * 1024 * 1024
# What is read of an object at a time.
BLOCK_BYTES: Final = 1024 * 1024
# Keys of one request for deletion (S3, DeleteObjects).
MOST_DELETED: Final = 1000

_ABSENT: Final = frozenset({"404", "NoSuchKey", "NotFound"})
# The answers to an If-Match that does not match, and to a range behind the end: the object has been replaced.
_REPLACED: Final = frozenset({"412", "PreconditionFailed", "416", "InvalidRange"})
# The answers of a store without DeleteObjects, or that wants a Content-MD5, which botocore does not send any more.
_ONE_BY_ONE: Final = frozenset({"MissingContentMD5", "InvalidDigest", "InvalidRequest", "NotImplemented"})
_NO_SUCH_UPLOAD: Final = "NoSuchUpload"


class Replaced(Exception):
    """The object was deleted or replaced: it does not have the tag that was given."""


class Head(NamedTuple):
    """An object: its size in bytes, and the tag that changes with its content."""

    size: int
    etag: str


class Stream(NamedTuple):
    """An object: its size in bytes, and its content block by block."""

    size: int
    blocks: Iterator[bytes]


class Unfinished(NamedTuple):
    """A multipart upload that was neither completed nor aborted, and when it began."""

    key: str
    upload_id: str
    initiated: datetime


class Upload:
    """A multipart upload as a file that can only be written in order; at most one part of it is in memory.

    There is no object until complete(); without it, leaving the context aborts the upload. `size` and `sha256`, in
    lower-case hex, are those of what was written so far.
    """

    def __init__(self, key: str, content_type: str, content_disposition: str = "attachment") -> None:
        self._key = key
        self._content_type = content_type
        self._content_disposition = content_disposition
        self._upload_id = ""
        self._part = bytearray()
        self._etags: list[str] = []
        self._hash = hashlib.sha256()
        self._is_over = False
        self.size = 0

    def __enter__(self) -> Self:
        answer = _ask(
            client().create_multipart_upload,
            Bucket=_name(),
            Key=self._key,
            ContentType=self._content_type,
            ContentDisposition=self._content_disposition,
        )
        self._upload_id = answer["UploadId"]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if not self._is_over:
            self._is_over = True
            with suppress(Unavailable):  # what the bucket does not forget now, the clean-up finds
                abort(self._key, self._upload_id)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def write(self, data: bytes) -> int:
        """Append bytes; returns how many. After the end they are dropped, since zipfile writes when it is freed."""
        if self._is_over:
            return len(data)
        self._hash.update(data)
        self.size += len(data)
        rest = memoryview(data)
        while rest:
            room = PART_BYTES - len(self._part)
            self._part += rest[:room]
            rest = rest[room:]
            if len(self._part) == PART_BYTES:
                self._send()
        return len(data)

    def flush(self) -> None:
        """Do nothing: a part is sent when it is full."""

    def close(self) -> None:
        """Do nothing: the upload ends with complete(), or without it."""

    def complete(self) -> None:
        """Send the last part, and have the bucket make the object of all of them."""
        if self._part or not self._etags:
            self._send()
        parts: list[CompletedPartTypeDef] = [
            {"PartNumber": number, "ETag": etag} for number, etag in enumerate(self._etags, 1)
        ]
        _ask(
            client().complete_multipart_upload,
            Bucket=_name(),
            Key=self._key,
            UploadId=self._upload_id,
            MultipartUpload={"Parts": parts},
        )
        self._is_over = True

    def _send(self) -> None:
        answer = _ask(
            client().upload_part,
            Bucket=_name(),
            Key=self._key,
            UploadId=self._upload_id,
            PartNumber=len(self._etags) + 1,
            Body=bytes(self._part),
        )
        self._etags.append(answer["ETag"])
        self._part.clear()


def client() -> "S3Client":
    """The S3 client of this execution environment's bucket."""
    return _client(Bucket.configured())


def head(key: str) -> Head | None:
    """Size and tag of an object; None where there is none."""
    try:
        answer = _ask(client().head_object, Bucket=_name(), Key=key)
    except Refusal as refusal:
        if refusal.code in _ABSENT:
            return None
        raise
    return Head(answer["ContentLength"], answer["ETag"])


def stream(key: str) -> Stream | None:
    """A whole object, to be read block by block; None where there is none."""
    try:
        answer = _ask(client().get_object, Bucket=_name(), Key=key)
    except Refusal as refusal:
        if refusal.code in _ABSENT:
            return None
        raise
    return Stream(answer["ContentLength"], _blocks(answer["Body"].read, answer["ContentLength"]))


def read_range(key: str, start: int, count: int, etag: str) -> bytes:
    """`count` bytes of an object from `start` on, fewer if it ends before. Raises Replaced unless it has this tag.

    The tag of the answer is compared too: not every store knows If-Match.
    """
    try:
        answer = _ask(
            client().get_object, Bucket=_name(), Key=key, Range=f"bytes={start}-{start + count - 1}", IfMatch=etag
        )
    except Refusal as refusal:
        if refusal.code in _ABSENT | _REPLACED:
            raise Replaced from None
        raise
    if answer["ETag"] != etag:
        raise Replaced
    return b"".join(_blocks(answer["Body"].read, answer["ContentLength"]))


def put(key: str, content: bytes) -> None:
    """Write a small object."""
    _ask(client().put_object, Bucket=_name(), Key=key, Body=content)


def keys(prefix: str) -> Iterator[str]:
    """All keys that begin with a prefix."""
    pages = iter(client().get_paginator("list_objects_v2").paginate(Bucket=_name(), Prefix=prefix))
    while page := _ask(next, pages, None):
        yield from (entry["Key"] for entry in page.get("Contents", []))


def delete(wanted: list[str]) -> set[str]:
    """Delete at most 1000 objects. Returns the keys of those that the bucket says are gone."""
    try:
        answer = _ask(
            client().delete_objects,
            Bucket=_name(),
            Delete={"Objects": [{"Key": key} for key in wanted], "Quiet": False},
        )
    except Refusal as refusal:
        if refusal.code in _ONE_BY_ONE:
            return {key for key in wanted if storage.delete(key)}
        raise
    return {entry["Key"] for entry in answer.get("Deleted", [])}


def unfinished(prefix: str = "") -> Iterator[Unfinished]:
    """The multipart uploads under keys that begin with a prefix. The prefix is compared here too: nanio does not."""
    pages = iter(client().get_paginator("list_multipart_uploads").paginate(Bucket=_name(), Prefix=prefix))
    while page := _ask(next, pages, None):
        for upload in page.get("Uploads", []):
            if upload["Key"].startswith(prefix):
                yield Unfinished(upload["Key"], upload["UploadId"], upload["Initiated"])


def abort(key: str, upload_id: str) -> None:
    """Have the bucket forget the parts of an upload. It is no error if the upload is over."""
    try:
        _ask(client().abort_multipart_upload, Bucket=_name(), Key=key, UploadId=upload_id)
    except Refusal as refusal:
        if refusal.code != _NO_SUCH_UPLOAD:
            raise


class Refusal(Unavailable):
    """The bucket refused; `code` is S3's."""

    def __init__(self, code: str) -> None:
        super().__init__()
        self.code = code


def _ask(operation: Callable[P, T], *arguments: P.args, **parameters: P.kwargs) -> T:
    """The result of an operation of the client. Raises Refusal, or Unavailable if there is no response."""
    try:
        return operation(*arguments, **parameters)
    except ClientError as error:
        # From None: an error of the client may quote the address.
        raise Refusal(error.response.get("Error", {}).get("Code", "")) from None
    except (BotoCoreError, OSError):
        raise Unavailable from None


def _blocks(read: Callable[[int], bytes], size: int) -> Iterator[bytes]:
    """The content of a response in blocks. Raises Unavailable if it breaks off."""
    missing = size
    while block := _ask(read, BLOCK_BYTES):
        missing -= len(block)
        yield block
    if missing:
        raise Unavailable


def _name() -> str:
    return Bucket.configured().name


@cache
def _client(bucket: Bucket) -> "S3Client":
    created = get_session().create_client(
        "s3",
        region_name="auto",  # R2 knows no regions
        endpoint_url=bucket.endpoint,
        aws_access_key_id=bucket.access_key_id,
        aws_secret_access_key=bucket.secret_access_key,
        config=Config(
            s3={"addressing_style": "path"},
            retries={"mode": "standard", "total_max_attempts": 4},
            connect_timeout=5,
            read_timeout=60,
            # R2 does not know all of the checksums that botocore adds by itself.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
    return cast("S3Client", created)
