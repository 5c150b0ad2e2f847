"""Signals with a known truth, and the files that hold them: written byte by byte here, or by FFmpeg's encoders."""

import io
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.stream import AudioStream
from numpy.typing import NDArray

Signal = NDArray[np.float64]
"""Samples as (channels, samples), full scale = 1."""

RATE = 48_000


def amplitude(dbfs: float) -> float:
    return float(10 ** (dbfs / 20))


def sine(hz: float, dbfs: float, seconds: float, rate: int = RATE, phase_degrees: float = 0.0) -> Signal:
    """One channel; `dbfs` is the peak."""
    times = np.arange(round(seconds * rate)) / rate
    return _mono(amplitude(dbfs) * np.sin(2 * np.pi * hz * times + np.deg2rad(phase_degrees)))


def _mono(samples: NDArray[np.float64]) -> Signal:
    return samples.reshape(1, -1)


def tones(*parts: tuple[float, float], rate: int = RATE, hz: float = 1000.0) -> Signal:
    """A stereo sine whose phase runs on while its level changes: (dBFS, seconds) one after the other."""
    levels = np.concatenate([np.full(round(seconds * rate), amplitude(dbfs)) for dbfs, seconds in parts])
    return stereo(levels * sine(hz, 0.0, len(levels) / rate, rate)[0])


def stereo(signal: Signal) -> Signal:
    return np.tile(np.atleast_2d(signal), (2, 1))


def silence(seconds: float, channels: int = 1, rate: int = RATE) -> Signal:
    return np.zeros((channels, round(seconds * rate)))


def noise(seconds: float, dbfs_rms: float = -20.0, channels: int = 1, rate: int = RATE, seed: int = 0) -> Signal:
    """White noise."""
    return amplitude(dbfs_rms) * np.random.default_rng(seed).standard_normal((channels, round(seconds * rate)))


def pink_noise(seconds: float, dbfs_rms: float = -20.0, rate: int = RATE, seed: int = 0) -> Signal:
    """Noise with the same energy in each octave."""
    samples = round(seconds * rate)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(samples))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1))
    pink = np.fft.irfft(spectrum, samples)
    return _mono(amplitude(dbfs_rms) * pink / pink.std())


def sweep(
    seconds: float, rate: int = RATE, low: float = 20.0, high: float = 20_000.0, *, linear: bool = False
) -> Signal:
    times = np.arange(round(seconds * rate)) / rate
    if linear:
        return _mono(0.5 * np.sin(2 * np.pi * (low * times + (high - low) / (2 * seconds) * times**2)))
    pace = np.log(high / low) / seconds
    return _mono(0.5 * np.sin(2 * np.pi * low / pace * np.expm1(pace * times)))


def pulses(bpm: float, seconds: float, rate: int = RATE, start: float = 0.0) -> Signal:
    """Clicks of 20 ms at exactly the tempo."""
    click = sine(1000, -6, 0.02, rate)[0] * np.linspace(1, 0, round(0.02 * rate))
    signal = silence(seconds, rate=rate)
    time = start
    while time < seconds:
        first = round(time * rate)
        part = click[: signal.shape[1] - first]
        signal[0, first : first + len(part)] += part
        time += 60 / bpm
    return signal


def chord(pitches: list[int], seconds: float, rate: int = RATE, overtones: int = 1) -> Signal:
    """Notes given in semitones above middle C, each with overtones falling off as in a sawtooth."""
    times = np.arange(round(seconds * rate)) / rate
    signal = np.zeros(len(times))
    for pitch in pitches:
        hz = 440 * 2 ** ((pitch - 9) / 12)
        for overtone in range(1, overtones + 1):
            signal += np.sin(2 * np.pi * hz * overtone * times) / overtone
    fade = np.minimum(1, np.minimum(times, times[::-1]) / 0.02)
    return _mono(signal * fade / np.abs(signal).max() * 0.5)


def cadence(tonic: int, *, minor: bool, rate: int = RATE, overtones: int = 1) -> Signal:
    """I-IV-V-I, or i-iv-v-i, of plain triads of one second each."""
    triad = (0, 3, 7) if minor else (0, 4, 7)
    return np.concatenate(
        [chord([tonic + root + note for note in triad], 1.0, rate, overtones) for root in (0, 5, 7, 0)], axis=1
    )


def integers(signal: Signal, bits: int = 16) -> NDArray[np.int64]:
    """Samples rounded as an encoder does, interleaved, clipped to the range."""
    scale = 2.0 ** (bits - 1)
    return np.clip(np.round(signal.T * scale), -scale, scale - 1).astype(np.int64).reshape(-1)


def pcm(signal: Signal, bits: int = 16, order: str = "<") -> bytes:
    """Samples as the bytes of integers."""
    values = integers(signal, bits).astype(f"{order}i4" if bits > 16 else f"{order}i2")
    if bits != 24:
        return values.tobytes()
    four = values.view(np.uint8).reshape(-1, 4)
    return (four[:, :3] if order == "<" else four[:, 1:]).tobytes()


