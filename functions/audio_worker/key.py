"""The musical key, from how strong each pitch class is. An estimate."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PITCH_CLASSES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
MIN_CONFIDENCE = 0.2

# Where the fundamentals of most music lie: from a little under C2, for five octaves.
_LOWEST_HZ, _OCTAVES = 63.5, 5
_C2_HZ = 440 * 2 ** (-33 / 12)
# Pitches are kept in steps of a tenth of a semitone, to find the tuning afterwards.
_STEPS = 10
# A note keeps its pitch: two frames (100 ms) before, it was the same to two steps. A sweep and most of noise is not.
_HELD_FRAMES, _HELD_STEPS = 2, 2
_CLASSES = len(PITCH_CLASSES)
# Peaks this far under the loudest frequency of their window are noise, or the skirts of it.
_PEAK_RANGE_DB = 50.0
# Of a power; 0.5 would weigh by amplitude. Overtones, weaker than their notes, must not outweigh them (a fifth of the
# tonic above it); a loud bass must not outweigh the chord.
_WEIGHT_EXPONENT = 0.6
# A key needs at least this many pitch classes, each at least this strong beside the strongest.
_FEWEST_CLASSES, _CLASS_SHARE = 3, 0.1

# How well each pitch class fits a major and a minor key, from C: C. Krumhansl and E. Kessler, "Tracing the dynamic
# changes in perceived tonal organization", Psychological Review 89, 1982.
_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)


@dataclass(frozen=True)
class Key:
    """`name` is a pitch class, with `m` for minor; None where no key is found."""

    name: str | None
    confidence: float


class PitchMeter:
    """Adds up the strength of each pitch class, from the peaks of power spectra; one row per call of `add`."""

    def __init__(self, frequencies: NDArray[np.float64]) -> None:
        highest = _LOWEST_HZ * 2**_OCTAVES
        bins = np.flatnonzero((frequencies >= _LOWEST_HZ) & (frequencies < highest))
        self._bins = bins[(bins > 0) & (bins < len(frequencies) - 1)]
        self._bin_hz = float(frequencies[1])
        # Behind the last step, and so before the first, is room for the neighbours of both.
        self._pitches = _OCTAVES * _CLASSES * _STEPS + 2 * _STEPS
        self._before = np.zeros((_HELD_FRAMES, self._pitches), bool)
        self._rows: list[NDArray[np.float64]] = []

    def add(self, spectra: NDArray[np.float32]) -> None:
        frames, steps, weights = self._peaks(spectra.astype(np.float64))
        sounding = np.zeros((_HELD_FRAMES + len(spectra), self._pitches), bool)
        sounding[:_HELD_FRAMES] = self._before
        for near in range(-_HELD_STEPS, _HELD_STEPS + 1):
            sounding[_HELD_FRAMES + frames, steps + near] = True
        self._before = sounding[-_HELD_FRAMES:]
        held = sounding[frames, steps]
        histogram = np.zeros(_CLASSES * _STEPS)
        np.add.at(histogram, steps[held] % len(histogram), weights[held])
        self._rows.append(histogram)

    def rows(self) -> NDArray[np.float64]:
        """Return the strength of each pitch class by row, tuned as the whole signal is."""
        histograms = np.array(self._rows).reshape(-1, _CLASSES * _STEPS)
        return _folded(histograms, _tuning(histograms.sum(axis=0)))

    def _peaks(self, spectra: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
        """Return frame, pitch (in steps above C2) and weight of the spectral peaks."""
        below, here, above = spectra[:, self._bins - 1], spectra[:, self._bins], spectra[:, self._bins + 1]
        floor = spectra.max(axis=1, keepdims=True) * 10 ** (-_PEAK_RANGE_DB / 10)
        frames, place = np.nonzero((here > below) & (here >= above) & (here > floor) & (below > 0) & (above > 0))
        left, middle, right = (np.log(part[frames, place]) for part in (below, here, above))
        # A parabola through three logarithms finds the frequency between the bins.
        offset = 0.5 * (left - right) / (left - 2 * middle + right)
        pitches = 12 * np.log2((self._bins[place] + offset) * self._bin_hz / _C2_HZ)
        return frames, np.round(pitches * _STEPS).astype(np.intp), here[frames, place] ** _WEIGHT_EXPONENT


def find_key(classes: NDArray[np.float64]) -> Key:
    """Return the key that fits the strengths of the twelve pitch classes best.

    Confidence is how well it fits (the correlation), less where the classes hardly differ, as in noise.
    """
    strongest = classes.max(initial=0)
    if np.count_nonzero(classes > _CLASS_SHARE * strongest) < _FEWEST_CLASSES:
        return Key(None, 0.0)
    fits = {
        name + suffix: float(np.corrcoef(classes, np.roll(profile, shift))[0, 1])
        for suffix, profile in (("", _MAJOR), ("m", _MINOR))
        for shift, name in enumerate(PITCH_CLASSES)
    }
    best = max(fits, key=lambda name: fits[name])
    contrast = min(1.0, 2 * float(classes.std() / classes.mean()))
    confidence = max(fits[best], 0.0) * contrast
    return Key(best if confidence >= MIN_CONFIDENCE else None, confidence)


def _tuning(histogram: NDArray[np.float64]) -> float:
    """Return by how many steps the pitches lie above those of A4 = 440 Hz: the mean direction round a semitone."""
    around = np.exp(2j * np.pi * np.arange(len(histogram)) / _STEPS)
    mean = (histogram * around).sum()
    return float(np.angle(mean) / (2 * np.pi) * _STEPS)


def _folded(histograms: NDArray[np.float64], tuning: float) -> NDArray[np.float64]:
    """Sum the steps of each semitone; a step between two pitch classes counts for both in part."""
    steps = (np.arange(histograms.shape[1]) - tuning) / _STEPS
    distance = np.abs((steps[:, None] - np.arange(_CLASSES) + _CLASSES / 2) % _CLASSES - _CLASSES / 2)
    folded: NDArray[np.float64] = histograms @ np.maximum(1 - distance, 0)
    return folded
