"""What a warm request costs in time, beside the round trip that it cannot do without."""

import random
import statistics
import time
from collections.abc import Callable

import psycopg

from bench.figure import Figure
from bench.stage import Stage

ROUNDS = 2000
WARM_UP = 200


def measure(stage: Stage) -> Figure:
    """The handler of the focus group with real events, interleaved with the bare round trip."""
    figure = Figure(
        "A warm request",
        "Microseconds from the API Gateway event to the answer, database included, in one process; the routes take "
        "turns, so that a slow moment slows all of them. The first row is the floor: one prepared statement on the "
        "same server, over a connection like the function's own.",
        ("what", "median", "95th percentile", "times a bare round trip"),
    )
    user, busy = stage.new_user(), stage.new_user()
    for _ in range(20):
        user.post("/focus")
    library = user.post("/focus/libraries", {"name": "Desk"}).data["id"]
    with psycopg.connect(stage.app_url, autocommit=True, prepare_threshold=0) as connection:
        candidates: dict[str, Callable[[], object]] = {
            "SELECT 1": lambda: connection.execute("SELECT 1").fetchone(),
            "GET /health, no database": lambda: user.get("/health"),
            "GET /focus/active": lambda: user.get("/focus/active"),
            "GET /focus, 20 sessions": lambda: user.get("/focus"),
            "POST /focus/libraries/{id}/favorite": lambda: user.post(f"/focus/libraries/{library}/favorite"),
            "POST /focus": lambda: busy.post("/focus"),
        }
        times = in_turns(candidates)
    floor = statistics.median(times["SELECT 1"])
    for name, taken in times.items():
        median = statistics.median(taken)
        figure.add(name, f"{median:.0f}", f"{statistics.quantiles(taken, n=20)[-1]:.0f}", f"{median / floor:.1f}")
    return figure


def in_turns(candidates: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """The microseconds of every call, by name. The order changes: a call also pays for what the one before left."""
    times: dict[str, list[float]] = {name: [] for name in candidates}
    order, shuffle = list(candidates), random.Random(1).shuffle
    for number in range(WARM_UP + ROUNDS):
        shuffle(order)
        for name in order:
            call = candidates[name]
            started = time.perf_counter()
            call()
            if number >= WARM_UP:
                times[name].append((time.perf_counter() - started) * 1e6)
    return times
