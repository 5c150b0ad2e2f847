"""Finds out, on a new connection, whether a pooler in front of Postgres keeps prepared statements.

A pooler in transaction mode lends a process of the server to a client for one transaction at a time. If it does not
keep the client's prepared statements, a request may find its own missing, or run another client's that has the same
name. That happens only now and then. So such a pooler is recognised when a connection is opened, before any request is
served through it.
"""

from collections.abc import Callable
from typing import Any, Final

import psycopg

# How often the server's process is compared: another client of the pooler may take it between two comparisons.
_LOOKS: Final = 5

# A pooler that keeps prepared statements gives them names of its own, such as PGBOUNCER_1; psycopg's begin with _pg3_.
# The connection's name, for the server's log and pg_stat_activity, is set only without a pooler: a pooler would set it
# again each time it lends a process to a client of another name, which costs a statement.
_LOOK: Final = """
SELECT is_direct,
       EXISTS (SELECT FROM pg_prepared_statements WHERE starts_with(name, '_pg3_')) AS name_is_ours,
       CASE WHEN is_direct THEN set_config('application_name', %(name)s, false) END
  FROM (SELECT pg_backend_pid() = %(process)s AS is_direct)
"""


def keeps_statements(
    connection: psycopg.Connection[Any], another: Callable[[], psycopg.Connection[Any]], name: str
) -> bool:
    """Whether a statement that this connection prepares still exists in its later transactions.

    One trip is enough without a pooler, and with one that renames the statements. Otherwise `another` connection is
    opened for a moment, to see whether the two share processes: behind a pooler in session mode, and behind a proxy
    such as Neon's, they never do. A connection without a pooler gets `name` as its application_name.
    """
    with connection.pipeline():
        cursor = connection.execute(_LOOK, {"process": connection.pgconn.backend_pid, "name": name})
    seen = _only(cursor)
    if seen["is_direct"] or not seen["name_is_ours"]:
        return True
    with another() as other:
        return not any(_is_lent(connection, other) for _ in range(_LOOKS))


def _is_lent(connection: psycopg.Connection[Any], other: psycopg.Connection[Any]) -> bool:
    """Whether one process of the server is seen to serve both connections."""
    before = _process(connection)
    # The transaction keeps the other connection's process busy, so that the pooler must give this one another process.
    with other.transaction():
        return _process(other) == before or _process(connection) != before


def _process(connection: psycopg.Connection[Any]) -> int:
    # Not prepared, since prepared statements may be what the pooler loses.
    process: int = _only(connection.execute("SELECT pg_backend_pid() AS process", prepare=False))["process"]
    return process


def _only(cursor: psycopg.Cursor[Any]) -> Any:
    row = cursor.fetchone()
    assert row is not None
    return row
