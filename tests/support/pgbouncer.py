"""PgBouncer in front of the tests' database, where there is one on this machine.

PGBOUNCER names another program than the one that is installed.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

from local.service import Service

# From this one on it can keep prepared statements (its change log, 1.21.0).
KEEPS_STATEMENTS: Final = (1, 21)

_SETTINGS: Final = """
[databases]
* = host=127.0.0.1 port={server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users
pool_mode = {mode}
default_pool_size = 3
{more}
"""


def program() -> str | None:
    """Where PgBouncer is, or None."""
    found = os.environ.get("PGBOUNCER") or shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    return found or None


@cache
def version() -> tuple[int, ...]:
    """The version of the PgBouncer that is here; () for none."""
    found = program()
    if found is None:
        return ()
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    numbers = re.search(r"(\d+)\.(\d+)\.(\d+)", said)
    assert numbers is not None, said
    return tuple(int(number) for number in numbers.groups())


class PgBouncer:
    """A pooler with three connections per login to the server of `url`, which clients reach it by as well.

    `max_prepared_statements` is for versions that know it: 0 keeps none, as older ones do.
    """

    def __init__(
        self,
        folder: Path,
        url: str,
        passwords: Mapping[str, str],
        *,
        mode: str = "transaction",
        max_prepared_statements: int = 0,
    ) -> None:
        knows = version() >= KEEPS_STATEMENTS
        more = f"max_prepared_statements = {max_prepared_statements}" if knows else ""
        server = urlsplit(url).port or 5432
        (folder / "users").write_text("".join(f'"{role}" "{password}"\n' for role, password in passwords.items()))

        def command(port: int) -> list[str]:
            settings = _SETTINGS.format(server=server, port=port, folder=folder, mode=mode, more=more)
            (folder / "pgbouncer.ini").write_text(settings)
            return [str(program()), str(folder / "pgbouncer.ini")]

        self._service = Service("pooler", command, port=0, log=folder / "pgbouncer.log", env=os.environ, as_user=True)

    def __enter__(self) -> Self:
        self._service.ready()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._service.__exit__(kind, error, at)

    def on_the_way_to(self, url: str) -> str:
        """The URL of a database of the server, by way of this pooler."""
        parts = urlsplit(url)
        login, at, _ = parts.netloc.rpartition("@")
        return parts._replace(netloc=f"{login}{at}127.0.0.1:{self._service.port}").geturl()
