"""The run's Postgres server, and the database that each worker has on it."""

import os
import secrets
import select
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, Final, Self
from urllib.parse import quote, urlsplit
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row

from questlog.settings import settings

from database.migrate import migrate
from local.postgres import Postgres
from tests.support import logins
from tests.support.environment import LOGINS

# So many connections of one login are kept for the next one who asks.
_MOST_KEPT: Final = 8
# A test may make a hundred requests at once, each over a connection of its own, while every worker keeps some of each
# login. Whoever wants one of a server that has no more to give is answered 503.
_MOST_CONNECTIONS: Final = 1_000


@dataclass(frozen=True)
class Database:
    """A database of the tests, and connections to it as the roles that use it."""

    name: str
    server_url: str
    passwords: dict[str, str]
    _kept: dict[str, list[psycopg.Connection[DictRow]]] = field(default_factory=dict, repr=False, compare=False)
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)
    _auditors: list[psycopg.Connection[DictRow]] = field(default_factory=list, repr=False, compare=False)

    @property
    def admin_url(self) -> str:
        """The superuser's way in. Functions of every schema are found by their bare names."""
        return at(self.server_url, self.name) + "?options=-csearch_path%3Dapp,internal,public"

    def url(self, role: str) -> str:
        """The way in of a login role."""
        return at(self.server_url, self.name, role, self.passwords[role])

    @property
    def app_url(self) -> str:
        """The way in of the request functions."""
        return self.url("questlog_app")

    def query(self, statement: str, *parameters: Any) -> list[DictRow]:
        """Run a statement as the superuser: to look behind the curtain, or to set a stage."""
        with self.admin() as connection:
            cursor = connection.execute(statement.encode(), parameters)
            return [] if cursor.description is None else cursor.fetchall()

    def admin(self) -> AbstractContextManager[psycopg.Connection[DictRow]]:
        """A connection as the superuser, kept for the next one who asks; another one while it is in use."""
        return self._connected(self.admin_url)

    @contextmanager
    def connected_as(self, role: str, user_id: UUID) -> Iterator[psycopg.Connection[DictRow]]:
        """A connection as a login role with a user set, as authenticate() would; kept as those of admin() are."""
        with self._connected(self.url(role)) as connection:
            # What the last one has set for the session is not this one's.
            connection.execute("RESET ALL")
            connection.execute("SELECT set_config('app.user_id', %s, false)", [str(user_id)])
            yield connection

    def audit(self, user_id: UUID) -> list[DictRow]:
        """What does not add up in a user's ledger, and which totals of lists are wrong, as that user may see it.

        The statement is prepared on a connection that is kept for it: to plan the view takes a hundred times as long as
        the view takes to run.
        """
        if not self._auditors or not _is_idle(self._auditors[0]):
            self._close(self._auditors)
            self._auditors.append(psycopg.connect(self.app_url, autocommit=True, row_factory=dict_row))
        [auditor] = self._auditors
        auditor.execute("SELECT set_config('app.user_id', %s, false)", [str(user_id)])
        return [
            row
            for view in (b"ledger_audit", b"total_audit", b"mark_audit")
            for row in auditor.execute(b"SELECT * FROM " + view, prepare=True).fetchall()
        ]

    def close(self) -> None:
        """Close the connections that are kept."""
        for kept in (*self._kept.values(), self._auditors):
            self._close(kept)

    @staticmethod
    def _close(kept: list[psycopg.Connection[DictRow]]) -> None:
        while kept:
            kept.pop().close()

    def create(self, template: str = "template0") -> Self:
        """Create the database as a copy of `template`."""
        with psycopg.connect(self.server_url, autocommit=True) as connection:
            # Copying needs the template to itself for a moment: workers take turns.
            connection.execute("SELECT pg_advisory_lock(hashtext('questlog tests'))")
            connection.execute(f'CREATE DATABASE "{self.name}" TEMPLATE "{template}"'.encode())
            # Rights on the database itself are not copied.
            connection.execute(f'REVOKE TEMPORARY ON DATABASE "{self.name}" FROM PUBLIC'.encode())
        return self

    def drop(self) -> None:
        """Remove the database, also while someone is connected to it."""
        self.close()
        with psycopg.connect(self.server_url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)'.encode())

    def set_limits(self, *, generous: bool) -> None:
        """Let the statements of requests take as long as they need on a busy machine, or as long as in production.

        For connections that are opened afterwards: those of this thread, and all that are kept, are closed.
        """
        change = "SET {} = '10min'" if generous else "RESET {}"
        for role in ("questlog_app", "questlog_auth", "questlog_operator"):
            for limit in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
                self.query(f'ALTER ROLE {role} IN DATABASE "{self.name}" {change.format(limit)}')
        self.close()
        logins.disconnect()

    def serve(self, way: Callable[[str], str] = str) -> None:
        """Have the functions reach this database, beginning with their next request.

        `way` turns its URL into another one that leads there: a proxy's.
        """
        os.environ["DATABASE_URL"] = os.environ["APP_DATABASE_URL"] = way(self.app_url)
        os.environ["AUTH_DATABASE_URL"] = way(self.url("questlog_auth"))
        os.environ["OPERATOR_DATABASE_URL"] = way(self.url("questlog_operator"))
        os.environ["CONSOLE_DATABASE_URL"] = self.url("questlog_console")
        os.environ["JOBS_DATABASE_URL"] = way(self.url("questlog_jobs"))
        settings.cache_clear()
        logins.disconnect()

    @contextmanager
    def _connected(self, url: str) -> Iterator[psycopg.Connection[DictRow]]:
        """A connection that is kept: a new one has to plan everything anew, which takes longer than most tests do."""
        kept = self._kept.setdefault(url, [])
        with self._lock:
            connection = kept.pop() if kept else None
        if connection is None or not _is_idle(connection):
            if connection is not None:
                connection.close()
            # Nothing is prepared: between two statements a test may change what they are about.
            connection = psycopg.connect(url, autocommit=True, row_factory=dict_row, prepare_threshold=None)
        try:
            yield connection
        finally:
            if _is_idle(connection) and len(kept) < _MOST_KEPT:
                kept.append(connection)
            else:
                connection.close()


