from datetime import UTC, datetime
from typing import Any

from tests.conftest import Answer, Client, Database, User

ICS = {"content-type": "text/calendar"}


def added(user: User, **fields: Any) -> dict[str, Any]:
    """An event just added; without other word, at nine in UTC on the 5th of May 2031, a Monday."""
    body = {"title": "Stand-up", "start_time": "2031-05-05T09:00:00Z", "timezone": "UTC", **fields}
    event: dict[str, Any] = user.post("/calendar", body).data
    return event


def listed(user: User, since: str = "2031-01-01", until: str = "2032-12-31", **query: Any) -> list[dict[str, Any]]:
    """The events between two days."""
    events: list[dict[str, Any]] = user.get("/calendar", query={"start_date": since, "end_date": until, **query}).data[
        "events"
    ]
    return events


def starts(user: User, since: str = "2031-01-01", until: str = "2032-12-31") -> list[str]:
    """When the listed events start, to the minute and in UTC."""
    return [event["start_time"][:16] for event in listed(user, since, until)]


def at(text: str) -> datetime:
    """An instant as the wire shows it."""
    return datetime.fromisoformat(text).astimezone(UTC)


def name_of(event: dict[str, Any], day: str, time: str = "09") -> str:
    """The id of a series' occurrence on a day of May 2031, or of another month: "0602"."""
    date = f"203105{day}" if len(day) == 2 else f"2031{day}"
    return f"{event['id']}_{date}T{time.ljust(6, '0')}Z"


def imported(user: Client, *events: str, **headers: str) -> Answer:
    """The answer to the import of VEVENTs, given without their BEGIN and END."""
    lines = [f"{name.replace('_', '-')}:{value}" for name, value in headers.items()]
    for event in events:
        lines += ["BEGIN:VEVENT", *event.strip().splitlines(), "END:VEVENT"]
    text = "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN", *lines, "END:VCALENDAR", ""])
    return user.post("/calendar/import", text.encode(), headers=ICS)


def wallet(user: User, database: Database) -> tuple[int, int]:
    """The user's lifetime XP and coins."""
    rows = database.query(
        "SELECT total_xp, coins FROM user_progress JOIN user_wallet USING (user_id) WHERE user_id = %s", user.id
    )
    return (rows[0]["total_xp"], rows[0]["coins"]) if rows else (0, 0)
