"""A stack that cannot start says why in a sentence, which file says more, and what to try; never a wall of text."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from database.migrate import CODE, MigrationError, migrate, replace_code
from local.clock import Clock, ClockError
from local.failures import EXPECTED, Unreachable, check_database, explain
from local.gateway import Gateway, Server, check_port
from local.postgres import OtherPostgres, Postgres, PostgresError
from local.service import PortTaken, ServiceError, free_port
from local.template import ROOT
from tests.conftest import Database


def run(data: Path, **variables: str) -> tuple[int, str]:
    """What `make run` prints and how it ends, where it cannot start."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment |= {"PYTHONPATH": f"{ROOT}:{ROOT / 'layers' / 'common'}", "QUESTLOG_DATA": str(data), **variables}
    command = [sys.executable, "-m", "local"]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_a_taken_port_is_told_before_anything_is_started(tmp_path: Path) -> None:
    server = Server(Gateway([], report=print), [], port=0)
    try:
        status, printed = run(tmp_path / "data", PORT=str(server.port))
    finally:
        for listener in server._sockets:
            listener.close()
    assert status == 1
    assert f"Port {server.port} is in use, by another program or by a stack that runs already." in printed
    assert "try        PORT=" in printed
    assert len(printed.splitlines()) <= 8
    assert "\x1b" not in printed, "what is piped has no colours and no bars"
    assert not (tmp_path / "data").exists()


def test_a_free_port_is_no_failure() -> None:
    port = free_port()
    check_port(port)
    check_port(port)


def test_a_database_that_does_not_answer(tmp_path: Path) -> None:
    url = f"postgresql://owner:sesame@127.0.0.1:{free_port()}/questlog"
    status, printed = run(tmp_path / "data", DATABASE_URL=url, PORT=str(free_port()))
    assert status == 1
    assert "DATABASE_URL does not answer:" in printed
    assert "refused" in printed
    assert "try        env -u DATABASE_URL make run" in printed
    assert "sesame" not in printed
    assert len(printed.splitlines()) <= 8


@pytest.mark.parametrize("url", ["mysql://me:sesame@localhost/x", "host=localhost password=sesame", "sesame", ""])
def test_what_is_no_url_of_postgres_is_not_repeated(url: str) -> None:
    with pytest.raises(Unreachable, match="not of the form") as refused:
        check_database(url)
    assert "sesame" not in str(refused.value)


def test_a_wrong_password_is_told(database: Database) -> None:
    check_database(database.admin_url)
    with pytest.raises(Unreachable, match=r"DATABASE_URL does not answer.*authentication failed") as refused:
        check_database(database.app_url.replace("questlog_app:", "questlog_app:not"))
    assert "\n" not in str(refused.value)


def test_a_folder_in_use(tmp_path: Path) -> None:
    first, second = Postgres(tmp_path / "postgres", durable=False), Postgres(tmp_path / "postgres")
    with first, pytest.raises(PostgresError) as refused:
        second.start()
    failure = explain(refused.value, tmp_path, {})
    assert "the stack is already running there" in failure.reason
    assert failure.try_ is not None
    assert failure.try_.startswith(f"QUESTLOG_DATA={tmp_path}-2 PORT=")


def test_a_folder_of_another_postgres(tmp_path: Path) -> None:
    (tmp_path / "postgres" / "data").mkdir(parents=True)
    (tmp_path / "postgres" / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(OtherPostgres) as refused, Postgres(tmp_path / "postgres"):
        pass
    failure = explain(refused.value, tmp_path, {})
    assert "is Postgres 9's" in failure.reason
    assert failure.try_ == f"mv {tmp_path} {tmp_path}.old && make run"


def test_a_postgres_that_does_not_start(tmp_path: Path) -> None:
    with Postgres(tmp_path / "postgres", durable=False) as server:
        pass
    (server.data / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(PostgresError) as refused, Postgres(tmp_path / "postgres"):
        pass
    failure = explain(refused.value, tmp_path, {})
    assert failure.reason.startswith("Postgres does not start: ")
    assert "FATAL" in failure.reason
    assert failure.look_in == server.log
    assert "no_such_setting" in server.log.read_text()


def test_migrations_that_do_not_fit(untouched: Database, tmp_path: Path) -> None:
    """The folder holds what an older text of the same migrations made."""
    untouched.query("CREATE TABLE public.one ()")
    migrations, code = tmp_path / "migrations", tmp_path / "code"
    migrations.mkdir()
    code.mkdir()
    (code / "order.txt").write_text("")
    (migrations / "9999_one.sql").write_text("-- migrate:up\nCREATE TABLE one ();\n")
    with pytest.raises(MigrationError) as refused:
        migrate(untouched.admin_url, migrations, code)
    own = explain(refused.value, tmp_path / ".local", {})
    assert own.reason.startswith(f"The migrations do not fit {tmp_path / '.local'}: ")
    assert 'relation "one" already exists' in own.reason
    assert own.look_in is not None
    assert own.look_in.name == "9999_one.sql"
    assert own.try_ == f"mv {tmp_path / '.local'} {tmp_path / '.local'}.old && make run"
    given = explain(refused.value, tmp_path, {"DATABASE_URL": untouched.admin_url})
    assert given.reason.startswith("The migrations do not fit the database of DATABASE_URL: ")
    assert given.try_ == "env -u DATABASE_URL make run"


def test_code_that_does_not_fit(untouched: Database, tmp_path: Path) -> None:
    """The tables are those of an older text, so a function that reads them cannot be made."""
    (tmp_path / "order.txt").write_text("habits.sql\n")
    (tmp_path / "habits.sql").write_text(
        "SET LOCAL ROLE questlog_owner;\nCREATE OR REPLACE FUNCTION app.odd() RETURNS int LANGUAGE sql\n"
        "RETURN (SELECT no_such_column FROM habits);\n"
    )
    with pytest.raises(MigrationError) as refused:
        replace_code(untouched.admin_url, tmp_path)
    failure = explain(refused.value, tmp_path / ".local", {})
    assert failure.reason.endswith('habits.sql: app.odd: column "no_such_column" does not exist')
    assert failure.look_in == CODE / "habits.sql"


def test_a_service_that_does_not_start_names_its_log(tmp_path: Path) -> None:
    failure = explain(ServiceError("The bucket does not start on port 1.", tmp_path / "bucket.log"), tmp_path, {})
    assert failure == ("The bucket does not start on port 1.", tmp_path / "bucket.log", None)


def test_a_time_that_is_none(clock: Clock) -> None:
    with pytest.raises(ClockError) as refused:
        clock.set("soon")
    failure = explain(refused.value, Path(), {})
    assert "soon" in failure.reason
    assert failure.try_ is not None
    assert "--clock 2031" in failure.try_


def test_every_reason_is_one_short_line(tmp_path: Path) -> None:
    for error in (PortTaken(1), OSError("a\nb" * 1000), MigrationError("x\n" * 1000), MigrationError("")):
        assert isinstance(error, EXPECTED)
        reason = explain(error, tmp_path, {}).reason
        assert "\n" not in reason
        assert len(reason) < 500
