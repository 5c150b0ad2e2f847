"""What a function does before its first request: there Lambda gives it a whole core."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.conftest import Database, User
from tests.support.client import ROOT, gateway_event
from tests.support.environment import ENVIRONMENT
from tests.support.fresh import FreshFunction
from tests.support.proxy import Proxy


@pytest.fixture
def proxy(database: Database) -> Iterator[Proxy]:
    with Proxy(database.app_url) as proxy:
        yield proxy


def habits(user: User) -> dict[str, object]:
    return gateway_event("GET", "/habits", cookies={"__Host-session": user.token or ""})


@pytest.mark.parametrize("starts_as", ["on-demand", "provisioned-concurrency"])
def test_the_first_request_finds_a_connection_and_takes_one_trip(proxy: Proxy, user: User, starts_as: str) -> None:
    with FreshFunction("habits", proxy.url, starts_as) as function:
        before = proxy.trips
        assert before > 1
        assert function.invoke(habits(user))["statusCode"] == 200
        assert proxy.trips - before == 1


@pytest.mark.parametrize("starts_as", ["snap-start", ""])
def test_no_connection_is_frozen_into_a_snapshot_nor_opened_by_an_import(
    proxy: Proxy, user: User, starts_as: str
) -> None:
    with FreshFunction("habits", proxy.url, starts_as) as function:
        assert proxy.trips == 0
        assert function.invoke(habits(user))["statusCode"] == 200
        assert proxy.trips > 1


def test_a_function_without_a_route_that_asks_who_it_is_does_not_connect(proxy: Proxy) -> None:
    with FreshFunction("health", proxy.url, "on-demand") as function:
        assert function.invoke(gateway_event("GET", "/health"))["statusCode"] == 200
        assert proxy.trips == 0


@pytest.mark.parametrize(("starts_as", "built"), [("snap-start", "True"), ("", "False")])
def test_a_start_builds_the_schemas_of_what_screens_open_with(starts_as: str, built: str) -> None:
    program = "import functions.today.app, functions.today.models as models; print(models.Today.__pydantic_complete__)"
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        **ENVIRONMENT,
        "PYTHONPATH": f"{ROOT}:{ROOT / 'layers' / 'common'}",
        "AWS_LAMBDA_INITIALIZATION_TYPE": starts_as,
    }
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == built


def test_a_function_starts_while_the_database_is_away(user: User) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    nowhere = f"postgresql://questlog_app@127.0.0.1:{port}/x"
    with FreshFunction("habits", nowhere, "on-demand") as function:
        assert function.invoke(habits(user))["statusCode"] == 503
