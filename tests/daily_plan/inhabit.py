from tests.conftest import User


def inhabit(user: User) -> None:
    """Leave one of everything this group keeps in the user's account."""
    plan = user.post("/daily-plan", {"action": "generate"}).json["plan"]
    # An item's id is its plan's to choose; this one is also the id of a row.
    user.post("/daily-plan", {"action": "update", "items": [*plan["items"], {"id": plan["id"], "title": "Breathe"}]})
