from tests.conftest import User


def inhabit(user: User) -> None:
    """Leave one of everything this group keeps in the user's account."""
    user.post("/references", {"title": "How compressors work", "url": "https://questlog.test/", "tags": ["mixing"]})
