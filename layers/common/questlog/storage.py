"""The bucket: Cloudflare R2, or another store with the S3 API. Browsers send and fetch objects by URLs signed here.

Only botocore's signer is used: its client reads descriptions of all of AWS, which takes too long for a cold start. Even
the signer takes a fifth of what a request function may spend on imports, so it is imported for the first signature.
"""

import re
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import IO, TYPE_CHECKING, Final, Literal, NamedTuple
from urllib.parse import parse_qs, quote, urlsplit

from questlog.errors import Unavailable
from questlog.settings import origin, variable

if TYPE_CHECKING:
    from http.client import HTTPResponse

GET_LIFETIME: Final = timedelta(hours=6)
PUT_LIFETIME: Final = timedelta(minutes=15)
# The lifetime of URLs that the function itself uses at once.
_OWN_LIFETIME: Final = timedelta(minutes=1)
# A function has ten seconds for a request, and the database needs some of them.
_TIMEOUT_SECONDS: Final = 4
# R2 knows no regions (Cloudflare R2, "S3 API compatibility").
_REGION: Final = "auto"

# A key in the XML of a listing, which has no other element of this name.
_KEY: Final = re.compile("<Key>(.*?)</Key>", re.DOTALL)

Method = Literal["GET", "PUT", "DELETE"]


class Bucket(NamedTuple):
    """The address of the bucket and its credentials."""

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
    """A URL by which anyone may use the method on an object for a time. The only header that is signed is the host."""
    return _signed(method, _path(key), lifetime)


def _signed(method: Method, target: str, lifetime: timedelta) -> SignedUrl:
    """A signed URL of the bucket; `target` is what follows the bucket's name, percent-encoded."""
    from botocore.auth import S3SigV4QueryAuth  # noqa: PLC0415 - only the first signature imports them, see above
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415 - the same
    from botocore.credentials import Credentials  # noqa: PLC0415 - the same

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

    Raises Unavailable if the bucket does not respond or refuses.
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

    Raises Unavailable if the bucket does not respond, refuses, or breaks off.
    """
    with _exchange("GET", _path(key), {}) as response:
        if response.status == 404:
            return None
        if response.status != 200:
            raise Unavailable
        size = _size(response)
        if size <= limit:
            shutil.copyfileobj(response, file)
            if file.tell() != size:  # http.client raises no error for it when a response is read in parts
                raise Unavailable
        return size


def delete(key: str) -> bool:
    """Delete an object. Returns whether it is gone; False also if the bucket does not respond."""
    try:
        with _exchange("DELETE", _path(key), {}) as response:
            return response.status in (200, 204, 404)
    except Unavailable:
        return False


def keys_below(prefix: str) -> list[str]:
    """The first 1000 keys that begin with a prefix (S3, ListObjectsV2). Raises Unavailable if it cannot be listed."""
    from html import unescape  # noqa: PLC0415 - as the signer: its table of entities takes as long as a group's models

    query = f"?list-type=2&max-keys=1000&prefix={quote(prefix, safe='~')}"
    with _exchange("GET", query, {}) as response:
        if response.status != 200:
            raise Unavailable
        return [unescape(key) for key in _KEY.findall(response.read().decode())]


def _path(key: str) -> str:
    return f"/{quote(key, safe='/~')}"


@contextmanager
def _exchange(method: Method, target: str, headers: dict[str, str]) -> Iterator["HTTPResponse"]:
    """The bucket's response to one signed request. Raises Unavailable if there is none, or if it breaks off."""
    from http.client import HTTPConnection, HTTPException, HTTPSConnection  # noqa: PLC0415 - few requests need them

    parts = urlsplit(_signed(method, target, _OWN_LIFETIME).url)
    scheme = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    try:
        with closing(scheme(parts.netloc, timeout=_TIMEOUT_SECONDS)) as connection:
            connection.request(method, f"{parts.path}?{parts.query}", headers=headers)
            yield connection.getresponse()
    except (OSError, HTTPException):
        # From None, since the original error may quote the address.
        raise Unavailable from None


def _size(response: "HTTPResponse") -> int:
    """The size of the whole object; of a part it is in Content-Range, after the slash (RFC 9110, 14.4)."""
    if response.status == 206:
        return int(response.headers["Content-Range"].rpartition("/")[2])
    return int(response.headers["Content-Length"])
