"""Frames: decoded with nothing but the manifest, whole and in parts; and the events beside them."""

import base64
import math
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.reference import rules
from functions.reference.models import Manifest
from tests.conftest import User
from tests.reference.uploads import tone
from tests.reference.working import analysed


def decode(chunk: dict[str, Any], manifest: dict[str, Any]) -> list[dict[str, tuple[float, ...]]]:
    """The frames of a chunk as numbers by band, read as the manifest says."""
    data = base64.b64decode(chunk["data_base64"], validate=True)
    stride = manifest["bytes_per_frame"]
    assert len(data) == stride * chunk["frame_count"]
    sizes = {band["name"]: band["size"] for band in manifest["bands"] if band["data_type"] == "float32"}
    frames = []
    for at in range(0, len(data), stride):
        frame = {}
        for place in manifest["frame_layout"]:
            assert place["byte_size"] == 4 * sizes[place["band_name"]]
            frame[place["band_name"]] = struct.unpack_from(
                f"<{sizes[place['band_name']]}f", data, at + place["byte_offset"]
            )
        frames.append(frame)
    return frames


@pytest.mark.parametrize("duration_ms", [0, 49, 1000, 61_000])
def test_counts_offsets_and_strides_agree(user: User, duration_ms: int) -> None:
    analysis = analysed(user, tone(duration_ms / 1000))
    base = f"/frames/analysis/{analysis['id']}"
    manifest = user.get(f"{base}/manifest").json
    count = math.ceil(duration_ms / 50)
    assert manifest["version"] == "1.0"
    assert (manifest["hop_ms"], manifest["duration_ms"], manifest["frame_count"]) == (50, duration_ms, count)
    assert (manifest["chunk_size_frames"], manifest["total_chunks"]) == (1000, math.ceil(count / 1000))
    assert (manifest["bytes_per_frame"], manifest["sample_rate"]) == (128, 8000)
    ends = [place["byte_offset"] + place["byte_size"] for place in manifest["frame_layout"]]
    assert [place["byte_offset"] for place in manifest["frame_layout"]] == [0, *ends[:-1]]
    assert ends[-1] == 128
    assert [band["name"] for band in manifest["bands"]] == [
        "loudness", "rms", "peak", "crest_factor", "low", "mid", "high", "correlation", "spectrum",
    ]  # fmt: skip
    assert len(manifest["fingerprint"]) == 64
    assert manifest["analyzer_version"] == analysis["version"]
    frames: list[dict[str, tuple[float, ...]]] = []
    for number in range(manifest["total_chunks"]):
        chunk = user.get(f"{base}/chunks/{number}").json
        assert (chunk["chunk_index"], chunk["start_frame"]) == (number, len(frames))
        assert (chunk["start_time_ms"], chunk["end_time_ms"]) == (chunk["start_frame"] * 50, chunk["end_frame"] * 50)
        assert chunk["frame_count"] == chunk["end_frame"] - chunk["start_frame"]
        frames += decode(chunk, manifest)
    assert len(frames) == count
    user.get(f"{base}/chunks/{manifest['total_chunks']}").refused(404, "not_found")
    if frames:  # a sine at a quarter of full scale, from its first frame on
        peak = 20 * math.log10(8000 / 32768)
        assert frames[0]["peak"][0] == pytest.approx(peak, abs=0.1)
    whole = user.get(f"{base}/frames", query={"from_ms": 0, "to_ms": 100_000}).json
    assert [frame for chunk in whole["chunks"] for frame in decode(chunk, manifest)] == frames
    assert (whole["total_frames"], whole["total_bytes"]) == (count, 128 * count)
    assert whole["actual_range"] == {"from_ms": 0, "to_ms": 50 * count}


