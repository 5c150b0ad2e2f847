"""Accounts with something in them: paid the way a route would, by the requests' role with the user set."""

import secrets
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import Jsonb

from tests.conftest import Database, User

Pay = Callable[..., DictRow]


@pytest.fixture
def as_user(database: Database) -> Callable[..., DictRow]:
    """Runs a statement as a user's request would and answers its one row."""

    def run(user: User, sql: str, **parameters: Any) -> DictRow:
        with psycopg.connect(database.app_url, autocommit=True, row_factory=dict_row) as connection:
            connection.execute("SELECT set_config('app.user_id', %s, false)", [str(user.id)])
            row = connection.execute(sql.encode(), parameters).fetchone()
            assert row is not None
            return row

    return run


@pytest.fixture
def pay(as_user: Callable[..., DictRow]) -> Pay:
    """Pays a user an award, a goal's under a new key unless told otherwise; `days_ago` counts local days."""

    def award(
        user: User,
        event_type: str = "goal_complete",
        *,
        xp: int = 0,
        coins: int = 0,
        key: str | None = None,
        skill: str | None = None,
        counters: dict[str, int] | None = None,
        metadata: dict[str, Any] | None = None,
        days_ago: int = 0,
    ) -> DictRow:
        return as_user(
            user,
            """
            SELECT a.* FROM award(%(event_type)s, 'test', NULL, %(xp)s::bigint, %(coins)s::bigint, %(key)s,
                                  skill_key => %(skill)s::text, counters => %(counters)s, metadata => %(metadata)s,
                                  day => local_today() - %(days_ago)s::int) AS a
            """,
            event_type=event_type,
            xp=xp,
            coins=coins,
            key=key or f"test:{secrets.token_hex(8)}",
            skill=skill,
            counters=Jsonb(counters or {}),
            metadata=Jsonb(metadata or {}),
            days_ago=days_ago,
        )

    return award


@pytest.fixture
def spend(as_user: Callable[..., DictRow]) -> Pay:
    def take(user: User, coins: int, key: str) -> DictRow:
        sql = "SELECT s.* FROM spend(%(coins)s::bigint, 'market_purchase', 'test', NULL, %(key)s) AS s"
        return as_user(user, sql, coins=coins, key=key)

    return take


@pytest.fixture
def reverse(as_user: Callable[..., DictRow]) -> Pay:
    def undo(user: User, key: str) -> DictRow:
        return as_user(user, "SELECT r.* FROM reverse(%(key)s, 'a test') AS r", key=key)

    return undo
