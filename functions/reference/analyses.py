"""The routes of analyses, and of what is known of a file by its bytes (audio contract, section 2)."""

from uuid import UUID

from questlog.api import Api
from questlog.db import Db
from questlog.errors import Conflict
from questlog.release import ANALYZER_VERSION

from functions.reference import nudge, objects, rules
from functions.reference.models import (
    Analyses,
    Analysis,
    AnalysisQuery,
    CachedAnalysis,
    CacheQuery,
    Found,
    NewAnalysis,
    NewCachedAnalysis,
    Track,
    Waveform,
    WaveformQuery,
    WaveformRow,
)

api = Api(__file__, queries="analyses.sql")


@api.post("/reference/tracks/{track_id}/analysis", envelope=False, errors={409: ["not_uploaded", "quota_exceeded"]})
def start(db: Db, track_id: UUID, body: NewAnalysis) -> Analysis:
    """Have a track measured. What is under way, or was measured already, is returned unless `force` is set.

    Two trips to the database where the file has arrived since the registration; 409 not_uploaded where it has not.
    """
    wanted = {"track_id": track_id, "version": ANALYZER_VERSION, **body.model_dump()}
    track, started = db.each((Track, list[Analysis]), "start", **wanted)
    if not started:
        started = [_started_on_arrival(db, track, wanted)]
    [analysis] = started
    if analysis.status == "pending":
        nudge.worker(analysis.id)
    return analysis


def _started_on_arrival(db: Db, track: Track, wanted: dict[str, object]) -> Analysis:
    found = objects.look(track.r2_key)
    if found is None:
        raise Conflict("not_uploaded", "The file of this track has not been uploaded yet.")
    with objects.deleted_without_room(track.r2_key):
        return db.one(Analysis, "arrive_and_start", size=found.size, **found.sound._asdict(), **wanted)


@api.get("/reference/tracks/{track_id}/analysis", envelope=False)
def latest(db: Db, track_id: UUID, query: AnalysisQuery) -> Analysis:
    """Return the newest completed analysis of a track, or the newest of any status when none is completed."""
    return db.one(Analysis, "latest", track_id=track_id, type=query.type)


@api.get("/reference/tracks/{track_id}/analyses", envelope=False)
def analyses(db: Db, track_id: UUID) -> Analyses:
    """List the analyses of a track, newest first, at most 100."""
    _, found = db.each((Found, list[Analysis]), "analyses", track_id=track_id)
    return {"analyses": found}


@api.get("/reference/tracks/{track_id}/waveform", envelope=False)
def waveform(db: Db, track_id: UUID, query: WaveformQuery) -> Waveform:
    """Return the largest absolute samples of so many slices of the track; 404 until an analysis is completed."""
    row = db.one(WaveformRow, "waveform", track_id=track_id)
    return {
        "peaks": rules.peaks(row.waveform, query.points),
        "duration_seconds": row.duration_ms / 1000,
        "sample_rate": row.sample_rate,
        "generated_at": row.completed_at,
    }


@api.get("/analysis", errors={404: ["not_found"]})
def cached(db: Db, query: CacheQuery) -> CachedAnalysis:
    """Return what is known of a file, by the SHA-256 of its bytes or by a track that has them."""
    return db.one(CachedAnalysis, "cached", **query.model_dump())


@api.post("/analysis")
def cache(db: Db, body: NewCachedAnalysis) -> CachedAnalysis:
    """Keep what a client measured of a file that never leaves the device. What the server measured is not replaced."""
    return db.one(CachedAnalysis, "cache", sent=body.model_dump(mode="json"))
