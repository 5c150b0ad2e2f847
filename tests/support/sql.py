"""The SQL of the repository as text: which function, view and table stands where, and who names it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from database.migrate import MIGRATIONS, definitions
from tests.support.client import ROOT

_COMMENT = re.compile(r"--[^\n]*")
_TEXT = re.compile(r"'(?:[^']|'')*'")
_TABLE = re.compile(r"^CREATE (?:UNLOGGED )?TABLE (\w+)", re.MULTILINE)
# How a table is named: behind a keyword, or in a list of FROM, where it has an alias.
_READ = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE|ONLY)\s+(\w+)\b(?!\s*\()|,\s*(\w+)\s+AS\s+\w+", re.IGNORECASE)
_CALL = re.compile(r"\b(\w+)\s*\(")
# Files that belong to one group.
_GROUPS = {
    "leaderboard": "gamification",
    "auth": "identity",
    "ledger_seeds": "ledger",
    "quest_seeds": "quests",
    "listening": "reference",
    "operations": "admin",
}


@dataclass(frozen=True)
class Text:
    """A piece of SQL: a function, a view, or the statements of a group."""

    group: str
    kind: Literal["FUNCTION", "VIEW", "QUERIES"]
    schema: str
    name: str
    sql: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name

    @cached_property
    def calls(self) -> frozenset[str]:
        """The names that are called as functions."""
        return call_names(self.sql) - {self.name}

    @cached_property
    def reads(self) -> frozenset[str]:
        """The names that are read or written as tables or views."""
        return table_names(self.sql)

    def names(self, other: "Text") -> bool:
        """Whether this calls or reads the other one."""
        return other.name in (self.reads if other.kind == "VIEW" else self.calls)


def group_of_file(file: str) -> str:
    """The group that a file of `code/` or `migrations/` belongs to."""
    name = re.sub(r"^\d+_", "", Path(file).parts[0].removesuffix(".sql"))
    return _GROUPS.get(name, name)


def functions() -> Iterator[Text]:
    """The functions and views of `code/`."""
    for one in definitions():
        schema, _, name = one.name.partition(".")
        kind: Literal["FUNCTION", "VIEW"] = "VIEW" if one.kind == "VIEW" else "FUNCTION"
        yield Text(group_of_file(one.file), kind, schema, name, bare(one.text))


def queries() -> Iterator[Text]:
    """The statements of each group's routes."""
    for file in sorted((ROOT / "functions").glob("*/*.sql")):
        group = file.parent.name
        yield Text(_GROUPS.get(group, group), "QUERIES", "", f"{group}/{file.name}", bare(file.read_text("utf-8")))


def homes_of_tables() -> dict[str, str]:
    """Each table's group."""
    homes: dict[str, str] = {}
    for file in sorted(MIGRATIONS.glob("*.sql")):
        homes |= dict.fromkeys(_TABLE.findall(file.read_text("utf-8")), group_of_file(file.name))
    return homes


def bare(sql: str) -> str:
    """SQL without comments and without what stands in quotes."""
    return _TEXT.sub("''", _COMMENT.sub("", sql))


def call_names(sql: str) -> frozenset[str]:
    """The names that bare SQL calls as functions."""
    return frozenset(_CALL.findall(sql))


def table_names(sql: str) -> frozenset[str]:
    """The names that bare SQL reads or writes as tables or views."""
    return frozenset(name for pair in _READ.findall(sql) for name in pair if name)
