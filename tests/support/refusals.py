"""Each refusal that a test provokes must be declared at its route, so that the API's document lists it."""

import re
from functools import cache
from typing import Any, Final

from starlette.routing import compile_path

from questlog.api import Endpoint

from docs.openapi import apis, refusals

# What a sentence of ours has nothing of: a library's words, its types, a regular expression.
_NOT_PLAIN: Final = re.compile(
    r"Input should|[Vv]alue error|pydantic|pattern|regex|type=|[$^]|\\(?!t)|\(\?|NoneType|\bstr\b|\bdict\b"
)


def is_plain(message: str) -> bool:
    """Whether a message is of our own words (platform contract, 1.3)."""
    return 0 < len(message) <= 300 and not _NOT_PLAIN.search(message)


def undeclared(event: dict[str, Any], status: int, error_type: str) -> str | None:
    """What is not declared of a refusal, as `POST /focus may not answer 409 active_session`; None where all is.

    A path that no route has, or a method that its path does not take, is no route's to declare.
    """
    http = event["requestContext"]["http"]
    endpoint = _endpoint(http["method"], event["rawPath"])
    if endpoint is None or error_type in refusals(endpoint).get(status, ()):
        return None
    return f"{endpoint.method} {endpoint.path} may not answer {status} {error_type}"


def _endpoint(method: str, path: str) -> Endpoint | None:
    method = "GET" if method == "HEAD" else method
    path = re.sub("^/api(?=/|$)", "", path) or "/"
    matching = (endpoints for pattern, endpoints in _paths() if pattern.match(path))
    return next(matching, {}).get(method)


@cache
def _paths() -> list[tuple[re.Pattern[str], dict[str, Endpoint]]]:
    """The methods of each path behind its pattern, literal paths before those with parameters, as the router has it."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    for api in apis():
        for endpoint in api.endpoints:
            by_path.setdefault(endpoint.path, {})[endpoint.method] = endpoint
    ordered = sorted(by_path, key=lambda path: [segment.startswith("{") for segment in path.split("/")])
    return [(compile_path(path)[0], by_path[path]) for path in ordered]
