"""Whoever opened a socket may leave it while it is being written to, which is no fault of anybody's."""

from __future__ import annotations

from contextlib import suppress
from typing import Any


class Gone(ConnectionError):
    """The peer of a socket is there no more."""


class MayLeave:
    """ASGI middleware for sockets. Sending to a peer who is gone raises Gone, which ends the application
    without a word unless it has something to do about that. Once it knows, what it still says is dropped.

    uvicorn raises an OSError, and RuntimeError once the end has been told; daphne, as we run it, an OSError
    between the peer's close and the end of the connection. Else these two drop it, as granian does.
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        peer = _Peer(receive, send)
        with suppress(Gone):
            await self._app(scope, peer.receive, peer.send)


class _Peer:
    def __init__(self, receive: Any, send: Any) -> None:
        self._receive, self._send = receive, send
        self._left = False

    async def receive(self) -> dict[str, Any]:
        message: dict[str, Any] = await self._receive()
        self._left = self._left or message["type"] == "websocket.disconnect"
        return message

    async def send(self, message: dict[str, Any]) -> None:
        if self._left:
            return
        try:
            await self._send(message)
        except OSError as error:
            self._left = True
            raise Gone from error
