from tests.conftest import User


def inhabit(user: User) -> None:
    """Leave one of everything this group keeps in the user's account."""
    user.post("/user/inbox", {"title": "Ask Ada about the bell", "tags": ["ada"], "action_url": "/focus"})
    made = user.post("/user/inbox", {"title": "Call home"}).data["id"]
    user.post(f"/user/inbox/{made}/process", {"to": "quest"})
