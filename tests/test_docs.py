"""What is written down about Questlog is what Questlog is."""

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator

from questlog.release import VERSION
from questlog.wire import Body

from docs.openapi import DOCUMENT, apis, document, text
from tests.support.client import ROOT


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


def test_request_fields_with_a_default_are_optional_for_generators() -> None:
    for name, schema in document()["components"]["schemas"].items():
        if name.endswith("Request"):
            for field, property_ in schema.get("properties", {}).items():
                assert "default" not in property_, (name, field)


def test_schemas_say_their_group() -> None:
    names = document()["components"]["schemas"]
    assert [name for name in names if not re.fullmatch(r"[A-Z][A-Za-z0-9_]*", name) or "__" in name] == []


def test_there_is_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == VERSION


def test_statements_and_the_routes_that_use_them_come_in_pairs() -> None:
    """A statement nobody calls is dead; a name without a statement fails only when it is asked for."""
    for folder in (path.parent for path in (ROOT / "functions").glob("*/app.py")):
        code = "".join(path.read_text("utf-8") for path in folder.glob("*.py"))
        queries = folder / "queries.sql"
        names = (
            [line.split()[2] for line in queries.read_text("utf-8").splitlines() if line.startswith("-- name: ")]
            if queries.exists()
            else []
        )
        assert len(names) == len(set(names)), folder.name
        for name in names:
            assert f'"{name}"' in code, f"{folder.name}: no code uses the statement {name}"
