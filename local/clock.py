"""A clock that can be moved, for the local stack and the tests.

All time of Questlog comes from two functions of the database, clock() and instant(). Moving the clock replaces their
bodies by others that add a shift, which is kept in a table that no migration creates: a deployed database has neither.
The first move installs both, reset() removes both, and in between everything runs as it does at the moment shown.
"""

from datetime import datetime, timedelta
from typing import Final, LiteralString

import psycopg

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
    """The clock of the database at this URL, an administrator's."""

    def __init__(self, admin_url: str) -> None:
        self._admin_url = admin_url

    def now(self) -> datetime:
        """The time that the clock shows, in UTC."""
        with self._connect() as connection:
            return _time(connection)

    def moved(self) -> bool:
        """Whether the clock was moved and not put back."""
        with self._connect() as connection:
            return _installed(connection)

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
        with self._connect() as connection:
            if not _installed(connection):
                return
            for (definition,) in connection.execute(
                "SELECT unnest(ARRAY[original_clock, original_instant]) FROM local.clock"
            ).fetchall():
                connection.execute(definition.encode())
            connection.execute("DROP SCHEMA local CASCADE")

    def _move(
        self, *, to: datetime | str | None = None, by: timedelta | str | None = None, stop: bool = False
    ) -> datetime:
        with self._connect() as connection:
            if not _installed(connection):
                for statement in _INSTALL:
                    connection.execute(statement)
            try:
                connection.execute(_MOVE, {"to": to, "by": by, "stop": stop})
            except (psycopg.errors.DataError, psycopg.errors.CheckViolation) as error:
                raise ClockError(error.diag.message_primary) from None
            return _time(connection)

    def _connect(self) -> psycopg.Connection:
        """A transaction under a lock, because two that replace a function at the same moment fail."""
        connection = psycopg.connect(self._admin_url)
        connection.execute("SET LOCAL timezone = 'UTC'")
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('questlog clock'))")
        return connection


def _installed(connection: psycopg.Connection) -> bool:
    row = connection.execute("SELECT to_regclass('local.clock') IS NOT NULL").fetchone()
    return row is not None and bool(row[0])


def _time(connection: psycopg.Connection) -> datetime:
    row = connection.execute("SELECT public.clock()").fetchone()
    assert row is not None
    moment: datetime = row[0]
    return moment
