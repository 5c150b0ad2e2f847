"""Levels of the samples themselves: peak, RMS, offset, correlation, clipping, silence; and the waveform to draw."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from functions.audio_worker.cells import FRAMES_PER_SECOND, cell_sizes, cell_starts
from functions.audio_worker.decoding import Block

CLIPPING_LEVEL = 0.9999
CLIPPING_RUN = 3
SILENCE_LEVEL = 0.001  # -60 dBFS
SILENCE_SECONDS = 0.5
WAVEFORM_POINTS = 1000

# The waveform is kept this fine until the length is known: then each of its points is exact to 0.1 % of its width.
_MAX_PEAKS = 1 << 20


@dataclass(frozen=True)
class CellLevels:
    """Sums for each 50 ms, to be merged into frames of any multiple of it.

    `samples` counts the times, `energy` is the sum of squares of all channels divided by their number, `peak` is
    linear. `left`, `right` and `product` are the sums of squares and of products of the first two channels, 0 if there
    is only one.
    """

    samples: NDArray[np.float64]
    energy: NDArray[np.float64]
    peak: NDArray[np.float64]
    left: NDArray[np.float64]
    right: NDArray[np.float64]
    product: NDArray[np.float64]


@dataclass(frozen=True)
class Levels:
    """Levels of a whole signal, linear. `peak_sample` is where the loudest sample lies, None in silence.

    `offset` is the channels' mean that is farthest from 0. `correlation` is None when there are no two channels, or one
    is silent. `silences` are first and last + 1 sample of each silence of at least 500 ms.
    """

    samples: int
    peak: float
    peak_sample: int | None
    power: float
    offset: float
    correlation: float | None
    clipped_samples: int
    silences: list[tuple[int, int]]
    cells: CellLevels


class LevelMeter:
    def __init__(self, sample_rate: int, channels: int) -> None:
        self._rate = sample_rate
        self._channels = channels
        self._samples = 0
        self._sums = np.zeros(channels)
        self._peak, self._peak_sample = 0.0, 0
        # Per cell: peak, square of each channel, product of the first two.
        self._peaks: list[NDArray[np.float32]] = []
        self._squares: list[NDArray[np.float64]] = []
        self._products: list[NDArray[np.float64]] = []
        self._clipping = [_RunCounter() for _ in range(channels)]
        self._silence = _SilenceFinder(round(SILENCE_SECONDS * sample_rate))

    def add(self, block: Block, absolute: NDArray[np.float32]) -> None:
        """Take a block, and with it the largest absolute sample of all channels at each time."""
        starts = cell_starts(self._rate, FRAMES_PER_SECOND, block.shape[1])
        self._sums += block.sum(axis=1, dtype=np.float64)
        self._squares.append(_cell_sums(np.square(block), starts))
        if self._channels > 1:
            self._products.append(_cell_sums(block[:1] * block[1:2], starts)[0])
        self._peaks.append(np.maximum.reduceat(absolute, starts))
        loudest = int(absolute.argmax())
        if absolute[loudest] > self._peak:
            self._peak, self._peak_sample = float(absolute[loudest]), self._samples + loudest
        for counter, channel in zip(self._clipping, block, strict=True):
            counter.add(channel, maybe=bool(absolute[loudest] >= CLIPPING_LEVEL))
        self._silence.add(absolute)
        self._samples += block.shape[1]

    def result(self) -> Levels:
        cells = self._cells()
        means = self._sums / max(self._samples, 1)
        return Levels(
            samples=self._samples,
            peak=self._peak,
            peak_sample=self._peak_sample if self._peak else None,
            power=float(cells.energy.sum()) / max(self._samples, 1),
            offset=float(means[np.abs(means).argmax()]),
            correlation=_correlation(cells),
            clipped_samples=sum(counter.total() for counter in self._clipping),
            silences=self._silence.result(),
            cells=cells,
        )

    def _cells(self) -> CellLevels:
        squares = np.concatenate([np.empty((self._channels, 0)), *self._squares], axis=1)
        none = np.zeros(squares.shape[1])
        return CellLevels(
            samples=cell_sizes(self._rate, FRAMES_PER_SECOND, self._samples).astype(np.float64),
            energy=squares.mean(axis=0),
            peak=np.concatenate([np.empty(0), *self._peaks]),
            left=squares[0] if self._channels > 1 else none,
            right=squares[1] if self._channels > 1 else none,
            product=np.concatenate([np.empty(0), *self._products]) if self._channels > 1 else none,
        )


def _cell_sums(values: NDArray[np.float32], starts: NDArray[np.intp]) -> NDArray[np.float64]:
    return np.add.reduceat(values, starts, axis=1).astype(np.float64)


def _correlation(cells: CellLevels) -> float | None:
    left, right = cells.left.sum(), cells.right.sum()
    if left == 0 or right == 0:
        return None
    return float(np.clip(cells.product.sum() / np.sqrt(left) / np.sqrt(right), -1, 1))


class _RunCounter:
    """Counts the samples of a channel that lie in runs of CLIPPING_RUN or more at full scale, across blocks."""

    def __init__(self) -> None:
        self._total = 0
        self._open = 0

    def add(self, channel: NDArray[np.float32], *, maybe: bool) -> None:
        """Take a channel's block; `maybe` is False when no sample of any channel reaches full scale."""
        if not maybe:
            self._close()
            return
        clipped = np.concatenate([[False], np.abs(channel) >= CLIPPING_LEVEL, [False]])
        edges = np.flatnonzero(clipped[1:] != clipped[:-1])
        lengths = edges[1::2] - edges[::2]
        # The first run may go on from the block before, the last one into the block behind.
        if clipped[1]:
            lengths[0] += self._open
            self._open = 0
        self._close()
        if clipped[-2]:
            lengths, self._open = lengths[:-1], int(lengths[-1])
        self._total += int(lengths[lengths >= CLIPPING_RUN].sum())

    def total(self) -> int:
        self._close()
        return self._total

    def _close(self) -> None:
        if self._open >= CLIPPING_RUN:
            self._total += self._open
        self._open = 0


