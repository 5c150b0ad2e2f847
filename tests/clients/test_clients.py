"""Clients are generated from the API's document without a warning; a program compiles against each, and works."""

import json
import shutil
import sys
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from docs.openapi import DOCUMENT
from tests.clients.conftest import GATEWAY, HERE, command_of_readme, node, run, type_errors

# The worker that has the stack.
pytestmark = pytest.mark.xdist_group("browser")

BIN = Path(sys.executable).parent
# What both programs print: they do the same.
SEEN = {
    "before": 0,
    "made": "Read ten pages",
    "refused": ["validation_error", {"fields": [{"field": "name", "message": "must not be empty"}]}],
    "page": [["Sanditon"], 3],
}


def test_the_document_is_openapi() -> None:
    validate(json.loads(DOCUMENT.read_text("utf-8")))


def test_a_typescript_program(types: Path, gateway: str) -> None:
    shutil.copy(HERE / "program.ts", types)
    assert type_errors(types, "program.ts") == ""
    finished = node("program.ts", gateway, "Type Script", cwd=types)
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout) == SEEN


def test_a_python_program(tmp_path: Path, gateway: str) -> None:
    generator, *arguments = command_of_readme("openapi-python-client")
    # The generator's own last step is to format what it wrote, which shows nothing and costs much.
    (tmp_path / "config.yml").write_text("post_hooks: []", "utf-8")
    made = run(
        BIN / generator,
        *(one.replace(GATEWAY, gateway) for one in arguments),
        *("--fail-on-warning", "--config", "config.yml"),
        cwd=tmp_path,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    shutil.copy(HERE / "program.py", tmp_path)
    # What follows is checked against the client's types; the client itself is somebody else's code.
    strict = ("--strict", "--follow-imports=silent", "--config-file=", "--cache-dir=mypy")
    checked = run(BIN / "mypy", *strict, "program.py", cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout
    finished = run(sys.executable, "program.py", gateway, "Python", cwd=tmp_path)
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout) == SEEN
