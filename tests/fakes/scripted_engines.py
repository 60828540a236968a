"""A caller, and engines that hear and answer them without models.

The caller's words are "spoken" as samples of one value per utterance, so that the stand-in for STT
knows which words, and how much of them, a piece of sound holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from mlservices.errors import EngineError
from mlservices.interfaces import WINDOW_SECONDS
from mlservices.types import Priority, SpeechChunk, Timing, Transcript, TurnVerdict

RATE = 8000


FRAME_SECONDS = 0.02


CHARACTERS_PER_SECOND = 15


NOISE = "(noise)"


@dataclass(frozen=True)
class Utterance:
    """`text` NOISE is sound that a voice detector takes for speech and STT hears nothing in."""

    at: float
    lasting: float
    text: str


class Caller:
    """What is on the caller's side of the line, second by second."""

    def __init__(self, utterances: Sequence[Utterance]) -> None:
        self.utterances = list(utterances)

    def frame(self, at: float) -> bytes:
        samples = np.zeros(int(RATE * FRAME_SECONDS), dtype="<i2")
        for number, utterance in enumerate(self.utterances):
            if utterance.at <= at < utterance.at + utterance.lasting:
                samples[:] = 1000 + number
        return samples.tobytes()


class EnergyDetector:
    """Meets `VoiceDetector`: any sound above the floor is speech; told at once."""

    def __init__(self, floor: int = 0) -> None:
        self._floor = floor

    def open(self, on_window: Callable[[float], None], *, rate: int) -> EnergyDetector.Track:
        return self.Track(on_window, int(rate * WINDOW_SECONDS) * 2, self._floor)

    class Track:
        dropped_windows = 0

        def __init__(self, on_window: Callable[[float], None], size: int, floor: int) -> None:
            self._on_window, self._size, self._sound = on_window, size, bytearray()
            self._floor = floor

        def feed(self, pcm: bytes) -> None:
            self._sound += pcm
            while len(self._sound) >= self._size:
                window = np.frombuffer(bytes(self._sound[: self._size]), dtype="<i2")
                del self._sound[: self._size]
                loud = np.count_nonzero(np.abs(window.astype(int)) > self._floor)
                self._on_window(0.95 if loud > len(window) / 2 else 0.02)

        def close(self) -> None: ...


@dataclass
class ScriptedStt:
    """Knows the words from the sound; fails or hangs as often as told."""

    caller: Caller
    seconds: float = 0.12
    failures: int = 0
    hangs: int = 0
    asked: int = 0
    cancelled: int = 0
    failing: set[int] = field(default_factory=set)  # which requests fail, counted from 0
    heard_seconds: list[float] = field(default_factory=list)

    async def transcribe(
        self, pcm: bytes, *, rate: int, language: str = "en", model: str = "", priority: Priority = "live"
    ) -> Transcript:
        number, self.asked = self.asked, self.asked + 1
        self.heard_seconds.append(len(pcm) / 2 / rate)
        try:
            if self.hangs:
                self.hangs -= 1
                await asyncio.sleep(3600)
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.failures or number in self.failing:
            self.failures = max(0, self.failures - 1)
            raise EngineError("the worker died", service="stt")
        samples = np.frombuffer(pcm, dtype="<i2")
        texts = []
        for index, utterance in enumerate(self.caller.utterances):
            heard = np.count_nonzero(samples == 1000 + index) / RATE / utterance.lasting
            words = utterance.text.split()
            texts += words[: round(len(words) * min(1.0, heard))]
        text = " ".join(texts)
        return Transcript(text, language, 0.9, len(samples) / RATE, timing=Timing(0.01, self.seconds))


@dataclass
class ScriptedTts:
    """15 characters a second of sound: the first 0.2 s after `seconds`, the rest at twice real time."""

    seconds: float = 0.1
    failures: int = 0
    hangs: int = 0
    breaks_after: float = 0.0  # seconds of sound of the first try
    service: str = "tts"
    spoken: list[str] = field(default_factory=list)
    speeds: list[float] = field(default_factory=list)
    cancelled: int = 0

    async def speak(
        self,
        text: str,
        *,
        rate: int,
        voice: str = "default",
        speed: float = 1.0,
        model: str = "",
        priority: Priority = "live",
    ) -> AsyncGenerator[SpeechChunk, None]:
        self.spoken.append(text)
        self.speeds.append(speed)
        try:
            if self.hangs:
                self.hangs -= 1
                await asyncio.sleep(3600)
            await asyncio.sleep(self.seconds)
            if self.failures:
                self.failures -= 1
                raise EngineError("the worker died", service=self.service)
            left = len(text) / CHARACTERS_PER_SECOND
            while left > 1e-9:
                piece = min(0.2, left)
                yield SpeechChunk(b"\1\1" * int(piece * rate), rate, Timing(0.005, self.seconds))
                left -= piece
                if self.breaks_after and len(text) / CHARACTERS_PER_SECOND - left >= self.breaks_after:
                    self.breaks_after = 0.0
                    raise EngineError("the worker died", service=self.service)
                await asyncio.sleep(piece / 2)
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled += 1
            raise


@dataclass
class ScriptedJudge:
    completeness: float = 0.9
    heard_seconds: list[float] = field(default_factory=list)

    async def judge(self, pcm: bytes, *, rate: int) -> TurnVerdict:
        self.heard_seconds.append(len(pcm) / 2 / rate)
        await asyncio.sleep(0.09)
        return TurnVerdict(self.completeness)
