"""The frames of an analysis: 32 numbers for each 50 to 200 ms, packed for the wire (audio contract, section 5)."""

import hashlib
import json
import zlib
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from functions.audio_worker.cells import FINE_PER_SECOND, FRAMES_PER_SECOND, decibels
from functions.audio_worker.levels import CellLevels
from functions.audio_worker.spectrum import SPECTRUM_BANDS

MANIFEST_VERSION = "1.0"
CHUNK_FRAMES = 1000
FLOOR_DB = -120.0
LOUDNESS_RANGE = (-70.0, 20.0)
_CELL_MS = 1000 // FRAMES_PER_SECOND
# Longest duration for each frame length, so that a whole track stays under 6 MB of JSON.
_HOPS = ((20 * 60_000, 50), (45 * 60_000, 100))
_LONGEST_HOP_MS = 200


@dataclass(frozen=True)
class _Band:
    """One entry of the manifest's `bands`; `size` numbers in each frame."""

    name: str
    description: str
    unit: str | None
    min_value: float
    max_value: float | None = None
    size: int = 1

    def described(self) -> dict[str, str | int | float]:
        """Return the entry; what is not known is absent."""
        known = {key: value for key, value in asdict(self).items() if value is not None}
        return {"data_type": "float32", **known}


_BANDS = (
    _Band("loudness", "Momentary loudness of the 400 ms before the end of the frame", "LUFS", *LOUDNESS_RANGE),
    _Band("rms", "RMS over all channels", "dBFS", FLOOR_DB),
    _Band("peak", "Largest absolute sample of all channels", "dBFS", FLOOR_DB),
    _Band("crest_factor", "Peak less RMS", "dB", 0.0),
    _Band("low", "Level from 20 to 250 Hz", "dBFS", FLOOR_DB),
    _Band("mid", "Level from 250 to 4000 Hz", "dBFS", FLOOR_DB),
    _Band("high", "Level from 4000 to 20000 Hz", "dBFS", FLOOR_DB),
    _Band("correlation", "Correlation of the first two channels, 0 where there is none", None, -1.0, 1.0),
    _Band("spectrum", "Levels of log-spaced bands from 40 Hz to 16 kHz", "dBFS", FLOOR_DB, size=SPECTRUM_BANDS),
)
_BYTES_PER_NUMBER = 4
BYTES_PER_FRAME = _BYTES_PER_NUMBER * sum(band.size for band in _BANDS)


@dataclass(frozen=True)
class Chunk:
    """Frames `start_frame` to `end_frame` (exclusive): little-endian float32, compressed by zlib."""

    index: int
    start_frame: int
    end_frame: int
    compressed: bytes


@dataclass(frozen=True)
class Frames:
    """All frames of an analysis, with the fields of its manifest."""

    hop_ms: int
    frame_count: int
    duration_ms: int
    sample_rate: int
    fingerprint: str
    analyzer_version: str
    bands: list[dict[str, str | int | float]]
    frame_layout: list[dict[str, str | int]]
    bytes_per_frame: int
    chunk_size_frames: int
    total_chunks: int
    chunks: list[Chunk]


def hop_ms_for(duration_ms: int) -> int:
    """Return the length of a frame in ms."""
    return next((hop for longest, hop in _HOPS if duration_ms <= longest), _LONGEST_HOP_MS)


def frame_ends(duration_ms: int) -> NDArray[np.intp]:
    """Return the ends of all frames, in cells of 10 ms."""
    hop = hop_ms_for(duration_ms)
    return np.arange(1, -(-duration_ms // hop) + 1, dtype=np.intp) * (hop * FINE_PER_SECOND // 1000)


def build_frames(
    cells: CellLevels,
    bands: NDArray[np.float32],
    momentary: NDArray[np.float64],
    *,
    duration_ms: int,
    sample_rate: int,
    content_sha256: str,
    analyzer_version: str,
) -> Frames:
    """Pack the frames.

    `bands` are mean squares by cell of 50 ms, in the order of the manifest; `momentary` is the loudness before each of
    `frame_ends`.
    """
    hop = hop_ms_for(duration_ms)
    table = _table(cells, bands, momentary, hop // _CELL_MS)
    layout = _layout()
    chunks = [
        Chunk(index, start, end := min(start + CHUNK_FRAMES, len(table)), zlib.compress(table[start:end].tobytes()))
        for index, start in enumerate(range(0, len(table), CHUNK_FRAMES))
    ]
    return Frames(
        hop_ms=hop,
        frame_count=len(table),
        duration_ms=duration_ms,
        sample_rate=sample_rate,
        fingerprint=_fingerprint(content_sha256, analyzer_version, hop, layout),
        analyzer_version=analyzer_version,
        bands=[band.described() for band in _BANDS],
        frame_layout=layout,
        bytes_per_frame=BYTES_PER_FRAME,
        chunk_size_frames=CHUNK_FRAMES,
        total_chunks=len(chunks),
        chunks=chunks,
    )


def _table(
    cells: CellLevels, bands: NDArray[np.float32], momentary: NDArray[np.float64], merged: int
) -> NDArray[np.float32]:
    """Return one row of 32 numbers per frame of `merged` cells; as many rows as `momentary` has values."""
    starts = np.arange(len(momentary)) * merged
    if not len(starts):
        return np.empty((0, BYTES_PER_FRAME // _BYTES_PER_NUMBER), "<f4")
    # A duration is rounded to ms: what lies behind the last frame is shorter than that, and is left out.
    last = min(len(cells.samples), len(momentary) * merged)
    samples, energy, left, right, product = (
        np.add.reduceat(sums[:last], starts)
        for sums in (cells.samples, cells.energy, cells.left, cells.right, cells.product)
    )
    rms = _level(energy / samples)
    peak = _level(np.square(np.maximum.reduceat(cells.peak[:last], starts)))
    counts = np.diff([*starts, last])[:, None]
    levels = _level(np.add.reduceat(bands[:last].astype(np.float64), starts) / counts)
    scale = np.sqrt(left) * np.sqrt(right)
    correlation = (product / np.where(scale > 0, scale, 1)).clip(-1, 1)
    columns = [momentary.clip(*LOUDNESS_RANGE), rms, peak, np.maximum(peak - rms, 0)]
    table = np.column_stack([*columns, levels[:, :3], correlation, levels[:, 3:]])
    # Levels are rounded to 0.1 dB, which lets zlib halve them; a correlation needs more.
    rounded = table.round(1)
    rounded[:, len(columns) + 3] = correlation.round(3)
    return rounded.astype("<f4")


def _level(power: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.maximum(decibels(power), FLOOR_DB)


def _layout() -> list[dict[str, str | int]]:
    layout: list[dict[str, str | int]] = []
    offset = 0
    for band in _BANDS:
        byte_size = band.size * _BYTES_PER_NUMBER
        layout.append({"band_name": band.name, "byte_offset": offset, "byte_size": byte_size})
        offset += byte_size
    return layout


def _fingerprint(content_sha256: str, version: str, hop: int, layout: list[dict[str, str | int]]) -> str:
    """Return the SHA-256, in hex, of all that the frames' bytes depend on."""
    parts = [content_sha256, version, {"hop_ms": hop, "chunk_size_frames": CHUNK_FRAMES, "frame_layout": layout}]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
