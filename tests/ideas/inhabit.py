from tests.conftest import User


def inhabit(user: User) -> None:
    """Leave one of everything this group keeps in the user's account."""
    user.post("/ideas", {"content": "A bridge in 7/8\nOnly bells.", "key": "F#m", "bpm": 140, "mood": "restless"})
