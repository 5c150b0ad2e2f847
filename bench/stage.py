"""What the figures are measured on: a Postgres with the schema in it, users, and functions configured for both."""

import os
import secrets
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg

from questlog import db
from questlog.settings import settings

from database.migrate import migrate, set_login_passwords
from local.postgres import Postgres
from tests.conftest import ENVIRONMENT, LOGINS, TERMS, User, at

NAME = "questlog_bench"


class Stage:
    """A database of its own, on the server DATABASE_URL names as its administrator, or else on one started for it.

    The server is durable, with every commit on the disk: what it does is what a real one would do.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="questlog-bench-")
        self._postgres: Postgres | None = None
        self._server = os.environ.get("DATABASE_URL", "")
        self._passwords = {role: secrets.token_urlsafe(16) for role in LOGINS}

    def __enter__(self) -> Self:
        if not self._server:
            self._postgres = Postgres(Path(self._folder.name))
            self._postgres.start()
            self._server = self._postgres.admin_url
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{NAME}" TEMPLATE template0'.encode())
        migrate(self.admin_url)
        set_login_passwords(self._server, self._passwords)
        self.serve_from(self.app_url)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, on: TracebackType | None) -> None:
        db.disconnect()
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{NAME}" WITH (FORCE)'.encode())
        if self._postgres is not None:
            self._postgres.stop()
        self._folder.cleanup()

    @property
    def admin_url(self) -> str:
        return at(self._server, NAME)

    @property
    def app_url(self) -> str:
        return at(self._server, NAME, "questlog_app", self._passwords["questlog_app"])

    @property
    def version(self) -> str:
        """Which Postgres this is."""
        [[version]] = self.query("SELECT split_part(current_setting('server_version'), ' ', 1)")
        return f"Postgres {version}"

    def serve_from(self, url: str) -> None:
        """Have the functions reach the database at this URL, beginning with their next request."""
        os.environ.update(ENVIRONMENT)
        os.environ["DATABASE_URL"] = url
        settings.cache_clear()
        db.disconnect()

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run a statement as the administrator."""
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            cursor = connection.execute(sql.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def new_user(self, role: str = "user") -> User:
        """A user who may do what the role may, with a session of a browser."""
        email, token = f"{secrets.token_hex(6)}@questlog.test", secrets.token_urlsafe(32)
        [[user_id]] = self.query(
            """
            WITH made AS (
                INSERT INTO users (email, name, role, age_verified_at, tos_version, tos_accepted_at)
                VALUES (%s, 'Bench', %s, now(), %s, now()) RETURNING id)
            INSERT INTO sessions (user_id, token_hash, expires_at)
            SELECT id, sha256(%s::bytea), now() + interval '30 days' FROM made RETURNING user_id
            """,
            *(email, role, TERMS, token.encode()),
        )
        return User(token=token, id=user_id, email=email)
