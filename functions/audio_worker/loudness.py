"""Loudness by ITU-R BS.1770-5 with the gates of EBU R 128, and loudness range by EBU Tech 3342."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from functions.audio_worker.cells import FINE_PER_SECOND, cell_sizes, cell_starts, decibels
from functions.audio_worker.decoding import Block

MOMENTARY_CELLS = 4 * FINE_PER_SECOND // 10
SHORT_TERM_CELLS = 3 * FINE_PER_SECOND
# Gating blocks overlap by 75 % of 400 ms: one begins every 100 ms.
STEP_CELLS = FINE_PER_SECOND // 10
ABSOLUTE_GATE = -70.0
RELATIVE_GATE = -10.0
RANGE_RELATIVE_GATE = -20.0

# The filter works on rows of this many samples at a time.
_ROW = 128
_SURROUND_WEIGHT = 1.41


@dataclass(frozen=True)
class Loudness:
    """LUFS and LU, None where the signal is too short or too quiet to say."""

    integrated: float | None
    range: float | None
    max_momentary: float | None
    max_short_term: float | None


def channel_weights(positions: tuple[str, ...]) -> NDArray[np.float64]:
    """Return the weight of each channel by its position (BS.1770-5, tables 3 and 4).

    `positions` are FFmpeg's names. The side channels are the surrounds; where there are none (5.1 and quad), the back
    channels are. The low-frequency channels do not count. A channel without a position weighs 1.
    """
    surrounds = {"SL", "SR"} if {"SL", "SR"} & set(positions) else {"BL", "BR"}
    weights = {"LFE": 0.0, "LFE2": 0.0} | dict.fromkeys(surrounds, _SURROUND_WEIGHT)
    return np.array([weights.get(position, 1.0) for position in positions])


class LoudnessMeter:
    """Adds up the weighted energy of each 10 ms."""

    def __init__(self, sample_rate: int, positions: tuple[str, ...]) -> None:
        self._rate = sample_rate
        self._weights = channel_weights(positions)
        self._filter = _KWeighting(sample_rate, len(positions))
        self._energies: list[NDArray[np.float64]] = []
        self._samples = 0

    def add(self, block: Block) -> None:
        weighted = self._filter.apply(block)
        starts = cell_starts(self._rate, FINE_PER_SECOND, block.shape[1])
        energies = np.add.reduceat(np.square(weighted, out=weighted), starts, axis=1)
        self._energies.append(self._weights @ energies)
        self._samples += block.shape[1]

    def result(self) -> Loudness:
        energies, sizes = self._cells()
        whole = self._samples * FINE_PER_SECOND // self._rate
        momentary = _window_powers(energies[:whole], sizes[:whole], MOMENTARY_CELLS)
        short_term = _window_powers(energies[:whole], sizes[:whole], SHORT_TERM_CELLS)
        return Loudness(
            integrated=integrated_loudness(momentary[::STEP_CELLS]),
            range=_loudness_range(short_term[::STEP_CELLS]),
            max_momentary=_loudest(momentary),
            max_short_term=_loudest(short_term),
        )

    def momentary_before(self, ends: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the momentary loudness in LUFS of the 400 ms before each end, given in cells of 10 ms.

        What lies before the start or behind the end of the signal counts as silence. -inf for silence.
        """
        energies, sizes = self._cells()
        behind = max(int(ends.max(initial=0)) - len(energies), 0)
        full = self._rate / FINE_PER_SECOND
        energies = np.pad(energies, (MOMENTARY_CELLS, behind))
        sizes = np.pad(sizes.astype(np.float64), (MOMENTARY_CELLS, behind), constant_values=full)
        # The last cell may be short: silence fills it up.
        sizes[MOMENTARY_CELLS:] = np.maximum(sizes[MOMENTARY_CELLS:], math.floor(full))
        return _loudness(_window_powers(energies, sizes, MOMENTARY_CELLS)[ends])

    def _cells(self) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        energies = np.concatenate([np.empty(0), *self._energies])
        return energies, cell_sizes(self._rate, FINE_PER_SECOND, self._samples)


def integrated_loudness(powers: NDArray[np.float64]) -> float | None:
    """Return the gated loudness in LUFS of the gating blocks' weighted mean squares (BS.1770-5, annex 1, part 3)."""
    gated = powers[_loudness(powers) > ABSOLUTE_GATE]
    if not gated.size:
        return None
    gated = gated[_loudness(gated) > _loudness(gated.mean()) + RELATIVE_GATE]
    return float(_loudness(gated.mean()))


def _loudness_range(powers: NDArray[np.float64]) -> float | None:
    """Return the range in LU between the 10th and 95th percentile of gated short-term loudness (EBU Tech 3342)."""
    gated = powers[_loudness(powers) > ABSOLUTE_GATE]
    if not gated.size:
        return None
    gated = gated[_loudness(gated) > _loudness(gated.mean()) + RANGE_RELATIVE_GATE]
    low, high = np.percentile(_loudness(gated), [10, 95], method="nearest")
    return float(high - low)


def _loudness(powers: NDArray[np.float64]) -> NDArray[np.float64]:
    # The constant makes a 997 Hz sine of 0 dBFS in one channel read -3.01 LUFS.
    return -0.691 + decibels(powers)


def _loudest(powers: NDArray[np.float64]) -> float | None:
    highest = powers.max(initial=0.0)
    return float(_loudness(highest)) if highest > 0 else None


