"""Those who may administrate."""

import pytest

from tests.conftest import NewUser, User


@pytest.fixture
def admin(new_user: NewUser) -> User:
    return new_user(role="admin")


@pytest.fixture
def moderator(new_user: NewUser) -> User:
    return new_user(role="moderator")
