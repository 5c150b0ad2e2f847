"""What the first request of a fresh execution environment costs, by what its start has done ahead."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from bench.database_cpu import backend_of
from bench.figure import Figure
from bench.stage import Stage
from tests.support.client import gateway_event, group_of
from tests.support.fresh import FreshFunction
from tests.support.imports import can_count, cost
from tests.support.proxy import Proxy

ROUTES: Final = ("/today", "/habits", "/sync/poll")
# How Lambda says that the environment starts; empty outside Lambda, where nothing is done ahead.
STARTS: Final = {
    "nothing": "",
    "schemas (SnapStart)": "snap-start",
    "schemas, connection, authenticate": "on-demand",
}
TURNS: Final = 5
# Of the instructions too the least is taken: a wait that a busy machine makes longer adds some.
COUNTS: Final = 2

# Runs in a fork of an interpreter that has imported the layer; `requests` says how many follow the start.
_PROGRAM: Final = """
import os
os.environ.update({environment!r})
from types import SimpleNamespace
from questlog.settings import settings
settings.cache_clear()
from functions.{group}.app import handler
context = SimpleNamespace(function_name="test", memory_limit_in_mb=256, invoked_function_arn="", aws_request_id="test")
for _ in range({requests}):
    assert handler({event!r}, context)["statusCode"] == 200
"""


class Cost(NamedTuple):
    """Of the first request, and of the one that follows it: trips, and milliseconds of CPU of the server's process."""

    trips: int
    database: float
    next_trips: int
    next_database: float


def measure(stage: Stage) -> Figure:
    """Three routes in a new process each, by what was done ahead."""
    figure = Figure(
        "The first request",
        "What the first request of a new process costs, after what its start has done ahead, and what the second one "
        "does. Trips are counted by a proxy, with those that open the connection; the function's instructions by "
        f"valgrind; the database's time is the CPU time of its process, the least of {TURNS} in turns, and includes "
        "opening the connection where the request does that: three trips to log in, and one to see whether a pooler in "
        "between keeps prepared statements. A start has a whole core of Lambda's, a request at 512 MB "
        "0.29 of one.",
        ("request", "done ahead", "trips", "function, million instructions", "database, ms"),
    )
    user = stage.new_user()
    events = {path: gateway_event("GET", path, cookies={"__Host-session": user.token or ""}) for path in ROUTES}
    costs: dict[tuple[str, str], list[Cost]] = {}
    with Proxy(stage.app_url) as proxy:
        for _ in range(TURNS):
            for path, event in events.items():
                for done, starts_as in STARTS.items():
                    costs.setdefault((path, done), []).append(_cost(stage, proxy, event, group_of(path), starts_as))
    instructions = _instructions(stage, events)
    for path in ROUTES:
        for done in STARTS:
            first, _ = instructions.get((path, done), ("", ""))
            measured = costs[path, done]
            figure.add(f"GET {path}", done, measured[0].trips, first, f"{min(one.database for one in measured):.1f}")
        measured = [one for done in STARTS for one in costs[path, done]]
        seconds = [instructions[path, done][1] for done in STARTS if (path, done) in instructions]
        least = min(one.next_database for one in measured)
        second = min(seconds, key=float, default="")
        figure.add(f"GET {path}", "the second request", measured[0].next_trips, second, f"{least:.1f}")
    return figure


def _cost(stage: Stage, proxy: Proxy, event: Mapping[str, Any], group: str, starts_as: str) -> Cost:
    with FreshFunction(group, proxy.url, starts_as) as function:
        trips, opened = proxy.trips, 0
        if starts_as == "on-demand":
            opened = backend_of(stage).cpu_ns()
        assert function.invoke(event)["statusCode"] == 200
        backend, after = backend_of(stage), proxy.trips
        first = backend.cpu_ns()
        assert function.invoke(event)["statusCode"] == 200
        return Cost(after - trips, (first - opened) / 1e6, proxy.trips - after, (backend.cpu_ns() - first) / 1e6)


def _instructions(stage: Stage, events: Mapping[str, Mapping[str, Any]]) -> dict[tuple[str, str], tuple[str, str]]:
    """Millions of the first request and of the second, by path and what was done ahead; nothing without valgrind."""
    if not can_count():
        return {}
    pieces = {
        f"{path} {starts_as} {requests} {turn}": _PROGRAM.format(
            environment={"DATABASE_URL": stage.app_url, "AWS_LAMBDA_INITIALIZATION_TYPE": starts_as},
            group=group_of(path),
            event=event,
            requests=requests,
        )
        for path, event in events.items()
        for starts_as in STARTS.values()
        for requests in (0, 1, 2)
        for turn in range(COUNTS)
    }
    counted = cost({}, pieces)
    found = {}
    for path in events:
        for done, starts_as in STARTS.items():
            start, one, two = (
                min(counted[f"{path} {starts_as} {requests} {turn}"] for turn in range(COUNTS))
                for requests in (0, 1, 2)
            )
            found[path, done] = (f"{(one - start) / 1e6:.0f}", f"{(two - one) / 1e6:.1f}")
    return found
