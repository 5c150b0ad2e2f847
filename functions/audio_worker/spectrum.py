"""Energy by frequency: spectra of short windows, and what the whole signal and each frame have in each band."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from functions.audio_worker.cells import FRAMES_PER_SECOND
from functions.audio_worker.decoding import Block

BANDS_HZ = {
    "sub": (20.0, 60.0),
    "low": (60.0, 250.0),
    "low_mid": (250.0, 500.0),
    "mid": (500.0, 2000.0),
    "high_mid": (2000.0, 6000.0),
    "high": (6000.0, 20000.0),
}
FRAME_BANDS_HZ = {"low": (20.0, 250.0), "mid": (250.0, 4000.0), "high": (4000.0, 20000.0)}
SPECTRUM_BANDS = 24
SPECTRUM_EDGES_HZ = [40.0 * 400 ** (edge / SPECTRUM_BANDS) for edge in range(SPECTRUM_BANDS + 1)]

# A window this long tells 6 Hz apart, enough for the lowest band (40 to 51 Hz) and for the semitones of a bass.
WINDOW_SECONDS = 0.16


class SpectrumMeter:
    """Power spectra of windows around the middles of the cells of a second (see cells.py), `per_second` of them.

    A power spectrum holds the mean square in each bin, the mean of all channels: its sum is that of the window. The
    window's length is the power of two that is next above `seconds`.
    """

    def __init__(self, sample_rate: int, channels: int, per_second: int, seconds: float) -> None:
        self.size = 1 << int(np.ceil(np.log2(seconds * sample_rate)))
        self.frequencies = np.linspace(0, sample_rate / 2, self.size // 2 + 1, dtype=np.float64)
        # In float64: numpy transforms it as fast as float32.
        self._window = np.hanning(self.size + 1)[:-1]
        self._scale = np.full(len(self.frequencies), 2.0)
        self._scale[0] = 1.0
        # Half the sample rate itself belongs to no band: one that begins there has nothing.
        self._scale[-1] = 0.0
        self._scale /= channels * self.size * np.square(self._window).sum()
        self._rate = sample_rate
        self._per_second = per_second
        self._count = 0
        self._samples = 0
        # Silence before the first sample, so that the first window can stand around the first time.
        self._buffer = np.zeros((channels, self.size // 2), np.float32)
        self._buffer_start = -(self.size // 2)

    def add(self, block: Block) -> NDArray[np.float32]:
        """Return the spectra of the windows that this block completes, as (windows, bins)."""
        self._samples += block.shape[1]
        return self._complete(block, self._samples)

    def finish(self) -> NDArray[np.float32]:
        """Return the spectra of the windows that reach behind the last sample."""
        silence = np.zeros((len(self._buffer), self.size), np.float32)
        return self._complete(silence, self._samples + self.size)

    def _complete(self, block: Block, available: int) -> NDArray[np.float32]:
        self._buffer = np.concatenate([self._buffer, block], axis=1)
        starts = np.array(list(self._starts(available)), np.intp)
        spectra = np.zeros((len(starts), len(self.frequencies)), np.float32)
        if len(starts):
            windows = np.lib.stride_tricks.sliding_window_view(self._buffer, self.size, axis=1)
            # One channel at a time: all at once would need much memory at high rates.
            for channel in windows:
                transform = np.fft.rfft(channel[starts - self._buffer_start] * self._window)
                spectra += self._scale * (np.square(transform.real) + np.square(transform.imag))
        self._count += len(starts)
        done = max(self._start(self._count) - self._buffer_start, 0)
        self._buffer = self._buffer[:, done:].copy()
        self._buffer_start += done
        return spectra

    def _starts(self, available: int) -> Iterator[int]:
        """Yield where the next windows start: those that end within the available samples, one per cell."""
        number = self._count
        while self._start(number) + self.size <= available and number * self._rate // self._per_second < self._samples:
            yield self._start(number)
            number += 1

    def _start(self, number: int) -> int:
        return (2 * number + 1) * self._rate // (2 * self._per_second) - self.size // 2


@dataclass(frozen=True)
class Tone:
    """What of a signal's energy lies where. `shares` are those of BANDS_HZ and add up to 1 (all 0 in silence).

    `spectrum` is the mean square in each of the bands between SPECTRUM_EDGES_HZ.
    """

    shares: dict[str, float]
    spectrum: NDArray[np.float64]
    profile: str | None


def band_matrix(frequencies: NDArray[np.float64], edges: list[tuple[float, float]]) -> NDArray[np.float32]:
    """Return the matrix (bins, bands) that sums the bins of each band: those from its lower edge to below its upper."""
    matrix = np.zeros((len(frequencies), len(edges)), np.float32)
    for band, (low, high) in enumerate(edges):
        matrix[(frequencies >= low) & (frequencies < high), band] = 1
    return matrix


class ToneMeter:
    """Adds up power spectra for the whole signal, and keeps the bands of each frame."""

    def __init__(self, frequencies: NDArray[np.float64]) -> None:
        self._frequencies = frequencies
        self._matrix = band_matrix(frequencies, [*FRAME_BANDS_HZ.values(), *pairwise(SPECTRUM_EDGES_HZ)])
        self._total = np.zeros(len(frequencies))
        self._count = 0
        self._frames: list[NDArray[np.float32]] = []

    def add(self, spectra: NDArray[np.float32]) -> None:
        self._total += spectra.sum(axis=0, dtype=np.float64)
        self._count += len(spectra)
        self._frames.append(spectra @ self._matrix)

    def frames(self) -> NDArray[np.float32]:
        """Return the mean square in FRAME_BANDS_HZ and then in the spectrum's bands, as (frames, bands)."""
        return np.concatenate([np.empty((0, self._matrix.shape[1]), np.float32), *self._frames])

    def result(self) -> Tone:
        mean = self._total / max(self._count, 1)
        energies = mean @ band_matrix(self._frequencies, list(BANDS_HZ.values()))
        whole = float(energies.sum())
        shares = energies / whole if whole else energies
        thirds = mean @ self._matrix[:, : len(FRAME_BANDS_HZ)]
        return Tone(
            shares=dict(zip(BANDS_HZ, shares.tolist(), strict=True)),
            spectrum=mean @ self._matrix[:, len(FRAME_BANDS_HZ) :],
            profile=_profile(thirds) if whole else None,
        )


# Energy per octave beside that of the mids, in dB, from which on a signal counts as bass-heavy, bright or mid-focused.
# Pink noise has the same energy in each octave and is balanced; music falls off towards the highs.
_BASS_HEAVY_DB = 9.0
_BRIGHT_DB = 1.5
_THIN_BASS_DB = -6.0


def _profile(powers: NDArray[np.float64]) -> str:
    """Return the frequency profile of the mean squares in FRAME_BANDS_HZ."""
    octaves = np.array([np.log2(high / low) for low, high in FRAME_BANDS_HZ.values()])
    low, mid, high = 10 * np.log10(np.maximum(powers / octaves, 1e-30))
    if high - mid > _BRIGHT_DB and high > low:
        return "bright"
    if low - mid > _BASS_HEAVY_DB:
        return "bass-heavy"
    return "mid-focused" if low - mid < _THIN_BASS_DB else "balanced"


def frame_spectra(sample_rate: int, channels: int) -> SpectrumMeter:
    """Return the meter for one spectrum in each frame of 50 ms."""
    return SpectrumMeter(sample_rate, channels, FRAMES_PER_SECOND, WINDOW_SECONDS)
