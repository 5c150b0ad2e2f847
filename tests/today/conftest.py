from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Database, User

Age = Callable[..., None]


@pytest.fixture
def age(database: Database) -> Age:
    """Lets hours pass since all that a user did, and days since the account was made."""

    def move(user: User, *, hours: float = 0, account_days: int = 0) -> None:
        # The ledger lets nobody change a row: the triggers that say so are off in this transaction.
        database.query(
            f"""
            DO $$ BEGIN
                SET LOCAL session_replication_role = replica;
                UPDATE points_ledger SET created_at = created_at - interval '{hours} h' WHERE user_id = '{user.id}';
                UPDATE activity_events SET created_at = created_at - interval '{hours} h' WHERE user_id = '{user.id}';
                UPDATE users SET created_at = created_at - interval '{account_days} d' WHERE id = '{user.id}';
            END $$
            """
        )

    return move


def today(user: User) -> dict[str, Any]:
    """The dashboard."""
    answer = user.get("/today")
    assert answer.status == 200, answer.text
    document: dict[str, Any] = answer.json
    return document


def state(user: User) -> dict[str, bool]:
    return dict(today(user)["userState"])


def log(user: User, event_type: str) -> None:
    """What a client notes of its own accord."""
    assert user.post("/activity", {"event_type": event_type}).status == 200
