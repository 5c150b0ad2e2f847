"""One Postgres for the whole run, one database per worker, one fresh user per test: tests isolate by user.

DATABASE_URL, an administrator's, points the tests at a server that runs already.
"""

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import Json

from questlog import db
from questlog.identity import Token, new_secret, secret_hash
from questlog.settings import settings

from database.migrate import migrate, set_login_passwords
from local.postgres import Postgres
from tests.client import Answer, Client

T = TypeVar("T")
LOGINS = ("questlog_app", "questlog_auth", "questlog_operator", "questlog_jobs", "questlog_console")
TERMS = "1.0"
ENVIRONMENT = {
    # Replaced by the worker's database before the first request; collecting tests imports the functions earlier.
    "DATABASE_URL": "postgresql://",
    "APP_DATABASE_URL": "postgresql://",
    "AUTH_DATABASE_URL": "postgresql://",
    "OPERATOR_DATABASE_URL": "postgresql://",
    "PUBLIC_URL": "https://api.questlog.test",
    "FRONTEND_URL": "https://questlog.test",
    "ALLOWED_ORIGINS": "https://questlog.test,http://localhost:3000",
    "TOS_VERSION": TERMS,
    "ADMIN_EMAILS": "admin@questlog.test",
    "ADMIN_CLAIM_KEY": "a-claim-key-for-tests",
    "AUTH_RATE_LIMIT": "0",
    "GOOGLE_ISSUER": "http://127.0.0.1:1",
    "GOOGLE_CLIENT_ID": "questlog",
    "GOOGLE_CLIENT_SECRET": "a-client-secret",
    "POWERTOOLS_LOG_LEVEL": os.environ.get("POWERTOOLS_LOG_LEVEL", "CRITICAL"),
    "POWERTOOLS_SERVICE_NAME": "questlog",
}


class Server:
    """The run's server and the template every worker's database is copied from."""

    def __init__(self, given: str | None) -> None:
        self.run = secrets.token_hex(4)
        self.template = f"questlog_{self.run}"
        self.passwords = {role: secrets.token_urlsafe(16) for role in LOGINS}
        self._folder = Path(tempfile.mkdtemp(prefix="questlog-tests-"))
        self._postgres: Postgres | None = None
        if given:
            self.admin_url = given
        else:
            self._postgres = Postgres(self._folder / "postgres", durable=False)
            self._postgres.start()
            self.admin_url = self._postgres.admin_url
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{self.template}" TEMPLATE template0'.encode())
        migrate(at(self.admin_url, self.template))
        set_login_passwords(self.admin_url, self.passwords)

    def stop(self) -> None:
        if self._postgres is not None:
            self._postgres.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


def at(url: str, name: str, user: str | None = None, password: str = "") -> str:
    """The URL of another database, or of another role, on the same server."""
    parts = urlsplit(url)
    login = f"{user}:{quote(password, safe='')}" if user else parts.netloc.rpartition("@")[0]
    return parts._replace(netloc=f"{login}@{parts.netloc.rpartition('@')[2]}", path=f"/{name}").geturl()


_server = pytest.StashKey[Server]()
_loop = pytest.StashKey[asyncio.AbstractEventLoop]()


def pytest_configure(config: pytest.Config) -> None:
    # Mangum asks for the thread's event loop, and asking where there is none is deprecated.
    config.stash[_loop] = asyncio.new_event_loop()
    asyncio.set_event_loop(config.stash[_loop])
    given = os.environ.get("DATABASE_URL")
    os.environ.update(ENVIRONMENT)
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        config.stash[_server] = Server(given)


def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where the run's server is."""
    server = node.config.stash[_server]
    node.workerinput["questlog"] = (server.admin_url, server.template, server.passwords)


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[_loop].close()
    server = config.stash.get(_server, None)
    if server is not None:
        server.stop()


