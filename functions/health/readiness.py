"""Runs a statement within a time limit that holds even if the database hangs.

psycopg waits for a connection for at least two seconds, and for an answer for as long as it takes. Here libpq is asked
not to wait (PostgreSQL's documentation, "Asynchronous Command Processing"), which psycopg.pq passes on.
"""

import select
import time

import psycopg
from psycopg.pq import ExecStatus, PollingStatus
from psycopg.pq.abc import PGconn

from questlog.db import count_trip, disconnect, held_connection
from questlog.settings import settings


class NotReadyError(Exception):
    """The database refused, failed, or did not answer in time."""


def answer(sql: str, seconds: float) -> list[str]:
    """The columns of the one row that a statement returns, as text. `seconds` is for connecting and the statement."""
    deadline = time.monotonic() + seconds
    held = held_connection()
    pgconn = held.pgconn if held is not None else psycopg.pq.PGconn.connect_start(settings().database_url.encode())
    try:
        _connect(pgconn, deadline)
        count_trip()
        return _row(pgconn, sql, deadline)
    except (NotReadyError, psycopg.Error):
        disconnect()
        raise NotReadyError from None
    finally:
        if held is None:
            pgconn.finish()


def _connect(pgconn: PGconn, deadline: float) -> None:
    while (status := pgconn.connect_poll()) != PollingStatus.OK:
        if status == PollingStatus.FAILED:
            raise NotReadyError
        _wait(pgconn, deadline, writing=status == PollingStatus.WRITING)


def _row(pgconn: PGconn, sql: str, deadline: float) -> list[str]:
    pgconn.send_query(sql.encode())
    while pgconn.flush():
        _wait(pgconn, deadline, writing=True)
    results = []
    while True:
        while pgconn.is_busy():
            _wait(pgconn, deadline)
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is None:
            break
        results.append(result)
    if len(results) != 1 or results[0].status != ExecStatus.TUPLES_OK or results[0].ntuples != 1:
        raise NotReadyError
    values = [results[0].get_value(0, column) for column in range(results[0].nfields)]
    return [bytes(value or b"").decode() for value in values]


def _wait(pgconn: PGconn, deadline: float, *, writing: bool = False) -> None:
    """Wait until the server has answered, or takes more."""
    sockets = [pgconn.socket]
    left = max(0.0, deadline - time.monotonic())
    if not any(select.select([] if writing else sockets, sockets if writing else [], [], left)):
        raise NotReadyError
