"""Connections that die at every moment: nothing is done twice, nothing is lost, and the next request works."""

import contextlib
import select
import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from questlog import db
from questlog.settings import settings

from tests.conftest import Database, NewUser, User
from tests.support import logins
from tests.support.client import Client
from tests.support.environment import ENVIRONMENT
from tests.test_walk import OPERATIONS

KEY = {"Idempotency-Key": "once"}


class Line:
    """A line to the database that can be cut while an answer is on its way: the work is done, nobody hears of it."""

    def __init__(self, url: str) -> None:
        target = urlsplit(url)
        self._server = (target.hostname or "127.0.0.1", target.port or 5432)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.cuts = 0
        self.refusing = False
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self.refusing:
                    client.close()
                    continue
                threading.Thread(
                    target=self._carry, args=(client, socket.create_connection(self._server)), daemon=True
                ).start()

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        with client, server, contextlib.suppress(OSError):
            while True:
                for end in select.select([client, server], [], [])[0]:
                    words = end.recv(1 << 20)
                    if not words or (end is server and self._cut()):
                        return
                    (server if end is client else client).sendall(words)

    def _cut(self) -> bool:
        if self.cuts:
            self.cuts -= 1
            return True
        return False


@pytest.fixture
def line(database: Database) -> Iterator[Line]:
    """The line that every function reaches the database by."""
    line = Line(database.app_url)

    def through(url: str) -> str:
        login = urlsplit(url)
        return login._replace(netloc=f"{login.netloc.rpartition('@')[0]}@127.0.0.1:{line.port}").geturl()

    database.serve(through)
    yield line
    line.close()
    database.serve()


def libraries(user: User) -> int:
    total: int = user.get("/focus/libraries").data["total"]
    return total


def test_a_read_is_tried_again(line: Line, user: User) -> None:
    user.get("/focus")
    line.cuts = 1
    assert user.get("/focus").status == 200


def test_a_write_whose_outcome_is_unknown_is_not(line: Line, user: User) -> None:
    user.get("/focus")
    line.cuts = 1
    user.post("/focus/libraries", {"name": "a"}).refused(503, "unavailable")
    assert libraries(user) == 1


def test_a_write_with_a_key_is_tried_again_and_done_once(line: Line, user: User) -> None:
    user.get("/focus")
    line.cuts = 1
    assert user.post("/focus", {"task_title": "a"}, headers=KEY).status == 200
    assert user.get("/focus").data["total"] == 1
    assert user.post("/focus", {"task_title": "a"}, headers=KEY).headers["idempotent-replay"] == "true"
    assert user.get("/focus").data["total"] == 1


def test_a_line_that_stays_cut_is_503_and_then_works_again(line: Line, user: User) -> None:
    user.get("/focus")
    line.refusing = True
    line.cuts = 1
    user.get("/focus").refused(503, "unavailable")
    user.post("/focus", {}).refused(503, "unavailable")
    user.post("/focus", {}, headers=KEY).refused(503, "unavailable")
    assert user.get("/health").status == 200
    details = user.get("/ready").refused(503, "unavailable")
    assert (details["database"], details["schema_version"]) == ("error", None)
    line.refusing = False
    assert user.get("/focus").data["total"] == 0
    assert user.get("/ready").status == 200


def test_without_a_database_every_route_says_so_and_serves_again_with_it(line: Line, new_user: NewUser) -> None:
    """Platform contract, section 12. What is public may know its answer by itself, or refuse what it was asked."""
    user = new_user(role="admin")
    logins.disconnect()
    line.refusing = True
    for operation in OPERATIONS:
        answer = operation.ask(user, *[str(user.id)] * operation.parameters)
        if operation.public:
            assert answer.status in (200, 302, 400, 404, 503), (str(operation), answer.text)
        else:
            answer.refused(503, "unavailable")
    for path in ("/auth/session", "/auth/google", "/ready", "/health/ready"):
        user.get(path).refused(503, "unavailable")
    user.post("/auth/signout").refused(503, "unavailable")
    assert user.get("/health").status == 200
    line.refusing = False
    assert user.get("/focus").data["total"] == 0
    assert user.get("/admin").status == user.get("/auth/me").status == 200


