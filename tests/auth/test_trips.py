"""How often a request goes to the database: once, but for the sign-in, which asks the provider in between."""

from collections.abc import Callable, Sequence

import pytest
from psycopg.rows import DictRow

from questlog import db

from tests.auth.conftest import Browser, Someone
from tests.conftest import User
from tests.support.client import Client

Trips = Callable[[], int]


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> Trips:
    """How many trips there were since this was last asked."""
    send = db.send
    counted: list[int] = []

    def counting(connection: db.Connection, statements: Sequence[db.Statement]) -> list[list[DictRow]]:
        counted.append(len(statements))
        return send(connection, statements)

    monkeypatch.setattr(db, "send", counting)

    def since() -> int:
        count = len(counted)
        counted.clear()
        return count

    return since


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/auth/session", None),
        ("GET", "/auth/me", None),
        ("POST", "/auth/verify-age", {"is_16_or_older": True}),
        ("POST", "/auth/verify-age", {"is_16_or_older": False}),
        ("POST", "/auth/verify-age", {}),
        ("POST", "/auth/accept-tos", {"accepted": True}),
        ("POST", "/auth/accept-tos", {"accepted": True, "version": "0"}),
        ("GET", "/auth/sessions", None),
        ("POST", "/auth/sessions", {"name": "Script"}),
        ("DELETE", "/auth/sessions", None),
        ("DELETE", "/auth/sessions/2b3c0f6e-0000-4000-8000-000000000000", None),
        ("GET", "/admin-access/status", None),
        ("GET", "/admin-access/check", None),
        ("POST", "/admin-access/claim", {"claimKey": "wrong"}),
        ("POST", "/auth/signout", None),
    ],
)
def test_one(user: User, trips: Trips, method: str, path: str, body: object) -> None:
    user.request(method, path, body=body)
    assert trips() == 1


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/auth/providers"), ("GET", "/auth/session"), ("POST", "/auth/signout")]
)
def test_none(stranger: Client, trips: Trips, method: str, path: str) -> None:
    assert stranger.request(method, path).status == 200
    assert trips() == 0


def test_signing_in(person: Someone, trips: Trips) -> None:
    browser = Browser()
    location = browser.start()
    assert trips() == 1
    browser.return_with(person.provider.agree(location, person.subject))
    assert trips() == 2
    browser.return_with({"error": "access_denied"})
    assert trips() == 2
