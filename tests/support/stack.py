"""`make run` as a program that tests start and stop, and a front end beside it."""

import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread, Timer
from typing import NamedTuple

import httpx

from local.service import free_port
from local.template import ROOT


class EmptyPage(BaseHTTPRequestHandler):
    """A front end without a program: each test brings what its page does."""

    def do_GET(self) -> None:
        page = b"<!doctype html><title>Front end</title>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)


@contextmanager
def served(port: int) -> Iterator[str]:
    """The origin of an empty page on this port, or on a free one where it is taken."""
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), EmptyPage)
    except OSError:
        server = ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage)
    Thread(target=server.serve_forever, daemon=True).start()
    with closing(server.socket):
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


class Stack(NamedTuple):
    """Where the stack is: its gateway, and its database for an administrator."""

    gateway: str
    database: str


@contextmanager
def running_beside(frontend: str, data: Path) -> Iterator[Stack]:
    """The stack, started as a developer starts it; where port 3000 is taken, with the front end's own."""
    port = free_port()
    own = {"FRONTEND_URL": frontend, "ALLOWED_ORIGINS": f"{frontend},http://localhost:{port}"}
    process, printed = start(data, port, **({} if frontend.endswith(":3000") else own))
    [database] = re.findall(r"^  database +(\S+)", printed, re.MULTILINE)
    yield Stack(f"http://localhost:{port}", database)
    stop(process)


def start(data: Path, port: int, *arguments: str, **variables: str) -> tuple[subprocess.Popen[str], str]:
    """The running stack and what it printed until it was ready."""
    stack = _started(data, port, *arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **variables)
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


class Screen:
    """A stack on a terminal of its own, and what it draws there."""

    def __init__(self, data: Path, port: int, *arguments: str) -> None:
        self._drawn = ""
        self._ours, its = pty.openpty()
        self.process = _started(data, port, *arguments, stdout=its, stderr=its)
        os.close(its)
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def text(self) -> str:
        """All that was drawn so far, without colours and movements of the cursor."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self._drawn)

    def wait_for(self, text: str) -> None:
        """Wait until the terminal shows the text."""
        deadline = time.monotonic() + 300
        while text not in self.text:
            assert time.monotonic() < deadline, self.text[-2000:]
            assert self.process.poll() is None, self.text[-2000:]
            time.sleep(0.05)

    def stop(self) -> None:
        """End the stack as Ctrl-C does, and read the rest."""
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(timeout=120) == 0
        self._reader.join()
        os.close(self._ours)

    def _read(self) -> None:
        # Reading a terminal that nobody has open any more is an error on Linux, and the end elsewhere.
        with suppress(OSError):
            while drawn := os.read(self._ours, 65_536):
                self._drawn += drawn.decode(errors="replace")


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


def _started(
    data: Path, port: int, *arguments: str, stdout: int, stderr: int, **variables: str
) -> subprocess.Popen[str]:
    # A shell's own variables would be taken for settings, and the tests have set many.
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment |= {"QUESTLOG_DATA": str(data), "PORT": str(port), "PYTHONPATH": f"{ROOT}:{ROOT / 'layers' / 'common'}"}
    command = [sys.executable, "-m", "local", *arguments]
    # Nobody reads the lines of the requests before the end: a full pipe would stop the stack.
    room = 1 << 20 if stdout == subprocess.PIPE else -1
    return subprocess.Popen(
        command, stdout=stdout, stderr=stderr, text=True, cwd=ROOT, env=environment | variables, pipesize=room
    )


def client(port: int) -> httpx.Client:
    """A client of the stack on this port. A function starts at its first request: on a busy machine that takes long."""
    return httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120)


def stop(stack: subprocess.Popen[str]) -> None:
    """End a stack as Ctrl-C does."""
    stack.send_signal(signal.SIGTERM)
    rest_of_output, _ = stack.communicate(timeout=120)
    assert stack.returncode == 0
    assert "stopped" in rest_of_output
