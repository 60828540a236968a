"""The words that engines, clients and calls share about sound and text.

Sound is always mono; a `pcm` is s16le bytes, and its rate in Hz stands beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Timing:
    """Where the time of one request went, in seconds."""

    queue_seconds: float = 0.0  # waiting for a worker to be free
    compute_seconds: float = 0.0  # from a worker taking it to this answer (or first chunk)


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of one recording, seconds from its start; `text` is empty for voice activity."""

    start: float
    end: float
    text: str = ""
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Transcript:
    text: str
    language: str
    confidence: float  # 0..1
    duration_seconds: float  # of the audio heard
    segments: tuple[Segment, ...] = ()
    engine: str = ""  # who answered, here and below
    timing: Timing = field(default_factory=Timing)
    degraded: bool = False  # it was not the first choice, here and below


@dataclass(frozen=True, slots=True)
class SpeechChunk:
    """The next piece of a spoken text, in order. The first piece's timing tells the time to first audio."""

    pcm: bytes
    rate: int
    timing: Timing = field(default_factory=Timing)
    engine: str = ""
    degraded: bool = False


@dataclass(frozen=True, slots=True)
class Tool:
    """What a language model may ask to be done."""

    name: str
    description: str
    parameters: dict[str, Any]  # the JSON schema of its arguments, an object


@dataclass(frozen=True, slots=True)
class ToolCall:
    """That a model asks for one. `id` ties the result to it."""

    id: str
    name: str
    arguments: dict[str, Any]


Priority = Literal["live", "batch"]
Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """An assistant's message may hold calls; each is followed by a "tool" message with its result."""

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""  # of a "tool" message: the call that it answers


@dataclass(frozen=True, slots=True)
class TokensUsed:
    """By one request, as the server counted them; a Space counts its answers alone."""

    prompt: int | None
    answer: int


@dataclass(frozen=True, slots=True)
class ChatDelta:
    """The next piece of a model's answer: words, or a whole tool call.

    The first piece's timing tells the time to first token; the last may hold no more than what was `used`.
    """

    text: str
    timing: Timing = field(default_factory=Timing)
    engine: str = ""
    degraded: bool = False
    tool_call: ToolCall | None = None
    used: TokensUsed | None = None  # by the whole answer, where the server counts its tokens
    is_cut: bool = False  # the answer was longer than it was allowed to be; told behind its words


@dataclass(frozen=True, slots=True)
class TokenCount:
    """How long texts are for a model; `limit` is the longest system prompt, 0 where none is known."""

    counts: tuple[int, ...]
    limit: int
    model: str


@dataclass(frozen=True, slots=True)
class TurnVerdict:
    """How probable it is (0..1) that a speaker who has paused is done."""

    completeness: float
    timing: Timing = field(default_factory=Timing)
