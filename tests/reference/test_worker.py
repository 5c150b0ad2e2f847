"""The worker: files that cannot be measured, machines that fail, workers that are killed or lose their lease."""

import io
import logging
import math
import os
import random
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from questlog.errors import UNFORESEEN, Unavailable

from functions.audio_worker import worker
from functions.audio_worker.analysis import analyse
from local.clock import Clock
from tests.conftest import Database, User
from tests.reference.uploads import begin, register, tone
from tests.reference.working import start, work
from tests.support import bucket
from tests.support.client import ROOT, log_in
from tests.support.environment import ENVIRONMENT

ALL_OF_IT = """
    SELECT (SELECT count(*) FROM track_analyses WHERE user_id = u.id AND status = 'completed') AS completed,
           (SELECT count(*) FROM analysis_frame_manifests WHERE user_id = u.id) AS manifests,
           (SELECT count(*) FROM analysis_frame_data WHERE user_id = u.id) AS chunks,
           (SELECT count(*) FROM analysis_events WHERE user_id = u.id) AS events,
           (SELECT count(*) FROM track_analysis_cache WHERE user_id = u.id) AS cached
      FROM users AS u WHERE u.id = %s
"""
JOB = "SELECT status, attempts, last_error FROM jobs WHERE user_id = %s"


def track_of(user: User, track_id: str) -> Any:
    return user.get(f"/reference/tracks/{track_id}").json["track"]


def analysis_of(user: User, track_id: str) -> Any:
    return user.get(f"/reference/tracks/{track_id}/analysis").json


@pytest.fixture(autouse=True)
def empty_queue(database: Database) -> Iterator[None]:
    """No job of another test is due, whatever it left."""
    database.query("DELETE FROM jobs RETURNING id")
    yield
    database.query("DELETE FROM jobs RETURNING id")


# Files that cannot be measured ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"Text, called a sound.\n" * 50, b"RIFF\x24\0\0\0WAVEjunk", b"\xff" * 100, b"ID3"])
def test_what_is_no_audio_puts_the_track_in_error(user: User, database: Database, content: bytes) -> None:
    track = register(user, content)
    assert track["status"] == "ready"
    assert work(start(user, track["id"])["id"]) == 1
    analysis = analysis_of(user, track["id"])
    assert (analysis["status"], analysis["summary"]) == ("failed", {})
    assert analysis["error_message"].endswith(".")
    found = track_of(user, track["id"])
    assert (found["status"], found["error_message"]) == ("error", analysis["error_message"])
    assert database.query(JOB, user.id)[0]["status"] == "failed"
    # It can still be fetched, and tried again.
    assert user.get(f"/reference/tracks/{track['id']}/stream").status == 200
    again = start(user, track["id"])
    assert (again["id"] != analysis["id"], track_of(user, track["id"])["status"]) == (True, "processing")
    assert track_of(user, track["id"])["error_message"] is None


