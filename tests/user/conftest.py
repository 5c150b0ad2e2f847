import secrets
from collections.abc import Callable

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.conftest import Database, User

Pay = Callable[..., None]


@pytest.fixture
def pay(database: Database) -> Pay:
    """Pays a user under a new key, as a route of another group would; `days_ago` counts local days."""

    def award(
        user: User,
        event_type: str,
        *,
        xp: int = 0,
        coins: int = 0,
        counters: dict[str, int] | None = None,
        days_ago: int = 0,
    ) -> None:
        with psycopg.connect(database.app_url, autocommit=True) as connection:
            connection.execute("SELECT set_config('app.user_id', %s, false)", [str(user.id)])
            connection.execute(
                "SELECT award(%s, 'test', NULL, %s::bigint, %s::bigint, %s, counters => %s,"
                "             day => local_today() - %s::int)",
                [event_type, xp, coins, f"test:{secrets.token_hex(8)}", Jsonb(counters or {}), days_ago],
            )

    return award
