"""Frames decode with nothing but the manifest, and hold what the contract says (audio contract, section 5)."""

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from functions.audio_worker.analysis import analyse
from functions.audio_worker.frames import Frames, hop_ms_for
from tests.audio_worker.signals import RATE, Signal, noise, saved, silence, sine, stereo, wav

NAMES = ["loudness", "rms", "peak", "crest_factor", "low", "mid", "high", "correlation", "spectrum"]


def framed(folder: Path, signal: Signal, rate: int = RATE) -> Frames:
    frames = analyse(saved(folder, wav(signal, rate)), "full", "0" * 64).frames
    assert frames is not None
    return frames


def unpacked(frames: Frames) -> dict[str, NDArray[np.float32]]:
    """Read the chunks as a client does: by layout, stride and counts of the manifest."""
    data = b"".join(zlib.decompress(chunk.compressed) for chunk in frames.chunks)
    assert len(data) == frames.frame_count * frames.bytes_per_frame
    rows = np.frombuffer(data, np.uint8).reshape(frames.frame_count, frames.bytes_per_frame)
    found = {}
    for entry in frames.frame_layout:
        name, first, size = str(entry["band_name"]), int(entry["byte_offset"]), int(entry["byte_size"])
        numbers = np.ascontiguousarray(rows[:, first : first + size]).view("<f4")
        found[name] = numbers[:, 0] if size == 4 else numbers
    return found


@pytest.mark.parametrize(
    ("seconds", "count", "chunks"), [(0, 0, 0), (0.049, 1, 1), (0.05, 1, 1), (0.051, 2, 1), (1, 20, 1), (61, 1220, 2)]
)
@pytest.mark.parametrize("rate", [4000, 11_025])
def test_offsets_stride_and_counts_agree(tmp_path: Path, seconds: float, count: int, chunks: int, rate: int) -> None:
    frames = framed(tmp_path, silence(seconds, 2, rate), rate)
    assert (frames.hop_ms, frames.frame_count, frames.total_chunks) == (50, count, chunks)
    assert frames.duration_ms == round(1000 * seconds)
    assert (frames.bytes_per_frame, frames.chunk_size_frames, frames.sample_rate) == (128, 1000, rate)
    assert [entry["band_name"] for entry in frames.frame_layout] == NAMES
    offsets = np.cumsum([0, *(int(entry["byte_size"]) for entry in frames.frame_layout)])
    assert [entry["byte_offset"] for entry in frames.frame_layout] == offsets[:-1].tolist()
    assert offsets[-1] == 128
    for index, chunk in enumerate(frames.chunks):
        assert (chunk.index, chunk.start_frame) == (index, 1000 * index)
        assert chunk.end_frame == min(1000 * (index + 1), count)
        assert len(zlib.decompress(chunk.compressed)) == 128 * (chunk.end_frame - chunk.start_frame)
    assert unpacked(frames)["spectrum"].shape == (count, 24)


def test_bands_describe_the_layout(tmp_path: Path) -> None:
    frames = framed(tmp_path, silence(1))
    assert [(band["name"], 4 * int(band["size"])) for band in frames.bands] == [
        (entry["band_name"], entry["byte_size"]) for entry in frames.frame_layout
    ]
    assert {band["data_type"] for band in frames.bands} == {"float32"}
    assert all(value is not None for band in frames.bands for value in band.values())


