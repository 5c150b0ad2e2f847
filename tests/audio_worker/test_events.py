"""Events: what happens when, and which are kept when there are too many."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from functions.audio_worker import events as module
from functions.audio_worker.analysis import analyse
from functions.audio_worker.events import Event, find_downbeats, find_transients
from tests.audio_worker.meters import onset_strengths
from tests.audio_worker.signals import RATE, Signal, noise, pulses, saved, silence, sine, stereo, wav


def events(folder: Path, signal: Signal, rate: int = RATE) -> list[Event]:
    found = analyse(saved(folder, wav(signal, rate)), "full", "0" * 64).events
    assert found is not None
    assert found == sorted(found, key=lambda event: event.time_ms)
    duration = round(1000 * signal.shape[1] / rate)
    for event in found:
        assert 0 <= event.time_ms <= duration
        assert event.confidence is None or 0 <= event.confidence <= 1
    return found


def times(found: list[Event], kind: str) -> list[int]:
    return [event.time_ms for event in found if event.type == kind]


def test_beats_and_transients_are_on_the_sound(tmp_path: Path) -> None:
    found = events(tmp_path, pulses(120, 15, start=0.25))
    expected = np.arange(250, 15_000, 500)
    assert times(found, "beat") == pytest.approx(expected, abs=60)
    assert times(found, "transient") == pytest.approx(expected, abs=20)
    downbeats = times(found, "downbeat")
    assert set(downbeats) <= set(times(found, "beat"))
    assert np.diff(downbeats) == pytest.approx(np.full(len(downbeats) - 1, 2000), abs=60)


@pytest.mark.parametrize("phase", range(4))
def test_downbeats_are_the_beats_with_the_bass(phase: int) -> None:
    beats: NDArray[np.float64] = np.linspace(0.1, 15.6, 32)
    bass = np.zeros(1700)
    bass[(beats[phase::4] * 100).astype(int) + 1] = 1
    assert find_downbeats(beats, bass).tolist() == list(range(phase, 32, 4))
    assert find_downbeats(beats[:2], bass).tolist() in ([0], [1])
    assert find_downbeats(np.empty(0), bass).size == 0


def test_the_peak_is_the_loudest_sample(tmp_path: Path) -> None:
    signal = noise(2, -40, 2)
    signal[1, 60_000] = -0.5
    (peak,) = [event for event in events(tmp_path, signal) if event.type == "peak"]
    assert peak.time_ms == 1250
    assert peak.data
    assert peak.data["level_dbfs"] == pytest.approx(-6.02)


def test_silences_have_a_duration(tmp_path: Path) -> None:
    tone = stereo(sine(440, -20, 1))
    found = events(tmp_path, np.concatenate([tone, silence(0.7, 2), tone, silence(0.4, 2), tone], axis=1))
    (quiet,) = [event for event in found if event.type == "silence"]
    assert quiet.time_ms == pytest.approx(1000, abs=1)
    assert quiet.duration_ms == pytest.approx(700, abs=2)


def test_silence_is_nothing_but_silence(tmp_path: Path) -> None:
    assert events(tmp_path, silence(2, 2)) == [Event("silence", 0, 2000)]
    assert events(tmp_path, silence(0.3)) == []
    assert events(tmp_path, silence(0)) == []


def test_sections_begin_and_end(tmp_path: Path) -> None:
    found = events(tmp_path, np.concatenate([sine(440, -12, 20, 8000), noise(20, rate=8000)], axis=1), 8000)
    assert times(found, "section_start") == pytest.approx([0, 20_000], abs=100)
    assert times(found, "section_end") == pytest.approx([20_000, 40_000], abs=100)
    assert all(event.data and event.confidence for event in found if event.type.startswith("section"))


def test_steady_sound_has_no_transients() -> None:
    for signal in (sine(440, -6, 5), noise(5), silence(5)):
        strengths, _ = onset_strengths(signal)
        inside = [event for event in find_transients(strengths, 5) if 200 < event.time_ms < 4800]
        assert len(inside) <= 2


def test_the_strength_of_a_transient_is_its_confidence() -> None:
    signal = silence(4)
    for second, level in ((1, -6), (2, -26), (3, -46)):
        signal[:, second * RATE : second * RATE + 960] = sine(1000, level, 0.02)
    found = find_transients(onset_strengths(signal)[0], 4)
    assert [event.time_ms for event in found] == pytest.approx([1000, 2000, 3000], abs=20)
    sure = [event.confidence or 0 for event in found]
    assert sure[0] == 1
    assert sure == sorted(sure, reverse=True)


def test_too_many_events_lose_the_weakest_transients_and_never_a_beat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signal = pulses(120, 15)
    everything = events(tmp_path, signal)
    beats = times(everything, "beat")
    transients = sorted((event.confidence or 0 for event in everything if event.type == "transient"), reverse=True)
    monkeypatch.setattr(module, "MAX_EVENTS", len(everything) - 10)
    fewer = events(tmp_path, signal)
    assert len(fewer) == len(everything) - 10
    kept = sorted((event.confidence or 0 for event in fewer if event.type == "transient"), reverse=True)
    assert kept == transients[: len(kept)]
    monkeypatch.setattr(module, "MAX_EVENTS", 1)
    least = events(tmp_path, signal)
    assert times(least, "beat") == beats
    assert times(least, "transient") == []
