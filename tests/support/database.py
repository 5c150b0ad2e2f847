"""The run's Postgres server, and the database that each worker has on it."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, Self
from urllib.parse import quote, urlsplit
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row

from questlog import db
from questlog.settings import settings

from database.migrate import migrate
from local.postgres import Postgres
from tests.support.environment import LOGINS


@dataclass(frozen=True)
class Database:
    """A database of the tests, and connections to it as the roles that use it."""

    name: str
    server_url: str
    passwords: dict[str, str]
    _kept: list[psycopg.Connection[DictRow]] = field(default_factory=list, repr=False, compare=False)
    _idle: Lock = field(default_factory=Lock, repr=False, compare=False)
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

    @contextmanager
    def admin(self) -> Iterator[psycopg.Connection[DictRow]]:
        """A connection as the superuser, kept for the next one who asks; another one while it is in use."""
        if not self._idle.acquire(blocking=False):
            with self._connect() as connection:
                yield connection
            return
        try:
            if not self._kept or self._kept[0].info.transaction_status != TransactionStatus.IDLE:
                self.close()
                self._kept.append(self._connect())
            yield self._kept[0]
        finally:
            self._idle.release()

    def audit(self, user_id: UUID) -> list[DictRow]:
        """What does not add up in a user's ledger, as that user may see it.

        The connection is kept: a new one takes a hundred times as long to plan the view as the view takes to run.
        """
        try:
            return self._audited(user_id)
        except psycopg.OperationalError:
            # A test has ended the connections of everyone.
            self._auditors.clear()
            return self._audited(user_id)

    def _audited(self, user_id: UUID) -> list[DictRow]:
        if not self._auditors:
            self._auditors.append(psycopg.connect(self.app_url, autocommit=True, row_factory=dict_row))
        [auditor] = self._auditors
        auditor.execute("SELECT set_config('app.user_id', %s, false)", [str(user_id)])
        return auditor.execute("SELECT * FROM ledger_audit").fetchall()

    def close(self) -> None:
        """Close the connections that are kept."""
        for kept in (self._kept, self._auditors):
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

        For connections that are opened afterwards; those of this thread are closed.
        """
        change = "SET {} = '2min'" if generous else "RESET {}"
        for role in ("questlog_app", "questlog_auth", "questlog_operator"):
            for limit in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
                self.query(f'ALTER ROLE {role} IN DATABASE "{self.name}" {change.format(limit)}')
        db.disconnect()

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
        db.disconnect()

    def _connect(self) -> psycopg.Connection[DictRow]:
        # Nothing is prepared: between two statements a test may change what they are about.
        return psycopg.connect(self.admin_url, autocommit=True, row_factory=dict_row, prepare_threshold=None)


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
            self._postgres = Postgres(self._folder / "postgres", durable=False)
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
