from collections.abc import Callable
from functools import partial

import pytest
from psycopg.rows import DictRow

from tests.conftest import Database
from tests.support.ledger import award

Pay = Callable[..., DictRow]


@pytest.fixture
def pay(database: Database) -> Pay:
    """Pays a user an award: tests.support.ledger.award() on this worker's database."""
    return partial(award, database)
