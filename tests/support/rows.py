"""What a user has in the database, whatever the groups are, and the ids by which paths may name it."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

from tests.support.database import Database

# What _tables() has looked up, by the name of the database.
_found: dict[str, list[tuple[str, str]]] = {}


class Row(NamedTuple):
    """A row that has an id; `text` is all of it as JSON."""

    table: str
    id: str
    text: str


def rows_of(user_id: UUID, database: Database) -> list[Row]:
    """The rows that a user owns, of every table whose rows have an id."""
    each = [
        f'SELECT \'{table}\' AS table, id::text, to_jsonb(t)::text AS text  FROM "{table}" AS t WHERE "{owner}" = %s'
        for table, owner in _tables(database)
    ]
    return [Row(**row) for row in database.query(" UNION ALL ".join(each), *[user_id] * len(each))]


def _tables(database: Database) -> list[tuple[str, str]]:
    """The tables whose rows have an id and an owner, each with its owner's column.

    They are looked up once for each database, because that takes three times as long as to read the rows.
    """
    if database.name not in _found:
        rows = database.query(
            """
            SELECT table_name AS name, max(column_name) FILTER (WHERE column_name <> 'id') AS owner
              FROM information_schema.columns JOIN pg_tables ON tablename = table_name AND schemaname = table_schema
             WHERE table_schema = 'public' AND column_name IN ('id', 'user_id', 'owner_id') AND data_type = 'uuid'
             GROUP BY table_name HAVING count(*) = 2
            """
        )
        _found[database.name] = [(row["name"], row["owner"]) for row in rows]
    return _found[database.name]


def likely(rows: Sequence[Row], path: str) -> list[Row]:
    """The rows of tables that share a word with a path, as books do with /books/{book_id}; all where no table does.

    Each id on each route would be tens of thousands of requests, nearly all of them for an id of something else.
    """
    words = _words(path)
    return [row for row in rows if words & _words(row.table)] or [*rows]


def _words(name: str) -> set[str]:
    """The words of a path or of a table, in the singular."""
    return {word.removesuffix("s") for word in re.findall("[a-z]+", name)} - {"id", "user"}


def paths_of(rows: Sequence[Row], length: int) -> Iterator[tuple[Row, ...]]:
    """The rows whose ids may stand in a path that takes so many of them.

    In a path with more than one, each row names the one before it, as a set names its session. Other combinations name
    nothing, in their owner's hands either.
    """
    if length == 0:
        yield ()
        return
    for path in paths_of(rows, length - 1):
        for row in rows:
            if not path or (path[-1].id in row.text and row.id != path[-1].id):
                yield (*path, row)
