"""Analyses: started once, measured by the worker, kept."""

import hashlib

from tests.conftest import User
from tests.reference.uploads import register, tone
from tests.reference.working import analysed, start, work


def test_a_track_is_measured(user: User) -> None:
    content = tone(1.0)
    track = register(user, content)
    started = start(user, track["id"])
    assert (started["status"], started["summary"], started["progress"]) == ("pending", {}, 0)
    assert user.get(f"/reference/tracks/{track['id']}/analysis").json == started
    assert user.get("/reference/tracks").json["data"][0]["status"] == "processing"
    assert work(started["id"]) == 1
    done = user.get(f"/reference/tracks/{track['id']}/analysis").json
    assert (done["id"], done["status"], done["progress"]) == (started["id"], "completed", 1)
    assert done["summary"]["duration_ms"] == 1000
    assert done["summary"]["content_sha256"] == hashlib.sha256(content).hexdigest()
    measured = user.get("/reference/tracks").json["data"][0]
    assert measured["status"] == "ready"
    assert measured["content_sha256"] == hashlib.sha256(content).hexdigest()
    assert start(user, track["id"])["id"] == started["id"]
    assert work() == 0


def test_frames_are_read_by_the_manifest(user: User) -> None:
    analysis = analysed(user, tone(1.0))
    base = f"/frames/analysis/{analysis['id']}"
    manifest = user.get(f"{base}/manifest").json
    assert (manifest["frame_count"], manifest["total_chunks"], manifest["hop_ms"]) == (20, 1, 50)
    window = user.get(f"{base}/frames", query={"from_ms": 60, "to_ms": 160}).json
    assert window["manifest"] == manifest
    assert (window["total_frames"], window["actual_range"]) == (3, {"from_ms": 50, "to_ms": 200})
    chunk = user.get(f"{base}/chunks/0").json
    assert chunk["frame_count"] == 20
    events = user.get(f"{base}/events").json
    assert events["count"] == len(events["events"])
