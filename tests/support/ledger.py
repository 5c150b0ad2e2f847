"""The ledger of a user, at the level of SQL: paid the way a route would pay, and read behind the curtain."""

import secrets
from typing import Any
from uuid import UUID

from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from tests.support.database import Database
from tests.support.users import User


def as_user(database: Database, user: User, sql: str, **parameters: Any) -> list[DictRow]:
    """The rows of a statement that runs as a request of the user would: by the requests' role, with the user set."""
    with database.connected_as("questlog_app", user.id) as connection:
        cursor = connection.execute(sql.encode(), parameters)
        return cursor.fetchall() if cursor.description else []


def award(
    database: Database,
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
    """Pay an award, under a new key unless one is given, on the local day so many days ago; what award() returns."""
    [row] = as_user(
        database,
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
    return row


def purchase(database: Database, user_id: UUID, item: str, quantity: int = 1) -> UUID:
    """A purchase of a shared item, without a payment: to set a stage. Returns its id."""
    [row] = database.query(
        """
        INSERT INTO user_purchases (user_id, item_owner, item_id, item_key, item_name, category, is_consumable,
                                    unit_price, quantity, price_paid, uses_total, uses_remaining, purchased_at)
        SELECT %s, owner_key, id, key, name, category, true, 0, q.n, 0, q.n, q.n, clock()
          FROM market_items, (SELECT %s::int AS n) AS q
         WHERE key = %s AND owner_id IS NULL
        RETURNING id
        """,
        *(user_id, quantity, item),
    )
    database.query("SELECT count_totals(%s)", user_id)
    return UUID(str(row["id"]))


def boost(database: Database, user_id: UUID, *, factor: float, started: str, ends: str) -> UUID:
    """A boost that begins and ends at these distances from now, such as "-2 hours". Returns its id."""
    [row] = database.query(
        """
        INSERT INTO user_effects (user_id, purchase_id, effect_type, factor, started_at, ends_at)
        VALUES (%s, %s, 'xp_multiplier', %s, clock() + %s::interval, clock() + %s::interval)
        RETURNING id
        """,
        *(user_id, purchase(database, user_id, "xp_boost_1h"), factor, started, ends),
    )
    return UUID(str(row["id"]))


def wallet(database: Database, user: User) -> tuple[int, int]:
    """The user's lifetime XP and coins."""
    rows = database.query(
        "SELECT total_xp, coins FROM user_progress JOIN user_wallet USING (user_id) WHERE user_id = %s", user.id
    )
    return (rows[0]["total_xp"], rows[0]["coins"]) if rows else (0, 0)


def counter(database: Database, user: User, name: str) -> int:
    """What one of the user's counters stands at."""
    rows = database.query("SELECT value FROM user_counters WHERE user_id = %s AND counter = %s", user.id, name)
    return rows[0]["value"] if rows else 0


def payments(database: Database, user: User, *event_types: str) -> list[tuple[str, int, int]]:
    """What the user was paid for events of these types: type, XP, coins, oldest first."""
    rows = database.query(
        "SELECT event_type, xp, coins FROM points_ledger WHERE user_id = %s AND event_type = ANY (%s) ORDER BY seq",
        *(user.id, list(event_types)),
    )
    return [(row["event_type"], row["xp"], row["coins"]) for row in rows]
