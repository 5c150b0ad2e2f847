"""The product's own gateway for the tests of a function that calls it: a server on this machine, in front of the real
handlers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.support.client import Answer, gateway_event, invoke
from tests.support.threads import in_thread


@dataclass(frozen=True)
class Hop:
    """A request that reached the gateway, its headers by their names in small letters."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Loopback:
    """The gateway's address, and what it was asked. `answers` are given instead of asking a function, the first first:
    status, media type, content; or None for a connection that is closed without an answer.
    """

    url: str = ""
    hops: list[Hop] = field(default_factory=list)
    answers: list[tuple[int, str, bytes] | None] = field(default_factory=list)


@contextmanager
def loopback() -> Iterator[Loopback]:
    """A running gateway."""
    gateway = Loopback()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            hop = Hop(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            gateway.hops.append(hop)
            made = gateway.answers.pop(0) if gateway.answers else answered(hop)
            if made is None:
                self.close_connection = True
                return
            status, media_type, content = made
            self.send_response(status)
            self.send_header("content-type", media_type)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - the names that the server looks for

        def log_message(self, *_arguments: Any) -> None:
            """Nothing: the test has the hops."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    gateway.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=in_thread, args=(server.serve_forever,), daemon=True)
    thread.start()
    try:
        yield gateway
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def answered(hop: Hop) -> tuple[int, str, bytes]:
    """What the function of the path answers."""
    address = urlsplit(hop.path)
    event = gateway_event(
        hop.method, unquote(address.path), query=address.query, headers=hop.headers, body=hop.body or None
    )
    answer: Answer = invoke(event)
    return answer.status, answer.headers.get("content-type", ""), answer.content