def test_a_server_that_ended_idle_connections_is_noticed_before_anything_is_sent(
    user: User, database: Database
) -> None:
    """After a restart of the database even a write without a key goes through at once."""
    user.get("/focus")
    database.query(
        "SELECT pg_terminate_backend(pid, 5000) AS done FROM pg_stat_activity"
        " WHERE usename = 'questlog_app' AND datname = current_database()"
    )
    assert user.post("/focus/libraries", {"name": "a"}).status == 200


def test_a_session_killed_at_work_has_done_nothing(user: User, database: Database) -> None:
    database.query(
        """
        CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
        BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(1); RETURN NEW; END $$;
        CREATE TRIGGER die AFTER INSERT ON focus_libraries FOR EACH ROW EXECUTE FUNCTION die();
        """
    )
    try:
        user.post("/focus/libraries", {"name": "a"}).refused(503, "unavailable")
    finally:
        database.query("DROP TRIGGER die ON focus_libraries; DROP FUNCTION die()")
    assert libraries(user) == 0
    assert user.post("/focus/libraries", {"name": "a"}).status == 200


def test_a_statement_that_takes_too_long_is_503(user: User, database: Database, limits: None) -> None:
    database.query(
        """
        CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(20); RETURN NEW; END $$;
        CREATE TRIGGER dawdle BEFORE INSERT ON focus_libraries FOR EACH ROW EXECUTE FUNCTION dawdle();
        """
    )
    try:
        user.post("/focus/libraries", {"name": "a"}).refused(503, "unavailable")
    finally:
        database.query("DROP TRIGGER dawdle ON focus_libraries; DROP FUNCTION dawdle()")
    assert libraries(user) == 0


def test_a_lock_that_is_not_free_in_time_is_503(user: User, database: Database, limits: None) -> None:
    """The time is shortened here; that it is four seconds is said by the role (tests/test_catalogue.py)."""
    database.query(f"ALTER ROLE questlog_app IN DATABASE \"{database.name}\" SET lock_timeout = '100ms'")
    logins.disconnect()
    assert user.post("/habits", {"name": "Read"}).status == 200
    with database.admin() as connection, connection.transaction():
        connection.execute("SELECT FROM user_progress WHERE user_id = %s FOR UPDATE", [user.id])
        user.post("/habits", {"name": "Stretch"}).refused(503, "unavailable")
    assert [habit["name"] for habit in user.get("/habits").data["habits"]] == ["Read"]


@pytest.mark.parametrize("headers", [{}, KEY])
def test_a_reference_to_what_never_was_is_a_fault_of_ours(
    user: User, database: Database, headers: dict[str, str]
) -> None:
    """It is tried again, as if that had been deleted meanwhile, and once only."""
    database.query(
        "ALTER TABLE focus_libraries ADD CONSTRAINT misled FOREIGN KEY (name) REFERENCES skill_definitions NOT VALID"
    )
    try:
        user.post("/focus/libraries", {"name": "a"}, headers=headers).refused(500, "internal_error")
    finally:
        database.query("ALTER TABLE focus_libraries DROP CONSTRAINT misled")
    assert libraries(user) == 0
    assert user.post("/focus/libraries", {"name": "a"}, headers=headers).status == 200


@pytest.mark.parametrize("headers", [{}, KEY])
@pytest.mark.parametrize("refusals", [("40P01", "23503"), ("23503", "40P01")])
def test_who_loses_a_deadlock_may_be_overtaken_too(
    user: User, database: Database, headers: dict[str, str], refusals: tuple[str, str]
) -> None:
    """A request that deletes wins the deadlock with one that refers to what it deletes, which then looks too early."""
    database.query(
        f"""
        CREATE SEQUENCE public.attempts;
        GRANT USAGE ON SEQUENCE public.attempts TO PUBLIC;
        CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            refusals text[] := '{{{",".join(refusals)}}}';
            refusal text := refusals[nextval('public.attempts')];
        BEGIN
            IF refusal IS NOT NULL THEN RAISE EXCEPTION USING ERRCODE = refusal; END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER lose BEFORE INSERT ON focus_libraries FOR EACH ROW EXECUTE FUNCTION lose();
        """
    )
    try:
        assert user.post("/focus/libraries", {"name": "a"}, headers=headers).status == 200
    finally:
        database.query("DROP TRIGGER lose ON focus_libraries; DROP FUNCTION lose(); DROP SEQUENCE public.attempts")
    assert libraries(user) == 1


