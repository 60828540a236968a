"""A call's events as a conversation to read. Pure; static/js/transcript.js does the same to later events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import singledispatchmethod
from typing import Any, Literal

from .session.events import (
    AgentHeard,
    AgentSaid,
    CallerSaid,
    CallerSaidNothing,
    CallerWordsGuessed,
    Event,
    MessageTaken,
    OperatorGaveBack,
    OperatorSaid,
    OperatorWhispered,
    StepNoted,
    TransferEnded,
    TurnMeasured,
    kind_of,
    payload_of,
)

# Happenings that are shown between the turns, as a line of their own.
NOTED = (
    "digits_pressed",
    "silence_prompted",
    "engine_failed",
    "transfer_started",
    "operator_took_over",
    "words_forgotten",
    "feedback_given",
)
NOTHING_SAID = "caller_said_nothing"  # shown where it holds a word like "mm-hm"
ON_THE_PATH = ("node", "intent")  # notes
WHISPERED, NOT_FOLLOWED = "operator_whispered", "whisper_not_followed"
LOST = "operator_lost"
PUT_THROUGH, TALKED, NOT_PUT_THROUGH = "transfer_answered", "transfer_lasted", "transfer_failed"


@dataclass(slots=True)
class Line:
    """One turn, or one note between turns. `at_seconds` is its place in the recording."""

    who: Literal["caller", "agent", "operator", "note"]
    at_seconds: float
    turn: int = 0
    text: str = ""  # of the agent: what was heard of it once it was interrupted
    unheard: str = ""
    guess: bool = False
    interrupted: bool = False
    closed: bool = False
    latency_ms: int | None = None
    by: str = ""  # the operator who says it, or has it said
    stood_in: dict[str, str] = field(
        default_factory=dict
    )  # kind of engine: who answered for the first choice
    kind: str = ""  # of a note
    values: dict[str, object] = field(default_factory=dict)

    @property
    def spoken_by(self) -> dict[str, str]:
        """For the words of `wording.BY`."""
        return {"by": self.by}


class Transcript:
    """Fed with events in their order; `lines`, `turns`, `messages`, the `path` through the conversation and
    the `variables` it has filled are what they tell."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.lines: list[Line] = []
        self.turns: list[TurnMeasured] = []
        self.messages: list[MessageTaken] = []
        self.path: list[str] = []
        self.variables: dict[str, Any] = {}
        for event in events:
            self.take(event)

    @singledispatchmethod
    def take(self, event: Event) -> None:
        kind = kind_of(event)
        if kind in NOTED:
            self.lines.append(Line("note", event.at_seconds, kind=kind, values=payload_of(event)))

    @take.register
    def _(self, event: StepNoted) -> None:
        self.lines.append(Line("note", event.at_seconds, kind=kind_of(event), values=payload_of(event)))
        if event.note in ON_THE_PATH and self.path[-1:] != [event.name]:
            self.path.append(event.name)
        elif event.note == "variable":
            self.variables[event.name] = event.data.get("value", "")

    @take.register
    def _(self, event: MessageTaken) -> None:
        if not any(message.ordinal == event.ordinal for message in self.messages):
            self.lines.append(Line("note", event.at_seconds, kind=kind_of(event), values=payload_of(event)))
        self.messages = [message for message in self.messages if message.ordinal != event.ordinal]
        self.messages.append(event)

    @take.register
    def _(self, event: CallerWordsGuessed) -> None:
        line = self._guess() or self._add(Line("caller", event.at_seconds, guess=True))
        line.turn, line.text = event.turn, event.text

    @take.register
    def _(self, event: CallerSaid) -> None:
        line = self._guess() or self._add(Line("caller", event.start_seconds))
        line.turn, line.text, line.guess, line.at_seconds = event.turn, event.text, False, event.start_seconds
        if event.degraded:
            line.stood_in["stt"] = event.engine

    @take.register
    def _(self, event: CallerSaidNothing) -> None:
        if guess := self._guess():
            self.lines.remove(guess)
        if event.text:
            note = Line("note", event.start_seconds, kind=NOTHING_SAID, values=payload_of(event))
            self.lines.append(note)

    @take.register
    def _(self, event: AgentSaid) -> None:
        line = self._speaking(event.turn)
        if line is None:
            line = self._add(Line("agent", event.at_seconds, turn=event.turn, by=event.by))
            if measured := self._measured_before(event.turn):
                _measure(line, measured)
        line.text = f"{line.text} {event.text}".strip()
        if event.degraded:
            line.stood_in["tts"] = event.engine

    @take.register
    def _(self, event: OperatorSaid) -> None:
        self._add(Line("operator", event.start_seconds, text=event.text, by=event.by))

    @take.register
    def _(self, event: OperatorGaveBack) -> None:
        kind = LOST if event.lost else kind_of(event)
        self.lines.append(Line("note", event.at_seconds, kind=kind, values=payload_of(event)))

    @take.register
    def _(self, event: TransferEnded) -> None:
        answered = TALKED if event.seconds else PUT_THROUGH
        kind = answered if event.status in ("completed", "answered") else NOT_PUT_THROUGH
        self.lines.append(Line("note", event.at_seconds, kind=kind, values=payload_of(event)))

    @take.register
    def _(self, event: OperatorWhispered) -> None:
        kind = WHISPERED if event.followed else NOT_FOLLOWED
        self.lines.append(Line("note", event.at_seconds, kind=kind, values=payload_of(event)))

    @take.register
    def _(self, event: AgentHeard) -> None:
        line = self._speaking(event.turn)
        if line is None:
            return
        line.closed, line.interrupted = True, event.interrupted
        if event.interrupted:
            line.text, line.unheard = split_heard(line.text, event.text)

    @take.register
    def _(self, event: TurnMeasured) -> None:
        self.turns.append(event)
        for line in reversed(self.lines):
            if line.who == "agent" and line.turn == event.turn:
                _measure(line, event)
                return

    def _add(self, line: Line) -> Line:
        self.lines.append(line)
        return line

    def _guess(self) -> Line | None:
        """What the caller may be saying just now."""
        return next((line for line in reversed(self.lines) if line.guess), None)

    def _speaking(self, turn: int) -> Line | None:
        """The agent's turn that is not over."""
        lines = (line for line in reversed(self.lines) if line.who == "agent" and not line.closed)
        return next((line for line in lines if line.turn == turn), None)

    def _measured_before(self, turn: int) -> TurnMeasured | None:
        """Of a turn that was measured before its words came; a turn's second utterance has none."""
        if any(line.who == "agent" and line.turn == turn and line.text for line in self.lines):
            return None
        return next((event for event in self.turns if event.turn == turn), None)


def _measure(line: Line, event: TurnMeasured) -> None:
    line.latency_ms = round(event.voice_to_voice_seconds * 1000)
    if "llm" in event.degraded:
        line.stood_in["llm"] = event.llm_engine


def split_heard(said: str, heard: str) -> tuple[str, str]:
    """What was said, cut after as many words as were heard: (heard, unheard)."""
    words = said.split()
    count = len(heard.split())
    return " ".join(words[:count]), " ".join(words[count:])
