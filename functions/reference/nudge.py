"""Waking the audio worker, so that a new analysis does not wait for the next minute's tick."""

import os
from typing import Final
from urllib.parse import quote, urlsplit
from uuid import UUID

from pydantic_core import to_json

from questlog.settings import variable

# The timeout is short: the job is in the queue, and the next tick finds it, so no request should wait for this.
_TIMEOUT_SECONDS: Final = 1


def worker(job_id: UUID) -> None:
    """Invoke the audio worker asynchronously (AWS Lambda, Invoke with InvocationType Event); it may fail unnoticed.

    AUDIO_WORKER_FUNCTION is the function's ARN. It is empty on the local stack, which ticks every other second.
    """
    function = variable("AUDIO_WORKER_FUNCTION", str, default="")
    if not function:
        return
    from http.client import HTTPConnection, HTTPException, HTTPSConnection  # noqa: PLC0415 - few requests need them

    from botocore.auth import SigV4Auth  # noqa: PLC0415 - the same
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415 - the same
    from botocore.credentials import Credentials  # noqa: PLC0415 - the same

    region = os.environ["AWS_REGION"]
    endpoint = os.environ.get("AWS_ENDPOINT_URL_LAMBDA", f"https://lambda.{region}.amazonaws.com")
    request = AWSRequest(
        method="POST",
        url=f"{endpoint}/2015-03-31/functions/{quote(function, safe='')}/invocations",
        data=to_json({"job_id": job_id}),
        headers={"X-Amz-Invocation-Type": "Event", "Content-Type": "application/json"},
    )
    credentials = Credentials(
        os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"], os.environ.get("AWS_SESSION_TOKEN")
    )
    SigV4Auth(credentials, "lambda", region).add_auth(request)
    parts = urlsplit(str(request.url))
    scheme = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = scheme(parts.netloc, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("POST", parts.path, request.data, dict(request.headers))
        connection.getresponse().read()
    except (OSError, HTTPException):
        return
    finally:
        connection.close()
