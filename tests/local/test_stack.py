"""`make run` as a whole: it comes up, answers, and leaves nothing behind however it ends."""

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from local.service import free_port
from tests.support import stack as stacks
from tests.support.stack import client, left_behind, stop

Start = Callable[..., tuple[subprocess.Popen[str], str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts stacks. What still runs at the end, because the test failed, is killed: it would warn in other tests."""
    with ExitStack() as running:

        def start(data: Path, port: int, *arguments: str) -> tuple[subprocess.Popen[str], str]:
            stack, printed = stacks.start(data, port, *arguments)
            running.enter_context(stack)  # closes its pipe and waits for it
            running.callback(stack.kill)
            return stack, printed

        yield start


def test_it_starts_answers_and_leaves_nothing(tmp_path: Path, start: Start) -> None:
    data, port = tmp_path / "data", free_port()
    stack, printed = start(data, port, "--as", "dev@localhost")
    for name in ("database", "bucket", "identity", "claim key", "acting as", "gateway"):
        assert re.search(rf"^  {name} +\S", printed, re.MULTILINE), name

    with client(port) as http:
        assert http.get("/health").json()["status"] == "healthy"
        assert http.get("/api/ready").json()["database"] == "ok"
        # The attached session is a real one: it may see what is its user's.
        assert http.get("/focus/active").status_code == 200
        assert http.get("/__status").json()["acting_as"] == "dev@localhost"
        assert http.get("/nowhere").json()["error"]["type"] == "not_found"
        beside_another_stack(tmp_path / "other", http)

    stack.kill()
    stack.communicate()
    deadline = time.monotonic() + 60
    while (rest := left_behind(data, port)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert rest == []

    stack, printed = start(data, port, "--as", "dev@localhost", "--clock", "2031-03-29T22:00:00Z")
    assert "up to date" in printed
    assert re.search(r"^  clock +2031-03-29 22:00", printed, re.MULTILINE)
    with client(port) as http:
        assert http.get("/ready").status_code == 200
        http.put("/__clock", json={"advance": "P30D"}).raise_for_status()
        assert http.post("/habits", json={"name": "Read"}).json()["data"]["created_at"].startswith("2031-04-28T22")
    stop(stack)
    assert left_behind(data, port) == []


def beside_another_stack(data: Path, running: httpx.Client) -> None:
    """A second stack, with a folder and a port of its own, has other users, and its end is not the first one's.

    It has a terminal too: there it draws a bar while it starts, and sums up at Ctrl-C what it served.
    """
    port = free_port()
    screen = stacks.Screen(data, port, "--as", "dev@localhost")
    try:
        screen.wait_for("ready in ")
        with client(port) as http:
            for _ in range(2):
                assert http.post("/habits", json={"name": "Read"}).status_code == 200
            assert http.get("/nowhere").status_code == 404
            assert running.get("/habits").json()["data"]["habits"] == []
        screen.stop()
    finally:
        screen.process.kill()
    drawn = screen.text
    assert len(set(re.findall(r"━ +(\d+/\d+) ", drawn))) > 3, "the bar moves"
    assert re.search(r"200 POST +/habits  \d+ ms  1 trip  habits", drawn)
    assert re.search(r"stopped after (\d+ min )?\d+ s: 3 requests, 1 refused, 0 failed", drawn)
    assert re.search(r"\d ms  POST /habits  1 request", drawn), "the first one started the function"
    assert left_behind(data, port) == []
    assert running.get("/ready").status_code == 200
