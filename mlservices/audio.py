"""Sound as bytes: G.711, sample rates and WAV.

A `pcm` is mono s16le. All functions take and give whole samples; only `Resampler.feed` bears a chunk
that ends in the middle of one.
"""

from __future__ import annotations

import io
import wave
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

SAMPLE = np.dtype("<i2")
FULL_SCALE = 32768.0
AUDIBLE = 328  # -40 dBFS
RATES = (8000, 48000)  # Hz, the lowest and the highest that a file may claim
LONGEST_SECONDS = 30 * 60
_UNTOLD_SIZE = 0x7FFF0000  # bytes; the size that a WAV tells when its writer did not know it is about this
_FILE_SIGNS = {
    b"RIFF": "WAV",
    b"RF64": "RF64",
    b"ID3": "MP3",
    b"fLaC": "FLAC",
    b"OggS": "Ogg",
    b"\x1aE\xdf\xa3": "WebM",
}
SIGN_BYTES = 1445  # the longest frame of an MP3 and the header of the next; other signs take four
_MP3_RATES = (44100, 48000, 32000)
_MP3_KBPS = {
    True: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_FRAMES_AT_ONCE = 1 << 14  # of a file: other threads get their turn in between


def _ulaw_decode_table() -> NDArray[np.int16]:
    """ITU-T G.711 table 2a/2b: each code's value, scaled from 14 to 16 bits."""
    code = ~np.arange(256) & 0xFF
    segment, step = (code >> 4) & 7, code & 15
    magnitude = (((step << 3) + 0x84) << segment) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(SAMPLE)


def _alaw_decode_table() -> NDArray[np.int16]:
    """ITU-T G.711 table 1a/1b: each code's value, scaled from 13 to 16 bits."""
    code = np.arange(256) ^ 0x55
    segment, step = (code >> 4) & 7, code & 15
    magnitude = np.where(segment == 0, (step << 4) + 8, ((step << 4) + 0x108) << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(SAMPLE)


def _segment(magnitude: NDArray[np.int64], first_bit: int) -> NDArray[np.int64]:
    """Number of the chord (0..7) that a magnitude falls into; the first ends below 2**first_bit."""
    borders = 1 << np.arange(first_bit, first_bit + 7)
    return np.searchsorted(borders, magnitude, side="right").astype(np.int64)


def _ulaw_encode_table() -> NDArray[np.uint8]:
    """The code of every 16-bit sample, indexed by its bits read as unsigned."""
    sample = np.arange(65536).astype(np.uint16).view(np.int16).astype(np.int64)
    magnitude = np.minimum(np.abs(sample), 32635) + 0x84
    segment = _segment(magnitude, 8)
    code = (segment << 4) | ((magnitude >> (segment + 3)) & 15) | np.where(sample < 0, 0x80, 0)
    return (~code & 0xFF).astype(np.uint8)


def _alaw_encode_table() -> NDArray[np.uint8]:
    """The code of every 16-bit sample, indexed by its bits read as unsigned."""
    sample = np.arange(65536).astype(np.uint16).view(np.int16).astype(np.int64)
    magnitude = np.where(sample < 0, ~sample, sample) >> 4
    segment = _segment(magnitude, 4)
    step = (magnitude >> np.maximum(segment - 1, 0)) & 15
    code = (segment << 4) | step | np.where(sample < 0, 0, 0x80)
    return (code ^ 0x55).astype(np.uint8)


_ULAW_DECODE, _ULAW_ENCODE = _ulaw_decode_table(), _ulaw_encode_table()
_ALAW_DECODE, _ALAW_ENCODE = _alaw_decode_table(), _alaw_encode_table()


def ulaw_encode(pcm: bytes) -> bytes:
    return _ULAW_ENCODE[np.frombuffer(pcm, "<u2")].tobytes()


def ulaw_decode(ulaw: bytes) -> bytes:
    return _ULAW_DECODE[np.frombuffer(ulaw, np.uint8)].tobytes()


def alaw_encode(pcm: bytes) -> bytes:
    return _ALAW_ENCODE[np.frombuffer(pcm, "<u2")].tobytes()


def alaw_decode(alaw: bytes) -> bytes:
    return _ALAW_DECODE[np.frombuffer(alaw, np.uint8)].tobytes()


def to_float(pcm: bytes) -> NDArray[np.float32]:
    """Samples in -1..1."""
    return np.frombuffer(pcm, SAMPLE).astype(np.float32) / np.float32(FULL_SCALE)


def from_float(samples: NDArray[np.float32]) -> bytes:
    """Samples in -1..1 as pcm; louder ones are clipped."""
    return np.clip(np.rint(samples * FULL_SCALE), -32768, 32767).astype(SAMPLE).tobytes()


_KEY_ROWS, _KEY_COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)  # Hz, ITU-T Q.23
_KEYS = "123A456B789C*0#D"
_TONE_SECONDS, _GAP_SECONDS, _WAIT_SECONDS = 0.1, 0.08, 0.5
_TONE_LEVEL = 0.25  # of each of the two, of full scale


def key_tones(digits: str, rate: int) -> bytes:
    """The sound of these keys, as a telephone sends them; "," and "w" are half a second of silence. Others
    are left out."""
    at = np.arange(int(_TONE_SECONDS * rate)) / rate
    gap = np.zeros(int(_GAP_SECONDS * rate))
    wait = np.zeros(int(_WAIT_SECONDS * rate))
    pieces = []
    for digit in digits.upper():
        if digit in _KEYS:
            row, column = divmod(_KEYS.index(digit), 4)
            tones = (_KEY_ROWS[row], _KEY_COLUMNS[column])
            pieces += [_TONE_LEVEL * sum(np.sin(2 * np.pi * tone * at) for tone in tones), gap]
        elif digit in ",W":
            pieces.append(wait)
    return from_float(np.concatenate(pieces).astype(np.float32)) if pieces else b""


class Resampler:
    """One stream of pcm from one rate to another, in pieces, without clicks at their borders.

    The filter keeps up to 60 ms back; `flush` gives it out and ends the stream.
    """

    def __init__(self, rate_in: int, rate_out: int) -> None:
        self._stream = (
            soxr.ResampleStream(rate_in, rate_out, 1, dtype="int16") if rate_in != rate_out else None
        )
        self._half_sample = b""

    def feed(self, pcm: bytes) -> bytes:
        pcm = self._half_sample + pcm
        whole = len(pcm) & ~1
        self._half_sample, pcm = pcm[whole:], pcm[:whole]
        if self._stream is None or not pcm:
            return pcm
        return self._stream.resample_chunk(np.frombuffer(pcm, SAMPLE)).tobytes()

    def flush(self) -> bytes:
        if self._stream is None:
            return b""
        return self._stream.resample_chunk(np.zeros(0, SAMPLE), last=True).tobytes()


def resample(pcm: bytes, rate_in: int, rate_out: int) -> bytes:
    """A whole recording at another rate."""
    if rate_in == rate_out or not pcm:
        return pcm
    return soxr.resample(np.frombuffer(pcm, SAMPLE), rate_in, rate_out).tobytes()


def without_leading_silence(pcm: bytes, rate: int) -> bytes:
    """The sound from 20 ms before its first audible sample (-40 dBFS); all of it if there is none."""
    audible = np.abs(np.frombuffer(pcm, dtype="<i2").astype(np.int32)) > AUDIBLE
    if not audible.any():
        return pcm
    return pcm[2 * max(0, int(audible.argmax()) - rate // 50) :]


def wav_bytes(pcm: bytes, rate: int, channels: int = 1) -> bytes:
    """A WAV file; with two channels `pcm` holds left and right samples in turn."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(pcm)
    return file.getvalue()


class TooLong(ValueError):
    """A recording that lasts longer than it may."""


class _Sequential(soundfile.SoundFile):
    """Read from front to back, to where it really ends: what was made while it was sent does not say how
    long it is, or says it wrongly."""

    def seekable(self) -> bool:
        return False


def read_wav(source: bytes | str | Path, longest_seconds: float | None = None) -> tuple[bytes, int]:
    """(pcm, rate) of a WAV file or its bytes, its channels mixed to one; FLAC, Ogg and MP3 are read as well.

    ValueError if it is none, at a rate outside `RATES` or longer than `longest_seconds` (TooLong; without
    it, `LONGEST_SECONDS`): a small file may hold what would fill the memory.
    """
    longest = LONGEST_SECONDS if longest_seconds is None else longest_seconds
    try:
        with _Sequential(io.BytesIO(source) if isinstance(source, bytes) else str(source)) as file:
            rate = file.samplerate
            if not RATES[0] <= rate <= RATES[1]:
                raise ValueError(f"a rate of {rate} Hz is not between {RATES[0]} and {RATES[1]} Hz")
            pieces, frames = [], 0
            while len(block := file.read(_FRAMES_AT_ONCE, dtype="float32", always_2d=True)):
                frames += len(block)
                if frames > longest * rate:
                    raise TooLong(f"longer than {longest / 60:g} minutes")
                pieces.append(from_float(_mixed(block)))
            return b"".join(pieces), rate
    except soundfile.LibsndfileError as error:
        raise ValueError(f"not a sound file that can be read: {error.error_string}") from error


def read_sent(file: bytes, longest_seconds: float | None = None) -> tuple[bytes, int]:
    """`read_wav` of a file that somebody sent; ValueError also where there is nothing to hear in it, or less
    than it says: the rest was lost on the way."""
    pcm, rate = read_wav(file, longest_seconds)
    if missing := missing_bytes(file):
        raise ValueError(f"{missing:,} bytes of it are missing")
    if not pcm:
        raise ValueError("there is no sound in it")
    return pcm, rate


def _mixed(block: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean of the channels of frames; ValueError for what a file of floats may hold and none can play."""
    mono: NDArray[np.float32] = block.mean(axis=1)
    if not np.isfinite(mono).all():
        raise ValueError("samples that are no numbers")
    return mono


def file_kind(data: bytes | bytearray) -> str:
    """ "WAV", "MP3", ... for bytes that begin like a sound file, which `read_wav` may read or not; "" for raw
    pcm. Told by the first `SIGN_BYTES`."""
    sign = next((sign for sign in _FILE_SIGNS if data.startswith(sign)), None)
    return _FILE_SIGNS[sign] if sign else "MP3" if _is_mp3(data) else ""


def _is_mp3(data: bytes | bytearray) -> bool:
    """Without a tag before it: a frame, and another where it ends. (pcm may begin like one frame.)"""
    length = _mp3_frame(data)
    return bool(length) and bool(_mp3_frame(data[length:]))


def _mp3_frame(data: bytes | bytearray) -> int:
    """The bytes of the MP3 frame with this header (ISO 11172-3, 13818-3 and "2.5"); 0 if it is none."""
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE6 != 0xE2:
        return 0
    version, bitrate, rate = data[1] >> 3 & 3, data[2] >> 4, data[2] >> 2 & 3
    if version == 1 or bitrate in (0, 15) or rate == 3:
        return 0
    is_first = version == 3
    halved = {3: 1, 2: 2, 0: 4}[version]
    kbps = _MP3_KBPS[is_first][bitrate - 1]
    return (144 if is_first else 72) * kbps * 1000 // (_MP3_RATES[rate] // halved) + (data[2] >> 1 & 1)


def missing_bytes(wav: bytes) -> int:
    """How many bytes of sound a WAV promises and does not hold; 0 for one that is whole, for one that does
    not tell (a program that wrote it into a pipe could not know), and for what is no WAV."""
    if wav[:4] != b"RIFF" or wav[8:12] != b"WAVE":
        return 0
    at = 12
    while at + 8 <= len(wav):
        name, size = wav[at : at + 4], int.from_bytes(wav[at + 4 : at + 8], "little")
        if name == b"data":
            return 0 if size >= _UNTOLD_SIZE else max(0, at + 8 + size - len(wav))
        at += 8 + size + size % 2
    return at + 8 - len(wav)
