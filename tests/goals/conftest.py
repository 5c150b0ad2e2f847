from typing import Any

from tests.conftest import Database, User
from tests.support import ledger


def complete(user: User, milestone: dict[str, Any]) -> dict[str, Any]:
    """The answer to completing a milestone."""
    answer: dict[str, Any] = user.post(f"/goals/milestones/{milestone['id']}/complete").data
    return answer


def payments(user: User, database: Database) -> list[tuple[str, int, int]]:
    """What the user was paid for goals and milestones: event, XP, coins, oldest first."""
    return ledger.payments(database, user, "goal_complete", "milestone_complete")
