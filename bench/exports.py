"""What the export of a large account costs: processor time of worker and database, and the worker's memory."""

import os
import sys
from pathlib import Path
from typing import Final
from uuid import UUID

from bench.figure import Figure
from bench.process import Cost, cost
from bench.stage import Stage
from tests.support import bucket

ROWS: Final = 1_000_000
ROWS_PER_SECOND: Final = 20_000
MEGABYTES: Final = 200

# What a year of use leaves most of: payments. The ledger's own functions would take an hour for so many.
PAYMENTS: Final = """
    INSERT INTO points_ledger (
        user_id, seq, event_type, source_type, source_id, base_xp, bonus_xp, xp, coins, counters, metadata, level_after,
        coins_after, total_xp_after, streak_after, skill_stars, idempotency_key, local_date)
    SELECT %s, n, 'habit_complete', 'habit', gen_random_uuid(), 10, 0, 10, 5, '{"habit_completions": 1}',
           '{"name": "Morning run"}', 1, 5 * n, 10 * n, 3, 0, 'habit:' || n, '2026-01-01'
      FROM generate_series(1, %s) AS n
"""
JOB: Final = """
    WITH made AS (
        INSERT INTO user_exports (user_id, status) VALUES (%s, 'running') RETURNING user_id, id
    )
    INSERT INTO jobs (user_id, id, kind, status, attempts, lease_until)
    SELECT user_id, id, 'export', 'running', 1, instant() + interval '1 hour' FROM made
    RETURNING id
"""
# The worker alone, in a process of its own, as Lambda has it.
WORK: Final = """
import sys
from uuid import UUID
from functions.jobs import exporting
from functions.jobs.work import Deadline, Job
exporting.run(Job(UUID(sys.argv[1]), UUID(sys.argv[2]), "export", 1, {}), Deadline(lambda: 3_600_000))
"""


def measure(stage: Stage) -> Figure:
    """The export of an account with a million rows, as JSON and as CSV, into a bucket on this machine."""
    figure = Figure(
        "An export",
        f"Seconds of a core for an account with {ROWS:,} rows in its ledger, each written as JSON and as CSV, hashed, "
        "compressed and uploaded. The worker's memory is that of its whole process. At least "
        f"{ROWS_PER_SECOND:,} rows a second of one core for worker and database together, and at most {MEGABYTES} MB.",
        ("rows", "worker, s", "database, s", "rows a second of one core", "archive, MB", "peak memory, MB"),
    )
    bucket.serve()
    user = stage.new_user().id
    stage.query(PAYMENTS, user, ROWS)
    stage.query("VACUUM ANALYZE points_ledger")
    [[export]] = stage.query(JOB, user)
    used, database = _cost(stage, user, export)
    [[status, size, rows]] = stage.query("SELECT status, size_bytes, row_count FROM user_exports WHERE id = %s", export)
    assert status == "ready"
    assert rows >= ROWS
    speed = rows / (used.seconds + database)
    figure.add(
        f"{rows:,}",
        f"{used.seconds:.1f}",
        f"{database:.1f}",
        f"{speed:,.0f}",
        f"{size / 1e6:.0f}",
        f"{used.megabytes:.0f}",
    )
    return figure


def _cost(stage: Stage, user: UUID, export: UUID) -> tuple[Cost, float]:
    """What the worker uses, and how many seconds of a core its backends."""
    command = [sys.executable, "-c", WORK, str(user), str(export)]
    environment = {**os.environ, "DATABASE_URL": os.environ["JOBS_DATABASE_URL"]}
    backends: dict[int, float] = {}

    def look_at_backends() -> None:
        for [backend] in stage.query("SELECT pid FROM pg_stat_activity WHERE usename = 'questlog_jobs'"):
            backends[backend] = max(_seconds(backend), backends.get(backend, 0.0))

    return cost(command, environment, look_at_backends), sum(backends.values())


def _seconds(process: int) -> float:
    """How long a process has run on a core: user and system time, in ticks (proc(5), stat)."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
