"""True peak: EBU Tech 3341, cases 15 to 23, and what no meter may get wrong."""

import numpy as np
import pytest

from tests.audio_worker.meters import true_peak_db
from tests.audio_worker.signals import RATE, Signal, amplitude, noise, silence, sine, stereo


def faded(signal: Signal, seconds: float = 0.01) -> Signal:
    """A tone that starts and ends abruptly really does overshoot; the test signals fade."""
    times = np.arange(signal.shape[1]) / RATE
    return signal * np.minimum(1, np.minimum(times, times[::-1]) / seconds)


@pytest.mark.parametrize(
    ("case", "period", "phase", "peak", "expected"),
    [
        (15, 4, 0.0, 0.50, -6.0),
        (16, 4, 45.0, 0.50, -6.0),
        (17, 6, 60.0, 0.50, -6.0),
        (18, 8, 67.5, 0.50, -6.0),
        (19, 4, 45.0, 1.41, 3.0),
        # No case of Tech 3341, but its peaks lie a quarter of the way between samples: twice the rate would miss them.
        (0, 4, 22.5, 0.50, -6.0),
    ],
)
def test_tech_3341_sines(case: int, period: int, phase: float, peak: float, expected: float) -> None:
    signal = faded(sine(RATE / period, 20 * np.log10(peak), 2, RATE, phase))
    assert -0.4 <= true_peak_db(signal) - expected <= 0.2


@pytest.mark.parametrize("offset", range(4))
def test_tech_3341_a_peak_between_samples(offset: int) -> None:
    """Cases 20 to 23: one louder period in a tone, made at four times the rate, of which each fourth sample stays.

    The louder period rises and falls smoothly, so that nothing lies above half of the thinned rate.
    """
    times = (np.arange(4 * RATE) - 2 * RATE) / (4 * RATE)
    swell = 0.5 + 0.5 * np.exp(-0.5 * (times / 0.0004) ** 2)
    signal = (swell * np.cos(2 * np.pi * RATE / 6 * times))[offset::4].reshape(1, -1)
    assert -0.4 <= true_peak_db(faded(signal)) - 0.0 <= 0.2


@pytest.mark.parametrize("rate", [8000, 44_100, 96_000])
def test_the_truth_of_a_steady_tone_at_any_place_between_samples(rate: int) -> None:
    for fraction in (0.01, 0.1, 0.2371, 0.3, 0.41):
        tone = sine(fraction * rate, -3, 1, rate, 17)
        middle = tone * np.hanning(tone.shape[1])
        assert -0.4 <= true_peak_db(middle, rate) + 3 <= 0.2


def test_it_is_never_below_the_sample_peak() -> None:
    for seed in range(5):
        signal = noise(0.5, -10, 2, seed=seed)
        assert true_peak_db(signal) >= 20 * np.log10(np.abs(signal).max()) - 1e-4


@pytest.mark.parametrize("length", [1, 2, 23, 40, 41, RATE - 1, RATE, RATE + 1, RATE + 13])
@pytest.mark.parametrize("at_end", [False, True])
def test_first_and_last_samples_count(length: int, *, at_end: bool) -> None:
    """Two equal samples side by side: the signal between them is higher than both."""
    signal = np.zeros((1, length))
    signal[0, -2:] = 0.5
    signal = signal if at_end else signal[:, ::-1]
    expected = 0.0 if length == 1 else 1.5
    assert true_peak_db(signal) >= 20 * np.log10(0.5) + expected
    if length == 1:
        assert true_peak_db(signal) == pytest.approx(20 * np.log10(0.5), abs=1e-3)


def test_a_peak_across_the_border_of_two_blocks_is_found() -> None:
    for shift in range(-30, 31):
        signal = silence(2)
        signal[0, RATE + shift - 1 : RATE + shift + 1] = 0.5
        assert true_peak_db(signal) == pytest.approx(20 * np.log10(0.5) + 2.05, abs=0.1)


def test_the_loudest_channel_counts() -> None:
    quiet, loud = sine(1000, -40, 1), sine(1000, -6, 1)
    for pair in (np.concatenate([quiet, loud]), np.concatenate([loud, quiet]), stereo(loud)):
        assert true_peak_db(faded(pair)) == pytest.approx(-6, abs=0.05)


def test_levels_over_full_scale_are_told() -> None:
    assert true_peak_db(faded(amplitude(12) * sine(1000, 0, 1))) == pytest.approx(12, abs=0.05)
