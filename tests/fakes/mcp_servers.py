"""A clinic that offers tools by MCP, served by the package `mcp` itself, in each way that it can answer."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp_types import ToolAnnotations
from starlette.types import ASGIApp, Receive, Scope, Send

WAYS = {
    "stateful, events": {},
    "stateful, JSON": {"json_response": True},
    "stateless, events": {"stateless_http": True},
    "stateless, JSON": {"stateless_http": True, "json_response": True},
}
KEY = "Bearer swordfish"


@dataclass
class Clinics:
    """`urls` by the way in which they answer; `asked` are the methods and headers that came, by `connections`
    from these ports."""

    urls: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    connections: set[int] = field(default_factory=set)


def clinic() -> MCPServer:
    server = MCPServer("Clinic", version="3.1", title="Harbour Clinic")

    @server.tool(annotations=ToolAnnotations(readOnlyHint=True))
    def find_booking(number: int, day: str | None = None) -> dict[str, Any]:
        """Finds a booking by its number."""
        return {"number": number, "guest": {"name": "Anna"}, "day": day or "Monday"}

    @server.tool(structured_output=False)
    async def openingHours(context: Context) -> str:
        """When the clinic is open, told after a word of progress."""
        await context.report_progress(1, 2)
        return "From nine to five."

    @server.tool()
    def cancel(number: int) -> str:
        raise ValueError(f"There is no booking {number}.")

    return server


@contextmanager
def clinics() -> Iterator[Clinics]:
    """All of them, on one loop in a thread of its own."""
    found = Clinics()
    servers = []
    for way, how in WAYS.items():
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        listening.listen()  # who asks before it serves waits
        found.urls[way] = f"http://127.0.0.1:{listening.getsockname()[1]}/mcp"
        app = _guarded(clinic().streamable_http_app(**how), found)
        servers.append((uvicorn.Server(uvicorn.Config(app, log_level="warning")), listening))

    async def serve() -> None:
        await asyncio.gather(*(server.serve([listening]) for server, listening in servers))

    thread = Thread(target=asyncio.run, args=[serve()], daemon=True)
    thread.start()
    yield found
    for server, _ in servers:
        server.should_exit = True
    thread.join(10)


def _guarded(app: ASGIApp, found: Clinics) -> ASGIApp:
    """Answers only whoever has the key."""

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = {name.decode(): value.decode() for name, value in scope["headers"]}
            found.asked.append((scope["method"], headers))
            found.connections.add(scope["client"][1])
            if headers.get("authorization") != KEY:
                await send({"type": "http.response.start", "status": 401, "headers": []})
                await send({"type": "http.response.body", "body": b""})
                return
        await app(scope, receive, send)

    return guard
