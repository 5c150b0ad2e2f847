"""The queue: claims due jobs one after the other, and runs the module that does their work.

1. Claim a job: one that is due, of a user of whom no other job is running. The attempt counts from now on.
2. Do the work. Its lease is renewed meanwhile (see lease.py).
3. End the job: it is done with a result; or it has failed, and in the same transaction what it worked for; or it is
   queued again.
4. When nothing more is due, fail the jobs whose last worker was lost.

A worker that is killed in between leaves a lease that runs out, and a later claim begins again.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

from aws_lambda_powertools import Logger

from questlog.db import Db, Queries, connection, send
from questlog.errors import Failure, without_values
from questlog.wire import Row

from functions.jobs import backup, exporting, importing, restore
from functions.jobs.lease import Lease
from functions.jobs.runs import Run, sentence
from functions.jobs.work import Deadline, Job, NotNow, Refused, Superseded, TooLong, Work

# The module that does the work, by the kind of the job. Jobs of other kinds are not claimed.
WORK: Final[dict[str, Work]] = {"export": exporting, "import": importing, "backup": backup, "restore": restore}

# Work in one transaction cannot continue at the next tick, so it is begun only with most of the function's time left.
IN_ONE_TRANSACTION: Final = frozenset({"export", "import", "backup", "restore"})
WHOLE_TIME_MS: Final = 10 * 60_000

TOO_LONG: Final = "It takes longer than a job may take."
LOST: Final = "It was interrupted too often."
_LONGEST_ERROR: Final = 500

_queries: Final = Queries(Path(__file__).with_name("queue.sql"))
_log: Final = Logger(service="jobs")

Outcome = Literal["done", "failed", "queued_again", "superseded"]


class Queue:
    """The schedule `queue`. Of requested runs it takes those of these schedules."""

    nothing: Mapping[str, int] = {"done": 0, "failed": 0, "queued_again": 0, "superseded": 0}

    def __init__(self, work: Mapping[str, Work], schedules: list[str]) -> None:
        self._work = work
        self._schedules = schedules
        self._db = Db(_queries)

    def begin(self) -> Run | None:
        """Begin a run, unless nothing is due; None while as many run as may."""
        return self._db.maybe(Run, "begin", nothing=dict(self.nothing), **self._wanted(WHOLE_TIME_MS + 1))

    def run(self, lease: Lease) -> dict[str, int]:
        """Do due jobs until none or no time is left. Returns how many jobs ended in each way."""
        ended = dict(self.nothing)
        while lease.deadline():
            job = self._db.maybe(Job, "claim", **self._wanted(lease.deadline.remaining_ms()))
            if job is None:
                break
            with lease.working_at(job) as deadline:
                outcome = self._do(job, deadline)
            ended[outcome] += 1
            _log.info("job", kind=job.kind, job_id=str(job.id), attempt=job.attempts, outcome=outcome)
        while lease.deadline() and self._fail_lost():
            ended["failed"] += 1
        return ended

    def _wanted(self, remaining_ms: int) -> dict[str, list[str]]:
        """The kinds of jobs that can be begun with so much time left, and whose runs, as parameters."""
        kinds = [kind for kind in self._work if remaining_ms > WHOLE_TIME_MS or kind not in IN_ONE_TRANSACTION]
        return {"kinds": kinds, "schedules": self._schedules}

    def _do(self, job: Job, deadline: Deadline) -> Outcome:
        """Do the work of a claimed job and end it. Returns how: superseded if the job is no longer this worker's."""
        try:
            return self._end(job, deadline, self._outcome(job, deadline))
        except Superseded:
            return "superseded"
        except Failure as refusal:
            if refusal.type == "lease_lost":
                return "superseded"
            raise

    def _outcome(self, job: Job, deadline: Deadline) -> Mapping[str, Any] | Exception:
        """The result of the work, or what it raised."""
        try:
            return self._work[job.kind].run(job, deadline)
        except Exception as error:  # noqa: BLE001 - any error fails this job only; the next ones are still to be run
            return error

    def _end(self, job: Job, deadline: Deadline, outcome: Mapping[str, Any] | Exception) -> Outcome:
        """End a job by the outcome of its work. An error after the deadline is that of a cancelled statement."""
        match outcome:
            case Superseded():
                raise outcome
            case NotNow(wait=wait):
                self._db.many(Row, "give_back", wait=wait, **job.held)
                return "queued_again"
            case Refused(type=error_type, message=message):
                return self._fail(job, error_type, message, is_final=True)
            case TooLong():
                return self._fail(job, "too_long", TOO_LONG, is_final=True)
            case Exception() if not deadline() and job.kind in IN_ONE_TRANSACTION:
                return self._fail(job, "too_long", TOO_LONG, is_final=True)
            case Exception():
                _log.error("job failed", kind=job.kind, job_id=str(job.id), **without_values(outcome))
                return self._fail(job, "internal_error", sentence(outcome), is_final=False)
            case result:
                self._db.many(Row, "complete", result=dict(result), **job.held)
                return "done"

    def _fail(self, job: Job, error_type: str, message: str, *, is_final: bool) -> Outcome:
        """End a failed attempt. If it was the last one, what the job works for fails in the same transaction."""
        opened = connection()
        parameters = {**job.held, "error": message[:_LONGEST_ERROR], "is_final": is_final}
        with opened.transaction():
            [[row]] = send(opened, _queries.statements("fail", parameters))
            if row["is_over"]:
                self._work[job.kind].failed(opened, job, error_type, message[:_LONGEST_ERROR])
        return "failed" if row["is_over"] else "queued_again"

    def _fail_lost(self) -> bool:
        """End one job whose last worker was lost, and what it works for. Returns whether there was one."""
        opened = connection()
        with opened.transaction():
            [rows] = send(opened, _queries.statements("fail_lost", self._wanted(WHOLE_TIME_MS + 1)))
            for row in rows:
                job = Job(**row)
                self._work[job.kind].failed(opened, job, "worker_lost", LOST)
        return bool(rows)
