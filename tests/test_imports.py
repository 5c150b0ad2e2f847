"""Arrows point one way: functions -> questlog, never back, never sideways."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GROUPS = sorted(path.parent for path in (ROOT / "functions").glob("*/app.py"))
SHIPPED = sorted([*(ROOT / "functions").rglob("*.py"), *(ROOT / "layers").rglob("*.py")])


def imports(path: Path) -> Iterator[str]:
    """The modules a file imports, at whatever depth."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_a_group_imports_itself_and_the_layer(group: Path) -> None:
    for path in group.rglob("*.py"):
        for module in imports(path):
            if module.startswith("functions"):
                assert f"{module}.".startswith(f"functions.{group.name}."), f"{path.name} imports {module}"


def test_the_layer_knows_no_group() -> None:
    for path in (ROOT / "layers").rglob("*.py"):
        assert not [module for module in imports(path) if module.startswith("functions")], path


def test_nothing_shipped_needs_what_is_not_shipped() -> None:
    """local, bench and tests are not in Lambda, nor is anything that only they need."""
    for path in SHIPPED:
        roots = {module.split(".")[0] for module in imports(path)}
        assert not roots & {"local", "bench", "tests", "pytest", "boto3", "moto", "uvicorn", "rich", "yaml"}, path
