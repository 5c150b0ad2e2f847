"""How many payments a second the ledger makes, beside a double-entry transfer on the same server.

    PGLEDGER=~/src/pgledger python -m bench awards     # beside pgledger too, from a clone of it

pgbench asks, and everybody takes turns, so that a slow moment slows all of them.
"""

import os
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import IO, Final
from urllib.parse import unquote, urlsplit

from bench.database_cpu import Backend
from bench.figure import Figure
from bench.stage import Stage
from local.postgres import binary

ROUNDS: Final = 3
CONNECTIONS: Final = (1, 4, 16)

# Whoever pays belongs to the connection, so no two connections wait for one another. As in a request, a first statement
# says who it is, and both travel in one pipeline.
SCRIPT: Final = """\\startpipeline
SELECT set_config('app.user_id', '00000000-0000-4000-8000-0000000000' || lpad((:client_id)::text, 2, '0'), true);
{payment};
\\endpipeline
"""
AWARD: Final = "SELECT award('focus_complete', 'focus', NULL, 25, 5, 'bench:' || gen_random_uuid())"
TRANSFER: Final = "SELECT bench_transfer(2 * :client_id, 2 * :client_id + 1, 5)"
PGLEDGER: Final = "SELECT * FROM pgledger_create_transfer('from_' || :client_id, 'to_' || :client_id, 5::{amount})"


def measure(stage: Stage) -> Figure:
    """Payments per second and their CPU time, as they are and without the wait for the disk."""
    figure = Figure(
        "Payments",
        "Payments per second over warm connections, and the microseconds of CPU time that one takes of the Postgres "
        "processes (Linux's schedstat); medians of several turns. An award is one: its idempotency key is looked up "
        "and kept, and progress, level, wallet, skill, streaks, counters and achievements move with it. A double-entry "
        "transfer moves two balances and writes two entries; it is a plain function written for this comparison "
        "(`bench/double_entry.sql`). The last columns leave out the wait for the disk at each commit "
        "(`synchronous_commit = off`), which hides what the database computes.",
        ("what", *(f"{n} conn." for n in CONNECTIONS), *(f"{n} conn., no wait" for n in CONNECTIONS)),
    )
    contenders = {"award": AWARD, "a double-entry transfer": TRANSFER}
    _prepare(stage)
    clone = os.environ.get("PGLEDGER")
    if clone:
        contenders["pgledger's transfer"] = _pgledger(stage, Path(clone))
    stage.query("VACUUM ANALYZE")
    settings = [(clients, wait) for wait in (True, False) for clients in CONNECTIONS]
    cells: dict[str, list[str]] = {name: [] for name in contenders}
    for clients, wait in settings:
        turns: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
        for _ in range(ROUNDS):
            for name, payment in contenders.items():
                turns[name].append(_turn(stage, payment, clients=clients, wait=wait))
        for name, taken in turns.items():
            rate, cpu = map(statistics.median, zip(*taken, strict=True))
            cells[name].append(f"{rate:.0f} / {cpu:.0f}")
    for name, row in cells.items():
        figure.add(name, *row)
    assert stage.query("SELECT FROM ledger_audit LIMIT 1") == [], "the ledger does not add up"
    return figure


def _prepare(stage: Stage) -> None:
    """A user and two accounts for each connection."""
    everyone = max(CONNECTIONS)
    stage.query(
        """
        INSERT INTO users (id, email, name)
        SELECT ('00000000-0000-4000-8000-0000000000' || lpad(n::text, 2, '0'))::uuid, n || '@bench.test', 'Bench'
          FROM generate_series(0, %s - 1) AS n
        """,
        everyone,
    )
    stage.query(Path(__file__).with_name("double_entry.sql").read_text())
    stage.query("INSERT INTO bench_accounts (id) SELECT generate_series(0, 2 * %s - 1)", everyone)


def _pgledger(stage: Stage, clone: Path) -> str:
    """Install pgledger from a clone of its repository; the statement that makes one transfer."""
    for file in (*sorted(clone.glob("vendor/*/*.sql")), clone / "pgledger.sql"):
        stage.query(file.read_text())
    for side in ("from", "to"):
        for client in range(max(CONNECTIONS)):
            name = f"{side}_{client}"
            stage.query("SELECT FROM pgledger_create_account(%s, 'USD')", name)
            stage.query("UPDATE pgledger_accounts SET id = name WHERE name = %s", name)
    # Its tables are where the administrator's search_path begins.
    stage.query("GRANT ALL ON ALL TABLES IN SCHEMA app TO questlog_app")
    [[amount]] = stage.query(
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = 'pgledger_transfers'::regclass AND attname = 'amount'"
    )
    return PGLEDGER.format(amount=amount)


def _turn(stage: Stage, payment: str, *, clients: int, wait: bool) -> tuple[float, float]:
    """Payments per second and microseconds of CPU time of each, in a second that begins with warm connections."""
    parts = urlsplit(stage.app_url)
    environment = {
        **os.environ,
        "PGHOST": parts.hostname or "",
        "PGPORT": str(parts.port or 5432),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": parts.path.removeprefix("/"),
        "PGOPTIONS": f"-c synchronous_commit={'on' if wait else 'off'}",
    }
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(SCRIPT.format(payment=payment))
        script.flush()
        pgbench = [str(binary("pgbench")), "-n", "-M", "prepared", "-c", str(clients), "-f", script.name]
        # What it did in each second it writes to stderr.
        timed = [*pgbench, "-T", "3", "-P", "1"]
        with subprocess.Popen(
            timed, env=environment, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as program:
            assert program.stderr is not None
            _next_rate(program.stderr)
            backends = [
                Backend(pid)
                for [pid] in stage.query("SELECT pid FROM pg_stat_activity WHERE application_name = 'pgbench'")
            ]
            before = sum(backend.cpu_ns() for backend in backends)
            rate = _next_rate(program.stderr)
            cpu = sum(backend.cpu_ns() for backend in backends) - before
            program.stderr.read()
    assert program.returncode == 0, "pgbench failed"
    return rate, cpu / rate / 1000


def _next_rate(progress: IO[str]) -> float:
    """Payments per second in pgbench's next line of progress: "progress: 2.0 s, 3017.1 tps, lat ..."."""
    for line in progress:
        if line.startswith("progress: "):
            return float(line.split()[3])
    raise RuntimeError("pgbench ended early")
