"""What follows from a track, an analysis and its frames: pure functions."""

from typing import Final

from functions.reference.models import Paging

# The canonical types and the extension of each (audio contract, 1.2).
EXTENSIONS: Final = {
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "audio/flac": "flac",
    "audio/ogg": "ogg",
    "audio/opus": "opus",
    "audio/mp4": "m4a",
    "audio/aac": "aac",
    "audio/webm": "webm",
    "audio/aiff": "aif",
}
_ALIASES: Final = {
    "audio/mp3": "audio/mpeg",
    "audio/x-mp3": "audio/mpeg",
    "audio/mpeg3": "audio/mpeg",
    "audio/wave": "audio/wav",
    "audio/x-wav": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/x-flac": "audio/flac",
    "application/ogg": "audio/ogg",
    "audio/m4a": "audio/mp4",
    "audio/x-m4a": "audio/mp4",
    "audio/x-aac": "audio/aac",
    "audio/aacp": "audio/aac",
    "video/webm": "audio/webm",
    "audio/x-aiff": "audio/aiff",
}
# Types that say too little: the extension of the file's name decides.
_VAGUE: Final = {"", "application/octet-stream", "video/mp4", "video/ogg"}
_BY_EXTENSION: Final = {
    **{extension: mime_type for mime_type, extension in EXTENSIONS.items()},
    "wave": "audio/wav",
    "oga": "audio/ogg",
    "mp4": "audio/mp4",
    "aiff": "audio/aiff",
    "aifc": "audio/aiff",
}


def canonical_type(mime_type: str, filename: str) -> str | None:
    """The canonical type of a declared one, by the file's name where it says too little; None for what is no audio."""
    declared = mime_type.partition(";")[0].strip().lower()
    declared = _ALIASES.get(declared, declared)
    if declared in EXTENSIONS:
        return declared
    if declared in _VAGUE or declared.startswith("audio/"):
        stem, _, extension = filename.rpartition(".")
        return _BY_EXTENSION.get(extension.lower()) if stem else None
    return None


def paging(total: int, page: int, page_size: int) -> Paging:
    """Where a page of a list of `total` items stands."""
    return {
        "total": total,
        "page": page,
        "page_size": page_size,
        "has_next": page * page_size < total,
        "has_prev": page > 1,
    }
