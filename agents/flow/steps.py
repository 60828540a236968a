"""What a conversation asks its telephone to do, one frozen step each.

A `Conversation` turns words into steps and knows neither sound nor telephone. Steps come out of an
async generator in the order in which they are to be carried out; whoever carries them out may stop
taking them (the caller interrupted) by closing the generator.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol


@dataclass(frozen=True, slots=True)
class Say:
    """Speak this: one or more whole sentences, plain words without markup."""

    text: str
    interruptible: bool = True


@dataclass(frozen=True, slots=True)
class Transfer:
    """Hand the caller over to a telephone number (E.164) once all that was said has been heard."""

    number: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call once all that was said has been heard."""

    reason: Literal["done", "silence"] = "done"


@dataclass(frozen=True, slots=True)
class SendDigits:
    """Play the tones of these keys to the line: 0-9 * #, "," and "w" are half a second of silence."""

    digits: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Once all that was said has been heard, wait; the caller may speak meanwhile."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Manner:
    """How to speak and listen from here on; None is as the agent is set up."""

    interruptible: bool | None = None
    eagerness: float | None = None  # 0 patient .. 1 quick: how soon a pause ends the caller's turn
    silence_seconds: float | None = None  # until a silent caller is asked again
    speed: float | None = None  # of the voice


@dataclass(frozen=True, slots=True)
class ForgetWords:
    """Once the call is over, keep nothing of what was said in it, whoever said it."""


@dataclass(frozen=True, slots=True)
class Noted:
    """Something worth a line in the call's log: an intent matched, a variable filled, a tool called."""

    kind: Literal["intent", "variable", "tool", "node", "edge", "model", "source", "agent"]
    name: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KeepMessage:
    """Keep what the caller wants to be passed on. An empty field was not told, or was refused."""

    name: str
    number: str  # digits as they were dictated, with or without a country code
    number_confirmed: bool  # the caller said yes when it was read back
    words: str
    complete: bool  # False: the call ended before all had been asked
    confirmed: bool = True  # False: the caller did not say yes when the words were read back
    ordinal: int = 1  # of the call's messages; one that is told again, with more words, replaces itself


Step = Say | Transfer | HangUp | Noted | KeepMessage | SendDigits | Pause | Manner | ForgetWords

# What the caller is expected to say next; what is dictated or spelled has longer pauses than a yes.
Expectation = Literal["anything", "yes_no", "name", "number", "spelling"]


class Conversation(Protocol):
    """One call's conversation. Not safe for two replies at once: close one before the next."""

    @property
    def expects(self) -> Expectation: ...

    def greet(self) -> AsyncGenerator[Step, None]:
        """What the agent says first."""

    def reply(self, words: str) -> AsyncGenerator[Step, None]:
        """The answer to one turn of the caller. Raises EngineError when a model fails."""

    def digits(self, digits: str) -> AsyncGenerator[Step, None]:
        """The answer to keys pressed on the telephone."""

    def silence(self, count: int) -> AsyncGenerator[Step, None]:
        """What to say when the caller has said nothing for the `count`-th time in a row (from 1)."""

    def farewell(self, reason: Literal["max_duration", "silence"]) -> AsyncGenerator[Step, None]:
        """The spoken goodbye before the telephone ends the call of itself."""

    def heard(self, text: str, *, interrupted: bool) -> None:
        """Told after each reply: the part of it that the caller really heard."""

    async def direct(self, words: str) -> bool:
        """An operator's direction, which the caller does not hear, to be followed from the next sentence on.
        False if it cannot be followed; then nothing has changed. Raises EngineError."""

    def go_on(self) -> AsyncGenerator[Step, None]:
        """What to say now in place of the rest of an answer that a direction has overtaken."""

    def overheard(self, who: Literal["caller", "operator"], words: str) -> None:
        """Said while an operator had the call; it wants no answer."""

    def resume(self, note: str) -> AsyncGenerator[Step, None]:
        """The operator gave the call back; `note` tells what happened, "" if they did not say."""

    def ended(self, last_words: str = "") -> list[KeepMessage]:
        """Told once when the call is over, however it ended; messages that are still to be kept. `last_words`
        were said before a caller was gone, and never answered."""
