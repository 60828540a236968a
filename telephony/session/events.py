"""Every happening of a call, one frozen dataclass each: past tense, no behaviour, units in names.

An event's `kind` (its name in snake case) and its fields are what is stored in `CallEvent`, sent to
watchers and read back for replay. `at_seconds` is the media clock: seconds of the caller's sound
heard when it happened, the same clock on which the recording is laid out.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    at_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRinging(Event):
    """The provider asked what to do with a call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAnswered(Event):
    """The media socket is open and the session runs."""

    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderStatusReceived(Event):
    """The provider told a state of the call; it may be late or out of order and change nothing."""

    status: str
    applied: bool
    detail: str = ""  # in the provider's words, like "404 Not Found"


AgentState = Literal["listening", "thinking", "speaking"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentStateChanged(Event):
    state: AgentState


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerStartedSpeaking(Event):
    over_agent: bool  # the agent was speaking: its sound was stopped at once


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerWordsGuessed(Event):
    """Words of a turn that may not be over yet; replaced by the next guess or by `CallerSaid`."""

    turn: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerSaid(Event):
    """A whole turn of the caller."""

    turn: int
    text: str
    start_seconds: float
    end_seconds: float
    confidence: float
    language: str
    engine: str = ""  # that heard it
    degraded: bool = False  # it was not the first choice, here and below


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerSaidNothing(Event):
    """Sound without words (a cough, "mm-hm", noise); what the agent was saying goes on."""

    start_seconds: float
    end_seconds: float
    text: str  # empty, or the backchannel that was heard
    agent_resumed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DigitsPressed(Event):
    digits: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSaid(Event):
    """A sentence whose sound has begun to go to the line. `by` is the operator whose words it speaks."""

    turn: int
    text: str
    sentence: int
    by: str = ""
    engine: str = ""  # that speaks it; "" for what was recorded beforehand
    degraded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentHeard(Event):
    """The end of what the agent had to say in this turn: the part that reached the caller."""

    turn: int
    text: str
    interrupted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StepNoted(Event):
    """A note of the conversation: an intent matched, a variable filled, a tool called."""

    note: str
    name: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageTaken(Event):
    """The caller left a message; `agents.flow.steps.KeepMessage` tells its fields."""

    name: str
    number: str
    number_confirmed: bool
    words: str
    complete: bool
    confirmed: bool = True
    ordinal: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class WordsForgotten(Event):
    """The flow has come to an end that keeps no transcript: once the call is over, no event tells what was
    said in it, before this or after."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorListened(Event):
    """An operator began, or ceased, to hear the call; the caller does not notice."""

    by: str
    listens: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorWhispered(Event):
    """A direction to the agent, which the caller does not hear; `followed` unless it could not be."""

    by: str
    text: str
    followed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorTookOver(Event):
    """From here on the operator's microphone, in this window of theirs, is what the caller hears."""

    by: str
    window: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorSaid(Event):
    """Words of the operator who has the call, as speech recognition heard them."""

    by: str
    text: str
    start_seconds: float
    end_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorGaveBack(Event):
    """The agent has the call again; `lost` if the operator's sound stayed away. `note` is for the agent."""

    by: str
    note: str
    lost: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SilencePrompted(Event):
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnMeasured(Event):
    """Where the time between the caller's last word and the agent's first sound went.

    The stages follow one another and sum up to `voice_to_voice_seconds`; the queue times are the
    parts of `words_seconds`, `text_seconds` and `audio_seconds` spent waiting for a free worker.
    """

    turn: int
    voice_to_voice_seconds: float
    endpointing_seconds: float  # end of speech -> turn decided
    words_seconds: float  # turn decided -> words known (STT begun early makes it short)
    text_seconds: float  # words known -> first sentence of the reply
    audio_seconds: float  # first sentence -> first sound sent to the line
    stt_queue_seconds: float = 0.0
    stt_compute_seconds: float = 0.0
    llm_queue_seconds: float = 0.0
    tts_queue_seconds: float = 0.0
    tts_compute_seconds: float = 0.0
    heard_seconds: float | None = None  # first sound sent -> played, where the line tells
    stt_engine: str = ""  # who heard, worded and spoke; "" where nobody did, or it is not told
    llm_engine: str = ""
    tts_engine: str = ""
    degraded: list[Literal["stt", "llm", "tts"]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFailed(Event):
    """An engine failed or was too slow, and what the session did about it."""

    engine: Literal["stt", "tts", "llm", "conversation"]
    error: str
    remedy: Literal["retried", "apologised", "gave_up", "left_out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FramesDropped(Event):
    """Frames of 20 ms that came too fast: the caller's were not searched for speech, the agent's not sent."""

    leg: Literal["caller", "agent"]
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferStarted(Event):
    number: str
    reason: Literal["agent", "engine_failure", "operator", "peer"]
    by: str = ""  # the operator who asked for it


TransferStatus = Literal["completed", "answered", "busy", "no-answer", "failed", "canceled", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferEnded(Event):
    """What came of putting the caller through, after our own part in the call: "completed" once they have
    spoken for `seconds`, "answered" where nobody tells more, "refused" where we may not call it."""

    status: TransferStatus
    seconds: float = 0.0


FeedbackCategory = Literal["stt_accuracy", "tts_quality", "latency", "overall"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackGiven(Event):
    """Whoever speaks with the agent, by a program of theirs, says how well it does: `score` 1 (bad) to 5."""

    category: FeedbackCategory
    score: int
    comment: str = ""


EndReason = Literal[
    "caller_hung_up",
    "agent_hung_up",
    "operator_hung_up",
    "transferred",
    "silence",
    "max_duration",
    "engine_failure",
    "line_lost",
    "server_restarted",
    "never_connected",
    "spoken_elsewhere",
    "not_placed",
    "machine",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded(Event):
    reason: EndReason
    duration_seconds: float
    by: str = ""  # the operator who ended it


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingSaved(Event):
    duration_seconds: float
    bytes: int
    by: str = ""  # the provider that made it; "" for our own


KINDS: dict[str, type[Event]] = {
    re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower(): cls for cls in Event.__subclasses__()
}
_KIND_OF = {cls: kind for kind, cls in KINDS.items()}


def kind_of(event: Event) -> str:
    return _KIND_OF[type(event)]


def payload_of(event: Event) -> dict[str, Any]:
    """The fields that are the event's own, ready for JSON; `at_seconds` has a column of its own."""
    payload = asdict(event)
    del payload["at_seconds"]
    return payload


def event_from(kind: str, at_seconds: float, payload: dict[str, Any]) -> Event:
    """The reverse of `kind_of` and `payload_of`. Raises KeyError or TypeError on a foreign event."""
    return KINDS[kind](at_seconds=at_seconds, **payload)