def _window_powers(
    energies: NDArray[np.float64], sizes: NDArray[np.intp] | NDArray[np.float64], cells: int
) -> NDArray[np.float64]:
    """Return the mean square of each window of that many cells, one per first cell; none if the signal is shorter.

    Sums of sums, not differences of a running total: after a loud part those would leave a remainder in silence.
    """
    tens = [_sliding_sum(values, STEP_CELLS, 1) for values in (energies, sizes.astype(np.float64))]
    sums, counts = (_sliding_sum(ten, cells // STEP_CELLS, STEP_CELLS) for ten in tens)
    return sums / counts


def _sliding_sum(values: NDArray[np.float64], terms: int, step: int) -> NDArray[np.float64]:
    sums = np.zeros(max(len(values) - (terms - 1) * step, 0))
    for first in range(0, terms * step, step):
        sums += values[first : first + len(sums)]
    return sums


class _KWeighting:
    """The K-weighting filter: a high shelf, then a high pass, for any sample rate.

    A recursive filter handles one sample after the other, which numpy cannot do fast. But it is linear: the output of
    a row of samples is a matrix times the row, plus a matrix times the filter's state before it. So rows are filtered
    all at once, and only the state goes from row to row.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        step, drive, output, direct = _state_space(sample_rate)
        states = step.shape[0]
        # Row n of `_powers` is step^n: the state's own course over n samples.
        self._powers = np.empty((_ROW + 1, states, states))
        self._powers[0] = np.eye(states)
        for n in range(_ROW):
            self._powers[n + 1] = step @ self._powers[n]
        self._from_state = np.ascontiguousarray((output @ self._powers[:_ROW]).T)
        response = np.concatenate([[direct], (output @ self._powers[: _ROW - 1]) @ drive])
        lags = np.arange(_ROW) - np.arange(_ROW)[:, None]
        self._from_input = np.where(lags >= 0, response[lags], 0).astype(np.float32)
        self._into_state = (self._powers[_ROW - 1 :: -1] @ drive)[:_ROW]
        self._state = np.zeros((channels, states))

    def apply(self, block: Block) -> Block:
        """Return the filtered block, and keep the state for the next one."""
        channels, samples = block.shape
        rows = samples // _ROW
        whole = block[:, : rows * _ROW].reshape(channels, rows, _ROW)
        filtered = np.empty_like(block)
        states = self._advance(whole)
        body = whole @ self._from_input
        body += (states @ self._from_state).astype(np.float32)
        filtered[:, : rows * _ROW] = body.reshape(channels, -1)
        if rest := samples - rows * _ROW:
            tail = block[:, rows * _ROW :]
            filtered[:, rows * _ROW :] = (
                tail @ self._from_input[:rest, :rest] + self._state @ self._from_state[:, :rest]
            )
            self._state = self._state @ self._powers[rest].T + tail @ self._into_state[_ROW - rest :]
        return filtered

    def _advance(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the state before each row, as (channels, rows, states), and move on behind the last."""
        driven = np.ascontiguousarray((rows.astype(np.float64) @ self._into_state).transpose(1, 0, 2))
        step = self._powers[_ROW].T
        states, state = np.empty_like(driven), self._state
        for row, drive in enumerate(driven):
            states[row] = state
            state = state @ step + drive
        self._state = state
        return states.transpose(1, 0, 2)


def _state_space(sample_rate: int) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], float]:
    """Return both stages as one system: s' = A s + B x, y = C s + D x (two states per stage)."""
    a1, b1, c1, d1 = _stage(*_shelf(sample_rate))
    a2, b2, c2, d2 = _stage(*_high_pass(sample_rate))
    step = np.block([[a1, np.zeros((2, 2))], [np.outer(b2, c1), a2]])
    return step, np.concatenate([b1, b2 * d1]), np.concatenate([d2 * c1, c2]), d1 * d2


def _stage(
    b: tuple[float, float, float], a: tuple[float, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], float]:
    """Return a biquad in transposed direct form II as matrices A, B, C and D."""
    step = np.array([[-a[0], 1.0], [-a[1], 0.0]])
    return step, np.array([b[1] - a[0] * b[0], b[2] - a[1] * b[0]]), np.array([1.0, 0.0]), b[0]


# BS.1770 gives the coefficients for 48 kHz alone. These are the analogue filters behind them (B. De Man, "Evaluation of
# Implementations of the EBU R128 Loudness Measurement", AES 145, 2018): they yield the standard's figures at 48 kHz.
_SHELF_HZ, _SHELF_DB, _SHELF_Q = 1681.974450955533, 3.999843853973347, 0.7071752369554196
_HIGH_PASS_HZ, _HIGH_PASS_Q = 38.13547087602444, 0.5003270373238773


def _shelf(sample_rate: int) -> tuple[tuple[float, float, float], tuple[float, float]]:
    if sample_rate <= 2 * _SHELF_HZ:
        return (1.0, 0.0, 0.0), (0.0, 0.0)  # the shelf lies above all that this rate can hold
    k = math.tan(math.pi * _SHELF_HZ / sample_rate)
    high = 10 ** (_SHELF_DB / 20)
    band = high**0.4996667741545416
    scale = 1 + k / _SHELF_Q + k * k
    b = (high + band * k / _SHELF_Q + k * k, 2 * (k * k - high), high - band * k / _SHELF_Q + k * k)
    return (b[0] / scale, b[1] / scale, b[2] / scale), (2 * (k * k - 1) / scale, (1 - k / _SHELF_Q + k * k) / scale)


def _high_pass(sample_rate: int) -> tuple[tuple[float, float, float], tuple[float, float]]:
    k = math.tan(math.pi * _HIGH_PASS_HZ / sample_rate)
    scale = 1 + k / _HIGH_PASS_Q + k * k
    return (1.0, -2.0, 1.0), (2 * (k * k - 1) / scale, (1 - k / _HIGH_PASS_Q + k * k) / scale)
