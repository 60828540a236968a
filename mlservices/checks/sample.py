"""What is said and heard for a check: one short sentence, recorded with the demonstration voice."""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path

from .. import audio

WORDS = "Hello, can you hear me?"
RATE = 16000
_QUIETEST = 100  # of 32767: the loudest sample of what is no silence
_WAV = Path(__file__).parent / "hello.wav"


@cache
def pcm() -> bytes:
    return audio.resample(*audio.read_wav(_WAV), RATE)


def pcm_base64() -> str:
    return base64.b64encode(pcm()).decode()


def wav_base64() -> str:
    return base64.b64encode(audio.wav_bytes(pcm(), RATE)).decode()


def is_silent(sound: bytes) -> bool:
    samples = audio.to_float(sound[: len(sound) // 2 * 2])
    return not len(samples) or float(abs(samples).max()) * 32767 < _QUIETEST
