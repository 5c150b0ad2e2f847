from tests.conftest import User
from tests.reference.uploads import register


def inhabit(user: User) -> None:
    """Leave one of everything this group keeps in the user's account."""
    register(user)
