"""The bucket: Cloudflare R2, or what speaks S3 like it. What is in it is fetched from it, by URLs signed here.

botocore's signer alone makes them: its client reads descriptions of all of AWS, which no request function can afford.
Importing this module costs a fifth of what a request function may import; so the route that signs imports it.
"""

from datetime import timedelta
from typing import Final, NamedTuple
from urllib.parse import quote

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from questlog.settings import origin, variable

GET_LIFETIME: Final = timedelta(hours=6)
# R2 knows no regions (Cloudflare R2, "S3 API compatibility").
_REGION: Final = "auto"


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


def signed_get(key: str, lifetime: timedelta = GET_LIFETIME) -> str:
    """A URL under which anyone can fetch an object until the lifetime is over."""
    bucket = Bucket.configured()
    request = AWSRequest(method="GET", url=f"{bucket.endpoint}/{bucket.name}/{quote(key, safe='/~')}")
    credentials = Credentials(bucket.access_key_id, bucket.secret_access_key)
    S3SigV4QueryAuth(credentials, "s3", _REGION, expires=int(lifetime.total_seconds())).add_auth(request)
    return str(request.url)
