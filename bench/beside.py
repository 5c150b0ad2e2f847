"""Six routes beside the usual stack (`bench/peer`): the same work on the same server, in turns."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from bench import crowd
from bench.account import Account
from bench.database_cpu import backend_of
from bench.figure import Figure
from bench.peer import account as peer
from bench.peer.account import PeerAccount
from bench.stage import Stage
from tests.support.proxy import Proxy

# Milliseconds that are added to the way to the database and back.
DISTANCES: Final = (0, 2, 10, 40)
ACCOUNTS: Final = 12
# Each round completes a habit, of which an account has PAID_HABITS that are paid.
WARM_UP: Final = 6
ROUNDS: Final = 6
AT_A_DISTANCE: Final = 1


class Pair(NamedTuple):
    """An account with us and one with the peer."""

    ours: Account
    theirs: PeerAccount


Side = str  # "ours" or "theirs"
SIDES: Final[Sequence[Side]] = Pair._fields
# In this order, so that the timer runs while the lists are read.
ROUTES: Final[Mapping[str, Mapping[Side, Callable[[Pair], Any]]]] = {
    "POST /focus": {"ours": lambda pair: pair.ours.start_focus(), "theirs": lambda pair: pair.theirs.start_focus()},
    "GET /focus/active": {
        "ours": lambda pair: pair.ours.user.get("/focus/active").data,
        "theirs": lambda pair: pair.theirs.ask("GET", "/focus/active"),
    },
    "GET /habits": {
        "ours": lambda pair: pair.ours.user.get("/habits").data,
        "theirs": lambda pair: pair.theirs.ask("GET", "/habits"),
    },
    "GET /today": {
        "ours": lambda pair: pair.ours.user.get("/today").json,
        "theirs": lambda pair: pair.theirs.ask("GET", "/today"),
    },
    "POST /habits/{habit_id}/complete": {
        "ours": lambda pair: pair.ours.complete_habit(),
        "theirs": lambda pair: pair.theirs.complete_habit(),
    },
    "POST /focus/{session_id}/complete": {
        "ours": lambda pair: pair.ours.complete_focus(),
        "theirs": lambda pair: pair.theirs.complete_focus(),
    },
}
# What requests moved a meter by, by route and side.
Moved = dict[tuple[str, Side], list[float]]


def measure(stage: Stage) -> Figure:
    """Trips, CPU time of the function and of the database, and latency at several distances, of each route."""
    figure = Figure(
        "Beside the usual stack",
        "FastAPI, Mangum and SQLAlchemy 2 with psycopg on the same server (`bench/peer`), asked in turns with ours "
        f"through the Lambda handlers, beside {crowd.COPIES} other users who have as much; in each cell ours comes "
        "first. The peer's payment moves progress, wallet and one streak, and writes a ledger row; it has no counters, "
        "quests, skills, achievements or row-level security. CPU time is in microseconds, the 10th percentile, which "
        "is what a quiet machine shows: of the function's process, and of the Postgres process behind it (Linux's "
        "schedstat). Latency is the median in milliseconds, with so many milliseconds added to each round trip.",
        (
            *("route", "trips", "function CPU", "database CPU", "database, ratio"),
            *(f"latency, +{distance} ms" for distance in DISTANCES),
        ),
    )
    url = peer.set_up(stage)
    first, *pairs = [Pair(Account(stage), PeerAccount(url)) for _ in range(1 + ACCOUNTS)]
    crowd.copy_account(stage.admin_url, first.ours.user.id, crowd.of_another_user)
    crowd.copy_account(url, first.theirs.user_id, peer.of_another_user)
    stage.query("VACUUM ANALYZE")
    peer.analyze(url)
    stage.serve()
    peer.serve(url)
    _in_turns([first], WARM_UP, dict.fromkeys(SIDES, time.process_time))
    backends = dict(zip(SIDES, (backend_of(stage), backend_of(stage, "postgres", peer.DATABASE)), strict=True))
    if not all(backend.visible for backend in backends.values()):
        return figure.without_rows("it takes Linux, and Postgres on the same machine")
    database = _in_turns(pairs, ROUNDS, {side: backend.cpu_ns for side, backend in backends.items()})
    function = _in_turns(pairs, ROUNDS, dict.fromkeys(SIDES, time.process_time_ns))
    trips, latencies = _through_proxies(stage, url, first, pairs)
    for route in ROUTES:
        cpu = _by_side(database, route, _tenth_percentile)
        figure.add(
            route,
            _shown(_by_side(trips, route, max)),
            _shown(_by_side(function, route, _tenth_percentile), 1e-3),
            _shown(cpu, 1e-3),
            f"{cpu[0] / cpu[1]:.2f}",
            *(_shown(_by_side(latency, route, statistics.median), 1e-6, ".1f") for latency in latencies),
        )
    return figure


def _through_proxies(stage: Stage, url: str, first: Pair, pairs: list[Pair]) -> tuple[Moved, list[Moved]]:
    """Round trips, and nanoseconds of latency at each distance."""
    trips: Moved = {}
    latencies = []
    for distance in DISTANCES:
        delay = distance / 2000
        with Proxy(stage.app_url, delay=delay) as our_way, Proxy(url, delay=delay) as their_way:
            stage.serve(our_way.on_the_way_to)
            peer.serve(their_way.url)
            counts = {"ours": partial(getattr, our_way, "trips"), "theirs": partial(getattr, their_way, "trips")}
            # The first round opens the connections.
            trips = {key: counted[1:] for key, counted in _in_turns([first], 2, counts).items()}
            latencies.append(_in_turns(pairs, AT_A_DISTANCE, dict.fromkeys(SIDES, time.perf_counter_ns)))
            stage.serve()
            peer.serve(url)
    return trips, latencies


def _in_turns(pairs: list[Pair], rounds: int, meters: Mapping[Side, Callable[[], float]]) -> Moved:
    """What each request moves its side's meter by. Who is first changes: a request also pays for what others left."""
    moved: Moved = {(route, side): [] for route in ROUTES for side in SIDES}
    for number in range(rounds):
        for pair in pairs:
            for route, asks in ROUTES.items():
                for side in SIDES if number % 2 else reversed(SIDES):
                    before = meters[side]()
                    asks[side](pair)
                    moved[route, side].append(meters[side]() - before)
                if route == "POST /focus":
                    pair.ours.let_focus_run()
    return moved


def _by_side(moved: Moved, route: str, figure: Callable[[list[float]], float]) -> list[float]:
    return [figure(moved[route, side]) for side in SIDES]


def _tenth_percentile(values: list[float]) -> float:
    return statistics.quantiles(values, n=10)[0]


def _shown(values: list[float], unit: float = 1, form: str = ".0f") -> str:
    return " / ".join(format(value * unit, form) for value in values)
