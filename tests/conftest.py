"""One Postgres for the whole run, one database per worker, one fresh user per test: tests isolate by user.

DATABASE_URL, an administrator's, points the tests at a server that runs already.
"""

import asyncio
import os
import secrets
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import hypothesis
import pytest
from hypothesis import HealthCheck

from local.clock import Clock
from tests.support import logins
from tests.support.client import Answer, Client
from tests.support.clock import NOON
from tests.support.database import Database, Server
from tests.support.environment import ENVIRONMENT, LOGINS, TERMS
from tests.support.scheduling import scheduling
from tests.support.shared import keep_originals, restore_originals
from tests.support.stack import Stack, running_beside, served
from tests.support.threads import at_once
from tests.support.users import NewUser, User, create_user

# How long an example takes depends on the machine; and a test makes its users once, for one example after the other.
hypothesis.settings.register_profile(
    "questlog",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
hypothesis.settings.load_profile("questlog")

_server = pytest.StashKey[Server]()
_loop = pytest.StashKey[asyncio.AbstractEventLoop]()
_made = pytest.StashKey[list[UUID]]()
_administrated = pytest.StashKey[bool]()
# The clock of the worker's database, while functions that can be moved tell the time there.
_movable = pytest.StashKey[Clock]()


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
    node.workerinput["questlog"] = (server.migrated.name, server.admin_url, server.passwords)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out the tests as `--dist=loadgroup` does, at less cost."""
    return scheduling(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests that move the clock after all others.

    Between one that moves it and one that does not, the functions of time are replaced, and every connection plans its
    statements anew.
    """
    items.sort(key=_moves_clock)


def _moves_clock(item: pytest.Item) -> bool:
    return isinstance(item, pytest.Function) and "clock" in item.fixturenames


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Have a test that moves no clock run with the functions that a deployed database has."""
    clock = item.config.stash.get(_movable, None)
    if clock is not None and isinstance(item, pytest.Function) and not _moves_clock(item):
        clock.reset()
        del item.config.stash[_movable]


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[_loop].close()
    server = config.stash.get(_server, None)
    if server is not None:
        server.stop()


@pytest.fixture(scope="session")
def migrated(request: pytest.FixtureRequest) -> Database:
    """The database that others are copied from: migrated, touched by nobody since, and without connections."""
    given = getattr(request.config, "workerinput", {}).get("questlog")
    if given is None:
        server = request.config.stash[_server]
        given = (server.migrated.name, server.admin_url, server.passwords)
    return Database(*given)


@pytest.fixture(scope="session")
def database(migrated: Database) -> Iterator[Database]:
    """This worker's database."""
    name = f"{migrated.name}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    database = Database(name, migrated.server_url, migrated.passwords).create(migrated.name)
    database.set_limits(generous=True)
    keep_originals(database)
    database.serve()
    yield database
    logins.disconnect()
    database.drop()


@pytest.fixture
def untouched(migrated: Database) -> Iterator[Database]:
    """A copy of the migrated database for one test alone, which may do to it what it likes."""
    copy = Database(f"{migrated.name}_{secrets.token_hex(4)}", migrated.server_url, migrated.passwords)
    yield copy.create(migrated.name)
    copy.drop()


@pytest.fixture
def limits(database: Database) -> Iterator[None]:
    """Statements and locks have the limits of production, which a busy machine would exceed elsewhere."""
    database.set_limits(generous=False)
    yield
    database.set_limits(generous=True)


@pytest.fixture
def clock(request: pytest.FixtureRequest, database: Database) -> Iterator[Clock]:
    """The time of this worker's database, to be moved by the test: set(), advance(), freeze(). It is put back after.

    The functions that can be moved stay for the next test that wants them: to replace them has every connection plan
    everything anew, which takes longer than most tests do.
    """
    clock = Clock(database.admin)
    yield clock
    if clock.moved():
        database.query("UPDATE local.clock SET shift = '0', stopped_at = NULL")
        request.config.stash[_movable] = clock


@pytest.fixture
def noon(clock: Clock) -> None:
    """Begins at noon of a Wednesday, so that a test that counts days does not meet midnight on its way."""
    clock.set(NOON)


@pytest.fixture
def new_user(request: pytest.FixtureRequest, database: Database) -> Iterator[NewUser]:
    """Makes users: consented, with a session of a browser, unless told otherwise."""
    roles = set()

    def make(**options: Any) -> User:
        roles.add(options.get("role", "user"))
        with database.admin() as connection:
            user = create_user(connection, **options)
        made_users(request).append(user.id)
        return user

    yield make
    request.node.stash[_administrated] = bool(roles - {"user"})


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


@pytest.fixture(scope="session")
def frontend() -> Iterator[str]:
    """The origin of a page on port 3000, which the local stack's defaults allow."""
    with served(3000) as origin:
        yield origin


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory, frontend: str) -> Iterator[Stack]:
    """The local stack. It takes long to start: what needs it is in the group `browser`, so that one worker has it."""
    with running_beside(frontend, tmp_path_factory.mktemp("stack") / "data") as stack:
        yield stack


@pytest.fixture(scope="session")
def gateway(running: Stack) -> str:
    """The address of the local stack."""
    return running.gateway


@pytest.fixture(autouse=True)
def _ledger_explains_every_balance(request: pytest.FixtureRequest) -> Iterator[None]:
    """After every test that made users, the ledger of each must add up."""
    yield
    if "new_user" in request.fixturenames:
        database: Database = request.getfixturevalue("database")
        for user_id in made_users(request):
            assert database.audit(user_id) == []
        if request.node.stash.get(_administrated, False):
            restore_originals(database, made_users(request))


def made_users(request: pytest.FixtureRequest) -> list[UUID]:
    """The users that this test has made."""
    made: list[UUID] = request.node.stash.setdefault(_made, [])
    return made


__all__ = ["ENVIRONMENT", "LOGINS", "TERMS", "Answer", "Client", "Database", "NewUser", "User", "at_once"]
