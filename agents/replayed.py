"""Language models whose earlier answers are known: nothing is asked twice when turns are played again."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from mlservices.interfaces import ChatModel
from mlservices.types import ChatDelta, ChatMessage, Priority, Tool, ToolCall

_CALL = "\x1e"  # ASCII's separator of records: before each tool call of an answer, as JSON


@dataclass(slots=True)
class Recording:
    """What models answered in each turn, in the order in which they were asked; several models may share it,
    as those of agents who hand a call over do."""

    turns: Sequence[Sequence[str]] = ()
    turn: int = 0
    answers: list[str] = field(default_factory=list)  # of this turn, recorded or new

    def next_turn(self) -> None:
        self.turn += 1
        self.answers = []


class ReplayedModel:
    """A `ChatModel` that gives what is recorded, and asks the true model, which serves calls first, for what
    is not."""

    def __init__(self, model: ChatModel, recording: Recording) -> None:
        self._model = model
        self._recording = recording

    async def reply(
        self,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int = 150,
        temperature: float = 0.7,
        tools: Sequence[Tool] = (),
        priority: Priority = "live",
    ) -> AsyncGenerator[ChatDelta, None]:
        recording = self._recording
        known = recording.turns[recording.turn] if recording.turn < len(recording.turns) else ()
        answers, place = recording.answers, len(recording.answers)
        if place < len(known):
            answers.append(known[place])
            for told in _deltas(known[place]):
                yield told
            return
        answers.append("")
        how: dict[str, Any] = {"max_tokens": max_tokens, "temperature": temperature}
        async for delta in self._model.reply(messages, tools=tools, priority="batch", **how):
            call = _CALL + json.dumps(asdict(delta.tool_call)) if delta.tool_call else ""
            answers[place] += delta.text + call
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
