"""Every supported format decodes to its end, and every broken file has a clear result or reason."""

import struct
from pathlib import Path

import av
import numpy as np
import pytest

from functions.audio_worker import decoding
from functions.audio_worker.decoding import (
    NO_AUDIO,
    NO_CODEC,
    NO_FORMAT,
    NO_INDEX,
    NOTHING_DECODES,
    Audio,
    _readable,
    open_audio,
)
from functions.audio_worker.errors import Facts, TooLarge, Undecodable
from tests.audio_worker.signals import (
    RATE,
    Signal,
    aiff_bytes,
    chunk,
    encode,
    float_wav,
    id3,
    noise,
    pcm,
    rf64_bytes,
    saved,
    silence,
    sine,
    stereo,
    wav,
    wav_bytes,
)

TONE = stereo(sine(440, -12, 3) + noise(3, -60))
EXPERIMENTAL = {"strict": "-2"}
VARIABLE = {"flags": "+qscale", "global_quality": "500"}
NO_XING = {"write_xing": "0"}


def decoded(folder: Path, content: bytes) -> tuple[Facts, Signal]:
    """Facts and samples of a file."""
    with open_audio(saved(folder, content)) as audio:
        blocks = list(audio.blocks())
        rate = audio.facts.sample_rate
        assert all(block.shape[1] == rate for block in blocks[:-1])
        assert all(0 < block.shape[1] <= rate for block in blocks)
        assert audio.progress == 1
        return audio.facts, np.concatenate([np.empty((audio.facts.channels, 0)), *blocks], axis=1)


def reason(folder: Path, content: bytes) -> str:
    """Why a file cannot be decoded."""
    with pytest.raises(Undecodable) as refused, open_audio(saved(folder, content)) as audio:
        list(audio.blocks())
    return str(refused.value)


@pytest.mark.parametrize("bits", [16, 24, 32])
def test_wav_of_integers_decodes_exactly(tmp_path: Path, bits: int) -> None:
    facts, samples = decoded(tmp_path, wav(TONE, bits=bits))
    assert facts == Facts(RATE, 2, bits, "pcm", 3.0)
    assert samples.shape == TONE.shape
    assert np.abs(samples - TONE).max() <= (2**-15 if bits == 16 else 2**-22)


def test_wav_of_bytes_is_centred_on_128(tmp_path: Path) -> None:
    facts, samples = decoded(tmp_path, wav_bytes(bytes([0, 128, 255]), bits=8))
    assert facts.bit_depth == 8
    assert samples.tolist() == [[-1, 0, 127 / 128]]


def test_wav_of_64_bit_integers(tmp_path: Path) -> None:
    values = np.array([2**62, -(2**63), 2**61], "<i8")
    facts, samples = decoded(tmp_path, wav_bytes(values.tobytes(), bits=64))
    assert facts.bit_depth == 64
    assert samples.tolist() == [[0.5, -1, 0.25]]


@pytest.mark.parametrize("bits", [32, 64])
def test_wav_of_floats_keeps_what_is_over_full_scale(tmp_path: Path, bits: int) -> None:
    facts, samples = decoded(tmp_path, float_wav(np.array([[1.5, -2.25, 0.125]]), bits=bits))
    assert (facts.codec, facts.bit_depth) == ("pcm", bits)
    assert samples.tolist() == [[1.5, -2.25, 0.125]]


def test_what_is_no_number_counts_as_zero(tmp_path: Path) -> None:
    _, samples = decoded(tmp_path, float_wav(np.array([[0.5, np.nan, np.inf, -np.inf, 3e38, -0.5]])))
    assert samples.tolist() == [[0.5, 0, 0, 0, 0, -0.5]]


def test_a_number_too_large_for_32_bits_counts_as_zero(tmp_path: Path) -> None:
    _, samples = decoded(tmp_path, float_wav(np.array([[0.5, 1e300, -1e300]]), bits=64))
    assert samples.tolist() == [[0.5, 0, 0]]


