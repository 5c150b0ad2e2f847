from typing import Any

from tests.conftest import Database, User


def made(user: User, *milestones: str, **fields: Any) -> dict[str, Any]:
    """A goal just made, with milestones of these titles."""
    goal = user.post("/goals", {"title": "Write a book", **fields}).data
    for title in milestones:
        user.post(f"/goals/{goal['id']}/milestones", {"title": title})
    shown: dict[str, Any] = user.get(f"/goals/{goal['id']}").data
    return shown


def complete(user: User, milestone: dict[str, Any]) -> dict[str, Any]:
    """The answer to completing a milestone."""
    answer: dict[str, Any] = user.post(f"/goals/milestones/{milestone['id']}/complete").data
    return answer


def payments(user: User, database: Database) -> list[tuple[str, int, int]]:
    """What the user was paid for goals and milestones: event, XP, coins, oldest first."""
    rows = database.query(
        "SELECT event_type, xp, coins FROM points_ledger"
        " WHERE user_id = %s AND event_type IN ('goal_complete', 'milestone_complete') ORDER BY seq",
        user.id,
    )
    return [(row["event_type"], row["xp"], row["coins"]) for row in rows]


def counter(user: User, database: Database, name: str) -> int:
    rows = database.query("SELECT value FROM user_counters WHERE user_id = %s AND counter = %s", user.id, name)
    return rows[0]["value"] if rows else 0
