from typing import Any

import pytest

from tests.conftest import User


@pytest.fixture(autouse=True)
def _noon(noon: None) -> None:
    """Today is a day: each test begins at its noon."""


def today(user: User) -> dict[str, Any]:
    """The dashboard."""
    answer = user.get("/today")
    assert answer.status == 200, answer.text
    document: dict[str, Any] = answer.json
    return document


def state(user: User) -> dict[str, bool]:
    return dict(today(user)["userState"])


def log(user: User, event_type: str) -> None:
    """What a client notes of its own accord."""
    assert user.post("/activity", {"event_type": event_type}).status == 200