@pytest.mark.parametrize(
    ("content", "codec", "seconds", "tolerance"),
    [
        (encode(TONE, "flac", "flac"), "flac", 3, 0),
        (encode(TONE, "flac", "flac", seekable=False), "flac", 3, 0),  # the header tells no length
        (encode(TONE, "ogg", "flac"), "flac", 3, 0),
        (encode(TONE, "ipod", "alac"), "alac", 3, 0),
        (encode(TONE, "aiff", "pcm_s16be"), "pcm", 3, 0),
        (encode(TONE, "ogg", "vorbis", codec_options=EXPERIMENTAL), "vorbis", 3, 0.001),
        (encode(TONE, "ogg", "libopus"), "opus", 3, 0.001),
        (encode(TONE, "webm", "libopus"), "opus", 3, 0.001),
        (encode(TONE, "mp3", "libmp3lame"), "mp3", 3, 0.001),
        (encode(TONE, "mp3", "libmp3lame", options=NO_XING, codec_options=VARIABLE), "mp3", 3, 0.05),
        (encode(TONE, "mp2", "mp2"), "mp3", 3, 0.05),
        (encode(TONE, "ipod", "aac"), "aac", 3, 0.05),  # the index stands at the end
        (encode(TONE, "mp4", "aac", options={"movflags": "frag_keyframe+empty_moov"}), "aac", 3, 0.05),
        (encode(TONE, "adts", "aac"), "aac", 3, 0.05),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_format_decodes_to_its_end(
    tmp_path: Path, content: bytes, codec: str, seconds: float, tolerance: float
) -> None:
    facts, samples = decoded(tmp_path, content)
    assert (facts.codec, facts.sample_rate, facts.channels) == (codec, RATE, 2)
    assert samples.shape[1] / RATE == pytest.approx(seconds, abs=tolerance)
    assert np.abs(samples).max() == pytest.approx(0.25, rel=0.1)


@pytest.mark.parametrize(("sample_format", "bits"), [("s16", 16), ("s32", 24)])
def test_lossless_codecs_tell_their_bits(tmp_path: Path, sample_format: str, bits: int) -> None:
    assert decoded(tmp_path, encode(TONE, "flac", "flac", sample_format=sample_format))[0].bit_depth == bits
    planar = f"{sample_format}p"
    assert decoded(tmp_path, encode(TONE, "ipod", "alac", sample_format=planar))[0].bit_depth == bits


def test_lossy_codecs_have_no_bits(tmp_path: Path) -> None:
    assert decoded(tmp_path, encode(TONE, "mp3", "libmp3lame"))[0].bit_depth is None


def test_the_bytes_decide_and_not_the_name(tmp_path: Path) -> None:
    path = saved(tmp_path, encode(TONE, "mp3", "libmp3lame"), "really.wav")
    with open_audio(path) as audio:
        assert audio.facts.codec == "mp3"


def test_tags_and_a_cover_in_front_are_passed_over(tmp_path: Path) -> None:
    cover = id3(b"\xff\xd8" + bytes(300_000))
    for content in (encode(TONE, "mp3", "libmp3lame"), encode(TONE, "flac", "flac"), wav(TONE)):
        alone = decoded(tmp_path, content)[1]
        assert decoded(tmp_path, cover + id3(b"again") + content)[1].shape == alone.shape


def test_an_mp3_may_begin_with_zeros_or_a_part_of_a_frame(tmp_path: Path) -> None:
    whole = encode(TONE, "mp3", "libmp3lame", options=NO_XING)
    for content in (bytes(5000) + whole, whole[100:]):
        facts, samples = decoded(tmp_path, content)
        assert facts.codec == "mp3"
        assert samples.shape[1] / RATE == pytest.approx(3, abs=0.1)


def test_joined_mp3s_are_decoded_to_the_last(tmp_path: Path) -> None:
    one = encode(TONE, "mp3", "libmp3lame")
    other = encode(sine(440, -12, 2, 44_100), "mp3", "libmp3lame", 44_100)
    for content, seconds in ((one + one, 6), (one + other, 5), (other + one, 5)):
        facts, samples = decoded(tmp_path, content)
        assert samples.shape[1] / facts.sample_rate == pytest.approx(seconds, abs=0.1)
        assert np.abs(samples[:, -facts.sample_rate :]).max() > 0.2


@pytest.mark.parametrize("codec", ["vorbis", "libopus", "flac"])
def test_each_link_of_a_chained_ogg_is_decoded(tmp_path: Path, codec: str) -> None:
    link = encode(TONE, "ogg", codec, codec_options=EXPERIMENTAL)
    facts, samples = decoded(tmp_path, link * 3)
    assert samples.shape[1] == 3 * decoded(tmp_path, link)[1].shape[1]
    assert facts.codec == codec.removeprefix("lib")


def test_a_link_of_another_rate_codec_and_width_follows_the_first(tmp_path: Path) -> None:
    first = encode(stereo(sine(1000, -12, 2, 44_100)), "ogg", "flac", 44_100)
    second = encode(sine(1000, -6, 3), "ogg", "libopus")
    facts, samples = decoded(tmp_path, first + second)
    assert (facts.codec, facts.sample_rate, facts.channels) == ("flac", 44_100, 2)
    assert samples.shape[1] / 44_100 == pytest.approx(5, abs=0.01)
    # The mono link sounds in both channels, at its own level.
    assert np.abs(samples[:, -44_100:-22_050]).max(axis=1) == pytest.approx([0.5, 0.5], abs=0.05)


@pytest.mark.parametrize("claimed", [0, 0xFFFFFFFF, 0x7FFFFFFF], ids=hex)
def test_a_wav_that_was_never_finished_goes_on_to_its_end(tmp_path: Path, claimed: int) -> None:
    _, samples = decoded(tmp_path, wav_bytes(pcm(TONE), 2, size=claimed))
    assert samples.shape == TONE.shape


def test_a_wav_ends_where_its_data_chunk_ends(tmp_path: Path) -> None:
    listed = chunk(b"LIST", b"INFO" + bytes(4000))
    _, samples = decoded(tmp_path, wav_bytes(pcm(TONE), 2, before=listed, behind=listed))
    assert samples.shape == TONE.shape


@pytest.mark.parametrize("claimed", [None, 0, 0xFFFFFFFFFFFFFFFF, 10**12])
def test_rf64_goes_by_its_64_bit_size_or_to_its_end(tmp_path: Path, claimed: int | None) -> None:
    facts, samples = decoded(tmp_path, rf64_bytes(pcm(TONE), 2, size=claimed))
    assert facts.codec == "pcm"
    assert samples.shape == TONE.shape


@pytest.mark.parametrize("claimed", [None, 0, 8, 0xFFFFFFFF])
@pytest.mark.parametrize("sound_first", [False, True])
def test_aiff_is_decoded_to_its_end(tmp_path: Path, claimed: int | None, *, sound_first: bool) -> None:
    if sound_first and claimed is not None:
        return  # without a size nobody can find the header behind the samples
    mono = TONE[:1]
    _, samples = decoded(tmp_path, aiff_bytes(pcm(mono, order=">"), size=claimed, sound_first=sound_first))
    assert samples.shape == mono.shape
    assert np.abs(samples - mono).max() <= 2**-15


@pytest.mark.parametrize(
    "content",
    [
        wav_bytes(b"", 2),
        wav_bytes(b"", 2, size=0xFFFFFFFF),
        wav_bytes(b"", 2, size=40_000),
        wav_bytes(b"", 2, behind=chunk(b"LIST", b"INFO" + bytes(400))),
        rf64_bytes(b"", 2),
        aiff_bytes(b""),
        encode(silence(0, 2), "flac", "flac"),
    ],
    ids=["wav", "unfinished wav", "cut wav", "wav with tags", "rf64", "aiff", "flac"],
)
def test_a_header_without_samples_has_facts_and_no_samples(tmp_path: Path, content: bytes) -> None:
    facts, samples = decoded(tmp_path, content)
    assert (facts.sample_rate, facts.codec) in {(RATE, "pcm"), (RATE, "flac")}
    assert samples.shape[1] == 0


@pytest.mark.parametrize(
    ("container", "codec"),
    [("flac", "flac"), ("ogg", "libopus"), ("mp3", "libmp3lame"), ("adts", "aac"), ("webm", "libopus")],
)
def test_a_file_cut_in_the_middle_is_decoded_up_to_the_break(tmp_path: Path, container: str, codec: str) -> None:
    content = encode(TONE + noise(3, -20, 2), container, codec)
    _, samples = decoded(tmp_path, content[: len(content) // 2])
    assert 0.8 < samples.shape[1] / RATE < 2.2


def test_a_wav_cut_in_a_sample_is_decoded_up_to_it(tmp_path: Path) -> None:
    content = wav(TONE)
    _, samples = decoded(tmp_path, content[: 44 + 4 * RATE + 3])
    assert samples.shape == (2, RATE)


def test_damage_in_the_middle_costs_only_its_own_frames(tmp_path: Path) -> None:
    content = bytearray(encode(TONE + noise(3, -20, 2), "flac", "flac"))
    middle = len(content) // 2
    content[middle : middle + 200] = bytes(range(200))
    _, samples = decoded(tmp_path, bytes(content))
    assert 2.5 < samples.shape[1] / RATE <= 3


def test_a_header_that_promises_more_is_not_believed(tmp_path: Path) -> None:
    content = bytearray(encode(TONE, "flac", "flac"))
    total = struct.pack(">I", 2_000_000_000)
    content[22:26] = total  # STREAMINFO: samples in total
    _, samples = decoded(tmp_path, bytes(content))
    assert samples.shape == TONE.shape


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"R",
        b"Just a text, not a recording.\n" * 100,
        b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1/secret.ts\n",
        b"ffconcat version 1.0\nfile /etc/hostname\n",
        b"Der free jazz ist kein Format.\n" * 100,
        b"%PDF-1.7\n" + bytes(1000),
        b"\x89PNG\r\n\x1a\n" + bytes(1000),
        b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(1000),
        b"\xff" * 5000,
        bytes(100_000),
        np.random.default_rng(1).bytes(200_000),
        id3(b"alone"),
        wav(TONE)[1:],
    ],
    ids=range(14),
)
def test_what_is_no_audio_is_named_so(tmp_path: Path, content: bytes) -> None:
    assert reason(tmp_path, content) == NO_FORMAT


@pytest.mark.parametrize(
    "content",
    [
        wav(TONE)[:20],
        wav(TONE)[:40],
        rf64_bytes(pcm(TONE), 2)[:30],
        aiff_bytes(pcm(TONE))[:30],
        encode(TONE, "ipod", "aac")[:20_000],  # the index was at the end
        encode(TONE, "flac", "flac")[:20],
        encode(TONE, "webm", "libopus")[:30],
    ],
    ids=["wav", "wav 40", "rf64", "aiff", "m4a", "flac", "webm"],
)
def test_a_file_cut_in_its_header_is_named_so(tmp_path: Path, content: bytes) -> None:
    assert reason(tmp_path, content) == NO_INDEX


def test_an_ogg_cut_in_its_header_holds_no_audio(tmp_path: Path) -> None:
    assert reason(tmp_path, encode(TONE, "ogg", "libopus")[:30]) in {NO_AUDIO, NO_INDEX}


def test_a_film_without_sound_holds_no_audio(tmp_path: Path) -> None:
    content = wav(TONE)
    ftyp = struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0)
    moov = struct.pack(">I4s", 8, b"moov")
    assert reason(tmp_path, ftyp + moov + content) in {NO_AUDIO, NO_INDEX}


def test_samples_that_do_not_decode_are_named_so(tmp_path: Path) -> None:
    header = encode(TONE, "flac", "flac")[:42]
    noise_bytes = np.random.default_rng(2).integers(0, 128, 50_000, dtype=np.uint8).tobytes()
    assert reason(tmp_path, header[:4] + bytes([0x80]) + header[5:42] + noise_bytes) == NOTHING_DECODES


def test_an_unsupported_codec_is_named(tmp_path: Path) -> None:
    assert reason(tmp_path, encode(TONE[:1], "wav", "adpcm_ima_wav")) == "The codec adpcm_ima_wav is not supported."


def test_an_unknown_codec_is_named_so(tmp_path: Path) -> None:
    assert reason(tmp_path, wav_bytes(pcm(TONE), 2, tag=0x1234)) == NO_CODEC


def test_no_reason_tells_the_path(tmp_path: Path) -> None:
    for content in (wav(TONE)[:20], b"text", encode(TONE, "ipod", "aac")[:20_000]):
        assert str(tmp_path) not in reason(tmp_path, content)


@pytest.mark.parametrize(
    ("channels", "rate", "words"),
    [(9, RATE, "9 channels"), (64, RATE, "64 channels"), (1, 384_001, "384001 Hz"), (1, 999, "999 Hz")],
)
def test_what_is_too_wide_or_too_fast_is_refused_with_its_facts(
    tmp_path: Path, channels: int, rate: int, words: str
) -> None:
    path = saved(tmp_path, wav_bytes(bytes(channels * 2 * 100), channels, rate))
    with pytest.raises(TooLarge, match=words) as refused, open_audio(path):
        pass
    assert (refused.value.facts.channels, refused.value.facts.sample_rate) == (channels, rate)
    assert refused.value.facts.duration_seconds == pytest.approx(100 / rate, abs=0.001)


@pytest.mark.parametrize("rate", [1000, 4000, 384_000])
def test_eight_channels_of_any_rate_decode(tmp_path: Path, rate: int) -> None:
    facts, samples = decoded(tmp_path, wav(np.tile(sine(100, -6, 1.5, rate), (8, 1)), rate))
    assert (facts.channels, facts.sample_rate) == (8, rate)
    assert samples.shape == (8, 1.5 * rate)


@pytest.mark.parametrize(
    ("container", "codec"), [("flac", "flac"), ("ogg", "libopus"), ("ipod", "aac"), ("wav", "pcm_f32le")]
)
def test_each_of_eight_channels_is_read(tmp_path: Path, container: str, codec: str) -> None:
    signal = np.concatenate([sine(100, -20 - index, 2) for index in range(8)])
    facts, samples = decoded(tmp_path, encode(signal, container, codec, bit_rate=1_000_000))
    assert facts.channels == 8
    full = [0, 1, 2, 4, 5, 6, 7]  # AAC cuts the highs of the low-frequency channel, and more
    peaks = 20 * np.log10(np.abs(samples[:, RATE // 2 : RATE]).max(axis=1))
    assert peaks[full] == pytest.approx(-20.0 - np.array(full), abs=0.5)


def test_a_frame_of_more_channels_than_can_be_is_left_out() -> None:
    stereo_frame, wide = (av.AudioFrame("fltp", layout, 64) for layout in ("stereo", "hexadecagonal"))
    for frame in (stereo_frame, wide):
        frame.sample_rate = RATE
    assert list(_readable(iter([stereo_frame, wide, stereo_frame]), RATE)) == [stereo_frame] * 2


def test_a_stream_that_grows_wider_keeps_the_channels_of_its_start(tmp_path: Path) -> None:
    narrow, wide = (encode(np.tile(sine(440, -12, 2), (channels, 1)), "adts", "aac") for channels in (2, 8))
    for content, channels in ((narrow + wide, 2), (wide + narrow, 8)):
        facts, samples = decoded(tmp_path, content)
        assert facts.channels == channels
        assert samples.shape[1] / RATE == pytest.approx(4, abs=0.1)
        assert np.abs(samples[:2, -RATE:]).max(axis=1) == pytest.approx([0.25, 0.25], abs=0.05)


def consume(audio: Audio) -> int:
    return sum(block.shape[1] for block in audio.blocks())


def test_ninety_minutes_are_the_limit() -> None:
    assert (decoding.MAX_SECONDS, decoding.MAX_SAMPLES) == (90 * 60, 10**9)
    assert (decoding.MAX_CHANNELS, decoding.MAX_SAMPLE_RATE) == (8, 384_000)


def test_a_sample_more_than_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "MAX_SECONDS", 120)
    samples = 120 * 1000
    with open_audio(saved(tmp_path, wav_bytes(bytes([128]) * samples, rate=1000, bits=8))) as audio:
        assert consume(audio) == samples
    with open_audio(saved(tmp_path, wav_bytes(bytes([128]) * (samples + 1), rate=1000, bits=8))) as audio:
        with pytest.raises(TooLarge, match="longer than 2 minutes"):
            consume(audio)
        assert audio.facts.duration_seconds == pytest.approx(120, abs=0.01)


def test_too_many_samples_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "MAX_SAMPLES", 2 * RATE)
    with open_audio(saved(tmp_path, wav(silence(1, 2)))) as audio:
        assert consume(audio) == RATE
    with (
        open_audio(saved(tmp_path, wav(silence(1.001, 2)))) as audio,
        pytest.raises(TooLarge, match="more than 96000 samples"),
    ):
        consume(audio)


def test_positions_of_channels_are_told_where_the_file_tells_them(tmp_path: Path) -> None:
    six = np.tile(sine(440, -20, 0.1), (6, 1))
    for content, positions in (
        (wav(six, mask=0x3F), ("FL", "FR", "FC", "LFE", "BL", "BR")),
        (wav(six, mask=0x60F), ("FL", "FR", "FC", "LFE", "SL", "SR")),
        (wav(six), ("NONE",) * 6),
        (encode(six, "flac", "flac"), ("FL", "FR", "FC", "LFE", "BL", "BR")),
    ):
        with open_audio(saved(tmp_path, content)) as audio:
            assert audio.positions == positions


def test_progress_grows_to_one(tmp_path: Path) -> None:
    with open_audio(saved(tmp_path, wav(silence(20)))) as audio:
        seen = [audio.progress for _ in audio.blocks()]
        assert seen == sorted(seen)
        assert 0 < seen[0] < 0.5
        assert audio.progress == 1
