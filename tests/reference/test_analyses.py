"""Analyses: started once, measured by the worker, kept; and what is known of a file by its bytes."""

import hashlib
from typing import Any

import pytest

from tests.conftest import Database, User, at_once
from tests.reference.uploads import begin, register, tone
from tests.reference.working import analysed, start, work
from tests.support import bucket

HASH = hashlib.sha256(b"a file of the user's").hexdigest()


def test_a_track_is_measured(user: User) -> None:
    content = tone(1.0)
    track = register(user, content)
    path = f"/reference/tracks/{track['id']}"
    started = start(user, track["id"])
    assert (started["status"], started["summary"], started["progress"]) == ("pending", {}, 0)
    assert (started["started_at"], started["completed_at"], started["error_message"]) == (None, None, None)
    assert user.get(f"{path}/analysis").json == started
    assert user.get(path).json["track"]["status"] == "processing"
    assert work(started["id"]) == 1
    done = user.get(f"{path}/analysis").json
    assert (done["id"], done["status"], done["progress"]) == (started["id"], "completed", 1)
    assert done["started_at"] <= done["completed_at"]
    assert done["summary"]["duration_ms"] == 1000
    assert done["summary"]["content_sha256"] == hashlib.sha256(content).hexdigest()
    measured = user.get(path).json
    assert measured["latest_analysis"] == done
    assert (measured["track"]["status"], measured["track"]["file_size_bytes"]) == ("ready", len(content))
    assert measured["track"]["content_sha256"] == hashlib.sha256(content).hexdigest()


def test_only_what_is_not_known_is_filled(user: User) -> None:
    given: dict[str, Any] = {"duration_seconds": 99.5, "bpm": 77, "key_signature": "X"}
    track = register(user, tone(1.0), **given)
    work(start(user, track["id"])["id"])
    measured = user.get(f"/reference/tracks/{track['id']}").json["track"]
    assert {name: measured[name] for name in given} == given
    bare = register(user, tone(1.0))
    user.patch(f"/reference/tracks/{bare['id']}", {"duration_seconds": None})
    work(start(user, bare["id"])["id"])
    assert user.get(f"/reference/tracks/{bare['id']}").json["track"]["duration_seconds"] == 1.0


@pytest.mark.parametrize(
    ("analysis_type", "has", "lacks"),
    [
        ("quick", {"rms_dbfs", "waveform"}, {"integrated_lufs", "bands_db", "bpm"}),
        ("loudness", {"integrated_lufs", "waveform"}, {"bands_db", "bpm"}),
        ("spectral", {"bands_db", "waveform"}, {"integrated_lufs", "bpm"}),
    ],
)
def test_each_type_has_its_keys(user: User, analysis_type: str, has: set[str], lacks: set[str]) -> None:
    analysis = analysed(user, analysis_type=analysis_type)
    assert analysis["analysis_type"] == analysis_type
    assert has <= analysis["summary"].keys()
    assert not lacks & analysis["summary"].keys()
    user.get(f"/frames/analysis/{analysis['id']}/manifest").refused(404, "not_found")
    user.get("/analysis", query={"track_id": analysis["track_id"]}).refused(404, "not_found")


def test_one_analysis_of_a_type_at_a_time(user: User) -> None:
    track = register(user)["id"]
    path = f"/reference/tracks/{track}/analysis"
    answers = at_once(4, lambda: user.post(path))
    assert len({answer.json["id"] for answer in answers}) == 1
    first = answers[0].json["id"]
    assert start(user, track, force=True)["id"] == first
    quick = start(user, track, analysis_type="quick")["id"]
    assert quick != first
    assert work() == 2
    assert start(user, track)["id"] == first
    assert start(user, track, analysis_type="quick")["id"] == quick
    forced = start(user, track, force=True)
    assert (forced["status"], forced["id"] != first) == ("pending", True)
    # The completed one stays the newest to look at until the forced one is.
    assert user.get(path, query={"type": "full"}).json["id"] == first
    assert [one["id"] for one in user.get(f"/reference/tracks/{track}/analyses").json["analyses"]] == [
        forced["id"],
        quick,
        first,
    ]
    assert work(forced["id"]) == 1
    assert user.get(path, query={"type": "full"}).json["id"] == forced["id"]
    assert user.get(path, query={"type": "quick"}).json["id"] == quick
    user.get(path, query={"type": "loudness"}).refused(404, "not_found")


