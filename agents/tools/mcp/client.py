"""Asking an MCP server by Streamable HTTP, through `outside`.

Of our own, since the client of the package `mcp` holds what a tool answers against a schema of its server,
whose patterns may take for ever on the loop of live calls; it also takes 39 MB and half a second to import.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from time import monotonic
from typing import Any

import httpx

from ... import outside
from ..answers import content_of, without
from . import wire
from .texts import one_line

CLIENT = {"name": "VoiceForge", "version": "1"}
HEADERS = {"Content-Type": "application/json", "Accept": f"application/json, {wire.EVENTS}"}
_LONGEST_SESSION_ID = 1_000
_PARTING_SECONDS = 0.5  # the caller waits for it
_LONGEST_REASON = 300
_REMEDIES = {
    401: "Check the secret headers.",
    403: "Check the secret headers.",
    404: "Check the address: it often ends in /mcp.",
    405: "Check the address: it often ends in /mcp.",
}


class Session:
    """One conversation with a server, begun and ended by `session`."""

    def __init__(
        self, url: str, secrets: Mapping[str, str], connections: httpx.AsyncClient, ends: float
    ) -> None:
        self.about: dict[str, Any] = {}  # what the server told of itself
        self._connections = connections
        self._ends = ends
        self._number = 1  # of the last request
        self._named: dict[str, str] = {}  # headers that each request has from now on
        self._empty = outside.Request("POST", url, HEADERS, secrets)

    async def begin(self) -> None:
        told = {"protocolVersion": wire.NEWEST, "capabilities": {}, "clientInfo": CLIENT}
        answer = await self.send(replace(self._empty, body=wire.request(1, "initialize", told)), 1)
        self.about = result_in(answer, 1)
        version = self.about.get("protocolVersion")
        if version not in wire.SPOKEN:
            known = ", ".join(wire.SPOKEN)
            raise outside.Unanswered(
                f"{_host(answer)} speaks version {str(version)[:20]} of MCP; the ones known are {known}."
            )
        self._named = {"MCP-Protocol-Version": version}
        if named := answer.headers.get("mcp-session-id", ""):
            if len(named) > _LONGEST_SESSION_ID or not (named.isascii() and named.isprintable()):
                raise outside.Unanswered(f"{_host(answer)} named a session that cannot be named again.")
            self._named["Mcp-Session-Id"] = named
        noted = await self.send(
            replace(self._empty, body=wire.notification("notifications/initialized")), None
        )
        if noted.status >= 300:
            raise outside.Unanswered(_refusal(noted))

    async def ask(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Its result. Raises Refused and Unanswered."""
        self._number += 1
        request = replace(self._empty, body=wire.request(self._number, method, params))
        return result_in(await self.send(request, self._number), self._number)

    async def send(
        self, request: outside.Request, number: int | None, largest: int = outside.LARGEST_ANSWER
    ) -> outside.Answer:
        """The answer to request `number`, out of its stream, without secrets; None: there is to be none."""
        listener = wire.Listener(number or 0)
        answer = await outside.ask(
            replace(request, headers={**request.headers, **self._named}),
            seconds=self._ends - monotonic(),
            largest=largest,
            enough=listener.hear if number else lambda piece: True,
            through=self._connections,
        )
        if answer.content_type == wire.EVENTS:
            listener.hear(b"\n\n")  # which some leave out at the end
        if listener.message:
            told = {**answer.headers, "content-type": "application/json"}
            answer = replace(answer, headers=told, body=wire.encoded(listener.message))
        return without(request.secrets, answer)

    async def end(self) -> None:
        """A server that keeps a session may forget it."""
        if "Mcp-Session-Id" not in self._named:
            return
        self._ends = monotonic() + _PARTING_SECONDS
        with suppress(outside.Refused, outside.Unanswered):
            await self.send(replace(self._empty, method="DELETE"), None)


@asynccontextmanager
async def session(url: str, secrets: Mapping[str, str], *, seconds: float) -> AsyncGenerator[Session, None]:
    """All that is asked in it has `seconds` together. Raises Refused and Unanswered."""
    async with outside.connections() as connections:
        opened = Session(url, secrets, connections, monotonic() + seconds)
        try:
            await opened.begin()
            yield opened
        finally:
            await opened.end()


def result_in(answer: outside.Answer, number: int) -> dict[str, Any]:
    """Of request `number`. Raises Unanswered."""
    message = wire.answering(number, content_of(answer))
    if message and isinstance(message.get("result"), dict):
        result: dict[str, Any] = message["result"]
        return result
    if message:
        told = one_line(message["error"].get("message"), _LONGEST_REASON)
        raise outside.Unanswered(f"{_host(answer)} refused: {told}")
    raise outside.Unanswered(_refusal(answer))


def _refusal(answer: outside.Answer) -> str:
    if 200 <= answer.status < 300:
        return f"What {_host(answer)} answered is no MCP. {_REMEDIES[404]}"
    return f"{_host(answer)} answered {answer.status}. {_REMEDIES.get(answer.status, '')}".rstrip()


def _host(answer: outside.Answer) -> str:
    return httpx.URL(answer.url).host
