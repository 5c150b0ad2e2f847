"""Sections of a track: where its sound changes for long. The labels are guesses from level and repetition."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from functions.audio_worker.cells import FRAMES_PER_SECOND, decibels

# A border parts two stretches of this length that sound different; no section is shorter than the second.
_CONTEXT_SECONDS = 8
_SHORTEST_SECONDS = 6
# Difference of two stretches, in dB over the bands (see `_difference`), from which on it is a border.
_BORDER_DB = 3.0
# A border also differs by this factor more than the seconds within both stretches do: a pattern is no border.
_STANDS_OUT = 1.25
# A change of all harmony counts as much as this difference of level in all bands.
_HARMONY_DB = 10.0
# Levels so far under the track's mean are not told apart: nobody hears them, and the skirts of a tone reach there.
_FLOOR = 1e-5
# Borders are found to the second; the exact place is looked for this far around.
_REFINE_SECONDS = 1.5
# A border this close to a downbeat is meant to be on it.
_SNAP_SECONDS = 0.3
# Sections that differ by less than this are the same part again.
_SAME_DB = 3.0
_QUIETER_DB = 2.0
_BREAKDOWN_DB = 8.0


@dataclass(frozen=True)
class Section:
    """From `start` to `end` in seconds. `label` is a section type of the regions."""

    start: float
    end: float
    label: str
    confidence: float


def find_sections(
    bands: NDArray[np.float32], classes: NDArray[np.float64], downbeats: NDArray[np.float64], duration: float
) -> list[Section]:
    """Return the sections from 0 to `duration`, or none where the track has no borders.

    `bands` are mean squares by frame (20 per second) and frequency band, `classes` the strengths of the pitch classes
    by second, times are in seconds.
    """
    bands = bands + max(_FLOOR * float(bands.mean()), 1e-12) if bands.size else bands
    features = _features(bands, classes)
    strengths = _novelty(features)
    borders = _borders(strengths)
    if not borders:
        return []
    seconds = [0, *borders, len(features)]
    parts = [features[first:last].mean(axis=0) for first, last in pairwise(seconds)]
    times = [0.0, *(_refined(border, bands, downbeats) for border in borders), duration]
    sure = [1.0, *(float(1 - np.exp(-strengths[border] / _HARMONY_DB)) for border in borders), 1.0]
    powers = [bands[a * FRAMES_PER_SECOND : b * FRAMES_PER_SECOND].mean() for a, b in pairwise(seconds)]
    levels = decibels(np.array(powers, np.float64)).tolist()
    return [
        Section(start, end, label, min(confidence))
        for (start, end), label, confidence in zip(pairwise(times), _labels(parts, levels), pairwise(sure), strict=True)
    ]


def _features(bands: NDArray[np.float32], classes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return one row per whole second: the level of each band in dB, then the share of each pitch class, scaled."""
    seconds = min(len(bands) // FRAMES_PER_SECOND, len(classes))
    powers = bands[: seconds * FRAMES_PER_SECOND].reshape(seconds, FRAMES_PER_SECOND, bands.shape[1]).mean(axis=1)
    levels = decibels(powers.astype(np.float64))
    shares = classes[:seconds] / np.maximum(classes[:seconds].sum(axis=1, keepdims=True), 1e-12)
    # So that `_difference` is the root of the mean square over the bands, and one of all harmony is _HARMONY_DB.
    return np.concatenate([levels / np.sqrt(levels.shape[1]), shares * _HARMONY_DB], axis=1)


def _difference(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(np.linalg.norm(a - b))


def _novelty(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each second how much the stretch behind it differs from the one before it; 0 where it is no border."""
    strengths = np.zeros(len(features))
    for second in range(_SHORTEST_SECONDS, len(features) - _SHORTEST_SECONDS + 1):
        before = features[max(second - _CONTEXT_SECONDS, 0) : second]
        behind = features[second : second + _CONTEXT_SECONDS]
        difference = _difference(before.mean(axis=0), behind.mean(axis=0))
        scatter = np.sqrt((before.var(axis=0).sum() + behind.var(axis=0).sum()) / 2)
        if difference > max(_BORDER_DB, _STANDS_OUT * scatter):
            strengths[second] = difference
    return strengths


def _borders(strengths: NDArray[np.float64]) -> list[int]:
    """Return the seconds with the greatest differences, the strongest taken first, none too close to another."""
    borders: list[int] = []
    for second in np.argsort(-strengths, kind="stable")[: np.count_nonzero(strengths)].tolist():
        around = strengths[max(second - _SHORTEST_SECONDS + 1, 0) : second + _SHORTEST_SECONDS]
        if strengths[second] == around.max() and all(abs(second - other) >= _SHORTEST_SECONDS for other in borders):
            borders.append(second)
    return sorted(borders)


def _refined(second: int, bands: NDArray[np.float32], downbeats: NDArray[np.float64]) -> float:
    """Return the time of a border: the frame near it between whose neighbouring seconds the level changes most."""
    reach = round(_REFINE_SECONDS * FRAMES_PER_SECOND)
    first = max(second * FRAMES_PER_SECOND - reach, FRAMES_PER_SECOND)
    last = min(second * FRAMES_PER_SECOND + reach, len(bands) - FRAMES_PER_SECOND)
    levels = decibels(bands[first - FRAMES_PER_SECOND : last + FRAMES_PER_SECOND].astype(np.float64))
    changes = [
        _difference(levels[at - FRAMES_PER_SECOND : at].mean(axis=0), levels[at : at + FRAMES_PER_SECOND].mean(axis=0))
        for at in range(FRAMES_PER_SECOND, FRAMES_PER_SECOND + last - first)
    ]
    time = (first + int(np.argmax(changes))) / FRAMES_PER_SECOND
    near = downbeats[np.abs(downbeats - time) <= _SNAP_SECONDS]
    return float(near[np.abs(near - time).argmin()]) if near.size else time


def _labels(parts: list[NDArray[np.float64]], levels: list[float]) -> list[str]:
    """Name the sections: a quieter start and end, the loudest repeated part, what is much quieter, and the rest."""
    kinds = _kinds(parts)
    loudest = max(levels)
    usual = float(np.median(levels))
    labels = [""] * len(parts)
    if levels[0] < usual - _QUIETER_DB or kinds.count(kinds[0]) == 1:
        labels[0] = "intro"
    if levels[-1] < usual - _QUIETER_DB or kinds.count(kinds[-1]) == 1:
        labels[-1] = "outro"
    inner = [index for index, label in enumerate(labels) if not label]
    level_of = {kind: max(levels[i] for i in inner if kinds[i] == kind) for kind in {kinds[i] for i in inner}}
    chorus = max(level_of, key=lambda kind: (kinds.count(kind) > 1, level_of[kind])) if len(level_of) > 1 else None
    for index in inner:
        once = kinds.count(kinds[index]) == 1
        if kinds[index] == chorus:
            labels[index] = "chorus"
        elif once and levels[index] < loudest - _BREAKDOWN_DB:
            labels[index] = "breakdown"
        elif once and "chorus" in labels[:index]:
            labels[index] = "bridge"
        else:
            labels[index] = "verse"
    return labels


def _kinds(parts: list[NDArray[np.float64]]) -> list[int]:
    """Give parts that sound the same the same number."""
    kinds: list[int] = []
    for index, part in enumerate(parts):
        nearest = min(range(index), key=lambda other: _difference(part, parts[other]), default=index)
        same = nearest < index and _difference(part, parts[nearest]) < _SAME_DB
        kinds.append(kinds[nearest] if same else max(kinds, default=-1) + 1)
    return kinds
