"""Entries to list, search and change."""

from typing import Any

from tests.conftest import User


def added(user: User, title: str = "Gain staging", content: str = "", **fields: Any) -> dict[str, Any]:
    """An entry."""
    made: dict[str, Any] = user.post("/infobase", {"title": title, "content": content} | fields).data
    return made


def changed(user: User, entry: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """An entry after a change."""
    now: dict[str, Any] = user.put(f"/infobase/{entry['id']}", fields).data
    return now


def listed(user: User, **query: Any) -> list[str]:
    """The titles of a list, all of it on one page."""
    page = user.get("/infobase", query=query).data
    assert page["total"] == len(page["entries"])
    return [entry["title"] for entry in page["entries"]]


def found(user: User, search: str, **query: Any) -> list[str]:
    """The titles that a search finds, in its order."""
    return listed(user, search=search, **query)


def snippet(user: User, search: str) -> str:
    """The snippet of the only entry that a search finds."""
    [entry] = user.get("/infobase", query={"search": search}).data["entries"]
    text: str = entry["snippet"]
    return text
