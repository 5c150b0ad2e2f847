"""`make run` as a program that tests start and stop."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Timer

import httpx

from local.template import ROOT


def start(data: Path, port: int, *arguments: str, **variables: str) -> tuple[subprocess.Popen[str], str]:
    """The running stack and what it printed until it was ready."""
    # A shell's own variables would be taken for settings, and the tests have set many.
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment |= {"QUESTLOG_DATA": str(data), "PORT": str(port), "PYTHONPATH": f"{ROOT}:{ROOT / 'layers' / 'common'}"}
    environment |= variables
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


def stop(stack: subprocess.Popen[str]) -> None:
    """End a stack as Ctrl-C does."""
    stack.send_signal(signal.SIGTERM)
    rest_of_output, _ = stack.communicate(timeout=120)
    assert stack.returncode == 0
    assert "stopped" in rest_of_output
