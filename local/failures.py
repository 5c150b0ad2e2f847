"""Explains why the stack does not start: the reason, the file to look in, the command to try."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import psycopg

from database.migrate import CODE, MIGRATIONS, MigrationError
from local.clock import ClockError
from local.postgres import FolderInUse, OtherPostgres, PostgresError
from local.service import PortTaken, ServiceError, free_port
from local.template import TEMPLATE, TemplateError

OLDEST_POSTGRES = 16
_CONNECT_SECONDS = 5
_LONGEST_REASON = 300


class Unreachable(RuntimeError):
    """DATABASE_URL leads to no database that can be used; the message says why, and holds no password."""


# The errors that are explained to the developer. Any other is a fault of ours and is shown with its traceback.
EXPECTED = (
    *(ClockError, MigrationError, OSError, PortTaken, PostgresError, ServiceError, TemplateError, Unreachable),
    psycopg.Error,
)


class Failure(NamedTuple):
    """A reason in one sentence, and where there is one: a file that says more, and a command that may help."""

    reason: str
    look_in: Path | None = None
    try_: str | None = None


def explain(error: BaseException, data: Path, environment: Mapping[str, str]) -> Failure:
    """What an error of EXPECTED means to the developer whose data folder is `data`."""
    if isinstance(error, MigrationError):
        return _migration(str(error), data, has_own_database="DATABASE_URL" in environment)
    look_in = TEMPLATE if isinstance(error, TemplateError) else None
    if isinstance(error, PostgresError | ServiceError):
        look_in = error.log
    return Failure(_shortened(str(error)), look_in, _command(error, data))


def _command(error: BaseException, data: Path) -> str | None:
    """The command that may help, by the kind of the error; a kind stands before the one that it is a case of."""
    commands: tuple[tuple[type[BaseException], str], ...] = (
        (PortTaken, f"PORT={free_port()} make run"),
        (FolderInUse, f"QUESTLOG_DATA={data}-2 PORT={free_port()} make run"),
        (OtherPostgres, _begin_anew(data)),
        (PostgresError, "DATABASE_URL=postgresql://user:password@host/name make run"),
        (Unreachable, "env -u DATABASE_URL make run"),
        (ClockError, 'make run ARGS="--clock 2031-03-29T22:00:00Z"'),
        (OSError, "QUESTLOG_DATA=/another/folder make run"),
    )
    return next((command for kind, command in commands if isinstance(error, kind)), None)


def check_database(url: str) -> None:
    """Raise Unreachable unless the URL leads to a Postgres that takes connections and is new enough."""
    if urlsplit(url).scheme not in ("postgresql", "postgres"):
        raise Unreachable("DATABASE_URL is not of the form postgresql://user:password@host:port/name.")
    try:
        with psycopg.connect(url, connect_timeout=_CONNECT_SECONDS) as connection:
            version = connection.info.server_version // 10000
    except psycopg.Error as error:
        raise Unreachable(f"DATABASE_URL does not answer: {_shortened(_cause(error))}") from None
    if version < OLDEST_POSTGRES:
        raise Unreachable(f"DATABASE_URL leads to Postgres {version}; {OLDEST_POSTGRES} or newer is needed.")


def _begin_anew(data: Path) -> str:
    """The command that keeps the old data and starts with none."""
    return f"mv {data} {data}.old && make run"


def _migration(message: str, data: Path, *, has_own_database: bool) -> Failure:
    """A migration that does not fit is most often one that was changed after the database was made."""
    # dbmate says what it does before the error; Postgres shows the place of it in lines after the first.
    lines = message.splitlines() or ["no reason given"]
    reason = next((line for line in lines if line.startswith("Error:")), lines[0])
    files = [MIGRATIONS / name for name in re.findall(r"^Applying: (\S+\.sql)", message, re.MULTILINE)]
    files += [CODE / name for name in re.findall(r"^(\S+\.sql): ", lines[0])]
    where = "the database of DATABASE_URL" if has_own_database else str(data)
    return Failure(
        f"The migrations do not fit {where}: {_shortened(reason)}",
        files[-1] if files else None,
        "env -u DATABASE_URL make run" if has_own_database else _begin_anew(data),
    )


def _cause(error: psycopg.Error) -> str:
    """The last line of libpq's message, which has one for each address that it tried."""
    lines = str(error).strip().splitlines() or ["no reason given"]
    return next((line for line in reversed(lines) if "failed" in line or "FATAL" in line), lines[-1]).strip()


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_REASON else f"{line[: _LONGEST_REASON - 1]}…"
