"""Files that somebody sends as sound to see what breaks."""

from __future__ import annotations

import io
import struct
import zipfile

import numpy as np

from mlservices import audio
from mlservices.api.sound import whole_file

_PCM, _FLOAT, _GSM = 1, 3, 49


def hostile_sounds() -> dict[str, bytes]:
    """By what is wrong with each. All begin like a sound file: what does not may be raw PCM."""
    quarter, numbers = bytes(8000), np.zeros(100, "<f4")
    return {
        "no frames": _wav(b""),
        "half a frame": _wav(b"\0"),
        "a length that is a lie": _wav(quarter, size=1_000_000),
        "cut short": audio.wav_bytes(quarter, 16000)[:-100],
        "only its sign": b"RIFF",
        "no rate": _wav(quarter, rate=0),
        "a rate beyond all": _wav(quarter, rate=0xFFFFFFFF),
        "a rate that nobody hears": _wav(quarter, rate=1_000_000),
        "no channels": _wav(quarter, channels=0),
        "65,535 channels": _wav(quarter, channels=65535),
        "samples without bits": _wav(quarter, bits=0),
        "a coding that it is not": _wav(quarter, coding=_GSM),
        "no numbers": _wav((numbers + np.nan).tobytes(), coding=_FLOAT, bits=32),
        "endless numbers": _wav((numbers + np.inf).tobytes(), coding=_FLOAT, bits=32),
        "200,000 chunks": _wav(quarter, before=_chunk(b"junk", b"") * 200_000),
        "200,000 lists": _wav(quarter, before=_chunk(b"LIST", b"INFO") * 200_000),
        "a chunk larger than the file": _wav(quarter, before=b"junk" + struct.pack("<I", 0x7FFFFFFF)),
        "an archive in it": b"RIFF" + _archive(),
        "an MP3 of noise": b"ID3" + b"\xff" * 4000,
        "a FLAC of noise": b"fLaC" + b"\xff" * 4000,
        "half an Ogg": whole_file(quarter, 16000, "ogg")[:200],
        "an Ogg that goes wrong": whole_file(quarter, 16000, "ogg")[:-300] + bytes(300),
        "a film": b"\x1aE\xdf\xa3" + bytes(1000),
    }


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content


def _wav(
    data: bytes,
    *,
    rate: int = 16000,
    channels: int = 1,
    bits: int = 16,
    coding: int = _PCM,
    size: int | None = None,
    before: bytes = b"",
) -> bytes:
    """`size`: what it says of its sound; `before`: what stands before that."""
    frame = channels * bits // 8
    head = struct.pack("<HHIIHH", coding, channels, rate, rate * frame & 0xFFFFFFFF, frame & 0xFFFF, bits)
    body = _chunk(b"fmt ", head) + before + b"data" + struct.pack("<I", len(data) if size is None else size)
    return b"RIFF" + struct.pack("<I", 4 + len(body) + len(data)) + b"WAVE" + body + data


def _archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("../../a.wav", audio.wav_bytes(bytes(200), 16000))
    return file.getvalue()
