"""Upgrades the rows of older archives so that they fit into today's tables.

A migration that only adds columns or tables needs nothing here: a column that an archive does not have gets its
default. A migration that renames, moves or drops something has a step here, under its schema version.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from graphlib import TopologicalSorter
from typing import Any, Final, NamedTuple, Protocol

from functions.jobs.archive.container import BadArchive
from functions.jobs.archive.manifest import TableEntry
from functions.jobs.archive.reading import Archive

# How many bytes of rows one statement loads.
MOST_ROWS: Final = 5000
MOST_BYTES: Final = 4 * 1024**2

Row = dict[str, Any]


class Upgrade(NamedTuple):
    """What a migration does to an archive: the new names of tables, None for a dropped one, and the change of each row.

    `row` is given the table's new name and a row by its columns, and returns the row as it is after the migration. It
    is also asked for the columns alone: then all values are None.
    """

    tables: Mapping[str, str | None]
    row: Callable[[str, Row], Row]


UPGRADES: Final[dict[int, Upgrade]] = {}


class Target(Protocol):
    """A table that can be filled: its columns, and the tables whose rows have to be there before."""

    @property
    def columns(self) -> list[str]: ...
    @property
    def parents(self) -> list[str]: ...


class Source(NamedTuple):
    """A table of an archive whose rows go into `target`, one of today's tables, with `columns`."""

    table: str
    target: str
    columns: list[str]
    changes: list[Callable[[Row], Row]]

    def upgraded(self, row: bytes) -> bytes:
        """A row of the archive as a row of today's table, both as JSON."""
        if not self.changes:
            return row
        return json.dumps(_changed(json.loads(row), self.changes)).encode()


def sources(tables: Mapping[str, TableEntry], schema_version: int) -> list[Source]:
    """The tables of an archive of this version that have become one of today's."""
    steps = [step for version, step in sorted(UPGRADES.items()) if version > schema_version]
    found: list[Source] = []
    for table, entry in tables.items():
        target = table
        changes: list[Callable[[Row], Row]] = []
        for step in steps:
            name = step.tables.get(target, target)
            if name is None:
                break
            target = name
            changes.append(partial(step.row, target))
        else:
            columns = _changed(dict.fromkeys(entry["columns"]), changes)
            found.append(Source(table, target, list(columns), changes))
    return found


def _changed(row: Row, changes: list[Callable[[Row], Row]]) -> Row:
    for change in changes:
        row = change(row)
    return row


def in_lists(rows: Iterable[bytes]) -> Iterator[str]:
    """Rows as JSON, as the texts of JSON lists that are not too long for one statement."""
    some: list[bytes] = []
    size = 0
    for row in rows:
        if some and (len(some) == MOST_ROWS or size + len(row) > MOST_BYTES):
            yield _list_of(some)
            some, size = [], 0
        some.append(row)
        size += len(row)
    if some:
        yield _list_of(some)


def _list_of(rows: list[bytes]) -> str:
    try:
        return f"[{b','.join(rows).decode()}]"
    except UnicodeDecodeError:
        # From None: the original quotes the rows.
        raise BadArchive("invalid", "The archive holds text that is not UTF-8.") from None


def loading_plan(archive: Archive, tables: Mapping[str, Target]) -> dict[str, list[Source]]:
    """Today's tables in an order in which they can be filled, and the tables of the archive that each of them takes.

    Raises BadArchive if the archive has a table or a column that does not exist today.
    """
    found: dict[str, list[Source]] = {name: [] for name in tables}
    for source in sources(archive.tables, archive.manifest["schema_version"]):
        if source.target not in tables or not set(source.columns) <= set(tables[source.target].columns):
            raise BadArchive("unsupported", "The archive holds what this version of Questlog does not know.")
        found[source.target].append(source)
    order = TopologicalSorter({name: set(table.parents) & tables.keys() for name, table in tables.items()})
    return {name: found[name] for name in order.static_order()}
