"""From a file of any supported format to blocks of samples, in one pass and with bounded memory.

FFmpeg (the `av` package) decodes. It reads through a Python file object: it never sees a path, so no demuxer can open
another file or an address. Only the demuxer that the first bytes name may open the file, and only decoders of the
codecs listed here are used: a cover image is never decoded.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import BinaryIO, TypeAlias, cast

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from numpy.typing import NDArray

from functions.audio_worker.errors import Facts, TooLarge, Undecodable
from functions.audio_worker.formats import Format, detect

Block: TypeAlias = NDArray[np.float32]
"""Samples as (channels, samples), full scale = 1: one second, except the last block, which may be shorter."""

MAX_SECONDS = 90 * 60
MAX_CHANNELS = 8
MAX_SAMPLE_RATE = 384_000
MIN_SAMPLE_RATE = 1_000
MAX_SAMPLES = 10**9
# Louder than this (240 dB over full scale) is damage, like NaN: its square would soon leave the range of float32.
LARGEST_SAMPLE = 1e12
# Planes that an FFmpeg frame holds pointers to (AV_NUM_DATA_POINTERS).
MAX_POINTERS = 8
# What FFmpeg reads at a time.
READ_BYTES = 1 << 16

_CODECS = {
    "alac": "alac",
    "flac": "flac",
    "vorbis": "vorbis",
    "opus": "opus",
    "aac": "aac",
    # MPEG audio has one name in the summary, whatever its layer.
    "mp1": "mp3",
    "mp2": "mp3",
    "mp3": "mp3",
}
_DECODERS = [name for name in sorted(av.codecs_available) if name.startswith("pcm_")] + [
    "aac", "alac", "flac", "mp1float", "mp2float", "mp3float", "mp3", "opus", "vorbis",
]  # fmt: skip

NO_FORMAT = "The first bytes of the file belong to no supported audio format."
NO_INDEX = "The file is damaged or cut off: its header or index cannot be read."
NO_AUDIO = "The file holds no audio."
NO_CODEC = "The codec of the file is unknown."
NOTHING_DECODES = "Nothing in the file can be decoded: it is damaged."


class Audio:
    """An open audio file: its facts, the positions of its channels, and its samples by `blocks`, once."""

    def __init__(self, decoder: "_Decoder") -> None:
        self._decoder = decoder
        frames = decoder.frames()
        first = next(frames, None)
        context = decoder.context
        if first is None and decoder.failure:
            raise Undecodable(decoder.failure)
        if context is None:
            raise Undecodable(NO_AUDIO)
        if first is None and decoder.claimed_seconds:
            # FLAC without a single frame yields no packet either; a header without samples claims no duration.
            raise Undecodable(NOTHING_DECODES)
        self._frames = frames if first is None else chain([first], frames)
        source = first or context
        self.facts = Facts(
            sample_rate=source.sample_rate,
            channels=source.layout.nb_channels,
            bit_depth=_bit_depth(context),
            codec=_codec(context),
            duration_seconds=decoder.claimed_seconds,
        )
        self.positions = tuple(channel.name for channel in source.layout.channels)
        """FFmpeg's names of the channels' positions (FL, LFE, SL), `NONE` where the file does not say."""
        self._check_limits()

    @property
    def progress(self) -> float:
        """How much of the file has been read, 0 to 1."""
        return self._decoder.progress

    def blocks(self) -> Iterator[Block]:
        """Yield the samples to the end of the stream, or to where it breaks off.

        A sample that is NaN, infinite or beyond LARGEST_SAMPLE counts as 0. A stream that changes its rate or its
        channels on the way (joined files) is brought to those of its start. Raises TooLarge at the first sample too
        many, and OSError when the file itself cannot be read.
        """
        rate, channels = self.facts.sample_rate, self.facts.channels
        limit = min(MAX_SECONDS * rate, MAX_SAMPLES // channels)
        block, filled, total = np.empty((channels, rate), np.float32), 0, 0
        for frame in _readable(self._frames, rate):
            samples = _samples(frame, channels)
            total += samples.shape[1]
            if total > limit:
                raise self._too_long()
            while samples.shape[1]:
                taken = samples[:, : rate - filled]
                block[:, filled : filled + taken.shape[1]] = taken
                filled += taken.shape[1]
                samples = samples[:, taken.shape[1] :]
                if filled == rate:
                    yield _finite(block)
                    block, filled = np.empty_like(block), 0
        if filled:
            yield _finite(block[:, :filled])

    def _check_limits(self) -> None:
        facts = self.facts
        if facts.channels > MAX_CHANNELS:
            raise TooLarge(f"The file has {facts.channels} channels; up to {MAX_CHANNELS} are measured.", facts)
        if not MIN_SAMPLE_RATE <= facts.sample_rate <= MAX_SAMPLE_RATE:
            measured = f"{MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz are measured."
            raise TooLarge(f"The sample rate is {facts.sample_rate} Hz; {measured}", facts)

    def _too_long(self) -> TooLarge:
        if MAX_SECONDS * self.facts.sample_rate <= MAX_SAMPLES // self.facts.channels:
            return TooLarge(f"The file is longer than {MAX_SECONDS // 60} minutes.", self.facts)
        return TooLarge(f"The file holds more than {MAX_SAMPLES} samples.", self.facts)


@contextmanager
def open_audio(path: Path) -> Iterator[Audio]:
    """Open an audio file for one pass.

    Raises Undecodable or TooLarge with the reason, and OSError when the file itself cannot be read.
    """
    with path.open("rb") as file:
        found = detect(file)
        if found is None:
            raise Undecodable(NO_FORMAT)
        yield Audio(_Decoder(file, found))


class _Decoder:
    """Decodes the parts of a file, and keeps what is known of it on the way."""

    def __init__(self, file: BinaryIO, found: Format) -> None:
        self._file = file
        self._found = found
        self._read = 0
        self.context: AudioCodecContext | None = None
        """The decoder of the first part that holds audio."""
        self.claimed_seconds: float | None = None
        self.failure: str | None = None
        """Why there may be no frames."""

    @property
    def progress(self) -> float:
        return self._read / max(self._found.parts[-1][1], 1)

    def frames(self) -> Iterator[AudioFrame]:
        """Yield the decoded frames of every part; what does not open or decode is left out."""
        for start, end in self._found.parts:
            view = _View(self._file, start, end, self._found.patches)
            try:
                container = _open(view, self._found.demuxer)
            except av.FFmpegError:
                self.failure = self.failure or NO_INDEX
                continue
            with container:
                stream = container.streams.best("audio")
                if not isinstance(stream, AudioStream):
                    continue
                context = _supported(stream)
                if self.context is None:
                    self.context = context
                    self.claimed_seconds = container.duration / av.time_base if container.duration else None
                for frame in self._decoded(container, stream):
                    self._read = start + view.tell()
                    yield frame
            self._read = end

    def _decoded(self, container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
        """Yield the decoded frames of a stream. A packet that does not decode is left out."""
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets)
            except (StopIteration, av.FFmpegError):
                # The end, or a container broken from here on: what the decoder still holds is its last.
                break
            if packet.size:
                self.failure = self.failure or NOTHING_DECODES
            try:
                yield from packet.decode()
            except av.FFmpegError:
                continue
        try:
            yield from stream.codec_context.decode(None)
        except av.FFmpegError:
            return


def _open(view: "_View", demuxer: str) -> InputContainer:
    container = av.open(
        view,
        mode="r",
        format=demuxer,
        buffer_size=READ_BYTES,
        metadata_errors="replace",
        options={"codec_whitelist": ",".join(_DECODERS), "protocol_whitelist": ""},
    )
    assert isinstance(container, InputContainer)
    return container


class _View:
    """One part of a file as FFmpeg reads it: from `start` to `end`, with the format's patches in place."""

    def __init__(self, file: BinaryIO, start: int, end: int, patches: dict[int, bytes]) -> None:
        self._file = file
        self._start = start
        self._size = end - start
        self._patches = patches
        self._at = 0

    def read(self, size: int) -> bytes:
        self._file.seek(self._start + self._at)
        data = self._file.read(max(min(size, self._size - self._at), 0))
        for offset, patch in self._patches.items():
            first = max(offset, self._at)
            last = min(offset + len(patch), self._at + len(data))
            if first < last:
                data = data[: first - self._at] + patch[first - offset : last - offset] + data[last - self._at :]
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def tell(self) -> int:
        return self._at


