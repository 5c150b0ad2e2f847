"""The administrators' SQL: one statement that only reads, on a connection and with a login of its own.

What it may do is decided by the rights of that login, questlog_console: it may read what is no secret, execute none of
our functions, and write nothing. The statement is prepared first, which refuses a second one. Then it is run inside of
another one that cuts rows and cells, so that no answer is larger than this function can hold.
"""

import select
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from decimal import Decimal
from math import isfinite
from typing import Annotated, Any, Final

import psycopg
from psycopg.pq import DiagnosticField, ExecStatus
from psycopg.pq.abc import PGconn, PGresult
from pydantic import StringConstraints
from pydantic_core import from_json, to_json
from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on

from questlog.api import Api
from questlog.db import Db
from questlog.errors import Failure, Unavailable
from questlog.identity import Client
from questlog.wire import Body, Trimmed

from functions.admin.models import ROLE
from functions.admin.settings import console_url
from functions.admin.statement_text import distinct_names, first_word, without_comments, without_literals

api = Api(__file__, queries="console.sql", role=ROLE)

# The server ends a statement after 5 seconds; this is for the case that it does not.
CLIENT_SECONDS: Final = 6.0
MOST_ROWS: Final = 1_000
MOST_BYTES: Final = 4 * 1024 * 1024
LONGEST_CELL: Final = 10_000
# Lambda takes 6 MiB for the whole of an answer, in which each quote and backslash is escaped once more.
_MOST_ESCAPED: Final = 5 * 1024 * 1024
_LONGEST_MESSAGE: Final = 500
NOT_INSIDE: Final = "A statement is run here as part of another one, as which this one cannot be run."
# Errors of the statement around a prepared one (SQLSTATE): a syntax error, a feature that is not supported there, and a
# type that cannot be shown as text.
_OF_THE_OTHER: Final = frozenset({"42601", "0A000", "42846"})
_LONGEST_AUDITED: Final = 1_000

_READING: Final = frozenset({"SELECT", "VALUES", "TABLE", "WITH"})
_TELLING: Final = frozenset({"EXPLAIN", "SHOW"})

# Types of PostgreSQL by their numbers in pg_type, which never change: lists of booleans, integers, floats, text, UUIDs.
_LISTS: Final = frozenset({1000, 1005, 1007, 1016, 1021, 1022, 1003, 1009, 1015, 2951})


class Sql(Body):
    sql: Annotated[Trimmed, StringConstraints(min_length=1, max_length=20_000)]


class Audited(TypedDict):
    """That a row of the audit log was written."""

    audited: bool


class Answer(TypedDict):
    rows: list[dict[str, Any]]
    count: int
    duration_ms: int
    sql: str
    columns: list[str]
    truncated: bool


class Column(TypedDict):
    """A column of an answer: its name, and the number of its type."""

    name: str
    type: int


@api.post(
    "/admin/db/query",
    requires="system:manage",
    envelope=False,
    store_response=False,
    errors={400: ["query_failed"]},
)
def query(db: Db, body: Sql, client: Client) -> Answer:
    """Run one statement that only reads, and return its rows. It is in the audit log before it is run."""
    allowed = first_word(body.sql) in _READING | _TELLING
    details = {"sql": without_literals(body.sql)[:_LONGEST_AUDITED]}
    status = "success" if allowed else "denied"
    db.one(Audited, "note_query", details=details, status=status, client=client._asdict())
    if not allowed:
        raise _refusal("Only SELECT, VALUES, TABLE, WITH, EXPLAIN and SHOW are run here.")
    begun = time.monotonic()
    columns, rows, truncated = _run(body.sql)
    return {
        "rows": rows,
        "count": len(rows),
        "duration_ms": round((time.monotonic() - begun) * 1000),
        "sql": body.sql,
        "columns": columns,
        "truncated": truncated,
    }


def _run(sql: str) -> tuple[list[str], list[dict[str, Any]], bool]:
    """The columns and rows of a statement, and whether any of them were cut.

    Raises Failure (400, query_failed) with the database's message if it refuses the statement.
    """
    try:
        # Closing it undoes whatever was done.
        with closing(psycopg.connect(console_url(), autocommit=True, connect_timeout=3)) as connection:
            connection.execute("BEGIN READ ONLY")
            return Run(connection.pgconn).answer(sql)
    except psycopg.OperationalError:
        raise Unavailable from None


