"""DELETE /user/delete: nothing of the user is left but a hash, and nobody else loses anything."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import psycopg
import pytest

from questlog.identity import OWN_SCOPES

from tests.conftest import Answer, Database, NewUser, User, at_once
from tests.support.client import Client
from tests.support.locks import is_waited_for
from tests.support.routes import routes
from tests.support.threads import in_thread
from tests.support.waiting import wait_until
from tests.test_walk import everything_of, inhabit

# What outlives a user, and says nothing of who it was.
KEPT = {"storage_deletions", "erasures", "audit_log"}


def rows_naming(database: Database, text: str) -> list[tuple[str, str]]:
    """Every table that has a text in any column of any row, with the row."""
    tables = database.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    return [
        (table["tablename"], row["found"])
        for table in tables
        for row in database.query(
            f"SELECT t::text AS found FROM {table['tablename']} AS t WHERE t::text LIKE %s", f"%{text}%"
        )
    ]


def test_nothing_is_left(new_user: NewUser, database: Database) -> None:
    user, other = new_user(), new_user()
    inhabit(user)
    inhabit(other)
    user.post("/auth/sessions", {"name": "Script"})
    kept = everything_of(other, database)
    answer = user.delete("/user/delete", {"confirm": "DELETE"})
    assert answer.data["success"] is True
    assert answer.data["message"]
    assert {"", "max-age=0"} <= answer.cookie("__Host-session")

    user.get("/user/profile").refused(401, "unauthorized")
    assert {table for table, _ in rows_naming(database, str(user.id))} == {"storage_deletions"}
    assert rows_naming(database, user.email) == []
    assert everything_of(other, database) == kept


def test_what_an_administrator_did_names_nobody(new_user: NewUser, database: Database) -> None:
    """Reports they resolved and shared content they made stay, and so do the rows of others in the audit trail."""
    leaving, staying, author = new_user(role="admin"), new_user(role="admin"), new_user()
    reported = author.post("/feedback", {"type": "bug", "title": "Bell", "description": "It rings."}).data["id"]
    leaving.put(f"/admin/feedback/{reported}", {"status": "resolved"})
    template = leaving.post("/admin/templates", {"name": "Low end", "prompt_text": "What does it do?"}).json["template"]
    path = f"/admin/templates/{template['id']}"
    preset = leaving.post(f"{path}/presets", {"name": "Loop"}).json["preset"]
    quest = leaving.post("/admin/quests", {"title": "Tidy up"}).json
    backup = leaving.post("/admin/backup").json["backup"]["id"]
    leaving.patch(f"/admin/users/{author.id}", {"role": "moderator"})
    staying.post(f"/admin/users/{leaving.id}/adjustments", {"coins": 5, "reason": "Thanks"})
    assert leaving.delete("/user/delete").status == 200
    assert {table for table, _ in rows_naming(database, str(leaving.id))} == {"storage_deletions"}
    assert rows_naming(database, leaving.email) == []
    shown = staying.get(f"/admin/feedback/{reported}").json
    assert (shown["status"], shown["resolved_by"], shown["resolved_at"] is None) == ("resolved", None, False)
    assert staying.get(path).json["template"] == {
        **template,
        "created_by": None,
        "updated_at": staying.get(path).json["template"]["updated_at"],
        "presets": staying.get(f"{path}/presets").json["presets"],
    }
    assert staying.get(f"/admin/templates/presets/{preset['id']}").json["preset"]["created_by"] is None
    assert staying.get(f"/admin/quests/{quest['id']}").json == quest
    for made in (path, f"/admin/quests/{quest['id']}", f"/admin/backup/{backup}"):
        assert staying.delete(made).status == 200


def test_what_stays_is_a_hash(user: User, database: Database) -> None:
    user.post("/auth/sessions", {"name": "Script"})
    request_id = user.delete("/user/delete").headers["x-request-id"]
    digest = hashlib.sha256(str(user.id).encode()).digest()
    assert database.query("SELECT user_hash FROM erasures WHERE user_hash = %s", digest)
    [deletion] = database.query("SELECT * FROM storage_deletions WHERE object_key = %s", f"{user.id}/")
    assert (deletion["is_prefix"], deletion["attempts"]) == (True, 0)
    [audited] = database.query("SELECT * FROM audit_log WHERE request_id = %s", request_id)
    assert (audited["event_type"], audited["action"], audited["status"]) == ("user_deleted", "delete", "success")
    assert audited["details"] == {"user_hash": digest.hex()}
    who = ("user_id", "session_id", "ip_address", "user_agent", "resource_id")
    assert [audited[column] for column in who] == [None] * 5


def test_earlier_audit_rows_forget_who_it_was(user: User, database: Database) -> None:
    request_id = user.post("/auth/sessions", {"name": "Script"}).headers["x-request-id"]
    database.query(
        "UPDATE audit_log SET resource_id = %s, ip_address = '192.0.2.1' WHERE request_id = %s",
        *(str(user.id), request_id),
    )
    user.delete("/user/delete")
    [row] = database.query("SELECT * FROM audit_log WHERE request_id = %s", request_id)
    assert row["event_type"] == "token_created"
    assert [row[c] for c in ("user_id", "session_id", "ip_address", "user_agent", "resource_id")] == [None] * 5


@pytest.mark.parametrize("confirm", ["delete", "", "yes", True, 1])
def test_another_word_deletes_nothing(user: User, confirm: Any) -> None:
    user.delete("/user/delete", {"confirm": confirm}).invalid("confirm")
    assert user.get("/user/profile").status == 200


def test_who_may(new_user: NewUser, user: User, stranger: Client) -> None:
    stranger.delete("/user/delete").refused(401, "unauthorized")
    token = user.post("/auth/sessions", {"name": "Script"}).data["token"]
    bearer = {"authorization": f"Bearer {token}"}
    stranger.request("DELETE", "/user/delete", headers=bearer).refused(403, "forbidden")
    # Data can be taken away without agreeing to anything.
    assert new_user(consented=False).delete("/user/delete").status == 200


def test_a_key_is_not_kept_for_who_is_gone(user: User) -> None:
    assert user.request("DELETE", "/user/delete", headers={"idempotency-key": "k"}).status == 200


def test_twice_at_once_is_once(user: User, database: Database) -> None:
    answers = at_once(4, lambda: user.delete("/user/delete").status)
    assert sorted(answers) == [200, 401, 401, 401]
    assert len(database.query("SELECT object_key FROM storage_deletions WHERE object_key = %s", f"{user.id}/")) == 1


@pytest.mark.parametrize(
    "send",
    [
        lambda user: user.post("/habits", {"name": "Read"}),
        lambda user: user.post("/habits", {"name": "Read"}, headers={"idempotency-key": "k"}),
        lambda user: user.post("/market/items", {"name": "Tea", "price_coins": 5}),
        # It reads, and completes a session whose time is up.
        lambda user: user.get("/focus/active"),
    ],
)
def test_a_request_that_waits_for_the_deletion_is_refused(
    user: User, database: Database, send: Callable[[User], Answer]
) -> None:
    user.post("/focus", {"duration_seconds": 60})
    database.query("UPDATE focus_sessions SET ends_at = started_at WHERE user_id = %s", user.id)
    while_deleted(user, database, lambda: send(user)).refused(401, "unauthorized")


READS = [route for route in routes() if route.endpoint.method == "GET" and route.endpoint.requires in OWN_SCOPES]


def test_a_read_that_waits_for_the_deletion_is_refused(new_user: NewUser, database: Database) -> None:
    """Where it notes that its user is active, as it does every five minutes."""
    named = [route for route in READS if not route.identified_by]
    for route in named:
        user = new_user()
        database.query(
            "UPDATE sessions SET last_activity_at = instant() - interval '10 minutes' WHERE user_id = %s", user.id
        )
        answer = while_deleted(user, database, partial(route.ask, user))
        assert answer.status == 401, (str(route), answer.text)
    assert len(named) > 80


@pytest.mark.parametrize(("path", "read"), [("/user/stats", "user_achievements"), ("/user/profile", "user_progress")])
def test_a_read_whose_user_is_deleted_after_it_was_let_in_is_refused(
    user: User, database: Database, path: str, read: str
) -> None:
    """It waits before its own statement: for a table that is locked."""
    lock = f"LOCK TABLE {read} IN ACCESS EXCLUSIVE MODE"
    while_deleted(user, database, lambda: user.get(path), first=lock).refused(401, "unauthorized")


def test_who_is_deleted_while_they_ask_who_they_are_is_nobody(user: User, database: Database) -> None:
    database.query(
        "UPDATE sessions SET last_activity_at = instant() - interval '10 minutes' WHERE user_id = %s", user.id
    )
    answer = while_deleted(user, database, lambda: user.get("/auth/session"))
    assert answer.json == {"user": None, "expires_at": None}


def while_deleted(user: User, database: Database, send: Callable[[], Answer], *, first: str = "SELECT") -> Answer:
    """The answer to a request that waits for the deletion of its user, which is then committed."""
    with psycopg.connect(database.admin_url) as deleting, ThreadPoolExecutor(1) as pool:
        deleting.execute(first.encode())
        deleting.execute("SELECT set_config('app.user_id', %s, true)", [str(user.id)])
        deleting.execute("SELECT set_config('app.scope', 'own', true)")
        deleting.execute("SELECT revise()")
        deleting.execute("SELECT delete_user('{}')")
        answer = pool.submit(in_thread, send)
        wait_until(
            lambda: answer.done() or is_waited_for(database, deleting.info.backend_pid),
            "the request waits for the deletion",
        )
        assert not answer.done(), "it did not wait"
        deleting.commit()
        return answer.result()


def test_the_last_administrator_stays(new_user: NewUser, database: Database) -> None:
    database.query("UPDATE users SET role = 'user' WHERE role = 'admin'")
    one, two = new_user(role="admin"), new_user(role="admin")
    database.query("UPDATE users SET approved = false WHERE id = %s", two.id)
    one.delete("/user/delete").refused(409, "last_admin")
    database.query("UPDATE users SET approved = true WHERE id = %s", two.id)
    answers = at_once_each(one, two)
    assert sorted(answers) == [200, 409]


def at_once_each(*users: User) -> list[int]:
    """The statuses of deletions by different users at the same moment."""
    waiting = list(users)
    return at_once(len(users), lambda: waiting.pop().delete("/user/delete").status)
