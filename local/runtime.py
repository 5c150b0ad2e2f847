"""The Lambda Runtime API, and the processes of the functions.

A function runs under `awslambdaric`, the client that runs it on AWS: the process asks for the next invocation, and gets
it when there is one, then posts the answer. So a function behaves here as there: it is imported once, serves one
invocation at a time, and is killed when its time is up.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from local import child
from local.events import ACCOUNT, REGION
from local.template import ROOT, Function

_PREFIX = "/2018-06-01/runtime/"
_INIT_SECONDS = 30  # Lambda allows 10; a laptop that compiles bytecode meanwhile is given more
_LOOK_SECONDS = 0.02


# Of what a function logs during an invocation, so much of the end is read again: the line of the request is there.
_LOGGED = 65_536


class Invoked(NamedTuple):
    """The outcome of an invocation: the answer, a JSON document; the end of the function's log of it; and whether the
    process was started for it.
    """

    answer: bytes
    logged: bytes
    cold: bool


class FunctionFailed(Exception):
    """The function raised, crashed or could not start. Its log says why."""


class FunctionTimedOut(FunctionFailed):
    """The function used up the template's Timeout, and was killed."""


@dataclass(slots=True)
class _Invocation:
    event: bytes
    deadline_ms: int = 0
    id: str = field(default_factory=lambda: str(uuid4()))
    result: asyncio.Future[bytes] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Runtime:
    """One function: its process, started at the first invocation and again when its code changed, and its queue."""

    def __init__(self, function: Function, variables: Mapping[str, str], log: Path, root: Path = ROOT) -> None:
        self.function = function
        self.log = log
        self.port = 0  # set by whoever listens
        self._variables = variables
        self._root = root
        self._code = [root / "functions" / function.group, root / "layers" / "common" / "questlog"]
        self._closed = False
        self._lock = asyncio.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._started_from: object = None
        self._waiting: asyncio.Queue[_Invocation | None] = asyncio.Queue()
        self._idle = asyncio.Event()  # the process has asked for an invocation
        self._current: _Invocation | None = None

    @property
    def is_closed(self) -> bool:
        """Whether the process was ended for good."""
        return self._closed

    @property
    def is_running(self) -> bool:
        """Whether the function has a process, which serves or waits for an invocation."""
        return self._process is not None and self._process.poll() is None

    async def invoke(self, event: Any) -> Invoked:
        """Have the function answer an event. Invocations wait for each other, as in one execution environment."""
        async with self._lock:
            cold = await self._ensure_running()
            log_before = self.log.stat().st_size
            self._current = invocation = _Invocation(json.dumps(event).encode())
            invocation.deadline_ms = int((time.time() + self.function.timeout_seconds) * 1000)
            self._idle.clear()
            self._waiting.put_nowait(invocation)
            try:
                answer = await self._outcome(invocation)
                # A line is in the file before the answer is on its way: the function writes to it directly.
                return Invoked(answer, self._logged_since(log_before), cold)
            finally:
                self._current = None

    async def serve(self, request: Request) -> Response:
        """Answer one request of the Runtime API."""
        match request.method, request.url.path.removeprefix(_PREFIX).split("/"):
            case "GET", ["invocation", "next"]:
                return await self._next()
            case "POST", ["init", "error"]:
                await self._note("could not start", await request.body())
                return Response(status_code=202)
            case "POST", ["invocation", id_, ("response" | "error") as kind]:
                body, current = await request.body(), self._current
                if current is None or current.id != id_ or current.result.done():
                    return Response(status_code=400)
                if kind == "response":
                    current.result.set_result(body)
                else:
                    await self._note("failed", body)
                    current.result.set_exception(FunctionFailed(f"{self.function.group} failed (see {self.log})"))
                return Response(status_code=202)
        return Response(status_code=404)

    def close(self) -> None:
        """End the process for good. Invocations under way, and those that wait their turn, fail."""
        self._closed = True
        self.stop()

    def stop(self) -> None:
        """End the process; the next invocation starts another."""
        self._waiting.put_nowait(None)  # let go of the request the old process may be waiting in
        self._waiting = asyncio.Queue()
        self._idle.clear()
        if self._process is not None:
            child.stop(self._process, signal.SIGTERM, patience=0.5)
            self._process = None

    async def _next(self) -> Response:
        waiting = self._waiting
        self._idle.set()
        invocation = await waiting.get()
        if invocation is None:
            return Response(status_code=410)
        return Response(
            invocation.event,
            media_type="application/json",
            headers={
                "Lambda-Runtime-Aws-Request-Id": invocation.id,
                "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": _arn(self.function),
                "Lambda-Runtime-Trace-Id": f"Root=1-{int(time.time()):08x}-{uuid4().hex[:24]};Sampled=0",
            },
        )

    async def _outcome(self, invocation: _Invocation) -> bytes:
        """Wait for the answer, the process's death or the deadline, whichever is first."""
        while not invocation.result.done():
            await asyncio.wait([invocation.result], timeout=_LOOK_SECONDS)
            if invocation.result.done():
                break
            if self._process is None or self._process.poll() is not None:
                self.stop()
                raise FunctionFailed(f"{self.function.group} died (see {self.log})")
            if time.time() * 1000 > invocation.deadline_ms:
                self.stop()
                raise FunctionTimedOut(f"{self.function.group} took more than {self.function.timeout_seconds} s")
        return invocation.result.result()

    async def _ensure_running(self) -> bool:
        """Have a process that is up to date and waits for an invocation. Returns whether it was started just now."""
        # A process sends its answer and then asks for the next event. It may be stopped only after that: otherwise its
        # last request could still arrive, be taken for its successor's, and get the event.
        if self._process is not None and not await self._asks(self._process):
            self.stop()
        # Only here: it may be closed while this waits, and nobody would end the process that is started then.
        if self._closed:
            raise FunctionFailed(f"{self.function.group} has been stopped")
        code = _fingerprint(self._code)
        if self._process is not None and code != self._started_from:
            self.stop()
        cold = self._process is None
        if cold:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            with self.log.open("ab") as output:
                command = [sys.executable, "-m", "awslambdaric", self.function.handler]
                self._process = child.start(command, output=output, cwd=self._root, env=self._environment())
            self._started_from = code
            if not await self._asks(self._process):
                self.stop()
                raise FunctionFailed(f"{self.function.group} could not start (see {self.log})")
        return cold

    def _logged_since(self, position: int) -> bytes:
        with self.log.open("rb") as log:
            log.seek(max(position, self.log.stat().st_size - _LOGGED))
            return log.read(_LOGGED)

    async def _asks(self, process: subprocess.Popen[bytes]) -> bool:
        """Wait until the process asks for an invocation; False when it died or takes too long."""
        deadline = time.monotonic() + _INIT_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), timeout=_LOOK_SECONDS)
                return True
        return False

    def _environment(self) -> dict[str, str]:
        """The variables that Lambda and the template set, and of the developer's own shell only PATH."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "TZ": ":UTC",
            "PYTHONPATH": os.pathsep.join(map(str, [self._root / "layers" / "common", self._root])),
            "PYTHONUNBUFFERED": "1",
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.port}",
            "AWS_LAMBDA_FUNCTION_NAME": self.function.group,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.function.memory_mb),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/questlog/{self.function.group}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "local",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_SAM_LOCAL": "true",  # what sam and Powertools go by, to tell a developer's machine from AWS
            "LAMBDA_TASK_ROOT": str(self._root),
            "_HANDLER": self.function.handler,
            **self._variables,
        }

    async def _note(self, what: str, body: bytes) -> None:
        """Put an error the client reports into the log, where CloudWatch would have it."""
        with self.log.open("ab") as log:
            log.write(f"{self.function.group} {what}: ".encode() + body + b"\n")


def _arn(function: Function) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function.group}"


def _fingerprint(folders: list[Path]) -> object:
    """Changes when a file of the folders does. A hundred files take a millisecond."""
    seen = []
    for folder in folders:
        for parent, names, files in os.walk(folder):
            names[:] = [name for name in names if name != "__pycache__"]
            seen += [(str(path), _modified(path)) for path in (Path(parent, file) for file in files)]
    return sorted(seen)


def _modified(path: Path) -> int:
    """When the file last changed; 0 for a link to nowhere, or a file an editor is just replacing."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0
