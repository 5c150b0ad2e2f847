"""What training costs the database: a set beside a plain award, and a short history beside ten years of one."""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, LiteralString

import psycopg

from questlog import db, identity
from questlog.db import Statement

from bench import crowd
from bench.database_cpu import Backend, backend_of
from bench.figure import Figure
from bench.stage import Stage
from tests.exercise.training import SQUAT, start, workout
from tests.support.client import Answer
from tests.support.proxy import Proxy
from tests.support.users import User

SESSIONS: Final = (10, 3_000)
ROUNDS: Final = 40
WARM_UP: Final = 8
SETS_A_ROUND: Final = 4
COINS: Final = 1_000_000
NO_ROWS: Final = "it takes Linux, and Postgres on the same machine"

# Completed sessions of an hour, the last one yesterday: five sets of squats, and five of each of three other exercises,
# which take turns. What is lifted grows slowly, so that there are records all along.
HISTORY: Final[tuple[LiteralString, ...]] = (
    """
    INSERT INTO workout_sessions (workout_id, workout_name, workout_type, status, started_at, completed_at, opened_at,
                                  closed_at, local_date, duration_seconds, total_sets, total_volume_kg)
    SELECT %(workout)s, 'Legs', 'strength', 'completed', d.at, d.at + interval '1 h', d.at, d.at + interval '1 h',
           d.at::date, 3600, 20, 8000
      FROM (SELECT clock() - n * interval '29 h' AS at FROM generate_series(1, %(sessions)s) AS n) AS d
    """,
    """
    INSERT INTO session_exercises (session_id, exercise_owner, exercise_id, started_at, is_completed)
    SELECT s.id, e.owner_key, e.id, s.started_at, true
      FROM (SELECT *, row_number() OVER (ORDER BY started_at) AS place FROM workout_sessions) AS s
      JOIN (SELECT *, row_number() OVER (ORDER BY slug) AS place FROM exercises WHERE is_builtin) AS e
        ON e.id = %(squat)s OR e.place <= 30 AND e.place %% 10 = s.place %% 10
    """,
    """
    INSERT INTO exercise_sets (session_id, exercise_owner, exercise_id, set_number, reps, weight_kg, logged_at)
    SELECT e.session_id, e.exercise_owner, e.exercise_id, n, 5,
           round(60 + 40 * row_number() OVER (ORDER BY e.started_at)::numeric / (20 * %(sessions)s), 0),
           e.started_at + n * interval '2 min'
      FROM session_exercises AS e CROSS JOIN generate_series(1, 5) AS n
    """,
    """
    SELECT rebuild_records(e.exercise_owner, e.exercise_id)
      FROM (SELECT DISTINCT exercise_owner, exercise_id FROM session_exercises) AS e
    """,
    "SELECT recount_workout(%(workout)s)",
    "SELECT recount_weeks('2000-01-01', '2100-01-01')",
)
AWARD: Final[LiteralString] = "SELECT award('focus_complete', 'bench', NULL, 25, 5, 'bench:' || gen_random_uuid())"


def measure(stage: Stage) -> Figure:
    """A set and a purchase beside an award, and the library of exercises, by a user with a short history."""
    figure = Figure(
        "Training and buying beside an award",
        "Milliseconds of CPU time: of the Postgres process that serves the request, and of the function, which is this "
        f"process; the 10th percentile of {ROUNDS} rounds, which is what a quiet machine shows, beside {crowd.COPIES} "
        "other users who have as much. The award is a trip of its own: who asks, and one payment. A set and a purchase "
        "are to cost the database at most 1.5 times that.",
        ("what", "database", "times an award", "function", "trips"),
    )
    user = with_history(stage, SESSIONS[0])
    _earn(stage, user)
    item = user.post("/market/items", {"name": "An hour off", "price_coins": 1}).data["key"]
    tag = user.get("/exercise").headers["etag"]
    requests: dict[str, Callable[[], object]] = {
        "an award": lambda: _award(user),
        "POST /exercise/sessions/log-set": lambda: _logged(user, 60),
        "POST /market/purchase": lambda: user.post("/market/purchase", {"item_key": item}).data,
        "GET /exercise, 873 exercises": lambda: user.get("/exercise"),
        "GET /exercise, unchanged": lambda: user.get("/exercise", headers={"If-None-Match": tag}),
    }
    trips = _trips(stage, user, requests)
    crowd.copy_account(stage.admin_url, user.id, crowd.of_another_user)
    stage.query("VACUUM ANALYZE")
    backend = _backend(stage, user)
    if not backend.visible:
        return figure.without_rows(NO_ROWS)
    costs = _in_rounds(backend, {user: requests})[user]
    award = _tenth(costs["an award"].database)
    for what, cost in costs.items():
        database = _tenth(cost.database)
        cells = (f"{database:.2f}", f"{database / award:.2f}", f"{_tenth(cost.function):.1f}", trips[what])
        figure.add(what, *cells)
    return figure


