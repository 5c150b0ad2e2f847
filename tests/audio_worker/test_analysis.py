"""The whole analysis: which keys each type has, what silence and odd files give, and what it costs."""

import hashlib
import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from functions.audio_worker.analysis import Analysis, AnalysisType, analyse, content_hash
from functions.audio_worker.errors import TooLarge, Undecodable
from tests.audio_worker.signals import (
    RATE,
    Signal,
    cadence,
    encode,
    float_wav,
    noise,
    pulses,
    saved,
    silence,
    sine,
    stereo,
    sweep,
    wav,
    wav_bytes,
)

FACTS = ["duration_ms", "sample_rate", "channels", "bit_depth", "codec", "content_sha256"]
LOUDNESS = [
    "integrated_lufs",
    "loudness_range_lu",
    "max_momentary_lufs",
    "max_short_term_lufs",
    "true_peak_dbtp",
    "plr_db",
]
LEVELS = ["sample_peak_dbfs", "rms_dbfs", "crest_db", "dc_offset", "correlation", "clipped_samples"]
TONAL = ["bands_db", "spectrum_db", "frequency_profile"]
MUSICAL = ["bpm", "bpm_confidence", "bpm_candidates", "key", "key_confidence", "energy"]
KEYS = {
    "quick": {*FACTS, *LEVELS, "waveform"},
    "loudness": {*FACTS, *LEVELS, "waveform", *LOUDNESS},
    "spectral": {*FACTS, *LEVELS, "waveform", *TONAL},
    "full": {*FACTS, *LEVELS, "waveform", *LOUDNESS, *TONAL, *MUSICAL, "sections"},
}


def measured(folder: Path, content: bytes, analysis_type: AnalysisType = "full") -> Analysis:
    path = saved(folder, content)
    found = analyse(path, analysis_type, content_hash(path))
    # What goes over the wire is JSON, without NaN and infinity.
    assert json.loads(json.dumps(found.summary, allow_nan=False)) == found.summary
    return found


def summary(folder: Path, signal: Signal, rate: int = RATE) -> dict[str, Any]:
    return dict(measured(folder, wav(signal, rate), "full").summary)


@pytest.mark.parametrize("analysis_type", get_args(AnalysisType))
@pytest.mark.parametrize(
    "content", [wav(pulses(120, 5)), wav(silence(1)), wav_bytes(b"")], ids=["sound", "silence", "none"]
)
def test_each_type_has_its_keys_whatever_there_is_to_say(
    tmp_path: Path, content: bytes, analysis_type: AnalysisType
) -> None:
    found = measured(tmp_path, content, analysis_type)
    assert set(found.summary) == KEYS[analysis_type]
    assert (found.frames is not None) == (found.events is not None) == (analysis_type == "full")


def test_types_agree_on_what_they_share(tmp_path: Path) -> None:
    content = wav(pulses(120, 5) + noise(5, -40))
    full = measured(tmp_path, content, "full").summary
    for analysis_type in ("quick", "loudness", "spectral"):
        part = measured(tmp_path, content, analysis_type).summary
        assert part == {key: full[key] for key in part}


def test_the_first_line_of_accuracy(tmp_path: Path) -> None:
    """A 997 Hz stereo sine at -20 dBFS reads -20.0 LUFS, mono -23.0."""
    both = summary(tmp_path, stereo(sine(997, -20, 5)))
    assert both["integrated_lufs"] == pytest.approx(-20, abs=0.1)
    assert both["max_momentary_lufs"] == pytest.approx(-20, abs=0.1)
    assert both["max_short_term_lufs"] == pytest.approx(-20, abs=0.1)
    assert both["sample_peak_dbfs"] == pytest.approx(-20, abs=0.05)
    assert both["true_peak_dbtp"] == pytest.approx(-20, abs=0.1)
    assert both["rms_dbfs"] == pytest.approx(-23.01, abs=0.02)
    assert both["crest_db"] == pytest.approx(3.01, abs=0.02)
    assert both["plr_db"] == pytest.approx(0, abs=0.1)
    assert both["loudness_range_lu"] == 0
    assert both["correlation"] == 1
    assert summary(tmp_path, sine(997, -20, 5))["integrated_lufs"] == pytest.approx(-23.01, abs=0.1)


