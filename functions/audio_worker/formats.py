"""Which container format a file has, told by its first bytes alone.

A file's name and declared type are never asked. FFmpeg could guess too, but it knows formats that read other files or
the network (playlists, concat scripts): so the demuxer is named here and no other one may open the file.
"""

from dataclasses import dataclass, field
from typing import BinaryIO

# How much of the file is looked at, behind ID3 tags. An MP3 cut out of a stream may begin with part of a frame.
HEAD_BYTES = 65536
# Frames in a row that prove MPEG audio or ADTS: both have no other mark than a sync word of 11 or 12 bits.
FRAMES_IN_A_ROW = 4

# kbit/s by (MPEG version 1?, layer), from ISO/IEC 11172-3 section 2.4.2.3 and 13818-3 section 2.4.2.3. 0 = not allowed.
_BITRATES = {
    (True, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448, 0),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 0),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256, 0),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
}
# Sample rates of MPEG-1; MPEG-2 has half of each, MPEG-2.5 a quarter.
_SAMPLE_RATES = (44100, 48000, 32000)

# Capture pattern, version 0, and the flag of a stream's first page.
_OGG_FIRST_PAGE = b"OggS\x00\x02"
SEARCH_BYTES = 1 << 20

_MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide")


@dataclass(frozen=True)
class Format:
    """How to open a file.

    `demuxer` is FFmpeg's name. `parts` are the offsets of begin and end of what is to be opened, one after the other:
    one part, behind ID3 tags, but each link of a chained Ogg file is its own. `patches` are bytes to read in place of
    those at an offset from the begin: sizes that a recorder never wrote, or wrote wrongly.
    """

    demuxer: str
    parts: tuple[tuple[int, int], ...]
    patches: dict[int, bytes] = field(default_factory=dict)


def detect(file: BinaryIO) -> Format | None:
    """Return the format of a file, or None when its first bytes belong to no supported one."""
    end = file.seek(0, 2)
    start = _behind_id3(file)
    file.seek(start)
    head = file.read(HEAD_BYTES)
    demuxer = demuxer_of(head)
    if demuxer == "wav":
        return _wav(file, start, end)
    if demuxer == "aiff":
        return _aiff(file, start, end)
    if demuxer == "ogg":
        return Format("ogg", _ogg_links(file, start, end))
    return Format(demuxer, ((start, end),)) if demuxer else None


def demuxer_of(head: bytes) -> str | None:
    """Return FFmpeg's name of the demuxer for a file that begins with `head` (ID3 tags removed), or None."""
    form = head[8:12]
    if head[:4] in {b"RIFF", b"RIFX", b"RF64", b"BW64"} and form == b"WAVE":
        return "wav"
    if head[:4] == b"FORM" and form in {b"AIFF", b"AIFC"}:
        return "aiff"
    # A box of 512 MiB or more is no box but text: each letter is over 32.
    if head[4:8] in _MP4_BOXES and head[0] < 32:
        return "mov"
    for magic, demuxer in ((b"fLaC", "flac"), (b"OggS", "ogg"), (b"\x1aE\xdf\xa3", "matroska")):
        if head.startswith(magic):
            return demuxer
    return _frames_demuxer(head)


def _behind_id3(file: BinaryIO) -> int:
    """Return the offset behind all ID3v2 tags (id3.org, ID3v2.4 section 3.1); they may stand before any format."""
    start = 0
    while True:
        file.seek(start)
        header = file.read(10)
        if len(header) < 10 or header[:3] != b"ID3" or any(byte >= 128 for byte in header[6:10]):
            return start
        size = header[6] << 21 | header[7] << 14 | header[8] << 7 | header[9]
        footer = 10 if header[5] & 0x10 else 0
        start += 10 + size + footer


def _frames_demuxer(head: bytes) -> str | None:
    """Find frames of MPEG audio or ADTS in a row, first at the start, then behind zeros or part of a frame."""
    at = head.find(b"\xff")
    while at >= 0:
        for demuxer, length_of in (("mp3", _mpeg_frame_bytes), ("aac", _adts_frame_bytes)):
            frames, behind = 0, at
            while frames < FRAMES_IN_A_ROW and (length := length_of(head[behind : behind + 7])):
                frames, behind = frames + 1, behind + length
            # A short file may hold fewer frames: then they must fill it from its first byte, or be cut by its end.
            if frames == FRAMES_IN_A_ROW or (at == 0 and frames and behind >= len(head)):
                return demuxer
        at = head.find(b"\xff", at + 1)
    return None


