"""`make run`: everything Questlog needs, on this machine, until Ctrl-C."""

import argparse
import asyncio
import os
import signal
import sys
import time
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from pathlib import Path

import psycopg
from rich.console import Console
from rich.text import Text

from database.migrate import MigrationError, migrate, set_login_passwords
from local import bucket, provider
from local.acting import Acting
from local.clock import Clock, ClockError
from local.gateway import Exchange, Gateway, Run, Server
from local.postgres import Postgres, PostgresError
from local.runtime import Runtime
from local.service import ServiceError
from local.settings import LOGINS, database_urls, kept_secrets, local_settings
from local.template import ROOT, TemplateError, functions

_console = Console(highlight=False, soft_wrap=True)


def main() -> int:
    """Start, serve, stop; the exit status."""
    arguments = _arguments()
    # SIGTERM ends the stack the way Ctrl-C does, so that what it started is stopped in order.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with ExitStack() as stack:
            server, every_minute = _compose(stack, arguments)
            asyncio.run(server.run_until_stopped(every_minute, _print_run))
    except KeyboardInterrupt:
        pass
    except (PostgresError, MigrationError, ServiceError, TemplateError, ClockError, psycopg.Error, OSError) as error:
        _console.print(Text(f"\n  {error}\n", style="bold red"))
        return 1
    _console.print("\n  [dim]stopped[/]")
    return 0


def _compose(stack: ExitStack, arguments: argparse.Namespace) -> tuple[Server, float]:
    """Start everything that is behind the gateway, and print where it is."""
    started = time.monotonic()
    folder = Path(os.environ.get("QUESTLOG_DATA", ROOT / ".local"))
    logs = folder / "logs"
    secret = kept_secrets(folder)
    settings = local_settings(secret, os.environ)
    _console.print("\n  [bold]Questlog[/] [dim]on this machine[/]\n")

    # Started first and waited for last: they come up while the database does.
    store = stack.enter_context(bucket.start(folder / "bucket", settings, logs / "bucket.log"))
    identity = stack.enter_context(
        provider.start(int(os.environ.get("OIDC_PORT", "0")), settings["ADMIN_EMAILS"], logs / "provider.log")
    )

    admin_url = os.environ.get("DATABASE_URL")
    if not admin_url:
        postgres = stack.enter_context(Postgres(folder / "postgres"))
        postgres.ensure_database("questlog")
        admin_url = postgres.url("questlog")
    applied = migrate(admin_url)
    set_login_passwords(admin_url, {role: secret[role] for role in LOGINS.values()})
    settings |= database_urls(admin_url, secret)
    _line("database", admin_url, f"{len(applied)} migrations applied" if applied else "up to date")

    clock = Clock(partial(psycopg.connect, admin_url))
    if arguments.clock == "real":
        clock.reset()
    elif arguments.clock:
        clock.set(arguments.clock)
    if clock.moved():
        _line("clock", f"{clock.now():%Y-%m-%d %H:%M:%S} UTC", "moved; --clock real puts it back")

    store.ready()
    settings.setdefault("R2_ENDPOINT", store.url)
    bucket.create(store.url, settings)
    _line("bucket", f"{store.url}/{settings['R2_BUCKET']}", f"key {settings['R2_ACCESS_KEY_ID']}")

    identity.ready()
    settings.setdefault("GOOGLE_ISSUER", identity.url)
    _line("identity", identity.url, "sign in as admin or dev")
    _line("claim key", settings["ADMIN_CLAIM_KEY"])

    session = None
    if arguments.email:
        terms = settings.get("TOS_VERSION", "1.0")
        session = Acting(admin_url, arguments.email, arguments.role, terms).session
        _line("acting as", arguments.email, f"{arguments.role}; requests without a session get one")

    runtimes = [Runtime(one, one.variables(settings), logs / f"{one.group}.log") for one in functions()]
    gateway = Gateway(runtimes, report=_print_exchange, session=session, clock=clock)
    server = Server(gateway, runtimes, port=int(os.environ.get("PORT", "8080")))
    _line("logs", str(logs))
    _line("gateway", f"http://localhost:{server.port}", f"ready in {time.monotonic() - started:.1f} s; the API: /docs")
    _console.print()
    return server, float(os.environ.get("JOB_TICK_SECONDS", "2"))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make run", description="Run the whole of Questlog on this machine.")
    parser.add_argument("--as", dest="email", metavar="EMAIL", help="act as this user when a request brings no session")
    parser.add_argument("--role", default="user", choices=["user", "moderator", "admin"], help="that user's role")
    parser.add_argument(
        "--clock", metavar="TIME", help="begin at this time, such as 2031-03-29T22:00:00Z; `real` puts the clock back"
    )
    return parser.parse_args()


def _line(name: str, value: str, remark: str = "") -> None:
    line = Text.assemble("  ", (f"{name:<10}", "cyan"), " ", (value, "bold"), "  ", (remark, "dim"))
    _console.print(line)


def _print_exchange(exchange: Exchange) -> None:
    style = "green" if exchange.status < 400 else "yellow" if exchange.status < 500 else "bold red"
    line = Text.assemble(
        (f"  {datetime.now().astimezone():%H:%M:%S}  ", "dim"),
        (f"{exchange.status} ", style),
        f"{exchange.method:<7} {exchange.path}",
        (f"  {exchange.seconds * 1000:.0f} ms  {exchange.group or 'gateway'}", "dim"),
    )
    if exchange.problem:
        line.append(f"\n            {exchange.problem}", style)
    _console.print(line)


def _print_run(run: Run) -> None:
    """A line for a run of a schedule; of those that are ticked every few seconds only where they did something."""
    if run.is_idle and run.schedule.every_seconds == 60:
        return
    counted = run.result.items() if isinstance(run.result, dict) else []
    done = ", ".join(f"{name} {count}" for name, count in counted if count) or "nothing to do"
    line = Text.assemble(
        (f"  {datetime.now().astimezone():%H:%M:%S}  ", "dim"),
        ("failed " if run.problem else "done ", "bold red" if run.problem else "green"),
        f"{run.schedule.name.lower()}",
        (f"  {run.seconds * 1000:.0f} ms  {run.group}", "dim"),
        f"\n            {run.problem or done}",
    )
    _console.print(line)


if __name__ == "__main__":
    sys.exit(main())
