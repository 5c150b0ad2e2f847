"""Users whose quests move: by the ledger, as any route that pays would move them, and by the days that pass."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import Jsonb

from tests.conftest import Database, NewUser, User

AsUser = Callable[..., list[DictRow]]
Earn = Callable[..., str]
Pass = Callable[[User], None]


@pytest.fixture
def as_user(database: Database) -> AsUser:
    """Runs a statement as a user's request would and answers its rows."""

    def run(user: User, sql: str, **parameters: Any) -> list[DictRow]:
        with psycopg.connect(database.app_url, autocommit=True, row_factory=dict_row) as connection:
            connection.execute("SELECT set_config('app.user_id', %s, false)", [str(user.id)])
            cursor = connection.execute(sql.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    return run


@pytest.fixture
def earn(as_user: AsUser) -> Earn:
    """Awards an event without XP and coins that moves these counters, so many days ago; answers the ledger's key."""

    def award(user: User, event_type: str = "focus_partial", days_ago: int = 0, **counters: int) -> str:
        key = f"test:{secrets.token_hex(8)}"
        as_user(
            user,
            "SELECT award(%(event)s, 'test', NULL, 0, 0, %(key)s, counters => %(counters)s,"
            " day => local_today() - %(days_ago)s::int)",
            event=event_type,
            key=key,
            counters=Jsonb(counters),
            days_ago=days_ago,
        )
        return key

    return award


@pytest.fixture
def early(new_user: NewUser) -> User:
    """A user in a zone so far west that `tomorrow` has somewhere to go: 24 hours further east."""
    hours = 10 if datetime.now(UTC).hour == 10 else 11  # it must not be about to be midnight there
    return new_user(settings={"timezone": f"Etc/GMT+{hours}"})


@pytest.fixture
def tomorrow(database: Database) -> Pass:
    """Makes it the next local day for a user who was `early`."""

    def move(user: User) -> None:
        database.query(
            "UPDATE user_settings SET value = to_jsonb('Etc/GMT-' || 24 - split_part(value #>> '{}', '+', 2)::int)"
            " WHERE user_id = %s AND key = 'timezone'",
            user.id,
        )

    return move


def added(user: User, **fields: Any) -> dict[str, Any]:
    """A quest just written."""
    quest: dict[str, Any] = user.post("/quests", {"title": "Call home", "category": "family", **fields}).data
    return quest


def universal(user: User, key: str) -> dict[str, Any]:
    """A universal quest as the user sees it."""
    [quest] = [
        quest for quest in user.get("/quests", query={"kind": "universal"}).data["quests"] if quest["key"] == key
    ]
    found: dict[str, Any] = quest
    return found


def wallet(user: User, database: Database) -> tuple[int, int]:
    """The user's lifetime XP and coins."""
    rows = database.query(
        "SELECT total_xp, coins FROM user_progress JOIN user_wallet USING (user_id) WHERE user_id = %s", user.id
    )
    return (rows[0]["total_xp"], rows[0]["coins"]) if rows else (0, 0)


def paid(completion: dict[str, Any]) -> tuple[int, int]:
    return completion["xp_awarded"], completion["coins_awarded"]
