"""Which tables an export holds, and how their rows are written: export_tables() reads it from the database's catalogue.

A table that gets a `user_id` or `owner_id` is exported from then on. What is left out is a list of names in
code/exports.sql, with the reasons.
"""

from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import Connection
from psycopg.rows import class_row

# The types that a column of an exported table may have: export_tables() writes each so that it is read back exactly.
# A value of another type might become a text that cannot be read back.
TYPES: Final = frozenset(
    {
        *("bigint", "boolean", "bytea", "date", "double precision", "integer", "integer[]", "jsonb", "numeric", "real"),
        *("text", "text[]", "timestamp with time zone", "timestamp with time zone[]", "uuid"),
    }
)
# Columns that hold the key of an object in the bucket. In an archive the key stands without the user's prefix.
OBJECT_KEYS: Final = frozenset({"r2_key", "object_key"})
# What an archive holds in place of the user's own id, in a column of type uuid.
ME: Final = "me"


class Table(NamedTuple):
    """A table as an export holds it.

    `columns` and their `types` (as format_type() names them, without lengths) are in the order of the table, without
    the owner's column and without what the database makes by itself. The rows are ordered by `ordering`, which is empty
    where a user has one row at most. `json_rows` and `cell_rows` are statements with the user's id as $1: each row as
    one JSON text, and each row as one text per column, null where the value is null.
    """

    name: str
    owner: str
    columns: list[str]
    types: list[str]
    ordering: list[str]
    json_rows: str
    cell_rows: str

    def of(self, user_id: UUID) -> "Table":
        """The same with the user's id in the statements, for COPY, which takes no parameters."""
        literal = f"'{user_id}'::uuid"
        return self._replace(
            json_rows=self.json_rows.replace("$1", literal), cell_rows=self.cell_rows.replace("$1", literal)
        )


def tables(connection: Connection[Any]) -> list[Table]:
    """The tables of an export, by name."""
    with connection.cursor(row_factory=class_row(Table)) as cursor:
        return cursor.execute("SELECT * FROM export_tables()").fetchall()
