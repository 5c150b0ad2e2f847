"""The events of an analysis: what happens when."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from functions.audio_worker.cells import FINE_PER_SECOND
from functions.audio_worker.levels import Levels
from functions.audio_worker.onsets import onset_seconds
from functions.audio_worker.sections import Section
from functions.audio_worker.tempo import Tempo

MAX_EVENTS = 30_000
BEATS_PER_BAR = 4

# A transient is the highest onset strength within 50 ms before and behind it, and stands out of its second: over this
# many times its median, which the strengths of steady noise do not reach, and over what a faint click has.
_TRANSIENT_REACH = 5
_TRANSIENT_FACTOR, _FAINTEST_TRANSIENT = 6.0, 0.01
# Which events are left out first when there are too many; within a type the weakest go first.
_CUT_FIRST = ("transient", "silence")


@dataclass(frozen=True)
class Event:
    """One event. `confidence` is 0 to 1; `duration_ms`, `confidence` and `data` are None where they say nothing."""

    type: str
    time_ms: int
    duration_ms: int | None = None
    confidence: float | None = None
    data: dict[str, str | float] | None = None


def find_downbeats(beats: NDArray[np.float64], bass: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the indexes of the beats that open a bar of four: those where the bass begins most strongly.

    `beats` in seconds, `bass` as onset strength per 10 ms.
    """
    if not beats.size:
        return np.empty(0, np.intp)
    frames = np.clip((beats * FINE_PER_SECOND).astype(np.intp), 2, len(bass) - 3)
    strengths = np.max([bass[frames + near] for near in range(-2, 3)], axis=0)
    first = int(np.argmax([strengths[phase::BEATS_PER_BAR].mean() for phase in range(min(BEATS_PER_BAR, len(beats)))]))
    return np.arange(first, len(beats), BEATS_PER_BAR)


def find_transients(strengths: NDArray[np.float64], duration: float) -> list[Event]:
    """Return the moments at which something begins, from one onset strength per 10 ms.

    What begins at `duration` (seconds) is the click of a sound that the file cuts off: it is left out.
    """
    if not strengths.size:
        return []
    padded = np.pad(strengths, _TRANSIENT_REACH)
    highest = np.lib.stride_tricks.sliding_window_view(padded, 2 * _TRANSIENT_REACH + 1).max(axis=1)
    seconds = [strengths[start : start + FINE_PER_SECOND] for start in range(0, len(strengths), FINE_PER_SECOND)]
    medians = np.repeat([np.median(second) for second in seconds], [len(second) for second in seconds])
    found = np.flatnonzero((strengths == highest) & (strengths > _TRANSIENT_FACTOR * medians + _FAINTEST_TRANSIENT))
    scale = float(strengths[found].max(initial=0))
    return [
        Event("transient", round(1000 * time), confidence=round(strength / scale, 3))
        for time, strength in zip(onset_seconds(found).tolist(), strengths[found].tolist(), strict=True)
        if time < duration
    ]


def all_events(
    *,
    levels: Levels,
    sample_rate: int,
    tempo: Tempo,
    downbeats: NDArray[np.intp],
    transients: list[Event],
    sections: list[Section],
) -> list[Event]:
    """Return all events of a track in the order of time, at most MAX_EVENTS. `downbeats` are indexes of beats."""
    duration_ms = round(1000 * levels.samples / sample_rate)
    beats = [min(round(1000 * beat), duration_ms) for beat in tempo.beats.tolist()]
    events = [Event("beat", time, confidence=round(tempo.confidence, 3)) for time in beats]
    events += [Event("downbeat", beats[index]) for index in downbeats.tolist()]
    events += transients
    for section in sections:
        data: dict[str, str | float] = {"label": section.label}
        start, end, sure = round(1000 * section.start), round(1000 * section.end), round(section.confidence, 3)
        events += [Event("section_start", start, None, sure, data), Event("section_end", end, None, sure, data)]
    for first, last in levels.silences:
        start, end = (round(1000 * sample / sample_rate) for sample in (first, last))
        events.append(Event("silence", start, end - start))
    if levels.peak_sample is not None:
        level = round(20 * math.log10(levels.peak), 2)
        events.append(Event("peak", 1000 * levels.peak_sample // sample_rate, data={"level_dbfs": level}))
    return _limited(events)


def _limited(events: list[Event]) -> list[Event]:
    """Return at most MAX_EVENTS events in the order of time."""
    excess = len(events) - MAX_EVENTS
    for kind in _CUT_FIRST:
        if excess > 0:
            weakest = sorted((event for event in events if event.type == kind), key=_weight)[:excess]
            dropped = set(map(id, weakest))
            events = [event for event in events if id(event) not in dropped]
            excess -= len(weakest)
    return sorted(events, key=lambda event: event.time_ms)


def _weight(event: Event) -> float:
    return event.confidence if event.confidence is not None else float(event.duration_ms or 0)
