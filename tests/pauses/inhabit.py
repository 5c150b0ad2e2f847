from datetime import UTC, datetime, timedelta

from tests.conftest import User


def inhabit(user: User) -> None:
    """Leave one of everything this group keeps in the user's account.

    Everything is paused later: today the other groups' things are looked at.
    """
    habit = user.post("/habits", {"name": "Swim"}).data["id"]
    user.post("/pauses", {"habit_id": habit})
    later = datetime.now(UTC).date() + timedelta(days=30)
    user.post("/pauses", {"from": str(later), "to": str(later)})
