"""The minimum requirements of EBU Tech 3341 and 3342, on signals made from their definitions; BS.1770's own figures."""

import math
from itertools import pairwise

import numpy as np
import pyloudnorm
import pytest

from functions.audio_worker.loudness import _high_pass, _KWeighting, _shelf, channel_weights
from tests.audio_worker.meters import loudness, loudness_meter
from tests.audio_worker.signals import RATE, noise, pink_noise, silence, sine, stereo, tones

RATES = [4000, 8000, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([(-23, 20)], -23),
        ([(-33, 20)], -33),
        ([(-36, 10), (-23, 60), (-36, 10)], -23),
        ([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -23),
        ([(-26, 20), (-20, 20.1), (-26, 20)], -23),
    ],
    ids=["case 1", "case 2", "case 3", "case 4", "case 5"],
)
def test_tech_3341_integrated(parts: list[tuple[float, float]], expected: float) -> None:
    assert loudness(tones(*parts)).integrated == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("level", [-23, -33])
def test_tech_3341_cases_1_and_2_also_momentary_and_short_term(level: float) -> None:
    measured = loudness(tones((level, 20)))
    assert measured.max_momentary == pytest.approx(level, abs=0.1)
    assert measured.max_short_term == pytest.approx(level, abs=0.1)


@pytest.mark.parametrize("surrounds", [("SL", "SR"), ("BL", "BR")])
def test_tech_3341_case_6_five_channels(surrounds: tuple[str, str]) -> None:
    signal = np.concatenate([sine(1000, level, 20) for level in (-28, -28, -24, -30, -30)])
    assert loudness(signal, positions=("FL", "FR", "FC", *surrounds)).integrated == pytest.approx(-23, abs=0.1)


def test_tech_3341_case_9_short_term_is_constant() -> None:
    meter = loudness_meter(tones(*[(-20, 1.34), (-30, 1.66)] * 5))
    assert meter.result().max_short_term == pytest.approx(-23, abs=0.1)


@pytest.mark.parametrize("number", range(20))
def test_tech_3341_case_10_max_short_term(number: int) -> None:
    signal = np.concatenate([silence(number * 0.15, 2), tones((-23, 3)), silence(1, 2)], axis=1)
    assert loudness(signal).max_short_term == pytest.approx(-23, abs=0.1)


def test_tech_3341_case_12_momentary_is_constant_after_a_second() -> None:
    meter = loudness_meter(tones(*[(-20, 0.18), (-30, 0.22)] * 25))
    momentary = meter.momentary_before(np.arange(100, 1000))
    assert momentary == pytest.approx(np.full(900, -23), abs=0.1)


@pytest.mark.parametrize("number", range(20))
def test_tech_3341_case_13_max_momentary(number: int) -> None:
    signal = np.concatenate([silence(number * 0.02, 2), tones((-23, 0.4)), silence(1, 2)], axis=1)
    assert loudness(signal).max_momentary == pytest.approx(-23, abs=0.1)


@pytest.mark.parametrize(
    ("levels", "expected"),
    [([-20, -30], 10), ([-20, -15], 5), ([-40, -20], 20), ([-50, -35, -20, -35, -50], 15)],
    ids=["case 1", "case 2", "case 3", "case 4"],
)
def test_tech_3342_loudness_range(levels: list[float], expected: float) -> None:
    assert loudness(tones(*((level, 20) for level in levels))).range == pytest.approx(expected, abs=1)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("dbfs", [0, -20])
def test_a_997_hz_sine_reads_its_peak_level(rate: int, dbfs: float) -> None:
    """BS.1770: one channel of full scale reads -3.01 LUFS, so two channels read 0."""
    mono = sine(997, dbfs, 3, rate)
    tolerance = 0.1 if rate > 4000 else 0.2  # at 4 kHz the shelf is squeezed under its corner
    assert loudness(stereo(mono), rate).integrated == pytest.approx(dbfs, abs=tolerance)
    assert loudness(mono, rate).integrated == pytest.approx(dbfs - 3.01, abs=tolerance)


def test_the_filter_has_the_coefficients_that_the_standard_gives_for_48_khz() -> None:
    """BS.1770-5, annex 1, tables 1 and 2."""
    b, a = _shelf(48_000)
    assert b == pytest.approx((1.53512485958697, -2.69169618940638, 1.19839281085285), abs=1e-8)
    assert a == pytest.approx((-1.69065929318241, 0.73248077421585), abs=1e-8)
    b, a = _high_pass(48_000)
    assert b == pytest.approx((1, -2, 1))
    assert a == pytest.approx((-1.99004745483398, 0.99007225036621), abs=1e-8)


def filtered(b: tuple[float, float, float], a: tuple[float, float], samples: list[float]) -> list[float]:
    """A biquad by its difference equation, one sample after the other."""
    x1 = x2 = y1 = y2 = 0.0
    out = []
    for x in samples:
        y = b[0] * x + b[1] * x1 + b[2] * x2 - a[0] * y1 - a[1] * y2
        x1, x2, y1, y2 = x, x1, y, y1
        out.append(y)
    return out


