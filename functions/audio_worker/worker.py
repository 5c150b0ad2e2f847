"""The audio worker: takes analyses from the queue, measures each, and writes what it found in one transaction.

1. Claim a job: its lease is five minutes, and is renewed while the file is measured.
2. Fetch the object into a temporary file, hash it, decode and measure it.
3. Write everything, if the job is still this worker's. Nothing is written before.

So the worker may be killed at any line: the lease runs out, and the job is run again from its begin. A file that cannot
be measured fails at once; a machine that fails is tried again, three times in all.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, Literal
from uuid import UUID

from aws_lambda_powertools import Logger
from psycopg.types.json import Jsonb
from pydantic import BaseModel

from questlog import storage
from questlog.db import Db, Queries
from questlog.errors import UNFORESEEN, Failure
from questlog.settings import settings

from functions.audio_worker.analysis import Analysis, AnalysisType, analyse, content_hash
from functions.audio_worker.errors import AudioError, Facts, TooLarge, Undecodable

MAX_BYTES: Final = 200 * 1024 * 1024
# A lease of five minutes allows many of these to be late.
RENEWAL_SECONDS: Final = 15.0
# No accepted file takes longer. A job that could not be finished in time is left to another invocation.
LONGEST_ANALYSIS_MS: Final = 8 * 60_000

GONE: Final = "The file is not there any more."
TOO_MANY_BYTES: Final = f"The file has more than {MAX_BYTES // 1024**2} MiB."
MACHINE_FAILED: Final = "The analysis was interrupted three times. Start it again."

_PREFIX: Final = "questlog-track-"
_NOTHING: Final = {"jobs": 0}
# Lambda ends every invocation after this time.
_LONGEST_LIFE_SECONDS: Final = 900
_queries: Final = Queries(Path(__file__).with_name("queries.sql"))
_log: Final = Logger(service="audio_worker")


class Superseded(Exception):
    """The job is no longer this worker's, or its track was deleted: what was measured is thrown away."""


class Tick(BaseModel):
    """A run of the schedule, which is done already where nothing is due."""

    id: UUID
    status: Literal["running", "done"]


class Job(BaseModel):
    """A claimed job. The last three are None when the track was deleted."""

    user_id: UUID
    id: UUID
    attempt: int
    track_id: UUID | None
    analysis_type: AnalysisType | None
    r2_key: str | None

    @property
    def named(self) -> dict[str, Any]:
        """The job as parameters of a statement."""
        return {"user_id": self.user_id, "job_id": self.id, "attempt": self.attempt, "track_id": self.track_id}


