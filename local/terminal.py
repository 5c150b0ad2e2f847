"""What `make run` prints: progress while it starts, a line for each request, a summary at the end, or why it failed.

Progress is drawn only on a terminal. Output to a program or a file has plain lines alone.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from local.failures import Failure
from local.history import Exchange, History, Run

_SLOWEST_SHOWN = 5
# A run of a schedule that takes longer is shown while it runs: an export, an import, a backup.
_SHOWN_AFTER_SECONDS = 1.0

Advance = Callable[[str], object]


class Terminal:
    """Prints to standard output, or on another console."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False, soft_wrap=True)
        columns = (TextColumn(" "), SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        is_disabled = not self._console.is_terminal
        self._work = Progress(*columns, console=self._console, transient=True, disable=is_disabled)

    def title(self) -> None:
        """The first line."""
        self._console.print("\n  [bold]Questlog[/] [dim]on this machine[/]\n")

    @contextmanager
    def progress(self, steps: int) -> Iterator[Advance]:
        """A bar of so many steps, for as long as the context lasts; the call says what is done next."""
        columns = (SpinnerColumn(), BarColumn(24), MofNCompleteColumn(), TextColumn("{task.description}"))
        with Progress(
            *(TextColumn(" "), *columns, TimeElapsedColumn()),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        ) as progress:
            bar = progress.add_task("", total=steps)
            yield lambda description: progress.update(bar, advance=1, description=description)

    @contextmanager
    def working(self, what: str, shown_after: float = _SHOWN_AFTER_SECONDS) -> Iterator[None]:
        """A line with the time for as long as the context lasts, once it has lasted so many seconds.

        It is entered in a running event loop.
        """
        shown: list[TaskID] = []

        def show() -> None:
            shown.append(self._work.add_task(what))
            self._work.start()

        timer = asyncio.get_running_loop().call_later(shown_after, show)
        try:
            yield
        finally:
            timer.cancel()
            for task in shown:
                self._work.remove_task(task)
            if not self._work.tasks:
                self._work.stop()

    def line(self, name: str, value: str, remark: str = "") -> None:
        """Where something is."""
        self._console.print(Text.assemble("  ", (f"{name:<10}", "cyan"), " ", (value, "bold"), "  ", (remark, "dim")))

    def blank(self) -> None:
        """An empty line."""
        self._console.print()

    def exchange(self, exchange: Exchange) -> None:
        """A line for a request."""
        style = "green" if exchange.status < 400 else "yellow" if exchange.status < 500 else "bold red"
        trips = "" if exchange.trips is None else f"  {_counted(exchange.trips, 'trip')}"
        line = Text.assemble(
            _now(),
            (f"{exchange.status} ", style),
            f"{exchange.method:<7} {exchange.path}",
            (f"  {exchange.seconds * 1000:.0f} ms{trips}  {exchange.group or 'gateway'}", "dim"),
            ("  started for it" if exchange.cold else "", "dim"),
        )
        if exchange.problem:
            line.append(f"\n            {exchange.problem}", style)
        self._console.print(line)

    def run(self, run: Run) -> None:
        """A line for a run of a schedule; of those that are ticked every few seconds only where they did something."""
        if run.is_idle and run.schedule.every_seconds == 60:
            return
        line = Text.assemble(
            _now(),
            ("failed " if run.problem else "done ", "bold red" if run.problem else "green"),
            run.schedule.name.lower(),
            (f"  {run.seconds * 1000:.0f} ms  {run.group}", "dim"),
            f"\n            {run.outcome}",
        )
        self._console.print(line)

    def summary(self, history: History) -> None:
        """What was served until the stack was stopped."""
        counted = f"{_counted(history.requests, 'request')}, {history.refused} refused, {history.errors} failed"
        self._console.print(f"\n  stopped after {_duration(history.seconds)}: {counted}")
        slowest = history.slowest(_SLOWEST_SHOWN)
        if slowest:
            self._console.print(Text("\n  slowest routes, by their median time", "dim"))
        for route in slowest:
            remark = f"  {_counted(route.requests, 'request')}"
            self._console.print(Text.assemble(f"  {route.seconds * 1000:>7.0f} ms  {route.route}", (remark, "dim")))

    def failure(self, failure: Failure) -> None:
        """Why the stack does not run, and what to do about it."""
        self._console.print(Text(f"\n  {failure.reason}", "bold red"))
        if failure.look_in:
            self._console.print(Text.assemble("  ", (f"{'look in':<10}", "cyan"), f" {failure.look_in}"))
        if failure.try_:
            self._console.print(Text.assemble("  ", (f"{'try':<10}", "cyan"), " ", (failure.try_, "bold")))
        self._console.print()


def _now() -> tuple[str, str]:
    return f"  {datetime.now().astimezone():%H:%M:%S}  ", "dim"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _duration(seconds: float) -> str:
    """In the two largest units: "3 h 12 min", "2 min 5 s", "8 s"."""
    minutes, whole_seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole_seconds} s" if minutes else f"{whole_seconds} s"
