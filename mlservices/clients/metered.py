"""What was asked of each engine, how long it took and how it ended, noted in the ledger."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import EngineError
from ..interfaces import ChatModel, Embedder, SpeechFinder, SpeechToText, TextToSpeech, TurnJudge
from ..ledger import Entry, ledger
from ..models.usage import NOT_SERVED, Outcome
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

_CHARACTERS_A_TOKEN = 4  # where nobody counts them

P = TypeVar("P", Transcript, SpeechChunk, ChatDelta)


@dataclass
class Request:
    """What becomes known of a request while it is served. `asked` is in the unit of its service, of a
    language model the tokens of the prompt."""

    engine: str
    asked: float
    answered: int = 0  # tokens of a language model's answer
    estimated: bool = False  # the tokens, by the length of what was said
    first_at: float = 0.0  # when its answer began
    in_vain: bool = False  # it ended without an error and without an answer

    @property
    def amount(self) -> float:
        return self.asked + self.answered

    def took(self, piece: Transcript | SpeechChunk | ChatDelta) -> None:
        if not self.first_at:
            self.first_at = time.monotonic()
            self.engine = piece.engine or self.engine
        if not isinstance(piece, ChatDelta):
            return
        if piece.used is not None:
            self.answered = piece.used.answer
            if piece.used.prompt is not None:
                self.asked, self.estimated = piece.used.prompt, False
        else:
            self.answered += max(1, len(piece.text) // _CHARACTERS_A_TOKEN)

    async def noting(self, pieces: AsyncGenerator[P, None]) -> AsyncGenerator[P, None]:
        """The same pieces, taken note of as they pass."""
        async with aclosing(pieces):
            async for piece in pieces:
                self.took(piece)
                yield piece


@dataclass(frozen=True, slots=True)
class Meter:
    """Notes each request to one engine, which is known as `engine` until an answer names who gave it."""

    service: str
    engine: str
    degraded: bool = False  # it is not the first choice
    note: Callable[[Entry], None] = ledger.note

    @contextmanager
    def request(self, asked: float, *, model: str = "") -> Iterator[Request]:
        """What failed or was refused before its answer began was not used: its amount and cost are 0."""
        started = time.monotonic()
        request = Request(model or self.engine, asked, estimated=self.service == "llm")
        outcome = Outcome.CANCELLED
        try:
            yield request
            outcome = Outcome.FAILED if request.in_vain else Outcome.SERVED
        except Exception as error:
            refused = isinstance(error, EngineError) and error.blames_input
            outcome = Outcome.REFUSED if refused else Outcome.FAILED
            raise
        finally:
            unused = outcome in NOT_SERVED and not request.first_at
            self.note(
                Entry(
                    self.service,
                    request.engine,
                    0.0 if unused else request.amount,
                    (request.first_at or time.monotonic()) - started,
                    outcome,
                    self.degraded,
                    answered=request.answered,
                    estimated=request.estimated and not unused,
                )
            )


def seconds_of(pcm: bytes, rate: int) -> float:
    return len(pcm) / 2 / rate


def tokens_of(messages: Sequence[ChatMessage]) -> int:
    """Of a prompt, by its length."""
    return sum(len(message.content) for message in messages) // _CHARACTERS_A_TOKEN


class Metered:
    """Around a `client` that nobody stands in for; `engine` is its name in the ledger where an answer does
    not say who gave it. (Several that stand in for each other are metered one by one, in `fallback`.)"""

    service: ClassVar[str]

    def __init__(self, client: Any, engine: str, note: Callable[[Entry], None] = ledger.note) -> None:
        self.client = client
        self._meter = Meter(self.service, engine, note=note)


class MeteredSpeechToText(Metered):
    service = "stt"
    client: SpeechToText

    async def transcribe(
        self, pcm: bytes, *, rate: int, language: str = "en", model: str = "", priority: Priority = "live"
    ) -> Transcript:
        with self._meter.request(seconds_of(pcm, rate), model=model) as request:
            transcript = await self.client.transcribe(
                pcm, rate=rate, language=language, model=model, priority=priority
            )
            request.took(transcript)
            return transcript


class MeteredTextToSpeech(Metered):
    service = "tts"
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
        with self._meter.request(len(text), model=model) as request:
            chunks = self.client.speak(
                text, rate=rate, voice=voice, speed=speed, model=model, priority=priority
            )
            async with aclosing(request.noting(chunks)) as noted:
                async for chunk in noted:
                    yield chunk


class MeteredSpeechFinder(Metered):
    service = "vad"
    client: SpeechFinder

    async def detect(self, pcm: bytes, *, rate: int, threshold: float = 0.5) -> tuple[Segment, ...]:
        with self._meter.request(seconds_of(pcm, rate)):
            return await self.client.detect(pcm, rate=rate, threshold=threshold)


class MeteredChatModel(Metered):
    service = "llm"
    client: ChatModel

    async def reply(
        self,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int = 150,
        temperature: float = 0.7,
        tools: Sequence[Tool] = (),
        priority: Priority = "live",
    ) -> AsyncGenerator[ChatDelta, None]:
        with self._meter.request(tokens_of(messages)) as request:
            how: dict[str, Any] = {"max_tokens": max_tokens, "temperature": temperature, "priority": priority}
            pieces = self.client.reply(messages, tools=tools, **how)
            async with aclosing(request.noting(pieces)) as noted:
                async for piece in noted:
                    yield piece


class MeteredEmbedder(Metered):
    service = "embed"
    client: Embedder

    async def embed(self, texts: Sequence[str], *, priority: Priority = "live") -> NDArray[np.float32]:
        with self._meter.request(len(texts)):
            return await self.client.embed(texts, priority=priority)


class MeteredTurnJudge(Metered):
    service = "turn"
    client: TurnJudge

    async def judge(self, pcm: bytes, *, rate: int) -> TurnVerdict:
        with self._meter.request(seconds_of(pcm, rate)):
            return await self.client.judge(pcm, rate=rate)