def test_facts(tmp_path: Path) -> None:
    content = wav(stereo(sine(440, -6, 1.2346)), bits=24)
    found = measured(tmp_path, content)
    assert {key: found.summary[key] for key in FACTS} == {
        "duration_ms": 1235,
        "sample_rate": RATE,
        "channels": 2,
        "bit_depth": 24,
        "codec": "pcm",
        "content_sha256": hashlib.sha256(content).hexdigest(),
    }
    assert found.facts.codec == "pcm"


@pytest.mark.parametrize(
    "samples", [1, 23, 24, 47, 48, 2399, 2400, 2401, 19_199, 19_200, 47_999, 48_001, 143_999, 144_000]
)
def test_any_length_has_an_answer(tmp_path: Path, samples: int) -> None:
    signal = stereo(sine(997, -6, 4)[:, :samples])
    found = summary(tmp_path, signal)
    assert found["duration_ms"] == round(samples / 48)
    assert len(found["waveform"]) == 1000
    assert (found["integrated_lufs"] is None) == (found["plr_db"] is None) == (samples < 19_200)
    assert (found["max_momentary_lufs"] is None) == (samples < 19_200)
    assert (found["max_short_term_lufs"] is None) == (found["loudness_range_lu"] is None) == (samples < 144_000)
    assert found["sections"] == []


def test_silence_says_nothing(tmp_path: Path) -> None:
    found = summary(tmp_path, silence(10, 2))
    absent = {*LOUDNESS, *TONAL, "sample_peak_dbfs", "rms_dbfs", "crest_db", "correlation", "bpm", "key"}
    assert {key for key in found if found[key] is None} == absent
    assert (found["bpm_confidence"], found["key_confidence"], found["energy"]) == (0, 0, 0)
    assert (found["bpm_candidates"], found["dc_offset"], found["clipped_samples"]) == ([], 0, 0)
    assert found["waveform"] == [0] * 1000


def test_a_header_without_samples_is_complete(tmp_path: Path) -> None:
    found = measured(tmp_path, wav_bytes(b"", 2))
    assert (found.summary["duration_ms"], found.summary["waveform"], found.summary["sections"]) == (0, [], [])
    assert found.events == []
    assert found.frames is not None
    assert (found.frames.frame_count, found.frames.total_chunks) == (0, 0)


@pytest.mark.parametrize("linear", [False, True])
def test_a_sweep_has_neither_tempo_nor_key(tmp_path: Path, *, linear: bool) -> None:
    found = summary(tmp_path, sweep(10, 44_100, linear=linear), 44_100)
    assert (found["bpm"], found["key"]) == (None, None)


def test_noise_has_neither_tempo_nor_key(tmp_path: Path) -> None:
    found = summary(tmp_path, noise(10, -20, 2))
    assert (found["bpm"], found["key"], found["frequency_profile"]) == (None, None, "bright")


def test_a_cadence_over_a_beat_has_both(tmp_path: Path) -> None:
    chords = np.concatenate([cadence(7, minor=False, rate=22_050, overtones=6)] * 4, axis=1)
    found = summary(tmp_path, 0.5 * chords + 0.5 * pulses(120, 16, 22_050), 22_050)
    assert found["bpm"] == pytest.approx(120, abs=0.5)
    assert found["key"] == "G"
    assert {round(candidate["bpm"]) for candidate in found["bpm_candidates"]} == {60, 120, 240}


def test_energy_grows_with_loudness_and_pace(tmp_path: Path) -> None:
    energies = [
        summary(tmp_path, signal)["energy"]
        for signal in (
            sine(100, -60, 5),
            sine(100, -35, 5),
            sine(100, -20, 5),
            sine(100, -20, 5) + pulses(120, 5),
            sine(100, -10, 5) + pulses(480, 5),
            stereo(noise(5, -8)) + stereo(pulses(480, 5)),
        )
    ]
    assert all(a < b for a, b in pairwise(energies))
    assert energies[0] >= 0
    assert energies[-1] <= 1


def test_bands_have_a_floor_and_full_energy_is_zero_db(tmp_path: Path) -> None:
    found = summary(tmp_path, sine(1000, -6, 5, 8000), 8000)
    bands = found["bands_db"]
    assert bands["mid"] == pytest.approx(0, abs=0.05)
    assert bands["high"] == -120
    assert list(bands) == ["sub", "low", "low_mid", "mid", "high_mid", "high"]
    assert found["spectrum_db"][-1] == -120
    assert len(found["spectrum_db"]) == 24


