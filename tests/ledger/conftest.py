"""The ledger at the level of SQL: a connection as the requests' role, with a user set as authenticate() would."""

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from tests.conftest import Database, NewUser
from tests.ledger.model import Definitions
from tests.support.ledger import boost

BALANCES = (
    "points_ledger",
    "user_progress",
    "user_wallet",
    "user_skills",
    "user_streaks",
    "user_counters",
    "user_achievements",
)


def noon_zone() -> str:
    """A zone where it is about noon now: a test that counts days must not meet midnight."""
    ahead = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{-ahead:+d}"


@dataclass
class Ledger:
    """One user's ledger, as a request sees it."""

    connection: psycopg.Connection[DictRow]
    database: Database
    user_id: UUID
    today: date

    def day(self, back: int) -> date:
        return self.today - timedelta(days=back)

    def join_boards(self) -> None:
        """From now on the ledger also keeps what the boards show of the user."""
        self.rows("SELECT change_settings(%s)", Jsonb({"profile_public": True}))

    def rows(self, sql: str, *parameters: Any) -> list[DictRow]:
        cursor = self.connection.execute(sql.encode(), parameters)
        return cursor.fetchall() if cursor.description else []

    def row(self, sql: str, *parameters: Any) -> DictRow:
        [row] = self.rows(sql, *parameters)
        return row

    def value(self, sql: str, *parameters: Any) -> Any:
        [value] = self.row(sql, *parameters).values()
        return value

    def _call(self, function: str, arguments: dict[str, Any]) -> DictRow:
        # Cast, or a number of psycopg's choosing would be a smallint, a null unknown.
        types = {"xp": "bigint", "coins": "bigint", "skill_stars": "int", "source_id": "uuid", "day": "date"}
        sent = {name: Jsonb(v) if isinstance(v, dict | list) else v for name, v in arguments.items()}
        named = ", ".join(
            f"{name} => %({name})s::{types.get(name, 'jsonb' if name in ('counters', 'metadata') else 'text')}"
            for name in sent
        )
        [row] = self.connection.execute(f"SELECT r.* FROM {function}({named}) AS r".encode(), sent).fetchall()
        return row

    def award(self, event_type: str = "goal_complete", xp: Any = 10, coins: Any = 5, **more: Any) -> DictRow:
        given = {"source_type": "test", "source_id": None, "idempotency_key": f"test:{secrets.token_hex(8)}"} | more
        return self._call("award", {"event_type": event_type, "xp": xp, "coins": coins} | given)

    def spend(self, coins: Any = 1, **more: Any) -> DictRow:
        given = {"source_type": "test", "source_id": None, "idempotency_key": f"test:{secrets.token_hex(8)}"} | more
        return self._call("spend", {"coins": coins, "event_type": "market_purchase"} | given)

    def reverse(self, idempotency_key: str, reason: str | None = None) -> DictRow:
        return self._call("reverse", {"idempotency_key": idempotency_key, "reason": reason})

    def entries(self) -> list[DictRow]:
        """The user's rows, oldest first, as they lie in the table."""
        return self.database.query("SELECT * FROM points_ledger WHERE user_id = %s ORDER BY seq", self.user_id)

    def state(self) -> dict[str, list[DictRow]]:
        """Everything the ledger holds of this user."""
        return {
            table: self.database.query(f"SELECT * FROM {table} AS t WHERE user_id = %s ORDER BY t::text", self.user_id)
            for table in BALANCES
        }

    def problems(self) -> list[DictRow]:
        return self.database.query("SELECT * FROM ledger_audit WHERE user_id = %s", self.user_id)

    def boost(self, factor: float = 2, seconds: int = 3600) -> UUID:
        return boost(self.database, self.user_id, factor=factor, started="-2 hours", ends=f"{seconds} seconds")


@contextmanager
def refused(status: int | str, error_type: str | None = None) -> Iterator[SimpleNamespace]:
    """Assert that SQL says no: with this status and error type, or with a plain SQLSTATE."""
    told = SimpleNamespace(details=None)
    with pytest.raises(psycopg.Error) as caught:
        yield told
    assert caught.value.sqlstate == (f"PT{status}" if isinstance(status, int) else status), caught.value
    if error_type is not None:
        assert caught.value.diag.message_hint == error_type
        told.details = json.loads(caught.value.diag.message_detail or "null")


NewLedger = Callable[..., Ledger]


@pytest.fixture
def new_ledger(database: Database, new_user: NewUser) -> Iterator[NewLedger]:
    """Makes ledgers: of a new user, or over a further connection of the user of another one."""
    opened = ExitStack()

    def make(of: Ledger | None = None, role: str = "questlog_app") -> Ledger:
        user_id = of.user_id if of else new_user(settings={"timezone": noon_zone()}).id
        connection = opened.enter_context(database.connected_as(role, user_id))
        today = connection.execute("SELECT local_today() AS today").fetchone()
        assert today is not None
        return Ledger(connection, database, user_id, today["today"])

    with opened:
        yield make


@pytest.fixture
def ledger(new_ledger: NewLedger) -> Iterator[Ledger]:
    """A new user's ledger, which must add up when the test is over."""
    ledger = new_ledger()
    yield ledger
    assert ledger.problems() == []


@pytest.fixture(scope="session")
def definitions(database: Database) -> Definitions:
    return Definitions(
        events={row["event_type"]: row for row in database.query("SELECT * FROM event_definitions")},
        achievements=database.query("SELECT * FROM achievement_definitions ORDER BY sort_order, key"),
    )
