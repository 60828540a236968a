"""One model of an ML service, as a language model of its own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from ..types import ChatDelta, ChatMessage, Priority, Tool
from .service import ServiceClient


class ServiceModel:
    """Meets ChatModel: one of a service's models, by its id."""

    def __init__(self, service: ServiceClient, model: str) -> None:
        self._service, self._model = service, model

    async def reply(
        self,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int = 150,
        temperature: float = 0.7,
        tools: Sequence[Tool] = (),
        priority: Priority = "live",
    ) -> AsyncGenerator[ChatDelta, None]:
        how: dict[str, Any] = {"max_tokens": max_tokens, "temperature": temperature, "priority": priority}
        pieces = self._service.reply(messages, model=self._model, tools=tools, **how)
        async with aclosing(pieces):
            async for delta in pieces:
                yield delta