def test_a_window_is_cut_to_measure(user: User) -> None:
    analysis = analysed(user, tone(61.0))
    base = f"/frames/analysis/{analysis['id']}"
    manifest = user.get(f"{base}/manifest").json
    chunks = [decode(user.get(f"{base}/chunks/{number}").json, manifest) for number in range(2)]
    frames = chunks[0] + chunks[1]
    for from_ms, to_ms, first, last in [
        (0, 1, 0, 1),
        (49, 50, 0, 1),
        (50, 51, 1, 2),
        (60, 160, 1, 4),
        (49_999, 50_001, 999, 1001),
        (50_000, 50_050, 1000, 1001),
        (60_999, 99_999, 1219, 1220),
    ]:
        window = user.get(f"{base}/frames", query={"from_ms": from_ms, "to_ms": to_ms}).json
        assert window["requested_range"] == {"from_ms": from_ms, "to_ms": to_ms}
        assert window["actual_range"] == {"from_ms": first * 50, "to_ms": last * 50}
        assert window["total_frames"] == last - first
        assert [frame for chunk in window["chunks"] for frame in decode(chunk, manifest)] == frames[first:last]
    past = user.get(f"{base}/frames", query={"from_ms": 61_000, "to_ms": 70_000}).json
    assert (past["chunks"], past["total_frames"], past["total_bytes"]) == ([], 0, 0)
    assert past["actual_range"] == {"from_ms": 61_000, "to_ms": 61_000}


def test_frames_never_change(user: User) -> None:
    base = f"/frames/analysis/{analysed(user, tone(1.0))['id']}"
    for path in ("/manifest", "/chunks/0", "/frames?from_ms=0&to_ms=100", "/events"):
        name, _, query = path.partition("?")
        asked = dict(part.split("=") for part in query.split("&")) if query else None
        first = user.get(base + name, query=asked)
        again = user.get(base + name, query=asked, headers={"if-none-match": first.headers["etag"]})
        assert (again.status, again.text) == (304, "")


def test_bad_spans_are_named(user: User) -> None:
    base = f"/frames/analysis/{analysed(user)['id']}"
    user.get(f"{base}/frames").invalid("from_ms", "to_ms")
    user.get(f"{base}/frames", query={"from_ms": -1, "to_ms": 5}).invalid("from_ms")
    user.get(f"{base}/frames", query={"from_ms": 5, "to_ms": 5}).refused(400, "validation_error")
    user.get(f"{base}/frames", query={"from_ms": 0, "to_ms": 2**31}).invalid("to_ms")
    user.get(f"{base}/events", query={"event_type": "bang"}).invalid("event_type")
    for number in ("x", "-1", "1", str(2**31), "0.5"):
        user.get(f"{base}/chunks/{number}").refused(404, "not_found")


def test_events_are_filtered_by_time_and_type(user: User) -> None:
    content = tone(1.0)
    quiet = bytearray(content)
    quiet[44 + 8000 :] = b"\0" * 8000  # the second half is silence
    base = f"/frames/analysis/{analysed(user, bytes(quiet))['id']}"
    answer = user.get(f"{base}/events").json
    assert answer["count"] == len(answer["events"])
    times = [event["time_ms"] for event in answer["events"]]
    assert times == sorted(times)
    [silence] = user.get(f"{base}/events", query={"event_type": "silence"}).json["events"]
    assert (silence["type"], silence["time_ms"], silence["duration_ms"]) == ("silence", 500, 500)
    assert "data" not in silence
    assert None not in [value for event in answer["events"] for value in event.values()]
    both = user.get(f"{base}/events", query={"event_type": "silence", "from_ms": 500, "to_ms": 500}).json
    assert both["events"] == [silence]
    for span in ({"from_ms": 501}, {"to_ms": 499}):
        assert user.get(f"{base}/events", query={"event_type": "silence", **span}).json["events"] == []
    [peak] = user.get(f"{base}/events", query={"event_type": "peak"}).json["events"]
    assert peak["data"]["level_dbfs"] == pytest.approx(20 * math.log10(8000 / 32768), abs=0.01)


@settings(max_examples=200)
@given(st.integers(0, 30_000), st.sampled_from([50, 100, 200]), st.integers(0, 10**7), st.integers(1, 10**7))
def test_a_window_covers_what_is_asked_for(frames: int, hop: int, start: int, length: int) -> None:
    manifest = Manifest(
        hop_ms=hop,
        frame_count=frames,
        duration_ms=frames * hop,
        sample_rate=8000,
        bytes_per_frame=128,
        chunk_size_frames=1000,
        total_chunks=-(-frames // 1000),
        bands=[],
        frame_layout=[],
        fingerprint="",
        analyzer_version="",
    )
    found = rules.frames_within(manifest, start, start + length)
    first, last = max(0, found.start - 2), min(frames, found.stop + 2)
    touched = [i for i in range(first, last) if i * hop < start + length and (i + 1) * hop > start]
    assert list(found) == touched
    # None of them lies farther away than those that were looked at.
    assert found.start == frames or found.start * hop <= start
    assert found.stop == frames or found.stop * hop >= start + length
