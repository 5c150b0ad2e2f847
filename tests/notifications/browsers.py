"""A browser and its push service in one: own keys, a loopback server that answers as a test says, and what arrived."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import http_ece
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.conftest import User


def encoded(raw: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def point_of(key: ec.EllipticCurvePublicKey) -> bytes:
    """The 65 bytes of an uncompressed point."""
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


class Arrival(NamedTuple):
    """A request as it came to the push service."""

    path: str
    headers: dict[str, str]
    content: bytes


class Browser:
    """A browser with subscriptions at its own push service. `answer` says what status and headers it answers."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.auth = bytes(range(16))
        self.arrived: list[Arrival] = []
        self.answer: Callable[[Arrival], tuple[int, dict[str, str]]] = lambda _: (201, {})
        self.released = threading.Event()

    def subscription(self, name: str = "one") -> dict[str, Any]:
        """What the browser's JavaScript gets of pushManager.subscribe()."""
        keys = {"p256dh": encoded(point_of(self.key.public_key())), "auth": encoded(self.auth)}
        return {"endpoint": f"http://localhost:{self.port}/push/{name}", "keys": keys}

    def subscribe(self, user: User, name: str = "one") -> str:
        """Have a user subscribe and switch push on. Returns the id of the subscription."""
        listed = user.post("/notifications/subscriptions", self.subscription(name)).data["subscriptions"]
        user.patch("/user/settings", {"push_notifications": True})
        return str(listed[-1]["id"])

    def shown(self) -> list[dict[str, Any]]:
        """What the browser would show, decrypted with its own key."""
        return [json.loads(self.decrypted(arrival)) for arrival in self.arrived]

    def decrypted(self, arrival: Arrival) -> bytes:
        content: bytes = http_ece.decrypt(
            arrival.content, private_key=self.key, auth_secret=self.auth, version="aes128gcm"
        )
        return content


@contextmanager
def serving() -> Iterator[Browser]:
    """A browser whose push service runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            arrival = Arrival(self.path, {name.lower(): value for name, value in self.headers.items()}, content)
            browser.arrived.append(arrival)
            status, headers = browser.answer(arrival)
            if status == 0:
                # It hangs until the test is over.
                browser.released.wait(30)
                return
            self.send_response(status)
            for name, value in {"Content-Length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    browser = Browser(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield browser
    finally:
        browser.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
