"""Sound as files of the formats that the API takes and gives, whole or in pieces while it is made."""

from __future__ import annotations

import io
import struct
from typing import Any, Literal

import soundfile

from .. import audio

Format = Literal["wav", "mp3", "flac", "ogg"]
TYPES: dict[Format, str] = {
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
}
HEARD_RATE = 16000  # of all sound that is heard, and of raw PCM unless it is said
_OPEN = 0xFFFFFFFF  # the length of a WAV of which nobody knows yet how long it gets
_FRAMES_AT_ONCE = 1 << 14  # libsndfile's Vorbis encoder needs stack for all it is given

# A constant rate of MP3, so that players know the length of one that was made while it was sent.
_HOW: dict[Format, dict[str, Any]] = {
    "mp3": {
        "format": "MP3",
        "subtype": "MPEG_LAYER_III",
        "bitrate_mode": "CONSTANT",
        "compression_level": 0.6,
    },
    "flac": {"format": "FLAC", "subtype": "PCM_16"},
    "ogg": {"format": "OGG", "subtype": "VORBIS"},
}


def heard(data: bytes, *, longest_seconds: float, pcm_rate: int | None = None) -> bytes:
    """pcm at HEARD_RATE out of a sound file, or of raw pcm at `pcm_rate`. ValueError; TooLong."""
    if not data:
        raise ValueError("empty")
    if pcm_rate is None:
        pcm, rate = audio.read_sent(data, longest_seconds)
        return audio.resample(pcm, rate, HEARD_RATE)
    if len(data) % 2:
        raise ValueError("an odd number of bytes is not 16-bit PCM")
    if len(data) > 2 * pcm_rate * longest_seconds:
        raise audio.TooLong(f"longer than {longest_seconds / 60:g} minutes")
    return audio.resample(data, pcm_rate, HEARD_RATE)


def whole_file(pcm: bytes, rate: int, format: Format) -> bytes:
    """With all that its header can say."""
    if format == "wav":
        return audio.wav_bytes(pcm, rate)
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", rate, 1, **_HOW[format]) as out:
        _write(out, pcm)
    return file.getvalue()


def encoder(rate: int, format: Format) -> Encoder | WavEncoder:
    return WavEncoder(rate) if format == "wav" else Encoder(rate, format)


class WavEncoder:
    """A WAV of open length."""

    def __init__(self, rate: int) -> None:
        self._head = b"RIFF" + struct.pack("<I", _OPEN) + b"WAVEfmt "
        self._head += struct.pack("<IHHIIHH", 16, 1, 1, rate, 2 * rate, 2, 16)
        self._head += b"data" + struct.pack("<I", _OPEN)

    def feed(self, pcm: bytes) -> bytes:
        head, self._head = self._head, b""
        return head + pcm

    def finish(self) -> bytes:
        return b""


class Encoder:
    """A file in pieces: each call answers what may be sent by then. Its header never tells a length."""

    def __init__(self, rate: int, format: Format) -> None:
        self._sent = _Sent()
        self._out = soundfile.SoundFile(self._sent, "w", rate, 1, **_HOW[format])

    def feed(self, pcm: bytes) -> bytes:
        _write(self._out, pcm)
        return self._sent.take()

    def finish(self) -> bytes:
        self._out.close()
        return self._sent.take()


class _Sent(io.RawIOBase):
    """Takes what an encoder appends. What it would mend in the beginning at the end is gone already."""

    def __init__(self) -> None:
        self._at = self._end = 0
        self._new = bytearray()

    def take(self) -> bytes:
        new = bytes(self._new)
        self._new.clear()
        return new

    def seekable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._end}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def write(self, data: Any) -> int:
        appended = bytes(data)[max(0, self._end - self._at) :]
        self._new += appended
        self._end += len(appended)
        self._at += len(data)
        return len(data)


def _write(out: soundfile.SoundFile, pcm: bytes) -> None:
    size = 2 * _FRAMES_AT_ONCE
    for start in range(0, len(pcm), size):
        out.buffer_write(pcm[start : start + size], dtype="int16")