def test_what_is_too_long_leaves_the_track_ready(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.audio_worker.decoding.MAX_SECONDS", 1)
    track = register(user, tone(1.5))
    work(start(user, track["id"])["id"])
    found = track_of(user, track["id"])
    assert (found["status"], found["sample_rate"], found["duration_seconds"]) == ("ready", 8000, 1.5)
    assert analysis_of(user, track["id"])["status"] == "failed"


def test_what_has_too_many_bytes_is_not_fetched(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    track = register(user, tone())
    monkeypatch.setattr(worker, "MAX_BYTES", len(tone()) - 1)
    work(start(user, track["id"])["id"])
    assert analysis_of(user, track["id"])["error_message"] == worker.TOO_MANY_BYTES
    assert track_of(user, track["id"])["status"] == "ready"


@pytest.mark.parametrize("content", [tone(1.0), tone(0.2), b"no sound" * 500], ids=["larger", "smaller", "no audio"])
def test_the_size_that_the_worker_finds_counts(user: User, database: Database, content: bytes) -> None:
    """The URL of an upload takes another file after the first was registered."""
    started = begin(user, tone(0.5))
    bucket.send("PUT", started["url"], tone(0.5))
    track = user.post("/reference/tracks", {"name": "Twice", "r2_key": started["r2_key"]}).json
    register(user, tone(0.1))
    bucket.send("PUT", started["url"], content)
    work(start(user, track["id"])["id"])
    assert track_of(user, track["id"])["file_size_bytes"] == len(content)
    assert user.get("/reference/usage").json["bytes"] == len(content) + len(tone(0.1))
    user.delete(f"/reference/tracks/{track['id']}")
    assert user.get("/reference/usage").json["bytes"] == len(tone(0.1))


def test_a_file_that_is_gone_fails_at_once(user: User, database: Database) -> None:
    track = register(user)
    bucket.client().delete_object(Bucket="questlog", Key=track["r2_key"])
    work(start(user, track["id"])["id"])
    assert analysis_of(user, track["id"])["error_message"] == worker.GONE
    assert database.query(JOB, user.id) == [{"status": "failed", "attempts": 1, "last_error": worker.GONE}]


def float_wav(samples: list[float], channels: int = 1, rate: int = 8000) -> bytes:
    data = struct.pack(f"<{len(samples)}f", *samples)
    fmt = struct.pack("<HHIIHH", 3, channels, rate, rate * 4 * channels, 4 * channels, 32)
    chunks = b"fmt " + struct.pack("<I", 16) + fmt + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WAVE" + chunks


@pytest.mark.parametrize(
    ("content", "duration_ms"),
    [
        (float_wav([math.nan, math.inf, -math.inf, 0.5] * 1000), 500),
        (float_wav([1e30, -1e12, 3.0] * 800, channels=8), 38),
        (tone(1.0)[: 44 + 8000], 500),
        (tone(1.0)[:40] + struct.pack("<I", 10**9) + tone(1.0)[44:], 1000),
        (tone(0.5, rate=4000), 500),
        (float_wav([0.0] * 8000), 1000),
    ],
    ids=["no numbers", "damaged floats", "cut", "a header that lies", "4 kHz", "silence"],
)
def test_odd_files_have_a_result(user: User, content: bytes, duration_ms: int) -> None:
    track = register(user, content)
    work(start(user, track["id"])["id"])
    analysis = analysis_of(user, track["id"])
    assert (analysis["status"], analysis["error_message"]) == ("completed", None)
    assert analysis["summary"]["duration_ms"] == pytest.approx(duration_ms, abs=1)
    assert user.get(f"/frames/analysis/{analysis['id']}/manifest").status == 200


# Machines that fail ---------------------------------------------------------------------------------------------------


def test_a_machine_that_fails_is_tried_three_times(
    user: User, database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError("disk on fire under /tmp")

    monkeypatch.setattr(worker, "analyse", broken)
    track = register(user)
    start(user, track["id"])
    for attempt, wait in ((1, 60), (2, 120), (3, 0)):
        with pytest.raises(OSError, match="disk"):
            work()
        [job] = database.query(JOB, user.id)
        assert (job["attempts"], job["last_error"]) == (attempt, UNFORESEEN)
        if wait:
            assert (job["status"], analysis_of(user, track["id"])["status"]) == ("queued", "running")
            clock.advance(f"PT{wait - 5}S")
            assert work() == 0
            clock.advance("PT5S")
    assert database.query(JOB, user.id)[0]["status"] == "failed"
    assert track_of(user, track["id"])["status"] == "ready"
    analysis = analysis_of(user, track["id"])
    assert (analysis["status"], analysis["error_message"]) == ("failed", worker.MACHINE_FAILED)
    clock.advance("PT1H")
    assert work() == 0


def test_a_bucket_that_is_away_is_a_failure_of_the_machine(
    user: User, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    track = register(user)
    start(user, track["id"])
    monkeypatch.setenv("R2_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(Exception, match="unavailable"):
        work()
    assert database.query(JOB, user.id) == [{"status": "queued", "attempts": 1, "last_error": Unavailable().message}]


def test_workers_skip_what_another_is_taking(user: User, database: Database) -> None:
    """None waits for another, and no two get the same."""
    jobs = {start(user, register(user)["id"])["id"] for _ in range(2)}
    claiming = "SELECT id::text FROM claim_job('audio_analysis', NULL)"
    with database.admin() as one, database.admin() as two, one.transaction():
        first = one.execute(claiming).fetchall()
        two.execute("SET lock_timeout = '2s'")
        second = two.execute(claiming).fetchall()
        assert two.execute(claiming).fetchall() == []
    assert {row["id"] for row in [*first, *second]} == jobs
    assert work() == 0


def test_a_worker_that_is_lost_is_replaced_after_its_lease(user: User, database: Database, clock: Clock) -> None:
    track = register(user)
    job = start(user, track["id"])["id"]
    claim(database)
    assert work() == 0
    clock.advance("PT4M59S")
    assert work() == 0
    clock.advance("PT2S")
    assert work(job) == 1
    assert analysis_of(user, track["id"])["status"] == "completed"
    assert database.query(JOB, user.id) == [{"status": "done", "attempts": 2, "last_error": None}]


def test_the_last_worker_that_is_lost_fails_the_analysis(user: User, database: Database, clock: Clock) -> None:
    track = register(user)
    start(user, track["id"])
    for _ in range(3):
        claim(database)
        clock.advance("PT5M1S")
    assert work() == 0
    assert database.query(JOB, user.id) == [{"status": "failed", "attempts": 3, "last_error": "worker lost"}]
    assert analysis_of(user, track["id"])["error_message"] == worker.MACHINE_FAILED
    assert track_of(user, track["id"])["status"] == "ready"


def claim(database: Database) -> None:
    """Take what is due as a worker does that is then killed."""
    assert database.query("SELECT id FROM claim_job('audio_analysis', NULL)")


def test_a_worker_without_its_lease_writes_nothing(
    user: User, database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    track = register(user)
    start(user, track["id"])
    measure = analyse

    def slow(*arguments: Any) -> Any:
        result = measure(*arguments)
        clock.advance("PT5M1S")
        return result

    monkeypatch.setattr(worker, "analyse", slow)
    work()  # claims the job, loses the lease, and claims it again until its attempts are used up
    assert database.query(ALL_OF_IT, user.id) == [
        {"completed": 0, "manifests": 0, "chunks": 0, "events": 0, "cached": 0}
    ]
    # No attempt is left, so the next tick ends it.
    assert work() == 0
    assert analysis_of(user, track["id"])["error_message"] == worker.MACHINE_FAILED


def test_a_worker_whose_job_another_has_writes_nothing(
    user: User, database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    track = register(user)
    job = start(user, track["id"])["id"]

    def slow(*arguments: Any) -> Any:
        clock.advance("PT5M1S")
        claim(database)
        return analyse(*arguments)

    monkeypatch.setattr(worker, "analyse", slow)
    assert work(job) == 1
    assert database.query(ALL_OF_IT, user.id)[0]["completed"] == 0
    assert database.query(JOB, user.id) == [{"status": "running", "attempts": 2, "last_error": None}]


def test_a_lease_is_renewed_while_the_file_is_measured(
    user: User, database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "RENEWAL_SECONDS", 0.0)
    track = register(user, tone(6.0))
    start(user, track["id"])
    seen: list[float] = []
    measure = analyse

    def slow(path: Path, kind: Any, sha256: str, on_progress: Any) -> Any:
        def progressing(progress: float) -> None:
            clock.advance("PT4M")
            on_progress(progress)
            seen.append(analysis_of(user, track["id"])["progress"])
            log_in("audio_worker")

        return measure(path, kind, sha256, progressing)

    monkeypatch.setattr(worker, "analyse", slow)
    assert work() == 1
    assert analysis_of(user, track["id"])["status"] == "completed"
    assert len(seen) == 6
    assert seen == sorted(seen)
    assert 0 < seen[0] < 1


def test_a_track_that_is_deleted_meanwhile_ends_the_measurement(
    user: User, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    track = register(user)
    start(user, track["id"])
    measure = analyse

    def deleting(*arguments: Any) -> Any:
        user.delete(f"/reference/tracks/{track['id']}")
        log_in("audio_worker")
        return measure(*arguments)

    monkeypatch.setattr(worker, "analyse", deleting)
    assert work() == 1
    assert database.query(ALL_OF_IT, user.id) == [
        {"completed": 0, "manifests": 0, "chunks": 0, "events": 0, "cached": 0}
    ]
    assert database.query(JOB, user.id)[0]["status"] == "done"


def test_the_job_of_a_deleted_track_is_over(user: User, database: Database) -> None:
    track = register(user)
    start(user, track["id"])
    user.delete(f"/reference/tracks/{track['id']}")
    assert work() == 1
    assert database.query(JOB, user.id) == [{"status": "done", "attempts": 1, "last_error": None}]


def test_nothing_is_begun_that_may_not_be_finished_in_time(user: User) -> None:
    track = register(user)
    start(user, track["id"])
    late = SimpleNamespace(get_remaining_time_in_millis=lambda: worker.LONGEST_ANALYSIS_MS)
    log_in("audio_worker")
    assert worker.handler({}, late) == {"jobs": 0}
    assert work() == 1


def test_files_of_killed_workers_are_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    old, young, foreign = (tmp_path / name for name in ("questlog-track-1", "questlog-track-2", "other"))
    for path in (old, young, foreign):
        path.touch()
    for path in (old, foreign):
        os.utime(path, (time.time() - 1000, time.time() - 1000))
    work()
    assert set(tmp_path.iterdir()) == {young, foreign}


def test_the_log_names_no_file(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    logger, log = logging.getLogger("audio_worker"), io.StringIO()
    handler = logging.StreamHandler(log)
    handler.setFormatter(logger.handlers[0].formatter)
    monkeypatch.setattr(logger, "handlers", [handler])
    track = register(user)
    level = logger.level
    logger.setLevel(logging.DEBUG)
    try:
        work(start(user, track["id"])["id"])
    finally:
        logger.setLevel(level)
    assert '"outcome":"completed"' in log.getvalue()
    for secret in (track["r2_key"], "X-Amz", user.email):
        assert secret not in log.getvalue()


# Killed at any line ---------------------------------------------------------------------------------------------------

_WORKER = """
import os
from types import SimpleNamespace
from functions.audio_worker import worker
from functions.audio_worker.analysis import analyse
print("ready", flush=True)
worker.handler({}, SimpleNamespace(get_remaining_time_in_millis=lambda: 900_000))
"""


def run_and_kill(database: Database, seconds: float | None) -> None:
    """Run a worker in a process of its own, and kill it so many seconds after it is ready."""
    environment = {
        **os.environ,
        **{name: value for name, value in ENVIRONMENT.items() if not name.endswith("DATABASE_URL")},
        "R2_ENDPOINT": bucket.serve(),
        "DATABASE_URL": database.url("questlog_jobs"),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "layers" / "common")]),
    }
    with subprocess.Popen([sys.executable, "-c", _WORKER], env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        if seconds is not None:
            time.sleep(seconds)
            process.send_signal(signal.SIGKILL)
        process.wait()


@pytest.mark.parametrize("seed", range(3))
def test_a_worker_that_is_killed_leaves_all_or_nothing(user: User, database: Database, clock: Clock, seed: int) -> None:
    """Two workers are killed while they work, the third is not: one analysis, one manifest, one set of events."""
    track = register(user, tone(20.0, rate=44100))
    start(user, track["id"])
    chance = random.Random(seed)
    for _ in range(2):
        run_and_kill(database, chance.uniform(0, 1.5))
        clock.advance("PT10M")
    run_and_kill(database, None)
    [row] = database.query(ALL_OF_IT, user.id)
    events = row.pop("events")
    assert row == {"completed": 1, "manifests": 1, "chunks": 1, "cached": 1}
    analysis = analysis_of(user, track["id"])
    assert user.get(f"/frames/analysis/{analysis['id']}/events").json["count"] == events > 0
    assert track_of(user, track["id"])["status"] == "ready"
    assert database.query(JOB, user.id)[0]["status"] == "done"
