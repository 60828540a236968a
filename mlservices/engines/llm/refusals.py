"""What a language model without tools answers to whoever offers it some."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import EngineError
from ...types import ChatMessage, Tool


def refuse_tools(model_name: str, messages: Sequence[ChatMessage], tools: Sequence[Tool]) -> None:
    """EngineError for tools, and for messages about them."""
    if tools or any(message.role == "tool" or message.tool_calls for message in messages):
        raise EngineError(
            f"{model_name} cannot use tools: choose another language model for an agent that has some",
            service="llm",
            permanent=True,
        )
