"""A front end for tests: requests as API Gateway v2 events, straight into the function that serves the path."""

import base64
import importlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from questlog import db
from questlog.identity import session_cookie_name
from questlog.settings import settings

from local.events import Router
from local.template import functions
from tests.support import logins
from tests.support.refusals import undeclared

ROOT = Path(__file__).parents[2]
CONTEXT = SimpleNamespace(function_name="test", memory_limit_in_mb=256, invoked_function_arn="", aws_request_id="test")


# The groups with a login of their own.
LOGINS = {
    "auth": "AUTH_DATABASE_URL",
    "admin": "OPERATOR_DATABASE_URL",
    "audio_worker": "JOBS_DATABASE_URL",
    "jobs": "JOBS_DATABASE_URL",
    "notifier": "JOBS_DATABASE_URL",
}


@dataclass(frozen=True)
class Answer:
    """What came back through the gateway."""

    status: int
    headers: Mapping[str, str]
    cookies: tuple[str, ...]
    text: str

    @property
    def content(self) -> bytes:
        """The body as bytes: an answer need not be text."""
        return self.text.encode(errors="surrogateescape")

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    def cookie(self, name: str) -> set[str]:
        """The value and the attributes of the cookie that the answer sets: {"value", "path=/", "httponly", ...}."""
        [(value, *attributes)] = [
            (first.partition("=")[2].strip('"'), *rest)
            for first, *rest in (cookie.split("; ") for cookie in self.cookies)
            if first.partition("=")[0] == name
        ]
        return {value, *(attribute.lower() for attribute in attributes)}

    @property
    def is_json_rpc(self) -> bool:
        """Whether this is an answer of JSON-RPC, whose errors have a form of their own."""
        return bool(self.text) and "jsonrpc" in self.json

    @property
    def data(self) -> Any:
        assert self.status == 200, self.text
        return self.json["data"]

    @property
    def error(self) -> Any:
        """The error object of a failed request, whose envelope is checked on the way."""
        document = self.json
        assert set(document) == {"error", "request_id"}, self.text
        assert set(document["error"]) == {"type", "message", "details"}, self.text
        assert document["request_id"] == self.headers["x-request-id"]
        return document["error"]

    def refused(self, status: int, error_type: str) -> Any:
        """Assert the refusal and answer its details."""
        assert (self.status, self.error["type"]) == (status, error_type), self.text
        return self.error["details"]

    def invalid(self, *fields: str) -> None:
        """Assert that exactly these fields were named as bad input."""
        named = {entry["field"] for entry in self.refused(400, "validation_error")["fields"]}
        assert named == set(fields), self.text


@dataclass(frozen=True)
class Client:
    """Someone's browser; without a token, a stranger's."""

    token: str | None = None
    origin: str | None = None

    def get(self, path: str, **options: Any) -> Answer:
        return self.request("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Answer:
        return self.request("POST", path, body=body, **options)

    def put(self, path: str, body: Any = None, **options: Any) -> Answer:
        return self.request("PUT", path, body=body, **options)

    def patch(self, path: str, body: Any = None, **options: Any) -> Answer:
        return self.request("PATCH", path, body=body, **options)

    def delete(self, path: str, body: Any = None, **options: Any) -> Answer:
        return self.request("DELETE", path, body=body, **options)

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
    ) -> Answer:
        """`body` is sent as JSON unless it is bytes already."""
        jar = {session_cookie_name(): self.token} if self.token else {}
        event = gateway_event(
            method,
            path,
            query=urlencode(query or {}, doseq=True),
            headers={**({"origin": self.origin} if self.origin else {}), **(headers or {})},
            cookies={**jar, **(cookies or {})},
            body=body if isinstance(body, bytes) or body is None else json.dumps(body).encode(),
        )
        return invoke(event)


class Bearer(Client):
    """A program with an API token."""

    def request(self, method: str, path: str, **options: Any) -> Answer:
        headers = {"authorization": f"Bearer {self.token}", **(options.pop("headers", None) or {})}
        return Client().request(method, path, headers=headers, **options)


def gateway_event(
    method: str,
    path: str,
    *,
    query: str = "",
    headers: Mapping[str, str] | None = None,
    cookies: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> dict[str, Any]:
    """The event API Gateway makes of a request: HTTP API, payload format 2.0."""
    sent = {"host": "api.questlog.test", "user-agent": "tests", **{k.lower(): v for k, v in (headers or {}).items()}}
    if body and "content-type" not in sent:
        sent["content-type"] = "application/json"
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {name: value for name, value in sent.items() if value},
        "cookies": [f"{name}={value}" for name, value in (cookies or {}).items()],
        "requestContext": {
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "tests",
            },
            "requestId": str(uuid4()),
            "stage": "$default",
        },
        "isBase64Encoded": body is not None,
        **({"body": base64.b64encode(body).decode()} if body is not None else {}),
    }


def invoke(event: dict[str, Any]) -> Answer:
    """Hand an event to the function that serves its path, as the gateway would. A refusal must be a declared one."""
    answer = send(event, group_of(event["rawPath"]))
    if answer.status >= 400 and not answer.is_json_rpc:
        _hold_to_its_declaration(event, answer)
    return answer


def send(event: dict[str, Any], group: str) -> Answer:
    """Hand an event, or what is none, to the function of a group."""
    log_in(group)
    result = importlib.import_module(f"functions.{group}.app").handler(event, CONTEXT)
    body = result.get("body") or ""
    if result.get("isBase64Encoded"):
        body = base64.b64decode(body).decode(errors="surrogateescape")
    return Answer(result["statusCode"], result.get("headers") or {}, tuple(result.get("cookies") or ()), body)


def _hold_to_its_declaration(event: dict[str, Any], answer: Answer) -> None:
    """Assert that the route declares the refusal: errors={409: ["limit_reached"]}."""
    found = undeclared(event, answer.status, answer.json["error"]["type"])
    assert found is None, found


def log_in(group: str) -> None:
    """Give the group's functions the login that the template gives them; the others share one."""
    url = os.environ[LOGINS.get(group, "APP_DATABASE_URL")]
    if os.environ["DATABASE_URL"] != url:
        os.environ["DATABASE_URL"] = url
        settings.cache_clear()
    logins.use(url)


def connect(group: str) -> None:
    """Open the connection that the group's next request will use: to count what the request itself costs."""
    log_in(group)
    db.connection()


def group_of(path: str) -> str:
    """The route group a path belongs to by the template; the health group answers for paths that are nobody's."""
    match = _router().match("ANY", path)
    return match[0].group if match else "health"


@cache
def _router() -> Router:
    return Router(functions())