def test_another_version_measures_again(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    analysis = analysed(user)
    monkeypatch.setattr("functions.reference.analyses.ANALYZER_VERSION", "9")
    again = start(user, analysis["track_id"])
    assert (again["id"] != analysis["id"], again["version"]) == (True, "9")


def test_the_track_is_processing_until_the_last_analysis_ends(user: User) -> None:
    track = register(user)["id"]
    first = start(user, track)["id"]
    start(user, track, analysis_type="quick")
    work(first)
    assert user.get(f"/reference/tracks/{track}").json["track"]["status"] == "processing"
    work()
    assert user.get(f"/reference/tracks/{track}").json["track"]["status"] == "ready"


def test_a_track_without_its_file_is_not_measured(user: User) -> None:
    started = begin(user, tone())
    track = user.post("/reference/tracks", {"name": "Late", "r2_key": started["r2_key"]}).json["id"]
    path = f"/reference/tracks/{track}/analysis"
    user.post(path).refused(409, "not_uploaded")
    user.get(path).refused(404, "not_found")
    bucket.send("PUT", started["url"], tone())
    assert user.post(path).json["status"] == "pending"
    assert work() == 1
    assert user.get(f"/reference/tracks/{track}").json["track"]["status"] == "ready"


def test_bad_input_is_named(user: User, other: User) -> None:
    track = register(user)["id"]
    path = f"/reference/tracks/{track}"
    user.post(f"{path}/analysis", {"analysis_type": "deep"}).invalid("analysis_type")
    user.post(f"{path}/analysis", {"force": "yes"}).invalid("force")
    user.get(f"{path}/analysis", query={"type": "deep"}).invalid("type")
    for points in (15, 1001):
        user.get(f"{path}/waveform", query={"points": points}).invalid("points")
    for name in ("analysis", "analyses", "waveform"):
        other.get(f"{path}/{name}").refused(404, "not_found")
    assert user.get(f"{path}/analyses").json["analyses"] == []
    user.get(f"{path}/waveform").refused(404, "not_found")


@pytest.mark.parametrize("points", [16, 500, 999, 1000])
def test_a_waveform_has_the_points_that_are_asked_for(user: User, points: int) -> None:
    analysis = analysed(user, tone(1.0))
    path = f"/reference/tracks/{analysis['track_id']}/waveform"
    waveform = user.get(path, query={"points": points}).json
    assert len(waveform["peaks"]) == points
    assert max(waveform["peaks"]) == max(analysis["summary"]["waveform"])
    assert all(0 < peak <= 0.25 for peak in waveform["peaks"])
    assert (waveform["duration_seconds"], waveform["sample_rate"]) == (1.0, 8000)
    assert waveform["generated_at"] == analysis["completed_at"]


def test_a_file_without_samples_has_a_flat_waveform(user: User) -> None:
    analysis = analysed(user, tone(0))
    assert (analysis["status"], analysis["summary"]["duration_ms"], analysis["summary"]["waveform"]) == (
        "completed",
        0,
        [],
    )
    waveform = user.get(f"/reference/tracks/{analysis['track_id']}/waveform").json
    assert waveform["peaks"] == [0.0] * 500


# What is known of a file by its bytes ---------------------------------------------------------------------------------

CACHED: dict[str, Any] = {
    "content_hash": HASH,
    "name": "Local file",
    "duration_ms": 1000,
    "bpm": 120,
    "key_signature": "Am",
    "integrated_lufs": -14.5,
    "sample_peak_dbfs": -1,
    "rms_dbfs": -18,
    "energy": 0.5,
    "frequency_profile": "balanced",
    "waveform": [0, 0.5, 1],
    "sections": [{"start_ms": 0, "end_ms": 1000, "label": "A"}],
}


def test_a_client_keeps_what_it_measured(user: User, other: User) -> None:
    kept = user.post("/analysis", CACHED).data
    assert kept == {**kept, **CACHED, "source": "client", "track_id": None}
    assert user.get("/analysis", query={"content_hash": HASH.upper()}).data == kept
    other.get("/analysis", query={"content_hash": HASH}).refused(404, "not_found")
    least = user.post("/analysis", {"content_hash": HASH.upper(), "name": "Again"}).data
    assert (least["name"], least["bpm"], least["waveform"], least["sections"]) == ("Again", None, None, [])
    assert least["created_at"] == kept["created_at"]


def test_what_the_server_measured_is_not_replaced(user: User) -> None:
    content = tone(0.7)
    digest = hashlib.sha256(content).hexdigest()
    user.post("/analysis", {**CACHED, "content_hash": digest})
    track = register(user, content, name="On the server")
    assert user.get("/analysis", query={"content_hash": digest}).data["track_id"] is None
    analysis = start(user, track["id"])["id"]
    work(analysis)
    measured = user.get("/analysis", query={"track_id": track["id"]}).data
    assert (measured["source"], measured["name"], measured["track_id"]) == ("worker", "On the server", track["id"])
    assert (measured["duration_ms"], measured["content_hash"]) == (700, digest)
    summary = user.get(f"/reference/tracks/{track['id']}/analysis").json["summary"]
    for name in ("bpm", "integrated_lufs", "sample_peak_dbfs", "rms_dbfs", "energy", "frequency_profile", "waveform"):
        assert measured[name] == summary[name], name
    assert all(section.keys() == {"start_ms", "end_ms", "label"} for section in measured["sections"])
    assert user.post("/analysis", {**CACHED, "content_hash": digest}).data == measured
    # It outlives the track, and says so.
    user.delete(f"/reference/tracks/{track['id']}")
    assert user.get("/analysis", query={"content_hash": digest}).data == {**measured, "track_id": None}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"content_hash": "0" * 63}, "content_hash"),
        ({"content_hash": "g" * 64}, "content_hash"),
        ({"content_hash": None}, "content_hash"),
        ({"name": " "}, "name"),
        ({"bpm": 19}, "bpm"),
        ({"duration_ms": 86_400_001}, "duration_ms"),
        ({"rms_dbfs": -201}, "rms_dbfs"),
        ({"integrated_lufs": 101}, "integrated_lufs"),
        ({"energy": 1.1}, "energy"),
        ({"frequency_profile": "dull"}, "frequency_profile"),
        ({"waveform": [0] * 1001}, "waveform"),
        ({"waveform": [1.5]}, "waveform.0"),
        ({"sections": [{"start_ms": 0, "end_ms": 1, "label": "A"}] * 101}, "sections"),
        ({"key_signature": "x" * 33}, "key_signature"),
    ],
)
def test_what_a_client_cannot_have_measured_is_named(user: User, fields: dict[str, Any], named: str) -> None:
    user.post("/analysis", {**CACHED, **fields}).invalid(named)


def test_a_file_is_named_in_one_way(user: User) -> None:
    user.get("/analysis").invalid("query")
    both = {"content_hash": HASH, "track_id": "0192f3c4-5a6b-7c8d-9e0f-112233445566"}
    user.get("/analysis", query=both).invalid("query")
    user.get("/analysis", query={"content_hash": "1"}).invalid("content_hash")
    user.get("/analysis", query={"track_id": "1"}).invalid("track_id")


def test_a_cached_row_is_one_row_in_parallel_too(user: User, database: Database) -> None:
    answers = at_once(4, lambda: user.post("/analysis", CACHED))
    assert {answer.status for answer in answers} == {200}
    rows = database.query("SELECT count(*) AS rows FROM track_analysis_cache WHERE user_id = %s", user.id)
    assert rows == [{"rows": 1}]
