"""The database of a request: the statement that authenticates the caller and the route's own are one round trip.

In autocommit and pipeline mode the server runs everything between two sync points as one transaction, so

    authenticate(...)        sets the user for this transaction only, or refuses
    <the route's statement>  sees that user's rows only

is one round trip and atomic. Results are fetched after the pipeline has ended: fetching inside would ask for a second
sync, a second trip.
"""

import json
import logging
import os
import select
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache, partial
from pathlib import Path
from types import GenericAlias, MappingProxyType
from typing import Any, Final, LiteralString, NamedTuple, TypeVar, get_origin, overload

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import JsonbDumper, set_json_loads
from pydantic import TypeAdapter
from starlette.responses import Response

from questlog.errors import (
    DatabaseFault,
    Failure,
    Interrupted,
    NotFound,
    Overtaken,
    PoolerUnfit,
    Replay,
    Unauthorized,
    Unavailable,
)
from questlog.pooler import keeps_statements
from questlog.settings import settings

R = TypeVar("R")
R1 = TypeVar("R1")
R2 = TypeVar("R2")
R3 = TypeVar("R3")
R4 = TypeVar("R4")
Connection = psycopg.Connection[DictRow]

# Errors after which the transaction is certainly undone and the same statements may well succeed: a serialization
# failure, a deadlock, and a prepared statement whose result a migration has changed.
_UNDONE: Final = {"40001", "40P01", "0A000"}
# A prepared statement is missing, or another client's has its name. Only behind a pooler does this happen.
_NOT_KEPT: Final = {"26000", "42P05"}
# The server lacks time, memory or connections. A retry at once would ask for more of them.
_OVERLOADED: Final = ("53", "57014", "55P03")
# The connection failed or was ended under the request; an error without a code is libpq's own.
_LOST: Final = ("08", "57P")
# The server is read-only, as the old primary may be after a failover.
_READ_ONLY: Final = "25006"
_FOREIGN_KEY_VIOLATION: Final = "23503"
# How the names of the foreign keys end by which a row refers to its user.
_KEYS_TO_USERS: Final = ("_user_id_fkey", "_owner_id_fkey")


class Statement(NamedTuple):
    """One statement and its named parameters."""

    sql: LiteralString
    parameters: Mapping[str, Any] = MappingProxyType({})


class Queries:
    """A group's `queries.sql`: what stands between one `-- name:` line and the next, cut where a line ends in `;`.

    A name may hold several statements. They travel in the same trip, and each sees what those before it wrote. The rows
    of the last one are the result, or those of the last few (see Db.each).
    """

    def __init__(self, path: Path) -> None:
        text = path.read_text("utf-8") if path.exists() else ""
        # Not by regular expressions, which look at each character: up to 3 million instructions of a start.
        self._sql: dict[str, tuple[LiteralString, ...]] = {}
        for part in f"\n{text}".split("\n-- name: ")[1:]:
            name, _, statements = part.partition("\n")
            self._sql[name] = tuple(sql.strip() for sql in f"{statements}\n".split(";\n") if sql.strip())

    def statements(self, name: str, parameters: Mapping[str, Any]) -> list[Statement]:
        """The statements of a name; each takes from the parameters what it mentions."""
        return [Statement(sql, parameters) for sql in self._sql[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._sql)


# psycopg logs a warning when a statement of a pipeline fails, which is how every refusal arrives.
logging.getLogger("psycopg").setLevel(logging.ERROR)

# A dict goes out as jsonb wherever it is a parameter.
psycopg.adapters.register_dumper(dict, JsonbDumper)


def _whole_number(digits: str) -> int | float:
    """A whole number of a jsonb value. Postgres writes 1e308 with all its digits, so beyond 64 bits it is a float."""
    number = int(digits)
    return number if -(2**63) <= number < 2**63 else float(digits)


set_json_loads(partial(json.loads, parse_int=_whole_number))

# One per thread. A Lambda execution environment has one thread, since it serves one request at a time.
_held = threading.local()


def connection() -> Connection:
    """The execution environment's one connection; a new one if there is none yet or the server has closed it."""
    held = held_connection()
    if held is not None:
        return held
    disconnect()
    opened = _open()
    _refuse_unfit_pooler(opened)
    _held.connection = opened
    return opened


def _open() -> Connection:
    try:
        return psycopg.Connection[DictRow].connect(
            settings().database_url,
            autocommit=True,
            row_factory=dict_row,
            # Prepare at the first execution: the preparation travels in the same pipeline, so it costs no trip, and the
            # second request of an environment already plans nothing.
            prepare_threshold=0,
            connect_timeout=3,
            fallback_application_name="questlog",
        )
    except psycopg.OperationalError:
        raise Interrupted(nothing_applied=True) from None


def _refuse_unfit_pooler(opened: Connection) -> None:
    """Raise PoolerUnfit if the pooler in front of the server keeps no prepared statements (see pooler.py)."""
    try:
        if keeps_statements(opened, _open, os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "questlog")):
            return
        refusal: Exception = PoolerUnfit()
    except psycopg.Error as error:
        refusal = PoolerUnfit() if _first(error).sqlstate in _NOT_KEPT else Interrupted(nothing_applied=True)
    except Interrupted:
        # No second connection could be opened to compare with; a pooler in session mode may have no more of them.
        return
    opened.close()
    raise refusal


