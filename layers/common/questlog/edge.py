"""The outermost layer of a function: what holds for every request, whatever its route.

LambdaHandler passes the gateway's event to Mangum, which makes a request of it. Edge gives the request its id, takes
the /api prefix off, answers preflights, turns whatever was raised into the one envelope, adds the headers that every
answer has, and writes the one log line.
"""

import base64
import re
import time
from typing import Any, Final
from uuid import uuid4

from aws_lambda_powertools import Logger
from mangum import Mangum
from mangum.handlers import HTTPGateway
from pydantic_core import to_json
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from questlog.db import trips
from questlog.errors import Failure, Invalid, PoolerUnfit, without_values
from questlog.settings import settings

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_EXPOSED: Final = "X-Request-ID, ETag, Content-Disposition, Retry-After, Idempotent-Replay"
_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type, Authorization, Idempotency-Key, If-None-Match, X-Request-ID,"
    " MCP-Protocol-Version, Mcp-Method, Mcp-Name",
    "Access-Control-Max-Age": "7200",
}


# The largest body of an error, in bytes; a larger one loses its details (platform contract, 1.3).
_LARGEST_ERROR: Final = 16_384
# Handed to Mangum in place of something that is not an event, so that the refusal is sent like any other.
_NO_EVENT: Final = {
    "version": "2.0",
    "headers": {},
    "requestContext": {"http": {"method": "GET", "path": "/", "sourceIp": ""}},
}


class LambdaHandler:
    """What Lambda calls: takes an event of an HTTP API (payload format 2.0), and returns the gateway's answer.

    Anything else, without headers, a path or a readable body, gets 400 in the envelope.
    """

    def __init__(self, app: "Edge") -> None:
        self._answer = Mangum(app, lifespan="off", custom_handlers=[_HttpApi])
        self._refuse = Mangum(app.of(_not_an_event), lifespan="off", custom_handlers=[_HttpApi])

    def __call__(self, event: Any, context: Any) -> dict[str, Any]:
        try:
            event = _well_formed(event)
        except (AttributeError, KeyError, TypeError, ValueError):
            return self._refuse(_NO_EVENT, context)
        return self._answer(event, context)


def _well_formed(event: Any) -> dict[str, Any]:
    """The event with its body as bytes. A malformed one raises AttributeError, KeyError, TypeError or ValueError."""
    http = event["requestContext"]["http"]
    headers = event["headers"].items()
    texts = [http["method"], http["path"], http["sourceIp"], event["version"], *event.get("cookies", [])]
    texts += [event.get("rawQueryString", ""), *(text for header in headers for text in header)]
    "".join(texts).encode()
    body = event.get("body", "")
    content = base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()
    return {**event, "body": content, "isBase64Encoded": False}


async def _not_an_event(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise Invalid([("body", "could not be read")], "This is not a request as the gateway sends it.")


class _HttpApi(HTTPGateway):
    """Reads an event as Mangum does, but keeps the host whole: Mangum splits it at a colon, and IPv6 has many."""

    @property
    def scope(self) -> Scope:
        """The request as ASGI describes it."""
        headers = dict(self.event["headers"])
        host = headers.pop("host", "")
        scope = HTTPGateway({**self.event, "headers": headers}, self.context, self.config).scope
        scope["headers"].append([b"host", host.encode()])
        return scope


class Edge:
    """The ASGI application Mangum runs around a group's router."""

    def __init__(self, routes: ASGIApp, service: str) -> None:
        self._routes = routes
        self._service = service
        self._log = Logger(service=service)

    def of(self, routes: ASGIApp) -> "Edge":
        """An Edge of the same service around other routes."""
        return Edge(routes, self._service)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, trips_before = time.perf_counter(), trips()
        headers = Headers(scope=scope)
        gateway_id = str(scope["aws.event"]["requestContext"].get("requestId", ""))
        scope["questlog.request_id"] = _request_id(headers.get("x-request-id", ""), gateway_id)
        # The gateway has decoded the path already; decoding it again would change a path with %2525.
        scope["path"] = _without_prefix(scope["path"])
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(MutableHeaders(scope=message), scope, headers.get("origin"))
            await send(message)

        response: Response | None = None
        if scope["method"] == "OPTIONS":
            response = Response(status_code=204, headers=_PREFLIGHT if _allowed(headers.get("origin")) else None)
        else:
            try:
                await self._routes(scope, receive, send_with_headers)
            except Failure as failure:
                if isinstance(failure, PoolerUnfit):
                    self._log.error(failure.remedy, request_id=scope["questlog.request_id"])
                response = self._failed(scope, failure)
            except Exception as error:  # noqa: BLE001 - what nobody foresaw becomes an answer and a log line here
                self._log.error("fault", **without_values(error), request_id=scope["questlog.request_id"])
                response = self._failed(scope, Failure(500, "internal_error", "Something went wrong on our side."))
        if response is not None:
            await response(scope, receive, send_with_headers)
        self._log.info(
            "request",
            # Where the client has sent an id of its own, this is the one in the gateway's log.
            gateway_request_id=gateway_id,
            request_id=scope["questlog.request_id"],
            method=scope["method"],
            # The route, not the path: paths carry ids, and one carries a secret.
            route=scope.get("questlog.route"),
            status=status,
            milliseconds=round((time.perf_counter() - started) * 1000, 1),
            trips=trips() - trips_before,
        )

    @staticmethod
    def _failed(scope: Scope, failure: Failure) -> Response:
        body = to_json(failure.document(scope["questlog.request_id"]))
        if len(body) > _LARGEST_ERROR:
            failure.details = {}
            body = to_json(failure.document(scope["questlog.request_id"]))
        headers = {"Cache-Control": "no-store", **failure.headers}
        return Response(body, failure.status, headers, "application/json")


def _request_id(sent: str, gateways: str) -> str:
    """The client's id of the request, or else the gateway's, without the padding of its base64."""
    for candidate in (sent, gateways.rstrip("=")):
        if _REQUEST_ID.fullmatch(candidate):
            return candidate
    return str(uuid4())


def _without_prefix(path: str) -> str:
    if path == "/api" or path.startswith("/api/"):
        return path[4:] or "/"
    return path


def _allowed(origin: str | None) -> bool:
    return origin is not None and origin in settings().allowed_origins


def _add_headers(headers: MutableHeaders, scope: Scope, origin: str | None) -> None:
    headers["X-Request-ID"] = scope["questlog.request_id"]
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers.add_vary_header("Origin")
    if settings().secure:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    if origin is not None and _allowed(origin):
        headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Allow-Credentials"] = "true"
        headers["Access-Control-Expose-Headers"] = _EXPOSED
