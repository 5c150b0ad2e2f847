"""What follows from a track, an analysis and its frames: pure functions."""

import base64
import zlib
from collections.abc import Mapping
from typing import Any, Final, cast

from functions.reference.models import Chunk, Event, Manifest, Paging, StoredChunk, Window

# The canonical types and the extension of each (audio contract, 1.2).
EXTENSIONS: Final = {
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "audio/flac": "flac",
    "audio/ogg": "ogg",
    "audio/opus": "opus",
    "audio/mp4": "m4a",
    "audio/aac": "aac",
    "audio/webm": "webm",
    "audio/aiff": "aif",
}
_ALIASES: Final = {
    "audio/mp3": "audio/mpeg",
    "audio/x-mp3": "audio/mpeg",
    "audio/mpeg3": "audio/mpeg",
    "audio/wave": "audio/wav",
    "audio/x-wav": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/x-flac": "audio/flac",
    "application/ogg": "audio/ogg",
    "audio/m4a": "audio/mp4",
    "audio/x-m4a": "audio/mp4",
    "audio/x-aac": "audio/aac",
    "audio/aacp": "audio/aac",
    "video/webm": "audio/webm",
    "audio/x-aiff": "audio/aiff",
}
# Types that do not tell the format: the extension of the file's name decides.
_VAGUE: Final = {"", "application/octet-stream", "video/mp4", "video/ogg"}
_BY_EXTENSION: Final = {
    **{extension: mime_type for mime_type, extension in EXTENSIONS.items()},
    "wave": "audio/wav",
    "oga": "audio/ogg",
    "mp4": "audio/mp4",
    "aiff": "audio/aiff",
    "aifc": "audio/aiff",
}


def canonical_type(mime_type: str, filename: str) -> str | None:
    """The canonical type of a declared one, by the file's name where it says too little; None for what is no audio."""
    declared = mime_type.partition(";")[0].strip().lower()
    declared = _ALIASES.get(declared, declared)
    if declared in EXTENSIONS:
        return declared
    if declared in _VAGUE or declared.startswith("audio/"):
        stem, _, extension = filename.rpartition(".")
        return _BY_EXTENSION.get(extension.lower()) if stem else None
    return None


def paging(total: int, page: int, page_size: int) -> Paging:
    """Where a page of a list of `total` items stands."""
    return {
        "total": total,
        "page": page,
        "page_size": page_size,
        "has_next": page * page_size < total,
        "has_prev": page > 1,
    }


def peaks(waveform: list[float], points: int) -> list[float]:
    """The waveform with at most as many points as it has: each is the largest of the slices it covers.

    Without samples there is no waveform, and every point is 0.
    """
    if not waveform:
        return [0.0] * points
    slices = len(waveform)
    return [max(waveform[i * slices // points : -(-(i + 1) * slices // points)]) for i in range(points)]


# Frames ---------------------------------------------------------------------------------------------------------------


def frames_within(manifest: Manifest, from_ms: int, to_ms: int) -> range:
    """The frames that a span of time touches; empty behind the end."""
    first = min(from_ms // manifest.hop_ms, manifest.frame_count)
    return range(first, min(-(-to_ms // manifest.hop_ms), manifest.frame_count))


def chunk_of(stored: StoredChunk, manifest: Manifest, wanted: range | None = None) -> Chunk:
    """A stored chunk for the wire, cut to those of the wanted frames that it holds."""
    start, end = stored.start_frame, stored.end_frame
    if wanted is not None:
        start, end = max(start, wanted.start), min(end, wanted.stop)
    size = manifest.bytes_per_frame
    data = zlib.decompress(stored.frame_data)[(start - stored.start_frame) * size : (end - stored.start_frame) * size]
    return {
        "chunk_index": stored.chunk_index,
        "start_frame": start,
        "end_frame": end,
        "start_time_ms": start * manifest.hop_ms,
        "end_time_ms": end * manifest.hop_ms,
        "frame_count": end - start,
        "data_base64": base64.b64encode(data).decode(),
    }


def window(manifest: Manifest, stored: list[StoredChunk], from_ms: int, to_ms: int) -> Window:
    """The frames of a span of time, of the stored chunks that hold any of them."""
    wanted = frames_within(manifest, from_ms, to_ms)
    return {
        "manifest": manifest,
        "requested_range": {"from_ms": from_ms, "to_ms": to_ms},
        "actual_range": {
            "from_ms": wanted.start * manifest.hop_ms,
            "to_ms": wanted.stop * manifest.hop_ms,
        },
        # The last chunk is asked for up to its full length, which it may not have.
        "chunks": [chunk_of(chunk, manifest, wanted) for chunk in stored if chunk.end_frame > wanted.start],
        "total_frames": len(wanted),
        "total_bytes": len(wanted) * manifest.bytes_per_frame,
    }


def event_of(row: Mapping[str, Any]) -> Event:
    """A stored event for the wire: what is not known of it is left out."""
    known = {name: row[name] for name in ("duration_ms", "confidence", "data") if row[name] is not None}
    return cast("Event", {"type": row["event_type"], "time_ms": row["time_ms"], **known})
