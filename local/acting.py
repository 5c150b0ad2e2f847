"""`--as dev@localhost`: a real session for requests that bring none, so that a client is tried without signing in."""

import psycopg

from questlog.identity import Token, new_secret, secret_hash


class Acting:
    """The user that requests without credentials act as, made and consented where need be."""

    def __init__(self, admin_url: str, email: str, role: str, terms_version: str) -> None:
        self._admin_url = admin_url
        self._email = email
        self._role = role
        self._terms_version = terms_version
        self._token: Token | None = None

    def session(self) -> str:
        """The token of a live session: the last one, or a new one for a day if that one has ended."""
        with psycopg.connect(self._admin_url) as connection:
            if self._token is None or not _is_live(connection, self._token):
                self._token = self._opened(connection)
            return str(self._token)

    def _opened(self, connection: psycopg.Connection) -> Token:
        secret = new_secret()
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
            {"email": self._email, "role": self._role, "terms": self._terms_version},
        ).fetchone()
        assert row is not None
        # The role may have changed: users of each role are counted anew (database/code/counts.sql).
        connection.execute("DELETE FROM counted_lists")
        connection.execute(
            """
            INSERT INTO sessions (user_id, token_hash, expires_at, user_agent)
            VALUES (%s, %s, clock() + '1 day', 'make run')
            """,
            [row[0], secret_hash(secret)],
        )
        return Token(row[0], secret)


def _is_live(connection: psycopg.Connection, token: Token) -> bool:
    found = connection.execute(
        "SELECT 1 FROM sessions"
        " WHERE user_id = %(token_user)s AND token_hash = %(token_hash)s AND expires_at > clock()",
        token.parameters,
    )
    return found.fetchone() is not None
