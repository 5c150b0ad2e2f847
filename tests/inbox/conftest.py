from typing import Any

from tests.conftest import Client, Database, User


def added(user: Client, title: str = "Ask Ada", **fields: Any) -> dict[str, Any]:
    """An item that the user wrote."""
    item: dict[str, Any] = user.post("/user/inbox", {"title": title} | fields).data
    return item


def changed(user: Client, item: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """An item after a change."""
    after: dict[str, Any] = user.patch(f"/user/inbox/{item['id']}", fields).data
    return after


def shown(user: Client, item: dict[str, Any]) -> dict[str, Any]:
    """An item as it reads now."""
    now: dict[str, Any] = user.get(f"/user/inbox/{item['id']}").data
    return now


def listed(user: Client, status: str | None = None, **query: Any) -> dict[str, Any]:
    """A list of items."""
    data: dict[str, Any] = user.get("/user/inbox", query=query | ({"status": status} if status else {})).data
    return data


def titles(user: Client, status: str | None = None) -> list[str]:
    """The titles of a list's items."""
    return [item["title"] for item in listed(user, status)["items"]]


def unread(user: Client) -> int:
    """How many items are unread, which every list and the badge say alike."""
    counts = {listed(user, status)["unread_count"] for status in STATUSES}
    counts.add(user.get("/sync/badges").json["unread_inbox"])
    [count] = counts
    return int(count)


def notify(database: Database, user: User, title: str = "Your export is ready", **fields: Any) -> None:
    """The app tells the user something."""
    database.query(
        "SELECT internal.notify_user(%s, %s, %s, %s)", user.id, title, fields.get("description"), fields.get("url")
    )


STATUSES = ["open", "unread", "archived", "processed", "snoozed", "all"]
