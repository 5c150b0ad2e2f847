"""`--as dev@localhost`: a real session for requests that bring none, so that a client is tried without signing in."""

import hashlib
import secrets

import psycopg


def open_session(admin_url: str, email: str, role: str, terms_version: str) -> str:
    """The token of a new session of the user with this e-mail, made and consented where need be. It lasts a day."""
    token = secrets.token_urlsafe(32)
    with psycopg.connect(admin_url) as connection:
        row = connection.execute(
            """
            INSERT INTO users (email, name, role, age_verified_at, tos_version, tos_accepted_at)
            VALUES (%(email)s, split_part(%(email)s, '@', 1), %(role)s, now(), %(terms)s, now())
            ON CONFLICT (lower(email)) DO UPDATE
            SET role = excluded.role, age_verified_at = coalesce(users.age_verified_at, now()),
                tos_version = excluded.tos_version, tos_accepted_at = now()
            RETURNING id
            """,
            {"email": email, "role": role, "terms": terms_version},
        ).fetchone()
        assert row is not None
        connection.execute(
            """
            INSERT INTO sessions (user_id, token_hash, expires_at, user_agent)
            VALUES (%s, %s, now() + '1 day', 'make run')
            """,
            [row[0], hashlib.sha256(token.encode()).digest()],
        )
    return token
