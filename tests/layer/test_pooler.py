"""Behind a pooler in transaction mode: one that keeps prepared statements changes nothing, any other is named."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from tests.conftest import Database, NewUser, User, at_once
from tests.support.client import LOGINS, gateway_event
from tests.support.fresh import FreshFunction
from tests.support.pgbouncer import KEEPS_STATEMENTS, PgBouncer, program, version
from tests.support.routes import inhabit, routes

pytestmark = pytest.mark.skipif(
    program() is None and not os.environ.get("CI"), reason="there is no PgBouncer here; in CI there must be one"
)
can_keep = pytest.mark.skipif(
    version() < KEEPS_STATEMENTS, reason="this PgBouncer cannot keep prepared statements; 1.21 and newer can"
)

StartPooler = Callable[[str, int], PgBouncer]


@pytest.fixture
def start_pooler(database: Database, tmp_path: Path) -> Iterator[StartPooler]:
    """Puts a pooler of a mode, which keeps so many prepared statements, in front of the database for all functions."""
    with ExitStack() as running:

        def start(mode: str, keeps: int) -> PgBouncer:
            pooler = PgBouncer(tmp_path, database.app_url, database.passwords, mode=mode, max_prepared_statements=keeps)
            running.enter_context(pooler)
            database.serve(pooler.on_the_way_to)
            return pooler

        yield start
        database.serve()


def test_one_that_keeps_no_statements_is_named_at_the_first_request_and_at_each(
    start_pooler: StartPooler, database: Database, user: User
) -> None:
    pooler = start_pooler("transaction", 0)
    event = gateway_event("GET", "/habits", cookies={"__Host-session": user.token or ""})
    url = pooler.on_the_way_to(database.app_url)
    for starts_as in ("on-demand", ""):
        with FreshFunction("habits", url, starts_as, POWERTOOLS_LOG_LEVEL="ERROR") as function:
            for _ in range(3):
                assert function.invoke(event)["statusCode"] == 503
            said = {line["message"] for line in function.log}
            assert len(function.log) == 3
            assert len(said) == 1
            assert "max_prepared_statements" in said.pop()


def test_no_request_through_it_is_500_and_none_is_done(start_pooler: StartPooler, user: User) -> None:
    start_pooler("transaction", 0)

    def work() -> list[int]:
        asked = (user.get("/focus"), user.post("/focus/libraries", {"name": "a"}), user.post("/habits", {"name": "b"}))
        return [answer.status for answer in asked * 2]

    assert {status for statuses in at_once(4, work) for status in statuses} == {503}


def test_one_in_session_mode_is_taken(start_pooler: StartPooler, user: User) -> None:
    """What it lends to one client it lends to no other, so that every statement stays where it was prepared."""
    start_pooler("session", 0)
    assert [user.get("/focus").status for _ in range(3)] == [200] * 3


@can_keep
def test_one_that_keeps_them_changes_nothing(start_pooler: StartPooler, new_user: NewUser) -> None:
    """Every route is asked over four connections at once, which share three of the server's."""
    asked = [route for route in routes() if route.group not in LOGINS and not route.public]
    start_pooler("transaction", 500)
    parts = [asked[start::4] for start in range(4)]

    def work() -> dict[str, int]:
        statuses = {}
        for route in parts.pop():
            user = new_user()
            inhabit(route.group, user)
            for key in (None, *([str(uuid4())] * 2 if route.takes_key else ())):
                statuses[f"{route} {key}"] = route.ask(user, key=key).status
        return statuses

    failed = {name: status for part in at_once(4, work) for name, status in part.items() if status >= 500}
    assert failed == {}
