"""Models and tools whose earlier answers are known: nothing is asked twice when turns are played again."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from mlservices.interfaces import ChatModel
from mlservices.json_text import json_of
from mlservices.types import ChatDelta, ChatMessage, Priority, Tool, ToolCall

from .flow.program import CallTool, ToolResult

_CALL = "\x1e"  # ASCII's separator of records: before each tool call of an answer, as JSON


@dataclass(slots=True)
class Recording:
    """What was answered in each turn, in the order in which it was asked; several models may share one, as
    those of agents who hand a call over do."""

    turns: Sequence[Sequence[str]] = ()
    turn: int = 0
    answers: list[str] = field(default_factory=list)  # of this turn, recorded or new

    def next_turn(self) -> None:
        self.turn += 1
        self.answers = []

    def known(self) -> str | None:
        """The next recorded answer of this turn, None where there is none; then record one."""
        recorded = self.turns[self.turn] if self.turn < len(self.turns) else ()
        place = len(self.answers)
        return recorded[place] if place < len(recorded) else None


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
        answers, place = self._recording.answers, len(self._recording.answers)
        if (known := self._recording.known()) is not None:
            answers.append(known)
            for told in _deltas(known):
                yield told
            return
        answers.append("")
        how: dict[str, Any] = {"max_tokens": max_tokens, "temperature": temperature}
        async for delta in self._model.reply(messages, tools=tools, priority="batch", **how):
            call = _CALL + json.dumps(asdict(delta.tool_call)) if delta.tool_call else ""
            answers[place] += delta.text + call
            yield delta


class ReplayedTools:
    """A `CallTool` that gives what is recorded for a tool with these arguments, each answer once and in their
    order, and calls the true tools for what is not. Once all are given, the last is given again, unless the
    caller `asks_anew`."""

    def __init__(self, call_tool: CallTool, recorded: Sequence[str]) -> None:
        """Raises ValueError where `recorded` are no answers of tools."""
        self.answers: list[str] = []  # of this turn, recorded or new
        self.asks_anew = False
        self._call_tool = call_tool
        self._known: dict[str, deque[ToolResult]] = {}
        for each in recorded:
            key, result = _called(each)
            self._known.setdefault(key, deque()).append(result)
        self._last = {key: results[-1] for key, results in self._known.items()}

    async def __call__(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        key = _key(name, arguments)
        if known := self._known.get(key):
            result = known.popleft()
        elif key in self._last and not self.asks_anew:
            result = self._last[key]
        else:
            result = await self._call_tool(name, arguments)
        self.answers.append(as_recorded(name, arguments, result))
        return result

    def next_turn(self) -> None:
        self.answers = []


def as_recorded(name: str, arguments: Mapping[str, Any], result: ToolResult) -> str:
    return json.dumps({"name": name, "arguments": dict(arguments), **asdict(result)}, default=str)


def _called(recorded: str) -> tuple[str, ToolResult]:
    """The key of the call, and what came of it. Raises ValueError where it is no recorded answer."""
    try:
        told = json_of(recorded)
        result = ToolResult(**told_of(told))
        return _key(str(told["name"]), dict(told["arguments"])), result
    except (TypeError, AttributeError, KeyError):
        raise ValueError("tools: an answer has name, arguments, ok, values, text and reason.") from None


def told_of(told: dict[str, Any]) -> dict[str, Any]:
    """Of the types that it is made of: a browser has had it. Raises TypeError, ValueError, KeyError."""
    texts = {name: str(told[name]) for name in ("text", "reason")}
    return {"ok": bool(told["ok"]), "values": dict(told["values"]), **texts}


def _key(name: str, arguments: Mapping[str, Any]) -> str:
    return json.dumps([name, arguments], sort_keys=True, default=str)


def _deltas(recorded: str) -> Iterator[ChatDelta]:
    """Raises ValueError where it is no recorded answer."""
    text, *calls = recorded.split(_CALL)
    yield ChatDelta(text)
    for each in calls:
        try:
            yield ChatDelta("", tool_call=ToolCall(**json_of(each)))
        except TypeError:
            raise ValueError("answers: a tool call has an id, a name and arguments.") from None
