"""Tempo and beats on pulses and rhythms of known tempo, and on what has none."""

import numpy as np
import pytest

from functions.audio_worker.tempo import Tempo, find_tempo
from tests.audio_worker.meters import onset_strengths
from tests.audio_worker.signals import Signal, noise, pulses, silence, sine, sweep

RATE = 22_050


def tempo(signal: Signal, rate: int = RATE) -> Tempo:
    return find_tempo(onset_strengths(signal, rate)[0])


@pytest.mark.parametrize("bpm", [*range(60, 201, 10), 97.3, 128.5, 174.0])
def test_the_tempo_of_pulses_from_60_to_200(bpm: float) -> None:
    found = tempo(pulses(bpm, 20, RATE, start=0.137))
    assert found.bpm == pytest.approx(bpm, abs=0.5)
    assert found.confidence > 0.5
    beats = found.beats - 0.137
    off = beats - np.round(beats * bpm / 60) * 60 / bpm
    assert np.abs(off).max() < 0.03
    assert len(beats) == pytest.approx(20 * bpm / 60, abs=2)


@pytest.mark.parametrize("rate", [4000, 8000, 44_100, 96_000])
def test_at_any_sample_rate(rate: int) -> None:
    assert tempo(pulses(113, 12, rate), rate).bpm == pytest.approx(113, abs=0.5)


@pytest.mark.parametrize("level", [0.001, 1.0])
def test_at_any_level(level: float) -> None:
    assert tempo(level * pulses(100, 12, RATE)).bpm == pytest.approx(100, abs=0.5)


@pytest.mark.parametrize("bpm", [90, 105, 120, 135, 150])
@pytest.mark.parametrize("level", [0.2, 0.6])
def test_eighths_between_the_beats_do_not_double_the_tempo(bpm: float, level: float) -> None:
    signal = pulses(bpm, 16, RATE) + level * pulses(2 * bpm, 16, RATE) + noise(16, -50, rate=RATE)
    assert tempo(signal).bpm == pytest.approx(bpm, abs=0.5)


@pytest.mark.parametrize("bpm", [90, 120, 150])
def test_accents_on_each_other_beat_do_not_halve_the_tempo(bpm: float) -> None:
    signal = pulses(bpm, 20, RATE) + pulses(bpm / 2, 20, RATE)
    assert tempo(signal).bpm == pytest.approx(bpm, abs=0.5)


def test_candidates_hold_half_and_double() -> None:
    found = tempo(pulses(120, 20, RATE))
    assert [round(bpm) for bpm, _ in found.candidates] == [120, 60, 240]
    assert found.candidates[0][1] == found.confidence
    assert all(0 <= confidence <= 1 for _, confidence in found.candidates)


@pytest.mark.parametrize(
    "signal",
    [
        silence(20, rate=RATE),
        noise(3.5, rate=RATE),
        noise(20, rate=RATE),
        sine(440, -6, 20, RATE),
        sweep(20, RATE),
        sweep(20, RATE, linear=True),
        np.round(noise(20, -90, rate=RATE) * 2**15) / 2**15,
        pulses(120, 2.9, RATE),
        silence(0, rate=RATE),
        silence(0.01, rate=RATE),
    ],
    ids=["silence", "short noise", "noise", "sine", "sweep", "linear sweep", "dither", "too short", "empty", "10 ms"],
)
def test_what_has_no_tempo(signal: Signal) -> None:
    found = tempo(signal)
    assert found.bpm is None
    assert found.confidence < 0.2
    assert found.beats.size == 0


@pytest.mark.parametrize("seed", range(6))
def test_clicks_at_random_times_have_no_tempo(seed: int) -> None:
    """The shorter the signal, the more of them repeat by chance."""
    signal, click = silence(4, rate=RATE), pulses(60, 0.02, RATE)
    for time in np.random.default_rng(seed).uniform(0, 3.9, 20):
        first = round(time * RATE)
        signal[:, first : first + click.shape[1]] += click
    assert tempo(signal).bpm is None


def test_beats_go_on_through_a_pause_but_not_into_silence_around() -> None:
    played = pulses(120, 30, RATE)
    played[:, : 5 * RATE] = 0
    played[:, 15 * RATE : 18 * RATE] = 0
    played[:, 25 * RATE :] = 0
    found = tempo(played)
    assert found.bpm == pytest.approx(120, abs=0.5)
    assert found.beats[0] == pytest.approx(5, abs=0.06)
    assert found.beats[-1] == pytest.approx(24.5, abs=0.06)
    assert np.diff(found.beats) == pytest.approx(np.full(len(found.beats) - 1, 0.5), abs=0.06)


def test_a_tempo_that_drifts_keeps_its_beats_on_the_sound() -> None:
    times = np.cumsum(60 / np.linspace(118, 122, 60))
    signal = silence(float(times[-1]) + 1, rate=RATE)
    click = pulses(60, 0.02, RATE)
    for time in times:
        first = round(time * RATE)
        signal[:, first : first + click.shape[1]] += click
    found = tempo(signal)
    assert found.bpm == pytest.approx(120, abs=1)
    off = [np.abs(times - beat).min() for beat in found.beats]
    assert max(off) < 0.06
    assert len(found.beats) >= 55
