"""How work that takes long reads and writes: in a snapshot or in one transaction, each on a connection of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from psycopg.rows import DictRow, class_row, dict_row

from questlog.db import Connection, Queries, refusal_of
from questlog.settings import settings

from functions.jobs.work import Deadline

R = TypeVar("R")


class Unfit(Exception):
    """Values that do not fit into their table, or that break one of its rules."""


@contextmanager
def snapshot(deadline: Deadline) -> Iterator[Connection]:
    """A connection whose statements all see the database as it is at the first one, and cannot write."""
    with _connection(deadline) as opened:
        opened.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        opened.read_only = True
        yield opened


@contextmanager
def transaction(deadline: Deadline) -> Iterator[Connection]:
    """A connection with a transaction that is committed at the end."""
    with _connection(deadline) as opened:
        yield opened


def read(connection: Connection, queries: Queries, result: type[R], name: str, **parameters: Any) -> list[R]:
    """The rows of a statement, each as a `result`, whose fields are named like the columns."""
    [statement] = queries.statements(name, parameters)
    with connection.cursor(row_factory=class_row(result)) as cursor:
        return cursor.execute(statement.sql, statement.parameters).fetchall()


def execute(connection: Connection, queries: Queries, name: str, **parameters: Any) -> list[DictRow]:
    """The rows of the last statement of a name; none if it returns nothing. Raises Unfit, or the database's refusal."""
    rows: list[DictRow] = []
    try:
        for statement in queries.statements(name, parameters):
            cursor = connection.execute(statement.sql, statement.parameters)
            rows = cursor.fetchall() if cursor.description else []
    except psycopg.Error as error:
        # The refusal is raised outside of this block: here the original error, whose text quotes SQL and values, would
        # become its context.
        refusal = _refusal(error)
    else:
        return rows
    raise refusal


@contextmanager
def _connection(deadline: Deadline) -> Iterator[Connection]:
    opened = psycopg.Connection[DictRow].connect(settings().database_url, row_factory=dict_row, connect_timeout=3)
    try:
        with opened, deadline.guard(opened):
            yield opened
    except psycopg.errors.QueryCanceled:
        deadline.check()
        raise


def _refusal(error: psycopg.Error) -> Exception:
    """The exception that an error becomes. A key that is taken is no fault of the values: another request took it."""
    state = error.sqlstate or ""
    if state.startswith(("22", "23")) and state != psycopg.errors.UniqueViolation.sqlstate:
        return Unfit()
    return refusal_of(state, error.diag)
