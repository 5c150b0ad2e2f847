"""`make run ARGS="--as dev@localhost"`: whoever brings no session acts as that user (platform contract, 2)."""

import secrets

import pytest

from local.acting import Acting
from local.clock import Clock
from tests.conftest import TERMS, Database
from tests.support.client import Client


@pytest.fixture
def acting(database: Database) -> Acting:
    return Acting(database.admin_url, f"{secrets.token_hex(6)}@localhost", "user", TERMS)


def test_the_session_is_a_real_one_and_stays(acting: Acting) -> None:
    token = acting.session()
    client = Client(token)
    assert client.get("/auth/session").json["user"]["email"].endswith("@localhost")
    assert client.get("/habits").status == 200
    assert acting.session() == token


def test_after_a_sign_out_the_next_request_has_another(acting: Acting) -> None:
    before = acting.session()
    assert Client(before).post("/auth/signout").status == 200
    Client(before).get("/habits").refused(401, "unauthorized")
    assert Client(acting.session()).get("/habits").status == 200


def test_after_it_was_revoked_or_has_ended_too(acting: Acting, database: Database, clock: Clock) -> None:
    first = acting.session()
    database.query("DELETE FROM sessions WHERE user_agent = 'make run'")
    second = acting.session()
    clock.advance("P2D")
    third = acting.session()
    assert len({first, second, third}) == 3
    assert Client(third).get("/habits").status == 200


def test_an_account_that_was_deleted_is_made_anew(acting: Acting) -> None:
    assert Client(acting.session()).delete("/user/delete").status == 200
    assert Client(acting.session()).get("/habits").data["habits"] == []
