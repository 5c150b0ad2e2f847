"""A deployment without AWS: built artifacts, unpacked as Lambda unpacks them, under the runtime client AWS itself runs.

Lambda lays a function's code at /var/task, its layers over each other at /opt and the runtime client at /var/runtime,
all of it read-only. So does a private view of the file system, which takes Linux and its user namespaces; where they
are not to be had, the same folders are used from where they are. Of Python nothing is on the path but its standard
library: it starts isolated (-I) and without site-packages (-S).
"""

import json
import os
import platform
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Final, Self

from local.events import ACCOUNT, REGION
from local.template import ROOT, Function, read

LAMBDA_PYTHON: Final = "3.13"
_RUNTIME_CLIENT: Final = ("awslambdaric", "simplejson", "snapshot-restore-py")

# Lambda's order: the code, the layers, the standard library, the runtime's own packages.
_START: Final = """
import runpy, sys
task, layers, runtime, handler = sys.argv[1:]
sys.path = [task, layers, *sys.path, runtime]
sys.argv = ["awslambdaric", handler]
runpy.run_module("awslambdaric", run_name="__main__")
"""
_PRIVATE_VIEW: Final = """
set -e
mount -t tmpfs none /var
mkdir /var/task /var/runtime
mount --bind "$1" /var/task; mount -o remount,bind,ro /var/task
mount --bind "$2" /opt; mount -o remount,bind,ro /opt
mount --bind "$3" /var/runtime
shift 3
exec "$@"
"""
_UNSHARE: Final = ("unshare", "--user", "--map-root-user", "--mount", "--")


