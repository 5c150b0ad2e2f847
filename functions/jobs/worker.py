"""The scheduled work: each schedule of the template names one of SCHEDULES.

All of it can be killed at any line and run again, and stops half a minute before the function's deadline: what is left
is done at the next tick.
"""

from collections import ChainMap
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from aws_lambda_powertools import Logger

from questlog.db import Connection
from questlog.settings import settings

from functions.jobs import queue
from functions.jobs.cleanup import Cleanup
from functions.jobs.queue import Queue
from functions.jobs.runs import Schedule, tick
from functions.jobs.storage import Storage
from functions.jobs.work import Deadline, Job, NotNow

# How soon a requested run is tried again if another run holds the lease.
_BUSY: Final = timedelta(minutes=1)
_log: Final = Logger(service="jobs")


class RequestedRun:
    """The work of a job of the kind `run`: a run of a schedule that an administrator asked for."""

    def run(self, job: Job, deadline: Deadline) -> Mapping[str, Any]:
        """Run the schedule once. Its result is the job's; it goes on at the next tick where the time was up."""
        ticked = tick(SCHEDULES[job.payload["name"]], deadline.remaining_ms)
        if not ticked.is_finished:
            raise NotNow(_BUSY if ticked.is_busy else timedelta())
        return ticked.done

    def failed(self, connection: Connection, job: Job, error_type: str, message: str) -> None:
        """Nothing shows a requested run but its job."""


# The audio worker runs `analysis` itself.
SCHEDULES: Final[Mapping[str, Schedule]] = {
    "queue": Queue(ChainMap({"run": RequestedRun()}, queue.WORK), ["queue", "cleanup", "storage"]),
    "cleanup": Cleanup(),
    "storage": Storage(),
}


def handler(event: Mapping[str, Any], context: Any) -> dict[str, int]:
    """Do the work of a schedule: {"schedule": "storage"}. Returns what was done, in numbers."""
    settings()
    name = event["schedule"]
    ticked = tick(SCHEDULES[name], context.get_remaining_time_in_millis)
    _log.info("schedule", schedule=name, done=ticked.done, is_finished=ticked.is_finished, is_busy=ticked.is_busy)
    return dict(ticked.done)