def _supported(stream: AudioStream) -> AudioCodecContext:
    """Return the decoder of a stream. Raises Undecodable when its codec is unknown or not one of those listed."""
    # FFmpeg has no decoder for a codec that it does not know, whatever the type of the attribute says.
    context = cast("AudioCodecContext | None", stream.codec_context)
    if context is None:
        raise Undecodable(NO_CODEC)
    _codec(context)
    return context


def _codec(context: AudioCodecContext) -> str:
    name = context.codec.canonical_name
    if name.startswith("pcm_"):
        return "pcm"
    if name not in _CODECS:
        raise Undecodable(f"The codec {name} is not supported.")
    return _CODECS[name]


def _bit_depth(context: AudioCodecContext) -> int | None:
    """Bits per sample as the file stores them. FFmpeg's sample format is wider than that for 24 bits."""
    name, header = context.codec.canonical_name, context.extradata or b""
    if name.startswith("pcm_"):
        digits = "".join(filter(str.isdigit, name))
        return int(digits) if digits else 8  # A-law and mu-law
    if name == "flac" and len(header) >= 14:  # STREAMINFO, RFC 9639 section 8.2
        return ((header[12] & 1) << 4 | header[13] >> 4) + 1
    if name == "alac" and len(header) >= 18:  # the magic cookie behind a box header of 12 bytes
        return header[17]
    return None


