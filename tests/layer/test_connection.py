"""Connections that die at every moment: nothing is done twice, nothing is lost, and the next request works."""

import contextlib
import select
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from questlog import db
from questlog.settings import settings

from tests.conftest import Database, User

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
def line(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    line = Line(database.app_url)
    login = urlsplit(database.app_url)
    url = login._replace(netloc=f"{login.netloc.rpartition('@')[0]}@127.0.0.1:{line.port}").geturl()
    db.disconnect()
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("APP_DATABASE_URL", url)
    settings.cache_clear()
    yield line
    line.close()
    db.disconnect()
    monkeypatch.undo()
    settings.cache_clear()


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
