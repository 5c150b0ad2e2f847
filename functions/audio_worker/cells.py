"""Cells: the fixed parts of a second that samples are summed over, so that nothing grows with the samples themselves.

A block holds one second (see decoding.Block), so each block is cut into the same cells. Cell k of n in a second begins
at sample floor(k * rate / n): cells differ by one sample where the rate is no multiple of n, and no error adds up.
"""

import numpy as np
from numpy.typing import NDArray

# Momentary loudness must move in steps this fine: EBU Tech 3341 case 13 shifts bursts of 400 ms by 20 ms.
FINE_PER_SECOND = 100
# The shortest frame of an analysis is 50 ms.
FRAMES_PER_SECOND = 20


def cell_starts(sample_rate: int, per_second: int, samples: int) -> NDArray[np.intp]:
    """Return the first sample of each cell in a block of that many samples."""
    starts = np.arange(per_second, dtype=np.intp) * sample_rate // per_second
    return starts[starts < samples]


def cell_sizes(sample_rate: int, per_second: int, samples: int) -> NDArray[np.intp]:
    """Return how many samples each cell has in a whole stream of that many samples; the last cell may be short."""
    cells = -(-samples * per_second // sample_rate)
    edges = np.arange(cells + 1, dtype=np.intp) * sample_rate // per_second
    edges[-1:] = samples
    return np.diff(edges)


def decibels(power: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 10 log10 of mean squares; -inf for 0."""
    with np.errstate(divide="ignore"):
        return 10 * np.log10(power)