@contextmanager
def sent_ahead(statement: Statement) -> Iterator[None]:
    """Open the connection and send a statement, which the server executes while the block runs.

    Its result is dropped, also if it is an error: it is sent only so that the server has planned it once. If no
    connection can be opened, nothing is sent, and the first request will report it.
    """
    try:
        opened = connection()
    except (Interrupted, Failure):
        yield
        return
    with suppress(psycopg.Error), opened.pipeline():
        opened.execute(statement.sql, statement.parameters)
        yield


def held_connection() -> Connection | None:
    """The connection that the next request will use, or None if it will have to open one."""
    held: Connection | None = getattr(_held, "connection", None)
    return held if held is not None and _alive(held) else None


def count_trip() -> None:
    """Count a round trip on the environment's connection, for the log. Call it wherever statements are sent."""
    _held.trips = trips() + 1


def trips() -> int:
    """The round trips so far. Those that open a connection are not among them."""
    return getattr(_held, "trips", 0)


def disconnect() -> None:
    """Close this thread's connection, if it has one; the next request opens another."""
    held: Connection | None = getattr(_held, "connection", None)
    if held is not None:
        held.close()
        _held.connection = None


def _alive(connection: Connection) -> bool:
    """Whether an idle connection is still open, found out without a trip.

    The server sends nothing on an idle connection unless it closes it, so anything to read means that it has. Because
    nothing was sent yet, a request after a restart of the database can safely go out on a new connection.
    """
    if connection.closed:
        return False
    if connection.pgconn.transaction_status != psycopg.pq.TransactionStatus.IDLE:
        return False
    readable, _, _ = select.select([connection.pgconn.socket], [], [], 0)
    return not readable


def refusal_of(sqlstate: str, diagnostic: psycopg.errors.Diagnostic | None = None) -> Exception:
    """The exception that a database error becomes; `diagnostic` holds the message of a refusal by our own SQL."""
    if diagnostic is not None and sqlstate.startswith("PT"):
        return _refusal_of_ours(sqlstate, diagnostic)
    if sqlstate in _NOT_KEPT:
        return PoolerUnfit()
    if sqlstate in _UNDONE:
        return Interrupted(nothing_applied=True)
    if sqlstate == _READ_ONLY or sqlstate.startswith(_OVERLOADED):
        return Unavailable()
    if not sqlstate or sqlstate.startswith(_LOST):
        return Interrupted(nothing_applied=False)
    return _refusal_of_constraint(sqlstate, diagnostic.constraint_name if diagnostic is not None else None)


def _refusal_of_constraint(sqlstate: str, constraint: str | None) -> Exception:
    if sqlstate == _FOREIGN_KEY_VIOLATION and (constraint or "").endswith(_KEYS_TO_USERS):
        # The user was deleted after this request had been authenticated.
        return Unauthorized()
    return (Overtaken if sqlstate == _FOREIGN_KEY_VIOLATION else DatabaseFault)(sqlstate, constraint)


def _refusal_of_ours(sqlstate: str, diagnostic: psycopg.errors.Diagnostic) -> Exception:
    if sqlstate == "PT200":
        return Replay(int(diagnostic.message_primary or "200"), diagnostic.message_detail or "")
    return Failure(
        int(sqlstate[2:]),
        diagnostic.message_hint or "conflict",
        diagnostic.message_primary or "",
        json.loads(diagnostic.message_detail or "{}"),
    )


