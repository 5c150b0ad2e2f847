"""Ideas to list, search, change and promote."""

from typing import Any

from tests.conftest import Answer, User


def added(user: User, title: str = "A bridge in 7/8", **fields: Any) -> dict[str, Any]:
    """An idea."""
    made: dict[str, Any] = user.post("/ideas", {"title": title} | fields).data
    return made


def changed(user: User, idea: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """An idea after a change."""
    now: dict[str, Any] = user.put(f"/ideas/{idea['id']}", fields).data
    return now


def listed(user: User, **query: Any) -> list[str]:
    """The titles of a list, all of it on one page."""
    page = user.get("/ideas", query=query).data
    assert page["total"] == len(page["ideas"])
    return [idea["title"] for idea in page["ideas"]]


def promote(user: User, idea: dict[str, Any], to: str) -> Answer:
    """The answer to making an idea into something."""
    return user.post(f"/ideas/{idea['id']}/promote", {"to": to})
