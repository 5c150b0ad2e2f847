"""Health, version and readiness (platform contract, 3). Servers that fail are in tests/layer/test_connection.py."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from questlog.release import SCHEMA_VERSION, VERSION

from tests.conftest import Database
from tests.support.client import Client, gateway_event
from tests.support.fresh import FreshFunction

READY = ("/ready", "/health/ready", "/api/ready", "/api/health/ready")


def test_what_this_is(stranger: Client) -> None:
    expected = {"name": "Questlog", "version": VERSION, "docs": "/docs", "openapi": "/openapi.json"}
    assert stranger.get("/").json == stranger.get("/api").json == stranger.get("/api/").json == expected


def test_health_asks_no_database(stranger: Client) -> None:
    document = stranger.get("/health").json
    at = datetime.fromisoformat(document.pop("timestamp"))
    assert document == {"status": "healthy", "version": VERSION, "schema_version": SCHEMA_VERSION}
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=1)
    assert re.fullmatch(r"[0-9T:.-]+Z", stranger.get("/health").json["timestamp"])


@pytest.mark.parametrize("path", READY)
def test_ready(stranger: Client, path: str) -> None:
    assert stranger.get(path).json == {"status": "ready", "database": "ok", "schema_version": SCHEMA_VERSION}
    assert stranger.get("/nope").refused(404, "not_found") == {}
    assert stranger.post("/health").refused(405, "method_not_allowed") == {"allowed": ["GET"]}


@pytest.mark.parametrize("path", READY)
def test_a_database_whose_migrations_are_behind(stranger: Client, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr("functions.health.app.SCHEMA_VERSION", SCHEMA_VERSION + 1)
    details = stranger.get(path).refused(503, "unavailable")
    assert details == {"database": "ok", "schema_version": SCHEMA_VERSION, "expected": SCHEMA_VERSION + 1}
    assert stranger.get("/health").status == 200


def test_a_database_that_is_ahead_serves_an_older_release(stranger: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A release is migrated before it runs; the version is the database's, not the one built in."""
    monkeypatch.setattr("functions.health.app.SCHEMA_VERSION", SCHEMA_VERSION - 1)
    assert stranger.get("/ready").json["schema_version"] == SCHEMA_VERSION
    assert stranger.get("/health").json["schema_version"] == SCHEMA_VERSION - 1


def test_which_release_this_is(stranger: Client, database: Database) -> None:
    unknown = {"version": VERSION, "schema_version": SCHEMA_VERSION, "commit": None, "built_at": None}
    assert stranger.get("/version").json == unknown
    built = {"QUESTLOG_COMMIT": "0123abc", "QUESTLOG_BUILT_AT": "2031-05-09T08:00:00Z"}
    with FreshFunction("health", database.app_url, **built) as function:
        document = json.loads(function.invoke(gateway_event("GET", "/version"))["body"])
    assert document == unknown | {"commit": "0123abc", "built_at": "2031-05-09T08:00:00Z"}
