"""Stand-ins for the models that a conversation asks."""

from __future__ import annotations

import zlib
from collections.abc import AsyncGenerator, Sequence

import numpy as np
from numpy.typing import NDArray

from mlservices.errors import EngineError
from mlservices.types import ChatDelta, ChatMessage, Priority, Tool, ToolCall

DIMENSIONS = 4096
_EMPTY_WORDS = {
    "a",
    "an",
    "the",
    "to",
    "of",
    "for",
    "in",
    "on",
    "i",
    "me",
    "my",
    "you",
    "is",
    "are",
    "do",
    "can",
    "or",
}


class WordEmbedder:
    """Two texts are as near as the share of words they have in common. Counts what it is asked."""

    def __init__(self) -> None:
        self.requests: list[list[str]] = []
        self.failures = 0  # how many of the next requests fail

    async def embed(self, texts: Sequence[str], *, priority: str = "live") -> NDArray[np.float32]:
        self.requests.append(list(texts))
        if self.failures:
            self.failures -= 1
            raise EngineError("The worker died.", service="embed")
        return np.stack([_vector(text) for text in texts])


def _vector(text: str) -> NDArray[np.float32]:
    words = text.lower().split()
    row = np.zeros(DIMENSIONS, np.float32)
    for word in set(words) - _EMPTY_WORDS or set(words):
        row[zlib.crc32(word.encode()) % DIMENSIONS] = 1.0
    return row / np.linalg.norm(row)


class ScriptedModel:
    """Answers what it was given, one answer a request, word by word; remembers what it was shown."""

    def __init__(self, *answers: str | EngineError) -> None:
        self._answers = list(answers)
        self.shown: list[list[ChatMessage]] = []
        self.priorities: list[Priority] = []
        self.closed = 0  # requests that were given up before their end

    async def reply(
        self,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int = 150,
        temperature: float = 0.7,
        tools: Sequence[Tool] = (),
        priority: Priority = "live",
    ) -> AsyncGenerator[ChatDelta, None]:
        self.shown.append(list(messages))
        self.priorities.append(priority)
        answer = self._answers.pop(0)
        if isinstance(answer, EngineError):
            raise answer
        try:
            for piece in answer.split(" "):
                yield ChatDelta(piece + " ")
        except GeneratorExit:
            self.closed += 1
            raise


class Calling:
    """A model that answers with words, a call or several; remembers what it was shown and offered."""

    def __init__(self, *answers: str | ToolCall | Sequence[ToolCall], refuses: bool = False) -> None:
        self.answers = list(answers)
        self.refuses = refuses
        self.shown: list[list[ChatMessage]] = []
        self.offered: list[list[str]] = []

    async def reply(
        self, messages: Sequence[ChatMessage], *, tools: Sequence[Tool] = (), **how: object
    ) -> AsyncGenerator[ChatDelta, None]:
        if self.refuses and (tools or any(each.role == "tool" for each in messages)):
            raise EngineError("It cannot use tools.", service="llm", permanent=True)
        self.shown.append(list(messages))
        self.offered.append([each.name for each in tools])
        answer = self.answers.pop(0)
        if isinstance(answer, str):
            yield ChatDelta(answer)
        else:
            for call in [answer] if isinstance(answer, ToolCall) else answer:
                yield ChatDelta("", tool_call=call)
