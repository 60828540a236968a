"""What the service's HTTP face takes, checked field by field."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, BaseModel, Field, field_validator

from .. import audio
from ..faults import remedy
from ..fields import Mode, SessionId, Speed, Text, Threshold
from ..types import Timing
from ..wire import LONGEST_TEXTS
from .deployment import FIRST_PIECE_SECONDS

SPACE_RATE = 16000  # of raw pcm in `audio_base64`, and of what becomes of it
_DECODED_AT_ONCE = 1 << 18  # characters
_LONGEST_CONVERSATION = 300_000  # characters; escaped as JSON they still fit into one line of `wire.py`
_ENCODED_AT_ONCE = 3 << 16  # bytes: a multiple of three, so that the pieces fit together


def field_error(field: str, message: str) -> RequestValidationError:
    """A 400 that names the field."""
    return RequestValidationError([{"loc": ("body", field), "msg": message, "type": "value_error"}])


def faults(errors: Iterable[Any]) -> dict[str, str]:
    """What pydantic, or FastAPI, finds wrong with each field of a body."""
    return {
        ".".join(str(part) for part in each["loc"] if part != "body") or "body": remedy(each)
        for each in errors
    }


async def sound(audio_base64: str) -> bytes:
    """pcm at SPACE_RATE out of an `audio_base64`; RequestValidationError, hence a 400 that names the field.

    Made in a thread: minutes of sound take long enough to be heard in every call that is served meanwhile.
    """
    try:
        return await asyncio.to_thread(_sound, audio_base64)
    except ValueError as error:
        raise field_error("audio_base64", str(error)) from error


def _sound(audio_base64: str) -> bytes:
    """Of a WAV file, or of raw s16le mono at SPACE_RATE."""
    data = _bytes(audio_base64)
    if not data:
        raise ValueError("empty")
    kind = audio.file_kind(data)
    if kind == "WAV":
        return audio.resample(*audio.read_sent(data), SPACE_RATE)
    if kind:
        raise ValueError(f"{kind} is not taken: send a WAV, or raw PCM")
    if len(data) % 2:
        raise ValueError("an odd number of bytes is not 16-bit PCM")
    return data


def _bytes(encoded: str) -> bytes:
    """In pieces, since decoding one lets no other thread run."""
    try:
        if "=" in encoded[:-2]:
            raise ValueError("padding in the middle")
        return b"".join(
            binascii.a2b_base64(encoded[start : start + _DECODED_AT_ONCE], strict_mode=True)
            for start in range(0, len(encoded), _DECODED_AT_ONCE)
        )
    except ValueError as error:
        raise ValueError("not valid base64") from error


def _together(texts: Iterable[str]) -> None:
    """ValueError when they are longer together than a worker can be sent."""
    if sum(map(len, texts)) > LONGEST_TEXTS:
        raise ValueError(f"together longer than {LONGEST_TEXTS} characters")


def _fitting(texts: list[str]) -> list[str]:
    _together(texts)
    return texts


AudioBase64 = Annotated[
    str, Field(description="Base64 of a WAV file, or of raw PCM: 16 bit little-endian, mono, 16 kHz.")
]
Texts = Annotated[list[str], AfterValidator(_fitting)]
Voice = Annotated[str, Field(max_length=100, description='"default", or the id of the voice in /api/models.')]
ModelId = Annotated[str, Field(max_length=100, description='"": the one that is configured for this.')]
Priority = Literal["live", "batch"]
Within = Annotated[float, Field(ge=0.1, le=600, description="Seconds until the answer has to begin.")]
Language = Annotated[str, Field(max_length=16, description='"": the voice\'s own.')]
ToolName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
Rate = Annotated[int, Field(ge=audio.RATES[0], le=audio.RATES[1])]


class Asked(BaseModel):
    """What every request may say of how it is served."""

    model: ModelId = ""
    priority: Priority = "live"
    within_seconds: Within = FIRST_PIECE_SECONDS

    def params(self) -> dict[str, Any]:
        """What the worker is told: everything else."""
        return self.model_dump(exclude=set(Asked.model_fields))


class SpeakForm(Asked):
    priority: Priority = "batch"
    text: Text
    voice: Voice = "default"
    language: Language = ""
    speed: Speed = 1.0


class TranscribeForm(Asked):
    priority: Priority = "batch"
    audio_base64: AudioBase64
    language: str = Field("auto", max_length=16)


class DetectForm(Asked):
    priority: Priority = "batch"
    audio_base64: AudioBase64
    threshold: Threshold = 0.5


class ChatForm(Asked):
    priority: Priority = "batch"
    session_id: SessionId
    message: Text
    mode: Mode = "assistant"
    system_prompt: str = Field("", max_length=20000)


class StreamSpeakForm(Asked):
    text: Text
    rate: Rate
    voice: Voice = "default"
    language: Language = ""
    speed: Speed = 1.0


class StreamToolCall(BaseModel):
    id: str = Field(max_length=200)
    name: ToolName
    arguments: dict[str, Any]


class StreamMessage(BaseModel):
    role: Literal["system", "user", "assistant", "tool"]
    content: str = Field(max_length=20000)
    tool_calls: list[StreamToolCall] = Field([], max_length=20)
    tool_call_id: str = Field("", max_length=200)


class StreamTool(BaseModel):
    name: ToolName
    description: str = Field("", max_length=2000)
    parameters: dict[str, Any] = Field(description="JSON schema of the arguments, an object.")


class StreamChatForm(Asked):
    messages: list[StreamMessage] = Field(min_length=1, max_length=200)
    max_tokens: int = Field(150, ge=1, le=2000)
    temperature: float = Field(0.7, ge=0.0, le=2.0)
    tools: list[StreamTool] = Field([], max_length=50)

    @field_validator("messages")
    @classmethod
    def fit(cls, messages: list[StreamMessage]) -> list[StreamMessage]:
        calls = (call for message in messages for call in message.tool_calls)
        _together([*(message.content for message in messages), *(json.dumps(c.arguments) for c in calls)])
        return messages

    @field_validator("tools")
    @classmethod
    def fit_tools(cls, tools: list[StreamTool]) -> list[StreamTool]:
        _together(tool.model_dump_json() for tool in tools)
        return tools


class StreamEmbedForm(Asked):
    texts: Texts = Field(max_length=2000)


class StreamTokensForm(Asked):
    texts: Texts = Field(max_length=10)


class StreamTranscribeQuery(Asked):
    rate: Rate
    language: str = Field("en", max_length=16)


class StreamJudgeQuery(Asked):
    rate: Rate


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


async def json_of_sound(pcm: bytes, rate: int, fields: dict[str, Any]) -> bytes:
    """`fields` as JSON, and the sound as a WAV in an `audio_base64` among them; made in a thread."""
    return await asyncio.to_thread(_json_of_sound, pcm, rate, fields)


def _json_of_sound(pcm: bytes, rate: int, fields: dict[str, Any]) -> bytes:
    """In pieces, since encoding one lets no other thread run."""
    wav = audio.wav_bytes(pcm, rate)
    encoded = (
        base64.b64encode(wav[start : start + _ENCODED_AT_ONCE])
        for start in range(0, len(wav), _ENCODED_AT_ONCE)
    )
    return b"".join([b'{"audio_base64":"', *encoded, b'",', json.dumps(fields).encode()[1:]])


def times(timing: Timing) -> dict[str, float]:
    return {"queue_seconds": timing.queue_seconds, "compute_seconds": timing.compute_seconds}
