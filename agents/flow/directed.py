"""A receptionist whom an operator may direct in the middle of a call.

Without a language model a direction is not understood freely. It can name what the receptionist can do
("put him through", "take a message") or knows ("tell her the opening hours"), or give the words to say
("tell them that we have a slot at ten"); any other is refused, so that the operator takes another way.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import datetime
from typing import Literal

from . import hours as opening_hours
from . import phrases
from .intents import Intent
from .knowledge import Fact, Profile
from .matching import Meanings
from .receptionist import Receptionist
from .state import Choosing
from .steps import KeepMessage, Noted, Say, Step
from .understanding import SURE

_TO_SAY = re.compile(
    r"(?:please )?(?:say|(?:tell|let) (?:him|her|them|the caller)(?: know)?)(?: that)?[:,]? +(.+)",
    re.I | re.S,
)
# Rather something that it may know than a sentence to say
_A_THING = re.compile(r"(?:about )?(?:the|our|your) \S+(?: \S+){0,3}", re.I)

_KNOWS_NOTHING = (
    phrases.UNKNOWN,
    phrases.unknown_again(True),
    phrases.unknown_again(False),
    phrases.NOT_CAUGHT,
)

Directed = Callable[[], list[Step]]


def knows_nothing(steps: Sequence[Step]) -> bool:
    """Whether the words were not understood."""
    return any(isinstance(step, Say) and step.text in _KNOWS_NOTHING for step in steps)


class DirectedReceptionist(Receptionist):
    """A `Conversation`: the receptionist's own but for the one turn that a direction decides."""

    def __init__(self, profile: Profile, *, meanings: Meanings, now: Callable[[], datetime]) -> None:
        super().__init__(profile, meanings=meanings, now=now)
        self._directed: Directed | None = None  # what the next sentence is
        self._adds = False  # it is words to say, which answer no question of the caller's

    # ---- what an operator does ----------------------------------------------------------------

    async def direct(self, words: str) -> bool:
        given = _TO_SAY.fullmatch(words.strip())
        directed = await self._known(words) if not given or _A_THING.fullmatch(given[1]) else None
        directed = directed or (_sentence(given[1]) if given else None)
        if directed:
            self._directed, self._adds = directed, given is not None
        return directed is not None

    async def go_on(self) -> AsyncGenerator[Step, None]:
        for step in self._directed_steps() or []:
            yield step

    def overheard(self, who: Literal["caller", "operator"], words: str) -> None:
        """What people say to each other changes nothing that a receptionist keeps."""

    async def resume(self, note: str) -> AsyncGenerator[Step, None]:
        if self._state.taker:
            yield Say(f"{phrases.BACK_AGAIN} {self._state.question}")
            return
        for step in self._anything_else(phrases.BACK_AGAIN):
            yield step

    async def answer_but(self, words: str) -> list[Step]:
        """What of this turn stands although somebody else decides what is said: its part of a message, and
        an emergency, which comes first. Raises EngineError."""
        taking = self.taking_message
        steps = await self.answer(words)
        if any(isinstance(step, Noted) and step.data.get("urgent") for step in steps):
            return steps
        if not taking:
            self._state = self._last_turn.taken_back()
            return []
        return [step for step in steps if isinstance(step, Noted | KeepMessage)]

    # ---- Conversation ---------------------------------------------------------------------------

    async def reply(self, words: str) -> AsyncGenerator[Step, None]:
        if self._directed is None:
            steps = await self.answer(words)
        elif self._adds:
            steps = [*(self._directed_steps() or []), *await self._own_answer(words)]
        else:
            steps = [*await self.answer_but(words), *(self._directed_steps() or [])]
        for step in steps:
            yield step

    async def digits(self, digits: str) -> AsyncGenerator[Step, None]:
        for step in self._directed_steps() or self.answer_keys(digits):
            yield step

    async def silence(self, count: int) -> AsyncGenerator[Step, None]:
        for step in self._directed_steps() or self.prompt(count):
            yield step

    # ---- inside -----------------------------------------------------------------------------

    async def _own_answer(self, words: str) -> list[Step]:
        """What it knows to the caller's own words, after those that an operator gave it."""
        steps = await self.answer(words)
        asks_back = isinstance(self._state.open, Choosing)
        if not knows_nothing(steps) and not asks_back:
            return steps
        self._state = self._last_turn.taken_back()
        return []

    def _directed_steps(self) -> list[Step] | None:
        directed, self._directed = self._directed, None
        return directed() if directed else None

    async def _known(self, words: str) -> Directed | None:
        match = await self._understanding.match(words)
        if match is None or match.best.score < SURE:
            return None
        target = match.best.target
        if isinstance(target, Fact):
            return lambda: [Say(opening_hours.answer_of(target, words, self._now()))]
        return self._ability(target)

    def _ability(self, intent: Intent) -> Directed | None:
        match intent.name:
            case "message":
                return lambda: self.begin_message("")
            case "transfer":
                return self.transfer
            case "goodbye":
                return self.goodbye
        return None


def _sentence(words: str) -> Directed | None:
    said = words.strip('"“” ')
    if not said:
        return None
    text = said[0].upper() + said[1:] + ("" if said[-1] in ".!?" else ".")
    return lambda: [Say(text)]
