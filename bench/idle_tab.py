"""What a tab costs that nobody looks at: it polls, and nothing has changed."""

import statistics
from collections.abc import Callable
from typing import Final, LiteralString

import psycopg

from questlog import identity
from questlog.db import connection, send

from bench.database_cpu import Backend, backend_of
from bench.figure import Figure
from bench.stage import Stage
from tests.support.client import Answer
from tests.support.proxy import Proxy
from tests.support.users import User

SECONDS_BETWEEN_POLLS: Final = 30
POLLS_AN_HOUR: Final = 3600 // SECONDS_BETWEEN_POLLS
SIZES: Final = (10, 10_000)
BATCH: Final = 500
ROUNDS: Final = 200

# A history of so many rows in each table that grows with use, over the days up to yesterday, at most 20 rows a day.
PAYMENTS: Final = """
    SELECT count(award('habit_complete', 'bench', NULL, 1, 1, 'bench:' || n,
                       day => local_today() - 1 - (%(rows)s - n) / 20))
      FROM generate_series(%(first)s::int, %(last)s::int) AS n
"""
HISTORY: Final[tuple[LiteralString, ...]] = (
    """
    INSERT INTO habits (name, sort_order, created_on)
    SELECT 'habit ' || n, n, '2000-01-01' FROM generate_series(1, 20) AS n
    """,
    """
    INSERT INTO habit_completions (habit_id, completed_date, ordinal)
    SELECT h.id, local_today() - 1 - (n - 1) / 20, 1
      FROM generate_series(1, %(rows)s) AS n JOIN habits AS h ON h.sort_order = 1 + (n - 1) %% 20
    """,
    """
    INSERT INTO focus_sessions
           (duration_seconds, actual_seconds, status, end_reason, started_at, completed_at, ended_at)
    SELECT 1500, 1500, 'completed', 'timer', s.at, s.at + interval '1500 s', s.at + interval '1500 s'
      FROM (SELECT now() - interval '1 day' - n * interval '1 hour' AS at FROM generate_series(1, %(rows)s) AS n) AS s
    """,
    """
    INSERT INTO quests (title, category, xp_reward, coin_reward, is_repeatable, repeat_frequency)
    SELECT 'quest ' || n, 'bench', 0, 0, true, 'daily' FROM generate_series(1, 10) AS n
    """,
    """
    INSERT INTO user_quest_progress (quest_id, period_key, period_start, status, progress, accepted_at, completed_at,
                                     quest_created_at)
    SELECT q.id, to_char(d.day, 'YYYY-MM-DD'), d.day, 'completed', 1, d.day, d.day, q.created_at
      FROM (SELECT id, created_at, row_number() OVER () AS place FROM quests) AS q
      JOIN (SELECT n, local_today() - 1 - (n - 1) / 10 AS day FROM generate_series(1, %(rows)s) AS n) AS d
        ON q.place = 1 + (d.n - 1) %% 10
    """,
    """
    INSERT INTO daily_plans (date, items)
    SELECT local_today() - n, '[]' FROM generate_series(1, greatest(1, %(rows)s / 20)) AS n
    """,
    "INSERT INTO activity_events (event_type) SELECT 'page_view' FROM generate_series(1, %(rows)s)",
)


def measure(stage: Stage) -> Figure:
    """An hour of GET /sync/poll with If-None-Match, for a user without and for one with a history."""
    figure = Figure(
        "An idle tab",
        f"What a tab that polls every {SECONDS_BETWEEN_POLLS} seconds costs in an hour in which nothing changes, for a "
        "user with 20 habits, 10 quests and a plan. The rows are those of each table that grows with use: payments, "
        "completions of habits and quests, focus sessions, events. Trips are counted. Microseconds are CPU time of the "
        "Postgres process behind the functions, the 10th percentile of polls in turns: of `authenticate` alone, of a "
        "poll that finds nothing changed, and of one that is made. The second may cost 1.5 times the first.",
        ("rows in each table", "polls", "of them 304", "trips", "authenticate", "unchanged", "ratio", "made"),
    )
    users = {rows: _with_history(stage, rows) for rows in SIZES}
    stage.query("VACUUM ANALYZE")
    hours = {rows: _an_hour(stage, user) for rows, user in users.items()}
    stage.serve()
    known = {rows: user.get("/sync/poll").headers["etag"] for rows, user in users.items()}
    backend = backend_of(stage)
    if not backend.visible:
        return figure.without_rows("it takes Linux, and Postgres on the same machine")
    for rows, (unchanged, trips) in hours.items():
        costs = [tenth / 1000 for tenth in _costs(backend, users[rows], known[rows])]
        authenticated, compared, made = (f"{cost:.0f}" for cost in costs)
        ratio = f"{costs[1] / costs[0]:.2f}"
        figure.add(f"{rows:,}", POLLS_AN_HOUR, unchanged, trips, authenticated, compared, ratio, made)
    return figure


def _with_history(stage: Stage, rows: int) -> User:
    """A user with so many rows, and a plan for today."""
    user = stage.new_user()
    with psycopg.connect(stage.admin_url, autocommit=True) as connection:
        connection.execute("SELECT set_config('app.user_id', %s, false)", [str(user.id)])
        connection.execute("SET ROLE questlog_owner")
        # In batches: within one transaction every payment would wade through the versions of the ones before it.
        for first in range(1, rows + 1, BATCH):
            connection.execute(PAYMENTS, {"rows": rows, "first": first, "last": min(rows, first + BATCH - 1)})
        for statement in HISTORY:
            connection.execute(statement, {"rows": rows})
    user.post("/daily-plan", {"action": "generate"})
    return user


def _an_hour(stage: Stage, user: User) -> tuple[int, int]:
    """How many of an hour's polls were answered 304, and how many trips they took."""
    with Proxy(stage.app_url) as proxy:
        stage.serve(proxy.on_the_way_to)
        known = user.get("/sync/poll").headers["etag"]
        before = proxy.trips
        polls: list[Answer] = [user.get("/sync/poll", headers={"If-None-Match": known}) for _ in range(POLLS_AN_HOUR)]
        trips = proxy.trips - before
        stage.serve()
    return sum(poll.status == 304 for poll in polls), trips


def _costs(backend: Backend, user: User, known: str) -> list[float]:
    """Nanoseconds of the database's CPU: to authenticate, for an unchanged poll, for one that is made."""
    token = identity.Token.read(user.token or "")
    opening = identity.authenticate_by(token, identity.MEMBER, writes=False)
    asked: list[Callable[[], object]] = [
        lambda: send(connection(), [opening]),
        lambda: user.get("/sync/poll", headers={"If-None-Match": known}),
        lambda: user.get("/sync/poll"),
    ]
    taken: list[list[float]] = [[] for _ in asked]
    for _ in range(ROUNDS):
        for ask, costs in zip(asked, taken, strict=True):
            before = backend.cpu_ns()
            ask()
            costs.append(backend.cpu_ns() - before)
    return [statistics.quantiles(costs, n=10)[0] for costs in taken]
