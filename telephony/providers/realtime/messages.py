"""The messages of `/ws/realtime`, as they are checked, sent and described in /asyncapi.json.

Times are milliseconds, measured here; what is not known is null. Sound is PCM16LE mono at 16 kHz, in base64.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter

from mlservices.fields import Unbroken

RATE = 16000  # Hz, of the sound both ways
LONGEST_CHUNK_SECONDS = 0.5
LONGEST_CHUNK = int(LONGEST_CHUNK_SECONDS * RATE) * 2 * 4 // 3 + 4  # characters of base64
LONGEST_TEXT = 2000
LONGEST_PROMPT = 6000
LONGEST_COMMENT = 1000
LONGEST_NAME = 100  # characters of a message's eventId

Mode = Literal["voice", "text", "hybrid"]
AgentMode = Literal["echo", "assistant", "conversational", "custom"]
Category = Literal["stt_accuracy", "tts_quality", "latency", "overall"]
Millis = int | None


def _of_words(text: str) -> str:
    if not text.strip():
        raise ValueError("there are no words in it")
    return text


EventId = Annotated[
    str, Field(min_length=1, max_length=LONGEST_NAME, description="Your own name for the message")
]
Timestamp = Annotated[
    float, Field(ge=0, lt=1e15, allow_inf_nan=False, description="Of your own clock, in ms")
]


# ---- of the client ----------------------------------------------------------------------------------


class Config(BaseModel):
    """How the session is to be."""

    model_config = ConfigDict(extra="forbid", strict=True)

    mode: Mode = Field("voice", description="voice: sound both ways; text: words both ways; hybrid: both")
    sttEnabled: bool = Field(True, description="false: sound is refused")
    ttsEnabled: bool = Field(True, description="false: answers come as text alone")
    agentEnabled: bool = Field(True, description="false: what is said is written down, and nobody answers")
    agentMode: AgentMode = Field(
        "assistant",
        description="echo says back what it heard; assistant answers questions; conversational makes small "
        "talk; custom does what systemPrompt says",
    )
    systemPrompt: Annotated[str, Field(max_length=LONGEST_PROMPT), Unbroken] | None = Field(
        None, description="For the language model. Needed by custom, else said after the mode's own"
    )
    model: str | None = Field(
        None, max_length=100, description="A language model that is configured; the first one if left out"
    )
    voice: str | None = Field(
        None, max_length=80, description="Of GET /api/voices; the server's or the agent's own if left out"
    )
    language: str = Field(
        "en", pattern=r"^[A-Za-z][A-Za-z0-9-]{1,15}$", description="That is spoken and heard"
    )
    agent: str | None = Field(
        None,
        max_length=80,
        pattern=r"^[-a-zA-Z0-9_]+$",
        description="The address of an agent of this server, who answers as on the telephone",
    )


class _FromClient(BaseModel):
    model_config = ConfigDict(strict=True)

    eventId: EventId


class Init(_FromClient):
    """The first message, within 10 seconds."""

    type: Literal["init"]
    apiKey: str = Field("", max_length=100, description="Or in the header, as Authorization: Bearer KEY")
    config: Config = Config()


class AudioChunk(_FromClient):
    """20 ms of the speaker's sound, at the pace at which it is spoken."""

    type: Literal["audio_chunk"]
    chunk: str = Field(
        max_length=LONGEST_CHUNK,
        description="Base64 of PCM16LE mono at 16 kHz: 640 bytes are 20 ms, half a second is the most",
    )
    timestamp: Timestamp | None = None


class TextInput(_FromClient):
    """What is said, in writing."""

    type: Literal["text_input"]
    text: Annotated[str, Field(max_length=LONGEST_TEXT), Unbroken, AfterValidator(_of_words)]
    timestamp: Timestamp | None = None


class Pause(_FromClient):
    """The agent neither speaks nor listens until resume."""

    type: Literal["pause"]


class Resume(_FromClient):
    """It goes on where it was."""

    type: Literal["resume"]


class End(_FromClient):
    """Hang up."""

    type: Literal["end"]


class QualityFeedback(_FromClient):
    """How well it does; kept with the call."""

    type: Literal["quality_feedback"]
    category: Category
    score: int = Field(ge=1, le=5)
    comment: Annotated[str, Field(max_length=LONGEST_COMMENT), Unbroken] | None = None


FROM_CLIENT = (Init, AudioChunk, TextInput, Pause, Resume, End, QualityFeedback)
ClientMessage = Init | AudioChunk | TextInput | Pause | Resume | End | QualityFeedback
READ: TypeAdapter[Any] = TypeAdapter(Annotated[ClientMessage, Field(discriminator="type")])


# ---- of the server ----------------------------------------------------------------------------------


class _FromServer(BaseModel):
    eventId: str = Field("", description="Of this message alone")


class Audio(BaseModel):
    encoding: Literal["pcm_s16le"] = "pcm_s16le"
    rate: int = RATE
    channels: int = 1