def test_what_is_no_number_spoils_nothing(tmp_path: Path) -> None:
    signal = stereo(sine(997, -20, 4))
    spoilt = signal.copy()
    spoilt[:, 1000:200_000:1000] = np.nan
    spoilt[:, 1001:200_000:1000] = np.inf
    spoilt[0, 1002] = 3e38
    clean = np.where(np.isfinite(spoilt) & (np.abs(spoilt) < 1), spoilt, 0)
    found, expected = (measured(tmp_path, float_wav(each)).summary for each in (spoilt, clean))
    assert {**found, "content_sha256": ""} == {**expected, "content_sha256": ""}


@pytest.mark.parametrize("scale", [1e-12, 1e-6, 1e6, 1e11])
def test_any_scale_of_floats_gives_numbers(tmp_path: Path, scale: float) -> None:
    """Some programs write floats in the range of integers."""
    with np.errstate(all="raise", under="ignore"):
        found = measured(tmp_path, float_wav(scale * (pulses(120, 6) + 0.01 * noise(6)))).summary
    assert found["sample_peak_dbfs"] == pytest.approx(-6 + 20 * np.log10(scale), abs=0.5)


def test_eight_channels_and_4_khz(tmp_path: Path) -> None:
    signal = np.concatenate([sine(100 * (index + 1), -30, 4, 4000) for index in range(8)])
    found = measured(tmp_path, wav(signal, 4000, mask=0x63F)).summary
    assert (found["channels"], found["sample_rate"]) == (8, 4000)
    assert found["integrated_lufs"] is not None


def test_lossy_files_measure_like_their_source(tmp_path: Path) -> None:
    signal = np.concatenate([stereo(sine(440, -12, 4)), stereo(sine(440, -18, 4))], axis=1) + noise(8, -45, 2)
    source = measured(tmp_path, wav(signal)).summary
    for container, codec in (("mp3", "libmp3lame"), ("ipod", "aac"), ("ogg", "libopus"), ("flac", "flac")):
        found = measured(tmp_path, encode(signal, container, codec, bit_rate=192_000)).summary
        for key in ("integrated_lufs", "loudness_range_lu", "rms_dbfs", "true_peak_dbtp"):
            assert found[key] == pytest.approx(source[key], abs=0.3), (codec, key)


def test_the_same_file_gives_the_same_result(tmp_path: Path) -> None:
    content = wav(pulses(120, 8) + noise(8, -40))
    assert measured(tmp_path, content) == measured(tmp_path, content)


def test_reasons_come_through(tmp_path: Path) -> None:
    with pytest.raises(Undecodable):
        measured(tmp_path, b"text")
    with pytest.raises(TooLarge):
        measured(tmp_path, wav_bytes(bytes(900), 9))
    with pytest.raises(FileNotFoundError):
        analyse(tmp_path / "absent", "full", "0" * 64)


def test_progress_is_told_and_can_end_the_run(tmp_path: Path) -> None:
    path = saved(tmp_path, wav(silence(20)))
    seen: list[float] = []
    analyse(path, "quick", "0" * 64, seen.append)
    assert len(seen) == 20
    assert seen == sorted(seen)
    assert seen[-1] == 1

    def lost(_: float) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        analyse(path, "quick", "0" * 64, lost)


PEAK_MEMORY = """
import sys
from pathlib import Path
from functions.audio_worker.analysis import analyse
analyse(Path(sys.argv[1]), "full", "0" * 64)
print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
"""


def peak_megabytes(path: Path) -> int:
    """The largest resident size of a process of its own that analyses the file."""
    command = [sys.executable, "-c", PEAK_MEMORY, str(path)]
    root = Path(__file__).parents[2]
    return int(subprocess.run(command, capture_output=True, text=True, check=True, cwd=root).stdout) // 1024


def long_wav(path: Path, minutes: int) -> Path:
    """A file of noise of 8 bits at 1 kHz, which is long and still small."""
    minute = np.random.default_rng(0).bytes(60 * 1000)
    header = wav_bytes(b"", rate=1000, bits=8, size=minutes * len(minute))
    path.write_bytes(header + minute * minutes)
    return path


def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    short, long = (peak_megabytes(long_wav(tmp_path / "long.wav", minutes)) for minutes in (1, 60))
    assert long - short < 100
    assert long < 400


def test_memory_at_the_highest_rate_and_width(tmp_path: Path) -> None:
    content = wav_bytes(bytes(range(256)) * (384_000 * 8 * 4 // 256), 8, 384_000, 8)
    assert peak_megabytes(saved(tmp_path, content)) < 400
