"""A request's way to Postgres: its statements travel behind the statement that says who asks, and come back once.

In autocommit and pipeline mode the server runs everything between two sync points as one transaction, so

    authenticate(...)        sets the user for this transaction only, or refuses
    <the route's statement>  sees that user's rows only

is one round trip and atomic. Results are fetched after the pipeline has ended: fetching inside would ask for a second
sync, a second trip.
"""

import json
import logging
import os
import re
import select
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache, partial
from pathlib import Path
from types import GenericAlias, MappingProxyType
from typing import Any, Final, LiteralString, NamedTuple, TypeVar, cast, get_origin, overload

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import JsonbDumper, set_json_loads
from pydantic import TypeAdapter
from starlette.responses import Response

from questlog.errors import DatabaseFault, Failure, Interrupted, NotFound, PoolerUnfit, Replay, Unavailable
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
# A prepared statement is not there, or another client's is there under its name: only a pooler does that.
_NOT_KEPT: Final = {"26000", "42P05"}
# The server refuses for want of time or room: trying again at once would ask for more of what it lacks.
_OVERLOADED: Final = ("53", "57014", "55P03")
# The connection failed or was ended under the request; an error without a code is libpq's own.
_LOST: Final = ("08", "57P")
# The server only reads, as one does that stays behind after a failover.
_READ_ONLY: Final = "25006"


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
        parts = re.split(r"^-- name: (\w+)$", path.read_text("utf-8") if path.exists() else "", flags=re.MULTILINE)
        self._sql = {
            name: tuple(
                cast("LiteralString", sql.strip()) for sql in re.split(r";$", text, flags=re.MULTILINE) if sql.strip()
            )
            for name, text in zip(parts[1::2], parts[2::2], strict=True)
        }

    def statements(self, name: str, parameters: Mapping[str, Any]) -> list[Statement]:
        """The statements of a name; each takes from the parameters what it mentions."""
        return [Statement(sql, parameters) for sql in self._sql[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._sql)


# A refusal in the middle of a pipeline is an answer like any other; psycopg would warn of it in the log.
logging.getLogger("psycopg").setLevel(logging.ERROR)

# A dict goes out as jsonb wherever it is a parameter.
psycopg.adapters.register_dumper(dict, JsonbDumper)


def _whole_number(digits: str) -> int | float:
    """A whole number in jsonb, which writes 1e308 with all its digits: beyond 64 bits it was not sent as an integer."""
    number = int(digits)
    return number if -(2**63) <= number < 2**63 else float(digits)


set_json_loads(partial(json.loads, parse_int=_whole_number))

# Per thread, of which a Lambda execution environment has one: it serves one request at a time.
_held = threading.local()


def connection() -> Connection:
    """The execution environment's one connection, opened when there is none that still lives."""
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
    """PoolerUnfit where requests over this connection would fail now and then."""
    try:
        if keeps_statements(opened, _open, os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "questlog")):
            return
        refusal: Exception = PoolerUnfit()
    except psycopg.Error as error:
        refusal = PoolerUnfit() if _first(error).sqlstate in _NOT_KEPT else Interrupted(nothing_applied=True)
    except Interrupted:
        # There is no second connection to compare with, as where a pooler in session mode has no more to give.
        return
    opened.close()
    raise refusal


@contextmanager
def sent_ahead(statement: Statement) -> Iterator[None]:
    """Open the connection and send a statement, on which the server works while the block does.

    What comes of it is dropped, a refusal too: it is sent so that the server has done once what it does at each
    request. Where there is no connection to be had, the first request will say so.
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
    """The connection that the next request would use, or None where it would open another."""
    held: Connection | None = getattr(_held, "connection", None)
    return held if held is not None and _alive(held) else None


def count_trip() -> None:
    """Count a round trip on the environment's connection, for the log. Whatever sends statements there calls it."""
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
    """Whether an idle connection still stands, without a trip.

    An idle server says nothing unless it ends the connection, so anything to read means that it has: finding that out
    now, before sending, is what makes a request after a restart of the database safe to send on a new connection.
    """
    if connection.closed:
        return False
    if connection.pgconn.transaction_status != psycopg.pq.TransactionStatus.IDLE:
        return False
    readable, _, _ = select.select([connection.pgconn.socket], [], [], 0)
    return not readable


