"""Workers that tests kill: a program that is started once and forks for each tick, so that a tick starts at once.

It reads a line for each tick: the schedule, and the database's URL. It prints the process of the tick, and `over` once
that has ended, however it has.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, Final

from questlog.db import Connection, connection
from questlog.settings import settings

from functions.jobs import bucket, queue, worker
from functions.jobs.work import Deadline, Job, Refused, complete
from tests.jobs.ticking import ALL_THE_TIME, note
from tests.support.client import ROOT
from tests.support.environment import ENVIRONMENT

PARTS: Final = 3
REFUSED: Final = "The file is no export."


class Writing:
    """Work of one transaction, and an object under a key that is always the same."""

    def __init__(self, pause: float = 0.0) -> None:
        self._pause = pause

    def run(self, job: Job, deadline: Deadline) -> Mapping[str, Any]:
        deadline.check()
        opened = connection()
        with opened.transaction():
            for part in range(PARTS):
                note(opened, f"{job.id} {part}")
                time.sleep(self._pause)
            bucket.put(f"tests/{job.id}", b"content")
            complete(opened, job, {"parts": PARTS})
        return {"parts": PARTS}

    def failed(self, connection: Connection, job: Job, error_type: str, message: str) -> None:
        note(connection, f"failed {job.id} {error_type}: {message}")


class Refusing(Writing):
    """Work that cannot be done."""

    def run(self, *_: object) -> Mapping[str, Any]:
        raise Refused("invalid_export", REFUSED)


class Waiting(Writing):
    """Work that holds the row of its user, as an import does, and does not end by itself."""

    def run(self, job: Job, deadline: Deadline) -> Mapping[str, Any]:
        opened = connection()
        with deadline.guard(opened), opened.transaction():
            opened.execute(
                "INSERT INTO track_analysis_cache (user_id, content_hash, name, source) VALUES (%s, %s, 'x', 'worker')",
                [job.user_id, "0" * 64],
            )
            opened.execute("SELECT pg_sleep(3600)")
            complete(opened, job, {})
        return {}


WORK: Final = {"export": Writing(), "import": Refusing()}


class Workers:
    """The program, and the ticks that it makes."""

    def __init__(self, program: "subprocess.Popen[str]") -> None:
        self._program = program

    def begin(self, schedule: str, url: str) -> int:
        """Begin a tick. Returns its process."""
        assert self._program.stdin is not None
        self._program.stdin.write(f"{schedule} {url}\n")
        self._program.stdin.flush()
        return int(self._line())

    def wait(self) -> None:
        """Wait until the tick has ended."""
        assert self._line() == "over"

    def _line(self) -> str:
        assert self._program.stdout is not None
        return self._program.stdout.readline().strip()


@contextmanager
def start(bucket_url: str, pause: float = 0.0, *, is_waiting: bool = False) -> Iterator[Workers]:
    """Start the program; `pause` is how many seconds exports wait after each part, unless they wait for ever."""
    environment = {
        **os.environ,
        **{name: value for name, value in ENVIRONMENT.items() if not name.endswith("DATABASE_URL")},
        "R2_ENDPOINT": bucket_url,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "layers" / "common")]),
    }
    command = [sys.executable, "-m", "tests.jobs.workers", str(pause), *["waiting"] * is_waiting]
    with subprocess.Popen(
        command, env=environment, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        yield Workers(program)
        program.kill()


def main() -> None:
    export = Waiting() if "waiting" in sys.argv else Writing(float(sys.argv[1]))
    queue.WORK.update({**WORK, "export": export})
    for line in sys.stdin:
        schedule, url = line.split()
        process = os.fork()
        if process == 0:
            os.environ["DATABASE_URL"] = url
            settings.cache_clear()
            context = SimpleNamespace(get_remaining_time_in_millis=lambda: ALL_THE_TIME)
            worker.handler({"schedule": schedule}, context)
            os._exit(0)
        print(process, flush=True)
        os.waitpid(process, 0)
        print("over", flush=True)


if __name__ == "__main__":
    main()