def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Run the job that the event names, or at a tick all that are due; returns how many were run."""
    settings()
    db = Db(_queries)
    _forget_files_of_the_dead()
    if "job_id" in event:
        return {"jobs": _run_jobs(db, context, wanted=UUID(event["job_id"]), tick=None)}
    tick = db.one(Tick, "begin_tick", nothing=_NOTHING)
    if tick.status == "done":
        return _NOTHING
    try:
        result = {"jobs": _run_jobs(db, context, wanted=None, tick=tick.id)}
    except BaseException as error:
        db.many(_Anything, "end_tick", run_id=tick.id, has_failed=True, result={"error": _sentence(error)})
        raise
    db.many(_Anything, "end_tick", run_id=tick.id, has_failed=False, result=result)
    return result


def _run_jobs(db: Db, context: Any, *, wanted: UUID | None, tick: UUID | None) -> int:
    """Run what is due while there is time. Returns how many jobs were run."""
    db.many(_Anything, "fail_lost", reason=MACHINE_FAILED)
    done = 0
    while context.get_remaining_time_in_millis() > LONGEST_ANALYSIS_MS:
        job = db.maybe(Job, "claim", job_id=wanted)
        if job is None:
            break
        run(db, job, tick)
        done += 1
    return done


def _sentence(error: BaseException) -> str:
    """The text of an error that may be shown to the user."""
    return error.message if isinstance(error, Failure) else UNFORESEEN


def _forget_files_of_the_dead() -> None:
    """Delete the files of invocations that were killed, which would fill the disk of this execution environment."""
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(FileNotFoundError):  # it ended, and deleted its file, in this moment
            if path.stat().st_mtime < time.time() - _LONGEST_LIFE_SECONDS:
                path.unlink()


def run(db: Db, job: Job, tick: UUID | None = None) -> None:
    """Measure a track and write what was found; or write why that cannot be done. `tick` is the run of the schedule."""
    started = time.monotonic()
    try:
        with _given_back_on_failure(db, job):
            outcome = _measure(db, job, tick)
    except Superseded:
        outcome = "superseded"
    _log.info("analysis", outcome=outcome, job_id=str(job.id), seconds=round(time.monotonic() - started, 1))


@contextmanager
def _given_back_on_failure(db: Db, job: Job) -> Iterator[None]:
    """Queues the job again after any unforeseen error, since that is a failure of this machine or program."""
    try:
        yield
    except Superseded:
        raise
    except BaseException as error:
        _held(db, "retry", **job.named, error=_sentence(error), reason=MACHINE_FAILED)
        raise


def _measure(db: Db, job: Job, tick: UUID | None) -> str:
    """Run a claimed job to its end. Returns what came of it, for the log."""
    if job.r2_key is None or job.analysis_type is None:
        _held(db, "give_up", **job.named)
        return "deleted"
    with tempfile.NamedTemporaryFile(prefix=_PREFIX) as file:
        size = storage.fetch(job.r2_key, file.file, MAX_BYTES)
        file.flush()
        if size is None or size > MAX_BYTES:
            return _fail(db, job, GONE if size is None else TOO_MANY_BYTES, size=size)
        path = Path(file.name)
        sha256 = content_hash(path)
        try:
            analysis = analyse(path, job.analysis_type, sha256, _renewing(db, job, tick))
        except TooLarge as reason:
            return _fail(db, job, str(reason), size=size, content_sha256=sha256, facts=reason.facts)
        except AudioError as reason:
            unplayable = str(reason) if isinstance(reason, Undecodable) else None
            return _fail(db, job, str(reason), size=size, content_sha256=sha256, unplayable=unplayable)
    _held(db, "complete", **job.named, analysis_type=job.analysis_type, size=size, **_results(analysis))
    return "completed"


def _fail(
    db: Db,
    job: Job,
    reason: str,
    *,
    size: int | None,
    content_sha256: str | None = None,
    facts: Facts | None = None,
    unplayable: str | None = None,
) -> str:
    _held(
        db,
        "fail",
        **job.named,
        reason=reason,
        size=size,
        content_sha256=content_sha256,
        unplayable=unplayable,
        duration_seconds=facts and facts.duration_seconds,
        sample_rate=facts and facts.sample_rate,
        channels=facts and facts.channels,
        bit_depth=facts and facts.bit_depth,
    )
    return "failed"


def _renewing(db: Db, job: Job, tick: UUID | None) -> Callable[[float], None]:
    """The callback for the progress of a measurement: it renews the lease, and ends a measurement that has lost it."""
    renewed = time.monotonic()

    def renew(progress: float) -> None:
        nonlocal renewed
        if time.monotonic() - renewed < RENEWAL_SECONDS:
            return
        if not _held(db, "renew", **job.named, run_id=tick, progress=min(max(progress, 0.0), 1.0)):
            raise Superseded
        renewed = time.monotonic()

    return renew


def _held(db: Db, name: str, **parameters: Any) -> bool:
    """Run statements that need the lease. Returns whether they returned a row; Superseded without the lease."""
    try:
        return bool(db.many(_Anything, name, **parameters))
    except Failure as refusal:
        if refusal.type == "lease_lost":
            raise Superseded from None
        raise


class _Anything(BaseModel):
    """A row that nobody reads."""


def _results(analysis: Analysis) -> dict[str, Any]:
    """What was measured, as parameters of the statement that writes it."""
    frames, events = analysis.frames, analysis.events or []
    manifest = {name: value for name, value in asdict(frames).items() if name != "chunks"} if frames else {}
    chunks = frames.chunks if frames else []
    return {
        "summary": analysis.summary,
        "manifest": manifest,
        "indexes": [chunk.index for chunk in chunks],
        "starts": [chunk.start_frame for chunk in chunks],
        "ends": [chunk.end_frame for chunk in chunks],
        "chunks": [chunk.compressed for chunk in chunks],
        "types": [event.type for event in events],
        "times": [event.time_ms for event in events],
        "durations": [event.duration_ms for event in events],
        "confidences": [event.confidence for event in events],
        "data": [None if event.data is None else Jsonb(event.data) for event in events],
    }
