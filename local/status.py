"""What the start page shows: what runs, what it did last, and what the clock says, as one small JSON document.

A part of the stack that has something to show there adds a field to Document, and a section to start_page.html.
"""

import socket
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal, LiteralString, TypedDict
from urllib.parse import urlsplit

import psycopg
from psycopg.rows import dict_row

from local.history import Exchange, History, Run
from local.runtime import Runtime
from local.template import ROOT, Schedule

DOCUMENTS: Final = ROOT / "docs"

_CONNECT_SECONDS: Final = 2
_JOBS_SHOWN: Final = 10

# One connection and one trip for everything that the page shows from the database.
_DATABASE: Final[LiteralString] = """
    SELECT clock() AS now, to_regclass('local.clock') IS NOT NULL AS is_moved,
           (SELECT count(*) FROM jobs WHERE status = 'queued') AS queued,
           (SELECT count(*) FROM jobs WHERE status = 'running') AS running,
           (SELECT count(*) FROM jobs WHERE status = 'failed' AND finished_at > clock() - interval '1 day') AS failed,
           (SELECT coalesce(array_agg(row_to_json(j)), '{}')
              FROM (SELECT kind, status, attempts,
                           round(extract(epoch FROM clock() - created_at)) AS seconds_since_created
                      FROM jobs WHERE status IN ('queued', 'running') ORDER BY run_after LIMIT %(most)s) AS j) AS open
"""


class Service(TypedDict):
    """Something that the functions need; `url` leads to what a browser can show of it."""

    name: str
    state: Literal["ok", "down"]
    detail: str
    url: str | None


class Request(TypedDict):
    """One of the last requests of a function."""

    at: str
    method: str
    path: str
    status: int
    milliseconds: int
    trips: int | None
    cold: bool


class Function(TypedDict):
    """A function, with its last requests first. It fails when the last one ended in a fault."""

    group: str
    state: Literal["running", "failing", "not started"]
    requests: int
    errors: int
    last: list[Request]


class LastRun(TypedDict):
    """The last run of a schedule."""

    at: str
    milliseconds: int
    outcome: str
    has_failed: bool


class Scheduled(TypedDict):
    """A schedule, and its last run, if there was one."""

    name: str
    group: str
    every_seconds: int
    last: LastRun | None


class Jobs(TypedDict):
    """How many jobs wait, run, and failed in the last day; the next of those that are not done."""

    queued: int
    running: int
    failed: int
    open: list[dict[str, Any]]


class ClockState(TypedDict):
    """The time of the stack, in UTC, and whether it was moved."""

    now: str
    is_moved: bool


class Document(TypedDict):
    """Everything. `clock` and `jobs` are None while the database does not answer; `acting_as` is who `--as` named."""

    url: str
    acting_as: str | None
    services: list[Service]
    clock: ClockState | None
    jobs: Jobs | None
    schedules: list[Scheduled]
    functions: list[Function]
    documents: list[str]


class Status:
    """Looks after the stack whose gateway is at `url`. `links` are the pages of services, by their names."""

    def __init__(
        self,
        *,
        url: str,
        database_url: str,
        services: Mapping[str, str],
        links: Mapping[str, str],
        runtimes: Sequence[Runtime],
        history: History,
        acting_as: str | None = None,
    ) -> None:
        self._url = url
        self._acting_as = acting_as
        self._database_url = database_url
        self._services = services
        self._links = links
        self._runtimes = runtimes
        self._history = history

    def document(self) -> Document:
        """What the page shows at this moment. It asks the database and opens a connection to each service."""
        database, row = self._database()
        return {
            "url": self._url,
            "acting_as": self._acting_as,
            "services": [database, *(self._service(name, url) for name, url in self._services.items())],
            "clock": None if row is None else {"now": _moment(row["now"]), "is_moved": row["is_moved"]},
            "jobs": None
            if row is None
            else {
                "queued": row["queued"],
                "running": row["running"],
                "failed": row["failed"],
                "open": row["open"],
            },
            "schedules": [
                self._scheduled(runtime.function.group, schedule)
                for runtime in self._runtimes
                for schedule in runtime.function.schedules
            ],
            "functions": [self._function(runtime) for runtime in self._runtimes],
            "documents": documents(),
        }

    def _database(self) -> tuple[Service, dict[str, Any] | None]:
        parts = urlsplit(self._database_url)
        # Never the URL itself: it holds the administrator's password.
        address = f"{parts.hostname}:{parts.port or 5432}{parts.path}"
        try:
            with psycopg.connect(
                self._database_url, connect_timeout=_CONNECT_SECONDS, row_factory=dict_row
            ) as connection:
                connection.execute("SET LOCAL timezone = 'UTC'")
                row = connection.execute(_DATABASE, {"most": _JOBS_SHOWN}).fetchone()
        except psycopg.Error as error:
            reason = str(error).strip().partition("\n")[0]
            return {"name": "database", "state": "down", "detail": reason, "url": None}, None
        return {"name": "database", "state": "ok", "detail": address, "url": None}, row

    def _service(self, name: str, url: str) -> Service:
        is_up = takes_connections(url)
        detail = url if is_up else f"{url} takes no connections"
        return {"name": name, "state": "ok" if is_up else "down", "detail": detail, "url": self._links.get(name)}

    def _function(self, runtime: Runtime) -> Function:
        served = self._history.of_function(runtime.function.group)
        is_failing = bool(served.last) and served.last[0].status >= 500
        return {
            "group": runtime.function.group,
            "state": "failing" if is_failing else "running" if runtime.is_running else "not started",
            "requests": served.requests,
            "errors": served.errors,
            "last": [_request(exchange) for exchange in served.last],
        }

    def _scheduled(self, group: str, schedule: Schedule) -> Scheduled:
        run = self._history.last_run(group, schedule)
        return {
            "name": schedule.name,
            "group": group,
            "every_seconds": schedule.every_seconds,
            "last": None if run is None else _last_run(run),
        }


def documents(folder: Path = DOCUMENTS) -> list[str]:
    """The names of the documents that may be read from the start page."""
    return sorted(path.name for path in folder.glob("*.md"))


def takes_connections(url: str) -> bool:
    """Whether something listens where the URL leads."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "localhost", port), timeout=_CONNECT_SECONDS).close()
    except OSError:
        return False
    return True


def _request(exchange: Exchange) -> Request:
    return {
        "at": _moment(exchange.at),
        "method": exchange.method,
        "path": exchange.path,
        "status": exchange.status,
        "milliseconds": round(exchange.seconds * 1000),
        "trips": exchange.trips,
        "cold": exchange.cold,
    }


def _last_run(run: Run) -> LastRun:
    return {
        "at": _moment(run.at),
        "milliseconds": round(run.seconds * 1000),
        "outcome": run.outcome,
        "has_failed": run.problem is not None,
    }


def _moment(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