class Db:
    """The database of one request. Each call is one trip, which begins with the statement that authenticates.

    A row becomes a `result`: a model, a TypedDict, or a NamedTuple with exactly the row's columns.

    The `precedents` are statements that are sent between the opening and the route's own.

    If the connection is lost during a `repeatable` trip, one that only reads, the trip is sent again. Any other is sent
    again only if it is certain that nothing of it was applied. A trip that has broken a foreign key is sent again
    too, see Overtaken: nothing of it was applied.
    """

    def __init__(
        self,
        queries: Queries,
        opening: Sequence[Statement] = (),
        precedents: Sequence[Statement] = (),
        *,
        repeatable: bool = False,
    ) -> None:
        self._queries = queries
        self._opening = opening
        self._precedents = precedents
        self._repeatable = repeatable

    def run(self, work: Callable[[], Response]) -> Response:
        """The response that `work` returns. Raises Unavailable if one of its trips was lost."""
        try:
            return work()
        except Interrupted:
            raise Unavailable from None

    def one(self, result: type[R], name: str, /, **parameters: Any) -> R:
        """The row that the named statements return. Raises NotFound if there is none, or it is another user's."""
        found = self.maybe(result, name, **parameters)
        if found is None:
            raise NotFound
        return found

    def maybe(self, result: type[R], name: str, /, **parameters: Any) -> R | None:
        """The row that the named statements return, or None."""
        rows = self._trip(*self._queries.statements(name, parameters))[-1]
        found: R | None = _rows_as(result, rows) if rows else None
        return found

    def many(self, result: type[R], name: str, /, **parameters: Any) -> list[R]:
        """The rows that the named statements return."""
        rows = self._trip(*self._queries.statements(name, parameters))[-1]
        # Validated as one list, which takes half the time of validating each row.
        found: list[R] = _rows_as(GenericAlias(list, (result,)), rows)
        return found

    @overload
    def each(self, models: tuple[type[R1], type[R2]], name: str, /, **parameters: Any) -> tuple[R1, R2]: ...
    @overload
    def each(
        self, models: tuple[type[R1], type[R2], type[R3]], name: str, /, **parameters: Any
    ) -> tuple[R1, R2, R3]: ...
    @overload
    def each(
        self, models: tuple[type[R1], type[R2], type[R3], type[R4]], name: str, /, **parameters: Any
    ) -> tuple[R1, R2, R3, R4]: ...
    @overload
    def each(self, models: tuple[type[Any], ...], name: str, /, **parameters: Any) -> tuple[Any, ...]: ...
    def each(self, models: tuple[type[Any], ...], name: str, /, **parameters: Any) -> tuple[Any, ...]:
        """The results of the last statements of the name, one for each type: one row as a model, all as `list[model]`.

        The results of the statements before those (a lock, a check) are dropped. Raises NotFound if a statement whose
        type is one model returns no row.
        """
        results = self._trip(*self._queries.statements(name, parameters))
        return tuple(_rows_as(model, rows) for model, rows in zip(models, results[-len(models) :], strict=True))

    def authenticate_only(self) -> None:
        """Authenticate the caller and do no more, so that only a known caller learns what is wrong with the input."""
        if self._opening:
            self._trip()

    def opened_by(self, name: str, /, **parameters: Any) -> "Db":
        """The same database, whose trips begin with this statement: for routes that have a secret of their own."""
        return Db(self._queries, self._queries.statements(name, parameters), repeatable=self._repeatable)

    def _trip(self, *statements: Statement) -> list[list[DictRow]]:
        """Send the opening, the precedents and these statements as one trip. Returns the rows of these statements."""
        trip = [*self._opening, *(self._precedents if statements else ()), *statements]
        try:
            results = self._sent(trip)
        except Overtaken:
            results = self._sent(trip)
        return results[len(trip) - len(statements) :]

    def _sent(self, trip: Sequence[Statement]) -> list[list[DictRow]]:
        """Send a trip, and once more if the connection is lost and that does no harm."""
        try:
            return send(connection(), trip)
        except Interrupted as interrupted:
            if not (interrupted.nothing_applied or self._repeatable):
                raise
        return send(connection(), trip)


@cache
def _adapter(result: Any) -> TypeAdapter[Any]:
    return TypeAdapter(result)


def _rows_as(result: Any, rows: list[DictRow]) -> Any:
    """The rows of a statement as a list of models, or the first one as a model. Raises NotFound if there is none."""
    if get_origin(result) is list:
        return _adapter(result).validate_python(rows)
    if not rows:
        raise NotFound
    return _adapter(result).validate_python(rows[0])


def send(connection: Connection, statements: Sequence[Statement]) -> list[list[DictRow]]:
    """Send the statements as one trip. Returns a list of rows for each statement, empty for those that return none."""
    count_trip()
    try:
        with connection.pipeline():
            cursors = [connection.execute(s.sql, s.parameters) for s in statements]
        return [cursor.fetchall() if cursor.description else [] for cursor in cursors]
    except psycopg.Error as error:
        # The refusal is raised outside of this block: here the original error, whose text quotes SQL and values, would
        # become its context.
        first = _first(error)
    refusal = refusal_of(first.sqlstate or "", first.diag)
    if isinstance(refusal, Interrupted | PoolerUnfit) or first.sqlstate == _READ_ONLY:
        # This connection may hold a half-read answer or lack a prepared statement; another may lead to the new primary.
        connection.close()
    if isinstance(refusal, DatabaseFault):
        refusal.process = connection.pgconn.backend_pid
    raise refusal


def _first(error: psycopg.Error) -> psycopg.Error:
    """The error that stopped a pipeline. psycopg may raise PipelineAborted, from a later statement, in its place."""
    while isinstance(error, psycopg.errors.PipelineAborted) and isinstance(error.__context__, psycopg.Error):
        error = error.__context__
    return error