class Run:
    """One statement on a connection, by the extended protocol, until its time is over."""

    def __init__(self, pgconn: PGconn) -> None:
        self._pgconn = pgconn
        self._pgconn.nonblocking = 0
        self._deadline = time.monotonic() + CLIENT_SECONDS
        self._is_prepared = False

    def answer(self, sql: str) -> tuple[list[str], list[dict[str, Any]], bool]:
        """What _run() returns."""
        types = self._types(sql)
        names = distinct_names([column["name"] for column in types])
        self._is_prepared = True
        self._pgconn.send_query_params(_cut(sql, types).encode(), None)
        self._pgconn.set_single_row_mode()
        rows: list[dict[str, Any]] = []
        room, escaped_room = MOST_BYTES, _MOST_ESCAPED
        truncated = False
        for result in self._results():
            for cells in _cells(result):
                row, is_cut = _row(names, types, cells)
                written = to_json(row)
                room -= len(written) + 1
                escaped_room -= len(written) + written.count(b'"') + written.count(b"\\") + 1
                if len(rows) == MOST_ROWS or min(room, escaped_room) < 0:
                    return names, rows, True
                truncated = truncated or is_cut
                rows.append(row)
        return names, rows, truncated

    def _types(self, sql: str) -> list[Column]:
        """The columns that a statement will return. Preparing it refuses what is more than one statement."""
        self._pgconn.send_prepare(b"", sql.encode())
        for _ in self._results():
            pass
        self._pgconn.send_describe_prepared(b"")
        return [
            {"name": (result.fname(place) or b"").decode(), "type": result.ftype(place)}
            for result in self._results()
            for place in range(result.nfields)
        ]

    def _results(self) -> Iterator[PGresult]:
        """The results of what was sent, as they arrive."""
        while True:
            while self._pgconn.is_busy():
                left = self._deadline - time.monotonic()
                if left <= 0 or not select.select([self._pgconn.socket], [], [], left)[0]:
                    raise _refusal("The statement took too long.")
                self._pgconn.consume_input()
            result = self._pgconn.get_result()
            if result is None:
                return
            if result.status in (ExecStatus.FATAL_ERROR, ExecStatus.BAD_RESPONSE):
                raise _refusal(self._reason(result))
            yield result

    def _reason(self, result: PGresult) -> str:
        """Why the database refuses. Text of the statement around the caller's is left out."""
        state = (result.error_field(DiagnosticField.SQLSTATE) or b"").decode()
        if self._is_prepared and state in _OF_THE_OTHER:
            return NOT_INSIDE
        return (result.error_field(DiagnosticField.MESSAGE_PRIMARY) or b"").decode(errors="replace")


def _refusal(message: str) -> Failure:
    return Failure(400, "query_failed", message[:_LONGEST_MESSAGE] or "The statement was refused.")


def _cut(sql: str, types: Sequence[Column]) -> str:
    """The statement inside of one that returns at most a row too many, and a character too many of each cell."""
    if first_word(sql) in _TELLING:
        return sql
    names = [f"c{place}" for place in range(len(types))]
    texts = [
        f"left(to_json({name})::text, {LONGEST_CELL + 1})"
        if column["type"] in _LISTS
        else f"left({name}::text, {LONGEST_CELL + 1})"
        for name, column in zip(names, types, strict=True)
    ]
    listed = f" ({', '.join(names)})" if names else ""
    inner = without_comments(sql)
    # The text is the administrator's own. Preparing it has shown that it is one complete statement, and the login's
    # rights decide what it may do.
    return f"SELECT {', '.join(texts)} FROM ({inner}) AS answer{listed} LIMIT {MOST_ROWS + 1}"  # noqa: S608 - see above


def _cells(result: PGresult) -> Iterator[list[str | None]]:
    """The cells of each row of a result, as text."""
    for place in range(result.ntuples):
        values = (result.get_value(place, column) for column in range(result.nfields))
        yield [None if value is None else value.decode(errors="replace") for value in values]


def _row(names: Sequence[str], types: Sequence[Column], cells: Sequence[str | None]) -> tuple[dict[str, Any], bool]:
    """A row by its columns' names, and whether a cell of it was cut."""
    is_cut = any(cell is not None and len(cell) > LONGEST_CELL for cell in cells)
    values = (
        None if cell is None else _value(column["type"], cell) if len(cell) <= LONGEST_CELL else cell[:LONGEST_CELL]
        for column, cell in zip(types, cells, strict=True)
    )
    return dict(zip(names, values, strict=True)), is_cut


def _value(type_number: int, text: str) -> Any:
    """A cell as JSON; what JSON cannot hold stays the database's text."""
    return _READERS.get(type_number, str)(text)


def _boolean(text: str) -> bool:
    return text in ("true", "t")


def _float(text: str) -> float | str:
    number = float(text)
    return number if isfinite(number) else text


def _numeric(text: str) -> int | float | str:
    """A numeric of the database as a number that is equal to it, or as its text where there is none."""
    number = Decimal(text)
    if not number.is_finite():
        return text
    if number == number.to_integral_value() and abs(number) < 2**63:
        return int(number)
    near = float(number)
    return near if isfinite(near) and Decimal(repr(near)) == number else text


def _document(text: str) -> Any:
    try:
        document = from_json(text)
    except ValueError:  # nested too deep
        return text
    # A number that is too large for a float would be shown as null.
    is_whole = to_json(document, inf_nan_mode="null") == to_json(document, inf_nan_mode="constants")
    return document if is_whole else text


# By the numbers of the types, as above: bool; bigint, smallint, int, oid; real, double precision; numeric; json, jsonb.
_READERS: Final[Mapping[int, Callable[[str], Any]]] = {
    16: _boolean,
    **dict.fromkeys((20, 21, 23, 26), int),
    **dict.fromkeys((700, 701), _float),
    1700: _numeric,
    **dict.fromkeys((114, 3802, *_LISTS), _document),
}
