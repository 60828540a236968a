"""One model and its workers: requests wait in a bounded queue, are served one a worker, and survive a crash.

Live calls go before batches, and a batch never holds all of several workers; the only one serves live calls
in the middle of a batch's request. Where processors are shared, batches stand still for live calls.

A worker that ends, or is silent past its deadline, is replaced, at once the first time and with growing
pauses after; requests wait for it, unless it could not even load its model. Its request goes back to the head
of the queue once, if nothing of the answer was delivered; otherwise it fails. Everybody else only waits a
little longer, until the failures are so many that the circuit opens: then all are refused for a while.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Any

from ..circuit import Circuit
from ..errors import EngineBusy, EngineError, EngineTimeout, Outcome
from .layout import Plan
from .line import Answer, Job, Line
from .measures import Measures
from .placement import Holding
from .precedence import Precedence
from .process import resident_mb
from .seat import Seat, Shared, State

FIRST_PIECE_SECONDS = 60.0
_LOADING_RETRY_SECONDS = 3.0
_SUPPOSED_SECONDS = 0.5  # of an inference, where there was none lately
_DRAIN_SECONDS = 30.0


class Held(StrEnum):
    """How far a model is, as /api/health tells it."""

    OFF = "off"
    STARTING = "starting"
    LOADING = "loading"
    LOADED = "loaded"
    FAILED = "failed"


class Deployment:
    """`load` it on the running loop, `close` it before the loop ends."""

    def __init__(
        self,
        plan: Plan,
        models_dir: Path,
        measures: Measures | None = None,
        precedence: Precedence | None = None,
    ) -> None:
        """`precedence` is shared by all models on this machine."""
        self.plan = plan
        self.model = plan.model
        self.measures = measures or Measures(plan.model.id, plan.model.pool)
        self.refusal = ""  # why there is no place for it
        self._models_dir = models_dir
        self._precedence = precedence or Precedence()
        self._line = Line()
        self._circuit = Circuit()
        self._seats: list[Seat] = []
        self._keepers: list[asyncio.Task[None]] = []
        self._leaving = False
        self._last_used = time.monotonic()
        self._change = asyncio.Event()

    # --- Its life ---

    def load(self, devices: Sequence[str]) -> None:
        """Start a worker on each of the devices; nothing happens where there are workers."""
        if self._seats:
            return
        self.refusal = ""
        self._circuit = Circuit()  # what made the last workers fail may be mended
        shared = Shared(
            self.plan,
            self._models_dir,
            self._line,
            self._circuit,
            self.measures,
            self._precedence,
            may_batch=self._may_batch,
            is_alone=lambda: len(self._seats) == 1,
            is_leaving=lambda: self._leaving,
            on_change=self._has_changed,
        )
        self._seats = [self._seat(number, device, shared) for number, device in enumerate(devices)]
        self._keepers = [asyncio.create_task(seat.keep()) for seat in self._seats]

    def _seat(self, number: int, device: str, shared: Shared) -> Seat:
        return Seat(number, device, shared)

    async def unload(self) -> None:
        """End the workers once they have served whom they serve; who waits is served before."""
        self._leaving = True
        self._has_changed()
        try:
            with suppress(TimeoutError):  # who is still served then, is told that the service is stopping
                async with asyncio.timeout(_DRAIN_SECONDS):
                    await self.until(lambda: not self._is_busy())
        finally:
            await self.close()
            self._leaving = False

    async def close(self) -> None:
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        self._seats, self._keepers = [], []
        self._has_changed()
        self._line.send_away(lambda: EngineError("the service is stopping", service=self.model.service))

    # --- For those who ask ---

    async def run(
        self,
        task: str,
        params: dict[str, Any],
        payload: bytes = b"",
        *,
        batch: bool = False,
        within_seconds: float = FIRST_PIECE_SECONDS,
    ) -> AsyncGenerator[Answer, None]:
        """The answer in pieces, the first of them in time. Closing it frees the worker at its next piece.

        EngineBusy when the queue is full or no worker can be expected soon; EngineTimeout when the first
        piece did not come in time or a worker was silent past its deadline; EngineError for the rest.
        """
        self._refuse_if_hopeless(batch)
        job = Job(task, params, payload, batch)
        outcome = "cancelled"
        try:
            self._line.add(job)
            try:
                async with asyncio.timeout(within_seconds):
                    answer = await job.answers.get()
            except TimeoutError:
                raise EngineTimeout(
                    f"{self.model.id}: nothing within {within_seconds:g} s", service=self.model.service
                ) from None
            while answer is not None:
                if isinstance(answer, EngineError):
                    raise answer
                yield answer
                answer = await job.answers.get()
            outcome = "served"
        except EngineError as error:
            outcome = "refused" if error.permanent else "failed"
            raise
        finally:
            self._let_go(job, outcome)

    def _refuse_if_hopeless(self, batch: bool) -> None:
        try:
            self._hope(batch)
        except EngineBusy as busy:
            self.measures.note("loading" if busy.cold else "busy")
            raise

    def _hope(self, batch: bool) -> None:
        """Raises EngineBusy where no worker is to be expected soon."""
        name, service = self.model.id, self.model.service
        idle = sum(seat.state is State.READY for seat in self._seats)
        queued = max(0, self._line.before(batch) - idle)  # an idle worker is about to take one
        if queued >= self.plan.queue_limit:
            each = self.measures.mean_seconds() or _SUPPOSED_SECONDS
            wait = max(1.0, queued * each / max(1, len(self._seats)))
            raise EngineBusy(
                f"{name}: {queued} requests are waiting already", service=service, retry_after=wait
            )
        if not self._seats or self._leaving:
            raise self._not_yet("is not loaded")
        if all(seat.state is State.FAILED for seat in self._seats):
            raise self._unavailable()
        if not any(seat.was_ready for seat in self._seats):
            raise self._not_yet("is loading")
        if pause := self._circuit.open_for(time.monotonic()):
            reason = next((seat.ended for seat in self._seats if seat.ended), "")
            raise EngineBusy(
                f"{name} failed again and again and rests for {pause:.0f} s: {reason}",
                service=service,
                retry_after=pause,
            )

    def _not_yet(self, why: str) -> EngineBusy:
        return EngineBusy(
            f"{self.model.id} {why}",
            service=self.model.service,
            retry_after=_LOADING_RETRY_SECONDS,
            outcome=Outcome.NOT_LOADED,
        )

    def _unavailable(self) -> EngineBusy:
        return EngineBusy(
            f"{self.model.id} is not available: {self._seats[0].reason}",
            service=self.model.service,
            retry_after=5.0,
        )

    def _has_changed(self) -> None:
        """A seat is in another state or serves others, somebody has left, or all are to leave."""
        if self._seats and all(seat.state is State.FAILED for seat in self._seats):
            self._line.send_away(self._unavailable)
        self._line.wake()
        self._precedence.update()
        self._change.set()
        self._change = asyncio.Event()

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            await self._change.wait()

    def _may_batch(self) -> bool:
        """A batch leaves one worker of several to live calls."""
        return sum(seat.batch for seat in self._seats) < max(1, len(self._seats) - 1)

    def _let_go(self, job: Job, outcome: str) -> None:
        """The asker is gone, satisfied or not: take the job out of the queue or stop its worker."""
        job.cancelled = True
        if not self._line.leave(job) and job.worker is not None:
            job.worker.send({"op": "cancel", "id": job.id})
        self._has_changed()
        self._last_used = time.monotonic()
        timing = job.timing() if job.taken_at else None
        self.measures.note(
            outcome,
            queue_seconds=timing.queue_seconds if timing else 0.0,
            inference_seconds=timing.compute_seconds if timing else 0.0,
            sound_seconds=job.sound_seconds,
        )

    # --- What it is, for people and planners ---

    def _is_busy(self) -> bool:
        return bool(len(self._line)) or any(seat.state is State.BUSY for seat in self._seats)

    def state(self) -> Held:
        states = {seat.state for seat in self._seats}
        if states & {State.READY, State.BUSY}:
            return Held.LOADED
        for state, held in (
            (State.LOADING, Held.LOADING),
            (State.STARTING, Held.STARTING),
            (State.FAILED, Held.FAILED),
        ):
            if state in states:
                return held
        return Held.FAILED if self.refusal else Held.OFF

    @property
    def is_leaving(self) -> bool:
        """Whether it ends its workers, once they have served whom they serve."""
        return self._leaving

    def reason(self) -> str:
        """Why it does not work, or why its last worker ended; "" where all is well."""
        return next((seat.reason for seat in self._seats if seat.reason), self.refusal)

    def holding(self) -> Holding | None:
        """Of memory; None where it holds none."""
        if not self._seats:
            return None
        return Holding(
            self.model,
            tuple(seat.device for seat in self._seats),
            coming=tuple(seat.device for seat in self._seats if seat.state not in (State.READY, State.BUSY)),
            pinned=self.plan.at_start,
            busy=self._is_busy(),
            last_used=self._last_used,
        )

    def workers(self) -> list[dict[str, Any]]:
        return [
            {
                "state": seat.state.value,
                "device": seat.device,
                "pid": seat.pid,
                "memory_mb": resident_mb(seat.pid),
                "reason": seat.reason,
            }
            for seat in self._seats
        ]

    def report(self) -> dict[str, Any]:
        return {
            "state": self.state(),
            "reason": self.reason(),
            "queue": len(self._line),
            "queue_limit": self.plan.queue_limit,
            "mean_seconds": self.measures.mean_seconds(),
            "circuit_open_seconds": round(self._circuit.open_for(time.monotonic()), 1),
            "workers": self.workers(),
            **self.measures.counts,
            "lately": self.measures.lately(len(self._seats)),
        }
