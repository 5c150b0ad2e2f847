"""`make run` as a whole: it comes up, answers, and leaves nothing behind however it ends."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Timer

import httpx

from local.service import free_port
from local.template import ROOT


def start(data: Path, port: int, *arguments: str) -> tuple[subprocess.Popen[str], str]:
    """The running stack and what it printed until it was ready."""
    # A shell's own variables would be taken for settings, and the tests have set many.
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment |= {"QUESTLOG_DATA": str(data), "PORT": str(port), "PYTHONPATH": f"{ROOT}:{ROOT / 'layers' / 'common'}"}
    stack = subprocess.Popen(
        [sys.executable, "-m", "local", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env=environment,
    )
    assert stack.stdout is not None
    watchdog = Timer(300, stack.kill)  # a migration that hangs fails this test instead of hanging the run
    watchdog.start()
    printed = ""
    for line in stack.stdout:
        printed += line
        if line.strip().startswith("gateway"):
            watchdog.cancel()
            return stack, printed
    stack.wait()
    raise AssertionError(printed)


def left_behind(data: Path, port: int) -> list[str]:
    """Programs that still run and have the data folder or, as functions do, the gateway's address about them."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        ours = str(data).encode() in words or f"http://localhost:{port}\0".encode() in words
        if ours and int(process.name) != os.getpid():
            found.append(words.split(b"\0", 1)[0].decode())
    return found


def client(port: int) -> httpx.Client:
    """A client of the stack on this port. A function starts at its first request: on a busy machine that takes long."""
    return httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120)


def test_it_starts_answers_and_leaves_nothing(tmp_path: Path) -> None:
    data, port = tmp_path / "data", free_port()
    stack, printed = start(data, port, "--as", "dev@localhost")
    for name in ("database", "bucket", "identity", "claim key", "acting as", "gateway"):
        assert re.search(rf"^  {name} +\S", printed, re.MULTILINE), name

    with client(port) as http:
        assert http.get("/health").json()["status"] == "healthy"
        assert http.get("/api/ready").json()["database"] == "ok"
        # The attached session is a real one: it may see what is its user's.
        assert http.get("/focus/active").status_code == 200
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
    """A second stack, with a folder and a port of its own, has other users, and its end is not the first one's."""
    port = free_port()
    stack, _ = start(data, port, "--as", "dev@localhost")
    with client(port) as http:
        assert http.post("/habits", json={"name": "Read"}).status_code == 200
        assert running.get("/habits").json()["data"]["habits"] == []
    stop(stack)
    assert left_behind(data, port) == []
    assert running.get("/ready").status_code == 200


def stop(stack: subprocess.Popen[str]) -> None:
    """End a stack as Ctrl-C does."""
    stack.send_signal(signal.SIGTERM)
    rest_of_output, _ = stack.communicate(timeout=120)
    assert stack.returncode == 0
    assert "stopped" in rest_of_output
