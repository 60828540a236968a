"""A language model whose earlier answers are known: nothing is asked twice when turns are played again."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from mlservices.interfaces import ChatModel
from mlservices.types import ChatDelta, ChatMessage, Priority, Tool, ToolCall

_CALL = "\x1e"  # ASCII's separator of records: before each tool call of an answer, as JSON


class ReplayedModel:
    """A `ChatModel` that gives each turn its recorded answers, in their order, and asks the true model for
    what is not recorded, which serves calls first."""

    def __init__(self, model: ChatModel, answers: Sequence[Sequence[str]]) -> None:
        self._model = model
        self._recorded = answers
        self._turn = 0
        self.answers: list[str] = []  # of this turn, recorded or new

    def next_turn(self) -> None:
        self._turn += 1
        self.answers = []

    async def reply(
        self,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int = 150,
        temperature: float = 0.7,
        tools: Sequence[Tool] = (),
        priority: Priority = "live",
    ) -> AsyncGenerator[ChatDelta, None]:
        recorded = self._recorded[self._turn] if self._turn < len(self._recorded) else ()
        place = len(self.answers)
        if place < len(recorded):
            self.answers.append(recorded[place])
            for known in _deltas(recorded[place]):
                yield known
            return
        self.answers.append("")
        how: dict[str, Any] = {"max_tokens": max_tokens, "temperature": temperature}
        async for delta in self._model.reply(messages, tools=tools, priority="batch", **how):
            call = _CALL + json.dumps(asdict(delta.tool_call)) if delta.tool_call else ""
            self.answers[place] += delta.text + call
            yield delta


def _deltas(recorded: str) -> Iterator[ChatDelta]:
    """Raises ValueError where it is no recorded answer."""
    text, *calls = recorded.split(_CALL)
    yield ChatDelta(text)
    for each in calls:
        try:
            yield ChatDelta("", tool_call=ToolCall(**json.loads(each)))
        except TypeError:
            raise ValueError("answers: a tool call has an id, a name and arguments.") from None
