"""The tools, as tools.json describes them, and the request that a call becomes.

tools.json is written by `make openapi` from the routes' declarations and the API's document.
"""

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple, TypedDict
from urllib.parse import quote, urlencode

from pydantic_core import from_json, to_json

from questlog.errors import Invalid, NotFound
from questlog.identity import SAFE_METHODS

# The steps of time in which equal calls count as one. A call that is sent again because its answer was lost comes soon.
# A client that counts its ids from 0 in each session may use the same id much later, for another call.
REPEATED_WITHIN_SECONDS: Final = 600
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


_KINDS: Final = {"string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false"}
_TYPES: Final = {"string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,)}


class Target(TypedDict):
    """The route of a tool. Arguments that are not in its path go into its body, or its query where it has no body."""

    method: str
    path: str
    fixed: dict[str, Any]


class Tool(TypedDict):
    """A tool as it is listed, and the route that it calls."""

    listed: dict[str, Any]
    target: Target


class Asked(NamedTuple):
    """A request to the product's own gateway."""

    method: str
    path: str
    body: bytes | None


@cache
def tools() -> dict[str, Tool]:
    """The tools by name."""
    document = from_json((Path(__file__).parent / "tools.json").read_bytes())
    return {tool["listed"]["name"]: tool for tool in document}


def listed(*, reads_only: bool) -> list[Mapping[str, Any]]:
    """The tools as tools/list shows them, to a token that only reads those alone that only read."""
    return [
        tool["listed"] for tool in tools().values() if tool["listed"]["annotations"]["readOnlyHint"] or not reads_only
    ]


def request_of(tool: Tool, arguments: Mapping[str, Any]) -> Asked:
    """The request of a call. Raises NotFound for a malformed id in the path, and Invalid for unknown or missing
    arguments, or a value of the wrong type in path or query. The values of a body are checked by the route.
    """
    schema, target = tool["listed"]["inputSchema"], tool["target"]
    properties: dict[str, Any] = schema.get("properties", {})
    in_path = re.findall(r"{(\w+)}", target["path"])
    in_query = [] if target["method"] not in SAFE_METHODS else [name for name in properties if name not in in_path]
    # A null is left out, in a query too.
    given = {name: value for name, value in arguments.items() if value is not None}
    wrong = [(name, "is no argument of this tool") for name in given if name not in properties]
    wrong += [(name, "is required") for name in schema.get("required", []) if name not in given]
    wrong += [(name, f"must be {kind}") for name in (*in_path, *in_query) if (kind := _lacks(given, name, properties))]
    if wrong:
        raise Invalid(wrong)
    if not all(_UUID.fullmatch(given[name]) for name in in_path):
        raise NotFound
    path = re.sub(r"{(\w+)}", lambda found: quote(given[found[1]], safe=""), target["path"])
    sent = {**{name: value for name, value in given.items() if name not in in_path}, **target["fixed"]}
    if target["method"] not in SAFE_METHODS:
        return Asked(target["method"], path, to_json(sent))
    query = urlencode({name: value if isinstance(value, str) else to_json(value) for name, value in sent.items()})
    return Asked(target["method"], f"{path}?{query}" if query else path, None)


def _lacks(given: Mapping[str, Any], name: str, properties: Mapping[str, Any]) -> str | None:
    """What is wrong with an argument; None if it is right or absent."""
    kind = properties[name]["type"]
    # Exactly: to Python, true is a whole number too.
    return None if name not in given or type(given[name]) in _TYPES[kind] else _KINDS[kind]


def idempotency_key(token: str, id_: int | str, name: str, arguments: Mapping[str, Any], now: float) -> str:
    """The Idempotency-Key of a call at `now`, in seconds since 1970.

    The same id with the same arguments, from the same token, is taken for the same call for up to ten minutes. Another
    id, which the protocol demands of another call, is another call.
    """
    period = int(now // REPEATED_WITHIN_SECONDS)
    call = to_json([token, id_, name, arguments, period])
    return f"mcp-{hashlib.sha256(call).hexdigest()}"
