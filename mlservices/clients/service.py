"""The ML service over HTTP: ours, by its streaming face, or any Space, by its plain one.

A service that answers 404 to the streaming face is asked by the plain one from then on. What it does not
offer at all is an error that names it. Closing a generator or cancelling a coroutine closes the connection,
which frees the worker at the other end.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
from numpy.typing import NDArray

from ..errors import EngineError
from ..types import ChatDelta, ChatMessage, Segment, SpeechChunk, Timing, Transcript, TurnVerdict
from ..wire import Message, Unpacker
from .http import LoopClients, status_error, transport_error
from .space import NotOffered, SpaceClient

_STREAM_TIMEOUT = httpx.Timeout(30.0, connect=5.0)  # reading: until the next piece


class ServiceClient:
    """Meets SpeechToText, TextToSpeech, ChatModel, Embedder and TurnJudge."""

    def __init__(self, base_url: str, *, token: str = "") -> None:
        self._name = f"ML service {urlsplit(base_url).netloc}"
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._clients = LoopClients(base_url, timeout=_STREAM_TIMEOUT, headers=headers)
        self._space = SpaceClient(base_url, name=self._name, headers=headers)
        self._streams = True  # until it says 404

    async def close(self) -> None:
        await self._clients.close()
        await self._space.close()

    async def health(self) -> dict[str, Any]:
        return await self._space.health()

    async def models(self) -> dict[str, Any]:
        return await self._space.models()

    async def transcribe(self, pcm: bytes, *, rate: int, language: str = "en") -> Transcript:
        if not self._streams:
            return await self._space.transcribe(pcm, rate=rate, language=language)
        try:
            head, _ = await self._one("/stream/stt", params={"rate": rate, "language": language}, content=pcm)
        except NotOffered:
            return await self._plainly().transcribe(pcm, rate=rate, language=language)
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
        self, text: str, *, rate: int, voice: str = "default", speed: float = 1.0
    ) -> AsyncGenerator[SpeechChunk, None]:
        if not text.strip():
            return
        if self._streams:
            body = {"text": text, "rate": rate, "voice": voice, "speed": speed}
            try:
                async with aclosing(self._pieces("/stream/tts", json=body)) as pieces:
                    async for head, pcm in pieces:
                        yield SpeechChunk(pcm, head["rate"], Timing(**head["timing"]))
                return
            except NotOffered:
                self._plainly()
        yield await self._space.speak(text, rate=rate, voice=voice, speed=speed)

    async def reply(
        self, messages: Sequence[ChatMessage], *, max_tokens: int = 150, temperature: float = 0.7
    ) -> AsyncGenerator[ChatDelta, None]:
        if self._streams:
            body = {
                "messages": [asdict(message) for message in messages],
                "max_tokens": max_tokens,
                "temperature": temperature,
            }
            try:
                async with aclosing(self._pieces("/stream/chat", json=body)) as pieces:
                    async for head, _ in pieces:
                        if head["text"]:
                            yield ChatDelta(head["text"], Timing(**head["timing"]))
                return
            except NotOffered:
                self._plainly()
        yield await self._space.reply(messages)

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        head, rows = await self._one("/stream/embed", json={"texts": list(texts)})
        return np.frombuffer(rows, "<f4").reshape(head["rows"], head["dimensions"]).astype(np.float32)

    async def judge(self, pcm: bytes, *, rate: int) -> TurnVerdict:
        head, _ = await self._one("/stream/turn", params={"rate": rate}, content=pcm)
        return TurnVerdict(head["completeness"], Timing(**head["timing"]))

    def _plainly(self) -> SpaceClient:
        self._streams = False
        return self._space

    async def _one(self, path: str, **request: Any) -> Message:
        messages = [message async for message in self._pieces(path, **request)]
        if not messages:
            raise EngineError(f"{self._name} sent an empty answer", service=self._name)
        return messages[0]

    async def _pieces(self, path: str, **request: Any) -> AsyncGenerator[Message, None]:
        """The frames of an answer; one that breaks off before its end is an error.

        An answer is read to its last byte, so that its connection can be used again.
        """
        ended = False
        try:
            async with self._clients.get().stream("POST", path, **request) as response:
                if response.status_code == 404:
                    raise NotOffered(
                        f"{self._name} does not offer {path}", service=self._name, permanent=True
                    )
                if response.status_code >= 400:
                    raise await status_error(response, self._name)
                unpacker = Unpacker()
                async for data in response.aiter_raw():
                    for head, payload in unpacker.feed(data):
                        if "error" in head:
                            raise EngineError(
                                head["error"], service=head["service"], permanent=head["permanent"]
                            )
                        if "end" in head:
                            ended = True
                        else:
                            yield head, payload
        except httpx.HTTPError as error:
            raise transport_error(error, self._name) from error
        except ValueError as error:
            raise EngineError(f"{self._name} sent no frames: {error}", service=self._name) from error
        if not ended:
            raise EngineError(f"{self._name} broke off in the middle of an answer", service=self._name)
