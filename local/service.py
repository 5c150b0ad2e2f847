"""A helper program that listens on a loopback port of its own."""

import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

from local import child


class ServiceError(RuntimeError):
    """The program does not start; `log` says why."""

    def __init__(self, message: str, log: Path) -> None:
        super().__init__(message)
        self.log = log


class PortTaken(RuntimeError):
    """Another program listens on the port."""

    def __init__(self, port: int) -> None:
        super().__init__(f"Port {port} is in use, by another program or by a stack that runs already.")
        self.port = port


class Service:
    """A program that is started at once, waited for by `ready`, and stopped with the `with` block.

    `as_user` hides from it that it is run by root, which some programs refuse.
    """

    def __init__(
        self,
        name: str,
        command: Callable[[int], list[str]],
        *,
        port: int,
        log: Path,
        env: Mapping[str, str],
        as_user: bool = False,
    ) -> None:
        self.name = name
        self.port = port or free_port()
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._process: subprocess.Popen[bytes] = child.start(
                command(self.port), output=output, env=env, as_user=as_user
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        child.stop(self._process, signal.SIGTERM, patience=2)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://localhost:{self.port}"

    def ready(self, patience: float = 20) -> None:
        """Wait until it takes connections."""
        deadline = time.monotonic() + patience
        while not _answers(self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise ServiceError(f"The {self.name} does not start on port {self.port}.", self.log)
            time.sleep(0.02)


def free_port() -> int:
    """A loopback port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    with closing(socket.socket()) as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