def lambda_python() -> Path:
    """A Python of the version that Lambda runs; where there is none, the one that runs the tests."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    candidates = [os.environ.get("PYTHON313"), f"python{LAMBDA_PYTHON}"]
    candidates += sorted(map(str, pyenv.glob(f"{LAMBDA_PYTHON}.*/bin/python{LAMBDA_PYTHON}")))
    for candidate in candidates:
        found = shutil.which(candidate) if candidate else None
        if found and _version(found) == LAMBDA_PYTHON:
            return Path(found)
    return Path(sys.executable)


@cache
def _version(python: str | Path) -> str:
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([python, "-I", "-S", "-c", program], capture_output=True, text=True, check=False)
    return done.stdout.strip()


class Deployment:
    """The artifacts of all functions in a folder, built for this processor and for `python`."""

    def __init__(self, folder: Path, python: Path) -> None:
        self._folder = folder
        self.python = python
        self._build()
        self._install_runtime_client()
        self.is_private = self._can_have_private_view()

    def task(self, function: Function) -> Path:
        """The code of a function."""
        return self._folder / "build" / function.name

    @property
    def runtime(self) -> Path:
        """The runtime client."""
        return self._folder / "runtime"

    def layers(self, function: Function) -> Path:
        """The layers of a function, laid over each other; those with the same layers share a folder."""
        resources = read()
        own = resources["Resources"][function.name]["Properties"].get("Layers", [])
        names = [layer["Ref"] for layer in (*resources["Globals"]["Function"]["Layers"], *own)]
        merged = self._folder / "opt" / "-".join(names)
        if not merged.exists():
            for name in names:
                # Links take no room; what is linked is only read.
                shutil.copytree(self._folder / "build" / name, merged, copy_function=os.link, dirs_exist_ok=True)
        return merged

    def command(self, function: Function) -> list[str]:
        """What starts a function."""
        task, layers, runtime = self.task(function), self.layers(function), self.runtime
        python = [str(self.python), "-I", "-S", "-c", _START]
        if self.is_private:
            view = [*_UNSHARE, "sh", "-c", _PRIVATE_VIEW, "sh", str(task), str(layers), str(runtime)]
            return [*view, *python, "/var/task", "/opt/python", "/var/runtime", function.handler]
        return [*python, str(task), str(layers / "python"), str(runtime), function.handler]

    def _build(self) -> None:
        sam = Path(sys.executable).with_name("sam")
        places = ["--build-dir", str(self._folder / "build"), "--cache-dir", str(self._folder / "cache")]
        environment = {
            **os.environ,
            "SAM_CLI_TELEMETRY": "0",
            "PYTHON": sys.executable,
            "PYTHON313": str(self.python),
            "PROCESSOR": platform.machine(),
            "LAMBDA_PYTHON": _version(self.python),
        }
        done = subprocess.run(
            [str(sam), "build", *places], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    def _install_runtime_client(self) -> None:
        locked = (ROOT / "tests" / "requirements.txt").read_text("utf-8")
        wanted = self._folder / "runtime.txt"
        # A package of the lock: its line, and those that are indented below it.
        found = [re.search(rf"^{name}==.*\n(?: +.*\n)*", locked, re.MULTILINE) for name in _RUNTIME_CLIENT]
        wanted.write_text("".join(package[0] for package in found if package is not None))
        pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-deps"]
        target = ["--python-version", _version(self.python), "--only-binary=:all:", "--target", str(self.runtime)]
        subprocess.run([*pip, "--require-hashes", *target, "-r", str(wanted)], check=True)

    def _can_have_private_view(self) -> bool:
        """Whether this machine allows one, and Python itself is not hidden by it."""
        if any(self.python.resolve().is_relative_to(hidden) for hidden in ("/var", "/opt")):
            return False
        if shutil.which("unshare") is None or self._folder.resolve().is_relative_to("/var"):
            return False
        mount = [*_UNSHARE, "mount", "-t", "tmpfs", "none", "/var"]
        return subprocess.run(mount, capture_output=True, check=False).returncode == 0


@dataclass
class _Exchange:
    """One event on its way to a function, and what came back."""

    event: bytes
    deadline_ms: int
    outcome: "queue.Queue[tuple[str, bytes]]"


class RunningFunction:
    """One process of a function. It is started with what the template gives it and what Lambda sets, nothing else."""

    def __init__(self, deployment: Deployment, function: Function, variables: Mapping[str, str], log: Path) -> None:
        self._deployment = deployment
        self._function = function
        self._variables = variables
        self._file = log

    def __enter__(self) -> Self:
        self._outcome: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._events: queue.Queue[_Exchange | None] = queue.Queue()
        handler = type("Handler", (_RuntimeApi,), {"events": self._events, "outcome": self._outcome})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        with self._file.open("ab") as output:
            self._process = subprocess.Popen(
                self._deployment.command(self._function),
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._events.put(None)
        self._process.kill()
        self._process.wait()
        self._server.shutdown()
        self._server.server_close()

    @property
    def log(self) -> str:
        """The end of what the process has written."""
        return self._file.read_text("utf-8")[-4000:]

    def invoke(self, event: Any, seconds_left: float) -> Any:
        """What the function returns; AssertionError with the end of its log where it fails or dies."""
        deadline = int((time.time() + seconds_left) * 1000)
        self._events.put(_Exchange(json.dumps(event).encode(), deadline, self._outcome))
        for _ in range(300):
            try:
                kind, body = self._outcome.get(timeout=0.2)
            except queue.Empty:
                assert self._process.poll() is None, self._said("died")
                continue
            assert kind == "response", self._said(body.decode())
            return json.loads(body)
        raise AssertionError(self._said("did not answer within a minute"))

    def _said(self, what: str) -> str:
        return f"{self._function.name}: {what}\n{self.log}"

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_port}",
            "AWS_LAMBDA_FUNCTION_NAME": self._function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self._function.memory_mb),
            "AWS_LAMBDA_LOG_GROUP_NAME": "/questlog/functions",
            "AWS_LAMBDA_LOG_STREAM_NAME": "dry-run",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{LAMBDA_PYTHON}",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "LAMBDA_TASK_ROOT": "/var/task"
            if self._deployment.is_private
            else str(self._deployment.task(self._function)),
            "_HANDLER": self._function.handler,
            **self._variables,
        }


class _RuntimeApi(BaseHTTPRequestHandler):
    """The Lambda Runtime API (AWS's documentation, "Using the Lambda runtime API") for one function."""

    events: ClassVar["queue.Queue[_Exchange | None]"]
    outcome: ClassVar["queue.Queue[tuple[str, bytes]]"]

    def do_GET(self) -> None:
        """Hand out the next event, once there is one."""
        exchange = self.events.get()
        if exchange is None:
            return
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:dry-run"
        self._answer(
            200,
            exchange.event,
            {
                "Lambda-Runtime-Aws-Request-Id": "00000000-0000-4000-8000-000000000000",
                "Lambda-Runtime-Deadline-Ms": str(exchange.deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": arn,
            },
        )

    def do_POST(self) -> None:
        """Take an answer, or an error of the start or of an event."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.outcome.put((self.path.rpartition("/")[2], body))
        self._answer(202, b"", {})

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json", "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""
