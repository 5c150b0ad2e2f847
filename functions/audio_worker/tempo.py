"""Tempo and beats from onset strength. An estimate: music can be counted at half or double the tempo as well."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from functions.audio_worker.cells import FINE_PER_SECOND
from functions.audio_worker.onsets import onset_seconds

MIN_BPM, MAX_BPM = 60.0, 200.0
MIN_CONFIDENCE = 0.2

_PRIOR_BPM, _PRIOR_OCTAVES = 120.0, 1.0
_GRID_BPM = np.arange(MIN_BPM, MAX_BPM + 0.125, 0.25)
# Tempo may drift: repetition is looked for in stretches of this length, and averaged.
_SEGMENT_SECONDS = 16
_REPEATS = 4
_SHORTEST_SECONDS = 3
_SMOOTHING_FRAMES = 2.0
# How much dearer a beat is that comes early or late (dynamic programming of D. Ellis, "Beat tracking by dynamic
# programming", J. New Music Research 36, 2007).
_TIGHTNESS = 100.0


@dataclass(frozen=True)
class Tempo:
    """`bpm` is None where no tempo is found. `candidates` are (bpm, confidence), the best first. `beats` in seconds."""

    bpm: float | None
    confidence: float
    candidates: list[tuple[float, float]]
    beats: NDArray[np.float64]


def find_tempo(strengths: NDArray[np.float64]) -> Tempo:
    """Return the tempo between MIN_BPM and MAX_BPM, and its beats, from one onset strength per 10 ms."""
    if len(strengths) < _SHORTEST_SECONDS * FINE_PER_SECOND:
        return Tempo(None, 0.0, [], np.empty(0))
    envelope = _envelope(strengths)
    repetition = _autocorrelation(envelope)
    if repetition is None:
        return Tempo(None, 0.0, [], np.empty(0))
    strength_of = _Repetition(repetition, len(envelope))
    bpm = strength_of.best_bpm()
    confidence = strength_of.confidence(bpm)
    if not confidence:
        return Tempo(None, 0.0, [], np.empty(0))
    candidates = [(value, strength_of.confidence(value)) for value in (bpm, bpm / 2, bpm * 2)]
    if confidence < MIN_CONFIDENCE:
        return Tempo(None, confidence, candidates, np.empty(0))
    beats = _beats(envelope, 60 * FINE_PER_SECOND / bpm)
    refined = _bpm_of(beats, bpm)
    return Tempo(refined, confidence, [(value * refined / bpm, sure) for value, sure in candidates], beats)


def _envelope(strengths: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what stands out of the onset strengths: smoothed a little, less the mean of a second around it."""
    reach = math.ceil(3 * _SMOOTHING_FRAMES)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / _SMOOTHING_FRAMES) ** 2)
    smooth = np.convolve(strengths, kernel / kernel.sum(), "same")
    around = np.ones(FINE_PER_SECOND)
    mean = np.convolve(smooth, around, "same") / np.convolve(np.ones(len(smooth)), around, "same")
    return smooth - mean


