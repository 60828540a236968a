"""HTTP answers that stop working when nobody listens any more."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import asdict
from typing import Any

from fastapi.responses import JSONResponse
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ..errors import EngineBusy, EngineError, EngineTimeout
from ..wire import MEDIA_TYPE, pack
from .line import Answer

_JSON = "application/json"

logger = logging.getLogger(__name__)


def error_response(error: EngineError) -> JSONResponse:
    """503 with Retry-After for what may work later, 504 for a deadline, 422 for what never will."""
    body: dict[str, Any] = {"error": str(error), "service": error.service, "permanent": error.permanent}
    if isinstance(error, EngineBusy):
        seconds = max(1, round(error.retry_after))
        body["retry_after"] = seconds
        return JSONResponse(body, status_code=503, headers={"Retry-After": str(seconds)})
    if isinstance(error, EngineTimeout):
        return JSONResponse(body, status_code=504)
    return JSONResponse(body, status_code=422 if error.permanent else 500)


class _UntilDisconnect(Response, ABC):
    """Runs `_answer` and cancels it the moment that the client hangs up."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = asyncio.create_task(self._answer(scope, receive, send))
        hung_up = asyncio.create_task(_disconnect(receive))
        try:
            await asyncio.wait({answer, hung_up}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            answer.cancel()
            hung_up.cancel()
            await asyncio.gather(answer, hung_up, return_exceptions=True)
        if not answer.cancelled():
            answer.result()

    @abstractmethod
    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None: ...


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class Whole(_UntilDisconnect):
    """JSON that `make` computes, or has written already."""

    def __init__(self, make: Callable[[], Awaitable[Any]]) -> None:
        super().__init__()
        self._make = make

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        response: Response
        try:
            made = await self._make()
            response = Response(made, media_type=_JSON) if isinstance(made, bytes) else JSONResponse(made)
        except EngineError as error:
            response = error_response(error)
        await response(scope, receive, send)


class Framed(_UntilDisconnect):
    """The pieces of an answer as `wire.py` frames, each with its timing.

    An error before the first piece has its HTTP status; one after it is a last frame {"error": ...}. An
    answer that is whole ends with {"end": true}: a connection that merely breaks is told apart.
    """

    def __init__(self, pieces: AsyncGenerator[Answer, None]) -> None:
        super().__init__()
        self._pieces = pieces

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False
        async with aclosing(self._pieces) as pieces:
            try:
                async for head, payload, timing in pieces:
                    if not begun:
                        await _begin(send)
                        begun = True
                    await _more(send, pack({**head, "timing": asdict(timing)}, payload))
                last: dict[str, Any] = {"end": True}
            except EngineError as error:
                if not begun:
                    await error_response(error)(scope, receive, send)
                    return
                last = {"error": str(error), "service": error.service, "permanent": error.permanent}
        if not begun:
            await _begin(send)
        await send({"type": "http.response.body", "body": pack(last), "more_body": False})


async def _begin(send: Send) -> None:
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def _more(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})
