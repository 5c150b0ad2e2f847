"""`make run`: everything Questlog needs, on this machine, until Ctrl-C."""

import argparse
import asyncio
import os
import signal
import sys
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

import psycopg

from database.migrate import MIGRATIONS, migrate, set_login_passwords
from local import bucket, mail, provider
from local.acting import Acting
from local.clock import Clock
from local.failures import EXPECTED, check_database, explain
from local.gateway import Gateway, Server, check_port
from local.history import Exchange, History, Run
from local.postgres import Postgres
from local.runtime import Runtime
from local.settings import LOGINS, database_urls, kept_secrets, local_settings
from local.start_page import StartPage
from local.status import Status
from local.template import ROOT, functions
from local.terminal import Advance, Terminal


class Places(NamedTuple):
    """The administrator's URL of the database, the settings of the functions, and the links of services."""

    database_url: str
    settings: dict[str, str]
    links: dict[str, str]


def main() -> int:
    """Start, serve, stop; the exit status."""
    arguments = _arguments()
    folder = Path(os.environ.get("QUESTLOG_DATA", ROOT / ".local"))
    terminal, history = Terminal(), History()
    # SIGTERM ends the stack the way Ctrl-C does, so that what it started is stopped in order.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with ExitStack() as stack:
            server = _compose(stack, arguments, folder, terminal, history)
            every_minute = float(os.environ.get("JOB_TICK_SECONDS", "2"))
            report = partial(_report_run, terminal, history)
            asyncio.run(server.run_until_stopped(every_minute, report, terminal.working))
    except KeyboardInterrupt:
        pass
    except EXPECTED as error:
        terminal.failure(explain(error, folder, os.environ))
        return 1
    terminal.summary(history)
    return 0


def _compose(
    stack: ExitStack, arguments: argparse.Namespace, folder: Path, terminal: Terminal, history: History
) -> Server:
    """Start everything, and print where it is."""
    started = time.monotonic()
    port = int(os.environ.get("PORT", "8080"))
    terminal.title()
    check_port(port)
    if own_database := os.environ.get("DATABASE_URL"):
        check_database(own_database)
    # A step for each migration, and one for each call of advance() in what follows.
    with terminal.progress(5 + len(list(MIGRATIONS.glob("*.sql")))) as advance:
        places = _start_services(stack, folder, terminal, advance)
    clock = Clock(partial(psycopg.connect, places.database_url))
    if arguments.clock == "real":
        clock.reset()
    elif arguments.clock:
        clock.set(arguments.clock)
    if clock.moved():
        terminal.line("clock", f"{clock.now():%Y-%m-%d %H:%M:%S} UTC", "moved; --clock real puts it back")
    terminal.line("claim key", places.settings["ADMIN_CLAIM_KEY"], "for POST /admin-access/claim")

    session = None
    if arguments.email:
        terms = places.settings.get("TOS_VERSION", "1.0")
        session = Acting(places.database_url, arguments.email, arguments.role, terms).session
        terminal.line("acting as", arguments.email, f"{arguments.role}; requests without a session get one")

    logs = folder / "logs"
    runtimes = [Runtime(one, one.variables(places.settings), logs / f"{one.group}.log") for one in functions()]
    status = Status(
        url=places.settings["PUBLIC_URL"],
        database_url=places.database_url,
        services={
            "bucket": places.settings["R2_ENDPOINT"],
            "provider": places.settings["GOOGLE_ISSUER"],
            "mail": places.settings["MAIL_ENDPOINT"],
        },
        links=places.links,
        runtimes=runtimes,
        history=history,
        acting_as=arguments.email,
    )
    report = partial(_report_exchange, terminal, history)
    gateway = Gateway(runtimes, report=report, session=session, clock=clock, start_page=StartPage(status.document))
    server = Server(gateway, runtimes, port=port)
    terminal.line("logs", str(logs))
    ready = f"ready in {time.monotonic() - started:.1f} s; open it in a browser; the API: /docs"
    terminal.line("gateway", f"http://localhost:{server.port}", ready)
    terminal.blank()
    return server


def _start_services(stack: ExitStack, folder: Path, terminal: Terminal, advance: Advance) -> Places:
    """Start everything that is behind the gateway, and bring the database up to date."""
    secret = kept_secrets(folder)
    settings = local_settings(secret, os.environ)
    logs = folder / "logs"

    # Started first and waited for last: they come up while the database does.
    advance("bucket and identity provider")
    store = stack.enter_context(bucket.start(folder / "bucket", settings, logs / "bucket.log"))
    identity = stack.enter_context(
        provider.start(int(os.environ.get("OIDC_PORT", "0")), settings["ADMIN_EMAILS"], logs / "provider.log")
    )

    post = stack.enter_context(mail.start(folder / "mail", logs / "mail.log"))

    advance("database")
    admin_url = os.environ.get("DATABASE_URL")
    if not admin_url:
        postgres = stack.enter_context(Postgres(folder / "postgres"))
        postgres.ensure_database("questlog")
        admin_url = postgres.url("questlog")
    applied = migrate(admin_url, report=advance)
    set_login_passwords(admin_url, {role: secret[role] for role in LOGINS.values()})
    settings |= database_urls(admin_url, secret)
    terminal.line("database", admin_url, f"{len(applied)} migrations applied" if applied else "up to date")

    advance("bucket")
    store.ready()
    settings.setdefault("R2_ENDPOINT", store.url)
    bucket.create(store.url, settings)
    terminal.line("bucket", f"{store.url}/{settings['R2_BUCKET']}", f"key {settings['R2_ACCESS_KEY_ID']}")

    advance("identity provider")
    identity.ready()
    settings.setdefault("GOOGLE_ISSUER", identity.url)
    terminal.line("identity", identity.url, "sign in as admin or dev")

    post.ready()
    settings.setdefault("MAIL_ENDPOINT", post.url)
    terminal.line("mail", post.url, "what is sent by mail is shown here, and goes nowhere")
    # Those of another bucket or provider, where the environment names one.
    links = {
        "bucket": bucket.listing(settings["R2_ENDPOINT"], settings),
        "provider": settings["GOOGLE_ISSUER"],
        "mail": settings["MAIL_ENDPOINT"],
    }
    return Places(admin_url, settings, links)


def _report_exchange(terminal: Terminal, history: History, exchange: Exchange) -> None:
    history.note_exchange(exchange)
    terminal.exchange(exchange)


def _report_run(terminal: Terminal, history: History, run: Run) -> None:
    history.note_run(run)
    terminal.run(run)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make run", description="Run the whole of Questlog on this machine.")
    parser.add_argument("--as", dest="email", metavar="EMAIL", help="act as this user when a request brings no session")
    parser.add_argument("--role", default="user", choices=["user", "moderator", "admin"], help="that user's role")
    parser.add_argument(
        "--clock", metavar="TIME", help="begin at this time, such as 2031-03-29T22:00:00Z; `real` puts the clock back"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
