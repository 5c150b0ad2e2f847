"""What the figures are measured on: a Postgres with the schema in it, users, and functions configured for both."""

import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg

from database.migrate import migrate, set_login_passwords
from local.postgres import Postgres
from tests.support import logins
from tests.support.database import Database
from tests.support.environment import ENVIRONMENT, LOGINS
from tests.support.users import User, create_user

NAME = "questlog_bench"


class Stage:
    """A database of its own, on the server DATABASE_URL names as its administrator, or else on one started for it.

    The server is durable, with every commit on the disk: what it does is what a real one would do. `tell` is told what
    is being done, by a figure that takes long.
    """

    def __init__(self, tell: Callable[[str], object] = lambda _what: None) -> None:
        self.tell = tell
        self._folder = tempfile.TemporaryDirectory(prefix="questlog-bench-")
        self._postgres: Postgres | None = None
        self._given = os.environ.get("DATABASE_URL", "")
        self._server = self._given
        self._passwords = {role: secrets.token_urlsafe(16) for role in LOGINS}

    def __enter__(self) -> Self:
        if not self._server:
            self._postgres = Postgres(Path(self._folder.name))
            self._postgres.start()
            self._server = self._postgres.admin_url
        self.database = Database(NAME, self._server, self._passwords).create()
        migrate(self.admin_url)
        set_login_passwords(self._server, self._passwords)
        os.environ.update(ENVIRONMENT)
        self.serve()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, on: TracebackType | None) -> None:
        logins.disconnect()
        self.database.drop()
        if self._postgres is not None:
            self._postgres.stop()
        # serve() has set it, and the next stage would take it for a server that it is given.
        os.environ["DATABASE_URL"] = self._given
        self._folder.cleanup()

    @property
    def admin_url(self) -> str:
        """The administrator's way in. Functions of every schema are found by their bare names."""
        return self.database.admin_url

    @property
    def app_url(self) -> str:
        """The way in of the request functions."""
        return self.database.app_url

    @property
    def version(self) -> str:
        """Which Postgres this is."""
        [[version]] = self.query("SELECT split_part(current_setting('server_version'), ' ', 1)")
        return f"Postgres {version}"

    def serve(self, way: Callable[[str], str] = str) -> None:
        """Have the functions reach the database, beginning with their next request.

        `way` turns its URL into another one that leads there: a proxy's.
        """
        self.database.serve(way)

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run a statement as the administrator."""
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            cursor = connection.execute(sql.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def audit(self, user: User) -> list[tuple[Any, ...]]:
        """What does not add up in a user's ledger, totals and marks: nothing."""
        with psycopg.connect(self.app_url, autocommit=True) as connection:
            connection.execute("SET statement_timeout = 0")
            connection.execute("SELECT set_config('app.user_id', %s, false)", [str(user.id)])
            return [
                row
                for view in (b"ledger_audit", b"total_audit", b"mark_audit")
                for row in connection.execute(b"SELECT * FROM " + view).fetchall()
            ]

    def new_user(self, role: str = "user") -> User:
        """A user who may do what the role may, with a session of a browser."""
        with self.database.admin() as connection:
            return create_user(connection, role=role)
