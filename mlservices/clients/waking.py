"""A service that may be asleep is asked again, with growing pauses, inside a budget.

A Space sleeps; its first answer takes up to two minutes. 503, 504 and a 500 that says "not loaded" mean
"waking up". What has answered is awake, and gets less time until it falls asleep again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import httpx

from ..errors import EngineError

_FIRST_CALL_SECONDS = 120.0
_WARM_CALL_SECONDS = 30.0
_LONGEST_PAUSE_SECONDS = 15.0
_CONNECT_SECONDS = 5.0


class Waking:
    """What is known of one service, path by path."""

    def __init__(
        self,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.now, self.sleep = now, sleep
        self.awake: set[str] = set()

    def ask(self, path: str) -> Attempts:
        return Attempts(self, path)


class Attempts:
    """One request and its repetitions."""

    def __init__(self, waking: Waking, path: str) -> None:
        self._waking, self._path = waking, path
        self._started = waking.now()
        self._budget = _WARM_CALL_SECONDS if path in waking.awake else _FIRST_CALL_SECONDS
        self._pause = 1.0

    def waited(self) -> float:
        """Seconds since the first attempt."""
        return self._waking.now() - self._started

    def timeout(self) -> httpx.Timeout:
        """For the next attempt: what is left of the budget."""
        return httpx.Timeout(max(self._budget - self.waited(), 1.0), connect=_CONNECT_SECONDS)

    async def after(self, error: EngineError) -> None:
        """Pause before the next attempt; raises `error` when there is to be none."""
        cold = error.status == 500 and "not loaded" in str(error).lower()
        if not cold and error.status not in (503, 504):
            raise error
        self._waking.awake.discard(self._path)  # it has fallen asleep again
        self._budget = _FIRST_CALL_SECONDS
        if self.waited() + self._pause > self._budget:
            raise error
        await self._waking.sleep(self._pause)
        self._pause = min(self._pause * 2, _LONGEST_PAUSE_SECONDS)

    def answered(self) -> None:
        self._waking.awake.add(self._path)
