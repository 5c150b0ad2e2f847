"""Peak, RMS, offset, correlation, clipping, silence and the waveform, each against the plain definition."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.audio_worker.meters import levels, waveform
from tests.audio_worker.signals import RATE, Signal, amplitude, noise, silence, sine, stereo

SHORT = 100  # a sample rate at which blocks are short: 100 samples


def test_a_full_scale_sine() -> None:
    measured = levels(stereo(sine(997, 0, 2)))
    assert 20 * np.log10(measured.peak) == pytest.approx(0, abs=0.05)
    assert 10 * np.log10(measured.power) == pytest.approx(-3.01, abs=0.01)
    assert measured.offset == pytest.approx(0, abs=1e-4)
    assert measured.correlation == pytest.approx(1)
    assert measured.samples == 2 * RATE


def test_power_is_that_of_all_samples_and_channels() -> None:
    signal = np.concatenate([sine(100, -6, 1.37), silence(1.37)])
    assert levels(signal).power == pytest.approx(np.square(signal).mean(), rel=1e-4)


def test_offset_is_the_mean_farthest_from_zero() -> None:
    signal = np.concatenate([noise(2, -30) + 0.01, noise(2, -30, seed=1) - 0.2])
    assert levels(signal).offset == pytest.approx(-0.2, abs=1e-3)


@pytest.mark.parametrize(
    ("gain", "other", "expected"),
    [(1, 0, 1), (-0.1, 0, -1), (0, 1, 0), (0, 0, None)],
    ids=["same", "turned", "other", "none"],
)
def test_correlation(gain: float, other: float, expected: float | None) -> None:
    left = noise(2)
    measured = levels(np.concatenate([left, gain * left + other * noise(2, seed=9)])).correlation
    assert measured == (None if expected is None else pytest.approx(expected, abs=0.02))


def test_mono_has_no_correlation_and_only_the_first_two_channels_count() -> None:
    assert levels(noise(1)).correlation is None
    assert levels(np.concatenate([noise(1), noise(1), noise(1, seed=4)])).correlation == pytest.approx(1)


def test_the_loudest_sample_is_found_in_any_channel() -> None:
    signal = noise(3, -40, 2)
    signal[1, 100_000] = -0.9
    assert levels(signal).peak == pytest.approx(0.9)
    assert levels(signal).peak_sample == 100_000


def test_silence_has_neither_power_nor_peak() -> None:
    measured = levels(silence(1, 2))
    assert (measured.peak, measured.peak_sample, measured.power, measured.correlation) == (0, None, 0, None)


def clipped(channel: list[bool]) -> int:
    """Count the samples in runs of three or more, one by one."""
    total = run = 0
    for full in [*channel, False]:
        run, total = (run + 1, total) if full else (0, total + (run if run >= 3 else 0))
    return total


@given(st.lists(st.lists(st.booleans(), min_size=1, max_size=40), min_size=1, max_size=2), st.integers(95, 100))
def test_clipped_samples_are_those_in_runs_of_three(tails: list[list[bool]], before: int) -> None:
    """The runs lie around the border between two blocks."""
    length = max(map(len, tails))
    masks = [[False] * before + tail + [False] * (length - len(tail)) for tail in tails]
    signal = np.array(masks) * np.where(np.arange(before + length) % 2, -1.0, 0.9999)
    assert levels(signal, SHORT).clipped_samples == sum(map(clipped, masks))


def test_clipping_over_whole_blocks_and_in_the_end() -> None:
    assert levels(np.ones((1, 350)), SHORT).clipped_samples == 350
    assert levels(np.full((2, 350), 0.9998), SHORT).clipped_samples == 0


def test_silences_are_told_to_the_sample() -> None:
    parts = [silence(0.5), sine(100, -20, 0.3), silence(0.49), sine(100, -20, 0.2), silence(1.7)]
    signal = np.concatenate(parts, axis=1)
    measured = levels(signal).silences
    assert [first for first, _ in measured] == pytest.approx([0, 1.49 * RATE], abs=5)
    assert [last for _, last in measured] == pytest.approx([0.5 * RATE, 3.19 * RATE], abs=5)


def test_noise_under_minus_60_is_silence_and_over_it_is_not() -> None:
    assert levels(np.full((1, RATE), 0.00099)).silences == [(0, RATE)]
    assert levels(np.full((1, RATE), 0.00101)).silences == []
    # Silence means all channels.
    assert levels(np.concatenate([silence(1), np.full((1, RATE), 0.1)])).silences == []


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 130)), max_size=8))
def test_silences_are_all_quiet_stretches_of_half_a_second(stretches: list[tuple[bool, int]]) -> None:
    quiet = np.concatenate([np.empty(0, bool), *(np.full(length, silent) for silent, length in stretches)])
    edges = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]]).astype(int)))
    expected = [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= SHORT // 2]
    assert levels(np.where(quiet, 0.0, 0.5).reshape(1, -1), SHORT).silences == expected


def test_cells_add_up_to_the_whole() -> None:
    signal = noise(2.33, -20, 2, 22_050)
    cells = levels(signal, 22_050).cells
    assert cells.samples.sum() == signal.shape[1]
    assert set(cells.samples[:-1].tolist()) == {1102, 1103}
    assert cells.energy.sum() == pytest.approx(np.square(signal).sum() / 2, rel=1e-4)
    assert cells.peak.max() == pytest.approx(np.abs(signal).max())
    assert cells.left.sum() + cells.right.sum() == pytest.approx(np.square(signal).sum(), rel=1e-4)


def slices(signal: Signal) -> list[float]:
    """The waveform by its definition."""
    absolute, samples = np.abs(signal).max(axis=0), signal.shape[1]
    starts = [k * samples // 1000 for k in range(1001)]
    return [float(min(absolute[a : max(b, a + 1)].max(), 1)) for a, b in pairwise(starts)]


@pytest.mark.parametrize("samples", [1, 2, 999, 1000, 1001, 48_000, 100_003])
def test_waveform_is_the_peak_of_each_slice(samples: int) -> None:
    signal = noise(samples / RATE, -10, 2)
    assert waveform(signal) == pytest.approx(slices(signal), abs=1e-6)


@pytest.mark.parametrize("samples", [1_048_575, 1_048_577, 3_333_333])
def test_waveform_of_a_long_signal_is_exact_but_for_the_edges_of_slices(samples: int) -> None:
    times = np.arange(samples) / samples
    signal = (times * np.cos(np.arange(samples))).reshape(1, -1)
    assert waveform(signal) == pytest.approx(slices(signal), abs=0.001)
    lonely = np.zeros((1, samples))
    lonely[0, -1] = 0.5
    assert waveform(lonely) == [0.0] * 999 + [0.5]


def test_no_sample_is_lost_when_slices_are_merged() -> None:
    """At this rate the number of slices is odd when they first are too many: the last one has no partner."""
    rate, last = 11_025, 95 * 11_025 - 1
    signal = np.zeros((1, 2_000_000))
    signal[0, last] = 0.5
    assert np.flatnonzero(waveform(signal, rate)).tolist() == [last * 1000 // 2_000_000]


def test_waveform_is_capped_and_empty_without_samples() -> None:
    assert waveform(amplitude(12) * np.ones((1, 1000))) == [1.0] * 1000
    assert waveform(silence(0)) == []
