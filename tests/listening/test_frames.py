"""What is measured of a region out of stored frames, beside measuring the audio of the region (audio contract, 3.4)."""

from functools import cache
from uuid import UUID

import numpy as np
import pytest

from functions.audio_worker.analysis import Analysis
from functions.listening import frames
from functions.listening.frames import gated_loudness, metrics, region_loudness
from functions.listening.models import FrameRow, Span
from functions.listening.note_models import Metrics
from tests.audio_worker import signals
from tests.audio_worker.signals import Signal
from tests.listening.music import measure

RATE = signals.RATE
WHOLE = Span(0, 86_400_000)


@cache
def song() -> tuple[bytes, tuple[int, int]]:
    """12 s in stereo whose level, width and colour change, as bytes, so that it can be kept."""
    parts = [
        signals.stereo(signals.pink_noise(3, -30, seed=1)),
        signals.noise(3, -20, channels=2, seed=2),
        signals.tones((-12.0, 1.5), (-45.0, 1.5)),
        np.vstack([signals.pink_noise(3, -18, seed=3), signals.pink_noise(3, -24, seed=4)]),
    ]
    whole = np.concatenate(parts, axis=1)
    return whole.tobytes(), (whole.shape[0], whole.shape[1])


def samples() -> Signal:
    content, (channels, count) = song()
    return np.frombuffer(content).reshape(channels, count)


def read(analysis: Analysis, chunks: slice = slice(None)) -> frames.Frames:
    stored = analysis.frames
    assert stored is not None
    rows = [
        FrameRow(UUID(int=1), 0, 0, stored.hop_ms, stored.duration_ms, chunk.start_frame, chunk.compressed)
        for chunk in stored.chunks[chunks]
    ]
    found = frames.read(rows)
    assert found is not None
    return found


def of(start_ms: int, end_ms: int) -> Metrics:
    return metrics(read(measure(samples())), Span(start_ms, end_ms), 2)


def test_the_whole_track_is_as_loud_as_its_analysis_says() -> None:
    summary = measure(samples()).summary
    found = of(0, 12_000)
    assert found["integrated_lufs"] == pytest.approx(summary["integrated_lufs"], abs=0.1)
    assert found["max_momentary_lufs"] == pytest.approx(summary["max_momentary_lufs"], abs=0.3)
    assert found["sample_peak_dbfs"] == pytest.approx(summary["sample_peak_dbfs"], abs=0.1)
    assert found["rms_dbfs"] == pytest.approx(summary["rms_dbfs"], abs=0.1)
    assert found["crest_db"] == pytest.approx(summary["crest_db"], abs=0.15)


@pytest.mark.parametrize(
    ("start_ms", "end_ms"),
    [(0, 3000), (3000, 6000), (1500, 4500), (2950, 3400), (4010, 7333), (6000, 9000), (7200, 11_990), (11_500, 12_000)],
)
def test_a_region_is_as_loud_as_its_audio(start_ms: int, end_ms: int) -> None:
    cut = samples()[:, start_ms * RATE // 1000 : end_ms * RATE // 1000]
    summary = measure(cut).summary
    found = of(start_ms, end_ms)
    assert (found["from_ms"], found["to_ms"]) == (start_ms, end_ms)
    assert found["integrated_lufs"] == pytest.approx(summary["integrated_lufs"], abs=0.3)
    assert found["rms_dbfs"] == pytest.approx(summary["rms_dbfs"], abs=0.5)
    assert found["correlation"] == pytest.approx(summary["correlation"], abs=0.05)
    assert found["crest_db"] == pytest.approx((found["sample_peak_dbfs"] or 0) - (found["rms_dbfs"] or 0), abs=0.02)
    assert len(found["spectrum_db"] or []) == 24


def test_no_block_lies_in_less_than_400_ms() -> None:
    assert of(1000, 1399)["integrated_lufs"] is None
    assert of(1000, 1399)["max_momentary_lufs"] is None
    assert of(1000, 1399)["rms_dbfs"] is not None
    assert of(1000, 1400)["integrated_lufs"] is not None


def test_blocks_beside_a_region_do_not_count() -> None:
    """Between 9 and 12 s it is 27 LU louder than in the 1.5 s before: 100 ms of that in a block would be heard."""
    assert (of(7600, 9000)["integrated_lufs"] or 0) < -43
    assert (of(7600, 9000)["max_momentary_lufs"] or 0) < -43


def test_silence_measures_nothing() -> None:
    analysis = measure(signals.silence(2, channels=2))
    assert set(metrics(read(analysis), Span(0, 2000), 2).values()) == {0, 2000, None}
    assert region_loudness(read(analysis), Span(0, 2000)) is None


def test_what_lies_behind_the_end_measures_nothing() -> None:
    assert set(of(12_000, 13_000).values()) == {12_000, 13_000, None}
    assert set(metrics(None, Span(0, 1), 2).values()) == {0, 1, None}
    assert region_loudness(None, WHOLE) is None


def test_a_region_over_the_end_is_what_there_is() -> None:
    beyond, within = of(9000, 20_000), of(9000, 12_000)
    assert beyond | {"to_ms": 0} == within | {"to_ms": 0}


def test_mono_has_no_correlation() -> None:
    mono = measure(signals.pink_noise(2))
    assert metrics(read(mono), Span(0, 2000), 1)["correlation"] is None


def test_a_chunk_that_begins_later_is_read_by_its_own_times() -> None:
    long = np.concatenate([signals.pink_noise(50, -40, rate=8000), signals.pink_noise(10, -20, rate=8000)], axis=1)
    analysis = measure(long, rate=8000)
    later = read(analysis, slice(1, None))
    assert later.first == 1000
    span = Span(52_000, 58_000)
    assert metrics(later, span, 1) == metrics(read(analysis), span, 1)
    assert (region_loudness(later, span) or 0) > (region_loudness(read(analysis), Span(0, 49_000)) or 0) + 19


def test_the_gates_of_r_128() -> None:
    assert gated_loudness([-20.0, -20.0]) == -20.0
    assert gated_loudness([-20.0] * 3 + [-70.0, -75.0]) == -20.0  # the absolute gate takes what is above -70
    assert gated_loudness([-69.9]) == -69.9
    # the mean of the first two is -22.87, so the relative gate is at -32.87
    assert gated_loudness([-20.0, -35.0]) == -20.0
    assert gated_loudness([-20.0, -32.0]) == pytest.approx(-22.74, abs=0.01)
    assert gated_loudness([]) is gated_loudness([-70.0]) is None
