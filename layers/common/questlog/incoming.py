"""What comes in: the body as JSON that can be stored, and each argument of a route out of what was sent."""

from collections.abc import Iterator
from functools import cache
from math import isfinite
from typing import Any, Final, NamedTuple

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json
from starlette.requests import Request

from questlog.db import Db
from questlog.errors import Failure, Invalid
from questlog.identity import SAFE_METHODS, Client

MAX_BODY: Final = 1_048_576


class Incoming(NamedTuple):
    """A request on its way to its route, and where each of the route's arguments comes from."""

    request: Request
    db: Db
    document: dict[str, Any]
    content: bytes

    def argument(self, name: str, annotation: Any) -> Any:
        """The value of one parameter. pydantic's ValidationError where what was sent does not fit its type."""
        if annotation is Db:
            return self.db
        if annotation is Client:
            return Client.of(self.request)
        if annotation is Request:
            return self.request
        match name:
            case "query":
                sent = {key: _storable(value) for key, value in self.request.query_params.items() if value}
                value = annotation.model_validate_strings(sent)
            case "body":
                value = annotation.model_validate_json(to_json(self.document))
            case "content":
                value = self.content
            case _:
                value = _adapter(annotation).validate_strings(_storable(self.request.path_params[name]))
        return value


@cache
def _adapter(annotation: Any) -> TypeAdapter[Any]:
    return TypeAdapter(annotation)


def problems_of(error: ValidationError) -> list[tuple[str, str]]:
    """What is wrong where, in plain words: pydantic's own prefix says nothing to a user."""
    return [
        (".".join(str(part) for part in problem["loc"]) or "body", problem["msg"].removeprefix("Value error, "))
        for problem in error.errors(include_url=False, include_context=False, include_input=False)
    ]


def json_object(request: Request, content: bytes) -> dict[str, Any]:
    """The body as a JSON object (platform contract, 1.5); an empty one is {}."""
    if len(content) > MAX_BODY:
        raise Failure(413, "payload_too_large", "The body is larger than 1 MiB.", {"limit_bytes": MAX_BODY})
    if not content or request.method in SAFE_METHODS:
        return {}
    media_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise Failure(415, "unsupported_media_type", "The body must be JSON.")
    try:
        document = from_json(content, allow_inf_nan=False)
    except ValueError:
        raise Invalid([("body", "is not valid JSON")]) from None
    if not isinstance(document, dict):
        raise Invalid([("body", "must be a JSON object")])
    unstorable = [*_unstorable(document)]
    if unstorable:
        raise Invalid(unstorable)
    return document


def _unstorable(value: Any, *path: str) -> Iterator[tuple[str, str]]:
    """Where a JSON document holds what Postgres cannot."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _unstorable(key, *path)
            yield from _unstorable(item, *path, key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unstorable(item, *path, str(index))
    elif isinstance(value, str) and "\0" in value:
        yield ".".join(path) or "body", "must not contain U+0000"
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        yield ".".join(path), "is an integer outside 64 bit"
    elif isinstance(value, float) and not isfinite(value):
        yield ".".join(path), "is too large a number"


def _storable(text: str) -> str:
    """Text from the address line, without what Postgres cannot hold; U+FFFD matches nothing and breaks nothing."""
    return text.replace("\0", "\ufffd")
