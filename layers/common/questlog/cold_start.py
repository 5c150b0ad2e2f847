"""What a request function does while it starts, and the garbage collector meanwhile.

What a start loads lives as long as the execution environment does, so collecting meanwhile finds nothing, and is a
twentieth of the work. Only questlog.api imports this module: jobs and the audio worker keep the collector on.

Before the first request Lambda gives a function a whole core, and during requests a part of one: 0.29 at 512 MB. So
what the first request will need anyway is done before it, where Lambda says that this is such a start.
"""

import gc
import os
from typing import Final

gc.disable()

# AWS's documentation, "Using Lambda environment variables": on-demand, provisioned-concurrency or snap-start. It is set
# nowhere else, so that a test or a tool that imports a function opens no connection.
_STARTS_AS: Final = "AWS_LAMBDA_INITIALIZATION_TYPE"


def prepares_requests() -> bool:
    """Whether the start of this process is the time to do what the first request needs."""
    return os.environ.get(_STARTS_AS, "") != ""


def may_connect() -> bool:
    """Whether a connection that is opened now will stand when the first request comes.

    SnapStart freezes the process after its start and wakes copies of it: they would all hold one dead socket.
    """
    return os.environ.get(_STARTS_AS, "") not in ("", "snap-start")


def finish_cold_start() -> None:
    """Turn the collector on again; it leaves alone what has been loaded so far."""
    gc.freeze()
    gc.enable()
