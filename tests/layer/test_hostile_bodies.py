"""What a body of 1 MiB costs that was made to be dear: a few times what it costs to read, whoever sent it."""

from collections.abc import Iterator
from contextlib import suppress
from functools import cache, partial
from typing import Annotated, Any
from uuid import UUID

import pytest
from pydantic import Field, JsonValue, TypeAdapter
from pydantic_core import from_json
from starlette.requests import Request

from questlog.api import Endpoint
from questlog.binding import MAX_BODY, Arguments
from questlog.db import Db
from questlog.errors import Invalid
from questlog.wire import Body, Instant, MaxEntries, json_at_most

from docs.openapi import apis
from tests.support.effort import cost

REQUEST = Request(
    {"type": "http", "method": "POST", "path": "/", "headers": [], "query_string": b"", "path_params": {}}
)
# What one MiB may cost that is read in no time, such as one long string: a few searches from end to end.
FLOOR = 0.1


class Item(Body):
    name: str
    number: int


class Everything(Body):
    """A field of each sort."""

    text: str | None = None
    number: int | None = None
    at: Instant | None = None
    identifier: UUID | None = None
    items: Annotated[list[Item], Field(max_length=100)] = []
    named: Annotated[dict[str, int], MaxEntries(50)] = {}
    free: Annotated[JsonValue, json_at_most(16_384)] = None


class Anyone(Db):
    """A caller who may know what is wrong."""

    def __init__(self) -> None:
        """Without statements."""

    def authenticate_only(self) -> None:
        """Do nothing: there is no database here."""


def problems(model: type[Body], body: bytes) -> list[dict[str, str]]:
    """What is refused of a body, if it is refused."""
    try:
        Arguments({"body": model}, REQUEST, body).bound(Anyone())
    except Invalid as refusal:
        fields: list[dict[str, str]] = refusal.details["fields"]
        return fields
    return []


def reading(body: bytes) -> float:
    def read() -> None:
        with suppress(ValueError):
            from_json(body)

    return cost(read)


