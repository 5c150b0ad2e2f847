"""What is written down about Questlog is what Questlog is."""

import tomllib

from questlog.release import VERSION

from docs.openapi import DOCUMENT, document, text
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
