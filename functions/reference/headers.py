"""Reads the sample rate, depth and length of a file from its first bytes, for WAV, RF64, AIFF and FLAC.

Nothing is decoded. Values that are not certain stay unknown until the analysis.
"""

import math
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

HEAD_BYTES: Final = 65_536
_STREAMED: Final = (0, 0xFFFFFFFF)
# Formats of WAVE whose samples have a fixed size: PCM and IEEE float. The extensible one names one of them behind.
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE


class Sound(NamedTuple):
    """Rate in Hz, bits per sample and length in seconds; each None when the bytes do not tell it."""

    sample_rate: int | None = None
    channels: int | None = None
    bit_depth: int | None = None
    duration_seconds: float | None = None


UNKNOWN: Final = Sound()


def sound_of(head: bytes, size: int) -> Sound:
    """What the first bytes of an object of `size` bytes say about its sound."""
    try:
        if head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE":
            return _wav(head, size)
        if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
            return _aiff(head, size)
        if head[:4] == b"fLaC":
            return _flac(head)
    except struct.error:  # the bytes end in the middle of a header
        return UNKNOWN
    return UNKNOWN


def _chunks(head: bytes, order: str) -> Iterator[tuple[bytes, int, int]]:
    """Name, offset of the content and size of each chunk that begins in the first bytes (RIFF and EA IFF 85)."""
    at = 12
    while at + 8 <= len(head):
        (size,) = struct.unpack_from(f"{order}I", head, at + 4)
        yield head[at : at + 4], at + 8, size
        at += 8 + size + size % 2


def _wav(head: bytes, size: int) -> Sound:
    """RIFF WAVE, and RF64 with its sizes of 64 bits in front (EBU Tech 3306)."""
    channels = rate = align = bits = long_size = 0
    for name, at, length in _chunks(head, "<"):
        if name == b"ds64":
            (long_size,) = struct.unpack_from("<8xQ", head, at)
        elif name == b"fmt ":
            form, channels, rate, _, align, bits = struct.unpack_from("<HHIIHH", head, at)
            if form == _EXTENSIBLE:
                (form,) = struct.unpack_from("<24xH", head, at)
            if form not in (_PCM, _FLOAT):
                return UNKNOWN
        elif name == b"data":
            if not (channels and rate and align and bits):
                return UNKNOWN
            return Sound(rate, channels, bits, _seconds(_data_size(length, long_size, size - at), align, rate))
    return UNKNOWN


def _data_size(length: int, long_size: int, left: int) -> int:
    """How many bytes of samples there are: at most those that are left, which also stand for a size never written."""
    if length == 0xFFFFFFFF and long_size:
        length = long_size
    return left if length in _STREAMED else min(length, left)


def _seconds(data_size: int, align: int, rate: int) -> float:
    return data_size // align / rate


def _aiff(head: bytes, size: int) -> Sound:
    """AIFF and uncompressed AIFF-C (Apple, Audio Interchange File Format 1.3)."""
    channels = bits = 0
    rate = 0.0
    for name, at, length in _chunks(head, ">"):
        if name == b"COMM":
            channels, bits = struct.unpack_from(">h4xh", head, at)
            rate = _extended(head, at + 8)
            if head[8:12] == b"AIFC" and head[at + 18 : at + 22] not in (b"NONE", b"twos", b"sowt", b"fl32", b"FL32"):
                return UNKNOWN
        elif name == b"SSND":
            if not (channels > 0 and bits > 0 and 1 <= rate < 2**31):
                return UNKNOWN
            # Eight bytes, an offset and a block size, stand in front of the samples and are counted with them.
            samples = _data_size(max(length - 8, 0) if length not in _STREAMED else length, 0, size - at - 8)
            align = channels * -(-bits // 8)
            return Sound(round(rate), channels, bits, _seconds(samples, align, round(rate)))
    return UNKNOWN


def _extended(head: bytes, at: int) -> float:
    """A positive number of 80 bits (IEEE 754 extended precision), which AIFF gives its rate in; 0 for what is none."""
    exponent, mantissa = struct.unpack_from(">HQ", head, at)
    if exponent >= 0x7FFF:
        return 0.0
    return math.ldexp(mantissa, exponent - 16_383 - 63) if exponent < 16_383 + 64 else 0.0


def _flac(head: bytes) -> Sound:
    """The block STREAMINFO, always the first one (RFC 9639, 8.2): 20 bits of rate, 3, 5, and 36 of samples."""
    if len(head) < 26 or head[4] & 0x7F != 0:
        return UNKNOWN
    (packed,) = struct.unpack_from(">Q", head, 18)
    rate, total = packed >> 44, packed & 0xFFFFFFFFF
    if not rate:
        return UNKNOWN
    return Sound(rate, (packed >> 41 & 7) + 1, (packed >> 36 & 31) + 1, total / rate if total else None)
