"""Bands, spectrum and profile on signals whose energy lies at known frequencies."""

import math

import numpy as np
import pytest

from functions.audio_worker.spectrum import BANDS_HZ, FRAME_BANDS_HZ, SPECTRUM_BANDS, SPECTRUM_EDGES_HZ, frame_spectra
from tests.audio_worker.meters import tone, tone_meter
from tests.audio_worker.signals import RATE, noise, pink_noise, silence, sine, stereo

CENTRES = {name: math.sqrt(low * high) for name, (low, high) in BANDS_HZ.items()}


def test_bands_follow_each_other() -> None:
    borders = list(BANDS_HZ.values())
    assert [high for _, high in borders[:-1]] == [low for low, _ in borders[1:]]
    assert (borders[0][0], borders[-1][1]) == (20, 20_000)
    assert (SPECTRUM_EDGES_HZ[0], SPECTRUM_EDGES_HZ[-1]) == pytest.approx((40, 16_000))
    ratios = np.diff(np.log(SPECTRUM_EDGES_HZ))
    assert len(ratios) == SPECTRUM_BANDS == 24
    assert ratios == pytest.approx(np.full(24, ratios[0]))


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("band", list(BANDS_HZ))
def test_a_tone_is_in_its_band_alone(band: str, rate: int) -> None:
    shares = tone(stereo(sine(CENTRES[band], -12, 5, rate)), rate).shares
    assert shares[band] == pytest.approx(1, abs=0.01)
    assert sum(shares.values()) == pytest.approx(1)


def test_shares_tell_the_ratio_of_two_tones() -> None:
    signal = sine(100, -10, 10) + sine(4000, -20, 10)
    shares = tone(signal).shares
    assert 10 * math.log10(shares["high_mid"] / shares["low"]) == pytest.approx(-10, abs=0.1)


def test_shares_do_not_depend_on_level_or_channels() -> None:
    signal = pink_noise(5)
    for same in (
        signal * 0.01,
        stereo(signal),
        np.concatenate([signal, -signal]),
        np.concatenate([signal, 0 * signal]),
    ):
        assert tone(same).shares == pytest.approx(tone(signal).shares, abs=0.001)


def test_spectrum_is_the_mean_square_in_each_band() -> None:
    index = 12
    hz = math.sqrt(SPECTRUM_EDGES_HZ[index] * SPECTRUM_EDGES_HZ[index + 1])
    spectrum = 10 * np.log10(tone(sine(hz, -20, 10)).spectrum)
    assert spectrum[index] == pytest.approx(-23.01, abs=0.1)
    assert spectrum.argmax() == index
    assert np.delete(spectrum, index).max() < -55
    assert 10 * np.log10(tone(stereo(sine(hz, -20, 10))).spectrum[index]) == pytest.approx(-23.01, abs=0.1)
    white = tone(noise(10, -20)).spectrum
    density = 10 ** (-20 / 10) / (RATE / 2)
    widths = np.diff(SPECTRUM_EDGES_HZ)
    assert 10 * np.log10(white[8:] / (density * widths[8:])) == pytest.approx(np.zeros(16), abs=0.5)


@pytest.mark.parametrize("rate", [1000, 4000, 8000])
def test_bands_over_half_the_rate_are_empty(rate: int) -> None:
    measured = tone(noise(3, rate=rate), rate)
    for name, (low, _) in BANDS_HZ.items():
        assert (measured.shares[name] == 0) == (low >= rate / 2)
    assert [bool(power) for power in measured.spectrum] == [low < rate / 2 for low in SPECTRUM_EDGES_HZ[:-1]]


@pytest.mark.parametrize(
    ("signal", "profile"),
    [
        (pink_noise(10), "balanced"),
        (noise(10), "bright"),
        (sine(60, -12, 5), "bass-heavy"),
        (sine(1000, -12, 5), "mid-focused"),
        (sine(9000, -12, 5), "bright"),
        (pink_noise(5, -20) + sine(80, -8, 5), "bass-heavy"),
        (silence(5), None),
    ],
    ids=["pink", "white", "60 Hz", "1 kHz", "9 kHz", "pink and bass", "silence"],
)
def test_profile(signal: np.ndarray[tuple[int, ...], np.dtype[np.float64]], profile: str | None) -> None:
    assert tone(signal).profile == profile


@pytest.mark.parametrize("seconds", [0.001, 0.049, 0.05, 0.051, 0.16, 1, 1.02, 2.0001, 61.01])
@pytest.mark.parametrize("rate", [22_050, 48_000])
def test_there_is_one_spectrum_for_each_50_ms_begun(seconds: float, rate: int) -> None:
    signal = silence(seconds, rate=rate)
    frames = tone_meter(signal, rate).frames()
    assert frames.shape == (-(-signal.shape[1] * 20 // rate), len(FRAME_BANDS_HZ) + SPECTRUM_BANDS)


def test_a_frame_hears_its_own_time() -> None:
    signal = silence(3)
    signal[:, RATE : 2 * RATE] = sine(1000, -12, 1)
    mid = tone_meter(signal).frames()[:, 1]
    expected = 10 ** (-12 / 10) / 2
    assert mid[23:37] == pytest.approx(np.full(14, expected), rel=0.02)
    assert mid[[17, 42]] == pytest.approx(np.zeros(2), abs=1e-5)
    # The frame on the edge has half of the tone in its window.
    assert mid[19] == pytest.approx(mid[40], rel=0.1)


def test_windows_are_of_similar_length_at_any_rate() -> None:
    for rate in (4000, 44_100, 48_000, 192_000, 384_000):
        meter = frame_spectra(rate, 1)
        assert 0.16 <= meter.size / rate < 0.32
        assert meter.frequencies[1] < 6.3
