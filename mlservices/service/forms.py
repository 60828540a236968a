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
from ..types import Timing
from .deployment import FIRST_PIECE_SECONDS

SPACE_RATE = 16000  # of raw pcm in `audio_base64`, and of what becomes of it
_DECODED_AT_ONCE = 1 << 18  # characters
_FOREIGN = {b"ID3": "MP3", b"fLaC": "FLAC", b"OggS": "Ogg", b"\x1aE\xdf\xa3": "WebM", b"RF64": "RF64"}
_LONGEST_CONVERSATION = 300_000  # characters; escaped as JSON they still fit into one line of `wire.py`


def field_error(field: str, message: str) -> RequestValidationError:
    """A 400 that names the field."""
    return RequestValidationError([{"loc": ("body", field), "msg": message, "type": "value_error"}])


def faults(errors: Iterable[Any]) -> dict[str, str]:
    """What pydantic, or FastAPI, finds wrong with each field of a body."""
    return {
        ".".join(str(part) for part in each["loc"] if part != "body") or "body": each["msg"].removeprefix(
            "Value error, "
        )
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
    if data[:4] == b"RIFF":
        return audio.resample(*audio.read_wav(data), SPACE_RATE)
    if not data:
        raise ValueError("empty")
    if kind := next((kind for sign, kind in _FOREIGN.items() if data.startswith(sign)), ""):
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
    if sum(map(len, texts)) > _LONGEST_CONVERSATION:
        raise ValueError(f"together longer than {_LONGEST_CONVERSATION} characters")


def _without_null(text: str) -> str:
    if "\0" in text:
        raise ValueError("a null character cannot be spoken")
    return text


AudioBase64 = Annotated[
    str, Field(description="Base64 of a WAV file, or of raw PCM: 16 bit little-endian, mono, 16 kHz.")
]
Text = Annotated[str, Field(min_length=1, max_length=5000), AfterValidator(_without_null)]
Voice = Annotated[str, Field(max_length=100, description='"default", or the id of the voice in /api/models.')]
Speed = Annotated[float, Field(ge=0.5, le=2.0)]
ModelId = Annotated[str, Field(max_length=100, description='"": the one that is configured for this.')]
Priority = Literal["live", "batch"]
Mode = Literal["assistant"]  # of a session of chat: there is no other
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
    threshold: float = Field(0.5, ge=0.05, le=0.95)


class ChatForm(Asked):
    priority: Priority = "batch"
    session_id: str = Field(min_length=1, max_length=200)
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
    texts: list[str] = Field(max_length=2000)

    @field_validator("texts")
    @classmethod
    def fit(cls, texts: list[str]) -> list[str]:
        _together(texts)
        return texts


class StreamTokensForm(Asked):
    texts: list[str] = Field(max_length=10)

    @field_validator("texts")
    @classmethod
    def fit(cls, texts: list[str]) -> list[str]:
        _together(texts)
        return texts


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


def encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def times(timing: Timing) -> dict[str, float]:
    return {"queue_seconds": timing.queue_seconds, "compute_seconds": timing.compute_seconds}
