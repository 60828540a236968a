"""One tool of an MCP server: what it is sent, and what a flow learns of its answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ... import outside
from ...flow.program import ToolResult
from ...models import Tool, ToolServer
from ..answers import content_in, hiding, learned
from . import wire
from .client import HEADERS, result_in, session
from .texts import one_line

_NUMBER = 2  # of the call in its session: 1 begins it
_LONGEST_REASON = 200


class NotOffered(Exception):
    """The server has such a tool no longer."""


def request_for(
    tool: Tool, server: ToolServer, arguments: Mapping[str, Any], secrets: Mapping[str, str]
) -> outside.Request:
    """Raises NotOffered."""
    if tool.gone:
        raise NotOffered(
            f"{server.name} no longer offers {tool.server_tool}. Read its tools again, or use another one."
        )
    called = {"name": tool.server_tool, "arguments": arguments}
    return outside.Request("POST", server.url, HEADERS, secrets, wire.request(_NUMBER, "tools/call", called))


async def ask(request: outside.Request, *, seconds: float, largest: int) -> outside.Answer:
    """The answer to the call, in a session of its own: callers share nothing. Raises Refused, Unanswered."""
    async with session(request.url, request.secrets, seconds=seconds) as opened:
        return await opened.send(request, _NUMBER, largest)


def result_of(answer: outside.Answer, results: Mapping[str, str], secrets: Mapping[str, str]) -> ToolResult:
    """As of an HTTP tool; places are those of the structured content, or of JSON in its text."""
    try:
        result = result_in(answer, _NUMBER)
    except outside.Unanswered as error:
        return ToolResult(ok=False, reason=str(error))
    content = hiding(secrets, content_of(result))
    if result.get("isError") is not True:
        return learned(content, results)
    told = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    reason = f"It reported an error: {one_line(told, _LONGEST_REASON)}"
    return learned(content, results, reason=reason)


def content_of(result: Mapping[str, Any]) -> Any:
    """What the result of a call says: structured, else JSON of its texts, else the texts."""
    if isinstance(structured := result.get("structuredContent"), dict):
        return structured
    parts = result.get("content")
    texts = [
        each["text"]
        for each in (parts if isinstance(parts, list) else [])
        if isinstance(each, dict) and each.get("type") == "text" and isinstance(each.get("text"), str)
    ]
    return content_in("\n".join(texts))
