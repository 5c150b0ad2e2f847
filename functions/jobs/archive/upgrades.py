"""What older archives need before their rows fit into today's tables.

A migration that only adds needs nothing here: a column that an archive does not have gets its default. One that
renames, moves or drops what an export holds has a step here, under the schema version that it makes.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

from functions.jobs.archive.manifest import TableEntry

# What one statement loads.
MOST_ROWS: Final = 5000
MOST_BYTES: Final = 4 * 1024**2

Row = dict[str, Any]


class Upgrade(NamedTuple):
    """What a migration does to an archive's tables: new names, or None for one that is gone; and to each of their rows.

    `row` is given the table's new name and a row by its columns, and returns the row as it is after the migration. It
    is also asked for the columns alone: then all values are None.
    """

    tables: Mapping[str, str | None]
    row: Callable[[str, Row], Row]


UPGRADES: Final[dict[int, Upgrade]] = {}


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
    return f"[{b','.join(rows).decode()}]"
