"""The server for assistants: the Model Context Protocol over HTTP, with JSON answers, and no state between requests.

A tool is a route of Questlog. A call of it becomes the route's request, sent to our own gateway with the caller's
token. So all checks are made by the route, and not here a second time.
"""

import time
from typing import Any, Final, Literal, NamedTuple

from pydantic_core import from_json, to_json
from starlette.requests import Request
from starlette.responses import Response

from questlog import identity
from questlog.api import Api
from questlog.binding import json_text
from questlog.db import Db
from questlog.errors import Failure, Forbidden, Unauthorized, Unavailable
from questlog.settings import settings

from functions.mcp import gateway, protocol, tools
from functions.mcp.protocol import Call, RpcError
from functions.mcp.tools import Asked

api = Api(__file__)

# For all calls of a request together; the template gives it a little more, and API Gateway 30 seconds.
MOST_SECONDS: Final = 24


class Scope(NamedTuple):
    """What the token may do."""

    scope: Literal["read", "write"]


@api.post("/mcp", envelope=False, store_response=False, read_token=True, errors={403: ["forbidden"]})
def mcp(request: Request, db: Db, content: bytes) -> Response:
    """Answer a message of the Model Context Protocol, revisions 2025-03-26 to 2026-07-28 (docs/assistants.md).

    The body is JSON-RPC 2.0, and so is the answer, also if the message has an error. A caller who may not use the route
    is refused as on any other route.
    """
    origin = request.headers.get("origin")
    if origin is not None and origin not in {settings().public_url, *settings().allowed_origins}:
        raise Forbidden("Another site made this request.")
    try:
        document = protocol.read(json_text(request, content))
        revision = protocol.revision_of(request.headers, document)
        exchange = Exchange(request, db, revision, in_batch=isinstance(document, list))
        if isinstance(document, list):
            answers = [exchange.answer(message)[1] for message in protocol.messages_of(document, revision)]
            owed = [answer for answer in answers if answer]
            return _response(200, b"[" + b",".join(owed) + b"]") if owed else _response(202)
        return _response(*exchange.answer(document))
    except RpcError as error:
        return _response(400, protocol.failed(error))


def _response(status: int, content: bytes = b"") -> Response:
    return Response(content, status, media_type="application/json" if content else None)


class Exchange:
    """One HTTP request: the caller, the revision of the protocol, and the time that is left."""

    def __init__(self, request: Request, db: Db, revision: str, *, in_batch: bool) -> None:
        self._request = request
        self._db = db
        self._revision = revision
        self._in_batch = in_batch
        self._until = time.monotonic() + MOST_SECONDS
        self._token = identity.presented_token(request) or identity.NO_TOKEN
        self._is_known = False

    def answer(self, message: Any) -> tuple[int, bytes]:
        """The status and the body of the answer to a message; 202 and no body if it needs no answer."""
        try:
            call = protocol.call_of(message, self._revision)
            if call is None:
                self._authenticate()
                return 202, b""
            return 200, self._answer(call)
        except RpcError as error:
            return protocol.status_of(error, self._revision), protocol.failed(error)

    def _answer(self, call: Call) -> bytes:
        if call.method == "tools/call" and self._token != identity.NO_TOKEN:
            # The route authenticates the caller; to do it here too would cost a trip.
            self._hold(call)
            return self._called(call)
        if call.method == "tools/list":
            scope = self._db.one(Scope, "scope").scope
            self._hold(call)
            return protocol.listed(call, tools.listed(reads_only=scope == "read"))
        self._authenticate()
        self._hold(call)
        match call.method, self._revision == protocol.STATELESS:
            case "initialize", False if self._in_batch:
                raise RpcError(protocol.INVALID_REQUEST, "initialize must not be part of a batch.", id_=call.id)
            case "initialize", False:
                return protocol.initialized(call)
            case "ping", False:
                return protocol.result(call, {})
            case "server/discover", True:
                return protocol.discovered(call)
        raise RpcError(protocol.METHOD_NOT_FOUND, "There is no such method.", id_=call.id)

    def _hold(self, call: Call) -> None:
        if self._revision == protocol.STATELESS:
            protocol.hold_to_its_headers(call, self._request.headers)

    def _authenticate(self) -> None:
        """Authenticate the caller, once for all messages."""
        if not self._is_known:
            self._db.authenticate_only()
            self._is_known = True

    def _called(self, call: Call) -> bytes:
        """The answer to a call of a tool."""
        name, arguments = call.params.get("name"), call.params.get("arguments")
        tool = tools.tools().get(name) if isinstance(name, str) else None
        arguments = {} if arguments is None else arguments
        if tool is None or not isinstance(arguments, dict):
            self._authenticate()
            wrong = "There is no such tool." if tool is None else "arguments must be an object."
            raise RpcError(protocol.INVALID_PARAMS, wrong, id_=call.id)
        try:
            asked = tools.request_of(tool, arguments)
        except Failure as failure:
            self._authenticate()
            return _refused(call, failure)
        try:
            answer = gateway.ask(asked, self._headers(call, asked, arguments), self._until - time.monotonic())
        except Failure as failure:
            return _refused(call, failure)
        return _told(call, answer)

    def _headers(self, call: Call, asked: Asked, arguments: dict[str, Any]) -> dict[str, str]:
        token = str(self._token)
        headers = {
            "Authorization": f"Bearer {token}",
            "User-Agent": self._request.headers.get("user-agent", "questlog-mcp"),
            "X-Request-ID": self._request.scope["questlog.request_id"],
        }
        if asked.body is not None:
            key = tools.idempotency_key(token, call.id, call.params["name"], arguments, time.time())
            headers |= {"Content-Type": "application/json", "Idempotency-Key": key}
        return headers


def _told(call: Call, answer: gateway.Answer) -> bytes:
    """The answer of a route as the result of its tool. Raises Unauthorized if the token is not valid (any more)."""
    if answer.status == 401:
        raise Unauthorized
    if len(answer.content) > gateway.LARGEST_ANSWER:
        return _refused(
            call, Failure(413, "answer_too_large", "The answer is larger than 512 KiB; ask for less of it.")
        )
    if answer.status == 200 and answer.is_object:
        return protocol.called(call, answer.content.decode(), answer.content)
    error = _error_of(answer)
    if error is None:
        return _refused(call, Unavailable())
    return _refused(call, Failure(answer.status, error["type"], error["message"], error["details"]))


def _error_of(answer: gateway.Answer) -> dict[str, Any] | None:
    """The error of a route, or None where it is the gateway itself that answered."""
    try:
        error: dict[str, Any] | None = from_json(answer.content).get("error") if answer.is_object else None
    except ValueError:
        return None
    return error


def _refused(call: Call, failure: Failure) -> bytes:
    """A failure as the result of a tool: our sentence, and what is wrong with which argument."""
    fields = failure.details.get("fields", [])
    text = "\n".join([failure.message, *(f"{field['field']}: {field['message']}" for field in fields)])
    error = {"type": failure.type, "message": failure.message, "details": failure.details}
    return protocol.called(call, text, to_json({"error": error}), is_error=True)


handler = api.handler
