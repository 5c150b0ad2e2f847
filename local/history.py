"""What the stack has done since it started: its requests and its runs of schedules, for the start page and the summary.

Only so much is kept of each function and route that a stack may run for weeks.
"""

import json
import statistics
import time
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from local.template import Schedule

_LAST_OF_A_FUNCTION = 10
_LAST_OF_A_ROUTE = 200


@dataclass(frozen=True, slots=True)
class Exchange:
    """One answered request. `path` shows no token; `problem` is set when the gateway itself had to answer.

    `route` is the method and the path as the function declares it, and `trips` its round trips to the database: both as
    its log tells them, None where it does not. `cold` tells that its process was started for it.
    """

    method: str
    path: str
    status: int
    seconds: float
    group: str | None
    problem: str | None = None
    route: str | None = None
    trips: int | None = None
    cold: bool = False
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a schedule: what the function returned, or the problem why it did not."""

    group: str
    schedule: Schedule
    seconds: float
    result: Any = None
    problem: str | None = None
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def is_idle(self) -> bool:
        """Whether there was nothing to do: everything that was counted is 0."""
        return self.problem is None and not any(
            self.result.values() if isinstance(self.result, dict) else [self.result]
        )

    @property
    def outcome(self) -> str:
        """What was done, in words: "done 2, failed 1"."""
        counted = self.result.items() if isinstance(self.result, dict) else []
        return self.problem or ", ".join(f"{name} {count}" for name, count in counted if count) or "nothing to do"


class SlowRoute(NamedTuple):
    """A route and its median time; requests that had to start the function do not count."""

    route: str
    seconds: float
    requests: int


@dataclass(slots=True)
class Served:
    """What a function has answered."""

    requests: int = 0
    errors: int = 0
    last: deque[Exchange] = field(default_factory=lambda: deque(maxlen=_LAST_OF_A_FUNCTION))


class History:
    """Counts requests and runs as they are reported."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._statuses: Counter[int] = Counter()
        self._functions: dict[str, Served] = {}
        self._times: dict[str, deque[float]] = {}
        self._counts: Counter[str] = Counter()
        self._runs: dict[tuple[str, str], Run] = {}

    def note_exchange(self, exchange: Exchange) -> None:
        """Count a request."""
        self._statuses[exchange.status] += 1
        if exchange.group is not None:
            served = self._functions.setdefault(exchange.group, Served())
            served.requests += 1
            served.errors += exchange.status >= 500
            served.last.appendleft(exchange)
        if exchange.route is not None and not exchange.cold:
            self._counts[exchange.route] += 1
            self._times.setdefault(exchange.route, deque(maxlen=_LAST_OF_A_ROUTE)).append(exchange.seconds)

    def note_run(self, run: Run) -> None:
        """Keep the last run of a schedule."""
        self._runs[run.group, run.schedule.name] = run

    def of_function(self, group: str) -> Served:
        """What a function has answered so far, the last requests first."""
        return self._functions.get(group, Served())

    def last_run(self, group: str, schedule: Schedule) -> Run | None:
        """The last run of a schedule that has ended."""
        return self._runs.get((group, schedule.name))

    @property
    def seconds(self) -> float:
        """How long ago the stack was started."""
        return time.monotonic() - self._started

    @property
    def requests(self) -> int:
        """How many requests were answered."""
        return self._statuses.total()

    @property
    def refused(self) -> int:
        """How many requests were answered with 4xx."""
        return sum(count for status, count in self._statuses.items() if 400 <= status < 500)

    @property
    def errors(self) -> int:
        """How many requests were answered with 5xx."""
        return sum(count for status, count in self._statuses.items() if status >= 500)

    def slowest(self, count: int) -> list[SlowRoute]:
        """So many routes, those with the longest median time first."""
        routes = [
            SlowRoute(route, statistics.median(times), self._counts[route]) for route, times in self._times.items()
        ]
        return sorted(routes, key=lambda one: one.seconds, reverse=True)[:count]


class Told(NamedTuple):
    """What the log line of a request tells: its route, and its round trips to the database."""

    route: str | None = None
    trips: int | None = None


def told(logged: bytes) -> Told:
    """The route and trips in the log line of a request, among the lines of one invocation; None if there is none."""
    for line in _json_lines(logged.splitlines()):
        match line:
            case {"message": "request", "method": str(method), "route": str(path), "trips": int(trips)}:
                return Told(f"{method} {path}", trips)
            case {"message": "request", "trips": int(trips)}:
                return Told(trips=trips)
    return Told()


def _json_lines(lines: Iterable[bytes]) -> Iterable[dict[str, Any]]:
    for line in lines:
        try:
            document = json.loads(line)
        except ValueError:
            continue
        if isinstance(document, dict):
            yield document
