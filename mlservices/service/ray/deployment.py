"""One model on Ray Serve, with the queue, the deadlines, the one retry and the measures of `Deployment`.

Its seats are as many as it may have replicas, and each has at most one request under way: so live calls go
before batches here as well, and what waits at Ray is never more than the replicas that may still come.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentResponseGenerator

from ...wire import Message
from ..deployment import Deployment
from ..layout import Plan
from ..measures import Measures
from ..precedence import Precedence, Work
from ..process import Worker, WorkerGone
from ..seat import Seat, Shared, State
from .application import Application, Seen
from .cluster import Cluster

_STATES = {"RUNNING": State.READY, "STARTING": State.LOADING}


class RayDeployment(Deployment):
    def __init__(
        self,
        plan: Plan,
        models_dir: Path,
        measures: Measures | None = None,
        precedence: Precedence | None = None,
        *,
        cluster: Cluster,
    ) -> None:
        super().__init__(plan, models_dir, measures, precedence)
        self._cluster = cluster
        self._application: Application | None = None
        self._told: dict[str, dict[str, Any]] = {}  # what replicas told of themselves, by their ids

    def load(self, devices: Sequence[str]) -> None:
        """May have as many replicas as there are devices; where they are is Ray's to say."""
        if not self._seats:
            resources = self._cluster.resources(self.model)
            self._application = Application(self.plan, self._models_dir, len(devices), resources)
            self._application.open()
        super().load(devices)

    async def close(self) -> None:
        await super().close()
        if self._application is not None:
            await self._application.close()
            self._application = None

    def _seat(self, number: int, device: str, shared: Shared) -> Seat:
        assert self._application is not None
        return _RaySeat(number, device, shared, self._application, self._told)

    def _may_batch(self) -> bool:
        """A batch has replicas that are there and idle, and leaves one of several to live calls."""
        running = self._application.running if self._application else 0
        batches = sum(seat.batch for seat in self._seats)
        busy = sum(seat.batch or seat.state is State.BUSY for seat in self._seats)
        return busy < running and batches < max(1, running - 1)

    def reason(self) -> str:
        waits = self._application.reason if self._application else ""
        return super().reason() or waits

    def workers(self) -> list[dict[str, Any]]:
        replicas = self._application.replicas if self._application else []
        busy = {
            seat.replica for seat in self._seats if isinstance(seat, _RaySeat) and seat.state is State.BUSY
        }
        return [self._row(each, each.id in busy) for each in replicas]

    def _row(self, replica: Seen, busy: bool) -> dict[str, Any]:
        told = self._told.get(replica.id, {})
        gpu = f" GPU {told['gpu']}" if told.get("gpu") else ""
        return {
            "state": State.BUSY if busy else _STATES.get(replica.state, State.STARTING),
            "device": f"{replica.host}{gpu}",
            "pid": replica.pid,
            "memory_mb": told.get("memory_mb", 0),
            "reason": "",
        }


class _RaySeat(Seat):
    """Asks whichever replica is free."""

    is_process = False

    def __init__(
        self,
        number: int,
        device: str,
        shared: Shared,
        application: Application,
        told: dict[str, dict[str, Any]],
    ) -> None:
        super().__init__(number, device, shared)
        self.replica = ""  # which one serves, or served last
        self._application, self._told = application, told
        self._link: _Link

    async def _start(self) -> Worker:
        self._link = _Link(self._application)
        return self._link

    async def _pass_on(self, process: Worker, work: Work) -> None:
        """Waiting for a replica counts as waiting, and has no deadline but the asker's."""
        if taken := await self._link.taken():
            self.replica = taken["replica"]
            self._told[self.replica] = taken
        await super()._pass_on(process, work)


class _Link:
    """A `Worker`: one request at a time, each a stream from a replica that Ray chooses."""

    pid = 0

    def __init__(self, application: Application) -> None:
        self._application = application
        self._is_loading = self._is_ready = False
        self._stream: DeploymentResponseGenerator[Message] | None = None
        self._waiting: set[int] = set()  # ids of requests that are under way and still wanted
        self._given_up: list[int] = []  # ... that nobody wants any more, and that have not ended yet
        self._replica = ""
        self._hangs = False
        self.gone: asyncio.Task[int] = asyncio.create_task(self._until_none_runs())

    async def _until_none_runs(self) -> int:
        """Done when all replicas have gone after some were there."""
        await self._application.until(lambda: self._is_ready)
        await self._application.until(lambda: not self._application.running)
        return 0

    def send(self, head: Mapping[str, Any], payload: bytes = b"") -> None:
        if head["op"] == "run":
            self._waiting = {job["id"] for job in head["jobs"]}
            self._given_up = []
            self._replica, self._stream = "", None
            if self._application.handle is not None:
                with suppress(RayError, RayServeException):  # it is told where the answer is awaited
                    self._stream = self._application.handle.run.remote(dict(head), payload)
        elif head["id"] in self._waiting:
            self._waiting.remove(head["id"])
            self._given_up.append(head["id"])
            if not self._waiting and self._stream is not None:
                self._stream.cancel()

    async def taken(self) -> dict[str, Any] | None:
        """What the replica tells of itself that has taken the request; None if nobody wants it any more."""
        if (message := await self._next()) is None:
            return None
        self._replica = message[0]["replica"]
        return message[0]

    def stand_still(self, still: bool) -> None:
        """A replica goes on: Ray says where it is, and with whom it shares that host."""

    async def receive(self, within_seconds: float) -> Message:
        if not self._is_ready:
            return await self._begin(within_seconds)
        try:
            async with asyncio.timeout(within_seconds):
                message = await self._next()
        except TimeoutError:
            self._hangs = True
            raise
        if message is None:
            return {"event": "done", "id": self._given_up.pop()}, b""
        if message[0]["event"] in ("done", "error"):
            id = message[0]["id"]
            self._waiting.discard(id)
            self._given_up = [each for each in self._given_up if each != id]
        return message

    async def stop(self) -> None:
        self.gone.cancel()
        if self._stream is not None:
            self._stream.cancel()
        if self._hangs and self._replica:
            await asyncio.to_thread(self._application.kill, self._replica)

    async def _begin(self, within_seconds: float) -> Message:
        if not self._is_loading:
            self._is_loading = True
            return {"state": State.LOADING}, b""
        async with asyncio.timeout(within_seconds):
            await self._application.until_running()
        self._is_ready = True
        return {"state": State.READY, "at_once": self._application.at_once}, b""

    async def _next(self) -> Message | None:
        """The stream's next message; None where nobody wants it any more. WorkerGone where its replica is."""
        if not self._waiting:
            return None
        if self._stream is None:
            raise WorkerGone("no replica runs")
        try:
            return await anext(self._stream)
        except (RayError, RayServeException, StopAsyncIteration) as error:
            if (task := asyncio.current_task()) and task.cancelling():  # Ray hides it once it has cancelled
                raise asyncio.CancelledError from None
            if not self._waiting:
                return None
            raise WorkerGone("its replica has ended") from error
