from typing import Any

import pytest

from tests.conftest import Answer, User

PARTS = {"progress": "progress", "badges": "badges", "focus": "focus-status", "plan": "plan-status"}


@pytest.fixture(autouse=True)
def _noon(noon: None) -> None:
    """Much of what is polled is of a day: each test begins at noon."""


def document(answer: Answer) -> dict[str, Any]:
    """The bare document of an answer that succeeded."""
    assert answer.status == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def poll(user: User) -> dict[str, Any]:
    return document(user.get("/sync/poll"))


def versions(user: User) -> dict[str, str]:
    known: dict[str, str] = document(user.get("/sync/state"))["versions"]
    return known


def changes(user: User, known: dict[str, str] | None = None, **fields: Any) -> dict[str, Any]:
    """What has changed since those versions, by domain."""
    answer = document(user.post("/sync/poll", {"client_versions": known or {}, **fields}))
    assert set(answer) == {"updates", "versions", "server_time"}
    updates: dict[str, Any] = answer["updates"]
    return updates
