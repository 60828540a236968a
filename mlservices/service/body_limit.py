"""A bound on what one request may send."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..whole_numbers import whole_number


def _in_our_words(why: str) -> ASGIApp:
    return JSONResponse({"error": why}, status_code=413)


class BodyLimit:
    """Answers 413 to a request whose body is, or turns out to be, larger than `largest` bytes; `refusal`
    makes that answer of why."""

    def __init__(self, app: ASGIApp, largest: int, refusal: Callable[[str], ASGIApp] = _in_our_words) -> None:
        self._app, self._largest, self._made = app, largest, refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told = whole_number(Headers(scope=scope).get("content-length", ""))
        if told is not None and told > self._largest:
            await self._refusal()(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._largest:
                raise _TooLarge
            return message

        async def answered(message: Message) -> None:
            if received <= self._largest:  # else it is the application's own word for _TooLarge
                await send(message)

        with suppress(_TooLarge):
            await self._app(scope, counted, answered)
        if received > self._largest:
            await self._refusal()(scope, receive, send)

    def _refusal(self) -> ASGIApp:
        return self._made(f"The request is larger than {self._largest // 2**20} MB.")


class _TooLarge(Exception):
    pass
