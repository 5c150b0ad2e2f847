"""Tracks and what was measured of them: written into the database, as if they were uploaded and analysed."""

import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from functions.audio_worker.analysis import Analysis, AnalysisType, analyse
from tests.audio_worker import signals
from tests.audio_worker.signals import Signal
from tests.conftest import Database, User

# What a summary says at least.
FACTS: dict[str, Any] = {"channels": 2, "duration_ms": 240_000, "bpm": None, "bpm_confidence": 0, "sections": []}


def track(database: Database, user: User, name: str = "Mix", **columns: Any) -> str:
    """A track of the user's, which is in the bucket unless `status` says otherwise. Returns its id."""
    values = {
        "user_id": user.id,
        "name": name,
        "r2_key": f"{user.id}/audio/{uuid4()}.wav",
        "file_size_bytes": 1,
        "mime_type": "audio/wav",
        "status": "ready",
        **columns,
    }
    [row] = database.query(
        f"""
        WITH made AS (
            INSERT INTO reference_tracks ({", ".join(values)}) VALUES ({", ".join(["%s"] * len(values))}) RETURNING *
        )
        SELECT m.id, move_total('tracks', 'all', 1, owner => m.user_id, amount_change => m.file_size_bytes)
          FROM made AS m
        """,
        *values.values(),
    )
    return str(row["id"])


def summarize(database: Database, track_id: str, kind: str = "full", /, **summary: Any) -> str:
    """A completed analysis of a track with this summary and no frames. Returns its id."""
    [row] = database.query(
        """
        INSERT INTO track_analyses (user_id, track_id, analysis_type, version, status, progress, summary, started_at,
                                    completed_at)
        SELECT user_id, id, %s, '1', 'completed', 1, %s::jsonb, instant(), instant() FROM reference_tracks WHERE id = %s
        RETURNING id
        """,
        *(kind, json.dumps(FACTS | summary), track_id),
    )
    return str(row["id"])


def measure(signal: Signal, kind: AnalysisType = "full", rate: int = signals.RATE) -> Analysis:
    """What the worker measures of a signal."""
    return _measured(signals.float_wav(signal, rate), kind)


@cache
def _measured(content: bytes, kind: AnalysisType) -> Analysis:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "track.wav")
        path.write_bytes(content)
        return analyse(path, kind, "0" * 64)


def store(database: Database, track_id: str, analysis: Analysis) -> str:
    """A full analysis of a track, as the worker writes it. Returns its id."""
    analysis_id = summarize(database, track_id, "full", **analysis.summary)
    frames, events = analysis.frames, analysis.events
    assert frames is not None
    assert events is not None
    database.query(
        """
        INSERT INTO analysis_frame_manifests (
            user_id, analysis_id, hop_ms, frame_count, duration_ms, sample_rate, bands, frame_layout, bytes_per_frame,
            chunk_size_frames, total_chunks, fingerprint, analyzer_version)
        SELECT user_id, id, %s, %s, %s, %s, %s::jsonb, %s::jsonb, %s, %s, %s, %s, %s FROM track_analyses WHERE id = %s
        """,
        *(frames.hop_ms, frames.frame_count, frames.duration_ms, frames.sample_rate),
        *(json.dumps(frames.bands), json.dumps(frames.frame_layout), frames.bytes_per_frame),
        *(frames.chunk_size_frames, frames.total_chunks, frames.fingerprint, frames.analyzer_version, analysis_id),
    )
    for chunk in frames.chunks:
        database.query(
            """
            INSERT INTO analysis_frame_data (user_id, analysis_id, chunk_index, start_frame, end_frame, frame_data)
            SELECT user_id, id, %s, %s, %s, %s FROM track_analyses WHERE id = %s
            """,
            *(chunk.index, chunk.start_frame, chunk.end_frame, chunk.compressed, analysis_id),
        )
    for number, event in enumerate(events):
        database.query(
            """
            INSERT INTO analysis_events (user_id, analysis_id, seq, time_ms, event_type)
            SELECT user_id, id, %s, %s, %s FROM track_analyses WHERE id = %s
            """,
            *(number, event.time_ms, event.type, analysis_id),
        )
    return analysis_id
