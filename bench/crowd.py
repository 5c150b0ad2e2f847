"""Other users beside the ones that are measured: a database of a few accounts is planned for as no real one is."""

from collections.abc import Callable
from typing import Final
from uuid import UUID

import psycopg
from psycopg import sql

COPIES: Final = 300

# Of a table: what its rows of the copied account have in a column instead, by its name and type; None: the same.
Change = Callable[[str, str, str], str | None]


def copy_account(url: str, user_id: UUID, change: Change, copies: int = COPIES) -> None:
    """Copy all rows of an account so many times, to other users. `r` is a row and `n` the number of the copy."""
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")
        found = connection.execute(
            """
            SELECT c.table_name, array_agg(ARRAY[c.column_name::text, c.udt_name::text])
              FROM information_schema.columns AS c JOIN information_schema.tables AS t USING (table_schema, table_name)
             WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'
               AND c.is_generated = 'NEVER' AND c.is_identity = 'NO'
               AND coalesce(c.column_default, '') NOT LIKE 'nextval%'
             GROUP BY c.table_name
            HAVING 'user_id' = ANY (array_agg(c.column_name)) OR c.table_name = 'users'
            """
        ).fetchall()
        for table, columns in found:
            owner = "id" if table == "users" else "user_id"
            values = [sql.SQL(change(table, *column) or f'r."{column[0]}"') for column in columns]
            connection.execute(
                sql.SQL(
                    "INSERT INTO {table} ({columns}) SELECT {values} FROM {table} AS r, generate_series(1, %s) AS n"
                    " WHERE r.{owner} = %s"
                ).format(
                    table=sql.Identifier(table),
                    columns=sql.SQL(", ").join(sql.Identifier(name) for name, _ in columns),
                    values=sql.SQL(", ").join(values),
                    owner=sql.Identifier(owner),
                ),
                [copies, user_id],
            )


def of_another_user(table: str, column: str, _kind: str) -> str | None:
    """What tells a copy's rows from those of the account, in our own schema."""
    if column == "token_hash":
        return f"sha256(r.{column} || n::text::bytea)"
    # In all other tables the ids may be the same: the key begins with the user's.
    if column == "id" and table in ("users", "audit_log", "jobs"):
        return "md5(r.id::text || n)::uuid"
    if column == "user_id" or column.endswith("_owner"):
        return f"CASE r.{column} WHEN r.user_id THEN md5(r.user_id::text || n)::uuid ELSE r.{column} END"
    if column.endswith(("r2_key", "object_key")):
        return f"replace(r.{column}, r.user_id::text, md5(r.user_id::text || n)::uuid::text)"
    return f"n || r.{column}" if (table, column) in (("users", "email"), ("user_directory", "key")) else None