def _is_idle(connection: psycopg.Connection[DictRow]) -> bool:
    """Whether a connection stands and is in no transaction; the server says nothing to an idle one but its end."""
    if connection.closed or connection.info.transaction_status != TransactionStatus.IDLE:
        return False
    readable, _, _ = select.select([connection.pgconn.socket], [], [], 0)
    return not readable


class Server:
    """The run's server, and on it the migrated database that every worker's database is a copy of.

    `given` is the URL of a running server as its administrator; without it a server is started for the run.
    """

    def __init__(self, given: str | None) -> None:
        self.passwords = {role: secrets.token_urlsafe(16) for role in LOGINS}
        self._folder = Path(tempfile.mkdtemp(prefix="questlog-tests-"))
        self._postgres: Postgres | None = None
        if given:
            self.admin_url = given
        else:
            self._postgres = Postgres(self._folder / "postgres", durable=False, max_connections=_MOST_CONNECTIONS)
            self._postgres.start()
            self.admin_url = self._postgres.admin_url
        self.migrated = Database(f"questlog_{secrets.token_hex(4)}", self.admin_url, self.passwords).create()
        migrate(self.migrated.admin_url)
        self._set_cheap_passwords()

    def stop(self) -> None:
        """Remove the migrated database, and stop the server if it was started here."""
        self.migrated.drop()
        if self._postgres is not None:
            self._postgres.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _set_cheap_passwords(self) -> None:
        """Give the logins passwords that take one round of hashing, not 4096: the tests connect thousands of times."""
        with psycopg.connect(self.admin_url) as connection:
            connection.execute("SET LOCAL scram_iterations = 1")
            for role, password in self.passwords.items():
                change = sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(password))
                connection.execute(change)


def at(url: str, name: str, user: str | None = None, password: str = "") -> str:
    """The URL of another database, or of another role, on the same server."""
    parts = urlsplit(url)
    login = f"{user}:{quote(password, safe='')}" if user else parts.netloc.rpartition("@")[0]
    return parts._replace(netloc=f"{login}@{parts.netloc.rpartition('@')[2]}", path=f"/{name}").geturl()
