"""Why a file is not measured. Each message is a plain sentence for the user and holds no path, key or address."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Facts:
    """What a file says of itself: rate in Hz, bits per sample (None for lossy codecs), codec as in the summary.

    `duration_seconds` is what the container claims, which may be wrong; None when it claims nothing.
    """

    sample_rate: int
    channels: int
    bit_depth: int | None
    codec: str
    duration_seconds: float | None


class AudioError(Exception):
    """A file that cannot be measured, however often one tries. `str()` is the reason."""


class Undecodable(AudioError):
    """The file is none of the supported formats, or nothing in it decodes: the track is in error."""


class TooLarge(AudioError):
    """The file is audio, but longer or wider than is measured: the track stays ready, and its `facts` are kept."""

    def __init__(self, reason: str, facts: Facts) -> None:
        super().__init__(reason)
        self.facts = facts