# Full scale in each of the sample formats that PyAV hands to numpy, by FFmpeg's name of the interleaved one.
_FULL_SCALE = {"u8": 2.0**7, "s16": 2.0**15, "s32": 2.0**31, "flt": 1.0, "dbl": 1.0}


def _readable(frames: Iterator[AudioFrame], rate: int) -> Iterator[AudioFrame]:
    """Yield frames of this sample rate whose samples can be read; the number of channels stays as it is.

    PyAV reads the planes of a frame up to the first null pointer. FFmpeg has room for 8 pointers, so where all are set
    it reads on into whatever lies behind, and the process dies: 8 planes are interleaved first. A frame of more
    channels than are measured can only be damage in the middle of a stream, and is left out.
    """
    resampler, source = None, None
    for frame in frames:
        channels = frame.layout.nb_channels
        if channels > MAX_CHANNELS:
            continue
        kind = (frame.sample_rate, frame.layout.name, frame.format.name)
        if resampler is not None and kind != source:
            yield from _resampled(resampler, None)
            resampler = None
        interleaved = frame.format.packed.name
        too_many_planes = frame.format.is_planar and channels >= MAX_POINTERS
        if frame.sample_rate == rate and interleaved in _FULL_SCALE and not too_many_planes:
            yield frame
            continue
        if resampler is None:
            target = interleaved if interleaved in _FULL_SCALE else "dbl"
            resampler, source = AudioResampler(target, frame.layout, rate), kind
        yield from _resampled(resampler, frame)
    if resampler is not None:
        yield from _resampled(resampler, None)


def _resampled(resampler: AudioResampler, frame: AudioFrame | None) -> list[AudioFrame]:
    """Return what comes out for a frame, or at the end for None; nothing for what FFmpeg refuses to convert."""
    try:
        return resampler.resample(frame)
    except av.FFmpegError:
        return []


def _samples(frame: AudioFrame, channels: int) -> Block:
    """Return a frame's samples as (channels, samples), full scale = 1."""
    raw = frame.to_ndarray()
    if not frame.format.is_planar:
        raw = raw.reshape(-1, frame.layout.nb_channels).T
    with np.errstate(over="ignore"):  # a 64-bit float beyond 32 bits becomes infinite, and then 0
        samples = raw.astype(np.float32)
    if raw.dtype == np.uint8:
        samples -= 128
    samples /= np.float32(_FULL_SCALE[frame.format.packed.name])
    return _with_channels(samples, channels)


def _with_channels(samples: Block, channels: int) -> Block:
    """Bring a part with other channels to those of the start: mono to all, all mixed to mono, else the first ones."""
    if samples.shape[0] == channels:
        return samples
    if samples.shape[0] == 1:
        return np.repeat(samples, channels, axis=0)
    if channels == 1:
        mono: Block = samples.mean(axis=0, keepdims=True)
        return mono
    fitting = np.zeros((channels, samples.shape[1]), np.float32)
    shared = min(channels, samples.shape[0])
    fitting[:shared] = samples[:shared]
    return fitting


def _finite(block: Block) -> Block:
    """Set to 0 what is no number, in place. (NaN fails every comparison.)"""
    if not (block.max() <= LARGEST_SAMPLE and block.min() >= -LARGEST_SAMPLE):
        block[~(np.abs(block) <= LARGEST_SAMPLE)] = 0
    return block