class _SilenceFinder:
    """Finds the stretches of at least `shortest` samples under SILENCE_LEVEL in all channels, across blocks."""

    def __init__(self, shortest: int) -> None:
        self._shortest = shortest
        self._found: list[tuple[int, int]] = []
        self._quiet_since = 0
        self._samples = 0

    def add(self, absolute: NDArray[np.float32]) -> None:
        loud = np.flatnonzero(absolute >= SILENCE_LEVEL) + self._samples
        self._samples += len(absolute)
        if loud.size:
            starts = np.concatenate([[self._quiet_since], loud[:-1] + 1])
            self._found += [
                (int(starts[i]), int(loud[i])) for i in np.flatnonzero(loud - starts >= self._shortest).tolist()
            ]
            self._quiet_since = int(loud[-1]) + 1

    def result(self) -> list[tuple[int, int]]:
        last = (self._quiet_since, self._samples)
        return [*self._found, last] if self._samples - self._quiet_since >= self._shortest else self._found


class WaveformMeter:
    """Keeps the largest absolute sample of short slices; when there are too many, each two become one."""

    def __init__(self) -> None:
        self._width = 1
        self._peaks = np.empty(_MAX_PEAKS, np.float32)
        self._count = 0
        self._rest = np.empty(0, np.float32)
        self._samples = 0

    def add(self, absolute: NDArray[np.float32]) -> None:
        self._samples += len(absolute)
        values = np.concatenate([self._rest, absolute])
        while self._count + len(values) // self._width > _MAX_PEAKS:
            values = np.concatenate([self._halve(), values])
        whole = len(values) // self._width
        slices = values[: whole * self._width].reshape(whole, self._width)
        self._peaks[self._count : self._count + whole] = slices.max(axis=1)
        self._count += whole
        self._rest = values[whole * self._width :]

    def result(self) -> list[float]:
        """Return WAVEFORM_POINTS numbers from 0 to 1; none without samples."""
        if not self._samples:
            return []
        peaks = self._peaks[: self._count]
        if self._rest.size:
            peaks = np.append(peaks, self._rest.max())
        # Short signals: slice k begins at the sample it lies in, so neighbours may show the same one.
        starts = np.arange(WAVEFORM_POINTS) * self._samples // WAVEFORM_POINTS // self._width
        return [float(peak) for peak in np.minimum(np.maximum.reduceat(peaks, starts), 1)]

    def _halve(self) -> NDArray[np.float32]:
        """Merge each two slices. An odd last one is returned as samples again: its largest, as often as it is wide."""
        even = self._count // 2
        odd = np.repeat(self._peaks[even * 2 : self._count], self._width)
        self._peaks[:even] = self._peaks[: even * 2].reshape(even, 2).max(axis=1)
        self._count = even
        self._width *= 2
        return odd