@pytest.mark.parametrize("rate", [1000, 3363, 3364, 4000, 44_100, 384_000])
def test_the_filter_in_rows_is_the_filter_sample_by_sample(rate: int) -> None:
    signal = noise(2000 / rate, -20, 2, rate).astype(np.float32)
    expected = [filtered(*_high_pass(rate), filtered(*_shelf(rate), channel)) for channel in signal.tolist()]
    weighting = _KWeighting(rate, 2)
    # Blocks of any length, shorter and longer than a row.
    borders = [0, 1, 128, 500, 500, 1999, 2000]
    parts = [weighting.apply(signal[:, first:last]) for first, last in pairwise(borders)]
    assert np.abs(np.concatenate(parts, axis=1) - np.array(expected)).max() < 2e-6


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("kind", ["noise", "steps", "uneven channels"])
def test_integrated_agrees_with_pyloudnorm(rate: int, kind: str) -> None:
    signal = {
        "noise": pink_noise(6, -20, rate),
        "steps": np.concatenate([pink_noise(4, level, rate) for level in (-20, -35, -60, -18)], axis=1),
        "uneven channels": np.concatenate([noise(5, -30, rate=rate), pink_noise(5, -17, rate)]),
    }[kind]
    other = pyloudnorm.Meter(rate, filter_class="DeMan")
    assert loudness(signal, rate).integrated == pytest.approx(other.integrated_loudness(signal.T), abs=0.02)


def test_gates_leave_out_silence_and_the_quiet() -> None:
    loud = tones((-20, 5))
    assert loudness(np.concatenate([loud, silence(20, 2)], axis=1)).integrated == pytest.approx(-20, abs=0.15)
    assert loudness(np.concatenate([loud, tones((-40, 15))], axis=1)).integrated == pytest.approx(-20, abs=0.15)
    # 9 LU under the mean of both is over the relative gate.
    power = (10 ** (-20 / 10) + 10 ** (-31.5 / 10)) / 2
    together = loudness(np.concatenate([loud, tones((-31.5, 5))], axis=1)).integrated
    assert together == pytest.approx(10 * math.log10(power), abs=0.1)


def test_silence_and_what_is_under_the_absolute_gate_have_no_loudness() -> None:
    quiet = loudness(silence(5, 2))
    assert (quiet.integrated, quiet.range, quiet.max_momentary, quiet.max_short_term) == (None, None, None, None)
    under = loudness(tones((-71, 5)))
    assert (under.integrated, under.range) == (None, None)
    assert under.max_momentary == pytest.approx(-71, abs=0.1)


@pytest.mark.parametrize("rate", [11_025, 22_050, 44_100, 48_000])
def test_each_figure_needs_its_length(rate: int) -> None:
    window, long_window = math.ceil(0.4 * rate), 3 * rate
    tone = stereo(sine(997, -20, 4, rate))
    short = loudness(tone[:, : window - 1], rate)
    assert (short.integrated, short.max_momentary) == (None, None)
    enough = loudness(tone[:, :window], rate)
    assert enough.integrated == enough.max_momentary
    assert (enough.range, enough.max_short_term) == (None, None)
    assert loudness(tone[:, : long_window - 1], rate).max_short_term is None
    long = loudness(tone[:, :long_window], rate)
    assert long.max_short_term == pytest.approx(-20, abs=0.1)
    assert long.range == 0


def test_weights_go_by_position_and_not_by_index() -> None:
    assert channel_weights(("FL", "FR", "FC", "LFE", "BL", "BR")).tolist() == [1, 1, 1, 0, 1.41, 1.41]
    assert channel_weights(("FL", "FR", "BL", "BR")).tolist() == [1, 1, 1.41, 1.41]
    assert channel_weights(("SL", "LFE", "FC", "FL", "SR", "FR")).tolist() == [1.41, 0, 1, 1, 1.41, 1]
    assert channel_weights(("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR")).tolist() == [1, 1, 1, 0, 1, 1, 1.41, 1.41]
    assert channel_weights(("NONE",) * 6).tolist() == [1] * 6
    assert channel_weights(("FC",)).tolist() == [1]


def test_momentary_before_the_start_and_behind_the_end_counts_silence() -> None:
    meter = loudness_meter(tones((-20, 1)))
    at = meter.momentary_before(np.array([20, 40, 100, 120, 140, 200]))
    half = -20 - 10 * math.log10(2)
    assert at[[0, 1, 2, 3]] == pytest.approx([half, -20, -20, half], abs=0.15)
    assert at[4:].max() < -60


def test_momentary_at_the_gating_blocks_gives_the_integrated_loudness() -> None:
    """Frames 7, 9, 11 ... of 50 ms end where the gating blocks do (audio contract, 5.2)."""
    signal = np.concatenate([pink_noise(3, -20), pink_noise(3, -26)], axis=1)
    meter = loudness_meter(signal)
    blocks = meter.momentary_before(np.arange(40, 601, 10))
    integrated = meter.result().integrated
    assert integrated == pytest.approx(10 * np.log10(np.mean(10 ** (blocks / 10))), abs=1e-6)


@pytest.mark.parametrize("rate", [RATE, 44_100])
def test_a_loud_part_leaves_nothing_behind_in_silence(rate: int) -> None:
    signal = np.concatenate([1e6 * noise(1, 0, 2, rate), silence(5, 2, rate)], axis=1)
    assert loudness_meter(signal, rate).momentary_before(np.array([590]))[0] == pytest.approx(-math.inf)
