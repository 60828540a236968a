"""What the sockets of our pages have in common: JSON out, and an end when the person may not stay."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import orjson

SIGNED_OUT = 4401  # a page whose socket is closed with this reloads, and is then told why

Message = dict[str, Any]


class PageSocket:
    """One socket; `send` is the server's."""

    def __init__(self, send: Any) -> None:
        self._socket_send = send

    async def _run(self, *parts: Coroutine[Any, Any, None]) -> None:
        """All parts until the first of them ends. PermissionError from one tells the page to sign in."""
        tasks = [asyncio.create_task(part) for part in parts]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except PermissionError:
            await self._error("signed_out", "Sign in again.")
            await self._socket_send({"type": "websocket.close", "code": SIGNED_OUT})
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _error(self, code: str, message: str) -> None:
        await self._send({"t": "error", "code": code, "message": message})

    async def _send(self, message: Message) -> None:
        await self._socket_send({"type": "websocket.send", "text": orjson.dumps(message).decode()})
