"""Any OpenAI-compatible chat, streamed."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import asdict
from typing import Any

import httpx

from ..errors import EngineError, Outcome
from ..types import ChatDelta, ChatMessage, Timing
from .http import LoopClients, Party, refusal, transport_error

_TIMEOUT = httpx.Timeout(30.0, connect=5.0)  # reading: until the next piece
_QUOTED = 200  # characters of an answer that is something else


class OpenAIChat:
    """Meets ChatModel. `base_url` ends before /chat/completions."""

    def __init__(self, *, name: str, base_url: str, api_key: str, model: str, key_setting: str = "") -> None:
        self._name, self._model = name, model
        self._engine = f"{name} {model}"
        self._party = Party(name, token_setting=key_setting, token=api_key)
        self._clients = LoopClients(base_url, timeout=_TIMEOUT, headers=self._party.headers)

    async def close(self) -> None:
        await self._clients.close()

    async def reply(
        self, messages: Sequence[ChatMessage], *, max_tokens: int = 150, temperature: float = 0.7
    ) -> AsyncGenerator[ChatDelta, None]:
        body = {
            "model": self._model,
            "messages": [asdict(message) for message in messages],
            "max_tokens": max_tokens,
            "temperature": temperature,
            "stream": True,
        }
        asked = time.monotonic()
        begun = False
        try:
            async with self._clients.get().stream("POST", "/chat/completions", json=body) as response:
                if not response.is_success:
                    raise await refusal(response, self._party, "llm")
                begun = True
                async for data in self._events(response):
                    text = self._text(data)
                    if text:
                        timing = Timing(compute_seconds=time.monotonic() - asked)
                        yield ChatDelta(text, timing, engine=self._engine)
        except httpx.HTTPError as error:
            raise transport_error(error, self._party, "llm", begun=begun) from error

    async def _events(self, response: httpx.Response) -> AsyncGenerator[str, None]:
        """The data of each event; an answer without any, as a page to log in, is an error that quotes it."""
        begun, other = False, ""
        async for line in response.aiter_lines():
            if line.startswith("data:"):
                begun = True
                if (data := line[5:].strip()) != "[DONE]":
                    yield data
            elif len(other) < _QUOTED:
                other += line
        if not begun:
            kind = response.headers.get("content-type", "no type")
            raise EngineError(
                f"{self._name} sent no events (HTTP {response.status_code}, {kind}): {other[:_QUOTED]}",
                service="llm",
                outcome=Outcome.HTML_PAGE if "html" in kind else Outcome.NOT_JSON,
            )

    def _text(self, data: str) -> str:
        """The words in one event; an error in the middle of the stream is raised."""
        try:
            event: Any = json.loads(data)
            if "error" in event:
                raise EngineError(f"{self._name}: {event['error']}", service="llm")
            choices = event.get("choices") or [{}]  # the last event may only count tokens
            return choices[0].get("delta", {}).get("content") or ""
        except (ValueError, AttributeError, TypeError, KeyError) as error:
            raise EngineError(
                f"{self._name} sent an event that cannot be read",
                service="llm",
                outcome=Outcome.WRONG_FIELDS,
            ) from error
