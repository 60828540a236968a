"""What the rest of VoiceForge may ask of speech and language models: one small Protocol each.

All are met by the clients in `mlservices/clients` (and by fakes in tests). A coroutine or generator
that is cancelled or closed frees the worker behind it. Every method may raise `EngineError`.

`model` chooses the engine ("": the one that is configured); what is "live" is served before a "batch".
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .types import (
    ChatDelta,
    ChatMessage,
    Priority,
    Segment,
    SpeechChunk,
    Tool,
    Transcript,
    TurnVerdict,
)


class SpeechToText(Protocol):
    async def transcribe(
        self, pcm: bytes, *, rate: int, language: str = "en", model: str = "", priority: Priority = "live"
    ) -> Transcript:
        """The words of one utterance, or of a longer recording."""


class TextToSpeech(Protocol):
    def speak(
        self,
        text: str,
        *,
        rate: int,
        voice: str = "default",
        speed: float = 1.0,
        model: str = "",
        priority: Priority = "live",
    ) -> AsyncGenerator[SpeechChunk, None]:
        """A text as sound at `rate` Hz, piece by piece as it is made."""


class SpeechFinder(Protocol):
    async def detect(self, pcm: bytes, *, rate: int, threshold: float = 0.5) -> tuple[Segment, ...]:
        """Where in a recording somebody speaks; `threshold` is how sure it must be, 0..1."""


class ChatModel(Protocol):
    def reply(
        self,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int = 150,
        temperature: float = 0.7,
        tools: Sequence[Tool] = (),
        priority: Priority = "live",
    ) -> AsyncGenerator[ChatDelta, None]:
        """The model's next message, piece by piece as it is made.

        A model without tools refuses them by a permanent EngineError.
        """


class Embedder(Protocol):
    async def embed(self, texts: Sequence[str], *, priority: Priority = "live") -> NDArray[np.float32]:
        """The meaning of each text as a row of unit length; shape (len(texts), dimensions)."""


class TurnJudge(Protocol):
    async def judge(self, pcm: bytes, *, rate: int) -> TurnVerdict:
        """Whether a speaker who paused at the end of `pcm` (the last 8 s of a turn) is done."""


class VoiceTrack(Protocol):
    """The ear on one call."""

    @property
    def dropped_windows(self) -> int:
        """Windows that came faster than they could be judged, and were put down as silence."""

    def feed(self, pcm: bytes) -> None:
        """Take the next piece of sound, of any length. Never waits."""

    def close(self) -> None: ...


class VoiceDetector(Protocol):
    """Voice activity of all calls of this process, detected together in batches off the event loop."""

    def open(self, on_window: Callable[[float], None], *, rate: int) -> VoiceTrack:
        """Listen to one more call at 8 or 16 kHz.

        `on_window` is called on the event loop that opened the track, once for each `WINDOW_SECONDS`
        of sound fed, in order, with the probability (0..1) that it holds speech.
        """


WINDOW_SECONDS = 0.032
