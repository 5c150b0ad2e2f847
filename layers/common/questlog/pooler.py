"""Finds out, on a new connection, whether what stands in front of Postgres keeps prepared statements.

A pooler in transaction mode lends a process of the server to a client for one transaction at a time. Where it does not
keep the client's prepared statements, a request finds its own missing or another client's under the same name. That
happens now and then, and may run another statement than the one that is meant. So such a pooler is recognised when a
connection is opened, before any request is served through it.
"""

from collections.abc import Callable
from typing import Any, Final

import psycopg

# A client of the pooler may come between two looks, and hide what they would show.
_LOOKS: Final = 5

# A pooler that keeps prepared statements gives them names of its own, such as PGBOUNCER_1; psycopg's begin with _pg3_.
# The name that the server's log and pg_stat_activity give the connection is set only where no pooler stands in between:
# one that lends its processes to clients of several names sets it again each time, which is a statement more.
_LOOK: Final = """
SELECT is_direct,
       EXISTS (SELECT FROM pg_prepared_statements WHERE starts_with(name, '_pg3_')) AS name_is_ours,
       CASE WHEN is_direct THEN set_config('application_name', %(name)s, false) END
  FROM (SELECT pg_backend_pid() = %(process)s AS is_direct)
"""


def keeps_statements(
    connection: psycopg.Connection[Any], another: Callable[[], psycopg.Connection[Any]], name: str
) -> bool:
    """Whether what a new connection prepares is there in its later transactions. A direct one is given its `name`.

    One trip tells it where no pooler stands in between, and where the pooler gives the statements names of its own.
    Otherwise `another` connection of the same kind is opened for a moment: a pooler in session mode, and a proxy such
    as the one in front of every database at Neon, never lend one client's process to the other.
    """
    with connection.pipeline():
        cursor = connection.execute(_LOOK, {"process": connection.pgconn.backend_pid, "name": name})
    seen = _only(cursor)
    if seen["is_direct"] or not seen["name_is_ours"]:
        return True
    with another() as other:
        return not any(_is_lent(connection, other) for _ in range(_LOOKS))


def _is_lent(connection: psycopg.Connection[Any], other: psycopg.Connection[Any]) -> bool:
    """Whether the process of one client is seen to serve another, while the first is still connected."""
    before = _process(connection)
    # The transaction holds on to the other client's process, so that the first is given another one.
    with other.transaction():
        return _process(other) == before or _process(connection) != before


def _process(connection: psycopg.Connection[Any]) -> int:
    # Not prepared: it must not meet what it is to find.
    process: int = _only(connection.execute("SELECT pg_backend_pid() AS process", prepare=False))["process"]
    return process


def _only(cursor: psycopg.Cursor[Any]) -> Any:
    row = cursor.fetchone()
    assert row is not None
    return row
