"""What a command costs: processor time and memory."""

import os
import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Cost(NamedTuple):
    """What a process used: seconds of a processor, and the most memory it had, in MB."""

    seconds: float
    megabytes: float


def cost(
    command: Sequence[str], environment: Mapping[str, str], meanwhile: Callable[[], object] = lambda: None
) -> Cost:
    """What a command uses, which must succeed. `meanwhile` is called again and again while it runs.

    Its memory is looked at while it runs, as Linux counts it (proc(5), VmHWM). What wait4() says of it is that of this
    process, where this one is the larger: a new process begins as a copy of it.
    """
    peak = 0.0
    with subprocess.Popen(command, env=environment) as process:
        while (ended := os.wait4(process.pid, os.WNOHANG))[0] == 0:
            peak = max(peak, _peak_megabytes(process.pid))
            meanwhile()
            time.sleep(0.05)
        process.returncode = os.waitstatus_to_exitcode(ended[1])
    assert process.returncode == 0
    usage = ended[2]
    return Cost(usage.ru_utime + usage.ru_stime, peak)


def _peak_megabytes(process: int) -> float:
    """The most memory that a process had so far; 0 where it has just ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) * 1024 / 1e6 if found else 0.0
