"""Rows that a table must refuse, whoever writes them."""

from collections.abc import Iterable
from uuid import UUID

import psycopg

from tests.support.database import Database


def accepted(database: Database, table: str, row: UUID | str, changes: Iterable[str]) -> list[str]:
    """The changes of a row that its table's CHECKs do not refuse; each is what follows SET in an UPDATE."""
    taken = []
    for change in changes:
        try:
            database.query(f"UPDATE {table} SET {change} WHERE id = %s", row)
        except psycopg.errors.CheckViolation:
            continue
        taken.append(change)
    return taken
