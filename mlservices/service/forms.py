"""What the service's HTTP face takes, checked field by field."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field

from .. import audio
from ..types import Timing

_SPACE_RATE = 16000  # of raw pcm in `audio_base64`


def _decodable(value: str) -> str:
    """Whether this is base64 of a WAV or of whole 16-bit samples; ValueError says what is wrong."""
    decode_audio(value)
    return value


def decode_audio(value: str) -> tuple[bytes, int]:
    """(pcm, rate) of base64 of a WAV file or of raw s16le mono at 16 kHz."""
    try:
        data = base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ValueError("not valid base64") from error
    if data[:4] == b"RIFF":
        return audio.read_wav(data)
    if len(data) % 2:
        raise ValueError("an odd number of bytes is not 16-bit PCM")
    if not data:
        raise ValueError("empty")
    return data, _SPACE_RATE


AudioBase64 = Annotated[
    str,
    Field(description="Base64 of a WAV file, or of raw PCM: 16 bit little-endian, mono, 16 kHz."),
    AfterValidator(_decodable),
]
Text = Annotated[str, Field(min_length=1, max_length=5000)]
Speed = Annotated[float, Field(ge=0.5, le=2.0)]
Rate = Annotated[int, Field(ge=8000, le=48000)]


class SpeakForm(BaseModel):
    text: Text
    voice: str = "default"
    speed: Speed = 1.0


class TranscribeForm(BaseModel):
    audio_base64: AudioBase64
    language: str = Field("auto", max_length=16)


class DetectForm(BaseModel):
    audio_base64: AudioBase64
    threshold: float = Field(0.5, ge=0.05, le=0.95)


class ChatForm(BaseModel):
    session_id: str = Field(min_length=1, max_length=200)
    message: Text
    mode: str = Field("assistant", max_length=40)
    system_prompt: str = Field("", max_length=20000)


class StreamSpeakForm(BaseModel):
    text: Text
    rate: Rate
    voice: str = "default"
    speed: Speed = 1.0


class StreamMessage(BaseModel):
    role: Literal["system", "user", "assistant"]
    content: str = Field(max_length=20000)


class StreamChatForm(BaseModel):
    messages: list[StreamMessage] = Field(min_length=1, max_length=200)
    max_tokens: int = Field(150, ge=1, le=2000)
    temperature: float = Field(0.7, ge=0.0, le=2.0)


class StreamEmbedForm(BaseModel):
    texts: list[str] = Field(max_length=2000)


class SpokenAnswer(BaseModel):
    audio_base64: str
    duration: float
    queue_seconds: float
    compute_seconds: float


class HeardSegment(BaseModel):
    start: float
    end: float
    text: str = ""
    confidence: float


class TranscribedAnswer(BaseModel):
    text: str
    language: str
    confidence: float
    duration: float
    segments: list[HeardSegment]
    queue_seconds: float
    compute_seconds: float


class DetectedAnswer(BaseModel):
    segments: list[HeardSegment]
    queue_seconds: float
    compute_seconds: float


class ChatAnswer(BaseModel):
    response: str
    session_id: str
    mode: str
    processing_time: float
    context_size: int
    tokens: int
    queue_seconds: float
    compute_seconds: float


def encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def times(timing: Timing) -> dict[str, float]:
    return {"queue_seconds": timing.queue_seconds, "compute_seconds": timing.compute_seconds}
