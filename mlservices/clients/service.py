"""The ML service over HTTP: ours, by its streaming face, or any Space, by its plain one.

Which face a service has is learnt when the streaming one answers 404, and again after a while: it may have
been replaced. What it does not offer at all is an error that names it. Closing a generator or cancelling a
coroutine closes the connection, which frees the worker at the other end.
"""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
from numpy.typing import NDArray

from ..errors import EngineError
from ..types import (
    ChatDelta,
    ChatMessage,
    Priority,
    Segment,
    SpeechChunk,
    Timing,
    TokenCount,
    Transcript,
    TurnVerdict,
)
from ..wire import PCM_TYPE, Message, Unpacker
from .http import LoopClients, status_error, transport_error
from .space import NotOffered, SpaceClient
from .waking import Waking

_CONNECT_SECONDS = 5.0
_PIECE_SECONDS = 30.0
_STREAM_TIMEOUT = httpx.Timeout(_PIECE_SECONDS, connect=_CONNECT_SECONDS)
_LONGEST_PATIENCE_SECONDS = 600.0
_PLAIN_SECONDS = 300.0  # until a service that did not stream is asked for it again

_PCM = {"Content-Type": PCM_TYPE}


def _patience(sound_seconds: float) -> float:
    """Seconds within which a recording is heard: as long as it lasts on top of what an utterance may take."""
    return min(_LONGEST_PATIENCE_SECONDS, _PIECE_SECONDS + sound_seconds)


