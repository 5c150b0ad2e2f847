"""The frames of an analysis, read back: how loud a region is, and what else is measured of it (audio contract, 3, 5).

A frame is 32 little-endian float32 in the order of the contract. Its loudness is that of the 400 ms before its end.
"""

import math
import sys
import zlib
from array import array
from collections.abc import Iterable, Sequence
from operator import mul
from typing import Final, NamedTuple

from functions.listening.models import FrameRow, Span
from functions.listening.note_models import Metrics

NUMBERS: Final = 32
_LOUDNESS, _RMS, _PEAK, _CORRELATION, _SPECTRUM = 0, 1, 2, 7, 8
_BLOCK_MS: Final = 400
_STEP_MS: Final = 100
# EBU R 128 by ITU-R BS.1770-5, annex 1: what counts is above -70 LUFS, and above 10 LU under the mean of that.
_ABSOLUTE_GATE: Final = -70.0
_RELATIVE_GATE: Final = -10.0
# The lowest level in a frame; it stands for silence.
_FLOOR_DB: Final = -120.0


class Frames(NamedTuple):
    """Frames that follow each other, of which the first has the number `first`; its track lasts `duration_ms`."""

    hop_ms: int
    duration_ms: int
    first: int
    numbers: "array[float]"

    @property
    def frame_count(self) -> int:
        return len(self.numbers) // NUMBERS

    def column(self, index: int) -> "array[float]":
        """One number of each frame."""
        return self.numbers[index::NUMBERS]


def read(rows: Sequence[FrameRow]) -> Frames | None:
    """The frames that these chunks hold, which follow each other; None where there is no chunk."""
    if not rows:
        return None
    numbers = array("f")
    for row in rows:
        numbers.frombytes(zlib.decompress(row.frame_data))
    if sys.byteorder == "big":
        numbers.byteswap()
    return Frames(rows[0].hop_ms, rows[0].duration_ms, rows[0].start_frame, numbers)


def region_loudness(frames: Frames | None, span: Span) -> float | None:
    """Return the gated loudness in LUFS of a region; None when it is silent, or holds no block of 400 ms."""
    return None if frames is None else gated_loudness(_blocks(frames, span, _STEP_MS))


def gated_loudness(blocks: Iterable[float]) -> float | None:
    """Return the gated loudness in LUFS of blocks of this loudness (BS.1770-5, annex 1); None if there are none."""
    gated = [10 ** (block / 10) for block in blocks if block > _ABSOLUTE_GATE]
    if not gated:
        return None
    threshold = 10 ** (_RELATIVE_GATE / 10) * sum(gated) / len(gated)
    loud = [power for power in gated if power > threshold]
    return _decibels(sum(loud) / len(loud))


def metrics(frames: Frames | None, span: Span, channels: int) -> Metrics:
    """Return the measures of a region. A frame that is partly in it counts in part; its peak counts as a whole."""
    found = Metrics(
        from_ms=span.start_time_ms,
        to_ms=span.end_time_ms,
        integrated_lufs=None,
        max_momentary_lufs=None,
        sample_peak_dbfs=None,
        rms_dbfs=None,
        crest_db=None,
        correlation=None,
        spectrum_db=None,
    )
    if frames is None:
        return found
    found["integrated_lufs"] = region_loudness(frames, span)
    momentary = max(_blocks(frames, span, frames.hop_ms), default=_ABSOLUTE_GATE)
    found["max_momentary_lufs"] = round(momentary, 2) if momentary > _ABSOLUTE_GATE else None
    inside, weights = _part(frames, span)
    peak = max(inside.column(_PEAK), default=_FLOOR_DB)
    if peak <= _FLOOR_DB:
        return found
    powers = _Powers()
    rms = _mean_level(inside.column(_RMS), weights, powers)
    found |= {
        "sample_peak_dbfs": round(peak, 2),
        "rms_dbfs": rms,
        "crest_db": round(peak - rms, 2),
        "correlation": _correlation(inside, weights, powers) if channels > 1 else None,
        "spectrum_db": [_mean_level(inside.column(number), weights, powers) for number in range(_SPECTRUM, NUMBERS)],
    }
    return found


def _blocks(frames: Frames, span: Span, step_ms: int) -> Iterable[float]:
    """The loudness of the blocks of 400 ms that lie in a region, one every `step_ms`, from the earliest on."""
    hop = frames.hop_ms
    loudness = frames.column(_LOUDNESS)
    # The loudness of frame n is that of the 400 ms before (n + 1) * hop.
    earliest = -(-(span.start_time_ms + _BLOCK_MS) // hop) - 1
    last = min(span.end_time_ms, frames.duration_ms) // hop - 1
    step = max(1, step_ms // hop)
    return (loudness[number - frames.first] for number in range(earliest, last + 1, step))


def _part(frames: Frames, span: Span) -> tuple[Frames, list[int]]:
    """The frames that lie in a region, in part at least, and how many ms of each."""
    hop = frames.hop_ms
    start, end = span.start_time_ms, min(span.end_time_ms, frames.duration_ms)
    numbered = range(max(start // hop, frames.first), min(-(-end // hop), frames.first + frames.frame_count))
    weights = [min(end, (number + 1) * hop) - max(start, number * hop) for number in numbered]
    first = NUMBERS * (numbered.start - frames.first)
    numbers = frames.numbers[first : first + NUMBERS * len(numbered)]
    return frames._replace(first=numbered.start, numbers=numbers), weights


class _Powers(dict[float, float]):
    """The power of each level in dB. Levels are rounded to 0.1 dB, so there are few of them, each worked out once."""

    def __missing__(self, level: float) -> float:
        self[level] = 10 ** (level / 10) if level > _FLOOR_DB else 0.0
        return self[level]


def _correlation(frames: Frames, weights: Sequence[int], powers: _Powers) -> float | None:
    """The frames' correlations, each by its energy; None where every frame is silent on one side."""
    levels = zip(frames.column(_CORRELATION), frames.column(_RMS), weights, strict=True)
    energies = [(value, powers[level] * weight) for value, level, weight in levels if value]
    total = sum(energy for _, energy in energies)
    return round(sum(value * energy for value, energy in energies) / total, 3) if total else None


def _mean_level(levels: Iterable[float], weights: Sequence[int], powers: _Powers) -> float:
    """The level in dB of the mean power of levels, each with its weight; the floor where all of them are at it."""
    power = sum(map(mul, map(powers.__getitem__, levels), weights))
    return max(_decibels(power / sum(weights)), _FLOOR_DB) if power else _FLOOR_DB


def _decibels(power: float) -> float:
    return round(10 * math.log10(power), 2)
