"""The embedded server keeps what was committed and outlives nobody."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from database.migrate import set_login_passwords
from local.postgres import Postgres, PostgresError
from local.template import ROOT
from tests.local.processes import alive

HOLDER = """
import sys, time, pathlib
from local.postgres import Postgres
with Postgres(pathlib.Path(sys.argv[1]), durable=False) as server:
    print(server.admin_url, flush=True)
    time.sleep(60)
"""


def test_data_survive_a_restart_and_a_folder_has_one_user(tmp_path: Path) -> None:
    with Postgres(tmp_path / "pg", durable=False) as server:
        assert server.ensure_database("app") is True
        assert server.ensure_database("app") is False
        with psycopg.connect(server.url("app")) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 'Ä' AS letter")
            settings = connection.execute(
                "SELECT current_setting('server_encoding'), current_setting('timezone'), lower('Ä')"
            ).fetchone()
            assert settings == ("UTF8", "UTC", "ä")
        assert (server.folder / "password").stat().st_mode & 0o777 == 0o600
        with pytest.raises(PostgresError, match="already running"):
            Postgres(tmp_path / "pg", durable=False).start()
    with Postgres(tmp_path / "pg", durable=False) as server, psycopg.connect(server.url("app")) as connection:
        assert connection.execute("SELECT letter FROM kept").fetchone() == ("Ä",)


def test_no_entry_without_the_password(tmp_path: Path) -> None:
    with Postgres(tmp_path / "pg", durable=False) as server, pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(server.url("postgres", "postgres", "guess"))


@pytest.mark.parametrize("victim", ["stack", "postgres and stack"])
def test_killed_outright_it_is_gone_and_starts_again_with_its_data(tmp_path: Path, victim: str) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "pg")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as holder:
        assert holder.stdout is not None
        url = holder.stdout.readline().strip()
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
        postmaster = int((tmp_path / "pg" / "data" / "postmaster.pid").read_text().split("\n", 1)[0])
        if victim != "stack":
            os.kill(postmaster, signal.SIGKILL)
        holder.kill()
    with Postgres(tmp_path / "pg", durable=False) as server, psycopg.connect(server.admin_url) as connection:
        assert connection.execute("SELECT one FROM kept").fetchone() == (1,)
        assert not alive(postmaster)


def test_a_stale_pid_file_that_names_someone_else_is_no_obstacle(tmp_path: Path) -> None:
    with Postgres(tmp_path / "pg", durable=False):
        pass
    (tmp_path / "pg" / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n{tmp_path}\n")
    with Postgres(tmp_path / "pg", durable=False):
        pass


def test_login_passwords_work_and_are_not_logged(tmp_path: Path) -> None:
    with Postgres(tmp_path / "pg", durable=False) as server:
        with psycopg.connect(server.admin_url, autocommit=True) as connection:
            connection.execute("CREATE ROLE someone LOGIN")
            connection.execute("ALTER ROLE postgres SET log_statement = 'all'")
        set_login_passwords(server.admin_url, {"someone": "open sesame/?"})
        with psycopg.connect(server.url("postgres", "someone", "open sesame/?")) as connection:
            assert connection.execute("SELECT current_user").fetchone() == ("someone",)
        log = server.log.read_text()
        assert "ALTER ROLE" in log
        assert "sesame" not in log
