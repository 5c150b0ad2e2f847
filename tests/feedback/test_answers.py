"""What an administrator may do to a report in SQL. The routes are the admin group's."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.conftest import Database, User
from tests.support.factories import report as reported

Connection = psycopg.Connection[Any]


@pytest.fixture
def admin(database: Database) -> Iterator[Connection]:
    """A connection as an administrator's request, in a transaction that is undone after the test."""
    with psycopg.connect(database.admin_url) as connection:
        connection.execute("SET LOCAL ROLE questlog_admin")
        connection.execute("SELECT set_config('app.scope', 'admin', true)")
        yield connection
        connection.rollback()


def test_an_administrator_answers_a_report(user: User, admin: Connection) -> None:
    report = reported(user)
    answered = admin.execute(
        "UPDATE feedback SET status = 'in_progress', priority = 'urgent', admin_response = 'Soon.' WHERE id = %s",
        [report["id"]],
    )
    assert answered.rowcount == 1


@pytest.mark.parametrize("assignments", ["status = 'resolved'", "resolved_at = clock()", "resolved_by = user_id"])
def test_resolved_and_when_belong_together(user: User, admin: Connection, assignments: str) -> None:
    report = reported(user)
    with pytest.raises(psycopg.errors.CheckViolation):
        admin.execute(f"UPDATE feedback SET {assignments} WHERE id = %s".encode(), [report["id"]])


def test_only_an_administrators_request_may_answer(user: User, database: Database, admin: Connection) -> None:
    report = reported(user)
    change = "UPDATE feedback SET status = 'closed' WHERE id = %s"
    with psycopg.connect(database.app_url, autocommit=True) as app:
        app.execute("SELECT set_config('app.user_id', %s, false)", [str(user.id)])
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute(change, [report["id"]])
    admin.execute("SELECT set_config('app.scope', 'own', true)")
    assert admin.execute(change, [report["id"]]).rowcount == 0
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        admin.execute("UPDATE feedback SET title = 'x' WHERE id = %s", [report["id"]])


def test_who_resolved_it_may_leave(user: User, other: User, database: Database) -> None:
    report = reported(user)
    database.query(
        "UPDATE feedback SET status = 'resolved', resolved_at = clock(), resolved_by = %s WHERE id = %s",
        other.id,
        report["id"],
    )
    database.query("DELETE FROM users WHERE id = %s", other.id)
    [row] = database.query("SELECT status, resolved_by FROM feedback WHERE id = %s", report["id"])
    assert row == {"status": "resolved", "resolved_by": other.id}
