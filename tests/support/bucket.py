"""The bucket of the tests: nanio, as the local stack runs it, started by the first test of a process that needs one."""

import atexit
import os
import shutil
import tempfile
from functools import cache
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from mypy_boto3_s3 import S3Client

from local import bucket
from tests.support.environment import ENVIRONMENT


def serve() -> str:
    """Start the bucket, unless it runs. Returns its address, which the functions know from now on."""
    os.environ["R2_ENDPOINT"] = _started()
    return os.environ["R2_ENDPOINT"]


@cache
def _started() -> str:
    folder = Path(tempfile.mkdtemp(prefix="questlog-bucket-"))
    service = bucket.start(folder / "objects", ENVIRONMENT, folder / "bucket.log")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(service.__exit__, None, None, None)
    service.ready()
    bucket.create(service.url, ENVIRONMENT)
    return service.url


def client() -> S3Client:
    """An S3 client of the bucket's owner."""
    return boto3.client(
        "s3",
        endpoint_url=serve(),
        region_name="us-east-1",
        aws_access_key_id=ENVIRONMENT["R2_ACCESS_KEY_ID"],
        aws_secret_access_key=ENVIRONMENT["R2_SECRET_ACCESS_KEY"],
        config=Config(s3={"addressing_style": "path"}),
    )


def keys(prefix: str) -> set[str]:
    """The keys of all objects below a prefix."""
    return {one["Key"] for one in client().list_objects_v2(Bucket="questlog", Prefix=prefix).get("Contents", [])}


def send(method: str, url: str, content: bytes = b"", headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    """Status and body of a request to a signed URL, as a browser makes it."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=30)
    try:
        connection.request(method, f"{parts.path}?{parts.query}", content, headers or {})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
