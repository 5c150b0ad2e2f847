"""Keys of cadences in all 24 keys, and signals that have none."""

import numpy as np
import pytest

from functions.audio_worker.key import PITCH_CLASSES, find_key
from tests.audio_worker.meters import key, pitch_classes
from tests.audio_worker.signals import Signal, cadence, chord, noise, silence, sine, stereo, sweep

RATE = 22_050


@pytest.mark.parametrize("overtones", [1, 8], ids=["sines", "overtones"])
@pytest.mark.parametrize("minor", [False, True], ids=["major", "minor"])
@pytest.mark.parametrize("tonic", range(12), ids=PITCH_CLASSES)
def test_a_cadence_gives_its_tonic(tonic: int, overtones: int, *, minor: bool) -> None:
    found = key(cadence(tonic, minor=minor, rate=RATE, overtones=overtones), RATE)
    assert found.name == PITCH_CLASSES[tonic] + ("m" if minor else "")
    assert 0.5 < found.confidence <= 1


@pytest.mark.parametrize("rate", [8000, 44_100, 96_000])
@pytest.mark.parametrize("octave", [-12, 0, 12])
def test_in_any_octave_and_at_any_rate(rate: int, octave: int) -> None:
    assert key(cadence(2 + octave, minor=False, rate=rate, overtones=4), rate).name == "D"


@pytest.mark.parametrize("cents", [-45, -20, 20, 45])
def test_in_any_tuning(cents: int) -> None:
    """Played faster or slower, all pitches move alike."""
    played = round(RATE * 2 ** (cents / 1200))
    assert key(cadence(7, minor=False, rate=RATE, overtones=4), played).name == "G"


def test_the_minor_cadence_with_a_major_dominant() -> None:
    chords = [[0, 3, 7], [5, 8, 12], [7, 11, 14], [0, 3, 7]]
    signal = np.concatenate([chord([9 + note for note in notes], 1, RATE, 4) for notes in chords], axis=1)
    assert key(signal, RATE).name == "Am"


def test_channels_level_and_phase_change_nothing() -> None:
    mono = cadence(4, minor=False, rate=RATE)
    for same in (0.001 * mono, stereo(mono), np.concatenate([mono, -mono]), np.concatenate([mono, 0 * mono])):
        assert key(same, RATE).name == "E"


@pytest.mark.parametrize(
    "signal",
    [
        silence(10, rate=RATE),
        silence(0, rate=RATE),
        noise(0.5, rate=RATE),
        noise(20, rate=RATE),
        sine(440, -6, 10, RATE),
        sweep(3, RATE),
        sweep(20, RATE),
        sweep(3, RATE, linear=True),
        sweep(20, RATE, linear=True),
    ],
    ids=["silence", "empty", "short noise", "noise", "one note", "sweep", "slow sweep", "linear", "slow linear"],
)
def test_what_has_no_key(signal: Signal) -> None:
    found = key(signal, RATE)
    assert found.name is None
    assert found.confidence < 0.2


def test_pitch_classes_are_told_by_second() -> None:
    rows = pitch_classes(np.concatenate([sine(440, -6, 3, RATE), sine(523.25, -6, 3, RATE)], axis=1), RATE)
    assert rows[1].argmax() == PITCH_CLASSES.index("A")
    assert rows[4].argmax() == PITCH_CLASSES.index("C")
    assert rows[1, 9] > 0.9 * rows[1].sum()


def test_the_profiles_themselves_are_their_keys() -> None:
    scale = np.array([1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 1], float)
    for tonic, name in enumerate(PITCH_CLASSES):
        assert find_key(np.roll(scale + 0.5 * (np.arange(12) % 12 == 0), tonic)).name == name
