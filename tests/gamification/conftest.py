"""Accounts with something in them: paid the way a route would, by the requests' role with the user set."""

from collections.abc import Callable
from functools import partial

import pytest
from psycopg.rows import DictRow

from tests.conftest import Database, User
from tests.support.ledger import as_user, award

Pay = Callable[..., DictRow]


@pytest.fixture
def pay(database: Database) -> Pay:
    """Pays a user an award: tests.support.ledger.award() on this worker's database."""
    return partial(award, database)


@pytest.fixture
def spend(database: Database) -> Pay:
    """Spends coins of a user under a key."""

    def take(user: User, coins: int, key: str) -> DictRow:
        sql = "SELECT s.* FROM spend(%(coins)s::bigint, 'market_purchase', 'test', NULL, %(key)s) AS s"
        [row] = as_user(database, user, sql, coins=coins, key=key)
        return row

    return take


@pytest.fixture
def reverse(database: Database) -> Pay:
    """Reverses what a user was paid under a key."""

    def undo(user: User, key: str) -> DictRow:
        [row] = as_user(database, user, "SELECT r.* FROM reverse(%(key)s, 'a test') AS r", key=key)
        return row

    return undo
