"""What holds for everything a route takes, found from the routes: a model added later is held to it too."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from questlog.validation import Problem, problems
from questlog.wire import Body

from docs.openapi import apis, operation_id
from tests.support.refusals import is_plain

Schema = dict[str, Any]


def inputs() -> Iterator[tuple[str, type[BaseModel]]]:
    """The body and the query of every route, by the operation's name."""
    for api in apis():
        for endpoint in api.endpoints:
            for name in ("body", "query"):
                if name in endpoint.parameters:
                    yield f"{operation_id(endpoint)} {name}", endpoint.parameters[name]


def containers(schema: Schema, definitions: Schema, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Schema]]:
    """Every list and map that a schema admits, by its path. Free JSON has none: what is in it is not looked at."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    name = ".".join(path)
    if schema.get("type") == "array":
        yield name, schema
        yield from containers(schema["items"], definitions, (*path, "[]"))
    for key, inner in schema.get("properties", {}).items():
        yield from containers(inner, definitions, (*path, key))
    of_any = schema.get("additionalProperties")
    if isinstance(of_any, dict) and path:
        yield name, schema
        yield from containers(of_any, definitions, (*path, "{}"))
    for member in [*schema.get("anyOf", []), *schema.get("oneOf", [])]:
        yield from containers(member, definitions, path)


INPUTS = dict(inputs())


@pytest.mark.parametrize("name", INPUTS)
def test_every_list_and_map_has_a_maximum(name: str) -> None:
    schema = TypeAdapter(INPUTS[name]).json_schema()
    found = containers(schema, schema.get("$defs", {}))
    assert [path for path, container in found if not {"maxItems", "maxProperties"} & container.keys()] == []


@pytest.mark.parametrize("name", INPUTS)
def test_a_maximum_is_checked_before_the_elements(name: str) -> None:
    """One entry too many, all of them wrong, is one problem: what is wrong with the entries is never worked out."""
    model = INPUTS[name]
    for field, schema in containers(model.model_json_schema(), model.model_json_schema().get("$defs", {})):
        if "." in field:
            continue
        nothing = object()
        most: int = schema["maxItems"] if "maxItems" in schema else schema["maxProperties"]
        sent: Any = [nothing] * (most + 1) if schema["type"] == "array" else {str(n): nothing for n in range(most + 1)}
        with pytest.raises(ValidationError) as refused:
            model.model_validate({field: sent})
        of_field = [error for error in refused.value.errors() if error["loc"][0] == field]
        assert len(of_field) == 1, (field, of_field[:3])


WRONG: list[Any] = [
    None,
    True,
    -1,
    1e308,
    0.001,
    "",
    " ",
    "x",
    "x" * 10_000,
    "1",
    "2031-13-01",
    "https://",
    [],
    [{}],
    {},
]
WRONG += [["x" * 300] * 2, {"x": {}}, {"": None}]


@pytest.mark.parametrize("name", INPUTS)
def test_what_is_wrong_is_said_in_plain_words(name: str) -> None:
    model = INPUTS[name]
    for field in TypeAdapter(model).json_schema().get("properties", {}):
        for value in WRONG:
            sent = {field: value if issubclass(model, Body) else str(value)}
            for _, message in wrong_with(model, sent):
                assert is_plain(message), (field, value, message)
                assert message != "is not valid", (field, value)


def wrong_with(model: type[BaseModel], sent: dict[str, Any]) -> list[Problem]:
    try:
        if issubclass(model, Body):
            model.model_validate_json(json.dumps(sent))
        else:
            model.model_validate_strings(sent)
    except ValidationError as error:
        return problems(error, sent)
    return []


def numbers(schema: Schema, definitions: Schema, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where a schema admits a number and no text."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    members = [schema, *schema.get("anyOf", []), *schema.get("oneOf", [])]
    types = {member.get("type") for member in members}
    if path and types & {"integer", "number"} and "string" not in types:
        yield path
    for member in members[1:]:
        if member.get("type") not in ("integer", "number"):
            yield from numbers(member, definitions, path)
    for name, inner in schema.get("properties", {}).items():
        yield from numbers(inner, definitions, (*path, name))
    if schema.get("type") == "array":
        yield from numbers(schema["items"], definitions, (*path, 0))
    if isinstance(of_any := schema.get("additionalProperties"), dict):
        yield from numbers(of_any, definitions, (*path, "any"))


def test_a_number_as_a_string_is_no_number() -> None:
    """Nor is true (platform contract, 1.7)."""
    found = 0
    for name, model in INPUTS.items():
        if issubclass(model, Body):
            schema = TypeAdapter(model).json_schema()
            for path in set(numbers(schema, schema.get("$defs", {}))):
                found += 1
                for wrong in ("1", "5", "1e0", True):
                    sent: Any = wrong
                    for step in reversed(path):
                        sent = [sent] if step == 0 else {step: sent}
                    fields = {field for field, _ in wrong_with(model, sent)}
                    assert ".".join(map(str, path)) in fields, (name, path, wrong, fields)
    assert found > 150
