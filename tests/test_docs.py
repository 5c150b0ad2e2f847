"""What is written down about Questlog is what Questlog is."""

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

from questlog.release import VERSION
from questlog.wire import Body, Query

from docs.openapi import DOCUMENT, apis, document, text
from local.template import read
from tests.support.client import ROOT, gateway_event
from tests.support.refusals import undeclared


def test_the_openapi_document_is_current() -> None:
    assert DOCUMENT.read_text("utf-8") == text(), "run `make openapi`"


def test_operations_have_names_of_their_own() -> None:
    names = [operation["operationId"] for path in document()["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))


def test_every_route_says_what_it_answers() -> None:
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], f"{method} {path} has no docstring"


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_every_example_is_one() -> None:
    """Requests as their model takes them, answers as the document describes them."""
    models = {
        f"{endpoint.method} {endpoint.path}": endpoint.parameters.get("body", Body)
        for api in apis()
        for endpoint in api.endpoints
    }
    schemas = {"components": document()["components"]}
    for name, operation in operations():
        if "requestBody" in operation:
            models[name].model_validate_json(
                json.dumps(operation["requestBody"]["content"]["application/json"]["example"])
            )
        answer = operation["responses"].get("200", {}).get("content", {}).get("application/json")
        if answer is not None:
            Draft202012Validator({**answer["schema"], **schemas}).validate(answer["example"])


def test_a_request_needs_a_body_where_a_field_of_it_is_required() -> None:
    """An absent body is {}; a client that is generated asks for one only where that is not enough."""
    described = dict(operations())
    assert described["POST /habits"]["requestBody"]["required"] is True
    assert described["POST /sync/poll"]["requestBody"]["required"] is False
    for api in apis():
        for endpoint in api.endpoints:
            if "body" in endpoint.parameters:
                required = TypeAdapter(endpoint.parameters["body"]).json_schema().get("required", [])
                name = f"{endpoint.method} {endpoint.path}"
                assert described[name]["requestBody"]["required"] == bool(required), name


def test_request_fields_with_a_default_are_optional_for_generators() -> None:
    """Generators take a field with a default as one that is always there."""
    for name, field, property_ in properties():
        assert "default" not in property_, (name, field)


# What one of these words says of a schema, its type is said by.
TYPED = {"type", "$ref", "anyOf", "oneOf", "allOf", "const", "enum"}
# The value of a setting may be any JSON, and so may the answer to a step.
ANY_JSON = {
    ("OnboardingStepAnswerRequest", "response"),
    ("UserChanged", "value"),
    ("UserSetting", "value"),
    ("UserStoredSetting", "value"),
}


def properties() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every property of every schema: the schema's name, its own, and what is said of it."""
    for name, schema in document()["components"]["schemas"].items():
        for field, property_ in schema.get("properties", {}).items():
            yield name, field, property_


def test_every_property_says_its_type() -> None:
    untyped = {(name, field) for name, field, property_ in properties() if not TYPED & property_.keys()}
    assert untyped == ANY_JSON


def test_a_route_takes_the_query_that_its_description_names() -> None:
    """Two classes under one name in the document would give one route the fields of the other."""
    described = dict(operations())
    for api in apis():
        for endpoint in api.endpoints:
            parameters = described[f"{endpoint.method} {endpoint.path}"]["parameters"]
            fields = TypeAdapter(endpoint.parameters.get("query", Query)).json_schema().get("properties", {})
            named = {parameter["name"] for parameter in parameters if parameter["in"] == "query"}
            assert named == fields.keys(), endpoint.path


def test_an_empty_value_in_a_query_is_described_as_absent() -> None:
    for name, operation in operations():
        for parameter in operation["parameters"]:
            may_be_empty = parameter["in"] == "query" and not parameter["required"]
            assert parameter.get("allowEmptyValue", False) == may_be_empty, (name, parameter["name"])


def test_every_parameter_says_its_type() -> None:
    for name, operation in operations():
        for parameter in operation["parameters"]:
            assert TYPED & parameter["schema"].keys(), (name, parameter["name"])


def test_items_of_lists_and_maps_say_their_type() -> None:
    def inner(schema: Any) -> Iterator[dict[str, Any]]:
        if isinstance(schema, dict):
            members = [schema.get(word) for word in ("items", "additionalProperties")]
            yield from (member for member in members if isinstance(member, dict))
            schema = [value for word, value in schema.items() if word not in ("example", "examples")]
        if isinstance(schema, list):
            for part in schema:
                yield from inner(part)

    assert [schema for schema in inner(document()) if not TYPED & schema.keys()] == []


def test_limits_are_words_of_json_schema() -> None:
    """A limit that stands behind a validator of ours is described by Python's word for it, which no client knows."""
    for name, field, property_ in properties():
        for one in property_.get("anyOf", [property_]):
            assert not {"ge", "gt", "le", "lt", "min_length", "max_length"} & one.keys(), (name, field)


def test_a_moment_is_a_date_time() -> None:
    for name, field, property_ in properties():
        if field.endswith("_at") or field == "server_time":
            moments = [one for one in property_.get("anyOf", [property_]) if one.get("type") != "null"]
            assert [one.get("format") for one in moments] == ["date-time"], (name, field)


def test_an_answer_has_each_field_that_is_never_left_out() -> None:
    """Such a field is required also where Python has a default for it; a client need not ask whether it is there."""
    schemas = document()["components"]["schemas"]
    assert "success" in schemas["Success"]["required"]
    assert {"duration", "description"} == schemas["DailyPlanItem"]["properties"].keys() - schemas["DailyPlanItem"][
        "required"
    ]


def test_every_schema_is_used() -> None:
    whole = document()
    written = json.dumps([whole["paths"], whole["components"]])
    names = whole["components"]["schemas"]
    assert [name for name in names if f'"#/components/schemas/{name}"' not in written] == []


def test_schemas_say_their_group() -> None:
    names = document()["components"]["schemas"]
    assert [name for name in names if not re.fullmatch(r"[A-Z][A-Za-z0-9_]*", name) or "__" in name] == []


def test_a_refusal_that_is_not_declared_is_noticed() -> None:
    """The tests' client holds every refusal to this."""
    limit = (409, "limit_reached")
    assert undeclared(gateway_event("POST", "/habits"), *limit) is None
    assert undeclared(gateway_event("POST", "/api/habits"), *limit) is None
    assert undeclared(gateway_event("GET", "/habits"), *limit) == "GET /habits may not answer 409 limit_reached"
    assert undeclared(gateway_event("HEAD", "/focus/active"), 404, "not_found") == (
        "GET /focus/active may not answer 404 not_found"
    ), "the literal path, not a session's id"
    assert undeclared(gateway_event("GET", "/nowhere"), 404, "not_found") is None, "it is no route's"
    assert undeclared(gateway_event("PUT", "/focus/pause"), 405, "method_not_allowed") is None


def test_the_runbook_has_a_paragraph_for_each_alarm() -> None:
    paragraphs = dict(re.findall(r"^## (.+)\n\n(.+)", (ROOT / "docs" / "runbook.md").read_text("utf-8"), re.MULTILINE))
    alarms = [one["Properties"] for one in read()["Resources"].values() if one["Type"] == "AWS::CloudWatch::Alarm"]
    assert alarms
    for alarm in alarms:
        # What stands behind the colon is for who reads the mail alone.
        assert alarm["AlarmDescription"].partition(":")[0] in paragraphs


def test_there_is_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == VERSION


def test_statements_and_the_routes_that_use_them_come_in_pairs() -> None:
    """A statement nobody calls is dead; a name without a statement fails only when it is asked for."""
    for folder in (path.parent for path in (ROOT / "functions").glob("*/app.py")):
        code = "".join(path.read_text("utf-8") for path in folder.glob("*.py"))
        lines = [line for file in folder.glob("*.sql") for line in file.read_text("utf-8").splitlines()]
        names = [line.split()[2] for line in lines if line.startswith("-- name: ")]
        assert len(names) == len(set(names)), folder.name
        for name in names:
            # Or one of several types that have the same statements, as content has.
            verb, _, kind = name.partition("_")
            is_of_a_type = f'f"{verb}_{{content_type}}"' in code and f'"{kind}": Kind(' in code
            assert f'"{name}"' in code or is_of_a_type, f"{folder.name}: no code uses the statement {name}"


def test_no_two_schemas_have_one_title() -> None:
    """Generators of clients name their classes by titles, and give up where two are the same."""
    assert [name for name, schema in document()["components"]["schemas"].items() if "title" in schema] == []


def test_errors_are_schemas_with_names() -> None:
    """A schema written out in an answer would be a class of its own for each route, in clients that are generated."""
    for failure, response in document()["components"]["responses"].items():
        [name] = re.findall(
            r"^#/components/schemas/(Error\w+)$", response["content"]["application/json"]["schema"]["$ref"]
        )
        error = document()["components"]["schemas"][name]["properties"]["error"]["properties"]
        assert failure == "-".join([name.removeprefix("Error")[:3], *error["type"]["enum"]])
