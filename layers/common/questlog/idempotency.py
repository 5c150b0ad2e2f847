"""A request with an Idempotency-Key: the key, the work and the answer are one transaction (platform contract, 1.14).

    BEGIN, authenticate(...), claim_idempotency_key(...), SAVEPOINT, <the route's statements>    first trip
    UPDATE idempotency_keys, COMMIT                                                              second trip

The answer is known only once the route has made it, so storing it takes a second trip. If the transaction is rolled
back, the key is free again. So a request that was cut off can be sent again: either it is done and its answer stored,
or nothing of it is.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Final

import psycopg
from psycopg.rows import DictRow
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from questlog.db import Connection, Db, Queries, Statement, connection, count_trip, refusal_of, send
from questlog.errors import Failure, Interrupted, Overtaken, Replay, Unavailable

# Only refusals of these statuses are stored: the route itself decided them, and would do so again. After any other the
# caller may correct the request and send it again with the same key.
_KEPT: Final = frozenset({404, 409, 422})
# Refusals because of the key itself are not stored: the key's answer is, or will be, another request's.
_OF_THE_KEY: Final = frozenset({"idempotency_in_progress", "idempotency_mismatch"})


def is_key(text: str) -> bool:
    """Whether a header's text can be an Idempotency-Key: 1 to 255 printable ASCII characters."""
    return 1 <= len(text) <= 255 and text.isascii() and text.isprintable()


def fingerprint(request: Request, content: bytes) -> bytes:
    """A digest of what makes two requests the same: method, path without /api, query and body."""
    line = f"{request.method} {request.url.path}?{request.url.query}\n"
    return hashlib.sha256(line.encode() + content).digest()


class IdempotentDb(Db):
    """The database of a request with an Idempotency-Key."""

    def __init__(
        self,
        queries: Queries,
        opening: Sequence[Statement],
        precedents: Sequence[Statement],
        *,
        key: str,
        fingerprint: bytes,
        request_id: str,
    ) -> None:
        super().__init__(queries, opening, precedents)
        self._key = key
        self._fingerprint = fingerprint
        self._request_id = request_id
        self._connection: Connection | None = None

    def run(self, work: Callable[[], Response]) -> Response:
        """The response that `work` returns, or the one that is stored for the key.

        If the connection is lost before the answer is known to be stored, `work` runs a second time; the transaction of
        the first is then either rolled back, or its stored answer is returned. Raises Unavailable if that fails too.
        It also runs a second time if it has broken a foreign key, see Overtaken.
        """
        try:
            try:
                return self._uninterrupted(work)
            except Overtaken:
                return self._uninterrupted(work)
        except Interrupted:
            raise Unavailable from None

    def _uninterrupted(self, work: Callable[[], Response]) -> Response:
        try:
            return self._once(work)
        except Interrupted:
            return self._once(work)

    def _once(self, work: Callable[[], Response]) -> Response:
        self._connection = None
        try:
            response = work()
            self._keep(response.status_code, bytes(response.body).decode())
        except Replay as replay:
            self._undo()
            return Response(replay.body, replay.status, {"Idempotent-Replay": "true"}, "application/json")
        except Failure as failure:
            if failure.status in _KEPT and failure.type not in _OF_THE_KEY:
                self._keep_refusal(failure)
            else:
                self._undo()
            raise
        except BaseException:
            self._undo()
            raise
        return response

    def _keep(self, status: int, body: str) -> None:
        if self._connection is not None:
            send(self._connection, [self._kept(status, body), Statement("COMMIT")])

    def _keep_refusal(self, failure: Failure) -> None:
        if self._connection is None:
            return
        body = to_json(failure.document(self._request_id)).decode()
        update = psycopg.ClientCursor(self._connection).mogrify(*self._kept(failure.status, body))
        try:
            _settle(self._connection, f"ROLLBACK TO SAVEPOINT work; {update}; COMMIT")
        except BaseException:
            self._undo()
            raise

    def _kept(self, status: int, body: str) -> Statement:
        return Statement(
            # user_id is compared too: row-level security lets an administrator's request see the keys of all users.
            "UPDATE idempotency_keys SET status = %(status)s, body = %(body)s::jsonb"
            " WHERE user_id = current_user_id() AND key = %(key)s",
            {"status": status, "body": body or None, "key": self._key},
        )

    def _undo(self) -> None:
        if self._connection is not None and not self._connection.closed:
            _settle(self._connection, "ROLLBACK")

    def _trip(self, *statements: Statement) -> list[list[DictRow]]:
        if self._connection is not None:
            return send(self._connection, statements) if statements else []
        self._connection = connection()
        claim = Statement(
            "SELECT claim_idempotency_key(%(key)s, %(fingerprint)s)",
            {"key": self._key, "fingerprint": self._fingerprint},
        )
        # The precedents follow the claim, or a second request with the same key would wait for the lock on the user's
        # revision instead of being refused at once.
        begun = [Statement("BEGIN"), *self._opening, claim, Statement("SAVEPOINT work"), *self._precedents]
        return send(self._connection, [*begun, *statements])[len(begun) :]


def _settle(connection: Connection, sql: str) -> None:
    """Run transaction control as one simple query, without psycopg's knowledge.

    A rollback makes psycopg deallocate all it has prepared, and in a pipeline it forgets which of them are gone. They
    survive a rollback, so there is nothing to do about them.
    """
    count_trip()
    result = connection.pgconn.exec_(sql.encode())
    if connection.pgconn.status != psycopg.pq.ConnStatus.OK:
        connection.close()
        raise Interrupted(nothing_applied=False)
    if result.status != psycopg.pq.ExecStatus.COMMAND_OK:
        raise refusal_of((result.error_field(psycopg.pq.DiagnosticField.SQLSTATE) or b"").decode())
