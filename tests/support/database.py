"""The run's Postgres server, and the database that each worker has on it."""

import os
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import psycopg
from psycopg.rows import DictRow, dict_row

from questlog import db
from questlog.settings import settings

from database.migrate import migrate, set_login_passwords
from local.postgres import Postgres
from tests.support.environment import LOGINS


class Server:
    """The run's server, and on it the migrated database that every worker's database is a copy of.

    `given` is the URL of a running server as its administrator; without it a server is started for the run.
    """

    def __init__(self, given: str | None) -> None:
        self.template = f"questlog_{secrets.token_hex(4)}"
        self.passwords = {role: secrets.token_urlsafe(16) for role in LOGINS}
        self._folder = Path(tempfile.mkdtemp(prefix="questlog-tests-"))
        self._postgres: Postgres | None = None
        if given:
            self.admin_url = given
        else:
            self._postgres = Postgres(self._folder / "postgres", durable=False)
            self._postgres.start()
            self.admin_url = self._postgres.admin_url
        create(self.admin_url, self.template)
        migrate(at(self.admin_url, self.template))
        set_login_passwords(self.admin_url, self.passwords)

    def stop(self) -> None:
        """Remove the migrated database, and stop the server if it was started here."""
        drop(self.admin_url, self.template)
        if self._postgres is not None:
            self._postgres.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


@dataclass(frozen=True)
class Database:
    """A database of the tests, and connections to it as the roles that use it."""

    name: str
    server_url: str
    passwords: dict[str, str]

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

    def query(self, sql: str, *parameters: Any) -> list[DictRow]:
        """Run a statement as the superuser: to look behind the curtain, or to set a stage."""
        with psycopg.connect(self.admin_url, autocommit=True, row_factory=dict_row) as connection:
            cursor = connection.execute(sql.encode(), parameters)
            return cursor.fetchall() if cursor.description else []


def at(url: str, name: str, user: str | None = None, password: str = "") -> str:
    """The URL of another database, or of another role, on the same server."""
    parts = urlsplit(url)
    login = f"{user}:{quote(password, safe='')}" if user else parts.netloc.rpartition("@")[0]
    return parts._replace(netloc=f"{login}@{parts.netloc.rpartition('@')[2]}", path=f"/{name}").geturl()


def create(server_url: str, name: str, template: str = "template0") -> None:
    """Create a database as a copy of `template`."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        # Copying needs the template to itself for a moment: workers take turns.
        connection.execute("SELECT pg_advisory_lock(hashtext('questlog tests'))")
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        # Rights on the database itself are not copied.
        connection.execute(f'REVOKE TEMPORARY ON DATABASE "{name}" FROM PUBLIC'.encode())


def drop(server_url: str, name: str) -> None:
    """Remove a database, also while someone is connected to it."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())


def serve_from(url_of_role: dict[str, str]) -> None:
    """Have the functions reach their databases at these URLs, by login role, beginning with their next request."""
    os.environ["DATABASE_URL"] = os.environ["APP_DATABASE_URL"] = url_of_role["questlog_app"]
    os.environ["AUTH_DATABASE_URL"] = url_of_role["questlog_auth"]
    os.environ["OPERATOR_DATABASE_URL"] = url_of_role["questlog_operator"]
    settings.cache_clear()
    db.disconnect()