def chunk(name: bytes, content: bytes, size: int | None = None, order: str = "<") -> bytes:
    """An IFF chunk; `size` lies about the content."""
    header = struct.pack(f"{order}4sI", name, len(content) if size is None else size)
    return header + content + b"\0" * (len(content) % 2)


PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE


def wav_bytes(
    data: bytes,
    channels: int = 1,
    rate: int = RATE,
    bits: int = 16,
    *,
    tag: int = PCM,
    size: int | None = None,
    mask: int | None = None,
    before: bytes = b"",
    behind: bytes = b"",
) -> bytes:
    """A WAV file. `size` is what the data chunk claims, `mask` the positions; `before` and `behind` are chunks."""
    align = channels * bits // 8
    header = struct.pack("<HHIIHH", tag if mask is None else EXTENSIBLE, channels, rate, rate * align, align, bits)
    if mask is not None:
        guid = struct.pack("<H", tag) + bytes.fromhex("000000001000800000aa00389b71")
        header += struct.pack("<HHI", 22, bits, mask) + guid
    body = chunk(b"fmt ", header) + before + chunk(b"data", data, size) + behind
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body


def wav(signal: Signal, rate: int = RATE, bits: int = 16, mask: int | None = None) -> bytes:
    return wav_bytes(pcm(signal, bits), signal.shape[0], rate, bits, mask=mask)


def float_wav(signal: Signal, rate: int = RATE, bits: int = 32) -> bytes:
    """A WAV file of floats, which keeps what integers cannot: levels over full scale, NaN and infinity."""
    data = np.ascontiguousarray(signal.T).astype(f"<f{bits // 8}").tobytes()
    return wav_bytes(data, signal.shape[0], rate, bits, tag=FLOAT)


def rf64_bytes(data: bytes, channels: int = 1, rate: int = RATE, *, size: int | None = None) -> bytes:
    """An RF64 file of 16 bits; `size` is what its 64-bit size of the data claims."""
    align = channels * 2
    header = struct.pack("<HHIIHH", PCM, channels, rate, rate * align, align, 16)
    sizes = struct.pack("<QQQI", 0, len(data) if size is None else size, len(data) // align, 0)
    body = chunk(b"ds64", sizes) + chunk(b"fmt ", header) + chunk(b"data", data, 0xFFFFFFFF)
    return b"RF64" + struct.pack("<I", 0xFFFFFFFF) + b"WAVE" + body


def aiff_bytes(data: bytes, rate: int = RATE, *, size: int | None = None, sound_first: bool = False) -> bytes:
    """A mono AIFF file of 16 bits; `size` is what its sound chunk claims."""
    exponent = rate.bit_length() - 1
    extended = struct.pack(">HQ", 16383 + exponent, rate << (63 - exponent))
    common = chunk(b"COMM", struct.pack(">hIh", 1, len(data) // 2, 16) + extended, order=">")
    sound = chunk(b"SSND", struct.pack(">II", 0, 0) + data, size, ">")
    body = sound + common if sound_first else common + sound
    return b"FORM" + struct.pack(">I", 4 + len(body)) + b"AIFF" + body


def id3(content: bytes) -> bytes:
    """An ID3v2.4 tag with one frame of the given bytes, such as a cover image."""
    frame = b"APIC" + _syncsafe(len(content)) + b"\0\0" + content
    return b"ID3\x04\0\0" + _syncsafe(len(frame)) + frame


def _syncsafe(size: int) -> bytes:
    return bytes(size >> shift & 127 for shift in (21, 14, 7, 0))


LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}


def encode(
    signal: Signal,
    container: str,
    codec: str,
    rate: int = RATE,
    *,
    sample_format: str | None = None,
    options: dict[str, str] | None = None,
    codec_options: dict[str, str] | None = None,
    bit_rate: int | None = None,
    seekable: bool = True,
) -> bytes:
    """A file by one of FFmpeg's encoders. Without `seekable` its header is written once, before the samples."""
    file: Any = io.BytesIO() if seekable else _Pipe()
    with av.open(file, "w", format=container, options=options or {}) as output:
        layout = LAYOUTS[signal.shape[0]]
        stream = output.add_stream(codec, rate=rate, options=codec_options or {}, layout=layout)
        assert isinstance(stream, AudioStream)
        if sample_format:
            stream.format = sample_format
        if bit_rate:
            stream.bit_rate = bit_rate
        interleaved = signal.T.reshape(1, -1).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(interleaved, "flt", layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        if signal.shape[1]:
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return bytes(file.getvalue())


class _Pipe:
    """A file that cannot be sought in, like standard output."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def getvalue(self) -> bytes:
        return b"".join(self._parts)


def saved(folder: Path, content: bytes, name: str = "track.bin") -> Path:
    """Write a file and return its path. The name says nothing of the format: no code may look at it."""
    path = folder / name
    path.write_bytes(content)
    return path
