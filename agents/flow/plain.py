"""Conversations of programs that bring their own idea of an agent: no facts, no telephone, no greeting.

Each is a `Conversation`. Who says nothing for as long as the session waits is let go.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from time import monotonic
from typing import Literal

from mlservices.interfaces import ChatModel
from mlservices.types import ChatMessage

from .answer import Answer
from .chat import model_noted
from .confidential import Confidential
from .memory import LONGEST_WORDS, Memory
from .steps import Expectation, HangUp, KeepMessage, Say, Step

LAST_MESSAGES = 10
MAX_TOKENS = 150
TEMPERATURE = 0.7

SPOKEN = """\
What you answer is spoken aloud: one to three short sentences in plain words, without lists, markup, emoji \
or web addresses. If you do not know something, say so."""
ASSISTANT = "You are a helpful assistant. Answer what is asked, and no more."
CONVERSATIONAL = (
    "You are good company and make small talk: warm, curious, never long. Take up what the other person "
    "says, and now and then ask something back."
)
_DIRECTED = "A colleague who listens directs you. Follow this from your next sentence on: {direction}"
_GO_ON = "(Nothing new was said. Go on speaking, as your colleague directs.)"
_BACK = (
    "(A colleague has spoken in your place and is gone again. {note}Take up the conversation in a sentence.)"
)


class Silent:
    """Says nothing, whatever is said to it."""

    expects: Expectation = "anything"

    async def greet(self) -> AsyncGenerator[Step, None]:
        async for step in _nothing():
            yield step

    async def reply(self, words: str) -> AsyncGenerator[Step, None]:
        async for step in _nothing():
            yield step

    async def digits(self, digits: str) -> AsyncGenerator[Step, None]:
        async for step in _nothing():
            yield step

    async def silence(self, count: int) -> AsyncGenerator[Step, None]:
        yield HangUp("silence")

    async def farewell(self, reason: Literal["max_duration", "silence"]) -> AsyncGenerator[Step, None]:
        async for step in _nothing():
            yield step

    def heard(self, text: str, *, interrupted: bool) -> None: ...

    async def direct(self, words: str) -> bool:
        return False

    async def go_on(self) -> AsyncGenerator[Step, None]:
        async for step in _nothing():
            yield step

    def overheard(self, who: Literal["caller", "operator"], words: str) -> None: ...

    async def resume(self, note: str) -> AsyncGenerator[Step, None]:
        async for step in _nothing():
            yield step

    def ended(self, last_words: str = "") -> list[KeepMessage]:
        return []


class Echo(Silent):
    """Says what it heard."""

    async def reply(self, words: str) -> AsyncGenerator[Step, None]:
        yield Say(words)


class PlainChat(Silent):
    """A language model that is told `instructions` and what was said, and nothing else."""

    def __init__(self, *, model: ChatModel, model_id: str, instructions: str) -> None:
        self._model = model
        self._model_id = model_id
        self._instructions = instructions
        self._confidential = Confidential(instructions, SPOKEN)
        self._memory = Memory()
        self._direction = ""

    async def reply(self, words: str) -> AsyncGenerator[Step, None]:
        self._memory.caller_said(words, words[:LONGEST_WORDS])
        async with aclosing(self._answer()) as steps:
            async for step in steps:
                yield step

    def heard(self, text: str, *, interrupted: bool) -> None:
        self._memory.heard(text, interrupted=interrupted)

    async def direct(self, words: str) -> bool:
        self._direction = words
        return True

    async def go_on(self) -> AsyncGenerator[Step, None]:
        async with aclosing(self.reply(_GO_ON)) as steps:
            async for step in steps:
                yield step

    def overheard(self, who: Literal["caller", "operator"], words: str) -> None:
        if who == "operator":
            self._memory.operator_said(words)
        else:
            self._memory.caller_said(words, words[:LONGEST_WORDS])

    async def resume(self, note: str) -> AsyncGenerator[Step, None]:
        async with aclosing(self.reply(_BACK.format(note=f"{note} " if note else ""))) as steps:
            async for step in steps:
                yield step

    async def _answer(self) -> AsyncGenerator[Step, None]:
        """Sentences as they become whole."""
        answer = Answer(self._confidential)
        directed = f"\n\n{_DIRECTED.format(direction=self._direction)}" if self._direction else ""
        prompt = self._instructions + "\n\n" + SPOKEN + directed
        messages = [ChatMessage("system", prompt), *self._memory.last(LAST_MESSAGES)]
        stream = self._model.reply(messages, max_tokens=MAX_TOKENS, temperature=TEMPERATURE)
        begun, first = monotonic(), True
        async with aclosing(stream) as deltas:
            async for delta in deltas:
                if first:
                    yield model_noted(self._model_id, delta, monotonic() - begun)
                    first = False
                for sentence in answer.feed(delta.text):
                    yield self._memory.noticed(Say(sentence))
                if answer.is_over:
                    break
        for sentence in answer.finish():
            yield self._memory.noticed(Say(sentence))


async def _nothing() -> AsyncGenerator[Step, None]:
    no_steps: tuple[Step, ...] = ()
    for step in no_steps:
        yield step
