"""The summary of an analysis as it goes over the wire (audio contract, section 2). Null: there is nothing to say."""

import math
from typing import TypeAlias, overload

import numpy as np

from functions.audio_worker.errors import Facts
from functions.audio_worker.frames import FLOOR_DB
from functions.audio_worker.key import Key
from functions.audio_worker.levels import Levels
from functions.audio_worker.loudness import Loudness
from functions.audio_worker.sections import Section
from functions.audio_worker.spectrum import Tone
from functions.audio_worker.tempo import Tempo

Json: TypeAlias = "dict[str, Json] | list[Json] | str | float | bool | None"
Summary: TypeAlias = dict[str, Json]

# Energy: from what level, pace and brightness on it is 0 and 1, and how much each counts.
_LUFS_RANGE = (-40.0, -6.0)
_ONSETS_PER_SECOND_RANGE = (0.0, 8.0)
_BRIGHTNESS_RANGE_DB = (-30.0, 0.0)
_ENERGY_WEIGHTS = (0.6, 0.25, 0.15)


def format_facts(facts: Facts, duration_ms: int, content_sha256: str) -> Summary:
    """The format of the file: rate in Hz, depth in bits, and the digest of its content in lower hex."""
    return {
        "duration_ms": duration_ms,
        "sample_rate": facts.sample_rate,
        "channels": facts.channels,
        "bit_depth": facts.bit_depth,
        "codec": facts.codec,
        "content_sha256": content_sha256,
    }


def loudness_block(loudness: Loudness, true_peak: float) -> Summary:
    """Loudness in LUFS and LU (EBU R 128), and the true peak in dBTP; `true_peak` is linear, 1 for full scale."""
    peak_db = _dbfs(true_peak)
    plr = None if peak_db is None or loudness.integrated is None else peak_db - loudness.integrated
    return {
        "integrated_lufs": _rounded(loudness.integrated),
        "loudness_range_lu": _rounded(loudness.range),
        "max_momentary_lufs": _rounded(loudness.max_momentary),
        "max_short_term_lufs": _rounded(loudness.max_short_term),
        "true_peak_dbtp": _rounded(peak_db),
        "plr_db": _rounded(plr),
    }


def levels_block(levels: Levels) -> Summary:
    """Peak, RMS and crest factor in dB, the offset in parts of full scale, and how alike the two channels are."""
    peak, rms = _dbfs(levels.peak), _dbfs(math.sqrt(levels.power))
    return {
        "sample_peak_dbfs": _rounded(peak),
        "rms_dbfs": _rounded(rms),
        "crest_db": _rounded(peak - rms) if peak is not None and rms is not None else None,
        "dc_offset": _rounded(levels.offset, 6),
        "correlation": _rounded(levels.correlation, 3),
        "clipped_samples": levels.clipped_samples,
    }


def tonal_block(tone: Tone) -> Summary:
    """The spectrum in dB: broad bands, and the whole curve. All of it is null in silence."""
    if tone.profile is None:
        return {"bands_db": None, "spectrum_db": None, "frequency_profile": None}
    return {
        "bands_db": {name: _floored(share) for name, share in tone.shares.items()},
        "spectrum_db": [_floored(power) for power in tone.spectrum.tolist()],
        "frequency_profile": tone.profile,
    }


def musical_block(tempo: Tempo, key: Key, energy: float) -> Summary:
    """Tempo in beats per minute, key and energy, which is 0 to 1; each confidence is 0 to 1."""
    return {
        "bpm": _rounded(tempo.bpm),
        "bpm_confidence": round(tempo.confidence, 3),
        "bpm_candidates": [
            {"bpm": round(bpm, 2), "confidence": round(confidence, 3)} for bpm, confidence in tempo.candidates
        ],
        "key": key.name,
        "key_confidence": round(key.confidence, 3),
        "energy": round(energy, 3),
    }


def waveform_block(waveform: list[float]) -> Summary:
    """The peaks to draw, 0 to 1."""
    return {"waveform": [round(peak, 4) for peak in waveform]}


def sections_block(sections: list[Section]) -> Summary:
    """The parts of the track, in ms."""
    return {
        "sections": [
            {
                "start_ms": round(1000 * section.start),
                "end_ms": round(1000 * section.end),
                "label": section.label,
                "confidence": round(section.confidence, 3),
            }
            for section in sections
        ]
    }


def energy_of(integrated: float | None, onsets_per_second: float, tone: Tone) -> float:
    """Return how energetic a track feels, 0 to 1: mostly its loudness, then its pace and brightness. 0 in silence."""
    if integrated is None:
        return 0.0
    bright = tone.shares["high_mid"] + tone.shares["high"]
    parts = (
        np.interp(integrated, _LUFS_RANGE, (0, 1)),
        np.interp(onsets_per_second, _ONSETS_PER_SECOND_RANGE, (0, 1)),
        np.interp(_floored(bright), _BRIGHTNESS_RANGE_DB, (0, 1)),
    )
    return float(np.dot(parts, _ENERGY_WEIGHTS))


def _dbfs(amplitude: float) -> float | None:
    return 20 * math.log10(amplitude) if amplitude > 0 else None


def _floored(power: float) -> float:
    return max(_rounded(10 * math.log10(power)), FLOOR_DB) if power > 0 else FLOOR_DB


@overload
def _rounded(value: float, digits: int = 2) -> float: ...
@overload
def _rounded(value: None, digits: int = 2) -> None: ...
def _rounded(value: float | None, digits: int = 2) -> float | None:
    # Adding 0 turns -0.0, which JSON would show, into 0.0.
    return None if value is None else round(value, digits) + 0.0
