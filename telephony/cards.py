"""A call as a card of the live board, folded from its events. Pure; the typed door of `Call.card`."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import singledispatch
from statistics import median
from typing import Any, Literal

from .session.events import (
    AgentSaid,
    AgentStateChanged,
    CallAnswered,
    CallEnded,
    CallerSaid,
    CallerSaidNothing,
    CallerStartedSpeaking,
    CallerWordsGuessed,
    EngineFailed,
    Event,
    OperatorGaveBack,
    OperatorSaid,
    OperatorTookOver,
    ProviderStatusReceived,
    SilencePrompted,
    StepNoted,
    TransferStarted,
    TurnMeasured,
)

LATENCIES_KEPT = 12
SLOW_TURN_MS = 2000
SLOW_TURNS = 3  # in a row
UNDERSTOOD_SCORE = 0.35  # of an intent; below it the agent has to ask back

Alert = Literal[
    "", "slow_turns", "long_silence", "misunderstood", "asked_for_person", "engine_failing", "emergency"
]


@dataclass(slots=True, kw_only=True)
class Card:
    """Times are epoch seconds. `words` is the last thing said, `guess` what may be being said."""

    id: str
    url: str
    agent: str
    agent_slug: str
    caller: str
    direction: str
    line: str
    status: str
    started: float
    answered: float | None = None
    ended: float | None = None
    state: Literal["ringing", "listening", "thinking", "speaking", "ended"] = "ringing"
    who: Literal["caller", "agent", "operator", ""] = ""
    words: str = ""
    guess: str = ""
    latency_ms: int | None = None
    latencies: list[int] = field(default_factory=list)
    turns: int = 0
    slow_turns: int = 0
    alert: Alert = ""
    holder: str = ""  # the operator who has taken the call over
    end_reason: str = ""
    seq: int = 0

    def as_json(self) -> dict[str, Any]:
        # dataclasses.asdict copies every value through and takes eight times as long.
        return {name: getattr(self, name) for name in _FIELDS}

    @property
    def response_ms(self) -> int | None:
        return round(median(self.latencies)) if self.latencies else None

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Card:
        return cls(**stored)


_FIELDS = tuple(each.name for each in fields(Card))


def fold(card: Card, event: Event, *, seq: int, at: float) -> None:
    """Bring the card up to date with the next event, which happened at `at` (epoch seconds)."""
    card.seq = seq
    _change(event, card, at)


@singledispatch
def _change(event: Event, card: Card, at: float) -> None:
    """Most events leave the card as it is."""


@_change.register
def _(event: CallAnswered, card: Card, at: float) -> None:
    if card.state == "ringing":
        card.state, card.status, card.answered = "listening", "in-progress", at


@_change.register
def _(event: ProviderStatusReceived, card: Card, at: float) -> None:
    if event.applied:
        card.status = event.status


@_change.register
def _(event: AgentStateChanged, card: Card, at: float) -> None:
    if card.state != "ended":
        card.state = event.state


@_change.register
def _(event: CallerStartedSpeaking, card: Card, at: float) -> None:
    if card.alert == "long_silence":
        card.alert = ""


@_change.register
def _(event: CallerWordsGuessed, card: Card, at: float) -> None:
    card.guess = event.text


@_change.register
def _(event: CallerSaid, card: Card, at: float) -> None:
    card.who, card.words, card.guess, card.turns = "caller", event.text, "", event.turn


@_change.register
def _(event: CallerSaidNothing, card: Card, at: float) -> None:
    card.guess = ""


@_change.register
def _(event: OperatorTookOver, card: Card, at: float) -> None:
    card.holder, card.alert = event.by, ""


@_change.register
def _(event: OperatorGaveBack, card: Card, at: float) -> None:
    card.holder = ""


@_change.register
def _(event: OperatorSaid, card: Card, at: float) -> None:
    card.who, card.words = "operator", event.text


@_change.register
def _(event: AgentSaid, card: Card, at: float) -> None:
    card.who, card.words = "agent", event.text


@_change.register
def _(event: TurnMeasured, card: Card, at: float) -> None:
    card.latency_ms = round(event.voice_to_voice_seconds * 1000)
    card.latencies = [*card.latencies, card.latency_ms][-LATENCIES_KEPT:]
    card.slow_turns += card.latency_ms >= SLOW_TURN_MS
    slow = len(card.latencies) >= SLOW_TURNS and min(card.latencies[-SLOW_TURNS:]) >= SLOW_TURN_MS
    if slow and not card.alert:
        card.alert = "slow_turns"
    elif not slow and card.alert == "slow_turns":
        card.alert = ""


@_change.register
def _(event: SilencePrompted, card: Card, at: float) -> None:
    if event.count >= 2:
        card.alert = "long_silence"


@_change.register
def _(event: StepNoted, card: Card, at: float) -> None:
    if event.note != "intent" or card.alert == "emergency":
        return
    if event.data.get("urgent"):
        card.alert = "emergency"
        return
    if event.name == "misunderstood" or event.data.get("score", 1.0) < UNDERSTOOD_SCORE:
        card.alert = card.alert or "misunderstood"
    elif card.alert == "misunderstood":
        card.alert = ""


@_change.register
def _(event: EngineFailed, card: Card, at: float) -> None:
    if event.remedy in ("apologised", "gave_up"):
        card.alert = "engine_failing"


@_change.register
def _(event: TransferStarted, card: Card, at: float) -> None:
    if event.reason == "agent":
        card.alert = "asked_for_person"


@_change.register
def _(event: CallEnded, card: Card, at: float) -> None:
    card.state, card.ended, card.guess, card.end_reason = "ended", at, "", event.reason
    card.holder = ""
    if card.status in ("queued", "initiated", "ringing", "in-progress"):
        unanswered = "failed" if event.reason == "engine_failure" else "no-answer"
        card.status = "completed" if card.answered else unanswered
