"""Pools of worker processes: requests wait in a bounded queue, are served one a worker, and survive a crash.

A worker that ends, or is silent past its deadline, is replaced, at once the first time and with growing
pauses after; requests wait for it, unless it could not even load its models. Its request goes back to the
head of the queue once, if nothing of the answer was delivered; otherwise it fails. Everybody else only waits
a little longer.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from pathlib import Path
from typing import Any

from ..errors import EngineBusy, EngineError, EngineTimeout
from ..types import Timing
from .layout import PoolPlan
from .process import WorkerGone, WorkerProcess

logger = logging.getLogger(__name__)

Answer = tuple[dict[str, Any], bytes, Timing]

_ATTEMPTS = 2
_LONGEST_PAUSE_SECONDS = 30.0
_LONGEST_PAUSE_WHILE_WAITED_FOR_SECONDS = 5.0
_STEADY_SECONDS = 60.0  # a worker that lived so long starts anew without a pause
_LOADING_RETRY_SECONDS = 3.0


class State(StrEnum):
    STARTING = "starting"
    LOADING = "loading"
    READY = "ready"
    BUSY = "busy"
    FAILED = "failed"


_job_numbers = count(1)


@dataclass(eq=False)
class _Job:
    task: str
    params: dict[str, Any]
    payload: bytes
    id: int = field(default_factory=lambda: next(_job_numbers))
    queued_at: float = field(default_factory=time.monotonic)
    taken_at: float = 0.0
    attempts: int = 0
    delivered: bool = False
    cancelled: bool = False
    worker: WorkerProcess | None = None
    answers: asyncio.Queue[Answer | EngineError | None] = field(default_factory=asyncio.Queue)

    def timing(self) -> Timing:
        now = time.monotonic()
        return Timing(queue_seconds=self.taken_at - self.queued_at, compute_seconds=now - self.taken_at)


@dataclass
class _Seat:
    """The place of one worker in its pool; processes come and go in it."""

    number: int
    state: State = State.STARTING
    reason: str = ""
    pid: int = 0
    failures: int = 0  # in a row


class Pool:
    """One pool; `start` it on the running loop, `close` it before the loop ends."""

    def __init__(self, plan: PoolPlan, models_dir: Path) -> None:
        self.plan = plan
        self._models_dir = models_dir
        self._seats = [_Seat(number) for number in range(plan.workers)]
        self._queue: deque[_Job] = deque()
        self._work = asyncio.Condition()
        self._keepers: list[asyncio.Task[None]] = []
        self._was_ready = False
        self._mean_seconds = 0.5  # of compute a request, for retry_after
        self.counts = {"served": 0, "failed": 0, "retried": 0, "cancelled": 0, "refused": 0, "restarts": 0}

    def start(self) -> None:
        self._keepers = [asyncio.create_task(self._keep(seat)) for seat in self._seats]

    async def close(self) -> None:
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        for job in self._queue:
            job.answers.put_nowait(self._stopping())

    # --- For those who ask ---

    async def run(
        self, task: str, params: dict[str, Any], payload: bytes = b""
    ) -> AsyncGenerator[Answer, None]:
        """The answer in pieces. Closing the generator frees the worker at its next piece.

        EngineBusy when the queue is full or no worker can be expected soon; EngineTimeout when a worker
        was silent past its deadline; EngineError for the rest.
        """
        self._refuse_if_hopeless()
        job = _Job(task, params, payload)
        self._queue.append(job)
        async with self._work:
            self._work.notify_all()
        try:
            while (answer := await job.answers.get()) is not None:
                if isinstance(answer, EngineError):
                    self.counts["failed"] += 1
                    raise answer
                yield answer
            self.counts["served"] += 1
        finally:
            self._let_go(job)

    def _refuse_if_hopeless(self) -> None:
        name, idle = self.plan.name, sum(seat.state is State.READY for seat in self._seats)
        queued = max(0, len(self._queue) - idle)  # an idle worker is about to take one
        if queued >= self.plan.queue_limit:
            self.counts["refused"] += 1
            wait = max(1.0, queued * self._mean_seconds / max(1, len(self._seats)))
            raise EngineBusy(f"{name}: {queued} requests are waiting already", service=name, retry_after=wait)
        alive = [seat for seat in self._seats if seat.state is not State.FAILED]
        if not alive:
            self.counts["refused"] += 1
            reason = self._seats[0].reason if self._seats else "it is switched off"
            raise EngineBusy(f"{name} is not available: {reason}", service=name, retry_after=5.0)
        if not self._was_ready:
            self.counts["refused"] += 1
            raise EngineBusy(
                f"{name} is loading its models", service=name, retry_after=_LOADING_RETRY_SECONDS
            )

    def _let_go(self, job: _Job) -> None:
        """The asker is gone, satisfied or not: take the job out of the queue or stop its worker."""
        job.cancelled = True
        if job in self._queue:
            self._queue.remove(job)
            self.counts["cancelled"] += 1
        elif job.worker is not None:
            job.worker.send({"op": "cancel", "id": job.id})
            self.counts["cancelled"] += 1

    def state(self) -> str:
        """ "loaded", or the word that says why not."""
        states = {seat.state for seat in self._seats}
        if states & {State.READY, State.BUSY}:
            return "loaded"
        for state in (State.LOADING, State.STARTING, State.FAILED):
            if state in states:
                return state.value
        return "off"

    def report(self) -> dict[str, Any]:
        workers = [{"state": s.state.value, "pid": s.pid, "reason": s.reason} for s in self._seats]
        return {
            "state": self.state(),
            "queue": len(self._queue),
            "queue_limit": self.plan.queue_limit,
            "workers": workers,
            "mean_seconds": round(self._mean_seconds, 3),
            **self.counts,
        }

    # --- The life of a worker ---

    async def _keep(self, seat: _Seat) -> None:
        """Keep a process in this seat for as long as the pool lives."""
        while True:
            started = time.monotonic()
            seat.state = State.STARTING
            try:
                await self._live(seat)
            except (WorkerGone, TimeoutError, OSError) as error:
                seat.reason = str(error) or "silent past its deadline"
            loaded = seat.state not in (State.STARTING, State.LOADING)
            seat.state, seat.pid = State.STARTING, 0
            if time.monotonic() - started > _STEADY_SECONDS:
                seat.failures = 0
            seat.failures += 1
            self.counts["restarts"] += 1
            logger.warning("%s worker %d: %s; it is replaced", self.plan.name, seat.number, seat.reason)
            if seat.failures > 1:
                pause = 0.5 * 2 ** (seat.failures - 2)
                if loaded:  # it will load again: requests may wait for it
                    await asyncio.sleep(min(pause, _LONGEST_PAUSE_WHILE_WAITED_FOR_SECONDS))
                else:
                    seat.state = State.FAILED
                    self._fail_those_who_wait_in_vain()
                    await asyncio.sleep(min(pause, _LONGEST_PAUSE_SECONDS))

    async def _live(self, seat: _Seat) -> None:
        """One process from its start to its end, which is an exception."""
        process = await WorkerProcess.start(self.plan, self._models_dir)
        seat.pid = process.pid
        try:
            await self._load(seat, process)
            while True:
                await self._serve(seat, process, await self._next_job(process))
        finally:
            await process.stop()

    async def _load(self, seat: _Seat, process: WorkerProcess) -> None:
        while seat.state is not State.READY:
            head, _ = await process.receive(self.plan.load_seconds)
            if head["state"] == State.FAILED:
                raise WorkerGone(head["reason"])
            seat.state = State(head["state"])
        seat.reason = ""
        self._was_ready = True

    async def _next_job(self, process: WorkerProcess) -> _Job:
        """Wait for work, and for the end of the process while there is none."""
        taking = asyncio.create_task(self._take())
        try:
            await asyncio.wait({process.gone, taking}, return_when=asyncio.FIRST_COMPLETED)
            if process.gone.done():
                raise WorkerGone("it ended while idle")
            return taking.result()
        except (WorkerGone, asyncio.CancelledError):
            if taking.done():  # in the very moment in which the process ended
                await self._put_back(taking.result())
            raise
        finally:
            taking.cancel()

    async def _take(self) -> _Job:
        async with self._work:
            await self._work.wait_for(lambda: self._queue)
            return self._queue.popleft()

    async def _put_back(self, job: _Job) -> None:
        self._queue.appendleft(job)
        async with self._work:
            self._work.notify_all()

    async def _serve(self, seat: _Seat, process: WorkerProcess, job: _Job) -> None:
        if job.cancelled:
            return
        seat.state = State.BUSY
        job.taken_at, job.attempts, job.worker = time.monotonic(), job.attempts + 1, process
        request = {"op": "run", "id": job.id, "task": job.task, "params": job.params}
        process.send(request, job.payload)
        try:
            await self._pass_on(process, job)
        except (WorkerGone, TimeoutError) as error:
            await self._retry_or_fail(job, error)
            raise
        except asyncio.CancelledError:
            job.answers.put_nowait(self._stopping())
            raise
        finally:
            job.worker = None
        seat.state, seat.failures = State.READY, 0

    async def _pass_on(self, process: WorkerProcess, job: _Job) -> None:
        """The worker's answers to the asker, until the worker is free again."""
        while True:
            head, payload = await process.receive(self.plan.deadline_seconds)
            if head["event"] == "beat":
                continue
            if head["event"] == "piece":
                if not job.cancelled:
                    job.delivered = True
                    job.answers.put_nowait((head["answer"], payload, job.timing()))
                continue
            job.worker = None
            if head["event"] == "error":
                job.answers.put_nowait(
                    EngineError(head["message"], service=self.plan.name, permanent=head["permanent"])
                )
            else:
                self._mean_seconds += 0.1 * (head["compute_seconds"] - self._mean_seconds)
                job.answers.put_nowait(None)
            return

    async def _retry_or_fail(self, job: _Job, error: Exception) -> None:
        if job.cancelled:
            return
        if not job.delivered and job.attempts < _ATTEMPTS:
            self.counts["retried"] += 1
            await self._put_back(job)
            return
        name, seconds = self.plan.name, self.plan.deadline_seconds
        job.answers.put_nowait(
            EngineTimeout(f"{name}: no answer within {seconds:.0f} s", service=name)
            if isinstance(error, TimeoutError)
            else EngineError(f"{name}: the worker ended in the middle of the answer ({error})", service=name)
        )

    def _stopping(self) -> EngineError:
        return EngineError("the service is stopping", service=self.plan.name)

    def _fail_those_who_wait_in_vain(self) -> None:
        if any(seat.state is not State.FAILED for seat in self._seats):
            return
        for job in self._queue:
            job.answers.put_nowait(
                EngineBusy(
                    f"{self.plan.name} is not available: {self._seats[0].reason}",
                    service=self.plan.name,
                    retry_after=5.0,
                )
            )
        self._queue.clear()
