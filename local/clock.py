"""A clock that can be moved, for the local stack and the tests.

All time of Questlog comes from two functions of the database, clock() and instant(). Moving the clock replaces their
bodies by others that add a shift, which is kept in a table that no migration creates: a deployed database has neither.
The first move installs both, reset() removes both, and in between everything runs as it does at the moment shown.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from typing import Any, Final, LiteralString

import psycopg
from psycopg.rows import scalar_row

# The shift has a limit, because not every timestamp of Postgres is one that Python can hold.
_INSTALL: Final[tuple[LiteralString, ...]] = (
    "CREATE SCHEMA local",
    """
    CREATE TABLE local.clock (
        shift interval NOT NULL DEFAULT '0' CHECK (shift BETWEEN interval '-100 years' AND interval '1000 years'),
        stopped_at timestamptz,
        original_clock text NOT NULL DEFAULT pg_get_functiondef('public.clock()'::regprocedure),
        original_instant text NOT NULL DEFAULT pg_get_functiondef('public.instant()'::regprocedure)
    )
    """,
    "INSERT INTO local.clock DEFAULT VALUES",
    "GRANT USAGE ON SCHEMA local TO PUBLIC",
    "GRANT SELECT ON local.clock TO PUBLIC",
    """
    CREATE OR REPLACE FUNCTION public.clock() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (SELECT coalesce(c.stopped_at, now()) + c.shift FROM local.clock AS c)
    """,
    """
    CREATE OR REPLACE FUNCTION public.instant() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE
    RETURN (SELECT coalesce(c.stopped_at, clock_timestamp()) + c.shift FROM local.clock AS c)
    """,
)

# The shift is stored in seconds, because a day of an interval is not 24 hours long in every time zone.
_MOVE: Final[LiteralString] = """
    UPDATE local.clock AS c
       SET stopped_at = w.stopped_at,
           shift = make_interval(secs => extract(epoch FROM w.wanted - coalesce(w.stopped_at, now())))
      FROM (SELECT coalesce(stopped_at, CASE WHEN %(stop)s THEN now() END) AS stopped_at,
                   coalesce(%(to)s::timestamptz, clock()) + coalesce(%(by)s::interval, '0') AS wanted
              FROM local.clock) AS w
"""


class ClockError(ValueError):
    """The clock cannot be moved there; the message says why."""


class Clock:
    """The clock of a database. `connect` opens a connection as its administrator, for as long as the context lasts."""

    def __init__(self, connect: Callable[[], AbstractContextManager[psycopg.Connection[Any]]]) -> None:
        self._connect = connect

    def now(self) -> datetime:
        """The time that the clock shows, in UTC."""
        with self._transaction() as cursor:
            return _time(cursor)

    def moved(self) -> bool:
        """Whether the clock was moved and not put back."""
        with self._transaction() as cursor:
            return _installed(cursor)

    def set(self, moment: datetime | str) -> datetime:
        """Move the clock to a moment, from where it goes on; a text is ISO 8601. Returns the time it shows."""
        return self._move(to=moment)

    def advance(self, by: timedelta | str) -> datetime:
        """Move the clock on by a duration; a text is ISO 8601 ("P1D") or an interval of Postgres ("1 day 2 hours").

        Returns the time it shows.
        """
        return self._move(by=by)

    def freeze(self) -> datetime:
        """Stop the clock: until the reset it moves by set() and advance() alone. Returns the time it shows."""
        return self._move(stop=True)

    def reset(self) -> None:
        """Put the clock back to the real time, and the database to what the migrations made of it."""
        with self._transaction() as cursor:
            if not _installed(cursor):
                return
            originals = cursor.execute("SELECT unnest(ARRAY[original_clock, original_instant]) FROM local.clock")
            for definition in originals.fetchall():
                cursor.execute(definition.encode())
            cursor.execute("DROP SCHEMA local CASCADE")

    def _move(
        self, *, to: datetime | str | None = None, by: timedelta | str | None = None, stop: bool = False
    ) -> datetime:
        with self._transaction() as cursor:
            if not _installed(cursor):
                for statement in _INSTALL:
                    cursor.execute(statement)
            try:
                cursor.execute(_MOVE, {"to": to, "by": by, "stop": stop})
            except (psycopg.errors.DataError, psycopg.errors.CheckViolation) as error:
                raise ClockError(error.diag.message_primary) from None
            return _time(cursor)

    @contextmanager
    def _transaction(self) -> Iterator[psycopg.Cursor[Any]]:
        """A transaction under a lock, because two that replace a function at the same moment fail."""
        with self._connect() as connection, connection.transaction():
            cursor = connection.cursor(row_factory=scalar_row)
            cursor.execute("SET LOCAL timezone = 'UTC'")
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('questlog clock'))")
            yield cursor


def _installed(cursor: psycopg.Cursor[Any]) -> bool:
    return bool(cursor.execute("SELECT to_regclass('local.clock') IS NOT NULL").fetchone())


def _time(cursor: psycopg.Cursor[Any]) -> datetime:
    [moment] = cursor.execute("SELECT public.clock()").fetchall()
    assert isinstance(moment, datetime)
    return moment
