"""The plain Space API: whole answers, of a service that may have to wake up first.

What comes back is checked: a page of HTML or an answer without the promised fields is an error that quotes
it.
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from .. import audio
from ..errors import EngineError
from ..types import ChatDelta, ChatMessage, Segment, SpeechChunk, Timing, Transcript
from .http import LoopClients, status_error, transport_error
from .waking import Waking

_STATUS_TIMEOUT = httpx.Timeout(5.0)
_TIMEOUT = httpx.Timeout(120.0, connect=5.0)
_QUOTED = 200
_LONGEST_MESSAGE = 5000  # characters; our own service takes no longer one
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError)
_EARLIER = "What was said before:\n{}\n\nNow: {}"


class NotOffered(EngineError):
    """The service has no such call."""


def _segments(answer: Mapping[str, Any]) -> tuple[Segment, ...]:
    """One of `_MALFORMED` where they are none."""
    return tuple(
        Segment(
            float(item["start"]),
            float(item["end"]),
            str(item.get("text") or ""),
            float(item.get("confidence") or 1.0),
        )
        for item in answer.get("segments") or ()
    )


class SpaceClient:
    def __init__(
        self,
        base_url: str,
        *,
        name: str,
        headers: Mapping[str, str] | None = None,
        waking: Waking | None = None,
    ) -> None:
        self._name = name
        self._waking = waking or Waking()
        self._clients = LoopClients(base_url, timeout=_TIMEOUT, headers=headers)

    async def close(self) -> None:
        await self._clients.close()

    async def health(self) -> dict[str, Any]:
        return await self._get("/api/health")

    async def models(self) -> dict[str, Any]:
        return await self._get("/api/models")

    async def metrics(self) -> str:
        return (await self._answer("/api/metrics")).text

    async def transcribe(self, pcm: bytes, *, rate: int, language: str, model: str = "") -> Transcript:
        self._refuse_choice("stt", model)
        heard = base64.b64encode(audio.resample(pcm, rate, 16000)).decode()
        answer, timing = await self._post(
            "stt", "/api/stt", {"audio_base64": heard, "language": language}, "text"
        )
        try:
            segments = _segments(answer)
            confidence = float(answer.get("confidence") or 0.0)
        except _MALFORMED as error:
            quoted = str(answer)[:_QUOTED]
            raise EngineError(
                f"{self._name} sent a transcript that is none: {quoted}", service="stt"
            ) from error
        return Transcript(
            text=answer["text"].strip(),
            language=str(answer.get("language") or language),
            confidence=confidence,
            duration_seconds=len(pcm) / 2 / rate,
            segments=segments,
            engine=self._name,
            timing=timing,
        )

    async def detect(self, pcm: bytes, *, rate: int, threshold: float) -> tuple[Segment, ...]:
        heard = base64.b64encode(audio.resample(pcm, rate, 16000)).decode()
        body = {"audio_base64": heard, "threshold": threshold}
        answer, _ = await self._post("vad", "/api/vad", body, "segments", list)
        try:
            return _segments(answer)
        except _MALFORMED as error:
            quoted = str(answer)[:_QUOTED]
            raise EngineError(f"{self._name} sent segments that are none: {quoted}", service="vad") from error

    async def speak(self, text: str, *, rate: int, voice: str, speed: float, model: str = "") -> SpeechChunk:
        self._refuse_choice("tts", model)
        body = {"text": text, "voice": voice, "speed": speed}
        answer, timing = await self._post("tts", "/api/tts", body, "audio_base64")
        try:
            pcm, made_at = audio.read_wav(base64.b64decode(answer["audio_base64"], validate=True))
        except (binascii.Error, ValueError, TypeError) as error:
            raise EngineError(f"{self._name} sent sound that is no WAV: {error}", service="tts") from error
        return SpeechChunk(audio.resample(pcm, made_at, rate), rate, timing)

    async def reply(self, messages: Sequence[ChatMessage]) -> ChatDelta:
        """The whole answer. The plain API takes one message: what was said before is quoted in it, since
        callers' words have no place in the system prompt."""
        *before, last = messages
        earlier = "\n".join(
            f"{message.role}: {message.content}" for message in before if message.role != "system"
        )
        room = _LONGEST_MESSAGE - len(last.content) - len(_EARLIER)
        quoted = _EARLIER.format(earlier[-room:], last.content) if earlier and room > 0 else last.content
        body = {
            "session_id": f"voiceforge-{time.time_ns()}",
            "message": quoted,
            "mode": "assistant",
            "system_prompt": "\n".join(m.content for m in before if m.role == "system"),
        }
        answer, timing = await self._post("llm", "/api/vllm/chat", body, "response")
        return ChatDelta(answer["response"], timing)

    def _refuse_choice(self, kind: str, model: str) -> None:
        if model:
            raise EngineError(f"{self._name} lets nobody choose a model", service=kind, permanent=True)

    async def _get(self, path: str) -> dict[str, Any]:
        return await self._checked("ml", await self._answer(path), path)

    async def _answer(self, path: str) -> httpx.Response:
        """Of a page of status; what is none is an error."""
        try:
            response = await self._clients.get().get(path, timeout=_STATUS_TIMEOUT)
        except httpx.HTTPError as error:
            raise transport_error(error, self._name, "ml") from error
        await self._check_status("ml", response, path)
        return response

    async def _post(
        self, kind: str, path: str, body: dict[str, Any], field: str, of: type = str
    ) -> tuple[dict[str, Any], Timing]:
        """The answer, which has `field`, and how long it took, waking up apart."""
        attempts = self._waking.ask(path)
        while True:
            slept = attempts.waited()
            try:
                response = await self._clients.get().post(path, json=body, timeout=attempts.timeout())
                answer = await self._checked(kind, response, path, field, of)
            except httpx.HTTPError as error:
                raise transport_error(error, self._name, kind) from error
            except EngineError as error:
                await attempts.after(error)
                continue
            attempts.answered()
            return answer, Timing(
                queue_seconds=float(answer.get("queue_seconds") or slept),
                compute_seconds=float(answer.get("compute_seconds") or attempts.waited() - slept),
            )

    async def _check_status(self, kind: str, response: httpx.Response, path: str) -> None:
        if response.status_code == 404:
            raise NotOffered(f"{self._name} does not offer {path}", service=kind, permanent=True)
        if response.status_code >= 400:
            raise await status_error(response, self._name, kind)

    async def _checked(
        self, kind: str, response: httpx.Response, path: str, field: str = "", of: type = str
    ) -> dict[str, Any]:
        """The answer, an object that has `field`, if one is named."""
        await self._check_status(kind, response, path)
        try:
            answer = response.json()
        except ValueError as error:
            quoted = response.text[:_QUOTED].strip()
            raise EngineError(f"{self._name} sent no JSON for {path}: {quoted}", service=kind) from error
        if not isinstance(answer, dict) or (field and not isinstance(answer.get(field), of)):
            quoted = response.text[:_QUOTED]
            raise EngineError(f"{self._name} sent no {field} for {path}: {quoted}", service=kind)
        return answer
