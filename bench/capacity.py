"""What an account weighs, and what a day of an active user costs the database: docs/scale.md counts with these."""

import statistics
from collections.abc import Callable, Mapping
from typing import Final

import psycopg

from bench.database_cpu import Backend, backend_of
from bench.figure import Figure
from bench.paying import paying_requests
from bench.population import USUAL, account, crowd, settle
from bench.stage import Stage
from tests.support.users import User

NEW_USERS: Final = 2_000
PAYMENTS_OF_A_NEW_USER: Final = 5
LEDGER_ROWS: Final = 5_000
ROUNDS: Final = 10
WARM_UP: Final = 3

# A day of someone who uses most of it: how often what is asked. A tab that stays open for three hours polls 360 times.
POLL: Final = "GET /sync/poll, nothing new"
READS: Final[Mapping[str, int]] = {
    "GET /today": 20,
    "GET /habits": 10,
    "GET /focus/active": 10,
    "GET /quests": 5,
    "GET /goals": 3,
    "GET /calendar/week": 5,
    "GET /gamification/summary": 5,
    "GET /books": 2,
    "GET /learn": 2,
}
POLLS: Final = 360
PAID: Final[Mapping[str, int]] = {
    "POST /focus": 4,
    "POST /focus/{session_id}/complete": 4,
    "POST /habits/{habit_id}/complete": 5,
    "POST /quests/{quest_id}/complete": 2,
    "POST /goals/milestones/{milestone_id}/complete": 1,
    "POST /calendar/{event_id}/complete": 2,
    "POST /books/{book_id}/sessions": 1,
    "POST /activity": 20,
}
# What of it adds a row to the ledger.
LEDGER_ROWS_A_DAY: Final = sum(times for route, times in PAID.items() if route not in ("POST /focus", "POST /activity"))


def measure_weight(stage: Stage) -> Figure:
    """Bytes of users and of their rows."""
    figure = Figure(
        "What an account weighs",
        "Bytes in the database's tables with their indexes, by how much the tables grew. A year's account has "
        f"{USUAL.ledger:,} rows in the ledger, {USUAL.habits} habits with a completion a day, {USUAL.focus:,} focus "
        f"sessions, {USUAL.events:,} calendar events, {USUAL.workouts} workouts and {USUAL.notes} notes.",
        ("what", "bytes"),
    )
    empty = _bytes(stage)
    crowd(stage, NEW_USERS, PAYMENTS_OF_A_NEW_USER)
    # Without it what settle() writes is planned for tables that have no rows.
    stage.query("ANALYZE")
    settle(stage)
    new = _bytes(stage) - empty
    figure.add(f"a new user, paid {PAYMENTS_OF_A_NEW_USER} times", f"{new / NEW_USERS:.0f}")
    figure.add("a row of the ledger", f"{_ledger_row(stage):.0f}")
    before = _bytes(stage)
    account(stage, USUAL)
    figure.add("a year's account", f"{_bytes(stage) - before}")
    return figure


def measure_day(stage: Stage) -> Figure:
    """Milliseconds of the database's CPU time for all that an active user asks on a day."""
    figure = Figure(
        "A day of an active user",
        "Milliseconds of CPU time of the Postgres process that serves the requests, for a year's account; the 10th "
        f"percentile of {ROUNDS} turns. How often what is asked is an assumption: put in your own. It adds "
        f"{LEDGER_ROWS_A_DAY} rows to the ledger.",
        ("request", "times a day", "ms each", "ms a day"),
    )
    user = account(stage, USUAL)
    stage.query("ANALYZE")
    settle(stage)
    stage.serve()
    user.get("/today")
    backend = backend_of(stage)
    if not backend.visible:
        return figure.without_rows("it takes Linux, and Postgres on the same machine")
    tag = user.get("/sync/poll").headers["etag"]
    day: dict[str, tuple[int, float]] = {
        POLL: (POLLS, _cost(backend, lambda: user.get("/sync/poll", headers={"if-none-match": tag}), 304))
    }
    for what, times in READS.items():
        day[what] = (times, _cost(backend, _reading(user, what)))
    paying = paying_requests(stage)
    for what, times in PAID.items():
        day[what] = (times, _cost_of_payment(backend, user, paying[what].prepare, paying[what].request))
    for what, (times, each) in day.items():
        figure.add(what, times, f"{each:.2f}", f"{times * each:.1f}")
    total = sum(times * each for times, each in day.values())
    figure.add("together", sum(times for times, _ in day.values()), "", f"{total:.0f}")
    return figure


def _reading(user: User, what: str) -> Callable[[], object]:
    return lambda: user.get(what.removeprefix("GET "))


def _cost(backend: Backend, request: Callable[[], object], status: int = 200) -> float:
    costs = []
    for _ in range(WARM_UP + ROUNDS):
        before = backend.cpu_ns()
        answer = request()
        costs.append((backend.cpu_ns() - before) / 1e6)
        assert getattr(answer, "status", None) == status, answer
    return statistics.quantiles(costs[WARM_UP:], n=10)[0]


def _cost_of_payment(
    backend: Backend, user: User, prepare: Callable[[User], str], request: Callable[[User, str], object]
) -> float:
    costs = []
    for _ in range(WARM_UP + ROUNDS):
        prepared = prepare(user)
        before = backend.cpu_ns()
        answer = request(user, prepared)
        costs.append((backend.cpu_ns() - before) / 1e6)
        assert getattr(answer, "status", None) == 200, answer
    return statistics.quantiles(costs[WARM_UP:], n=10)[0]


def _ledger_row(stage: Stage) -> float:
    """Bytes of a row, with keys as long as those of completions."""
    user = stage.new_user()
    with psycopg.connect(stage.admin_url) as connection:
        connection.execute("SELECT set_config('app.user_id', %s, true)", [str(user.id)])
        before = _bytes(stage, "points_ledger")
        connection.execute(
            "SELECT count(award('habit_complete', 'habit', NULL, 10, 2,"
            " 'habit_complete:' || gen_random_uuid() || ':2031-05-07')) FROM generate_series(1, %s)",
            [LEDGER_ROWS],
        )
    return (_bytes(stage, "points_ledger") - before) / LEDGER_ROWS


def _bytes(stage: Stage, tables: str = "%") -> int:
    stage.query("VACUUM")
    [[total]] = stage.query(
        "SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class"
        " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname LIKE %s",
        tables,
    )
    size: int = total
    return size
