"""Users of the tests: real rows, with a live session."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import DictRow
from psycopg.types.json import Json

from questlog.identity import Token, new_secret, secret_hash

from tests.support.client import Client
from tests.support.environment import TERMS


@dataclass(frozen=True)
class User(Client):
    """A user with a live session. What is asked of the client is asked as this user."""

    id: UUID = field(kw_only=True)
    email: str = field(kw_only=True)


NewUser = Callable[..., User]


def create_user(
    connection: psycopg.Connection[DictRow],
    *,
    role: str = "user",
    consented: bool = True,
    settings: dict[str, Any] | None = None,
) -> User:
    """A new user with a session of a browser; `consented` to age and terms. The connection is an administrator's.

    The session ends a hundred years from now, so that it outlives every move of the clock.
    """
    email = f"{secrets.token_hex(6)}@questlog.test"
    secret = new_secret()
    row = connection.execute(
        """
        WITH made AS (
            INSERT INTO users (email, name, role, age_verified_at, tos_version, tos_accepted_at)
            SELECT %s, 'Test', %s, w.at, CASE WHEN w.at IS NOT NULL THEN %s END, w.at
              FROM (SELECT CASE WHEN %s THEN clock() END AS at) AS w
            RETURNING id, email),
        listed AS (
            INSERT INTO user_directory (kind, key, user_id) SELECT 'email', lower(email), id FROM made),
        signed_in AS (
            INSERT INTO sessions (user_id, token_hash, expires_at)
            SELECT id, %s, clock() + interval '100 years' FROM made),
        set AS (
            INSERT INTO user_settings (user_id, key, value)
            SELECT made.id, s.key, s.value FROM made, jsonb_each(%s::jsonb) AS s)
        SELECT id FROM made
        """,
        [email, role, TERMS, consented, secret_hash(secret), Json(settings or {})],
    ).fetchone()
    assert row is not None
    if (settings or {}).get("profile_public"):
        # Being on the boards is more than the setting: change_settings() begins to keep what they show.
        with connection.transaction():
            connection.execute("SELECT set_config('app.user_id', %s, true)", [str(row["id"])])
            connection.execute("SELECT change_settings('{\"profile_public\": true}')")
    return User(token=str(Token(row["id"], secret)), id=row["id"], email=email)
