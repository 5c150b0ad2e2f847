"""How strongly something begins at each moment: the basis of tempo, beats and transients.

The measure is spectral flux with a maximum filter (SuperFlux: S. Boeck and G. Widmer, "Maximum filter vibrato
suppression for onset detection", DAFx 2013): what each band gains over the loudest of its neighbours 20 ms before.
A gliding tone, which only moves from band to band, causes little.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from functions.audio_worker.cells import FINE_PER_SECOND
from functions.audio_worker.spectrum import SpectrumMeter, band_matrix

WINDOW_SECONDS = 0.04
# Bands of a third of an octave.
_LOWEST_HZ, _HIGHEST_HZ, _PER_OCTAVE = 30.0, 16000.0, 3
BASS_HZ = 150.0
_LAG = 2
# A window reaches forward: the strength is highest one frame before the sound begins (measured on clicks and drums).
_EARLY_FRAMES = 1.0
# Levels are compressed by log(1 + 100 x): an accent counts for more than its neighbours, but not in proportion.
_COMPRESSION = 100.0


def onset_spectra(sample_rate: int, channels: int) -> SpectrumMeter:
    """Return the meter for one spectrum in each 10 ms."""
    return SpectrumMeter(sample_rate, channels, FINE_PER_SECOND, WINDOW_SECONDS)


class OnsetMeter:
    """Keeps the onset strength of each 10 ms, of all bands and of those below BASS_HZ."""

    def __init__(self, frequencies: NDArray[np.float64]) -> None:
        edges = _edges(frequencies)
        self._matrix = band_matrix(frequencies, list(pairwise(edges)))
        self._bass_bands = sum(edge < BASS_HZ for edge in edges[:-1])
        self._before = np.zeros((_LAG, len(edges) - 1), np.float32)
        self._strengths: list[NDArray[np.float32]] = []
        self._bass: list[NDArray[np.float32]] = []

    def add(self, spectra: NDArray[np.float32]) -> None:
        levels = np.log1p(_COMPRESSION * np.sqrt(spectra @ self._matrix))
        history = np.concatenate([self._before, levels])
        padded = np.pad(history[:-_LAG], ((0, 0), (1, 1)))
        loudest = np.maximum(np.maximum(padded[:, :-2], padded[:, 2:]), padded[:, 1:-1])
        gains = np.maximum(levels - loudest, 0)
        self._before = history[-_LAG:]
        self._strengths.append(gains.mean(axis=1))
        self._bass.append(gains[:, : self._bass_bands].mean(axis=1))

    def result(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the strengths of all bands and of the bass, one value per 10 ms."""
        empty = np.empty(0)
        return np.concatenate([empty, *self._strengths]), np.concatenate([empty, *self._bass])


def _edges(frequencies: NDArray[np.float64]) -> list[float]:
    """Return the bands' edges; at the bottom, where a third of an octave is narrower, each band is one bin wide."""
    bin_width, top = float(frequencies[1]), min(_HIGHEST_HZ, float(frequencies[-1]))
    edges = [_LOWEST_HZ]
    while edges[-1] < top:
        edges.append(max(edges[-1] + bin_width, edges[-1] * 2 ** (1 / _PER_OCTAVE)))
    return edges


def onset_seconds(frames: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the time of what begins at these frames: each stands for the middle of its 10 ms."""
    seconds: NDArray[np.float64] = (frames + 0.5 + _EARLY_FRAMES) / FINE_PER_SECOND
    return seconds
