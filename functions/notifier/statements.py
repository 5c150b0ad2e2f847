"""The sender's statements, on a connection of its own: a batch is a transaction of several of them."""

from pathlib import Path
from typing import Any, Final

from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from questlog.db import Connection, Queries

_queries: Final = Queries(Path(__file__).with_name("queries.sql"))


def execute(connection: Connection, name: str, **parameters: Any) -> list[DictRow]:
    """The rows of the last statement of a name, none where it returns nothing. Lists of objects go as JSON."""
    sent = {key: Jsonb(value) if _is_json(value) else value for key, value in parameters.items()}
    rows: list[DictRow] = []
    for statement in _queries.statements(name, sent):
        cursor = connection.execute(statement.sql, statement.parameters)
        rows = cursor.fetchall() if cursor.description else []
    return rows


def _is_json(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)