def _autocorrelation(envelope: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return the autocorrelation by lag, 1 at lag 0; None when there are no onsets."""
    lags = int(_REPEATS * 60 * FINE_PER_SECOND / MIN_BPM) + 2
    segment = min(_SEGMENT_SECONDS * FINE_PER_SECOND, len(envelope))
    total = np.zeros(lags)
    for start in range(0, len(envelope) - segment + 1, max(segment // 2, 1)):
        part = envelope[start : start + segment]
        spectrum = np.fft.rfft(part, 2 * segment)
        products = np.fft.irfft(np.square(spectrum.real) + np.square(spectrum.imag))[:lags]
        overlap = np.maximum(segment - np.arange(len(products)), segment // 4)
        total[: len(products)] += products / overlap
    return total / total[0] if total[0] > 1e-12 else None


class _Repetition:
    """How well the onsets repeat at a tempo."""

    def __init__(self, autocorrelation: NDArray[np.float64], frames: int) -> None:
        self._autocorrelation = autocorrelation
        self._longest = min(len(autocorrelation) - 1, 0.75 * min(frames, _SEGMENT_SECONDS * FINE_PER_SECOND))
        # What chance alone may reach: the autocorrelation of noise scatters by one over the root of its length.
        self._chance = 2 / math.sqrt(frames / (2 * _SMOOTHING_FRAMES + 1))

    def confidence(self, bpm: float) -> float:
        """Return 0 for no repetition at this tempo beyond chance, up to 1 for an exact one."""
        repetition = float(self._at(np.array([60 * FINE_PER_SECOND / bpm]))[0])
        return min(max(repetition - self._chance, 0.0), 1.0)

    def best_bpm(self) -> float:
        """Return the likeliest tempo.

        Each multiple of the beat repeats as well as the beat does. So a period counts for half when a half or a third
        of it repeats as exactly, and hardly for less when that repeats less exactly (softer sounds between the beats).
        Tempos near the middle of the range are preferred.
        """
        periods = 60 * FINE_PER_SECOND / _GRID_BPM
        whole = np.maximum(self._at(periods), 1e-6)
        parts = np.maximum(self._at(periods / 2), self._at(periods / 3)) / whole
        prior = np.exp(-0.5 * np.square(np.log2(_GRID_BPM / _PRIOR_BPM) / _PRIOR_OCTAVES))
        scores = prior * whole * (1 - 0.5 * parts.clip(0, 1) ** 8)
        return float(_GRID_BPM[scores.argmax()])

    def _at(self, periods: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean autocorrelation at the first multiples of each period (in frames)."""
        lags = periods[:, None] * np.arange(1, _REPEATS + 1)
        values = np.interp(lags, np.arange(len(self._autocorrelation)), self._autocorrelation)
        used = lags <= self._longest
        used[:, 0] = True
        return np.average(values, axis=1, weights=used)


def _beats(envelope: NDArray[np.float64], period: float) -> NDArray[np.float64]:
    """Return the times in seconds of beats about one period (in frames) apart, where the onsets are strongest."""
    onsets = np.maximum(envelope, 0) / max(float(envelope.std()), 1e-12)
    gaps = np.arange(round(period / 2), round(2 * period) + 1)[::-1]
    penalties = -_TIGHTNESS * np.square(np.log(gaps / period))
    longest = int(gaps[0])
    # Behind `longest` zeros, so that each frame has as many predecessors; a beat may also be the first.
    scores = np.zeros(longest + len(onsets))
    before = np.full(len(onsets), -1)
    for frame, onset in enumerate(onsets.tolist()):
        options = scores[frame : frame + len(gaps)] + penalties
        best = int(options.argmax())
        scores[longest + frame] = onset + max(float(options[best]), 0.0)
        if options[best] > 0 and frame >= gaps[best]:
            before[frame] = frame - int(gaps[best])
    last = len(onsets) - longest + int(scores[-longest:].argmax()) if len(onsets) >= longest else -1
    beats = []
    while last >= 0:
        beats.append(last)
        last = int(before[last])
    return _sounding(np.array(beats[::-1], np.intp), onsets)


def _sounding(beats: NDArray[np.intp], onsets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the beats' times without those that only the tempo put before the first onset and behind the last."""
    strengths = onsets[beats]
    sounding = np.flatnonzero(strengths > 0.5 * math.sqrt(float(np.square(strengths).sum()) / max(len(beats), 1)))
    if not sounding.size:
        return np.empty(0)
    return onset_seconds(beats[sounding[0] : sounding[-1] + 1])


def _bpm_of(beats: NDArray[np.float64], bpm: float) -> float:
    """Return the beats' mean tempo, which is finer than the grid; `bpm` itself when they do not follow it."""
    if len(beats) < 4:
        return bpm
    measured = 60 / float(np.polyfit(np.arange(len(beats)), beats, 1)[0])
    return measured if abs(measured / bpm - 1) < 0.03 else bpm
