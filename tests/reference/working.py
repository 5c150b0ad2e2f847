"""The audio worker as the tests run it: in this process, with its own login."""

from types import SimpleNamespace
from typing import Any

from functions.audio_worker import worker
from tests.conftest import User
from tests.reference.uploads import register
from tests.support.client import log_in

CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 900_000)


def work(job_id: str | None = None) -> int:
    """Run one job, or all that are due. Returns how many were run."""
    log_in("audio_worker")
    return worker.handler({"job_id": job_id} if job_id else {}, CONTEXT)["jobs"]


def start(user: User, track_id: str, **body: Any) -> dict[str, Any]:
    """Start an analysis."""
    answer = user.post(f"/reference/tracks/{track_id}/analysis", body)
    assert answer.status == 200, answer.text
    analysis: dict[str, Any] = answer.json
    return analysis


def analysed(user: User, content: bytes | None = None, **body: Any) -> dict[str, Any]:
    """Register a file, a short WAV unless told otherwise, and have it measured. Returns the analysis."""
    track = register(user, content)
    analysis = start(user, track["id"], **body)
    assert work(analysis["id"]) == 1
    done: dict[str, Any] = user.get(f"/reference/tracks/{track['id']}/analysis").json
    return done
