"""Files as a browser uploads them: signed, sent to the bucket, registered."""

import io
import math
import struct
import wave
from typing import Any

from tests.conftest import User
from tests.support import bucket


def tone(seconds: float = 0.5, rate: int = 8000, channels: int = 1) -> bytes:
    """A WAV file with a sine of 440 Hz."""
    samples = [round(8000 * math.sin(2 * math.pi * 440 * n / rate)) for n in range(round(seconds * rate))]
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setnchannels(channels)
        wav.setsampwidth(2)
        wav.setframerate(rate)
        wav.writeframes(b"".join(struct.pack("<h", sample) * channels for sample in samples))
    return file.getvalue()


def begin(user: User, content: bytes, filename: str = "tone.wav", mime_type: str = "audio/wav") -> dict[str, Any]:
    """The answer to the begin of an upload."""
    bucket.serve()
    body = {"filename": filename, "mime_type": mime_type, "file_size": len(content)}
    answer = user.post("/reference/upload/init", body)
    assert answer.status == 200, answer.text
    started: dict[str, Any] = answer.json
    return started


def upload(user: User, content: bytes, filename: str = "tone.wav", mime_type: str = "audio/wav") -> str:
    """Upload a file. Returns its key."""
    started = begin(user, content, filename, mime_type)
    status, _ = bucket.send("PUT", started["url"], content)
    assert status == 200
    key: str = started["r2_key"]
    return key


def register(user: User, content: bytes | None = None, name: str = "Tone", **fields: Any) -> dict[str, Any]:
    """Upload and register a file, a short WAV unless told otherwise. Returns the track."""
    key = upload(user, tone() if content is None else content)
    answer = user.post("/reference/tracks", {"name": name, "r2_key": key, **fields})
    assert answer.status == 200, answer.text
    track: dict[str, Any] = answer.json
    return track
