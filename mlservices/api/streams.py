"""Bytes that are sent while they are made."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from ..errors import EngineTimeout

_AHEAD = 8  # pieces that are made before they are taken
_TAKEN_WITHIN_SECONDS = 60.0  # or whoever listens is taken for gone


class Stream:
    """What a generator yields, run in a task of its own: it begins before the answer does, so that a fault
    still gets its status, and ends with the answer, so that the engine is freed whoever closes it."""

    def __init__(self, pieces: AsyncGenerator[bytes, None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._made: asyncio.Queue[bytes] = asyncio.Queue(_AHEAD)
        self._first: bytes | None = None
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._make(pieces))
        self._task.add_done_callback(self._ended)

    async def begin(self) -> bool:
        """Waits for the first piece, or raises what went wrong with it; False if there is none."""
        try:
            self._first = await self._next()
        except asyncio.CancelledError:
            self._task.cancel()
            raise
        return self._first is not None

    def __aiter__(self) -> Stream:
        return self

    async def __anext__(self) -> bytes:
        piece, self._first = self._first, None
        if piece is None:
            piece = await self._next()
        if piece is None:
            raise StopAsyncIteration
        return piece

    def close(self) -> None:
        """From any thread."""
        self._loop.call_soon_threadsafe(self._task.cancel)

    async def _make(self, pieces: AsyncGenerator[bytes, None]) -> None:
        async with aclosing(pieces):
            async for piece in pieces:
                try:
                    async with asyncio.timeout(_TAKEN_WITHIN_SECONDS):
                        await self._made.put(piece)
                except TimeoutError:
                    raise EngineTimeout("What was made was not taken in time.") from None
                self._news.set()

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            task.exception()  # or it would be logged where nobody asks any more
        self._news.set()

    async def _next(self) -> bytes | None:
        """None at the end; raises what ended it early."""
        while self._made.empty():
            if self._task.done():
                self._task.result()
                return None
            self._news.clear()
            await self._news.wait()
        return self._made.get_nowait()
