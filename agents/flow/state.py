"""Where a receptionist stands between two turns."""

from __future__ import annotations

from dataclasses import dataclass

from . import phrases
from .intents import Intent
from .knowledge import Fact
from .message import MessageTaker


@dataclass(frozen=True, slots=True)
class Offered:
    """A message was offered; `about` is what the caller had asked."""

    about: str


@dataclass(frozen=True, slots=True)
class Choosing:
    """One of `options` may have been meant by `words`."""

    options: tuple[Fact | Intent, ...]
    words: str


@dataclass(frozen=True, slots=True)
class AnythingElse:
    """A plain no, or thanks, ends the call."""


@dataclass(frozen=True, slots=True)
class State:
    open: Offered | Choosing | AnythingElse | None = None  # the question that the next words may answer
    taker: MessageTaker | None = None
    said: str = ""  # the last thing worth repeating
    about_hours: bool = False  # the last answer was about opening hours
    unknown: int = 0  # turns in a row that were not understood
    waiting: bool = False  # the caller asked for a moment
    messages: int = 0  # begun so far

    @property
    def question(self) -> str:
        """The question that the caller has still to answer; "" if there is none."""
        if self.taker:
            return self.taker.question()
        match self.open:
            case Offered():
                return phrases.SHALL_I_TAKE_A_MESSAGE
            case Choosing(options=options):
                return phrases.which(options)
            case AnythingElse():
                return phrases.ANYTHING_ELSE
        return ""
