"""Clients that note in the ledger what was asked of them, how long it took and how it ended."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..interfaces import ChatModel, Embedder, SpeechFinder, SpeechToText, TextToSpeech, TurnJudge
from ..ledger import Entry, Outcome, ledger
from ..types import (
    ChatDelta,
    ChatMessage,
    Priority,
    Segment,
    SpeechChunk,
    Tool,
    Transcript,
    TurnVerdict,
)

_CHARACTERS_A_TOKEN = 4  # of a prompt, where nobody counts its tokens


@dataclass
class _Request:
    """What becomes known of a request while it is served."""

    engine: str
    amount: float = 0.0
    degraded: bool = False
    first_at: float = 0.0  # when its answer began


@contextmanager
def _noted(service: str, engine: str, note: Callable[[Entry], None]) -> Iterator[_Request]:
    started, request = time.monotonic(), _Request(engine)
    outcome = Outcome.CANCELLED
    try:
        yield request
        outcome = Outcome.SERVED
    except Exception:
        outcome = Outcome.FAILED
        raise
    finally:
        latency = (request.first_at or time.monotonic()) - started
        note(Entry(service, request.engine, request.amount, latency, outcome, request.degraded))


class Metered:
    """Around a `client`; `engine` is its name in the ledger where an answer does not say who gave it."""

    def __init__(self, client: Any, engine: str, note: Callable[[Entry], None] = ledger.note) -> None:
        self.client, self._engine, self._note = client, engine, note


class MeteredSpeechToText(Metered):
    client: SpeechToText

    async def transcribe(
        self, pcm: bytes, *, rate: int, language: str = "en", model: str = "", priority: Priority = "live"
    ) -> Transcript:
        with _noted("stt", self._engine, self._note) as request:
            request.amount = len(pcm) / 2 / rate
            transcript = await self.client.transcribe(
                pcm, rate=rate, language=language, model=model, priority=priority
            )
            request.engine = transcript.engine or self._engine
            request.degraded = transcript.degraded
            return transcript


class MeteredTextToSpeech(Metered):
    client: TextToSpeech

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
        with _noted("tts", self._engine, self._note) as request:
            request.amount = len(text)
            chunks = self.client.speak(
                text, rate=rate, voice=voice, speed=speed, model=model, priority=priority
            )
            async with aclosing(chunks):
                async for chunk in chunks:
                    _begun(request, chunk)
                    yield chunk


class MeteredSpeechFinder(Metered):
    client: SpeechFinder

    async def detect(self, pcm: bytes, *, rate: int, threshold: float = 0.5) -> tuple[Segment, ...]:
        with _noted("vad", self._engine, self._note) as request:
            request.amount = len(pcm) / 2 / rate
            return await self.client.detect(pcm, rate=rate, threshold=threshold)


class MeteredChatModel(Metered):
    client: ChatModel

    async def reply(
        self,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int = 150,
        temperature: float = 0.7,
        tools: Sequence[Tool] = (),
    ) -> AsyncGenerator[ChatDelta, None]:
        """Tokens: those of the answer, a piece each, and the prompt's by its length."""
        with _noted("llm", self._engine, self._note) as request:
            request.amount = sum(len(message.content) for message in messages) // _CHARACTERS_A_TOKEN
            how: dict[str, Any] = {"max_tokens": max_tokens, "temperature": temperature}
            pieces = self.client.reply(messages, tools=tools, **how)
            async with aclosing(pieces):
                async for piece in pieces:
                    _begun(request, piece)
                    request.amount += 1
                    yield piece


class MeteredEmbedder(Metered):
    client: Embedder

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        with _noted("embed", self._engine, self._note) as request:
            request.amount = len(texts)
            return await self.client.embed(texts)


class MeteredTurnJudge(Metered):
    client: TurnJudge

    async def judge(self, pcm: bytes, *, rate: int) -> TurnVerdict:
        with _noted("turn", self._engine, self._note) as request:
            request.amount = len(pcm) / 2 / rate
            return await self.client.judge(pcm, rate=rate)


def _begun(request: _Request, piece: SpeechChunk | ChatDelta) -> None:
    if not request.first_at:
        request.first_at = time.monotonic()
        request.engine = piece.engine or request.engine
        request.degraded = piece.degraded
