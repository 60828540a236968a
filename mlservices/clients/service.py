"""The ML service over HTTP: ours, by its streaming face, or any Space, by its plain one.

Which face a service has is learnt when the streaming one answers 404, and again after a while: it may have
been replaced. What it does not offer at all is an error that names it. Closing a generator or cancelling a
coroutine closes the connection, which frees the worker at the other end.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import asdict, replace
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import numpy as np
from numpy.typing import NDArray

from ..errors import EngineError, EngineTimeout, Outcome
from ..types import (
    ChatDelta,
    ChatMessage,
    Priority,
    Segment,
    SpeechChunk,
    Timing,
    TokenCount,
    Tool,
    ToolCall,
    Transcript,
    TurnVerdict,
)
from ..wire import PCM_TYPE, Message, Unpacker
from .http import LoopClients, Party, is_page, patience, refusal, transport_error
from .space import NotOffered, SpaceClient, not_offered
from .waking import Waking

_CONNECT_SECONDS = 5.0
_PIECE_SECONDS = 30.0  # until the next piece of an answer
_STREAM_TIMEOUT = httpx.Timeout(_PIECE_SECONDS, connect=_CONNECT_SECONDS, pool=_CONNECT_SECONDS)
_LOOK_TIMEOUT = httpx.Timeout(5.0, connect=2.0)  # a page waits for it
_CHANGE_TIMEOUT = httpx.Timeout(3.0, connect=2.0)
_PLAIN_SECONDS = 300.0  # until a service that did not stream is asked for it again

_PCM = {"Content-Type": PCM_TYPE}


class ServiceClient:
    """Meets SpeechToText, TextToSpeech, SpeechFinder, ChatModel, Embedder and TurnJudge.

    With `sleepy`, a service that is waking up is asked again until it is awake, as a Space needs it; the one
    beside us says at once that it is not ready. The settings are those that messages name as the remedy.
    """

    def __init__(
        self,
        base_url: str,
        *,
        token: str = "",
        sleepy: bool = False,
        waking: Waking | None = None,
        address_setting: str = "",
        token_setting: str = "",
    ) -> None:
        self._name = f"ML service {urlsplit(base_url).netloc.rpartition('@')[2]}"
        self.engine = self._name  # until an answer tells more
        self._party = Party(self._name, address_setting, token_setting, token)
        self._clients = LoopClients(base_url, timeout=_STREAM_TIMEOUT, headers=self._party.headers)
        self._waking = waking or Waking()
        self._sleepy = sleepy
        self._space = SpaceClient(base_url, party=self._party, waking=self._waking, patient=sleepy)
        self._streams = False  # as it told
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

    # --- The models of our own service ---

    async def managed_models(self) -> dict[str, Any]:
        """{"models": [...], "devices": [...]} as `service/routes/models.py` tells them."""
        return await self._manage("GET", "/models", timeout=_LOOK_TIMEOUT)

    async def manage_model(self, model_id: str, verb: str) -> dict[str, Any]:
        """`verb`: load, unload, warm, download, stop or remove. Answers the model as it then is.

        EngineError has the reason of a refusal. EngineTimeout says that it is not done yet, and goes on:
        calls are finished before a model is unloaded, and loading comes before warming.
        """
        path = f"/models/{quote(model_id)}/{verb}"
        return await self._manage("POST", path, json={}, timeout=_CHANGE_TIMEOUT)

    async def _manage(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        try:
            response = await self._clients.get().request(method, path, **request)
            if response.status_code >= 400:
                who = replace(self._party, name="Refused")  # by whom, pages say
                raise await refusal(response, who, "ml")
            answer: dict[str, Any] = response.json()
        except httpx.HTTPError as error:
            raise transport_error(error, self._party, "ml") from error
        except ValueError as error:
            raise EngineError(f"{self._name} answered without JSON", service="ml") from error
        return answer

    # --- What a call needs ---

    async def transcribe(
        self, pcm: bytes, *, rate: int, language: str = "en", model: str = "", priority: Priority = "live"
    ) -> Transcript:
        if await self._is_plain():
            return await self._space.transcribe(pcm, rate=rate, language=language, model=model)
        within = patience(len(pcm) / 2 / rate)
        params = {"rate": rate, "language": language, "model": model, "priority": priority}
        try:
            head, _ = await self._one(
                "stt",
                "/stream/stt",
                seconds=within,
                params={**params, **({"within_seconds": within} if within else {})},
                content=pcm,
                headers=_PCM,
            )
        except NotOffered as error:
            await self._learn_why(error)
            return await self._space.transcribe(pcm, rate=rate, language=language, model=model)
        with self._reading("stt"):
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
        if not await self._is_plain():
            body = {"text": text, "rate": rate, "voice": voice, "speed": speed}
            body |= {"model": model, "priority": priority}
            engine = self._name  # until the first piece tells more
            try:
                async with aclosing(self._pieces("tts", "/stream/tts", json=body)) as pieces:
                    async for head, pcm in pieces:
                        with self._reading("tts"):
                            engine = head.get("engine") or engine
                            timing = Timing(**head["timing"])
                            chunk = SpeechChunk(pcm, head["rate"], timing, engine=engine)
                        yield chunk
                return
            except NotOffered as error:
                await self._learn_why(error)
        yield await self._space.speak(text, rate=rate, voice=voice, speed=speed, model=model)

    async def reply(
        self,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int = 150,
        temperature: float = 0.7,
        model: str = "",
        tools: Sequence[Tool] = (),
        priority: Priority = "live",
    ) -> AsyncGenerator[ChatDelta, None]:
        """`model` is the id of one of the service's own; "" is the one that it is configured with."""
        if not await self._is_plain():
            body = {
                "messages": [asdict(message) for message in messages],
                "max_tokens": max_tokens,
                "temperature": temperature,
                **({"model": model} if model else {}),
                "priority": priority,
                "tools": [asdict(tool) for tool in tools],
            }
            engine = self._name
            try:
                async with aclosing(self._pieces("llm", "/stream/chat", json=body)) as pieces:
                    async for head, _ in pieces:
                        with self._reading("llm"):
                            engine = head.get("engine") or engine
                            call = ToolCall(**head["tool_call"]) if "tool_call" in head else None
                            timing = Timing(**head["timing"])
                            delta = ChatDelta(head["text"], timing, engine=engine, tool_call=call)
                        if delta.text or delta.tool_call:
                            yield delta
                return
            except NotOffered as error:
                await self._learn_why(error)
        if tools or any(message.role == "tool" or message.tool_calls for message in messages):
            raise NotOffered(f"{self._name} does not offer tools", service="llm")
        yield await self._space.reply(messages)

    async def embed(self, texts: Sequence[str], *, priority: Priority = "live") -> NDArray[np.float32]:
        body = {"texts": list(texts), "priority": priority}
        head, rows = await self._one("embed", "/stream/embed", json=body)
        with self._reading("embed"):
            return np.frombuffer(rows, "<f4").reshape(head["rows"], head["dimensions"]).astype(np.float32)

    async def count_tokens(self, texts: Sequence[str]) -> TokenCount:
        head, _ = await self._one("llm", "/stream/tokens", json={"texts": list(texts)})
        with self._reading("llm"):
            return TokenCount(tuple(head["counts"]), head["limit"], head["model"])

    async def judge(self, pcm: bytes, *, rate: int, priority: Priority = "live") -> TurnVerdict:
        params = {"rate": rate, "priority": priority}
        head, _ = await self._one("turn", "/stream/turn", params=params, content=pcm, headers=_PCM)
        with self._reading("turn"):
            return TurnVerdict(head["completeness"], Timing(**head["timing"]))

    async def detect(self, pcm: bytes, *, rate: int, threshold: float = 0.5) -> tuple[Segment, ...]:
        """Where somebody speaks in a recording."""
        return await self._space.detect(pcm, rate=rate, threshold=threshold)

    @contextmanager
    def _reading(self, kind: str) -> Iterator[None]:
        """Frames of a service that speaks another form are an error, and no fault of ours."""
        try:
            yield
        except (KeyError, TypeError, ValueError) as error:
            raise EngineError(
                f"{self._name} sent frames of another form ({self._party.quote(repr(error))})",
                service=kind,
                outcome=Outcome.WRONG_FIELDS,
            ) from error

    async def _is_plain(self) -> bool:
        """A Space tells which face it has before it is asked by one; the service beside us streams."""
        if self._party.address_setting and not self._streams and self._waking.now() >= self._plain_until:
            await self._learn_face()
        return self._waking.now() < self._plain_until

    async def _learn_face(self) -> None:
        """A service in trouble is asked as one that streams: it will say so."""
        told: Any = None
        try:
            told = (await self._space.models()).get("streaming")
        except EngineError as error:
            if not isinstance(error, NotOffered):
                return
        self._streams = isinstance(told, list) and any(str(path).startswith("/stream/") for path in told)
        self._plain_until = -math.inf if self._streams else self._waking.now() + _PLAIN_SECONDS

    async def _learn_why(self, error: NotOffered) -> None:
        """The streaming face said 404: raises `error` if the service streams, but not what it was asked."""
        self._streams = False
        await self._learn_face()
        if self._streams:
            raise error

    async def _one(self, kind: str, path: str, **request: Any) -> Message:
        messages = [message async for message in self._pieces(kind, path, **request)]
        if not messages:
            raise EngineError(
                f"{self._name} sent an empty answer", service=kind, outcome=Outcome.WRONG_FIELDS
            )
        return messages[0]

    async def _pieces(
        self, kind: str, path: str, seconds: float = 0.0, **request: Any
    ) -> AsyncGenerator[Message, None]:
        """The frames of an answer, asked again until there are some if the service is `sleepy`.

        `seconds`: how long the next piece may take, where that is more than all may."""
        awake = httpx.Timeout(seconds, connect=_CONNECT_SECONDS) if seconds else _STREAM_TIMEOUT
        attempts = self._waking.ask(path, patient=self._sleepy, seconds=seconds)
        while True:
            begun = False
            timeout = attempts.timeout() if self._sleepy else awake
            try:
                async with aclosing(self._attempt(kind, path, timeout, **request)) as messages:
                    async for message in messages:
                        if not begun:
                            attempts.answered()
                        begun = True
                        yield message
            except EngineError as error:
                if begun:
                    raise
                await attempts.after(error)
            else:
                if not begun:
                    attempts.answered()
                return

    async def _attempt(
        self, kind: str, path: str, limits: httpx.Timeout, **request: Any
    ) -> AsyncGenerator[Message, None]:
        """One request; an answer that breaks off before its end is an error.

        An answer is read to its last byte, so that its connection can be used again.
        """
        begun = ended = False
        try:
            async with self._clients.get().stream("POST", path, timeout=limits, **request) as response:
                if response.status_code == 404:
                    raise not_offered(self._party, path, kind)
                if not response.is_success or is_page(response.headers):
                    raise await refusal(response, self._party, kind)
                begun = True
                seconds = limits.read or _PIECE_SECONDS
                async with aclosing(self._messages(kind, response, seconds)) as messages:
                    async for head, payload in messages:
                        if "error" in head:
                            raise self._told(kind, head)
                        if "end" in head:
                            ended = True
                        else:
                            yield head, payload
        except httpx.HTTPError as error:
            raise transport_error(error, self._party, kind, begun=begun) from error
        if not ended:
            raise EngineError(
                f"{self._name} broke off in the middle of an answer", service=kind, outcome=Outcome.CUT_SHORT
            )

    async def _messages(
        self, kind: str, response: httpx.Response, seconds: float
    ) -> AsyncGenerator[Message, None]:
        """The frames of a body. Each has so many seconds to become whole: bytes that drip are no answer."""
        unpacker = Unpacker()
        pieces = response.aiter_raw()
        loop = asyncio.get_running_loop()
        due = loop.time() + seconds
        while True:
            try:
                async with asyncio.timeout_at(due):
                    data = await anext(pieces, None)
            except TimeoutError:
                raise EngineTimeout(
                    f"{self._name} began an answer and did not go on in time ({seconds:.0f} s)",
                    service=kind,
                    outcome=Outcome.SLOW_BODY,
                ) from None
            if data is None:
                return
            try:
                messages = unpacker.feed(data)
            except ValueError as error:
                raise EngineError(
                    f"{self._name} sent no frames: {self._party.quote(str(error))}",
                    service=kind,
                    outcome=Outcome.NOT_JSON,
                ) from error
            for message in messages:
                yield message
            if messages:
                due = loop.time() + seconds

    def _told(self, kind: str, head: dict[str, Any]) -> EngineError:
        """The error that an answer ended with."""
        permanent = bool(head.get("permanent"))
        return EngineError(
            f"{self._name}: {self._party.without_token(str(head['error']))}",
            service=kind,
            permanent=permanent,
            outcome=Outcome.REFUSED if permanent else Outcome.FAILED,
        )