@dataclass(frozen=True)
class Database:
    """This worker's database, and connections to it as the roles that use it."""

    name: str
    server_url: str
    passwords: dict[str, str]

    @property
    def admin_url(self) -> str:
        return at(self.server_url, self.name) + "?options=-csearch_path%3Dapp,internal,public"

    def url(self, role: str) -> str:
        return at(self.server_url, self.name, role, self.passwords[role])

    @property
    def app_url(self) -> str:
        return self.url("questlog_app")

    def query(self, sql: str, *parameters: Any) -> list[DictRow]:
        """Run a statement as the superuser: to look behind the curtain, or to set a stage."""
        with psycopg.connect(self.admin_url, autocommit=True, row_factory=dict_row) as connection:
            cursor = connection.execute(sql.encode(), parameters)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="session")
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    given = getattr(request.config, "workerinput", {}).get("questlog")
    if given is None:
        server = request.config.stash[_server]
        given = (server.admin_url, server.template, server.passwords)
    admin_url, template, passwords = given
    name = f"{template}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with psycopg.connect(admin_url, autocommit=True) as connection:
        # Copying needs the template to itself for a moment: workers take turns.
        connection.execute("SELECT pg_advisory_lock(hashtext('questlog tests'))")
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        # Rights on the database itself are not copied.
        connection.execute(f'REVOKE TEMPORARY ON DATABASE "{name}" FROM PUBLIC'.encode())
    database = Database(name, admin_url, passwords)
    os.environ["DATABASE_URL"] = os.environ["APP_DATABASE_URL"] = database.app_url
    os.environ["AUTH_DATABASE_URL"] = database.url("questlog_auth")
    os.environ["OPERATOR_DATABASE_URL"] = database.url("questlog_operator")
    settings.cache_clear()
    yield database
    db.disconnect()
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())


@dataclass(frozen=True)
class User(Client):
    """A user with a live session. What is asked of the client is asked as this user."""

    id: UUID = field(kw_only=True)
    email: str = field(kw_only=True)


NewUser = Callable[..., User]


@pytest.fixture
def new_user(request: pytest.FixtureRequest, database: Database) -> NewUser:
    """Makes users: consented, with a session of a browser, unless told otherwise."""

    def make(*, role: str = "user", consented: bool = True, settings: dict[str, Any] | None = None) -> User:
        email = f"{secrets.token_hex(6)}@questlog.test"
        secret = new_secret()
        [row] = database.query(
            """
            WITH made AS (
                INSERT INTO users (email, name, role, age_verified_at, tos_version, tos_accepted_at)
                SELECT %s, 'Test', %s, w.at, CASE WHEN w.at IS NOT NULL THEN %s END, w.at
                  FROM (SELECT CASE WHEN %s THEN now() END AS at) AS w
                RETURNING id, email),
            listed AS (
                INSERT INTO user_directory (kind, key, user_id) SELECT 'email', lower(email), id FROM made),
            signed_in AS (
                INSERT INTO sessions (user_id, token_hash, expires_at)
                SELECT id, %s, now() + interval '30 days' FROM made),
            set AS (
                INSERT INTO user_settings (user_id, key, value)
                SELECT made.id, s.key, s.value FROM made, jsonb_each(%s::jsonb) AS s)
            SELECT id FROM made
            """,
            *(email, role, TERMS, consented, secret_hash(secret), Json(settings or {})),
        )
        made_users(request).append(row["id"])
        return User(token=str(Token(row["id"], secret)), id=row["id"], email=email)

    return make


@pytest.fixture
def user(new_user: NewUser) -> User:
    return new_user()


@pytest.fixture
def other(new_user: NewUser) -> User:
    """Someone else."""
    return new_user()


@pytest.fixture
def stranger(database: Database) -> Client:
    """Someone without a session."""
    return Client()


@pytest.fixture(autouse=True)
def _ledger_explains_every_balance(request: pytest.FixtureRequest) -> Iterator[None]:
    """After every test that made users, the ledger of each must add up."""
    yield
    if "new_user" in request.fixturenames:
        database: Database = request.getfixturevalue("database")
        with psycopg.connect(database.app_url, autocommit=True) as connection:
            for user_id in made_users(request):
                connection.execute("SELECT set_config('app.user_id', %s, false)", [str(user_id)])
                assert connection.execute("SELECT * FROM ledger_audit").fetchall() == []


_made = pytest.StashKey[list[UUID]]()


def made_users(request: pytest.FixtureRequest) -> list[UUID]:
    """The users that this test has made."""
    return request.node.stash.setdefault(_made, [])


def at_once(times: int, call: Callable[[], T]) -> list[T]:
    """The answers of `times` calls that start together, each in a thread: an execution environment of its own."""

    def alone() -> T:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)  # Mangum runs a request on its thread's loop
        try:
            return call()
        finally:
            loop.close()
            db.disconnect()

    with ThreadPoolExecutor(times) as pool:
        return [future.result() for future in [pool.submit(alone) for _ in range(times)]]


__all__ = ["Answer", "Client", "Database", "NewUser", "User", "at_once"]
