"""What the first bytes of WAV, RF64, AIFF and FLAC files say. The files are made here, byte by byte."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.reference.headers import UNKNOWN, Sound, sound_of
from tests.reference.uploads import tone

PCM, FLOAT, ALAW, EXTENSIBLE = 1, 3, 6, 0xFFFE


def chunk(name: bytes, content: bytes, order: str = "<", size: int | None = None) -> bytes:
    length = len(content) if size is None else size
    return name + struct.pack(f"{order}I", length) + content + b"\0" * (len(content) % 2)


def fmt(form: int = PCM, channels: int = 2, rate: int = 44100, bits: int = 16, behind: bytes = b"") -> bytes:
    align = channels * bits // 8
    return chunk(b"fmt ", struct.pack("<HHIIHH", form, channels, rate, rate * align, align, bits) + behind)


def wav(*chunks: bytes, name: bytes = b"RIFF") -> bytes:
    return name + struct.pack("<I", sum(map(len, chunks)) + 4) + b"WAVE" + b"".join(chunks)


def extended(rate: int) -> bytes:
    """A rate as 80 bits: the exponent, and the number shifted until its first bit is set."""
    return struct.pack(">HQ", 16383 + rate.bit_length() - 1, rate << (64 - rate.bit_length()))


def comm(channels: int = 2, frames: int = 0, bits: int = 24, rate: int = 48000, behind: bytes = b"") -> bytes:
    return chunk(b"COMM", struct.pack(">hIh", channels, frames, bits) + extended(rate) + behind, ">")


def aiff(*chunks: bytes, form: bytes = b"AIFF") -> bytes:
    return b"FORM" + struct.pack(">I", sum(map(len, chunks)) + 4) + form + b"".join(chunks)


def flac(rate: int = 96000, channels: int = 2, bits: int = 24, total: int = 960_000, kind: int = 0) -> bytes:
    packed = rate << 44 | (channels - 1) << 41 | (bits - 1) << 36 | total
    return b"fLaC" + bytes([kind, 0, 0, 34]) + b"\0" * 10 + struct.pack(">Q", packed) + b"\0" * 16


def read(file: bytes, size: int | None = None) -> Sound:
    return sound_of(file, len(file) if size is None else size)


def test_wav() -> None:
    assert read(tone(0.5, rate=8000, channels=2)) == Sound(8000, 2, 16, 0.5)
    second = b"\0" * 176_400
    assert read(wav(fmt(), chunk(b"data", second))) == Sound(44100, 2, 16, 1.0)
    assert read(wav(chunk(b"LIST", b"odd"), fmt(FLOAT, 1, 48000, 32), chunk(b"data", b"\0" * 96_000))) == Sound(
        48000, 1, 32, 0.5
    )
    pcm_behind = struct.pack("<HHI16s", 22, 24, 3, struct.pack("<H", PCM) + b"\0" * 14)
    assert read(wav(fmt(EXTENSIBLE, 2, 44100, 24, pcm_behind), chunk(b"data", b"\0" * 264_600))) == Sound(
        44100, 2, 24, 1.0
    )


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_a_size_that_was_never_written_goes_to_the_end(size: int) -> None:
    file = wav(fmt(), chunk(b"data", b"\0" * 88_200, size=size))
    assert read(file).duration_seconds == 0.5
    # The object is longer than the first bytes of it that are looked at.
    assert read(file[:200], 44 + 176_400).duration_seconds == 1.0


def test_a_size_that_claims_too_much_is_cut() -> None:
    assert read(wav(fmt(), chunk(b"data", b"\0" * 88_200, size=10**9))).duration_seconds == 0.5


def test_a_part_of_a_sample_does_not_count() -> None:
    assert read(wav(fmt(), chunk(b"data", b"\0" * 7))).duration_seconds == 1 / 44100


def test_rf64_has_its_size_in_front() -> None:
    ds64 = chunk(b"ds64", struct.pack("<QQQI", 0, 176_400, 44100, 0))
    file = wav(ds64, fmt(), chunk(b"data", b"\0" * 200_000, size=0xFFFFFFFF), name=b"RF64")
    assert read(file) == Sound(44100, 2, 16, 1.0)


def test_aiff() -> None:
    sound = chunk(b"SSND", b"\0" * (8 + 288_000), ">")
    assert read(aiff(comm(), sound)) == Sound(48000, 2, 24, 1.0)
    assert read(aiff(comm(bits=12, channels=1), chunk(b"SSND", b"\0" * (8 + 96_000), ">"))).duration_seconds == 1.0
    assert read(aiff(comm(behind=b"sowt\0\0"), sound, form=b"AIFC")).duration_seconds == 1.0


def test_aiff_that_is_compressed_or_says_it_behind_is_unknown() -> None:
    sound = chunk(b"SSND", b"\0" * 1000, ">")
    assert read(aiff(comm(behind=b"ima4\0\0"), sound, form=b"AIFC")) == UNKNOWN
    assert read(aiff(sound, comm())) == UNKNOWN


def test_flac() -> None:
    assert read(flac()) == Sound(96000, 2, 24, 10.0)
    assert read(flac(rate=655_350, channels=8, bits=32, total=2**36 - 1)).duration_seconds == (2**36 - 1) / 655_350
    assert read(flac(total=0)) == Sound(96000, 2, 24, None)
    assert read(flac(rate=0)) == UNKNOWN
    assert read(flac(kind=1)) == UNKNOWN
    assert read(flac(kind=0x80)) == Sound(96000, 2, 24, 10.0)  # the last block of metadata


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"RIFF",
        b"plain text, whatever it is called",
        b"\xff\xfb\x90\x00" * 100,
        wav(fmt(ALAW), chunk(b"data", b"\0" * 100)),
        wav(fmt(channels=0), chunk(b"data", b"\0" * 100)),
        wav(fmt(rate=0), chunk(b"data", b"\0" * 100)),
        wav(chunk(b"data", b"\0" * 100)),
        wav(fmt()),
        wav(fmt())[:20],
        wav(chunk(b"JUNK", b"\0" * 70_000), fmt(), chunk(b"data", b"\0" * 100))[:65_536],
        aiff(comm(rate=1)[:-10] + b"\x7f\xff" + b"\xff" * 8, chunk(b"SSND", b"\0" * 100, ">")),
        flac()[:20],
    ],
    ids=str,
)
def test_what_does_not_say_it_is_unknown(file: bytes) -> None:
    assert read(file) == UNKNOWN


@given(st.sampled_from([b"RIFF0000WAVE", b"FORM0000AIFF", b"FORM0000AIFC", b"fLaC", b""]), st.binary(max_size=200))
def test_no_bytes_do_harm(start: bytes, rest: bytes) -> None:
    sound = read(start + rest)
    assert sound.duration_seconds is None or 0 <= sound.duration_seconds < float("inf")


@given(st.integers(0, 199), st.binary(min_size=1, max_size=4))
def test_damage_to_a_good_header_does_no_harm(at: int, damage: bytes) -> None:
    file = bytearray(wav(fmt(), chunk(b"data", b"\0" * 200)))
    file[at : at + len(damage)] = damage
    sound = read(bytes(file))
    assert sound.sample_rate is None or sound.sample_rate > 0
    assert sound.duration_seconds is None or sound.duration_seconds >= 0
