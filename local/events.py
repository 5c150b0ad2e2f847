"""HTTP requests as API Gateway hands them to a function, and a function's answers as API Gateway sends them on.

The shapes are those of an HTTP API with payload format 2.0. What its documentation leaves open follows the observed
service: paths arrive percent-decoded, a form post arrives in base64, repeated headers are joined by commas.
"""

import base64
import json
import re
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote
from uuid import uuid4

from starlette.responses import Response

from local.template import DEFAULT_ROUTE, Function, Route, Schedule

ACCOUNT = "000000000000"
REGION = "local"
_API_ID = "questlog"
_STAGE = "$default"
_TEXT = re.compile(r"(text/|application/(.+\+)?(json|xml)\b|application/javascript\b)", re.IGNORECASE)


class Router:
    """Finds the function for a request: a static path wins over {param}, that over {proxy+}, and $default is last."""

    def __init__(self, functions: Iterable[Function]) -> None:
        self._table = sorted(
            ((_weight(route), _pattern(route), route, function) for function in functions for route in function.routes),
            key=lambda row: row[0],
        )

    def match(self, method: str, path: str) -> tuple[Function, Route, dict[str, str]] | None:
        """The function, its route and the path parameters; None where API Gateway itself would answer 404."""
        for _, pattern, route, function in self._table:
            if route.method in ("ANY", method) and (found := pattern.fullmatch(path)):
                return function, route, found.groupdict()
        return None


def http_event(
    route: Route,
    parameters: Mapping[str, str],
    *,
    method: str,
    raw_path: str,
    query: str,
    headers: Iterable[tuple[str, str]],
    body: bytes,
    source_ip: str,
) -> dict[str, Any]:
    """The event of one request. `headers` as they came, repeated ones included."""
    joined: dict[str, str] = {}
    cookies: list[str] = []
    for name, value in headers:
        key = name.lower()
        if key == "cookie":
            cookies += [cookie.strip() for cookie in value.split(";") if cookie.strip()]
        else:
            joined[key] = f"{joined[key]},{value}" if key in joined else value
    host = joined.get("host", "localhost")
    joined.setdefault("x-forwarded-for", source_ip)
    joined["x-forwarded-proto"] = "http"
    joined["x-forwarded-port"] = host.rpartition(":")[2] if host[-1:].isdigit() else "80"
    joined["x-amzn-trace-id"] = f"Root=1-{int(time.time()):08x}-{uuid4().hex[:24]}"
    now = datetime.now(UTC)
    path = decoded_path(raw_path)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": path,
        "rawQueryString": query,
        "headers": joined,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": _API_ID,
            "domainName": host.rsplit(":", 1)[0],
            "domainPrefix": host.split(".", 1)[0].split(":", 1)[0],
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": source_ip,
                "userAgent": joined.get("user-agent", ""),
            },
            "requestId": uuid4().hex[:16],
            "routeKey": route.key,
            "stage": _STAGE,
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(now.timestamp() * 1000),
        },
        "isBase64Encoded": False,
    }
    if cookies:
        event["cookies"] = cookies
    if pairs := parse_qsl(query, keep_blank_values=True):
        joined_query: dict[str, str] = {}
        for name, value in pairs:
            joined_query[name] = f"{joined_query[name]},{value}" if name in joined_query else value
        event["queryStringParameters"] = joined_query
    if parameters:
        event["pathParameters"] = dict(parameters)
    if body:
        event["body"], event["isBase64Encoded"] = _body(body, joined.get("content-type"))
    return event


def schedule_event(schedule: Schedule, function: Function) -> Any:
    """The event of a schedule: the input that the template gives it, or else EventBridge's own event."""
    if schedule.input is not None:
        return json.loads(schedule.input)
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{function.name}{schedule.name}"],
        "detail": {},
    }


def http_response(payload: bytes) -> Response:
    """The HTTP answer that API Gateway makes of a function's; ValueError when it would answer 500 instead."""
    answer = json.loads(payload)
    if not isinstance(answer, dict) or "statusCode" not in answer:
        # Format 2.0 takes anything else for the body of a success.
        return Response(payload, media_type="application/json")
    body = answer.get("body") or ""
    content = base64.b64decode(body, validate=True) if answer.get("isBase64Encoded") else str(body).encode()
    response = Response(content, status_code=int(answer["statusCode"]))
    for name, value in (answer.get("headers") or {}).items():
        # API Gateway counts the bytes itself, whatever the handler says.
        if name.lower() != "content-length":
            response.headers[name] = str(value)
    for cookie in answer.get("cookies") or []:
        response.headers.append("set-cookie", cookie)
    return response


def decoded_path(raw: str) -> str:
    """The path as routes are matched and functions see it. The service cuts it at a decoded question mark."""
    return unquote(raw, errors="replace").split("?", 1)[0]


def _body(body: bytes, content_type: str | None) -> tuple[str, bool]:
    """The body, and whether it is in base64: it is unless its type is text and it is valid UTF-8."""
    if content_type is None or _TEXT.match(content_type):
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(body).decode(), True


def _weight(route: Route) -> tuple[object, ...]:
    if route.path == DEFAULT_ROUTE:
        return (1,)
    kinds = [2 if "+}" in part else 1 if part.startswith("{") else 0 for part in route.path.split("/")]
    return (0, kinds, route.method == "ANY")


def _pattern(route: Route) -> re.Pattern[str]:
    if route.path == DEFAULT_ROUTE:
        return re.compile(".*", re.DOTALL)
    parts = re.split(r"\{(\w+)(\+?)\}", route.path)
    pattern = re.escape(parts[0])
    for name, greedy, rest in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        pattern += f"(?P<{name}>{'.+' if greedy else '[^/]+'})" + re.escape(rest)
    return re.compile(pattern, re.DOTALL)
