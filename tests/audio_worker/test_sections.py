"""Sections of tracks made of parts that differ, and of tracks that do not change."""

from itertools import pairwise

import numpy as np
import pytest

from functions.audio_worker.sections import Section, find_sections
from functions.audio_worker.spectrum import FRAME_BANDS_HZ
from tests.audio_worker.meters import pitch_classes, tone_meter
from tests.audio_worker.signals import Signal, chord, noise, pink_noise, silence, sine

RATE = 16_000


def sections(*parts: Signal, downbeats: list[float] | None = None) -> list[Section]:
    signal = np.concatenate(parts, axis=1)
    bands = tone_meter(signal, RATE).frames()[:, len(FRAME_BANDS_HZ) :]
    beats = np.array(downbeats or [], float)
    return find_sections(bands, pitch_classes(signal, RATE), beats, signal.shape[1] / RATE)


def part(seconds: float, level: float, notes: list[int], seed: int = 0) -> Signal:
    """A chord with noise, at a level in dB."""
    return 10 ** (level / 20) * (chord(notes, seconds, RATE, 6) + pink_noise(seconds, -30, RATE, seed))


VERSE, CHORUS = [0, 4, 7], [5, 9, 12, 17]


def test_borders_lie_where_the_parts_meet() -> None:
    lengths = [8, 16, 16, 16, 16, 8]
    found = sections(
        part(8, -30, VERSE),
        part(16, -12, VERSE),
        part(16, -3, CHORUS),
        part(16, -12, VERSE, 1),
        part(16, -3, CHORUS, 1),
        part(8, -30, VERSE, 1),
    )
    assert [section.end for section in found] == pytest.approx(list(np.cumsum(lengths)), abs=0.5)
    assert [section.label for section in found] == ["intro", "verse", "chorus", "verse", "chorus", "outro"]


def test_sections_cover_the_track_without_gaps() -> None:
    found = sections(sine(440, -12, 20.3, RATE), noise(20.4, rate=RATE), silence(15.05, rate=RATE))
    assert found[0].start == 0
    assert found[-1].end == pytest.approx(55.75)
    for before, behind in pairwise(found):
        assert before.end == behind.start
    assert all(0 < section.confidence <= 1 for section in found)


def test_a_change_of_harmony_alone_is_a_border() -> None:
    found = sections(part(20, -12, [0, 3, 6, 9]), part(20, -12, [1, 4, 7, 10]))
    assert [section.start for section in found] == pytest.approx([0, 20], abs=1)


def test_a_change_of_level_alone_is_a_border_and_level_matters_not() -> None:
    for level in (0, -40):
        gain = 10 ** (level / 20)
        found = sections(gain * pink_noise(20, -15, RATE), gain * pink_noise(20, -27, RATE, 1))
        assert [section.start for section in found] == pytest.approx([0, 20], abs=0.5)


@pytest.mark.parametrize(
    "signal",
    [
        silence(60, rate=RATE),
        noise(60, rate=RATE),
        sine(440, -12, 60, RATE),
        part(60, -6, VERSE),
        np.concatenate([part(2, -6, VERSE), part(2, -6, CHORUS)] * 15, axis=1),
        np.concatenate([sine(440, -12, 3, RATE), noise(3, rate=RATE)] * 14, axis=1),
        np.concatenate([sine(440, -12, 5, RATE), noise(5, rate=RATE)] * 8, axis=1),
        np.concatenate([noise(5, rate=RATE), sine(440, -6, 5, RATE)], axis=1),
        silence(0, rate=RATE),
        silence(0.03, rate=RATE),
    ],
    ids=[
        "silence",
        "noise",
        "tone",
        "chord",
        "pattern",
        "strong pattern",
        "slow pattern",
        "too short",
        "empty",
        "one frame",
    ],
)
def test_what_does_not_change_has_no_sections(signal: Signal) -> None:
    assert sections(signal) == []


def test_a_border_goes_to_the_downbeat_next_to_it() -> None:
    parts = (sine(440, -12, 20, RATE), noise(20, rate=RATE))
    assert sections(*parts, downbeats=[18.0, 20.1, 22.0])[1].start == 20.1
    assert sections(*parts, downbeats=[18.0, 19.4, 21.0])[1].start == pytest.approx(20, abs=0.15)
