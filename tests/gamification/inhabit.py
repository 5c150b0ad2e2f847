from tests.conftest import User


def inhabit(user: User) -> None:
    """Leave one of everything this group keeps in the user's account."""
    user.post("/activity", {"event_type": "page_view"})
