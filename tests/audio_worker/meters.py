"""Runs a meter over a signal in blocks of a second, as the decoder hands them out."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from functions.audio_worker.decoding import Block
from functions.audio_worker.key import Key, PitchMeter, find_key
from functions.audio_worker.levels import LevelMeter, Levels, WaveformMeter
from functions.audio_worker.loudness import Loudness, LoudnessMeter
from functions.audio_worker.onsets import OnsetMeter, onset_spectra
from functions.audio_worker.spectrum import Tone, ToneMeter, frame_spectra
from functions.audio_worker.true_peak import TruePeakMeter
from tests.audio_worker.signals import RATE, Signal


def blocks(signal: Signal, rate: int = RATE) -> Iterator[Block]:
    for start in range(0, signal.shape[1], rate):
        yield signal[:, start : start + rate].astype(np.float32)


def loudness_meter(signal: Signal, rate: int = RATE, positions: tuple[str, ...] | None = None) -> LoudnessMeter:
    meter = LoudnessMeter(rate, positions or ("NONE",) * signal.shape[0])
    for block in blocks(signal, rate):
        meter.add(block)
    return meter


def loudness(signal: Signal, rate: int = RATE, positions: tuple[str, ...] | None = None) -> Loudness:
    return loudness_meter(signal, rate, positions).result()


def true_peak_db(signal: Signal, rate: int = RATE) -> float:
    meter = TruePeakMeter(signal.shape[0])
    for block in blocks(signal, rate):
        meter.add(block)
    return float(20 * np.log10(meter.result()))


def levels(signal: Signal, rate: int = RATE) -> Levels:
    meter = LevelMeter(rate, signal.shape[0])
    for block in blocks(signal, rate):
        meter.add(block, np.abs(block).max(axis=0))
    return meter.result()


def waveform(signal: Signal, rate: int = RATE) -> list[float]:
    meter = WaveformMeter()
    for block in blocks(signal, rate):
        meter.add(np.abs(block).max(axis=0))
    return meter.result()


def tone_meter(signal: Signal, rate: int = RATE) -> ToneMeter:
    spectra = frame_spectra(rate, signal.shape[0])
    meter = ToneMeter(spectra.frequencies)
    for block in blocks(signal, rate):
        meter.add(spectra.add(block))
    meter.add(spectra.finish())
    return meter


def tone(signal: Signal, rate: int = RATE) -> Tone:
    return tone_meter(signal, rate).result()


def onset_strengths(signal: Signal, rate: int = RATE) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    spectra = onset_spectra(rate, signal.shape[0])
    meter = OnsetMeter(spectra.frequencies)
    for block in blocks(signal, rate):
        meter.add(spectra.add(block))
    meter.add(spectra.finish())
    return meter.result()


def pitch_classes(signal: Signal, rate: int = RATE) -> NDArray[np.float64]:
    """One row per second."""
    spectra = frame_spectra(rate, signal.shape[0])
    meter = PitchMeter(spectra.frequencies)
    for block in blocks(signal, rate):
        meter.add(spectra.add(block))
    meter.add(spectra.finish())
    return meter.rows()


def key(signal: Signal, rate: int = RATE) -> Key:
    return find_key(pitch_classes(signal, rate).sum(axis=0))
