"""Comparing two tracks: gains for equal loudness, differences, votes (audio contract, 4.1)."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, TypeAlias
from uuid import UUID

from functions.listening import frames
from functions.listening.comparison_models import (
    ComparedRegion,
    ComparedSpan,
    ComparedTrack,
    Comparison,
    ComparisonRow,
    Deltas,
    Match,
    MeasureRow,
    Tally,
    Vote,
    VoteRow,
)
from functions.listening.models import FrameRow, Span

Summary: TypeAlias = Mapping[str, Any]

# No boost takes a true peak over this (EBU R 128: -1 dBTP).
_CEILING_DBTP: Final = -1.0
# A mono file is played by both loudspeakers, which adds 10 log10 2.
_MONO_LU: Final = 3.01
# The lowest level of a band of the spectrum; it stands for silence.
_FLOOR_DB: Final = -120.0


class Gains(NamedTuple):
    """Gains in dB for both sides, and whether they had to be lowered to keep peaks under the ceiling."""

    a: float
    b: float
    limited: bool


class Measured(NamedTuple):
    """What the statements found about comparisons: summaries by track, and the loudness of regions in LUFS."""

    summaries: Mapping[UUID, MeasureRow]
    regions: Mapping[UUID, float | None]


def measured(measures: Sequence[MeasureRow], chunks: Sequence[FrameRow]) -> Measured:
    """The measures of the tracks, and of the regions that these frames are of; the frames are in the order of time."""
    by_region: dict[UUID, list[FrameRow]] = {}
    for chunk in chunks:
        by_region.setdefault(chunk.region_id, []).append(chunk)
    regions = {
        region: frames.region_loudness(frames.read(rows), Span(rows[0].from_ms, rows[0].to_ms))
        for region, rows in by_region.items()
    }
    return Measured({measure.track_id: measure for measure in measures}, regions)


def comparison(row: ComparisonRow, found: Measured) -> Comparison:
    """A comparison as the wire shows it: while it is blind, nothing in it reveals which of X and Y is A."""
    tallied = tally(row.votes_a, row.votes_b, row.votes_tie)
    return {
        "id": row.id,
        "user_id": row.user_id,
        "name": row.name,
        "track_a": _track(row.track_a_id, row.name_a, row.artist_a, row.duration_a, row.status_a),
        "track_b": _track(row.track_b_id, row.name_b, row.artist_b, row.duration_b, row.status_b),
        "region_a": _region(row.region_a_id, row.region_name_a, row.start_a, row.end_a),
        "region_b": _region(row.region_b_id, row.region_name_b, row.start_b, row.end_b),
        "offset_ms": row.offset_ms,
        "match_mode": row.match_mode,
        "target_lufs": row.target_lufs,
        "blind": row.blind,
        "revealed": row.revealed,
        "trial": row.trial,
        "switch_interval_ms": row.switch_interval_ms,
        "notes": row.notes,
        "verdict": row.verdict,
        "match": match(row, found),
        "deltas": None if row.hidden else deltas(row, found),
        "tally": Tally(total=tallied["total"], a=None, b=None, tie=None, p_value=None) if row.hidden else tallied,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


def _track(track_id: UUID, name: str, artist: str | None, duration_seconds: float | None, status: str) -> ComparedTrack:
    return {"id": track_id, "name": name, "artist": artist, "duration_seconds": duration_seconds, "status": status}


def _region(region_id: UUID | None, name: str | None, start: int | None, end: int | None) -> ComparedRegion | None:
    if region_id is None or name is None or start is None or end is None:
        return None
    return {"id": region_id, "name": name, "start_time_ms": start, "end_time_ms": end}


# Loudness -------------------------------------------------------------------------------------------------------------


def match(row: ComparisonRow, found: Measured) -> Match:
    """The gains at which both sides are equally loud, if their loudness is known; of X and Y while it is blind."""
    matched = _open_match(row, found)
    return _hidden_match(row, matched) if row.hidden else matched


def _open_match(row: ComparisonRow, found: Measured) -> Match:
    nothing = _no_match("ready")
    side_a, side_b = (found.summaries.get(track) for track in (row.track_a_id, row.track_b_id))
    loudness_a = loudness(row, side_a, found.regions.get(row.region_a_id) if row.region_a_id else None)
    loudness_b = loudness(row, side_b, found.regions.get(row.region_b_id) if row.region_b_id else None)
    if row.match_mode == "none":
        return nothing | _matched(loudness_a, loudness_b, Gains(0.0, 0.0, limited=False))
    if _pending(row, side_a) or _pending(row, side_b):
        return nothing | {"status": "pending_analysis"}
    if side_a is None or side_b is None or loudness_a is None or loudness_b is None:
        return nothing | {"status": "unavailable"}
    gained = gains(
        (loudness_a, side_a.summary.get("true_peak_dbtp")),
        (loudness_b, side_b.summary.get("true_peak_dbtp")),
        row.target_lufs,
    )
    return nothing | _matched(loudness_a, loudness_b, gained)


def _pending(row: ComparisonRow, side: MeasureRow | None) -> bool:
    """Whether a side lacks the analysis for its loudness: a region needs frames, a whole track any analysis."""
    return side is None or (row.match_mode == "region" and not side.is_full)


def loudness(row: ComparisonRow, side: MeasureRow | None, of_region: float | None) -> float | None:
    """The loudness in LUFS by which a side is matched; None if it is silent, too short or not measured."""
    if side is None:
        return None
    of_mode = {
        "region": of_region,
        "short_term_max": side.summary.get("max_short_term_lufs"),
    }
    return _on_both_speakers(of_mode.get(row.match_mode, side.summary.get("integrated_lufs")), side.summary)


def _on_both_speakers(lufs: float | None, summary: Summary) -> float | None:
    return lufs if lufs is None or summary.get("channels") != 1 else lufs + _MONO_LU


def gains(a: tuple[float, float | None], b: tuple[float, float | None], target_lufs: float | None) -> Gains:
    """Gains for sides of this loudness (LUFS) and true peak (dBTP), to the target or else to the quieter of them.

    Only a boost can clip. Where one would, both gains are lowered by as much: the sides stay equal and miss the target.
    """
    target = min(a[0], b[0]) if target_lufs is None else target_lufs
    gain_a, gain_b = target - a[0], target - b[0]
    sides = ((gain_a, a[1]), (gain_b, b[1]))
    over = max([0.0, *(peak + gain - _CEILING_DBTP for gain, peak in sides if gain > 0 and peak is not None)])
    return Gains(_rounded(gain_a - over), _rounded(gain_b - over), limited=over > 0)


def volume(gain: float, other: float) -> float:
    """A volume 0 to 1, for a player that can only lower: the louder of both gains, or 0 dB, is at 1."""
    return round(10 ** ((gain - max(0.0, gain, other)) / 20), 6)


def _matched(loudness_a: float | None, loudness_b: float | None, gained: Gains) -> Match:
    return _no_match("ready") | {
        "loudness_a": None if loudness_a is None else _rounded(loudness_a),
        "loudness_b": None if loudness_b is None else _rounded(loudness_b),
        "gain_a_db": gained.a,
        "gain_b_db": gained.b,
        "volume_a": volume(gained.a, gained.b),
        "volume_b": volume(gained.b, gained.a),
        "limited": gained.limited,
    }


def _no_match(status: Literal["ready", "pending_analysis", "unavailable"]) -> Match:
    return {
        "status": status,
        "loudness_a": None,
        "loudness_b": None,
        "gain_a_db": None,
        "gain_b_db": None,
        "volume_a": None,
        "volume_b": None,
        "gain_x_db": None,
        "gain_y_db": None,
        "volume_x": None,
        "volume_y": None,
        "region_x": None,
        "region_y": None,
        "offset_x_ms": None,
        "offset_y_ms": None,
        "limited": False,
    }


def _hidden_match(row: ComparisonRow, matched: Match) -> Match:
    """The same by X and Y: X is A unless the trial has them swapped."""
    side_a = (matched["gain_a_db"], matched["volume_a"], _span(row.start_a, row.end_a), 0)
    side_b = (matched["gain_b_db"], matched["volume_b"], _span(row.start_b, row.end_b), row.offset_ms)
    x, y = (side_b, side_a) if row.blind_swap else (side_a, side_b)
    return _no_match(matched["status"]) | {
        "gain_x_db": x[0],
        "gain_y_db": y[0],
        "volume_x": x[1],
        "volume_y": y[1],
        "region_x": x[2],
        "region_y": y[2],
        "offset_x_ms": x[3],
        "offset_y_ms": y[3],
        "limited": matched["limited"],
    }


def _span(start: int | None, end: int | None) -> ComparedSpan | None:
    return None if start is None or end is None else {"start_time_ms": start, "end_time_ms": end}


# Differences ----------------------------------------------------------------------------------------------------------


def deltas(row: ComparisonRow, found: Measured) -> Deltas | None:
    """A minus B for each measure; None unless both are measured and, if loudness is matched, it can be."""
    side_a, side_b = (found.summaries.get(track) for track in (row.track_a_id, row.track_b_id))
    if side_a is None or side_b is None or _open_match(row, found)["status"] != "ready":
        return None
    a, b = side_a.summary, side_b.summary
    return {
        "integrated_lu": _difference(
            _on_both_speakers(a.get("integrated_lufs"), a), _on_both_speakers(b.get("integrated_lufs"), b)
        ),
        "lra_lu": _difference(a.get("loudness_range_lu"), b.get("loudness_range_lu")),
        "true_peak_db": _difference(a.get("true_peak_dbtp"), b.get("true_peak_dbtp")),
        "plr_db": _difference(a.get("plr_db"), b.get("plr_db")),
        "crest_db": _difference(a.get("crest_db"), b.get("crest_db")),
        "correlation": _difference(a.get("correlation"), b.get("correlation"), digits=3),
        "bpm": _difference(a.get("bpm"), b.get("bpm")),
        "spectrum_db": spectrum_difference(a.get("spectrum_db"), b.get("spectrum_db")),
    }


def spectrum_difference(a: Sequence[float] | None, b: Sequence[float] | None) -> list[float | None] | None:
    """How the tonal balance of A differs from B's, band by band in dB: each is taken relative to its own mean.

    The means are over the bands in which both have something; the others are None. None where one has no spectrum.
    """
    if a is None or b is None:
        return None
    bands = list(zip(a, b, strict=True))
    common = [(level_a, level_b) for level_a, level_b in bands if _is_heard(level_a, level_b)]
    if not common:
        return [None] * len(bands)
    offset = sum(level_a - level_b for level_a, level_b in common) / len(common)
    return [_rounded(level_a - level_b - offset) if _is_heard(level_a, level_b) else None for level_a, level_b in bands]


def _is_heard(*levels: float) -> bool:
    return min(levels) > _FLOOR_DB


def _difference(a: float | None, b: float | None, digits: int = 2) -> float | None:
    return None if a is None or b is None else _rounded(a - b, digits)


def _rounded(value: float, digits: int = 2) -> float:
    # Adding 0 turns -0.0, which JSON would show, into 0.0.
    return round(value, digits) + 0.0


# Votes ----------------------------------------------------------------------------------------------------------------


def tally(a: int, b: int, tie: int) -> Tally:
    """The votes counted, and how likely chance alone would make them as one-sided."""
    return {"total": a + b + tie, "a": a, "b": b, "tie": tie, "p_value": p_value(a, b)}


def p_value(a: int, b: int) -> float | None:
    """The exact two-sided sign test: the chance that a fair coin is at least as one-sided. None without votes."""
    trials = a + b
    if not trials:
        return None
    tail = sum(math.comb(trials, successes) for successes in range(min(a, b) + 1))
    return min(1.0, tail / (1 << (trials - 1)))


def vote(row: VoteRow, *, hidden: bool) -> Vote:
    """A vote as the wire shows it right after it was given: while it is blind in the words that were sent."""
    return _vote(row, row.preferred_as_sent if hidden else row.preferred)


def votes(rows: Sequence[VoteRow], *, hidden: bool) -> list[Vote]:
    """Votes as the wire lists them: while it is blind without what was preferred."""
    return [_vote(row, None if hidden else row.preferred) for row in rows]


def _vote(row: VoteRow, preferred: Literal["a", "b", "x", "y", "tie"] | None) -> Vote:
    return {
        "id": row.id,
        "trial": row.trial,
        "preferred": preferred,
        "aspect": row.aspect,
        "note": row.note,
        "created_at": row.created_at,
    }
