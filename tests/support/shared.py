"""The content that all users share, and that administrators change: a test of theirs must leave it as it was.

The rows that a migrated database has are kept in a schema of their own, from which they are put back.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from psycopg import sql

from tests.support.database import Database

# What belongs to nobody, of each table.
_TABLES: Final = {
    "listening_prompt_presets": "true",
    "listening_prompt_templates": "true",
    "learn_drills": "true",
    "learn_lessons": "true",
    "learn_topics": "true",
    "market_items": "owner_id IS NULL",
    "exercises": "owner_id IS NULL",
    "achievement_definitions": "true",
    "universal_quests": "true",
    "skill_definitions": "true",
}

# A row that was written since has a greater number of its transaction; one that has gone or come changes the count.
_STATE: Final = " UNION ALL ".join(
    f"SELECT '{table}' AS name, count(*) AS rows, max(xmin::text::bigint) AS newest FROM {table} WHERE {shared}"
    for table, shared in _TABLES.items()
)
_REMOVE: Final = """
    DELETE FROM {table} AS t
     WHERE {shared} AND NOT EXISTS (SELECT FROM originals.{table} AS o WHERE o::text = t::text)
"""
_PUT_BACK: Final = """
    INSERT INTO {table} ({columns})
    SELECT {columns} FROM originals.{table} AS o WHERE NOT EXISTS (SELECT FROM {table} AS t WHERE t::text = o::text)
"""


def keep_originals(database: Database) -> None:
    """Copy the shared content, before the first test."""
    database.query("CREATE SCHEMA originals")
    for table, shared in _TABLES.items():
        database.query(f"CREATE TABLE originals.{table} AS SELECT * FROM {table} WHERE {shared}")
    database.query(f"CREATE TABLE originals.state AS {_STATE}")


def restore_originals(database: Database, users: Sequence[UUID]) -> None:
    """Put the shared content back as it was. The users of the test go first: their rows may point at what it added."""
    if not database.query(f"{_STATE} EXCEPT SELECT * FROM originals.state"):
        return
    with database.admin() as connection, connection.transaction():
        connection.execute("DELETE FROM users WHERE id = ANY (%s)", [[*users]])
        # No key is checked meanwhile: rows that were changed are deleted and inserted again.
        connection.execute("SET LOCAL session_replication_role = replica")
        for table, shared in _TABLES.items():
            attributes = connection.execute(
                "SELECT attname FROM pg_attribute"
                " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
                [table],
            )
            columns = sql.SQL(", ").join(sql.Identifier(row["attname"]) for row in attributes)
            for statement in (_REMOVE, _PUT_BACK):
                named = sql.SQL(statement).format(table=sql.Identifier(table), shared=sql.SQL(shared), columns=columns)
                connection.execute(named)
        connection.execute("TRUNCATE originals.state")
        connection.execute(f"INSERT INTO originals.state {_STATE}".encode())
