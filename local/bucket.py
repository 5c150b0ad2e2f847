"""The stand-in for R2: an S3 server that keeps its files on disk and checks signatures.

Run as a program, it is the server: nanio, with the CORS headers that the real bucket is configured to send.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from local.service import Service

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NAME = "questlog"


def start(folder: Path, settings: Mapping[str, str], log: Path) -> Service:
    """The server over `folder`, for the key pair in `settings`; call `create` once it is ready."""
    environment = {
        **os.environ,
        "NANIO_DATA_DIR": str(folder),
        "NANIO_ACCESS_KEY": settings["R2_ACCESS_KEY_ID"],
        "NANIO_SECRET_KEY": settings["R2_SECRET_ACCESS_KEY"],
        "ALLOWED_ORIGINS": settings["ALLOWED_ORIGINS"],
    }
    folder.mkdir(parents=True, exist_ok=True)
    return Service(
        "bucket", lambda port: [sys.executable, "-m", "local.bucket", str(port)], port=0, log=log, env=environment
    )


def create(endpoint: str, settings: Mapping[str, str]) -> None:
    """Make the bucket, unless it is there."""
    try:
        _client(endpoint, settings).create_bucket(Bucket=settings["R2_BUCKET"])
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
            raise


def listing(endpoint: str, settings: Mapping[str, str]) -> str:
    """A signed URL at which a browser sees the bucket's list of objects, for a week from now."""
    url: str = _client(endpoint, settings).generate_presigned_url(
        "list_objects_v2", Params={"Bucket": settings["R2_BUCKET"]}, ExpiresIn=7 * 24 * 3600
    )
    return url


def _client(endpoint: str, settings: Mapping[str, str]) -> "S3Client":
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",  # a bucket cannot be created in R2's region `auto`
        aws_access_key_id=settings["R2_ACCESS_KEY_ID"],
        aws_secret_access_key=settings["R2_SECRET_ACCESS_KEY"],
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )


def serve(port: int) -> None:
    """Be the server, until stopped."""
    import uvicorn  # noqa: PLC0415 - only the server needs these, and the stack starts sooner without
    from nanio.app import build_app  # noqa: PLC0415 - the same
    from starlette.middleware.cors import CORSMiddleware  # noqa: PLC0415 - the same

    from local.ranges import RangedStorage  # noqa: PLC0415 - the same

    server = build_app()
    server.state.storage = RangedStorage(server.state.settings.data_dir)
    app = CORSMiddleware(
        server,
        allow_origins=os.environ["ALLOWED_ORIGINS"].split(","),
        allow_methods=["GET", "HEAD", "PUT"],
        allow_headers=["content-type", "range"],
        expose_headers=["ETag", "Content-Length", "Content-Range", "Accept-Ranges"],
        max_age=3600,
    )
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    serve(int(sys.argv[1]))
