"""The place of one worker: processes come and go in it, and serve whoever is next in the line."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from ..circuit import Circuit
from ..errors import EngineError, EngineTimeout
from ..wire import Message
from .layout import Plan
from .line import Job, Line
from .measures import Measures
from .placement import CPU
from .precedence import Precedence, Work
from .process import Worker, WorkerGone, WorkerProcess

logger = logging.getLogger(__name__)

_ATTEMPTS = 2
_LONGEST_PAUSE_SECONDS = 30.0
_LONGEST_PAUSE_WHILE_WAITED_FOR_SECONDS = 5.0
_SHORTEST_WAIT_SECONDS = 0.1
_STEADY_SECONDS = 60.0  # a worker that lived so long starts anew without a pause


class State(StrEnum):
    STARTING = "starting"
    LOADING = "loading"
    READY = "ready"
    BUSY = "busy"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Shared:
    """What the seats of one model have in common."""

    plan: Plan
    models_dir: Path
    line: Line
    circuit: Circuit
    measures: Measures
    precedence: Precedence
    may_batch: Callable[[], bool]  # whether one more worker may take a batch's request
    is_alone: Callable[[], bool]  # whether the model has no other worker
    is_leaving: Callable[[], bool]  # whether the workers end once they have served whom they serve
    on_change: Callable[[], None]  # a seat is in another state, or serves others


class Seat:
    is_process = True  # of this machine, with one socket for many requests

    def __init__(self, number: int, device: str, shared: Shared) -> None:
        self.number, self.device = number, device
        self._state = State.STARTING
        self.reason = ""  # why there is no worker now
        self.ended = ""  # why the last one ended
        self.pid = 0
        self.batch = False  # busy with a batch's request
        self.was_ready = False
        self._failures = 0  # in a row
        self._at_once = 1  # requests that the engine takes together
        self._jobs: dict[int, Job] = {}  # that the worker is at
        self._begun = asyncio.Event()  # set when the worker has begun what it was given last
        self._shared = shared

    @property
    def state(self) -> State:
        return self._state

    @state.setter
    def state(self, state: State) -> None:
        self._state = state
        self._shared.on_change()

    async def keep(self) -> None:
        """Keep a process in this seat until it is cancelled."""
        shared = self._shared
        while True:
            started = time.monotonic()
            self.state = State.STARTING
            try:
                await self._live()
            except (WorkerGone, TimeoutError, OSError) as error:
                self.reason = self.ended = str(error) or "silent past its deadline"
            except Exception as error:  # a fault of ours must not leave the seat empty for ever
                logger.exception("%s worker %d", shared.plan.model.id, self.number)
                self.reason = self.ended = repr(error)
            loaded = self.state not in (State.STARTING, State.LOADING)
            self.pid, self.batch = 0, False
            self.state = State.STARTING
            if time.monotonic() - started > _STEADY_SECONDS:
                self._failures = 0
            self._failures += 1
            shared.measures.restarted()
            name = shared.plan.model.id
            logger.warning("%s worker %d: %s; it is replaced", name, self.number, self.reason)
            if self._failures > 1:
                pause = 0.5 * 2 ** min(self._failures - 2, 8)
                if loaded:  # it will load again: requests may wait for it
                    await asyncio.sleep(min(pause, _LONGEST_PAUSE_WHILE_WAITED_FOR_SECONDS))
                else:
                    self.state = State.FAILED
                    await asyncio.sleep(min(pause, _LONGEST_PAUSE_SECONDS))

    async def _live(self) -> None:
        """One process from its start to its end, which is an exception."""
        process = await self._start()
        self.pid = process.pid
        try:
            await self._load(process)
            while True:
                await self._serve(process, await self._next_jobs(process))
        finally:
            await process.stop()

    async def _start(self) -> Worker:
        return await WorkerProcess.start(self._shared.plan.model, self._shared.models_dir, self.device)

    async def _load(self, process: Worker) -> None:
        while self.state is not State.READY:
            head, _ = await process.receive(self._shared.plan.load_seconds)
            if head["state"] == State.FAILED:
                raise WorkerGone(head["reason"])
            self.state = State(head["state"])
            self._at_once = head.get("at_once", 1)
        self.reason, self.was_ready = "", True

    async def _next_jobs(self, process: Worker) -> list[Job]:
        """Wait for work, and for the end of the process while there is none."""
        taking = asyncio.create_task(self._take())
        try:
            await asyncio.wait({process.gone, taking}, return_when=asyncio.FIRST_COMPLETED)
            if process.gone.done():
                raise WorkerGone("it ended while idle")
            return taking.result()
        except (WorkerGone, asyncio.CancelledError):
            if taking.done():  # in the very moment in which the process ended
                for job in reversed(taking.result()):
                    self._shared.line.put_back(job)
            raise
        finally:
            taking.cancel()

    async def _take(self) -> list[Job]:
        """Those who are next; whether they are a batch is known before any other seat takes."""
        jobs = await self._shared.line.take(self._shared.may_batch, self._at_once)
        self.batch = jobs[0].batch
        return jobs

    async def _serve(self, process: Worker, taken: list[Job]) -> None:
        jobs = [job for job in taken if not job.cancelled]
        if not jobs:
            self.batch = False
            return
        work = Work(process.stand_still, self._is_live, self._may_wait)
        self.state = State.BUSY
        try:
            with self._beside_others(process, work):
                self._give(process, jobs, work)
                await self._pass_on(process, work)
        except (WorkerGone, TimeoutError) as error:
            self._retry_or_fail(self._left(), error)
            raise
        except asyncio.CancelledError:
            for job in self._left():
                job.answers.put_nowait(self._error("the service is stopping"))
            raise
        self.state, self.batch, self._failures = State.READY, False, 0
        self._shared.circuit.succeeded()

    def _give(self, process: Worker, jobs: list[Job], work: Work) -> None:
        now = time.monotonic()
        for job in jobs:
            job.taken_at, job.attempts, job.worker = now, job.attempts + 1, process
            if job.batch:
                job.stood = work.stood
            self._jobs[job.id] = job
        self._shared.on_change()  # before it is sent: who has to stand still does not begin
        self._begun.clear()
        told = [{"id": job.id, "params": job.params, "bytes": len(job.payload)} for job in jobs]
        request = {"op": "run", "task": jobs[0].task, "jobs": told}
        process.send(request, b"".join(job.payload for job in jobs))

    @contextmanager
    def _beside_others(self, process: Worker, work: Work) -> Iterator[None]:
        """Take part in who precedes whom: on the machine's processors, and in the only worker of a model."""
        with ExitStack() as stack:
            if self.is_process and self.device == CPU:
                stack.enter_context(self._shared.precedence.among(work))
            if self.is_process and self.batch and self._shared.is_alone():
                hosting = asyncio.create_task(self._host(process, work))
                stack.callback(hosting.cancel)
            yield

    async def _host(self, process: Worker, work: Work) -> None:
        """Give the worker who is live in the middle of a batch's request, to be served at its next piece.

        One waits with the worker, so that the batch does not go on between two of them.
        """
        while True:
            guests = await self._shared.line.take(lambda: False, self._at_once)
            self._give(process, guests, work)
            await self._begun.wait()

    def _is_live(self) -> bool:
        return any(not job.batch for job in self._jobs.values())

    def _may_wait(self) -> bool:
        """Not where somebody live or the end of the model waits for it, nor at what nobody wants any more."""
        wanted = any(not job.cancelled for job in self._jobs.values())
        return wanted and not self._is_live() and not self._shared.is_leaving()

    async def _pass_on(self, process: Worker, work: Work) -> None:
        """The worker's answers to the askers, until the worker is free again."""
        while self._jobs:
            head, payload = await self._receive(process, work)
            job, event = self._jobs[head["id"]], head["event"]
            if event == "begun":
                job.taken_at = time.monotonic() - job.stood()
                self._begun.set()
            elif event == "piece":
                if not job.cancelled:
                    job.delivered = True
                    job.sound_seconds += _sound_seconds(head["answer"], payload)
                    job.answers.put_nowait((head["answer"], payload, job.timing()))
            elif event != "beat":
                del self._jobs[job.id]
                job.worker, job.ended_at = None, time.monotonic()
                answer = None
                if event == "error":
                    answer = self._error(head["message"], permanent=head["permanent"])
                job.answers.put_nowait(answer)
                if self._jobs:
                    self._shared.on_change()

    async def _receive(self, process: Worker, work: Work) -> Message:
        """The worker's next message. While it stands still, its deadline does as well."""
        seconds = self._shared.plan.deadline_seconds
        while True:
            stood = work.stood()
            try:
                return await process.receive(seconds)
            except TimeoutError:
                seconds = work.stood() - stood
                if not seconds:
                    raise
                seconds = max(seconds, _SHORTEST_WAIT_SECONDS)

    def _left(self) -> list[Job]:
        """The jobs that the worker will not answer any more."""
        left, self._jobs = list(self._jobs.values()), {}
        for job in left:
            job.worker = None
        return left

    def _retry_or_fail(self, jobs: list[Job], error: Exception) -> None:
        self._shared.circuit.failed(time.monotonic())
        for job in reversed(jobs):
            if job.cancelled:
                continue
            if not job.delivered and job.attempts < _ATTEMPTS:
                self._shared.measures.counts["retried"] += 1
                job.alone = len(jobs) > 1
                self._shared.line.put_back(job)
            elif isinstance(error, TimeoutError):
                name, seconds = self._shared.plan.model.id, self._shared.plan.deadline_seconds
                service = self._shared.plan.model.service
                job.answers.put_nowait(
                    EngineTimeout(f"{name}: no answer within {seconds:.0f} s", service=service)
                )
            else:
                job.answers.put_nowait(self._error(f"the worker ended in the middle of the answer ({error})"))

    def _error(self, message: str, *, permanent: bool = False) -> EngineError:
        model = self._shared.plan.model
        return EngineError(
            message if permanent else f"{model.id}: {message}", service=model.service, permanent=permanent
        )


def _sound_seconds(answer: dict[str, Any], payload: bytes) -> float:
    """Of a piece of speech, or of a recording that was heard."""
    if payload and "rate" in answer:
        return len(payload) / 2 / float(answer["rate"])
    return float(answer.get("duration_seconds", 0.0))