class Ready(_FromServer):
    """The session runs: speak."""

    type: Literal["ready"] = "ready"
    sessionId: str = Field(description="The call's id, as in /ws/calls/ID and on its page")
    serverTimestamp: int = Field(description="ms since 1970")
    audio: Audio = Field(Audio(), description="Of audio_chunk and tts_chunk alike")


class SttPartial(_FromServer):
    """What the speaker may be saying; the next partial or final takes its place."""

    type: Literal["stt_partial"] = "stt_partial"
    text: str
    turn: int


class HearingLatency(BaseModel):
    capture: Millis = Field(None, description="Between microphone and socket: only you can know it")
    network: Millis = Field(
        None,
        description="By how much the last chunk came later than the fastest so far, by your timestamps",
    )
    processing: Millis = Field(None, description="From the last sound of the turn, as it came, to its words")
    total: Millis = Field(None, description="What of these is known, together")


class SttFinal(_FromServer):
    """A whole turn of the speaker."""

    type: Literal["stt_final"] = "stt_final"
    text: str
    confidence: float = Field(ge=0, le=1)
    language: str
    duration: int = Field(description="ms of sound, from its first to its last")
    latency: HearingLatency
    turn: int


class AgentThinking(_FromServer):
    """The turn is over; an answer is on its way."""

    type: Literal["agent_thinking"] = "agent_thinking"


class AgentReply(_FromServer):
    """The next sentence of the answer, as its sound begins."""

    type: Literal["agent_reply"] = "agent_reply"
    text: str
    turn: int | None = Field(
        description="Whose answer it is: 0 is the greeting; null for a person's own words"
    )
    by: str = Field("", description="The operator whose words these are")


class TtsChunk(_FromServer):
    """The next piece of the agent's sound. It comes faster than it is to be played: keep it in order."""

    type: Literal["tts_chunk"] = "tts_chunk"
    chunk: str = Field(description="Base64 of PCM16LE mono at 16 kHz; empty in the last one")
    sequence: int = Field(description="From 0 in each answer")
    done: bool = Field(description="No more of it comes")
    clear: bool = Field(
        False,
        description="Drop what you have not played: the agent has fallen silent for the speaker. Where no "
        "words follow, it goes on, with chunks that follow in sequence",
    )


class VoiceLatency(BaseModel):
    processing: Millis = Field(None, description="From the first sentence to its first sound")
    streaming: Millis = Field(None, description="From the first chunk sent to the last")
    total: Millis = Field(None, description="From the speaker's last sound to the agent's first")


class TtsComplete(_FromServer):
    """An answer has been heard to its end, or as far as heard says."""

    type: Literal["tts_complete"] = "tts_complete"
    duration: int = Field(description="ms of sound that was sent for it")
    latency: VoiceLatency
    turn: int
    interrupted: bool = Field(description="The speaker, or somebody else, took the floor")
    heard: str = Field(description="The words that were heard by then, if you play at once")


class TurnLatency(BaseModel):
    """Where the time between the speaker's last sound and the agent's first went; its parts make up total."""

    turn: int
    endpointing: int = Field(description="until it was clear that the turn is over")
    words: int = Field(description="until its words were known")
    text: int = Field(description="until the first sentence of the answer")
    audio: int = Field(description="until its first sound")
    total: int


class Stats(BaseModel):
    """Counted since the session began."""

    duration: int = Field(description="ms")
    turns: int = Field(description="of the speaker")
    interruptions: int = Field(description="times that the agent fell silent for the speaker")
    audioReceived: int = Field(description="ms of sound")
    audioSent: int = Field(description="ms of sound")
    messagesReceived: int
    messagesDropped: int = Field(description="that came too fast, or were not wanted")
    latencyMedian: Millis = Field(None, description="from the speaker's last sound to the agent's first")


class Metrics(_FromServer):
    """Every 5 seconds, and once a turn has been measured."""

    type: Literal["metrics"] = "metrics"
    stats: Stats
    latency: TurnLatency | None = Field(None, description="Of the latest turn")
    jitter: Millis = Field(None, description="As network of stt_final, at the last chunk")


class Error(_FromServer):
    """What went wrong, and what to do."""

    type: Literal["error"] = "error"
    code: str
    message: str
    recoverable: bool = Field(description="false: the socket closes")
    about: str | None = Field(None, description="The eventId of your message that it is about")
    fields: dict[str, str] | None = Field(None, description="What is wrong with each, by its path")


class Ended(_FromServer):
    """The last message."""

    type: Literal["ended"] = "ended"
    reason: str
    stats: Stats


FROM_SERVER = (
    Ready,
    SttPartial,
    SttFinal,
    AgentThinking,
    AgentReply,
    TtsChunk,
    TtsComplete,
    Metrics,
    Error,
    Ended,
)
ServerMessage = (
    Ready
    | SttPartial
    | SttFinal
    | AgentThinking
    | AgentReply
    | TtsChunk
    | TtsComplete
    | Metrics
    | Error
    | Ended
)