class ServiceClient:
    """Meets SpeechToText, TextToSpeech, SpeechFinder, ChatModel, Embedder and TurnJudge.

    With `sleepy`, a service that is waking up is asked again until it is awake, as a Space needs it; the one
    beside us says at once that it is not ready.
    """

    def __init__(
        self, base_url: str, *, token: str = "", sleepy: bool = False, waking: Waking | None = None
    ) -> None:
        self._name = f"ML service {urlsplit(base_url).netloc}"
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._clients = LoopClients(base_url, timeout=_STREAM_TIMEOUT, headers=headers)
        self._waking = waking or Waking()
        self._space = SpaceClient(base_url, name=self._name, headers=headers, waking=self._waking)
        self._sleepy = sleepy
        self._plain_until = -math.inf

    async def close(self) -> None:
        await self._clients.close()
        await self._space.close()

    async def health(self) -> dict[str, Any]:
        return await self._space.health()

    async def models(self) -> dict[str, Any]:
        return await self._space.models()

    async def metrics(self) -> str:
        """Its measures, in Prometheus's text format."""
        return await self._space.metrics()

    async def transcribe(
        self, pcm: bytes, *, rate: int, language: str = "en", model: str = "", priority: Priority = "live"
    ) -> Transcript:
        if self._is_plain():
            return await self._space.transcribe(pcm, rate=rate, language=language, model=model)
        within = _patience(len(pcm) / 2 / rate)
        params = {"rate": rate, "language": language, "model": model, "priority": priority}
        try:
            head, _ = await self._one(
                "stt",
                "/stream/stt",
                seconds=within,
                params={**params, "within_seconds": within},
                content=pcm,
                headers=_PCM,
            )
        except NotOffered as error:
            await self._learn_why(error)
            return await self._space.transcribe(pcm, rate=rate, language=language, model=model)
        return Transcript(
            text=head["text"],
            language=head["language"],
            confidence=head["confidence"],
            duration_seconds=head["duration_seconds"],
            segments=tuple(Segment(**segment) for segment in head["segments"]),
            engine=head["engine"],
            timing=Timing(**head["timing"]),
        )

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
        if not text.strip():
            return
        if not self._is_plain():
            body = {"text": text, "rate": rate, "voice": voice, "speed": speed}
            body |= {"model": model, "priority": priority}
            try:
                async with aclosing(self._pieces("tts", "/stream/tts", json=body)) as pieces:
                    async for head, pcm in pieces:
                        yield SpeechChunk(pcm, head["rate"], Timing(**head["timing"]))
                return
            except NotOffered as error:
                await self._learn_why(error)
        yield await self._space.speak(text, rate=rate, voice=voice, speed=speed, model=model)

    async def detect(self, pcm: bytes, *, rate: int, threshold: float = 0.5) -> tuple[Segment, ...]:
        return await self._space.detect(pcm, rate=rate, threshold=threshold)

    async def reply(
        self, messages: Sequence[ChatMessage], *, max_tokens: int = 150, temperature: float = 0.7
    ) -> AsyncGenerator[ChatDelta, None]:
        if not self._is_plain():
            body = {
                "messages": [asdict(message) for message in messages],
                "max_tokens": max_tokens,
                "temperature": temperature,
            }
            try:
                async with aclosing(self._pieces("llm", "/stream/chat", json=body)) as pieces:
                    async for head, _ in pieces:
                        if head["text"]:
                            yield ChatDelta(head["text"], Timing(**head["timing"]))
                return
            except NotOffered as error:
                await self._learn_why(error)
        yield await self._space.reply(messages)

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        head, rows = await self._one("embed", "/stream/embed", json={"texts": list(texts)})
        return np.frombuffer(rows, "<f4").reshape(head["rows"], head["dimensions"]).astype(np.float32)

    async def count_tokens(self, texts: Sequence[str]) -> TokenCount:
        head, _ = await self._one("llm", "/stream/tokens", json={"texts": list(texts)})
        return TokenCount(tuple(head["counts"]), head["limit"], head["model"])

    async def judge(self, pcm: bytes, *, rate: int) -> TurnVerdict:
        head, _ = await self._one("turn", "/stream/turn", params={"rate": rate}, content=pcm, headers=_PCM)
        return TurnVerdict(head["completeness"], Timing(**head["timing"]))

    def _is_plain(self) -> bool:
        return self._waking.now() < self._plain_until

    async def _learn_why(self, error: NotOffered) -> None:
        """The streaming face said 404: raises `error` if the service streams, but not what it was asked."""
        try:
            streams = bool((await self._space.models()).get("streaming"))
        except NotOffered:
            streams = False
        except EngineError:
            return  # a service in trouble: the plain face will say so, and the next request asks again
        if streams:
            raise error
        self._plain_until = self._waking.now() + _PLAIN_SECONDS

    async def _one(self, kind: str, path: str, **request: Any) -> Message:
        messages = [message async for message in self._pieces(kind, path, **request)]
        if not messages:
            raise EngineError(f"{self._name} sent an empty answer", service=kind)
        return messages[0]

    async def _pieces(
        self, kind: str, path: str, seconds: float = _PIECE_SECONDS, **request: Any
    ) -> AsyncGenerator[Message, None]:
        """The frames of an answer, asked again until there are some if the service is `sleepy`.

        `seconds`: how long the next piece may take."""
        awake = httpx.Timeout(seconds, connect=_CONNECT_SECONDS)
        attempts = self._waking.ask(path)
        while True:
            begun = False
            timeout = attempts.timeout() if self._sleepy else awake
            try:
                async with aclosing(self._attempt(kind, path, timeout=timeout, **request)) as messages:
                    async for message in messages:
                        begun = True
                        yield message
            except EngineError as error:
                if begun or not self._sleepy:
                    raise
                await attempts.after(error)
            else:
                attempts.answered()
                return

    async def _attempt(self, kind: str, path: str, **request: Any) -> AsyncGenerator[Message, None]:
        """One request; an answer that breaks off before its end is an error.

        An answer is read to its last byte, so that its connection can be used again.
        """
        ended = False
        try:
            async with self._clients.get().stream("POST", path, **request) as response:
                if response.status_code == 404:
                    raise NotOffered(f"{self._name} does not offer {path}", service=kind, permanent=True)
                if response.status_code >= 400:
                    raise await status_error(response, self._name, kind)
                unpacker = Unpacker()
                async for data in response.aiter_raw():
                    for head, payload in unpacker.feed(data):
                        if "error" in head:
                            reason = f"{self._name}: {head['error']}"
                            raise EngineError(reason, service=kind, permanent=head["permanent"])
                        if "end" in head:
                            ended = True
                        else:
                            yield head, payload
        except httpx.HTTPError as error:
            raise transport_error(error, self._name, kind) from error
        except ValueError as error:
            raise EngineError(f"{self._name} sent no frames: {error}", service=kind) from error
        if not ended:
            raise EngineError(f"{self._name} broke off in the middle of an answer", service=kind)
