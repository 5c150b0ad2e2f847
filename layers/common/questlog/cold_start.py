"""The start of a request function: the garbage collector is off meanwhile, and the first request is prepared.

Modules that a start loads are never freed, so a collection finds nothing, yet collections are a twentieth of the work.
Only questlog.api imports this module: jobs and the audio worker keep the collector on.

Lambda gives a function a whole core until its first request, and then a part of one: 0.29 at 512 MB. So what the first
request needs in any case is done before it, if the environment says that this process is a Lambda function's.
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
    """Whether a connection that is opened now can still be used by the first request.

    With SnapStart it cannot: Lambda takes a snapshot after the start, and copies of the process would share one socket.
    """
    return os.environ.get(_STARTS_AS, "") not in ("", "snap-start")


def finish_cold_start() -> None:
    """Turn the collector on again; later collections skip what has been loaded so far."""
    gc.freeze()
    gc.enable()
