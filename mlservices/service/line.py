"""Who waits for a worker of one model: live calls before batches, in the order in which they came."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from ..errors import EngineError
from ..types import Timing
from ..wire import LONGEST_TEXTS
from .tasks import MANY

if TYPE_CHECKING:
    from .process import Worker

Answer = tuple[dict[str, Any], bytes, Timing]

_numbers = count(1)


@dataclass(eq=False)
class Job:
    """One request. `answers` gets its pieces, then an error or None for its end."""

    task: str
    params: dict[str, Any]
    payload: bytes
    batch: bool = False  # may wait for live calls
    id: int = field(default_factory=lambda: next(_numbers))
    queued_at: float = field(default_factory=time.monotonic)
    taken_at: float = 0.0
    ended_at: float = 0.0  # when its worker was done; whoever asked may read on for long
    attempts: int = 0
    delivered: bool = False
    cancelled: bool = False
    alone: bool = False  # not together with others: one of its group ended the worker
    worker: Worker | None = None
    stood: Callable[[], float] = lambda: 0.0  # seconds in which its worker stood still for live calls
    sound_seconds: float = 0.0  # heard or made
    answers: asyncio.Queue[Answer | EngineError | None] = field(default_factory=asyncio.Queue)

    @property
    def characters(self) -> int:
        """Of the texts that it brings to be done together with those of others."""
        return sum(map(len, self.params.get("texts", ())))

    def timing(self) -> Timing:
        waited = self.taken_at - self.queued_at + self.stood()
        return Timing(waited, (self.ended_at or time.monotonic()) - self.queued_at - waited)


class Line:
    def __init__(self) -> None:
        self._live: deque[Job] = deque()
        self._batch: deque[Job] = deque()
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._live) + len(self._batch)

    def before(self, batch: bool) -> int:
        """How many wait in front of one who comes now."""
        return len(self) if batch else len(self._live)

    def add(self, job: Job) -> None:
        self._of(job).append(job)
        self.wake()

    def put_back(self, job: Job) -> None:
        """To the head: it was there before."""
        self._of(job).appendleft(job)
        self.wake()

    def wake(self) -> None:
        """Whoever waits for work looks again: there is some, or a batch may be taken now."""
        self._changed.set()
        self._changed = asyncio.Event()

    def leave(self, job: Job) -> bool:
        """Whether it was still waiting."""
        if job not in self._of(job):
            return False
        self._of(job).remove(job)
        return True

    def send_away(self, make_error: Callable[[], EngineError]) -> None:
        """All who wait get an error."""
        for waiting in (self._live, self._batch):
            while waiting:
                waiting.popleft().answers.put_nowait(make_error())

    async def take(self, may_batch: Callable[[], bool], at_once: int) -> list[Job]:
        """Who is next; up to `at_once` together where their task can be done for many."""

        while not (waiting := self._live or (self._batch if may_batch() else None)):
            await self._changed.wait()
        return self._group(waiting, at_once)

    @staticmethod
    def _group(waiting: deque[Job], at_once: int) -> list[Job]:
        first = waiting.popleft()
        group, room = [first], LONGEST_TEXTS - first.characters
        if first.task in MANY and not first.alone:
            for job in list(waiting):
                if len(group) >= at_once:
                    break
                if job.task == first.task and not job.alone and job.characters <= room:
                    waiting.remove(job)
                    group.append(job)
                    room -= job.characters
        return group

    def _of(self, job: Job) -> deque[Job]:
        return self._batch if job.batch else self._live
