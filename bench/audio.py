"""What measuring a track costs: processor time beside the track's length, and memory."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import av
import numpy as np

from bench.figure import Figure
from bench.process import Cost, cost

SAMPLE_RATE: Final = 44_100
LENGTHS: Final = (240, 1200)
BUDGET: Final = 1 / 20
ONE_THREAD: Final = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
EBU_R128: Final = ("-af", "ebur128=peak=true", "-f", "null", "-")

_ANALYSE: Final = """
import sys
from pathlib import Path
from functions.audio_worker.analysis import analyse
analyse(Path(sys.argv[1]), sys.argv[2], "0" * 64)
"""


def measure() -> Figure:
    """A FLAC of four minutes and one of twenty, each measured in a process of its own."""
    figure = Figure(
        "Measuring a track",
        "Seconds of one core for a stereo FLAC with 44,100 samples of 16 bits a second, its decoding and the start of "
        f"Python included. At most {BUDGET:.0%} of the track's length for a full analysis; ffmpeg measures loudness "
        "and true peak alone, and loudness may take three times as long.",
        ("what", "seconds of a core", "of its length", "peak MB"),
    )
    with tempfile.TemporaryDirectory() as folder:
        for seconds in LENGTHS:
            path = Path(folder) / f"{seconds}.flac"
            write_flac(path, seconds)
            for kind in ("full", "loudness"):
                used = cost([sys.executable, "-c", _ANALYSE, str(path), kind], ONE_THREAD)
                _add(figure, f"{kind}, {seconds // 60} minutes", used, seconds)
            if ffmpeg := shutil.which("ffmpeg"):
                used = cost([ffmpeg, "-v", "error", "-threads", "1", "-i", str(path), *EBU_R128], ONE_THREAD)
                _add(figure, f"ffmpeg ebur128, {seconds // 60} minutes", used, seconds)
    if not shutil.which("ffmpeg"):
        figure.notes.append("ffmpeg is not installed here, so there is nothing to compare with.")
    return figure


def _add(figure: Figure, name: str, used: Cost, seconds: int) -> None:
    figure.add(name, f"{used.seconds:.1f}", f"1/{seconds / used.seconds:.0f}", f"{used.megabytes:.0f}")


def write_flac(path: Path, seconds: int) -> None:
    """A steady beat of noise over a chord that changes, a second at a time."""
    chance = np.random.default_rng(1)
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    beat = np.exp(-20 * (time % 0.5))

    def blocks() -> Iterator[bytes]:
        for second in range(seconds):
            chord = sum(np.sin(2 * np.pi * 55 * 2 ** ((step + second // 8) / 12) * time) for step in (12, 16, 19, 24))
            sides = [0.1 * chord + 0.3 * beat * chance.standard_normal(SAMPLE_RATE) for _ in range(2)]
            yield (np.stack(sides, axis=1).clip(-1, 1) * 32767).astype("<i2").tobytes()

    with av.open(str(path), "w") as container:
        stream = container.add_stream("flac", rate=SAMPLE_RATE, layout="stereo")
        for block in blocks():
            frame = av.AudioFrame.from_ndarray(
                np.frombuffer(block, "<i2").reshape(1, -1), format="s16", layout="stereo"
            )
            frame.sample_rate = SAMPLE_RATE
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