def test_a_key_that_keeps_nothing_is_no_reason_to_try_again(line: Line, user: User, database: Database) -> None:
    """An answer that shows a secret is not kept, so that trying again would make a second token."""
    user.get("/auth/me")
    line.cuts = 1
    user.post("/auth/sessions", {"name": "Script"}, headers=KEY).refused(503, "unavailable")
    [row] = database.query("SELECT count(*) AS n FROM sessions WHERE user_id = %s AND kind = 'token'", user.id)
    assert row["n"] == 1


def test_a_claim_whose_answer_is_lost_leaves_no_dead_cookie(line: Line, user: User, database: Database) -> None:
    database.query("UPDATE users SET role = 'user' WHERE role = 'admin'")
    user.get("/auth/me")
    line.cuts = 1
    answer = user.post("/admin-access/claim", {"claimKey": ENVIRONMENT["ADMIN_CLAIM_KEY"]}, headers=KEY)
    assert answer.json["success"] is True
    attributes = answer.cookie("__Host-session")
    [token] = attributes - {"path=/", "httponly", "samesite=lax", "max-age=2592000", "secure"}
    assert Client(token).get("/auth/me").json["is_admin"] is True
    database.query("UPDATE users SET role = 'user' WHERE role = 'admin'")


def test_statements_that_are_gone_are_503_and_not_tried_on_that_connection_again(user: User) -> None:
    """As behind a pooler that keeps none and was not recognised as one."""
    user.get("/focus")
    former = db.connection()
    former.pgconn.exec_(b"DEALLOCATE ALL")
    user.get("/focus").refused(503, "unavailable")
    assert former.closed
    assert user.get("/focus").status == 200


def test_another_clients_statement_under_the_same_name_is_503(user: User) -> None:
    user.get("/focus")
    former = db.connection()
    for number in range(50):
        former.pgconn.prepare(f"_pg3_{number}".encode(), b"SELECT 1")
    user.get("/focus/libraries").refused(503, "unavailable")
    assert former.closed
    assert user.get("/focus/libraries").status == 200


def test_a_server_that_only_reads_is_503_and_left(user: User, database: Database) -> None:
    """After a failover the old server may live on and only read; the next connection may lead to the new one."""
    user.get("/focus")
    former = db.connection()
    read_only = f'ALTER ROLE questlog_app IN DATABASE "{database.name}" SET default_transaction_read_only = on'
    database.query(read_only)
    try:
        logins.disconnect()
        user.post("/focus/libraries", {"name": "a"}).refused(503, "unavailable")
        held = db.held_connection()
        assert held is None or held is not former
        details = user.get("/ready").refused(503, "unavailable")
        assert details["database"] == "error"
    finally:
        database.query(f'ALTER ROLE questlog_app IN DATABASE "{database.name}" RESET default_transaction_read_only')
    logins.disconnect()
    assert user.post("/focus/libraries", {"name": "a"}).status == 200
    assert user.get("/ready").status == 200


def test_a_frozen_server_is_not_ready_within_two_seconds(database: Database) -> None:
    """It takes connections, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        frozen = f"postgresql://questlog_app@127.0.0.1:{silent.getsockname()[1]}/x"
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("DATABASE_URL", frozen)
            environment.setenv("APP_DATABASE_URL", frozen)
            settings.cache_clear()
            logins.disconnect()
            # One of five: a busy machine may make any of them longer, but a limit that is too long is so each time.
            for _ in range(5):
                started = time.monotonic()
                details = Client().get("/ready").refused(503, "unavailable")
                if time.monotonic() - started < 2.0:
                    break
            else:
                pytest.fail("it never answered within two seconds")
    assert (details["database"], details["schema_version"]) == ("error", None)
    settings.cache_clear()
