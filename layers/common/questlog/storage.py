"""The bucket: Cloudflare R2, or what speaks S3 like it. What is in it is fetched from it, by URLs signed here.

botocore's signer alone makes them: its client reads descriptions of all of AWS, which no request function can afford.
Even the signer costs a fifth of what a request function may import, so the first signature imports it.
"""

import re
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import IO, TYPE_CHECKING, Final, Literal, NamedTuple
from urllib.parse import parse_qs, quote, urlsplit

from questlog.errors import Unavailable
from questlog.settings import origin, variable

if TYPE_CHECKING:
    from http.client import HTTPResponse

GET_LIFETIME: Final = timedelta(hours=6)
PUT_LIFETIME: Final = timedelta(minutes=15)
# For what the function itself sends at once.
_OWN_LIFETIME: Final = timedelta(minutes=1)
# A request has ten seconds of Lambda, and the database wants some of them.
_TIMEOUT_SECONDS: Final = 4
# R2 knows no regions (Cloudflare R2, "S3 API compatibility").
_REGION: Final = "auto"

# A key in an answer of the bucket, whose XML has no other element of this name.
_KEY: Final = re.compile("<Key>(.*?)</Key>", re.DOTALL)

Method = Literal["GET", "PUT", "DELETE"]


class Bucket(NamedTuple):
    """Where the bucket is, and the key that opens it."""

    endpoint: str
    name: str
    access_key_id: str
    secret_access_key: str

    @classmethod
    def configured(cls) -> "Bucket":
        """The bucket of this execution environment."""
        return cls(
            endpoint=variable("R2_ENDPOINT", origin),
            name=variable("R2_BUCKET", str),
            access_key_id=variable("R2_ACCESS_KEY_ID", str),
            secret_access_key=variable("R2_SECRET_ACCESS_KEY", str),
        )


class SignedUrl(NamedTuple):
    """A URL that anyone may use until `expires_at`, a whole second in UTC. It must not get into a log."""

    url: str
    expires_at: datetime


class Start(NamedTuple):
    """The size of an object in bytes, and its first bytes."""

    size: int
    head: bytes


def sign(method: Method, key: str, lifetime: timedelta) -> SignedUrl:
    """A URL under which anyone can do this to an object until the lifetime is over; only the host is signed with it."""
    return _signed(method, _path(key), lifetime)


def _signed(method: Method, target: str, lifetime: timedelta) -> SignedUrl:
    """A URL of the bucket; `target` is what stands behind the bucket's name, encoded."""
    from botocore.auth import S3SigV4QueryAuth  # noqa: PLC0415 - see above
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415
    from botocore.credentials import Credentials  # noqa: PLC0415

    bucket = Bucket.configured()
    request = AWSRequest(method=method, url=f"{bucket.endpoint}/{bucket.name}{target}")
    credentials = Credentials(bucket.access_key_id, bucket.secret_access_key)
    S3SigV4QueryAuth(credentials, "s3", _REGION, expires=int(lifetime.total_seconds())).add_auth(request)
    url = str(request.url)
    [signed_at] = parse_qs(urlsplit(url).query)["X-Amz-Date"]
    return SignedUrl(url, datetime.strptime(signed_at, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) + lifetime)


def signed_get(key: str, lifetime: timedelta = GET_LIFETIME) -> SignedUrl:
    """A URL under which anyone can fetch an object."""
    return sign("GET", key, lifetime)


def signed_put(key: str) -> SignedUrl:
    """A URL under which anyone can upload an object, of any size and type."""
    return sign("PUT", key, PUT_LIFETIME)


def read_start(key: str, count: int) -> Start | None:
    """The size of an object and at most its first `count` bytes, by one ranged GET; None where there is no object.

    Unavailable when the bucket cannot be asked.
    """
    with _exchange("GET", _path(key), {"Range": f"bytes=0-{count - 1}"}) as response:
        if response.status == 404:
            return None
        if response.status == 416:  # no byte of an empty object is in any range
            return Start(0, b"")
        if response.status not in (200, 206):
            raise Unavailable
        return Start(_size(response), response.read(count))


def fetch(key: str, file: IO[bytes], limit: int) -> int | None:
    """Write an object into a file, unless it has more than `limit` bytes. Returns its size; None where there is none.

    Unavailable when the bucket cannot be asked or breaks off.
    """
    with _exchange("GET", _path(key), {}) as response:
        if response.status == 404:
            return None
        if response.status != 200:
            raise Unavailable
        size = _size(response)
        if size <= limit:
            shutil.copyfileobj(response, file)
            if file.tell() != size:  # what reads a part of a response at a time is not told that it broke off
                raise Unavailable
        return size


def delete(key: str) -> bool:
    """Delete an object. Returns whether it is gone; False also when the bucket cannot be asked."""
    try:
        with _exchange("DELETE", _path(key), {}) as response:
            return response.status in (200, 204, 404)
    except Unavailable:
        return False


def keys_below(prefix: str) -> list[str]:
    """The first 1000 keys that begin with a prefix (S3, ListObjectsV2). Unavailable when the bucket cannot be asked."""
    query = f"?list-type=2&max-keys=1000&prefix={quote(prefix, safe='~')}"
    with _exchange("GET", query, {}) as response:
        if response.status != 200:
            raise Unavailable
        return [unescape(key) for key in _KEY.findall(response.read().decode())]


def _path(key: str) -> str:
    return f"/{quote(key, safe='/~')}"


@contextmanager
def _exchange(method: Method, target: str, headers: dict[str, str]) -> Iterator["HTTPResponse"]:
    """The bucket's response to one signed request; Unavailable when there is none, or when it breaks off."""
    from http.client import HTTPConnection, HTTPException, HTTPSConnection  # noqa: PLC0415 - as the signer

    parts = urlsplit(_signed(method, target, _OWN_LIFETIME).url)
    scheme = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    try:
        with closing(scheme(parts.netloc, timeout=_TIMEOUT_SECONDS)) as connection:
            connection.request(method, f"{parts.path}?{parts.query}", headers=headers)
            yield connection.getresponse()
    except (OSError, HTTPException):
        # From None: an error of the network may quote the address.
        raise Unavailable from None


def _size(response: "HTTPResponse") -> int:
    """The size of the whole object: behind the slash of a part's Content-Range (RFC 9110, 14.4)."""
    if response.status == 206:
        return int(response.headers["Content-Range"].rpartition("/")[2])
    return int(response.headers["Content-Length"])