def filled(item: bytes, around: bytes = b"[]") -> bytes:
    """So many of an item that they are nearly 1 MiB."""
    return around[:1] + b",".join([item] * ((MAX_BODY - 1000) // (len(item) + 1))) + around[1:]


def numbered(item: bytes, around: bytes = b"[]") -> bytes:
    """As many items, each with a number of its own where it has %d."""
    count = (MAX_BODY - 1000) // (len(item) + 5)
    return around[:1] + b",".join(item % number for number in range(10_000, 10_000 + count)) + around[1:]


SUSPICIOUS = b"9000000000000000000"  # an integer of 64 bit that takes a second look


@cache
def values() -> dict[str, bytes]:
    return {
        "lists in lists": filled(b"[" * 90 + b"]" * 90),
        "integers": filled(b"1"),
        "objects": filled(b'{"a":1}'),
        "empty texts": filled(b'""'),
        "one long text": b'"' + b"a" * (MAX_BODY - 1000) + b'"',
        "many keys": numbered(b'"k%d":1', b"{}"),
    }


def documents() -> dict[str, bytes]:
    return {
        **{f"x: {name}": b'{"x":' + value + b"}" for name, value in values().items()},
        **{
            f"x: {name}, y: suspicious": b'{"y":' + SUSPICIOUS + b',"x":' + value + b"}"
            for name, value in values().items()
        },
        "one key": filled(b'"k":1', b"{}"),
        "deeper than any parser goes": b'{"x":' + b"[" * 500_000 + b"]" * 500_000 + b"}",
        "escaped quotes": b'{"x":"' + b'\\"' * 500_000 + b'"}',
        "escaped backslashes before u0000": b'{"x":' + filled(b'"\\\\u0000"') + b"}",
        "U+0000": b'{"x":' + filled(b'"\\u0000"') + b"}",
        "one integer": b'{"x":' + b"1" * 1_000_000 + b"}",
        "one fraction": b'{"x":0.' + b"1" * 1_000_000 + b"}",
        "integers of 19 digits": b'{"x":' + numbered(b"90000000000000%d") + b"}",
        "negative integers of 19 digits": b'{"x":' + numbered(b"-90000000000000%d") + b"}",
        "integers of 20 digits": b'{"x":' + filled(b"1" * 20) + b"}",
        "fractions with exponents": b'{"x":' + numbered(b"1.11111111111111%de100") + b"}",
        "large exponents": b'{"x":' + numbered(b"1e%d") + b"}",
        "not a number": b'{"x":' + filled(b"NaN") + b"}",
        "a list": values()["objects"],
        "a text": values()["one long text"],
        "blanks": b"{" + b" " * 1_000_000 + b"}",
        "no end": b'{"x":' + values()["objects"],
        "no UTF-8 at the end": b'{"x":"' + b"a" * 1_000_000 + b'\xff"}',
    }


def too_dear(model: type[Body], bodies: dict[str, bytes], times: int, floor: float = FLOOR) -> dict[str, float]:
    """The bodies that cost more than so many times their reading, and how many times it was."""
    assert max(map(len, bodies.values())) <= MAX_BODY
    costs = {kind: (cost(partial(problems, model, body)), reading(body)) for kind, body in bodies.items()}
    return {kind: whole / read for kind, (whole, read) in costs.items() if whole > max(times * read, floor)}


def test_to_ignore_or_refuse_a_document() -> None:
    assert too_dear(Everything, documents(), times=6) == {}


@pytest.mark.parametrize("field", ["text", "at", "identifier", "free"])
def test_to_refuse_a_value(field: str) -> None:
    """pydantic copies what it refuses, once for each type that the field may have."""
    bodies = {kind: b'{"%s":' % field.encode() + values()[kind] + b"}" for kind in ("lists in lists", "objects")}
    assert too_dear(Everything, bodies, times=10) == {}


def worst(schema: dict[str, Any], definitions: dict[str, Any]) -> tuple[int, str]:
    """About the most that can be wrong with a value of a schema, and JSON of which so much is wrong."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    return max([(1, "[]" if schema.get("type") == "object" else "{}"), *_wrong(schema, definitions)])


def _wrong(schema: dict[str, Any], definitions: dict[str, Any]) -> Iterator[tuple[int, str]]:
    for member in [*schema.get("anyOf", []), *schema.get("oneOf", [])]:
        yield worst(member, definitions)
    if schema.get("type") == "array":
        wrong, item = worst(schema["items"], definitions)
        count = min(schema["maxItems"], MAX_BODY // 2 // (len(item) + 1))
        yield wrong * count, "[" + ",".join([item] * count) + "]"
    if schema.get("type") == "object":
        yield len(schema.get("required", [])), "{}"
        inner = {name: worst(of, definitions) for name, of in schema.get("properties", {}).items()}
        fields = ",".join(f'"{name}":{value}' for name, (_, value) in inner.items())
        yield sum(wrong for wrong, _ in inner.values()), "{" + fields + "}"


def test_to_refuse_a_thousand_values() -> None:
    """Only those that are named in the refusal are worked out, on every route where so much can be wrong."""
    dearest = 0
    for model in {endpoint.parameters["body"] for api in apis() for endpoint in api.endpoints if takes_body(endpoint)}:
        schema = TypeAdapter(model).json_schema()
        wrong, text = worst(schema, schema.get("$defs", {}))
        if wrong >= 1000:
            dearest += 1
            [*_, last] = problems(model, text.encode())
            assert int(last["message"].partition(" ")[0]) >= 900, (model, last)
            assert too_dear(model, {"": text.encode()}, times=20, floor=0.04) == {}, model
    assert dearest >= 5


def takes_body(endpoint: Endpoint) -> bool:
    return "body" in endpoint.parameters
