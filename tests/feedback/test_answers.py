"""What an administrator may do to a report in SQL. The routes are the admin group's."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.conftest import Database, User
from tests.support.factories import report as reported

Connection = psycopg.Connection[Any]


@pytest.fixture
def admin(database: Database) -> Iterator[Connection]:
    """A connection as an administrator's request; what a test does not commit is undone after it."""
    with psycopg.connect(database.admin_url) as connection:
        connection.execute("SET ROLE questlog_admin")
        connection.execute("SELECT set_config('app.scope', 'admin', false)")
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


# Telling the author --------------------------------------------------------------------------------------------------


def answered(admin: Connection, report: dict[str, Any], **sent: Any) -> dict[str, Any]:
    """The report after an administrator's answer."""
    cursor = admin.execute("SELECT * FROM app.answer_feedback(%s, %s)", [report["id"], Jsonb(sent)])
    [row] = cursor.fetchall()
    assert cursor.description is not None
    return dict(zip([column.name for column in cursor.description], row, strict=True))


def told(user: User) -> list[tuple[str, str | None]]:
    """What the user's inbox says, the newest first."""
    items = user.get("/user/inbox", query={"status": "unread"}).data["items"]
    assert all(item["item_type"] == "notification" for item in items)
    return [(item["title"], item.get("description")) for item in items]


def test_an_answer_reaches_the_authors_inbox(user: User, other: User, admin: Connection) -> None:
    report = reported(user)
    after = answered(admin, report, status="in_progress", admin_response="We heard it too.")
    assert (after["status"], after["admin_response"]) == ("in_progress", "We heard it too.")
    assert told(user) == [], "it is not told before it is so"
    admin.commit()
    assert told(user) == [('Your report "The bell rings twice" was answered', "We heard it too.")]
    assert user.get("/sync/badges").json["unread_inbox"] == 1
    assert told(other) == []
    assert user.get(f"/feedback/{report['id']}").data["admin_response"] == "We heard it too."


@pytest.mark.parametrize(
    ("sent", "title", "description"),
    [
        ({"status": "acknowledged"}, "is now acknowledged", None),
        ({"status": "in_progress"}, "is now in progress", None),
        ({"status": "wont_fix"}, "is now set aside", None),
        ({"admin_response": "Soon."}, "was answered", "Soon."),
        ({"status": "resolved", "admin_response": "Done."}, "was answered", "Done."),
    ],
)
def test_what_the_author_is_told(
    user: User, admin: Connection, sent: dict[str, Any], title: str, description: str | None
) -> None:
    answered(admin, reported(user), **sent)
    admin.commit()
    assert told(user) == [(f'Your report "The bell rings twice" {title}', description)]


def test_what_changes_nothing_tells_nothing(user: User, admin: Connection) -> None:
    report = reported(user)
    assert answered(admin, report, priority="urgent")["priority"] == "urgent"
    answered(admin, report, status="open", admin_response=None)
    answered(admin, report)
    admin.commit()
    assert told(user) == []


def test_an_answer_taken_back(user: User, admin: Connection) -> None:
    report = reported(user)
    answered(admin, report, admin_response="Soon.")
    admin.commit()
    assert answered(admin, report, admin_response=None)["admin_response"] is None
    admin.commit()
    assert told(user)[0] == ('The answer to your report "The bell rings twice" was taken back', None)
    assert len(told(user)) == 2


def test_resolving_stamps_and_opening_again_clears(user: User, other: User, admin: Connection) -> None:
    admin.execute("SELECT set_config('app.user_id', %s, false)", [str(other.id)])
    report = reported(user)
    after = answered(admin, report, status="resolved")
    assert (after["resolved_by"], after["resolved_at"] is not None) == (other.id, True)
    assert answered(admin, report, status="resolved")["resolved_at"] == after["resolved_at"]
    assert answered(admin, report, admin_response="Done.")["resolved_at"] == after["resolved_at"]
    again = answered(admin, report, status="in_progress")
    assert (again["resolved_by"], again["resolved_at"]) == (None, None)


def test_the_longest_report_can_be_answered(user: User, admin: Connection) -> None:
    report = reported(user, title="x" * 200)
    answered(admin, report, status="acknowledged", admin_response="y" * 5000)
    admin.commit()
    assert told(user) == [(f'Your report "{"x" * 200}" was answered', "y" * 5000)]


def test_two_who_say_the_same_at_once_tell_it_once(user: User, database: Database, admin: Connection) -> None:
    """The second waits for the first, and then changes nothing."""
    report = reported(user)
    with psycopg.connect(database.admin_url) as second, ThreadPoolExecutor(1) as pool:
        second.execute("SET ROLE questlog_admin")
        second.execute("SELECT set_config('app.scope', 'admin', false)")
        second.commit()
        answered(admin, report, status="acknowledged")
        waiting = pool.submit(answered, second, report, status="acknowledged")
        while not waits(database, second):
            assert not waiting.done(), "it did not wait"
            time.sleep(0.01)
        admin.commit()
        assert waiting.result()["status"] == "acknowledged"
        second.commit()
    assert told(user) == [('Your report "The bell rings twice" is now acknowledged', None)]


def waits(database: Database, connection: Connection) -> bool:
    """Whether the connection waits for a lock."""
    [row] = database.query(
        "SELECT wait_event_type = 'Lock' AS waits FROM pg_stat_activity WHERE pid = %s", connection.info.backend_pid
    )
    return bool(row["waits"])


def test_nobody_else_may_answer(user: User, other: User, database: Database) -> None:
    report = reported(user)
    for login in (user, other):
        with psycopg.connect(database.app_url, autocommit=True) as app:
            app.execute("SELECT set_config('app.user_id', %s, false)", [str(login.id)])
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute("SELECT app.answer_feedback(%s, %s)", [report["id"], Jsonb({"status": "closed"})])
    assert user.get(f"/feedback/{report['id']}").data["status"] == "open"
    assert told(user) == []
