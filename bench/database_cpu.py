"""What a request costs the database: the CPU time of the Postgres process that serves it.

The functions scale out and the database does not, so this is the figure that says how many users one database carries.
"""

import re
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from bench.account import PAID_HABITS, Account
from bench.figure import Figure
from bench.stage import Stage
from tests.support.client import Answer

ACCOUNTS: Final = 6
ROUNDS: Final = PAID_HABITS
WARM_UP: Final = 12
# Follows the id of a series in the id of one of its occurrences.
OCCURRENCE: Final = re.compile(r"_\d{8}T\d{6}Z$")

# In this order, so that the timer runs while the lists are read.
ROUTES: Final[Mapping[str, Callable[[Account], Answer]]] = {
    "POST /focus": Account.start_focus,
    "GET /focus/active": lambda account: account.user.get("/focus/active"),
    "GET /habits": lambda account: account.user.get("/habits"),
    "GET /today": lambda account: account.user.get("/today"),
    "GET /sync/poll": lambda account: account.user.get("/sync/poll"),
    "GET /goals": lambda account: account.user.get("/goals"),
    "GET /quests": lambda account: account.user.get("/quests", query={"page_size": 100}),
    "GET /calendar/week": lambda account: account.user.get("/calendar/week"),
    "POST /habits/{habit_id}/complete": Account.complete_habit,
    "POST /focus/{session_id}/complete": Account.complete_focus,
}

# The median against that of the schema in which SQL made the JSON of the answers: commits 48ef8f5 and 156aac7, whose
# servers took turns every 50 ms, 320 requests of each route.
AGAINST_DOCUMENTS: Final[Mapping[str, float]] = {
    "POST /focus": 0.90,
    "GET /focus/active": 0.80,
    "GET /habits": 0.37,
    "GET /today": 0.77,
    "GET /sync/poll": 0.88,
    "GET /goals": 0.18,
    "GET /quests": 0.38,
    "GET /calendar/week": 0.12,
    "POST /habits/{habit_id}/complete": 0.74,
    "POST /focus/{session_id}/complete": 0.94,
}


class Backend:
    """A Postgres process of this machine."""

    def __init__(self, pid: int) -> None:
        self._process = Path("/proc", str(pid))

    @property
    def visible(self) -> bool:
        """Whether this machine says what the process costs: Linux does, of its own processes."""
        name = self._process / "comm"
        return name.exists() and name.read_text() == "postgres\n" and (self._process / "schedstat").exists()

    def cpu_ns(self) -> int:
        """Nanoseconds on a CPU so far, read while it sleeps: for a moment after the answer it still runs."""
        while self._state() != "S":
            time.sleep(0)
        # Documentation/scheduler/sched-stats.rst: time on the CPU, time waiting for one, time slices.
        return int((self._process / "schedstat").read_text().split()[0])

    def _state(self) -> str:
        # proc_pid_stat(5): the state follows the name, which stands in parentheses and may hold any character.
        return (self._process / "stat").read_text().rpartition(") ")[2][0]


def measure(stage: Stage) -> Figure:
    """Ten routes in turns, by several accounts, over one warm connection."""
    figure = Figure(
        "Database CPU per request",
        "Microseconds of CPU time of the Postgres process that serves the request (Linux's schedstat), through the "
        f"functions and over one warm connection; {ACCOUNTS} accounts in turns, {ROUNDS} requests of each. An account "
        "has 100 habits, 50 goals of 10 milestones, 100 quests and 50 calendar series; every completion is a paid one. "
        "A neighbour on the same core makes CPU time longer: the 10th percentile is what a quiet machine shows. The "
        "last column compares the median with that of a schema which made the answers' JSON in SQL.",
        ("route", "median", "mean", "10th percentile", "against JSON from SQL (recorded)"),
    )
    stage.serve()
    warm_up, *accounts = [Account(stage) for _ in range(1 + ACCOUNTS)]
    stage.query("VACUUM ANALYZE")
    backend = backend_of(stage)
    if not backend.visible:
        return figure.without_rows("it takes Linux, and Postgres on the same machine")
    for _ in range(WARM_UP):
        _round(backend, warm_up)
    rounds = [_round(backend, account) for _ in range(ROUNDS) for account in accounts]
    for route in ROUTES:
        taken = [each[route] / 1000 for each in rounds]
        tenth = statistics.quantiles(taken, n=10)[0]
        times = (f"{value:.0f}" for value in (statistics.median(taken), statistics.fmean(taken), tenth))
        figure.add(route, *times, f"{AGAINST_DOCUMENTS[route]:.2f}")
    return figure


def backend_of(stage: Stage, login: str = "questlog_app", database: str | None = None) -> Backend:
    """The process behind the functions' connection: the youngest, since it was opened for this figure."""
    [[pid]] = stage.query(
        "SELECT pid FROM pg_stat_activity WHERE datname = coalesce(%s, current_database()) AND usename = %s"
        " ORDER BY backend_start DESC LIMIT 1",
        *(database, login),
    )
    return Backend(pid)


def _round(backend: Backend, account: Account) -> dict[str, int]:
    """Make each request once; its cost in nanoseconds, by route."""
    costs = {}
    for route, request in ROUTES.items():
        before = backend.cpu_ns()
        answer = request(account)
        costs[route] = backend.cpu_ns() - before
        if route == "POST /focus":
            account.let_focus_run()
        assert answer.status == 200, answer.text
    return costs


def rows_in(answer: Answer) -> int:
    """How many rows of the database the longest list of an answer shows; 1 for a document without one.

    The occurrences of a series are made by the function, from the one row that the database returns of it; and so is a
    day of statistics on which nothing was, from none.
    """
    return max(1, _longest(answer.json)) if answer.text.startswith(("{", "[")) else 1


def _longest(value: Any) -> int:
    if isinstance(value, list):
        rows = {_row_of(place, item) for place, item in enumerate(value) if not _is_empty_day(item)}
        return max(len(rows), *map(_longest, value), 0)
    return max(map(_longest, value.values()), default=0) if isinstance(value, dict) else 0


def _is_empty_day(item: Any) -> bool:
    """Whether an item is a date with numbers that are all zero."""
    return (
        isinstance(item, dict) and "date" in item and not any(value for name, value in item.items() if name != "date")
    )


def _row_of(place: int, item: Any) -> str | int:
    """What tells the row of an item from others: of an occurrence, the id of its series."""
    name = item.get("id") if isinstance(item, dict) else None
    return OCCURRENCE.sub("", name) if isinstance(name, str) else place
