"""Any OpenAI-compatible chat, streamed, with tools."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx

from ..errors import EngineError, Outcome
from ..types import ChatDelta, ChatMessage, Priority, Timing, TokensUsed, Tool, ToolCall
from .http import LoopClients, Party, refusal, transport_error

logger = logging.getLogger(__name__)

_TIMEOUT = httpx.Timeout(30.0, connect=5.0)  # reading: until the next piece
_QUOTED = 200  # characters of an answer that is something else
_COUNTED = {"stream_options": {"include_usage": True}}
_DONE = "[DONE]"
_MOST_CALLS = 64  # in one answer; an index beyond is no call


class OpenAIChat:
    """Meets ChatModel. `base_url` ends before /chat/completions; `schema` is a JSON schema that each answer
    keeps to, one of those that OpenAI calls strict."""

    def __init__(
        self,
        *,
        name: str,
        base_url: str,
        api_key: str,
        model: str,
        key_setting: str = "",
        schema: Mapping[str, Any] | None = None,
    ) -> None:
        self._name, self._model, self._schema = name, model, schema
        self.engine = f"{name} {model}"  # as its answers tell it
        self._is_asked_to_count = True  # until it refuses to be
        self._party = Party(name, token_setting=key_setting, token=api_key)
        self._clients = LoopClients(base_url, timeout=_TIMEOUT, headers=self._party.headers)

    async def close(self) -> None:
        await self._clients.close()

    async def reply(
        self,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int = 150,
        temperature: float = 0.7,
        tools: Sequence[Tool] = (),
        priority: Priority = "live",
    ) -> AsyncGenerator[ChatDelta, None]:
        """Words as they come, then the calls, which arrive in fragments and are told whole, then how many
        tokens it took, if the server tells. It knows no priorities."""
        body = {
            "model": self._model,
            "messages": [_message(message) for message in messages],
            "max_tokens": max_tokens,
            "temperature": temperature,
            "stream": True,
        }
        if self._schema is not None:
            named = {"name": "answer", "strict": True, "schema": self._schema}
            body["response_format"] = {"type": "json_schema", "json_schema": named}
        if tools:
            body["tools"] = [{"type": "function", "function": asdict(tool)} for tool in tools]
        if self._is_asked_to_count:
            try:
                async with aclosing(self._answer(body | _COUNTED)) as deltas:
                    async for delta in deltas:
                        yield delta
                return
            except EngineError as error:
                if not _is_about_counting(error):
                    raise
                logger.info("%s is not asked to count tokens any more: %s", self._name, error)
                self._is_asked_to_count = False
        async with aclosing(self._answer(body)) as deltas:
            async for delta in deltas:
                yield delta

    async def _answer(self, body: dict[str, Any]) -> AsyncGenerator[ChatDelta, None]:
        asked = time.monotonic()

        def delta(text: str = "", **told: Any) -> ChatDelta:
            return ChatDelta(text, Timing(compute_seconds=time.monotonic() - asked), self.engine, **told)

        begun = False
        heard = _Heard()
        try:
            async with self._clients.get().stream("POST", "/chat/completions", json=body) as response:
                if not response.is_success:
                    raise await refusal(response, self._party, "llm")
                begun = True
                async for data in self._events(response):
                    if data == _DONE:
                        heard.is_whole = True
                    elif text := self._take(data, heard):
                        yield delta(text)
        except httpx.HTTPError as error:
            raise transport_error(error, self._party, "llm", begun=begun) from error
        if not heard.is_whole:
            raise EngineError(
                f"{self._name} broke off in the middle of an answer: it says nowhere that it ends",
                service="llm",
                outcome=Outcome.CUT_SHORT,
            )
        for _, call in sorted(heard.calls.items()):
            yield delta(tool_call=self._whole(call))
        if heard.used or heard.is_cut:
            yield delta(used=heard.used, is_cut=heard.is_cut)

    async def _events(self, response: httpx.Response) -> AsyncGenerator[str, None]:
        """The data of each event; an answer without any, as a page to log in, is an error that quotes it."""
        begun, other = False, ""
        async for line in response.aiter_lines():
            if line.startswith("data:"):
                begun = True
                yield line[5:].strip()
            elif len(other) < _QUOTED:
                other += line
        if not begun:
            kind = response.headers.get("content-type", "no type")
            raise EngineError(
                f"{self._name} sent no events (HTTP {response.status_code}, {kind}): "
                f"{self._party.quote(other)}",
                service="llm",
                outcome=Outcome.HTML_PAGE if "html" in kind else Outcome.NOT_JSON,
            )

    def _take(self, data: str, heard: _Heard) -> str:
        """The words in one event, whose other parts are put to `heard`; an error in the stream is raised."""
        try:
            event: Any = json.loads(data)
            if "error" in event:
                raise EngineError(f"{self._name}: {self._party.quote(str(event['error']))}", service="llm")
            heard.used = _tokens(event.get("usage")) or heard.used  # some tell it as they go
            choices = event.get("choices") or [{}]  # the last event may only count tokens
            reason = choices[0].get("finish_reason")
            heard.is_whole |= bool(reason)
            heard.is_cut |= reason == "length"
            delta = choices[0].get("delta") or {}
            for position, fragment in enumerate(delta.get("tool_calls") or ()):
                index = int(fragment.get("index", position))
                if not 0 <= index < _MOST_CALLS:
                    raise ValueError(f"a call of index {index}")
                heard.calls.setdefault(index, _Call()).add(fragment)
            return str(delta.get("content") or "")
        except (ValueError, AttributeError, TypeError, KeyError) as error:
            raise EngineError(
                f"{self._name} sent an event that cannot be read",
                service="llm",
                outcome=Outcome.WRONG_FIELDS,
            ) from error

    def _whole(self, call: _Call) -> ToolCall:
        try:
            arguments = json.loads(call.arguments or "{}")
        except ValueError:
            arguments = None
        if not call.name or not isinstance(arguments, dict):
            raise EngineError(
                f"{self._name} asked for the tool {self._party.quote(call.name)!r} with arguments that "
                f"cannot be read: {self._party.quote(call.arguments)}",
                service="llm",
            )
        return ToolCall(call.id, call.name, arguments)


@dataclass
class _Call:
    """A call while its fragments arrive."""

    id: str = ""
    name: str = ""
    arguments: str = ""

    def add(self, fragment: dict[str, Any]) -> None:
        function = fragment.get("function") or {}
        self.id = fragment.get("id") or self.id
        self.name = function.get("name") or self.name
        self.arguments += function.get("arguments") or ""


@dataclass
class _Heard:
    """What of an answer is told at its end."""

    calls: dict[int, _Call] = field(default_factory=dict)  # by index
    used: TokensUsed | None = None
    is_whole: bool = False  # it said that it ends; some only say why, others only that
    is_cut: bool = False  # since it was as long as it may be


def _tokens(usage: Any) -> TokensUsed | None:
    """None where a server tells nothing, or nonsense: then its tokens are estimated."""
    if not isinstance(usage, dict):
        return None
    prompt, answer = usage.get("prompt_tokens"), usage.get("completion_tokens", 0)
    if not (isinstance(prompt, int) and isinstance(answer, int)) or prompt < 0 or answer < 0:
        return None
    return TokensUsed(prompt, answer)


def _is_about_counting(error: EngineError) -> bool:
    return error.status in (400, 422) and any(
        name in str(error) for name in ("stream_options", "include_usage")
    )


def _message(message: ChatMessage) -> dict[str, Any]:
    """As the protocol has it: what does not apply to a message is left out."""
    fields: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        fields["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": json.dumps(call.arguments)},
            }
            for call in message.tool_calls
        ]
    if message.role == "tool":
        fields["tool_call_id"] = message.tool_call_id
    return fields
