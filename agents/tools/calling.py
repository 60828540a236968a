"""Asking a tool: checked, sent, asked once more where that does no harm, and told as it was."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

import httpx

from mlservices import types
from mlservices.secret_box import UnreadableSecret, opened

from .. import outside
from ..flow.program import Toolbox, ToolResult
from ..models import Tool, ToolServer
from .answers import HIDDEN, result_of, without
from .arguments import BadArguments, checked
from .mcp import calling as mcp
from .requests import request_for

logger = logging.getLogger(__name__)

LARGEST_ANSWER = 256_000  # bytes
MOST_ATTEMPTS = 2
PAUSE_SECONDS = 0.3  # before it is asked again
_MAY_WORK_LATER = (429, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call of a tool. `request` None: it came to none; `answer` None: there was none."""

    result: ToolResult
    seconds: float
    attempts: int = 0
    request: outside.Request | None = None
    answer: outside.Answer | None = None


def toolbox_of(tools: Mapping[str, Tool]) -> Toolbox:
    """For a call whose flow names these; asks no database."""

    async def call(name: str, arguments: Mapping[str, Any]) -> ToolResult:
        if name not in tools:
            return ToolResult(ok=False, reason=f"There is no tool {name}.")
        done = await exchange(tools[name], arguments)
        logger.info("tool %s: %s in %.2f s", name, "ok" if done.result.ok else "failed", done.seconds)
        return done.result

    return Toolbox(
        call,
        fillers={name: tool.filler for name, tool in tools.items() if tool.filler},
        specs={
            name: types.Tool(name, tool.description, tool.parameters)
            for name, tool in tools.items()
            if not tool.gone
        },
    )


async def exchange(tool: Tool, arguments: Mapping[str, Any]) -> Exchange:
    """Ask it. What goes wrong is told in the result and never raised."""
    begun = monotonic()
    try:
        return await _exchanged(tool, arguments, begun)
    except (BadArguments, mcp.NotOffered, UnreadableSecret, httpx.InvalidURL, ValueError) as error:
        reason = str(error)
    except Exception:
        logger.exception("tool %s could not be asked", tool.name)
        reason = "It could not be asked: the log of the server says why."
    return Exchange(ToolResult(ok=False, reason=reason), monotonic() - begun)


async def _exchanged(tool: Tool, arguments: Mapping[str, Any], begun: float) -> Exchange:
    request = _request(tool, checked(arguments, tool.parameters))
    ask = mcp.ask if tool.server else outside.ask
    answer, reason, attempts, again = None, "", 0, True
    while again and attempts < MOST_ATTEMPTS:
        if attempts:
            await asyncio.sleep(PAUSE_SECONDS)
        answer, attempts = None, attempts + 1
        left = max(tool.seconds - (monotonic() - begun), 0)
        try:
            answer = await ask(request, seconds=left, largest=LARGEST_ANSWER)
        except outside.Refused as error:
            reason, again = str(error), False
        except outside.Unanswered as error:
            reason = (
                f"There was no answer within {tool.seconds:g} seconds." if error.timed_out else str(error)
            )
            again = not error.timed_out and (tool.may_be_repeated or not error.sent)
        else:
            answer = without(request.secrets, answer)
            reason, again = "", tool.may_be_repeated and answer.status in _MAY_WORK_LATER
    result = _understood(tool, request, answer) if answer else ToolResult(ok=False, reason=reason)
    return Exchange(result, monotonic() - begun, attempts, request, answer)


def _request(tool: Tool, arguments: Mapping[str, Any]) -> outside.Request:
    if tool.server:
        return mcp.request_for(tool, tool.server, arguments, secrets_of(tool.server))
    return request_for(tool, arguments, secrets_of(tool))


def _understood(tool: Tool, request: outside.Request, answer: outside.Answer) -> ToolResult:
    if tool.server:
        return mcp.result_of(answer, tool.results, request.secrets)
    return result_of(answer, tool.results)


def secrets_of(owner: Tool | ToolServer) -> dict[str, str]:
    """Its secret headers in the clear. Raises UnreadableSecret."""
    if not owner.secret_headers:
        return {}
    try:
        return dict(json.loads(opened(owner.secret_headers)))
    except UnreadableSecret:
        raise UnreadableSecret(
            f"The secret headers of {owner.name} were encrypted with another key. Enter them again, or put "
            "that key into CREDENTIALS_KEY, after the new one."
        ) from None


def masked(request: outside.Request) -> outside.Request:
    """As it may be shown."""
    hidden = dict.fromkeys(request.secrets, HIDDEN)
    return replace(request, headers={**request.headers, **hidden}, secrets={})
