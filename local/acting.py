"""`--as dev@localhost`: a real session for requests that bring none, so that a client is tried without signing in."""

import psycopg

from questlog.identity import Token, new_secret, secret_hash


def open_session(admin_url: str, email: str, role: str, terms_version: str) -> str:
    """The token of a new session of the user with this e-mail, made and consented where need be. It lasts a day."""
    secret = new_secret()
    with psycopg.connect(admin_url) as connection:
        row = connection.execute(
            """
            WITH known AS (
                INSERT INTO user_directory AS d (kind, key, user_id)
                VALUES ('email', lower(%(email)s), gen_random_uuid())
                ON CONFLICT (kind, key) DO UPDATE SET user_id = d.user_id
                RETURNING user_id)
            INSERT INTO users (id, email, name, role, age_verified_at, tos_version, tos_accepted_at)
            SELECT user_id, %(email)s, split_part(%(email)s, '@', 1), %(role)s, clock(), %(terms)s, clock() FROM known
            ON CONFLICT (id) DO UPDATE
            SET role = excluded.role, age_verified_at = coalesce(users.age_verified_at, clock()),
                tos_version = excluded.tos_version, tos_accepted_at = clock()
            RETURNING id
            """,
            {"email": email, "role": role, "terms": terms_version},
        ).fetchone()
        assert row is not None
        connection.execute(
            """
            INSERT INTO sessions (user_id, token_hash, expires_at, user_agent)
            VALUES (%s, %s, clock() + '1 day', 'make run')
            """,
            [row[0], secret_hash(secret)],
        )
    return str(Token(row[0], secret))