def refusal_of(sqlstate: str, diagnostic: psycopg.errors.Diagnostic | None = None) -> Exception:
    """What a database error means to the request; `diagnostic` is what a refusal of our own says."""
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
    return DatabaseFault(sqlstate, diagnostic.constraint_name if diagnostic is not None else None)


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
    """The database as one request sees it: each call is one trip, opened by the statement that says who asks.

    A row becomes what `result` is: a model, a TypedDict, or a NamedTuple of just its columns.

    Between the opening and the statements of the route go the `precedents`, where there are any.

    A `repeatable` trip, one that only reads, is sent again when the connection is lost under it. Any other is sent
    again only where it is certain that nothing of it was applied.
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
        """The response of a route's work, which asks this database; Unavailable where a trip of it was lost."""
        try:
            return work()
        except Interrupted:
            raise Unavailable from None

    def one(self, result: type[R], name: str, /, **parameters: Any) -> R:
        """The row of the named statements as a `result`; no row is 404: it does not exist, or is someone else's."""
        found = self.maybe(result, name, **parameters)
        if found is None:
            raise NotFound
        return found

    def maybe(self, result: type[R], name: str, /, **parameters: Any) -> R | None:
        """The row of the named statements as a `result`, or None where there is none."""
        rows = self._trip(*self._queries.statements(name, parameters))[-1]
        found: R | None = _rows_as(result, rows) if rows else None
        return found

    def many(self, result: type[R], name: str, /, **parameters: Any) -> list[R]:
        """The rows of the named statements, each as a `result`."""
        rows = self._trip(*self._queries.statements(name, parameters))[-1]
        # As one list: a long one takes half as long as its rows one by one.
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
        """What each of the last statements of the name returned: one row as a model, or all as a `list[model]`.

        There is a type for each of the last statements; those before them (a lock, a check) may return what they like.
        Where a model stands for one row, no row is 404.
        """
        results = self._trip(*self._queries.statements(name, parameters))
        return tuple(_rows_as(model, rows) for model, rows in zip(models, results[-len(models) :], strict=True))

    def authenticate_only(self) -> None:
        """Only ask who it is, before telling what is wrong with the input: no stranger is told."""
        if self._opening:
            self._trip()

    def opened_by(self, name: str, /, **parameters: Any) -> "Db":
        """The same database, opened by a statement of the group: where a secret of its own says who asks."""
        return Db(self._queries, self._queries.statements(name, parameters), repeatable=self._repeatable)

    def _trip(self, *statements: Statement) -> list[list[DictRow]]:
        """Send the statements as one trip. Returns the rows of each statement, not of those that go before them."""
        trip = [*self._opening, *(self._precedents if statements else ()), *statements]
        try:
            results = send(connection(), trip)
        except Interrupted as interrupted:
            if not (interrupted.nothing_applied or self._repeatable):
                raise
            results = send(connection(), trip)
        return results[len(trip) - len(statements) :]


@cache
def _adapter(result: Any) -> TypeAdapter[Any]:
    return TypeAdapter(result)


def _rows_as(result: Any, rows: list[DictRow]) -> Any:
    """Rows as what a statement is said to return: a list of models, or one model."""
    if get_origin(result) is list:
        return _adapter(result).validate_python(rows)
    if not rows:
        raise NotFound
    return _adapter(result).validate_python(rows[0])


def send(connection: Connection, statements: Sequence[Statement]) -> list[list[DictRow]]:
    """Send the statements as one trip. Returns the rows of each, none for those that return nothing."""
    count_trip()
    try:
        with connection.pipeline():
            cursors = [connection.execute(s.sql, s.parameters) for s in statements]
        return [cursor.fetchall() if cursor.description else [] for cursor in cursors]
    except psycopg.Error as error:
        # Not raised from here, so that the original, whose text quotes SQL and values, is nobody's context.
        first = _first(error)
    refusal = refusal_of(first.sqlstate or "", first.diag)
    if isinstance(refusal, Interrupted | PoolerUnfit) or first.sqlstate == _READ_ONLY:
        # A new connection has neither a half-read answer nor a lost statement, and may lead to the server that writes.
        connection.close()
    if isinstance(refusal, DatabaseFault):
        refusal.process = connection.pgconn.backend_pid
    raise refusal


def _first(error: psycopg.Error) -> psycopg.Error:
    """The error that stopped a pipeline: psycopg may raise what it did to the statements behind it instead."""
    while isinstance(error, psycopg.errors.PipelineAborted) and isinstance(error.__context__, psycopg.Error):
        error = error.__context__
    return error
