"""What `make run` prints, on a terminal and where a program reads it."""

import asyncio
import io
from pathlib import Path

import pytest
from rich.console import Console

from local.failures import Failure
from local.history import Exchange, History, Run
from local.template import Schedule
from local.terminal import Terminal, _duration


class Printed:
    """A console that keeps what is printed."""

    def __init__(self, *, is_terminal: bool) -> None:
        self.file = io.StringIO()
        self.terminal = Terminal(Console(file=self.file, force_terminal=is_terminal, highlight=False, width=100))

    @property
    def text(self) -> str:
        return self.file.getvalue()


def in_a_loop(work: Printed, seconds: float) -> None:
    """Two schedules that run at once for so long; the second a little longer."""

    async def run() -> None:
        with work.terminal.working("jobs: queue", shown_after=0.01):
            await asyncio.sleep(seconds)
            with work.terminal.working("jobs: storage", shown_after=0.01):
                await asyncio.sleep(seconds)
        await asyncio.sleep(0.05)  # what is shown later than it ends would come now

    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(run())
    finally:
        loop.close()


def test_a_long_run_is_shown_while_it_lasts_on_a_terminal_alone() -> None:
    terminal, pipe, short = Printed(is_terminal=True), Printed(is_terminal=False), Printed(is_terminal=True)
    in_a_loop(terminal, 0.3)
    assert "jobs: queue" in terminal.text
    assert "jobs: storage" in terminal.text
    assert terminal.terminal._work.tasks == []
    assert not terminal.terminal._work.live.is_started
    in_a_loop(pipe, 0.05)
    assert pipe.text == ""
    in_a_loop(short, 0)
    assert "jobs" not in short.text


def test_a_pipe_gets_plain_lines() -> None:
    printed = Printed(is_terminal=False)
    with printed.terminal.progress(2) as advance:
        advance("database")
        printed.terminal.line("gateway", "http://localhost:8080", "ready")
    printed.terminal.exchange(Exchange("GET", "/habits", 200, 0.0123, "habits", None, "GET /habits", 1, cold=True))
    printed.terminal.exchange(Exchange("GET", "/[bold]x", 503, 1, None, "habits took more than 3 s"))
    printed.terminal.run(Run("jobs", Schedule("Queue", 60, None), 0.5, {"done": 2, "failed": 0}))
    printed.terminal.run(Run("jobs", Schedule("Queue", 60, None), 0.5, {"done": 0}))
    lines = [line.strip() for line in printed.text.splitlines()]
    assert lines[0].split() == ["gateway", "http://localhost:8080", "ready"]
    assert lines[1].endswith("200 GET     /habits  12 ms  1 trip  habits  started for it")
    assert lines[2].endswith("503 GET     /[bold]x  1000 ms  gateway")
    assert lines[3] == "habits took more than 3 s"
    assert lines[4].endswith("done queue  500 ms  jobs")
    assert lines[5:] == ["done 2"]
    assert "\x1b" not in printed.text


def test_the_summary() -> None:
    printed, history = Printed(is_terminal=False), History()
    printed.terminal.summary(history)
    assert printed.text == "\n  stopped after 0 s: 0 requests, 0 refused, 0 failed\n"
    for seconds, status, route in ((0.2, 200, "GET /slow"), (0.1, 404, "GET /slow"), (0.001, 500, "POST /fast")):
        history.note_exchange(Exchange("GET", "/x", status, seconds, "habits", None, route, 1))
    printed.terminal.summary(history)
    assert "3 requests, 1 refused, 1 failed" in printed.text
    slowest = [line.split() for line in printed.text.splitlines() if " ms  " in line]
    assert slowest == [
        ["150", "ms", "GET", "/slow", "2", "requests"],
        ["1", "ms", "POST", "/fast", "1", "request"],
    ]


def test_a_failure_is_three_lines() -> None:
    printed = Printed(is_terminal=False)
    printed.terminal.failure(Failure("It does [red]not[/] start.", Path("/tmp/log"), "make run"))
    assert printed.text.splitlines() == [
        "",
        "  It does [red]not[/] start.",
        "  look in    /tmp/log",
        "  try        make run",
        "",
    ]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.4, "0 s"),
        (59.4, "59 s"),
        (60, "1 min 0 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 0 min"),
        (90_000, "25 h 0 min"),
    ],
)
def test_a_duration_has_two_units(seconds: float, shown: str) -> None:
    assert _duration(seconds) == shown
