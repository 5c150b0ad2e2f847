"""What the administration's lists cost the database: with 100 users, and with 100,000."""

import statistics
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from bench.database_cpu import Backend, backend_of, rows_in
from bench.figure import Figure
from bench.stage import Stage
from tests.support.client import Answer, Client

USERS: Final = (100, 100_000)
ROUNDS: Final = 60
WARM_UP: Final = 4

REQUESTS: Final[Mapping[str, Callable[[Client], Answer]]] = {
    # It asks who the caller is and nothing else: how much its factor differs from 1 is how exact the others are.
    "GET /admin": lambda admin: admin.get("/admin"),
    "GET /admin/users": lambda admin: admin.get("/admin/users"),
    "GET /admin/users?role=moderator": lambda admin: admin.get("/admin/users", query={"role": "moderator"}),
    "GET /admin/users?search=, one user": lambda admin: admin.get("/admin/users", query={"search": "crowd-77@"}),
    "GET /admin/users?search=, an e-mail address": lambda admin: admin.get(
        "/admin/users", query={"search": "crowd-77@questlog.test"}
    ),
    "GET /admin/users?search=, nobody": lambda admin: admin.get("/admin/users", query={"search": "nobody"}),
    "GET /admin/users/stats": lambda admin: admin.get("/admin/users/stats"),
    "GET /admin/cleanup-users": lambda admin: admin.get("/admin/cleanup-users"),
    "GET /admin/feedback": lambda admin: admin.get("/admin/feedback"),
    "GET /admin/feedback?status=closed": lambda admin: admin.get("/admin/feedback", query={"status": "closed"}),
    "GET /admin/feedback?type=feature, none": lambda admin: admin.get("/admin/feedback", query={"type": "feature"}),
    "GET /admin/quests": lambda admin: admin.get("/admin/quests"),
    "GET /admin/skills": lambda admin: admin.get("/admin/skills"),
    "GET /admin/sessions": lambda admin: admin.get("/admin/sessions"),
    "GET /admin/audit": lambda admin: admin.get("/admin/audit"),
    "GET /admin/audit?event_type=logout": lambda admin: admin.get("/admin/audit", query={"event_type": "logout"}),
    "GET /admin/audit?status=denied, none": lambda admin: admin.get("/admin/audit", query={"status": "denied"}),
    "GET /admin/audit?resource_type=user, none": lambda admin: admin.get(
        "/admin/audit", query={"resource_type": "user"}
    ),
    "GET /admin/audit?from=, the last hour": lambda admin: admin.get(
        "/admin/audit", query={"from": (datetime.now(UTC) - timedelta(hours=1)).isoformat()}
    ),
    "GET /admin/audit/event-types": lambda admin: admin.get("/admin/audit/event-types"),
    "GET /admin/stats": lambda admin: admin.get("/admin/stats"),
}

# Each user has a session, progress, a wallet and an entry in the audit trail; every tenth has reported something. In a
# small place as in a large one 50 never began, 20 are moderators, and 60 have signed out and reported something.
_CROWD: Final = (
    """
    INSERT INTO users (id, email, name, role, age_verified_at, tos_version, tos_accepted_at, created_at)
    SELECT md5('crowd' || n)::uuid, 'crowd-' || n || '@questlog.test', 'User ' || n,
           CASE WHEN n BETWEEN 51 AND 70 THEN 'moderator' ELSE 'user' END,
           w.at, CASE WHEN n > 50 THEN '1.0' END, w.at, clock() - interval '400 days' + n * interval '1 minute'
      FROM generate_series({first}, {last}) AS n, LATERAL (SELECT CASE WHEN n > 50 THEN clock() END AS at) AS w
    """,
    "INSERT INTO user_progress (user_id) SELECT md5('crowd' || n)::uuid FROM generate_series({first}, {last}) AS n",
    "INSERT INTO user_wallet (user_id) SELECT md5('crowd' || n)::uuid FROM generate_series({first}, {last}) AS n",
    """
    INSERT INTO sessions (user_id, token_hash, expires_at, last_activity_at)
    SELECT md5('crowd' || n)::uuid, sha256(n::text::bytea), clock() + interval '20 days',
           clock() - n * interval '1 second'
      FROM generate_series({first}, {last}) AS n
    """,
    """
    INSERT INTO audit_log (user_id, event_type, action, created_at)
    SELECT md5('crowd' || n)::uuid, CASE WHEN n <= 60 THEN 'logout' ELSE 'login' END, 'create',
           clock() - (n + 5) * interval '1 minute'
      FROM generate_series({first}, {last}) AS n
    """,
    """
    INSERT INTO feedback (user_id, feedback_type, title, description, status, created_at)
    SELECT md5('crowd' || n)::uuid, 'bug', 'The bell', 'It rings.', CASE WHEN n <= 40 THEN 'closed' ELSE 'open' END,
           clock() - (n + 5) * interval '1 minute'
      FROM generate_series({first}, {last}) AS n WHERE n % 10 = 0 OR n <= 60
    """,
)


def measure(stage: Stage) -> Figure:
    """The same requests of one administrator, before and after most of the users came."""
    few, many = USERS
    figure = Figure(
        "Administration",
        f"Milliseconds of CPU time of the Postgres process that serves it, with {few} users and with {many:,}; the "
        f"10th percentile of {ROUNDS} rounds, in which the requests take turns. The hourly clean-up has counted the "
        "lists before. The factor is the cost in the large place against the one in the small place, each divided by "
        "the rows that the answer shows where these differ. A search is as dear as it has hits.",
        ("request", f"{few} users", f"{many:,} users", "rows shown", "factor"),
    )
    admin = stage.new_user("admin")
    costs: list[Mapping[str, Cost]] = []
    first = 1
    for last in USERS:
        for statement in _CROWD:
            stage.query(statement.format(first=first, last=last))
        stage.query("VACUUM ANALYZE")
        stage.query("SELECT keep_counts('1.0')")
        first = last + 1
        stage.serve()
        admin.get("/admin")  # opens the connection
        backend = backend_of(stage, "questlog_operator")
        if not backend.visible:
            return figure.without_rows("it takes Linux, and Postgres on the same machine")
        costs.append(_costs(backend, admin))
    for what in REQUESTS:
        small, large = costs[0][what], costs[1][what]
        rows = f"{small.rows}" if small.rows == large.rows else f"{small.rows}, {large.rows}"
        factor = large.milliseconds / large.rows / (small.milliseconds / small.rows)
        figure.add(what, f"{small.milliseconds:.2f}", f"{large.milliseconds:.2f}", rows, f"{factor:.2f}")
    return figure


class Cost(NamedTuple):
    """What a request costs the database, and how many rows the answer shows."""

    milliseconds: float
    rows: int


def _costs(backend: Backend, admin: Client) -> Mapping[str, Cost]:
    """What each request costs. They take turns: where a busy machine is slow for a moment, it is so for all of them."""
    taken: dict[str, list[float]] = {what: [] for what in REQUESTS}
    rows: dict[str, int] = {}
    for _ in range(WARM_UP + ROUNDS):
        for what, request in REQUESTS.items():
            before = backend.cpu_ns()
            answer = request(admin)
            taken[what].append((backend.cpu_ns() - before) / 1e6)
            assert answer.status == 200, answer.text
            rows[what] = rows_in(answer)
    return {what: Cost(statistics.quantiles(taken[what][WARM_UP:], n=10)[0], rows[what]) for what in REQUESTS}
