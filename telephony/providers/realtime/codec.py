"""The realtime API's socket: JSON both ways, sound as base64 in it."""

from __future__ import annotations

import binascii
import secrets
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import orjson
import pybase64
from pydantic import ValidationError

from mlservices.faults import remedy

from ...session.events import (
    AgentHeard,
    AgentSaid,
    AgentStateChanged,
    CallerSaid,
    CallerStartedSpeaking,
    CallerWordsGuessed,
    EngineFailed,
    Event,
    OperatorGaveBack,
    OperatorSaid,
    TurnMeasured,
)
from ..base import LONGEST_MESSAGE
from . import messages
from .messages import LONGEST_NAME, RATE, READ, ClientMessage, ServerMessage

_BYTES_A_MS = RATE * 2 // 1000


class Unreadable(Exception):
    """A message that is none: the error's `code`, the sender's name for it if there is one, its `fields`."""

    def __init__(
        self, code: str, message: str, about: str | None = None, fields: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.code, self.about, self.fields = code, about, fields


class RealtimeCodec:
    """An `Encoder` that counts what it sends, for `metrics` and `ended`. `now` is in seconds."""

    rate = RATE

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.speaks = True  # else there is no sound, and answers are read
        self.answers = True  # else nobody thinks
        self.received_bytes = self.received = self.dropped = 0
        self._now = now
        self._began = now()
        self._numbered = 0
        self._prefix = secrets.token_hex(6)
        self._turns = self._interruptions = 0
        self._sent_bytes = 0
        self._latencies: list[int] = []
        self._turn: messages.TurnLatency | None = None
        # of the answer that is being spoken
        self._sequence = 0
        self._spoken_bytes = 0
        self._first_at = self._last_at = 0.0
        # how late chunks are
        self._fastest: float | None = None
        self._late_ms: int | None = None

    # ---- what the client says ---------------------------------------------------------------

    def decode(self, message: str | bytes) -> ClientMessage:
        """Raises Unreadable."""
        if len(message) > LONGEST_MESSAGE:
            told = f"A message may have {LONGEST_MESSAGE // 1024} KB."
            raise Unreadable("too_large", told, name_of(message))
        try:
            content = orjson.loads(message)
        except orjson.JSONDecodeError:
            raise Unreadable("unreadable", "A message is a JSON object.") from None
        if not isinstance(content, dict):
            raise Unreadable("unreadable", "A message is a JSON object.")
        try:
            read: ClientMessage = READ.validate_python(content)
        except ValidationError as error:
            raise _invalid(error, content) from None
        return read

    def sound(self, chunk: messages.AudioChunk) -> bytes:
        """Raises Unreadable."""
        try:
            pcm = pybase64.b64decode(chunk.chunk, validate=True)
        except (binascii.Error, ValueError):
            pcm = b""
        if not pcm or len(pcm) % 2:
            why = "is to be base64 of whole samples of 16 bits"
            raise Unreadable("invalid", f"chunk: {why}", chunk.eventId, {"chunk": why})
        if chunk.timestamp is not None:
            self._note_delay(self._now() * 1000 - chunk.timestamp)
        return pcm

    def _note_delay(self, behind_ms: float) -> None:
        """The two clocks have nothing in common but their pace."""
        self._fastest = behind_ms if self._fastest is None else min(self._fastest, behind_ms)
        self._late_ms = round(behind_ms - self._fastest)

    # ---- what the line says (Encoder) -------------------------------------------------------

    def media(self, pcm: bytes) -> str:
        self._last_at = self._now()
        if not self._spoken_bytes:
            self._first_at = self._last_at
        self._sent_bytes += len(pcm)
        self._spoken_bytes += len(pcm)
        return self._chunk(pybase64.b64encode_as_string(pcm))

    def mark(self, name: str) -> str:
        return ""

    def clear(self) -> str:
        return self._chunk("", done=True, clear=True) if self._spoken_bytes else ""

    def keys(self, digits: str) -> str | None:
        return None

    def ended(self, reason: str, transfer_to: str) -> str:
        return self.encode(messages.Ended(reason=reason, stats=self._stats()))

    def _chunk(self, chunk: str, *, done: bool = False, clear: bool = False) -> str:
        sequence, self._sequence = self._sequence, self._sequence + 1
        return self.encode(messages.TtsChunk(chunk=chunk, sequence=sequence, done=done, clear=clear))

    # ---- what else is said ------------------------------------------------------------------

    def encode(self, message: ServerMessage) -> str:
        self._numbered += 1
        message.eventId = f"{self._prefix}-{self._numbered}"
        return message.model_dump_json()

    def ready(self, call_id: str) -> str:
        stamp = round(time.time() * 1000)
        return self.encode(messages.Ready(sessionId=call_id, serverTimestamp=stamp))

    def metrics(self) -> str:
        told = messages.Metrics(stats=self._stats(), latency=self._turn, jitter=self._late_ms)
        return self.encode(told)

    def error(
        self,
        code: str,
        message: str,
        *,
        recoverable: bool = True,
        about: str | None = None,
        fields: dict[str, str] | None = None,
    ) -> str:
        told = {"about": about, "fields": fields}
        return self.encode(messages.Error(code=code, message=message, recoverable=recoverable, **told))

    def happened(self, event: Event) -> list[str]:
        """What to say of a happening of the call."""
        match event:
            case CallerStartedSpeaking(over_agent=True):
                self._interruptions += 1
            case CallerWordsGuessed():
                return [self.encode(messages.SttPartial(text=event.text, turn=event.turn))]
            case CallerSaid():
                self._turns = event.turn
                return [self._final(event)] if event.end_seconds > event.start_seconds else []
            case AgentStateChanged(state="thinking") if self.answers:
                return [self.encode(messages.AgentThinking())]
            case AgentSaid():
                return [self.encode(messages.AgentReply(text=event.text, turn=event.turn, by=event.by))]
            case OperatorSaid():
                return [self.encode(messages.AgentReply(text=event.text, turn=None, by=event.by))]
            case TurnMeasured():
                self._measure(event)
                return [self.metrics()]
            case AgentHeard():
                return self._complete(event)
            case OperatorGaveBack() if self._spoken_bytes:  # whose sound came in between
                told = self._chunk("", done=True)
                self._sequence = self._spoken_bytes = 0
                return [told]
            case EngineFailed():
                return [self._failed(event)]
        return []

    def _final(self, event: CallerSaid) -> str:
        """Its sound came in at the call's own pace, so that the call's clock tells what it took since."""
        processing = _ms(event.at_seconds - event.end_seconds)
        latency = messages.HearingLatency(
            network=self._late_ms, processing=processing, total=processing + (self._late_ms or 0)
        )
        final = messages.SttFinal(
            text=event.text,
            confidence=event.confidence,
            language=event.language,
            duration=_ms(event.end_seconds - event.start_seconds),
            latency=latency,
            turn=event.turn,
        )
        return self.encode(final)

    def _measure(self, event: TurnMeasured) -> None:
        total = _ms(event.voice_to_voice_seconds)
        self._latencies.append(total)
        self._turn = messages.TurnLatency(
            turn=event.turn,
            endpointing=_ms(event.endpointing_seconds),
            words=_ms(event.words_seconds),
            text=_ms(event.text_seconds),
            audio=_ms(event.audio_seconds),
            total=total,
        )

    def _complete(self, event: AgentHeard) -> list[str]:
        if not self._spoken_bytes:
            self._sequence = 0
            return []
        measured = self._turn if self._turn and self._turn.turn == event.turn else None
        latency = messages.VoiceLatency(
            processing=measured.audio if measured else None,
            streaming=_ms(self._last_at - self._first_at),
            total=measured.total if measured else None,
        )
        complete = messages.TtsComplete(
            duration=self._spoken_bytes // _BYTES_A_MS,
            latency=latency,
            turn=event.turn,
            interrupted=event.interrupted,
            heard=event.text,
        )
        told = [self._chunk("", done=True), self.encode(complete)]
        self._sequence = self._spoken_bytes = 0
        return told

    def _failed(self, event: EngineFailed) -> str:
        given_up = event.remedy == "gave_up"
        return self.error("engine_failed", f"{event.engine}: {event.error}", recoverable=not given_up)

    def _stats(self) -> messages.Stats:
        return messages.Stats(
            duration=_ms(self._now() - self._began),
            turns=self._turns,
            interruptions=self._interruptions,
            audioReceived=self.received_bytes // _BYTES_A_MS,
            audioSent=self._sent_bytes // _BYTES_A_MS,
            messagesReceived=self.received,
            messagesDropped=self.dropped,
            latencyMedian=round(median(self._latencies)) if self._latencies else None,
        )


def _ms(seconds: float) -> int:
    return max(0, round(seconds * 1000))


def _invalid(error: ValidationError, content: dict[str, Any]) -> Unreadable:
    """What is wrong with each field, by its path within the message."""
    fields = {}
    for fault in error.errors(include_url=False, include_input=False):
        path = [str(part) for part in fault["loc"]]
        if path and path[0] == content.get("type"):  # pydantic's name for which of the messages it is
            path = path[1:]
        fields[".".join(path) or "type"] = _remedy(fault)
    told = "; ".join(f"{field}: {why}" for field, why in fields.items())
    return Unreadable("invalid", told[:1000], _name_in(content), fields)


def name_of(message: str | bytes) -> str | None:
    """The sender's name for what is not read any further, if it has one."""
    try:
        return _name_in(orjson.loads(message))
    except orjson.JSONDecodeError:
        return None


def _name_in(content: Any) -> str | None:
    name = content.get("eventId") if isinstance(content, dict) else None
    return name[:LONGEST_NAME] if isinstance(name, str) else None


def _remedy(fault: Any) -> str:
    if fault["type"] in ("union_tag_invalid", "union_tag_not_found"):
        return "Use one of init, audio_chunk, text_input, pause, resume, end, quality_feedback."
    return remedy(fault)
