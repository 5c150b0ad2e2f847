"""What an administrator may do to a report in SQL, and that its author is told. The routes are the admin group's."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.conftest import Database, User
from tests.feedback.conftest import reported

Connection = psycopg.Connection[Any]

# Stands in for the inbox, and says what it was told.
SPY = """
    CREATE OR REPLACE FUNCTION notify_user(user_id uuid, title text, description text, action_url text) RETURNS void
    LANGUAGE plpgsql AS $$
    BEGIN
        RAISE NOTICE '%', json_build_array(user_id, title, description, action_url);
    END
    $$
"""


@pytest.fixture
def admin(database: Database) -> Iterator[Connection]:
    """A connection as an administrator's request, in a transaction that will be undone, over an inbox that tells."""
    with psycopg.connect(database.admin_url) as connection:
        connection.execute(SPY)
        connection.execute("SET LOCAL ROLE questlog_admin")
        connection.execute("SELECT set_config('app.scope', 'admin', true)")
        yield connection
        connection.rollback()


def told(admin: Connection, report: dict[str, Any], assignments: str) -> list[list[Any]]:
    """What the inbox was told when an administrator changed a report."""
    notices: list[list[Any]] = []

    def note(diagnostic: psycopg.errors.Diagnostic) -> None:
        notices.append(json.loads(diagnostic.message_primary or ""))

    admin.add_notice_handler(note)
    changed = admin.execute(f"UPDATE feedback SET {assignments} WHERE id = %s".encode(), [report["id"]])
    admin.remove_notice_handler(note)
    assert changed.rowcount == 1
    return notices


def test_the_author_is_told_once_per_change(user: User, admin: Connection) -> None:
    report = reported(user)
    author = str(user.id)
    changes: dict[str, tuple[str, str | None]] = {
        "status = 'in_progress'": ('Your report "The bell rings twice" is now in progress', None),
        "admin_response = 'Soon.'": ('Your report "The bell rings twice" was answered', "Soon."),
        "status = 'wont_fix'": ('Your report "The bell rings twice" is now set aside', "Soon."),
        "admin_response = NULL": ('The answer to your report "The bell rings twice" was taken back', None),
        "status = 'resolved', resolved_at = now(), admin_response = 'Done.'": (
            'Your report "The bell rings twice" was answered',
            "Done.",
        ),
    }
    for assignments, said in changes.items():
        assert told(admin, report, assignments) == [[author, said[0], said[1], None]]


@pytest.mark.parametrize("assignments", ["priority = 'urgent'", "status = 'open'", "admin_response = NULL"])
def test_nothing_to_tell(user: User, admin: Connection, assignments: str) -> None:
    assert told(admin, reported(user), assignments) == []


def test_a_title_is_only_quoted(user: User, admin: Connection) -> None:
    report = reported(user, title='100 %s "and" %I')
    [[_, title, _, _]] = told(admin, report, "status = 'closed'")
    assert title == 'Your report "100 %s "and" %I" is now closed'


def test_telling_and_answering_are_one_transaction(user: User, database: Database) -> None:
    report = reported(user)
    with psycopg.connect(database.admin_url) as connection:
        connection.execute(SPY.replace("RAISE NOTICE", "PERFORM 1 / 0; RAISE NOTICE"))
        with pytest.raises(psycopg.errors.DivisionByZero):
            connection.execute("UPDATE feedback SET status = 'closed' WHERE id = %s", [report["id"]])
        connection.rollback()
    assert user.get(f"/feedback/{report['id']}").data == report


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
        "UPDATE feedback SET status = 'resolved', resolved_at = now(), resolved_by = %s WHERE id = %s",
        other.id,
        report["id"],
    )
    database.query("DELETE FROM users WHERE id = %s", other.id)
    [row] = database.query("SELECT status, resolved_by FROM feedback WHERE id = %s", report["id"])
    assert row == {"status": "resolved", "resolved_by": None}