def _mpeg_frame_bytes(header: bytes) -> int:
    """Return the length of the MPEG audio frame with this header (ISO/IEC 11172-3, 2.4.1.3), or 0 if it is none."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return 0
    version, layer = header[1] >> 3 & 3, 4 - (header[1] >> 1 & 3)
    bitrate_index, rate_index, padding = header[2] >> 4, header[2] >> 2 & 3, header[2] >> 1 & 1
    if version == 1 or layer == 4 or rate_index == 3:
        return 0
    mpeg1 = version == 3
    bitrate = _BITRATES[mpeg1, layer][bitrate_index] * 1000
    sample_rate = _SAMPLE_RATES[rate_index] >> (0 if mpeg1 else 1 if version == 2 else 2)
    if layer == 1:
        return (12 * bitrate // sample_rate + padding) * 4 if bitrate else 0
    samples = 576 if layer == 3 and not mpeg1 else 1152
    return samples // 8 * bitrate // sample_rate + padding if bitrate else 0


def _adts_frame_bytes(header: bytes) -> int:
    """Return the length of the ADTS frame with this header (ISO/IEC 13818-7, 6.2), or 0 if it is none."""
    if len(header) < 7 or header[0] != 0xFF or header[1] & 0xF6 != 0xF0 or header[2] >> 2 & 15 > 12:
        return 0
    length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    return length if length >= 7 else 0


def _chunks(file: BinaryIO, start: int, end: int, order: str) -> dict[bytes, tuple[int, int]]:
    """Return offset and size of each chunk's content in an IFF or RIFF file; the first of a name counts.

    Stops behind a chunk whose size does not fit into the file.
    """
    found: dict[bytes, tuple[int, int]] = {}
    at = start + 12
    while at + 8 <= end:
        file.seek(at)
        header = file.read(8)
        size = int.from_bytes(header[4:], "little" if order == "<" else "big")
        found.setdefault(header[:4], (at + 8, size))
        at += 8 + size + size % 2
    return found


def _wav(file: BinaryIO, start: int, end: int) -> Format:
    """RIFF WAVE, also big-endian and with 64-bit sizes (EBU Tech 3306).

    A data chunk of size 0 or ffffffff was never finished: its samples go on to the end of the file. FFmpeg does that
    for 32-bit sizes; in RF64 it takes 0 for no samples. But where whole chunks follow an empty data chunk up to the
    end of the file, the file is finished and has no samples.
    """
    file.seek(start)
    name = file.read(4)
    order = ">" if name == b"RIFX" else "<"
    chunks = _chunks(file, start, end, order)
    if b"data" not in chunks:
        return Format("wav", ((start, end),))
    data, size = chunks[b"data"]
    if size == 0 and data < end and _only_chunks(file, data, end, order):
        return Format("wav", ((start, data),))
    if name in {b"RF64", b"BW64"} and b"ds64" in chunks:
        size_field = chunks[b"ds64"][0] + 8
        file.seek(size_field)
        long_size = int.from_bytes(file.read(8), "little")
        if size in {0, 0xFFFFFFFF} and not 0 < long_size <= end - data:
            return Format("wav", ((start, end),), {size_field - start: (end - data).to_bytes(8, "little")})
    return Format("wav", ((start, end),))


def _only_chunks(file: BinaryIO, at: int, end: int, order: str) -> bool:
    """Tell whether whole chunks with printable names fill the file from `at` to its end."""
    while at + 8 <= end:
        file.seek(at)
        header = file.read(8)
        if not all(32 <= byte < 127 for byte in header[:4]):
            return False
        size = int.from_bytes(header[4:], "little" if order == "<" else "big")
        at += 8 + size + size % 2
    return at in {end, end + 1}


def _aiff(file: BinaryIO, start: int, end: int) -> Format:
    """AIFF and AIFF-C. A sound chunk without a size, or with one past the file's end, goes on to the end.

    The samples stand behind 8 bytes of the chunk's content. As in `_wav`, an empty sound chunk followed by whole chunks
    up to the file's end is finished.
    """
    chunks = _chunks(file, start, end, ">")
    if b"SSND" not in chunks:
        return Format("aiff", ((start, end),))
    sound, size = chunks[b"SSND"]
    if 8 < size <= end - sound:
        return Format("aiff", ((start, end),))
    real_size = 8 if size in {0, 8} and _only_chunks(file, sound + 8, end, ">") else end - sound
    return Format("aiff", ((start, end),), {sound - 4 - start: real_size.to_bytes(4, "big")})


def _ogg_links(file: BinaryIO, start: int, end: int) -> tuple[tuple[int, int], ...]:
    """Return begin and end of each link of a chained Ogg file (RFC 3533 section 4).

    FFmpeg reads on into a link only when it has the codec, rate and channels of the one before, and adds half a block
    of samples to Vorbis. A link begins with the first pages of its streams, which follow each other.
    """
    begins, behind, at = [start], -1, start
    while at < end:
        file.seek(at)
        window = file.read(SEARCH_BYTES)
        found = window.find(_OGG_FIRST_PAGE)
        while found >= 0:
            page = at + found
            if page not in {start, behind}:
                begins.append(page)
            behind = page + _ogg_page_bytes(file, page)
            found = window.find(_OGG_FIRST_PAGE, found + 1)
        # The windows overlap by what a mark needs less one byte: none is missed, none is found twice.
        at += max(len(window) - len(_OGG_FIRST_PAGE) + 1, 1)
    return tuple(zip(begins, [*begins[1:], end], strict=True))


def _ogg_page_bytes(file: BinaryIO, page: int) -> int:
    """Return the length of an Ogg page: a header of 27 bytes, the lengths of its segments, the segments."""
    file.seek(page + 26)
    count = file.read(1)
    lengths = file.read(count[0]) if count else b""
    return 27 + len(lengths) + sum(lengths)
