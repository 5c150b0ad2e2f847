"""Providers that do not behave."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from functions.auth.provider import discover, redeem
from functions.auth.rules import SignInFailed
from functions.auth.settings import Registration
from tests.auth.conftest import Configure

Served = tuple[int, bytes]


@dataclass
class Fake:
    """A provider that answers what a test tells it to, and remembers what it was asked."""

    url: str
    answers: dict[str, Served] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def tells(self, **changed: Any) -> None:
        document = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            **changed,
        }
        self.answers["/.well-known/openid-configuration"] = (200, json.dumps(document).encode())

    @property
    def registration(self) -> Registration:
        return Registration("google", self.url, "questlog", "secret")

    def redeem(self) -> str:
        return redeem(self.registration, "code", "verifier", "http://localhost/callback")


@pytest.fixture
def fake(configure: Configure) -> Iterator[Fake]:
    configure(PUBLIC_URL="http://localhost:8080")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            provider.asked.append(self.path)
            status, body = provider.answers.get(self.path, (404, b""))
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            if status == 307:
                self.send_header("location", f"{provider.url}/elsewhere")
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the name http.server calls

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            """Who does not wait for an answer breaks the connection; that is what one test is about."""

    server = Server(("127.0.0.1", 0), Handler)
    provider = Fake(f"http://127.0.0.1:{server.server_port}")
    provider.tells()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield provider
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_discovery_document_is_asked_for_once(fake: Fake) -> None:
    for _ in range(3):
        assert discover(fake.registration).token_endpoint == f"{fake.url}/token"
    assert fake.asked == ["/.well-known/openid-configuration"]


def test_a_failure_to_discover_is_not_kept(fake: Fake) -> None:
    fake.answers.clear()
    with pytest.raises(SignInFailed, match="OAuthSignin"):
        discover(fake.registration)
    fake.tells()
    assert discover(fake.registration).issuer == fake.url


@pytest.mark.parametrize(
    "spoil",
    [
        lambda fake: fake.tells(issuer="https://evil.example"),
        lambda fake: fake.tells(token_endpoint="http://evil.example/token"),
        lambda fake: fake.tells(token_endpoint="file:///etc/passwd"),
        lambda fake: fake.tells(authorization_endpoint="javascript:alert(1)"),
        lambda fake: fake.tells(token_endpoint=None),
        lambda fake: fake.answers.update({"/.well-known/openid-configuration": (200, b"<html>")}),
        lambda fake: fake.answers.update({"/.well-known/openid-configuration": (200, b" " * 300_000)}),
        lambda fake: fake.answers.update({"/.well-known/openid-configuration": (307, b"")}),
        lambda fake: fake.answers.update({"/.well-known/openid-configuration": (503, b"")}),
    ],
)
def test_discovery_documents_that_are_not_followed(fake: Fake, spoil: Callable[[Fake], None]) -> None:
    spoil(fake)
    with pytest.raises(SignInFailed, match="OAuthSignin"):
        discover(fake.registration)
    assert fake.asked == ["/.well-known/openid-configuration"]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((400, b'{"error":"invalid_grant"}'), "OAuthCallback"),
        ((400, b'{"id_token":"x"}'), "OAuthCallback"),
        ((401, b""), "OAuthCallback"),
        ((200, b""), "OAuthCallback"),
        ((200, b"{}"), "OAuthCallback"),
        ((200, b"[]"), "OAuthCallback"),
        ((200, b'{"id_token":5}'), "OAuthCallback"),
        ((200, b'{"id_token":"\xff"}'), "OAuthCallback"),
        ((307, b""), "OAuthCallback"),
        ((500, b""), "OAuthSignin"),
        ((503, b'{"id_token":"x"}'), "OAuthSignin"),
    ],
)
def test_token_endpoints_that_give_no_token(fake: Fake, answer: Served, code: str) -> None:
    fake.answers["/token"] = answer
    with pytest.raises(SignInFailed, match=code):
        fake.redeem()
    assert fake.asked[1:] == ["/token"], "no redirect is followed"


def test_a_token(fake: Fake) -> None:
    fake.answers["/token"] = (200, b'{"id_token":"x.y.z","access_token":"a"}')
    assert fake.redeem() == "x.y.z"


def test_a_silent_provider_is_not_waited_for_long(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.auth.provider.TIMEOUT_SECONDS", 0.05)
    started = threading.Event()

    class Slow(dict[str, Served]):
        def get(self, *_: Any) -> Served:
            started.wait(1)
            return 200, b""

    fake.answers = Slow()
    with pytest.raises(SignInFailed, match="OAuthSignin"):
        discover(fake.registration)
    started.set()


@pytest.mark.parametrize("url", ["http://accounts.example", "http://127.0.0.1.evil.example", "http://10.0.0.1"])
def test_plain_http_stays_on_this_machine(configure: Configure, url: str) -> None:
    configure(PUBLIC_URL="http://localhost:8080")
    with pytest.raises(SignInFailed, match="OAuthSignin"):
        discover(Registration("google", url, "questlog", "secret"))
