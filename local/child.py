"""Start programs that cannot outlive the stack.

`python -m local` may be killed by SIGKILL, and its children must not stay behind with their ports and data. The kernel
can end them (prctl PR_SET_PDEATHSIG), but only the child itself can ask for that, between fork and exec. So this file
is run as a script that asks, and then becomes the program. A `preexec_fn` could do the same, but is unsafe beside
threads, and `unshare` would reset it by changing credentials; the script runs inside of `unshare`.
"""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def start(
    command: Sequence[str | Path],
    *,
    output: int | IO[bytes],
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    on_orphan: signal.Signals = signal.SIGKILL,
    as_user: bool = False,
) -> subprocess.Popen[bytes]:
    """The running program: stdout and stderr go to `output`, and `on_orphan` is sent to it if this process dies first.

    Call it from a thread that lives as long as the program should: the kernel watches the thread, not the process.
    `as_user` hides from the program that it is run by root, which Postgres insists on. The program gets its own
    session, so a Ctrl-C reaches the stack alone and the stack chooses the order in which things stop.
    """
    guarded = [sys.executable, "-I", "-S", __file__, str(os.getpid()), str(int(on_orphan)), *map(str, command)]
    if as_user and os.geteuid() == 0:
        guarded = [*_UNSHARE, *guarded]
    return subprocess.Popen(
        guarded, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=cwd, env=env, start_new_session=True
    )


def stop(child: subprocess.Popen[bytes], *signals: signal.Signals, patience: float = 5) -> int:
    """The exit status, after each of `signals` in turn (then SIGKILL) was given `patience` seconds to work."""
    for number in (*signals, signal.SIGKILL):
        if child.poll() is None:
            child.send_signal(number)
            try:
                child.wait(timeout=patience)
            except subprocess.TimeoutExpired:
                continue
        break
    return child.wait()


# One user id is mapped, 1000 inside to the caller outside: files stay the caller's, and the machine is not changed.
_UNSHARE = ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--"]


def _become(parent: int, on_orphan: int, command: list[str]) -> None:
    """Replace this process by `command`, tied to `parent`."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, on_orphan)
        if os.getppid() != parent:  # it died before we could ask
            sys.exit(f"{command[0]}: the stack is gone")
    os.execvp(command[0], command)  # noqa: S606 - a shell would stand between it and the signals


if __name__ == "__main__":
    _become(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
