"""How many payments a second the ledger makes, beside a double-entry transfer on the same server.

    PGLEDGER=~/src/pgledger python -m bench awards     # beside pgledger too, from a clone of it

pgbench asks, and everybody takes turns second by second, so that a slow moment slows all of them.
"""

import os
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from bench.figure import Figure
from bench.stage import Stage
from local.postgres import binary

ROUNDS: Final = 5
CONNECTIONS: Final = (1, 4)

# Whoever pays belongs to the connection, so no two connections wait for one another. As in a request, a first statement
# says who it is, and both travel in one pipeline.
SCRIPT: Final = """\\startpipeline
SELECT set_config('app.user_id', '00000000-0000-4000-8000-00000000000' || :client_id, true);
{payment};
\\endpipeline
"""
AWARD: Final = "SELECT award('focus_complete', 'focus', NULL, 25, 5, 'bench:' || gen_random_uuid())"
TRANSFER: Final = "SELECT bench_transfer(2 * :client_id, 2 * :client_id + 1, 5)"
PGLEDGER: Final = "SELECT * FROM pgledger_create_transfer('from_' || :client_id, 'to_' || :client_id, 5::{amount})"


def measure(stage: Stage) -> Figure:
    """Payments per second, as they are and without the wait for the disk."""
    figure = Figure(
        "Payments",
        "Payments per second, the median of several turns. An award is one: its idempotency key is looked up and kept, "
        "and progress, level, wallet, skill, streaks, counters and achievements move with it. A double-entry transfer "
        "moves two balances and writes two entries; it is a plain function written for this comparison "
        "(`bench/double_entry.sql`). The last two columns leave out the wait for the disk at each commit "
        "(`synchronous_commit = off`), which hides what the database computes.",
        ("what", *(f"{n} conn." for n in CONNECTIONS), *(f"{n} conn., no wait" for n in CONNECTIONS)),
    )
    contenders = {"award": AWARD, "a double-entry transfer": TRANSFER}
    _prepare(stage)
    clone = os.environ.get("PGLEDGER")
    if clone:
        contenders["pgledger's transfer"] = _pgledger(stage, Path(clone))
    settings = [(clients, wait) for wait in (True, False) for clients in CONNECTIONS]
    rates: dict[str, list[str]] = {name: [] for name in contenders}
    for clients, wait in settings:
        turns: dict[str, list[float]] = {name: [] for name in contenders}
        for _ in range(ROUNDS):
            for name, payment in contenders.items():
                turns[name].append(_per_second(stage.app_url, payment, clients=clients, wait=wait))
        for name, taken in turns.items():
            rates[name].append(f"{statistics.median(taken):.0f}")
    for name, cells in rates.items():
        figure.add(name, *cells)
    assert stage.query("SELECT FROM ledger_audit LIMIT 1") == [], "the ledger does not add up"
    return figure


def _prepare(stage: Stage) -> None:
    """A user and two accounts for each connection."""
    everyone = max(CONNECTIONS)
    stage.query(
        """
        INSERT INTO users (id, email, name)
        SELECT ('00000000-0000-4000-8000-00000000000' || n)::uuid, n || '@bench.test', 'Bench'
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
    stage.query("GRANT ALL ON ALL TABLES IN SCHEMA public TO questlog_app")
    [[amount]] = stage.query(
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = 'pgledger_transfers'::regclass AND attname = 'amount'"
    )
    return PGLEDGER.format(amount=amount)


def _per_second(url: str, payment: str, *, clients: int, wait: bool) -> float:
    parts = urlsplit(url)
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
        done = subprocess.run(
            [binary("pgbench"), "-n", "-M", "prepared", "-T", "1", "-c", str(clients), "-f", script.name],
            env=environment,
            check=True,
            text=True,
            stdout=subprocess.PIPE,
        )
    [line] = [line for line in done.stdout.splitlines() if line.startswith("tps")]
    return float(line.split()[2])
