"""The plain Space API: whole answers, of a service that may have to wake up first.

What comes back is checked: a page of HTML, an answer without the promised fields or with nonsense in them,
and sound that is no sound are each an error of its own kind that names the service and quotes it.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import time
from collections.abc import Sequence
from typing import Any, NoReturn

import httpx

from .. import audio
from ..errors import EngineError, Outcome
from ..types import ChatDelta, ChatMessage, Segment, SpeechChunk, Timing, TokensUsed, Transcript
from .http import Answer, LoopClients, Party, fetch, no_choice, page_error, patience, sound_of, status_error
from .waking import Waking

_STATUS_SECONDS = 5.0
_TIMEOUT = httpx.Timeout(120.0, connect=5.0)
_LONGEST_MESSAGE = 5000  # characters; our own service takes no longer one
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError)
_EARLIER = "What was said before:\n{}\n\nNow: {}"
# What a service says of a length may differ from the sound by this share and this much: else its WAV
# names a rate that is not its own, and would be spoken too high or too low.
_LENGTH_SHARE, _LENGTH_SECONDS = 0.2, 0.3
_SPACE_RATE = 16000  # of sound that is sent to be heard
_PADDED_SECONDS = 30.0  # Whisper hears windows of as much, and may end a segment in the silence behind


class NotOffered(EngineError):
    """The service has no such call."""

    def __init__(self, message: str, *, service: str = "") -> None:
        super().__init__(message, service=service, permanent=True, outcome=Outcome.NOT_OFFERED)
        self.status = 404


class SpaceClient:
    def __init__(
        self, base_url: str, *, party: Party, waking: Waking | None = None, patient: bool = True
    ) -> None:
        """One that is not `patient` says at once that the service sleeps."""
        self._party, self._name = party, party.name
        self._waking = waking or Waking()
        self._patient = patient
        self._clients = LoopClients(base_url, timeout=_TIMEOUT, headers=party.headers)

    async def close(self) -> None:
        await self._clients.close()

    async def health(self) -> dict[str, Any]:
        return await self._get("/api/health")

    async def models(self) -> dict[str, Any]:
        return await self._get("/api/models")

    async def metrics(self) -> str:
        """Its measures, in Prometheus's text format."""
        answer = await self._status("/api/metrics")
        self._check_status("ml", answer, "/api/metrics")
        return answer.body.decode(errors="replace")

    async def transcribe(self, pcm: bytes, *, rate: int, language: str, model: str = "") -> Transcript:
        if model:
            raise no_choice(self._name, "stt")
        body = {"audio_base64": _encoded(pcm, rate), "language": language}
        seconds = len(pcm) / 2 / rate
        answer, timing = await self._post("stt", "/api/stt", body, "text", patience(seconds))
        try:
            _sane_seconds(answer.get("duration"))
            segments = _segments(answer.get("segments"), seconds)
            confidence = _share(answer.get("confidence") or 0.0)
        except _MALFORMED as error:
            quoted = self._party.quote(str(answer))
            raise EngineError(
                f"{self._name} sent a transcript that is none ({self._party.quote(str(error))}): {quoted}",
                service="stt",
                outcome=Outcome.WRONG_FIELDS,
            ) from error
        return Transcript(
            text=answer["text"].strip(),
            language=str(answer.get("language") or language),
            confidence=confidence,
            duration_seconds=seconds,
            segments=segments,
            engine=self._name,
            timing=timing,
        )

    async def speak(self, text: str, *, rate: int, voice: str, speed: float, model: str = "") -> SpeechChunk:
        if model:
            raise no_choice(self._name, "tts")
        body = {"text": text, "voice": voice, "speed": speed}
        answer, timing = await self._post("tts", "/api/tts", body, "audio_base64")
        pcm, made_at = self._sound(answer)
        return SpeechChunk(audio.resample(pcm, made_at, rate), rate, timing, engine=self._name)

    async def detect(self, pcm: bytes, *, rate: int, threshold: float = 0.5) -> tuple[Segment, ...]:
        """Where somebody speaks."""
        body = {"audio_base64": _encoded(pcm, rate), "threshold": threshold}
        seconds = len(pcm) / 2 / rate
        answer, _ = await self._post("vad", "/api/vad", body, seconds=patience(seconds))
        try:
            if not isinstance(answer.get("segments"), list):
                raise ValueError("no segments")
            return _segments(answer["segments"], seconds)
        except _MALFORMED as error:
            quoted = self._party.quote(str(answer))
            raise EngineError(
                f"{self._name} sent segments that are none ({self._party.quote(str(error))}): {quoted}",
                service="vad",
                outcome=Outcome.WRONG_FIELDS,
            ) from error

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
        return ChatDelta(answer["response"], timing, engine=self._name, used=_tokens(answer.get("tokens")))

    # ---- asking -----------------------------------------------------------------------------

    async def _get(self, path: str) -> dict[str, Any]:
        return self._checked("ml", await self._status(path), path)

    async def _status(self, path: str) -> Answer:
        return await fetch(
            self._clients.get(), "GET", path, party=self._party, kind="ml", seconds=_STATUS_SECONDS
        )

    async def _post(
        self, kind: str, path: str, body: dict[str, Any], field: str = "", seconds: float = 0.0
    ) -> tuple[dict[str, Any], Timing]:
        """The answer, which has `field` and may take `seconds` where that is more than all may, and how long
        it took, waking up apart."""
        attempts = self._waking.ask(path, patient=self._patient, seconds=seconds)
        while True:
            slept = attempts.waited()
            try:
                answer = await fetch(
                    self._clients.get(),
                    "POST",
                    path,
                    party=self._party,
                    kind=kind,
                    seconds=attempts.left(),
                    timeout=attempts.timeout(),
                    json=body,
                )
                told = self._checked(kind, answer, path, field, sent=body)
            except EngineError as error:
                await attempts.after(error)
                continue
            attempts.answered()
            return told, Timing(
                queue_seconds=slept + _seconds_or(0.0, told.get("queue_seconds")),
                compute_seconds=_seconds_or(attempts.waited() - slept, told.get("compute_seconds")),
            )

    # ---- checking ---------------------------------------------------------------------------

    def _check_status(self, kind: str, answer: Answer, path: str, sent: dict[str, Any] | None = None) -> None:
        if answer.status == 404:
            raise not_offered(self._party, path, kind, answer)
        if answer.status == 422 and (wanted := _wants_other_fields(answer, sent or {})):
            asked = f"{path} as it is asked here"
            wanted = self._party.quote(wanted)
            raise NotOffered(
                f"{self._name} does not offer {asked}: it wants {wanted}, which a call does not have",
                service=kind,
            )
        if not 200 <= answer.status < 300:
            raise status_error(answer, self._party, kind)

    def _checked(
        self, kind: str, answer: Answer, path: str, field: str = "", sent: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        self._check_status(kind, answer, path, sent)
        told = self._json(kind, answer, path)
        if not isinstance(told, dict) or (field and not isinstance(told.get(field), str)):
            self._wrong(kind, f"no {field or 'fields'} for {path}", answer, Outcome.WRONG_FIELDS)
        return told

    def _json(self, kind: str, answer: Answer, path: str) -> Any:
        if answer.is_page:
            raise page_error(answer, self._party, kind)
        try:
            return json.loads(answer.body, parse_constant=_refuse_constant)
        except json.JSONDecodeError as error:
            cut = answer.body.lstrip()[:1] in (b"{", b"[") and (
                error.msg.startswith("Unterminated") or error.pos >= len(error.doc.rstrip())
            )
            if cut:
                self._wrong(kind, f"half an answer for {path}", answer, Outcome.CUT_SHORT)
            self._wrong(kind, f"no JSON for {path}", answer, Outcome.NOT_JSON)
        except UnicodeDecodeError:
            self._wrong(kind, f"no JSON for {path}", answer, Outcome.NOT_JSON)
        except ValueError as error:
            self._wrong(kind, f"{error}, which is no number, for {path}", answer, Outcome.WRONG_FIELDS)

    def _wrong(self, kind: str, what: str, answer: Answer, outcome: Outcome) -> NoReturn:
        quoted = self._party.quote(answer.body)
        raise EngineError(f"{self._name} sent {what}: {quoted}", service=kind, outcome=outcome)

    def _sound(self, answer: dict[str, Any]) -> tuple[bytes, int]:
        """(pcm, rate) of an answer's WAV."""
        encoded = answer["audio_base64"]
        try:
            wav = base64.b64decode(encoded, validate=True)
        except binascii.Error as error:
            cut = "padding" in str(error) or len(encoded) % 4
            raise EngineError(
                f"{self._name} sent sound that is no WAV: {error}",
                service="tts",
                outcome=Outcome.CUT_SHORT if cut else Outcome.WRONG_SOUND,
            ) from error
        pcm, rate = sound_of(wav, self._party)
        try:
            _same_length(len(pcm) / 2 / rate, answer.get("duration"), rate)
        except (ValueError, TypeError) as error:
            raise EngineError(
                f"{self._name} sent sound that is no WAV to be played: {self._party.quote(str(error))}",
                service="tts",
                outcome=Outcome.WRONG_SOUND,
            ) from error
        return pcm, rate


def not_offered(party: Party, path: str, kind: str, answer: Answer | None = None) -> NotOffered:
    """A hub hides a private Space behind a page that says 404."""
    private = ""
    if answer and answer.is_page and party.token_setting:
        private = f". A private Space answers so to who may not see it: check {party.token_setting}"
    return NotOffered(f"{party.name} does not offer {path}{private}", service=kind)


def _encoded(pcm: bytes, rate: int) -> str:
    return base64.b64encode(audio.resample(pcm, rate, _SPACE_RATE)).decode()


def _wants_other_fields(answer: Answer, sent: dict[str, Any]) -> str:
    """What FastAPI says is missing of a form that is not ours: such a call takes something else."""
    problems = answer.fields().get("detail")
    missing = [
        str(problem["loc"][-1])
        for problem in (problems if isinstance(problems, list) else ())
        if isinstance(problem, dict) and "missing" in str(problem.get("type")) and problem.get("loc")
    ]
    return ", ".join(name for name in missing if name not in sent)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _sane_seconds(value: Any) -> float | None:
    """A length that was told, None if it was not; ValueError for one that cannot be."""
    if value is None:
        return None
    seconds = float(value)
    if not 0 <= seconds <= audio.LONGEST_SECONDS:
        raise ValueError(f"a length of {value} s")
    return seconds


def _same_length(seconds: float, told: Any, rate: int) -> None:
    if not seconds:
        raise ValueError("it holds no sound")
    said = _sane_seconds(told)
    if said is not None and abs(said - seconds) > _LENGTH_SHARE * seconds + _LENGTH_SECONDS:
        raise ValueError(f"at its rate of {rate} Hz it lasts {seconds:.2f} s, and {said:.2f} s are told")


def _share(value: Any) -> float:
    share = float(value)
    if not 0 <= share <= 1:
        raise ValueError(f"a confidence of {value}")
    return share


def _segments(items: Any, seconds: float) -> tuple[Segment, ...]:
    """Of a recording of so many seconds; the last may have no end."""
    found = []
    for item in items or ():
        start = float(item["start"])
        end = seconds if item["end"] is None else float(item["end"])
        if not 0 <= start <= end <= seconds + _PADDED_SECONDS:
            raise ValueError(f"a segment from {start} to {end} s in {seconds:.1f} s")
        confidence = _share(1.0 if item.get("confidence") is None else item["confidence"])
        found.append(Segment(start, min(end, seconds), str(item.get("text") or ""), confidence))
    return tuple(found)


def _tokens(told: Any) -> TokensUsed | None:
    """None where a service tells nothing, or nonsense: then its tokens are estimated."""
    is_count = isinstance(told, int) and not isinstance(told, bool) and told > 0
    return TokensUsed(None, told) if is_count else None


def _seconds_or(measured: float, told: Any) -> float:
    """What a service says of its own times, if it is a number, else what was measured."""
    if isinstance(told, int | float) and told and math.isfinite(told) and told > 0:
        return float(told)
    return measured
