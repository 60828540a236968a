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
    DigitsPressed,
    EngineFailed,
    Event,
    MessageTaken,
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
NOT_UNDERSTOOD = ("misunderstood", "not known")  # the caller did not, the agent did not
MISUNDERSTANDINGS = 2  # in a row
SILENCES = 2  # in a row
RETRIES, RETRIES_WITHIN_SECONDS = 2, 60.0
GOOD_TURNS = 2  # since an engine last failed: it works again (the first may be the apology)
PERSON_KEY = "0"

Alert = Literal[
    "", "emergency", "asked_for_person", "engine_failing", "misunderstood", "long_silence", "slow_turns"
]
# The most urgent first.
URGENCY: tuple[Alert, ...] = (
    "emergency",
    "asked_for_person",
    "engine_failing",
    "misunderstood",
    "long_silence",
    "slow_turns",
)


@dataclass(slots=True, kw_only=True)
class Card:
    """Times are epoch seconds. `caller` is who speaks with the agent, also where we have called them. `words`
    is the last thing said, `guess` what may be being said.

    `alerts` is what a person should look at, each with the time since when; `alert` the most urgent of
    them. An alert goes as soon as its cause does, and none outlives the call.
    """

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
    alerts: dict[str, float] = field(default_factory=dict)
    alert: Alert = ""
    alert_since: float | None = None
    misunderstandings: int = 0  # in a row
    retries: list[float] = field(default_factory=list)  # of engines, the latest
    good_turns: int = 0  # since an engine failed
    holder: str = ""  # the operator who has taken the call over
    holder_window: str = ""  # in which of their windows
    taken_over: bool = False  # at any time
    end_reason: str = ""
    seq: int = 0

    def as_json(self) -> dict[str, Any]:
        # dataclasses.asdict copies every value through and takes eight times as long.
        return {name: getattr(self, name) for name in _FIELDS}

    def raise_alert(self, alert: Alert, at: float) -> None:
        if alert not in self.alerts:
            self.alerts[alert] = at
            self._choose()

    def drop_alert(self, *alerts: Alert) -> None:
        for alert in alerts:
            self.alerts.pop(alert, None)
        self._choose()

    def _choose(self) -> None:
        self.alert = next((alert for alert in URGENCY if alert in self.alerts), "")
        self.alert_since = self.alerts.get(self.alert)

    @property
    def order(self) -> tuple[int, float, float]:
        """Of the board: the most urgent first, then who has waited longest, then the oldest. A call that
        somebody has taken over waits for nobody."""
        if self.alert and not self.holder:
            return URGENCY.index(self.alert), self.alert_since or self.started, self.started
        return len(URGENCY), 0.0, self.started

    @property
    def needs_person(self) -> bool:
        return bool(self.alert) and not self.holder

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
    card.drop_alert("long_silence")


@_change.register
def _(event: DigitsPressed, card: Card, at: float) -> None:
    card.drop_alert("long_silence")
    if event.digits == PERSON_KEY:
        card.raise_alert("asked_for_person", at)


@_change.register
def _(event: CallerWordsGuessed, card: Card, at: float) -> None:
    card.guess = event.text


@_change.register
def _(event: CallerSaid, card: Card, at: float) -> None:
    card.who, card.words, card.guess, card.turns = "caller", event.text, "", event.turn
    card.drop_alert("long_silence")


@_change.register
def _(event: CallerSaidNothing, card: Card, at: float) -> None:
    card.guess = ""


@_change.register
def _(event: OperatorTookOver, card: Card, at: float) -> None:
    card.holder, card.holder_window, card.taken_over = event.by, event.window, True
    card.drop_alert(*URGENCY)


@_change.register
def _(event: OperatorGaveBack, card: Card, at: float) -> None:
    card.holder = card.holder_window = ""


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
    if len(card.latencies) >= SLOW_TURNS and min(card.latencies[-SLOW_TURNS:]) >= SLOW_TURN_MS:
        card.raise_alert("slow_turns", at)
    else:
        card.drop_alert("slow_turns")
    card.good_turns += 1
    if card.good_turns >= GOOD_TURNS:
        card.retries = []
        card.drop_alert("engine_failing")


@_change.register
def _(event: SilencePrompted, card: Card, at: float) -> None:
    if event.count >= SILENCES:
        card.raise_alert("long_silence", at)


@_change.register
def _(event: StepNoted, card: Card, at: float) -> None:
    if event.name == "transfer" and event.note in ("intent", "tool"):
        card.raise_alert("asked_for_person", at)
    if event.note != "intent":
        return
    if event.data.get("urgent"):
        card.raise_alert("emergency", at)
    if event.name in NOT_UNDERSTOOD or event.data.get("score", 1.0) < UNDERSTOOD_SCORE:
        card.misunderstandings += 1
    else:
        card.misunderstandings = 0
    if card.misunderstandings >= MISUNDERSTANDINGS:
        card.raise_alert("misunderstood", at)
    else:
        card.drop_alert("misunderstood")


@_change.register
def _(event: MessageTaken, card: Card, at: float) -> None:
    """Who asked for a person and left a whole message instead has been served."""
    if event.complete:
        card.drop_alert("asked_for_person")


@_change.register
def _(event: EngineFailed, card: Card, at: float) -> None:
    card.good_turns = 0
    card.retries = [then for then in card.retries if at - then < RETRIES_WITHIN_SECONDS][-RETRIES:]
    if event.remedy == "retried":
        card.retries.append(at)
    if event.remedy != "retried" or len(card.retries) >= RETRIES:
        card.raise_alert("engine_failing", at)


@_change.register
def _(event: TransferStarted, card: Card, at: float) -> None:
    if event.reason == "agent":
        card.raise_alert("asked_for_person", at)


@_change.register
def _(event: CallEnded, card: Card, at: float) -> None:
    card.state, card.ended, card.guess, card.end_reason = "ended", at, "", event.reason
    card.holder = card.holder_window = ""
    card.drop_alert(*URGENCY)
    if card.status in ("queued", "initiated", "ringing", "in-progress"):
        unanswered = status_unanswered(event.reason, is_outbound=card.direction == "outbound")
        card.status = "completed" if card.answered else unanswered


def status_unanswered(reason: str, *, is_outbound: bool) -> str:
    """Of a call that ended before it was answered, until its provider has its say."""
    if reason == "engine_failure":
        return "failed"
    return "canceled" if is_outbound and reason == "operator_hung_up" else "no-answer"
