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
