"""The plain Space API: whole answers, and a service that may have to wake up first.

A Space sleeps; its first answer takes up to two minutes. 503, 504 and a 500 that says "not loaded" mean
"waking up" and are asked again, with growing pauses, inside the budget of the call. What comes back is
checked: a page of HTML or an answer without the promised fields is an error that quotes it.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import httpx

from .. import audio
from ..errors import EngineBusy, EngineError, EngineTimeout
from ..types import ChatDelta, ChatMessage, Segment, SpeechChunk, Timing, Transcript
from .http import LoopClients, status_error, transport_error

_STATUS_TIMEOUT = httpx.Timeout(5.0)
_FIRST_CALL_SECONDS = 120.0
_WARM_CALL_SECONDS = 30.0
_QUOTED = 200


class NotOffered(EngineError):
    """The service has no such call."""


class SpaceClient:
    def __init__(
        self,
        base_url: str,
        *,
        name: str,
        headers: Mapping[str, str] | None = None,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._name = name
        self._now, self._sleep = now, sleep
        timeout = httpx.Timeout(_FIRST_CALL_SECONDS, connect=5.0)
        self._clients = LoopClients(base_url, timeout=timeout, headers=headers)
        self._warm: set[str] = set()

    async def close(self) -> None:
        await self._clients.close()

    async def health(self) -> dict[str, Any]:
        return await self._get("/api/health")

    async def models(self) -> dict[str, Any]:
        return await self._get("/api/models")

    async def transcribe(self, pcm: bytes, *, rate: int, language: str) -> Transcript:
        heard = base64.b64encode(audio.resample(pcm, rate, 16000)).decode()
        answer, timing = await self._post("/api/stt", {"audio_base64": heard, "language": language}, "text")
        segments = tuple(
            Segment(
                float(item["start"]),
                float(item["end"]),
                str(item.get("text", "")),
                float(item.get("confidence", 1)),
            )
            for item in answer.get("segments") or ()
        )
        return Transcript(
            text=str(answer["text"]).strip(),
            language=str(answer.get("language", language)),
            confidence=float(answer.get("confidence", 0)),
            duration_seconds=len(pcm) / 2 / rate,
            segments=segments,
            engine=self._name,
            timing=timing,
        )

    async def speak(self, text: str, *, rate: int, voice: str, speed: float) -> SpeechChunk:
        body = {"text": text, "voice": voice, "speed": speed}
        answer, timing = await self._post("/api/tts", body, "audio_base64")
        try:
            pcm, made_at = audio.read_wav(base64.b64decode(answer["audio_base64"], validate=True))
        except (binascii.Error, ValueError, TypeError) as error:
            raise EngineError(
                f"{self._name} sent sound that is no WAV: {error}", service=self._name
            ) from error
        return SpeechChunk(audio.resample(pcm, made_at, rate), rate, timing)

    async def reply(self, messages: Sequence[ChatMessage]) -> ChatDelta:
        """The whole answer. The plain API takes one message: what was said before goes into the prompt."""
        *before, last = messages
        context = "\n".join(
            message.content if message.role == "system" else f"{message.role}: {message.content}"
            for message in before
        )
        body = {
            "session_id": f"voiceforge-{time.time_ns()}",
            "message": last.content,
            "mode": "assistant",
            "system_prompt": context,
        }
        answer, timing = await self._post("/api/vllm/chat", body, "response")
        return ChatDelta(str(answer["response"]), timing)

    async def _get(self, path: str) -> dict[str, Any]:
        try:
            response = await self._clients.get().get(path, timeout=_STATUS_TIMEOUT)
        except httpx.HTTPError as error:
            raise transport_error(error, self._name) from error
        return await self._checked(response, path)

    async def _post(self, path: str, body: dict[str, Any], field: str) -> tuple[dict[str, Any], Timing]:
        """The answer, which has `field`, and how long it took, waking up apart."""
        budget = _WARM_CALL_SECONDS if path in self._warm else _FIRST_CALL_SECONDS
        started, pause = self._now(), 1.0
        while True:
            asked = self._now()
            left = budget - (asked - started)
            try:
                response = await self._clients.get().post(
                    path, json=body, timeout=httpx.Timeout(max(left, 1.0), connect=5.0)
                )
                answer = await self._checked(response, path, field)
            except httpx.HTTPError as error:
                raise transport_error(error, self._name) from error
            except EngineError as error:
                if not _is_waking(error) or self._now() + pause - started > budget:
                    raise
                await self._sleep(pause)
                pause = min(pause * 2, 15.0)
                continue
            self._warm.add(path)
            now = self._now()
            return answer, Timing(
                queue_seconds=float(answer.get("queue_seconds") or asked - started),
                compute_seconds=float(answer.get("compute_seconds") or now - asked),
            )

    async def _checked(self, response: httpx.Response, path: str, field: str = "") -> dict[str, Any]:
        if response.status_code == 404:
            raise NotOffered(f"{self._name} does not offer {path}", service=self._name, permanent=True)
        if response.status_code >= 400:
            raise await status_error(response, self._name)
        try:
            answer = response.json()
        except ValueError as error:
            quoted = response.text[:_QUOTED].strip()
            raise EngineError(
                f"{self._name} sent no JSON for {path}: {quoted}", service=self._name
            ) from error
        if not isinstance(answer, dict) or (field and field not in answer):
            quoted = response.text[:_QUOTED]
            raise EngineError(f"{self._name} sent no {field} for {path}: {quoted}", service=self._name)
        return answer


def _is_waking(error: EngineError) -> bool:
    return isinstance(error, EngineBusy | EngineTimeout) or "not loaded" in str(error).lower()
