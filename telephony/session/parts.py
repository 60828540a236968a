"""What a call session is made of, and what it comes to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from mlservices.interfaces import SpeechToText, TextToSpeech, TurnJudge, VoiceDetector

from .events import EndReason


@dataclass(frozen=True, slots=True)
class SessionSettings:
    language: str
    voice: str
    speaking_rate: float
    eagerness: float
    interruptible: bool
    silence_seconds: float
    max_call_seconds: float
    fallback_number: str
    held_by: str = ""  # who has the call from its first moment, in place of the agent
    goodbye_text: str = ""  # what the prompt "goodbye" says, where it is not the general one


@dataclass(frozen=True, slots=True)
class Engines:
    stt: SpeechToText
    tts: TextToSpeech
    judge: TurnJudge | None
    detector: VoiceDetector


@dataclass(frozen=True, slots=True)
class Ending:
    reason: EndReason
    transfer_to: str = ""
    at: datetime = field(default_factory=lambda: datetime.now(UTC), compare=False)
