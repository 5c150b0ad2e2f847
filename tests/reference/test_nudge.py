"""Waking the worker: an asynchronous invocation, signed for Lambda; its failure is nobody's."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from urllib.parse import quote

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.conftest import User
from tests.reference.uploads import register
from tests.reference.working import start, work

ARN = "arn:aws:lambda:eu-central-1:111122223333:function:questlog-AudioWorkerFunction:live"
PATH = f"/2015-03-31/functions/{quote(ARN, safe='')}/invocations"
REGION, KEY_ID, SECRET, SESSION = "eu-central-1", "AKIDEXAMPLE", "wJalrXUtnFEMI", "a-session-token"


@dataclass
class Lambda:
    """What stands for AWS Lambda, and what it was asked."""

    url: str = ""
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lambda]:
    service = Lambda()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            service.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}, content))
            self.send_response(202)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    service.url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("AUDIO_WORKER_FUNCTION", ARN)
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", service.url)
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", SESSION)
    yield service
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_worker_is_woken_for_the_new_job(user: User, aws: Lambda) -> None:
    job = start(user, register(user)["id"])["id"]
    [(path, headers, content)] = aws.asked
    assert path == PATH
    assert content == b'{"job_id":"%s"}' % job.encode()
    assert headers["x-amz-invocation-type"] == "Event"
    assert headers["x-amz-security-token"] == SESSION
    assert headers["authorization"] == signed(headers, path, content, aws.url)
    assert work(job) == 1


def signed(headers: dict[str, str], path: str, content: bytes, url: str) -> str:
    """The signature that the request should have: made again of what arrived, at the time it says (SigV4)."""
    [names] = re.findall("SignedHeaders=([^,]+)", headers["authorization"])
    request = AWSRequest(method="POST", url=url + path, data=content)
    for name in names.split(";"):
        request.headers[name] = headers[name]
    request.context["timestamp"] = headers["x-amz-date"]
    signer = SigV4Auth(Credentials(KEY_ID, SECRET, SESSION), "lambda", REGION)
    text = signer.string_to_sign(request, signer.canonical_request(request))
    return (
        f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, SignedHeaders={names},"
        f" Signature={signer.signature(text, request)}"
    )


def test_nobody_is_woken_for_what_is_done(user: User, aws: Lambda) -> None:
    track = register(user)["id"]
    work(start(user, track)["id"])
    start(user, track)
    assert len(aws.asked) == 1


def test_a_nudge_that_fails_is_no_failure(user: User, aws: Lambda, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", "http://127.0.0.1:1")
    assert start(user, register(user)["id"])["status"] == "pending"


def test_without_a_function_nothing_is_asked(user: User, aws: Lambda, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIO_WORKER_FUNCTION", "")
    assert start(user, register(user)["id"])["status"] == "pending"
    assert aws.asked == []
