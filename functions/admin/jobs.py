"""The routes of scheduled work: what the schedules and the queue do, and what is to be done out of turn."""

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import StringConstraints
from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on

from questlog.api import Api
from questlog.db import Db
from questlog.identity import Client
from questlog.wire import Body, Instant

from functions.admin.models import ROLE

api = Api(__file__, queries="jobs.sql", role=ROLE)

MANAGE: Final = "system:manage"


class Requested(Body):
    name: Annotated[str, StringConstraints(min_length=1, max_length=40)]


class Schedule(TypedDict):
    """A schedule, with the start of its newest run and what came of the newest that has ended."""

    name: str
    every_seconds: int
    last_started_at: Instant | None
    last_finished_at: Instant | None
    last_status: Literal["done", "failed"] | None
    last_result: dict[str, Any] | None


class Queue(TypedDict):
    queued: int
    running: int
    failed: int


class Job(TypedDict):
    id: UUID
    kind: str
    status: Literal["queued", "running", "done", "failed"]
    attempts: int
    max_attempts: int
    run_after: Instant
    lease_until: Instant | None
    last_error: str | None
    result: dict[str, Any] | None
    created_at: Instant
    finished_at: Instant | None


class Jobs(TypedDict):
    schedules: list[Schedule]
    queue: Queue
    failed: list[Job]


class ShownJob(TypedDict):
    job: Job


@api.get("/admin/jobs", requires=MANAGE, envelope=False)
def jobs(db: Db) -> Jobs:
    """Return the schedules, how many jobs there are, and the newest 100 that have failed."""
    schedules, queue, failed = db.each((list[Schedule], Queue, list[Job]), "jobs")
    return {"schedules": schedules, "queue": queue, "failed": failed}


@api.get("/admin/jobs/{job_id}", requires=MANAGE, envelope=False)
def job(db: Db, job_id: UUID) -> ShownJob:
    """Return a job."""
    return {"job": db.one(Job, "job", job_id=job_id)}


@api.post("/admin/jobs/run", requires=MANAGE, envelope=False)
def run(db: Db, body: Requested, client: Client) -> ShownJob:
    """Have a schedule run at the next tick of the queue; while one of that name is queued, return that one."""
    return {"job": db.one(Job, "run", name=body.name, client=client._asdict())}


@api.post("/admin/jobs/{job_id}/retry", requires=MANAGE, envelope=False, errors={409: ["not_failed", "superseded"]})
def retry(db: Db, job_id: UUID, client: Client) -> ShownJob:
    """Queue a job again that has failed, as if it had never been tried."""
    return {"job": db.one(Job, "retry", job_id=job_id, client=client._asdict())}
