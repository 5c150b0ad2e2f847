from typing import Any

import pytest

from tests.conftest import Answer, User


@pytest.fixture(autouse=True)
def _noon(noon: None) -> None:
    """Plans are of days: each test begins at noon."""


def plan_of(answer: Answer) -> dict[str, Any]:
    """The plan of an answer that succeeded."""
    assert answer.status == 200, answer.text
    plan: dict[str, Any] = answer.json["plan"]
    return plan


def generated(user: User, **fields: Any) -> dict[str, Any]:
    """A plan just generated."""
    return plan_of(user.post("/daily-plan", {"action": "generate", **fields}))


def written(user: User, *items: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A plan just written whole."""
    return plan_of(user.post("/daily-plan", {"action": "update", "items": list(items), **fields}))


def ticked(user: User, item_id: str, **fields: Any) -> dict[str, Any]:
    """A plan after a tick."""
    return plan_of(user.post("/daily-plan", {"action": "complete_item", "item_id": item_id, **fields}))


def shown(user: User, **query: Any) -> dict[str, Any]:
    """A plan as it reads now."""
    return plan_of(user.get("/daily-plan", query=query))


def ids(plan: dict[str, Any]) -> list[str]:
    return [item["id"] for item in plan["items"]]
