"""A receptionist whom an operator may direct in the middle of a call.

Without a language model a direction is not understood freely. It can name what the receptionist can do
("put him through", "take a message") or knows ("tell her the opening hours"), or give the words to say
("tell them that we have a slot at ten"); any other is refused, so that the operator takes another way.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import datetime
from typing import Literal

from . import hours as opening_hours
from . import phrases
from .intents import Intent
from .knowledge import Fact, Profile
from .matching import Meanings
from .receptionist import Receptionist
from .steps import Expectation, KeepMessage, Say, Step
from .understanding import SURE, Understanding

_TO_SAY = re.compile(
    r"(?:please )?(?:say|(?:tell|let) (?:him|her|them|the caller)(?: know)?)(?: that)?[:,]? +(.+)",
    re.I | re.S,
)
# Rather something that it may know than a sentence to say
_A_THING = re.compile(r"(?:about )?(?:the|our|your) \S+(?: \S+){0,3}", re.I)

Directed = Callable[[], list[Step]]


class DirectedReceptionist:
    """A `Conversation`: the receptionist's own but for the one turn that a direction decides."""

    def __init__(
        self, receptionist: Receptionist, *, profile: Profile, meanings: Meanings, now: Callable[[], datetime]
    ) -> None:
        self._receptionist = receptionist
        self._understanding = Understanding(profile.facts, meanings)
        self._now = now
        self._directed: Directed | None = None  # what the next sentence is

    # ---- what an operator does ----------------------------------------------------------------

    async def direct(self, words: str) -> bool:
        given = _TO_SAY.fullmatch(words.strip())
        directed = await self._known(words) if not given or _A_THING.fullmatch(given[1]) else None
        directed = directed or (_sentence(given[1]) if given else None)
        if directed:
            self._directed = directed
        return directed is not None

    async def go_on(self) -> AsyncGenerator[Step, None]:
        for step in self._take() or []:
            yield step

    def overheard(self, who: Literal["caller", "operator"], words: str) -> None:
        """What people say to each other changes nothing that a receptionist keeps."""

    async def resume(self, note: str) -> AsyncGenerator[Step, None]:
        yield Say(phrases.BACK_AGAIN)

    # ---- Conversation ---------------------------------------------------------------------------

    @property
    def expects(self) -> Expectation:
        return self._receptionist.expects

    async def greet(self) -> AsyncGenerator[Step, None]:
        async with aclosing(self._receptionist.greet()) as steps:
            async for step in steps:
                yield step

    async def reply(self, words: str) -> AsyncGenerator[Step, None]:
        for step in self._take() or await self._receptionist.answer(words):
            yield step

    async def digits(self, digits: str) -> AsyncGenerator[Step, None]:
        for step in self._take() or self._receptionist.answer_keys(digits):
            yield step

    async def silence(self, count: int) -> AsyncGenerator[Step, None]:
        for step in self._take() or self._receptionist.prompt(count):
            yield step

    async def farewell(self, reason: Literal["max_duration", "silence"]) -> AsyncGenerator[Step, None]:
        async with aclosing(self._receptionist.farewell(reason)) as steps:
            async for step in steps:
                yield step

    def heard(self, text: str, *, interrupted: bool) -> None:
        self._receptionist.heard(text, interrupted=interrupted)

    def ended(self) -> list[KeepMessage]:
        return self._receptionist.ended()

    # ---- inside -----------------------------------------------------------------------------

    def _take(self) -> list[Step] | None:
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
                return lambda: self._receptionist.begin_message("")
            case "transfer":
                return self._receptionist.transfer
            case "goodbye":
                return self._receptionist.goodbye
        return None


def _sentence(words: str) -> Directed | None:
    said = words.strip('"“” ')
    if not said:
        return None
    text = said[0].upper() + said[1:] + ("" if said[-1] in ".!?" else ".")
    return lambda: [Say(text)]
