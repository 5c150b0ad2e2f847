"""Measures one audio file: decodes it once, gives each block to the meters, puts their results together.

Nothing here knows the database or the bucket, and nothing is written: a run that is killed can simply be run again.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from questlog.release import ANALYZER_VERSION

from functions.audio_worker.decoding import Audio, Block, open_audio
from functions.audio_worker.errors import Facts
from functions.audio_worker.events import Event, all_events, find_downbeats, find_transients
from functions.audio_worker.frames import Frames, build_frames, frame_ends
from functions.audio_worker.key import PitchMeter, find_key
from functions.audio_worker.levels import LevelMeter, Levels, WaveformMeter
from functions.audio_worker.loudness import LoudnessMeter
from functions.audio_worker.onsets import OnsetMeter, onset_spectra
from functions.audio_worker.sections import find_sections
from functions.audio_worker.spectrum import FRAME_BANDS_HZ, ToneMeter, frame_spectra
from functions.audio_worker.summary import (
    Summary,
    energy_of,
    format_facts,
    levels_block,
    loudness_block,
    musical_block,
    sections_block,
    tonal_block,
    waveform_block,
)
from functions.audio_worker.tempo import find_tempo
from functions.audio_worker.true_peak import TruePeakMeter

AnalysisType = Literal["full", "quick", "spectral", "loudness"]


@dataclass(frozen=True)
class Analysis:
    """What was measured. `summary` is ready for the wire; frames and events are None for other types than `full`."""

    facts: Facts
    summary: Summary
    frames: Frames | None
    events: list[Event] | None


def content_hash(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def analyse(
    path: Path,
    analysis_type: AnalysisType,
    content_sha256: str,
    on_progress: Callable[[float], None] = lambda _: None,
) -> Analysis:
    """Measure an audio file.

    `on_progress` is called after each second of audio with how much of the file has been read, 0 to 1; what it raises
    ends the analysis. Raises Undecodable or TooLarge with the reason when the file cannot be measured, and OSError when
    it cannot be read.
    """
    with open_audio(path) as audio:
        measurement = _Measurement(audio, analysis_type)
        for block in audio.blocks():
            measurement.add(block)
            on_progress(audio.progress)
        return measurement.result(content_sha256)


class _Measurement:
    """The meters that a type of analysis needs."""

    def __init__(self, audio: Audio, analysis_type: AnalysisType) -> None:
        self._facts = audio.facts
        rate, channels = audio.facts.sample_rate, audio.facts.channels
        full = analysis_type == "full"
        self._levels = LevelMeter(rate, channels)
        self._waveform = WaveformMeter()
        self._loudness = _LoudnessMeters(audio) if full or analysis_type == "loudness" else None
        self._tone = _ToneMeters(rate, channels) if full or analysis_type == "spectral" else None
        self._music = _MusicMeters(rate, channels) if full else None

    def add(self, block: Block) -> None:
        absolute = np.abs(block).max(axis=0)
        self._levels.add(block, absolute)
        self._waveform.add(absolute)
        if self._loudness:
            self._loudness.add(block)
        if self._tone:
            spectra = self._tone.add(block)
            if self._music:
                self._music.add(block, spectra)

    def result(self, content_sha256: str) -> Analysis:
        levels = self._levels.result()
        duration_ms = round(1000 * levels.samples / self._facts.sample_rate)
        summary = format_facts(self._facts, duration_ms, content_sha256)
        if self._loudness:
            summary |= loudness_block(self._loudness.integrated.result(), self._loudness.true_peak.result())
        summary |= levels_block(levels)
        if self._tone:
            last_spectra = self._tone.finish()
            summary |= tonal_block(self._tone.meter.result())
            if self._music and self._loudness:
                self._music.finish(last_spectra)
                return self._full(summary, levels, self._loudness.integrated, self._tone.meter, self._music)
        return Analysis(self._facts, summary | waveform_block(self._waveform.result()), None, None)

    def _full(
        self, summary: Summary, levels: Levels, loudness: LoudnessMeter, tone: ToneMeter, music: "_MusicMeters"
    ) -> Analysis:
        seconds = levels.samples / self._facts.sample_rate
        duration_ms = round(1000 * seconds)
        strengths, bass = music.onsets.result()
        tempo = find_tempo(strengths)
        downbeats = find_downbeats(tempo.beats, bass)
        transients = find_transients(strengths, seconds)
        classes, bands = music.pitch.rows(), tone.frames()
        sections = find_sections(bands[:, len(FRAME_BANDS_HZ) :], classes, tempo.beats[downbeats], seconds)
        energy = energy_of(loudness.result().integrated, len(transients) / max(seconds, 1), tone.result())
        summary |= musical_block(tempo, find_key(classes.sum(axis=0)), energy)
        summary |= waveform_block(self._waveform.result()) | sections_block(sections)
        frames = build_frames(
            levels.cells,
            bands,
            loudness.momentary_before(frame_ends(duration_ms)),
            duration_ms=duration_ms,
            sample_rate=self._facts.sample_rate,
            content_sha256=str(summary["content_sha256"]),
            analyzer_version=ANALYZER_VERSION,
        )
        events = all_events(
            levels=levels,
            sample_rate=self._facts.sample_rate,
            tempo=tempo,
            downbeats=downbeats,
            transients=transients,
            sections=sections,
        )
        return Analysis(self._facts, summary, frames, events)


class _LoudnessMeters:
    def __init__(self, audio: Audio) -> None:
        self.integrated = LoudnessMeter(audio.facts.sample_rate, audio.positions)
        self.true_peak = TruePeakMeter(audio.facts.channels)

    def add(self, block: Block) -> None:
        self.integrated.add(block)
        self.true_peak.add(block)


class _ToneMeters:
    def __init__(self, sample_rate: int, channels: int) -> None:
        self._spectra = frame_spectra(sample_rate, channels)
        self.meter = ToneMeter(self._spectra.frequencies)

    def add(self, block: Block) -> NDArray[np.float32]:
        """Return the spectra of the frames, which others can use too."""
        spectra = self._spectra.add(block)
        self.meter.add(spectra)
        return spectra

    def finish(self) -> NDArray[np.float32]:
        spectra = self._spectra.finish()
        self.meter.add(spectra)
        return spectra


class _MusicMeters:
    def __init__(self, sample_rate: int, channels: int) -> None:
        self._spectra = onset_spectra(sample_rate, channels)
        self.onsets = OnsetMeter(self._spectra.frequencies)
        self.pitch = PitchMeter(frame_spectra(sample_rate, channels).frequencies)

    def add(self, block: Block, frame_spectra: NDArray[np.float32]) -> None:
        self.onsets.add(self._spectra.add(block))
        self.pitch.add(frame_spectra)

    def finish(self, frame_spectra: NDArray[np.float32]) -> None:
        self.onsets.add(self._spectra.finish())
        self.pitch.add(frame_spectra)