@pytest.mark.parametrize(("minutes", "hop"), [(0, 50), (20, 50), (20.0001, 100), (45, 100), (45.0001, 200), (90, 200)])
def test_longer_tracks_have_longer_frames(minutes: float, hop: int) -> None:
    duration = round(minutes * 60_000)
    assert hop_ms_for(duration) == hop
    base64_bytes = -(-duration // hop) * 128 * 4 / 3
    assert base64_bytes < 6_000_000 * 0.95


def test_each_number_is_what_its_name_says(tmp_path: Path) -> None:
    bands = unpacked(framed(tmp_path, stereo(sine(1000, -20, 3))))
    steady = slice(10, 50)
    assert bands["loudness"][steady] == pytest.approx(np.full(40, -20), abs=0.11)
    assert bands["rms"][steady] == pytest.approx(np.full(40, -23), abs=0.11)
    assert bands["peak"][steady] == pytest.approx(np.full(40, -20), abs=0.11)
    assert bands["crest_factor"][steady] == pytest.approx(np.full(40, 3), abs=0.11)
    assert bands["mid"][steady] == pytest.approx(np.full(40, -23), abs=0.11)
    assert max(bands["low"][steady].max(), bands["high"][steady].max()) < -70
    assert bands["correlation"].tolist() == [1] * 60
    assert set(bands["spectrum"][steady].argmax(axis=1).tolist()) == {12}


def test_silence_has_the_floors(tmp_path: Path) -> None:
    bands = unpacked(framed(tmp_path, silence(1, 2)))
    assert set(bands["loudness"].tolist()) == {-70}
    for name in ("rms", "peak", "low", "mid", "high"):
        assert set(bands[name].tolist()) == {-120}
    assert set(bands["spectrum"].ravel().tolist()) == {-120}
    assert set(bands["crest_factor"].tolist()) == {0}
    assert set(bands["correlation"].tolist()) == {0}


def test_loudness_is_clamped_above(tmp_path: Path) -> None:
    bands = unpacked(framed(tmp_path, stereo(sine(1000, 0, 1))))
    assert bands["loudness"].max() == pytest.approx(0, abs=0.11)
    assert bands["loudness"].min() >= -70


def test_loudness_looks_back_400_ms_from_the_end_of_the_frame(tmp_path: Path) -> None:
    signal = np.concatenate([silence(1, 2), stereo(sine(1000, -20, 1)), silence(1, 2)], axis=1)
    rising = unpacked(framed(tmp_path, signal))["loudness"]
    part = [-20 + 10 * np.log10(k / 8) for k in range(1, 9)]
    assert rising[:20].tolist() == [-70] * 20
    assert rising[20:28] == pytest.approx(part, abs=0.3)
    assert rising[40:47] == pytest.approx(part[6::-1], abs=0.3)
    # What the filter still rings with is far below.
    assert rising[48:].max() < -60


def test_levels_are_rounded_to_a_tenth(tmp_path: Path) -> None:
    bands = unpacked(framed(tmp_path, noise(2, -20, 2)))
    for name in set(NAMES) - {"correlation"}:
        tenths = bands[name].astype(float) * 10
        assert np.abs(tenths - tenths.round()).max() < 1e-4


def test_correlation_of_turned_and_unlike_channels(tmp_path: Path) -> None:
    left = noise(1, -20)
    assert unpacked(framed(tmp_path, np.concatenate([left, -left])))["correlation"].max() == -1
    unlike = unpacked(framed(tmp_path, np.concatenate([left, noise(1, -20, seed=3)])))["correlation"]
    assert np.abs(unlike).max() < 0.2
    assert set(unpacked(framed(tmp_path, left))["correlation"].tolist()) == {0}


def test_merged_frames_are_those_of_their_whole_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signal = np.concatenate([noise(1.07, -20, 2, 8000), 0.1 * noise(2.03, -20, 2, 8000)], axis=1)
    fine = unpacked(framed(tmp_path, signal, 8000))
    monkeypatch.setattr("functions.audio_worker.frames._HOPS", ())
    coarse_frames = framed(tmp_path, signal, 8000)
    coarse = unpacked(coarse_frames)
    assert (coarse_frames.hop_ms, coarse_frames.frame_count) == (200, 16)
    assert coarse["peak"].tolist() == [fine["peak"][i : i + 4].max() for i in range(0, 62, 4)]
    assert coarse["loudness"][:-1].tolist() == fine["loudness"][3:60:4].tolist()
    for index in range(16):
        part = signal[:, index * 1600 : (index + 1) * 1600]
        assert coarse["rms"][index] == pytest.approx(10 * np.log10(np.square(part).mean()), abs=0.1)
        expected = np.corrcoef(part)[0, 1]
        assert coarse["correlation"][index] == pytest.approx(expected, abs=0.01)
    powers = 10 ** (fine["mid"].astype(float) / 10)
    means = [10 * np.log10(powers[i : i + 4].mean()) for i in range(0, 62, 4)]
    assert coarse["mid"] == pytest.approx(means, abs=0.15)


def test_the_fingerprint_is_of_content_version_and_parameters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path, wav(silence(1)))

    def fingerprint(content_sha256: str) -> Any:
        frames = analyse(path, "full", content_sha256).frames
        assert frames is not None
        return frames.fingerprint

    first = fingerprint("0" * 64)
    assert len(first) == 64
    assert first == fingerprint("0" * 64)
    others = {first, fingerprint("1" * 64)}
    monkeypatch.setattr("functions.audio_worker.frames._HOPS", ())
    others.add(fingerprint("0" * 64))
    monkeypatch.setattr("functions.audio_worker.analysis.ANALYZER_VERSION", "other")
    others.add(fingerprint("0" * 64))
    assert len(others) == 4