def measure_history(stage: Stage) -> Figure:
    """The same requests by a user with ten sessions and by one with ten years of them."""
    few, many = SESSIONS
    figure = Figure(
        "Ten years of training",
        f"Milliseconds of CPU time of the Postgres process that serves the request, for a user with {few} sessions of "
        f"20 sets and for one with {many:,}; both take turns, the 10th percentile of {ROUNDS} rounds.",
        ("what", f"{few} sessions", f"{many:,} sessions", "times"),
    )
    users = {count: with_history(stage, count) for count in SESSIONS}
    stage.query("VACUUM ANALYZE")
    backend = _backend(stage, users[few])
    if not backend.visible:
        return figure.without_rows(NO_ROWS)
    costs = _in_rounds(backend, {user: _of_history(user) for user in users.values()})
    for what, cost in costs[users[few]].items():
        short, long = _tenth(cost.database), _tenth(costs[users[many]][what].database)
        figure.add(what, f"{short:.2f}", f"{long:.2f}", f"{long / short:.2f}")
    return figure


def with_history(stage: Stage, sessions: int) -> User:
    """A user with so many completed sessions of 20 sets, and a workout of four exercises."""
    user = stage.new_user()
    rows = user.get("/exercise", query={"page_size": 3}).data["exercises"]
    planned = [{"exercise_id": one, "sets": 5} for one in (SQUAT, *(row["id"] for row in rows))]
    made = workout(user, *planned)["id"]
    with psycopg.connect(stage.admin_url, autocommit=True) as connection:
        connection.execute("SELECT set_config('app.user_id', %s, false)", [str(user.id)])
        connection.execute("SET ROLE questlog_owner")
        for statement in HISTORY:
            connection.execute(statement, {"workout": made, "squat": SQUAT, "sessions": sessions})
    return user


class _Cost:
    """What a request took, in milliseconds, each time."""

    def __init__(self) -> None:
        self.database: list[float] = []
        self.function: list[float] = []


def _in_rounds(
    backend: Backend, requests: Mapping[User, Mapping[str, Callable[[], object]]]
) -> dict[User, dict[str, _Cost]]:
    """What each request costs, by user. A round of a user begins a session, which is deleted after it."""
    costs = {user: {what: _Cost() for what in each} for user, each in requests.items()}
    for number in range(WARM_UP + ROUNDS):
        for user, each in requests.items():
            session = start(user, workout_id=_workout(user))
            for what, request in each.items():
                for _ in range(SETS_A_ROUND):
                    before, began = backend.cpu_ns(), time.process_time_ns()
                    request()
                    function, database = time.process_time_ns() - began, backend.cpu_ns() - before
                    if number >= WARM_UP:
                        costs[user][what].database.append(database / 1e6)
                        costs[user][what].function.append(function / 1e6)
            assert user.delete(f"/exercise/sessions/{session}").status == 200
    return costs


def _of_history(user: User) -> dict[str, Callable[[], object]]:
    heavier = iter(range(200, 2_000))
    requests: dict[str, Callable[[], object]] = {
        "POST /exercise/sessions/log-set": lambda: _logged(user, 60),
        "the same, a record": lambda: _logged(user, next(heavier)),
        "GET /exercise/sessions/active": lambda: _read(user, "/exercise/sessions/active"),
        "GET /exercise/sessions": lambda: _read(user, "/exercise/sessions", page_size=10),
        "GET /exercise/records": lambda: _read(user, "/exercise/records"),
        "GET /exercise/records, all there were": lambda: _read(user, "/exercise/records", history="true"),
        "GET /exercise/{exercise_id}/history": lambda: _read(user, f"/exercise/{SQUAT}/history", page_size=10),
        "GET /exercise/history": lambda: _read(user, "/exercise/history"),
        "GET /exercise/stats": lambda: _read(user, "/exercise/stats"),
    }
    return requests


def _logged(user: User, weight_kg: int) -> Any:
    return user.post("/exercise/sessions/log-set", {"exercise_id": SQUAT, "reps": 5, "weight_kg": weight_kg}).data


def _read(user: User, path: str, **query: object) -> Answer:
    answer = user.get(path, query=query)
    assert answer.status == 200, answer.text
    return answer


def _workout(user: User) -> str:
    return str(user.get("/exercise/workouts").data["workouts"][0]["id"])


def _earn(stage: Stage, user: User) -> None:
    with psycopg.connect(stage.admin_url, autocommit=True) as connection:
        connection.execute("SELECT set_config('app.user_id', %s, false)", [str(user.id)])
        connection.execute("SET ROLE questlog_owner")
        connection.execute(
            "SELECT award('admin_adjustment', 'bench', NULL, 0, %s, 'bench:' || gen_random_uuid())", [COINS]
        )


def _award(user: User) -> None:
    """Pay the user, over the functions' connection and opened as a request is."""
    opening = identity.authenticate_by(identity.Token.read(user.token or ""), identity.MEMBER)
    db.send(db.connection(), [opening, Statement(AWARD)])


def _backend(stage: Stage, user: User) -> Backend:
    """The process behind a connection that is opened for these requests."""
    stage.serve()
    user.get("/exercise/sessions/active")
    return backend_of(stage)


def _trips(stage: Stage, user: User, requests: Mapping[str, Callable[[], object]]) -> dict[str, int]:
    """How many round trips each request takes."""
    trips = {}
    with Proxy(stage.app_url) as proxy:
        stage.serve(proxy.on_the_way_to)
        session = start(user)
        for what, request in requests.items():
            before = proxy.trips
            request()
            trips[what] = proxy.trips - before
        user.delete(f"/exercise/sessions/{session}")
        stage.serve()
    return trips


def _tenth(values: list[float]) -> float:
    """The 10th percentile."""
    return statistics.quantiles(values, n=10)[0]
