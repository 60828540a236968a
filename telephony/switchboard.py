"""The calls that this process holds: built, run, watched from outside, and ended exactly once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer

from . import actions, prompts
from .capacity import capacity
from .eventlog import eventlog, record_now
from .line import Line
from .models import Call, Recording
from .recorder import Recorder, Saved, name_of, path_of
from .session.events import EndReason, FramesDropped, RecordingSaved
from .session.parts import Ending, SessionSettings
from .session.session import CallSession
from .suppliers import Suppliers

logger = logging.getLogger(__name__)

WATCH_SECONDS = 1.0
FRAMES_MISSING_SECONDS = 15.0
GOODBYE_SECONDS = 30.0  # past the longest call: the session had time to say goodbye and did not end
STOP_SECONDS = 5.0  # a session that was told to end and has not is abandoned

P = ParamSpec("P")
T = TypeVar("T")

# Calls have database threads of their own, so that none waits behind a slow page.
_threads = ThreadPoolExecutor(4, thread_name_prefix="calls")


async def in_database(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    return await database_sync_to_async(work, thread_sensitive=False, executor=_threads)(*args, **kwargs)


@dataclass(slots=True)
class LiveCall:
    call: Call
    line: Line
    session: CallSession
    recorder: Recorder | None
    started_at: float  # loop time
    abandoned: asyncio.Future[Ending] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    frames_seen: int = 0
    frames_seen_at: float = 0.0
    stopped_at: float | None = None

    def watch(self, now: float) -> None:
        """Look at the call from outside: a session that fails cannot be trusted to notice."""
        if self.line.frames != self.frames_seen:
            self.frames_seen, self.frames_seen_at = self.line.frames, now
        if now - self.frames_seen_at > FRAMES_MISSING_SECONDS:
            self.stop("line_lost", now)
        elif now - self.started_at > self.call.agent.max_call_seconds + GOODBYE_SECONDS:
            self.stop("max_duration", now)

    def stop(self, reason: EndReason, now: float) -> None:
        if self.stopped_at is None:
            self.stopped_at = now
            self.session.end(reason)
        elif now - self.stopped_at > STOP_SECONDS and not self.abandoned.done():
            logger.error("The session of call %s did not end when told to (%s).", self.call.pk, reason)
            self.abandoned.set_result(Ending(reason))


class Switchboard:
    def __init__(self, suppliers: Suppliers) -> None:
        self.calls: dict[UUID, LiveCall] = {}
        self._suppliers = suppliers
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    # ---- calls ------------------------------------------------------------------------------

    async def take(self, call: Call, line: Line) -> bool:
        """Run the call on this line as a task of its own; False when it is over already."""
        self.start()
        session = await self._session(call, line)
        if session is None:
            return False
        now = asyncio.get_running_loop().time()
        recorder = Recorder(path_of(call), line.rate) if call.agent.record else None
        live = LiveCall(call, line, session, recorder, started_at=now, frames_seen_at=now)
        line.sink = session
        line.tap = recorder.tap if recorder else None
        self.calls[call.pk] = live
        self._spawn(self._run(live))
        return True

    async def _session(self, call: Call, line: Line) -> CallSession | None:
        agent = call.agent
        engines = await in_database(self._suppliers.engines)
        conversation = await in_database(self._suppliers.conversation, agent)
        if not await in_database(actions.connect_call, call.pk, line=call.line):
            return None
        return CallSession(
            line=line,
            engines=engines,
            conversation=conversation,
            settings=SessionSettings(
                language=agent.language,
                voice=agent.voice,
                speaking_rate=agent.speaking_rate,
                eagerness=agent.eagerness,
                interruptible=agent.interruptible,
                silence_seconds=agent.silence_seconds,
                max_call_seconds=agent.max_call_seconds,
                fallback_number=agent.fallback_number,
            ),
            prompts=prompts.load(agent.language, line.rate),
            emit=lambda event: eventlog.record(call.pk, event),
        )

    async def _run(self, live: LiveCall) -> None:
        orders = asyncio.create_task(self._obey(live))
        running = asyncio.create_task(live.session.run())
        try:
            await asyncio.wait({running, live.abandoned}, return_when=asyncio.FIRST_COMPLETED)
            ending = live.abandoned.result() if live.abandoned.done() else running.result()
        except Exception:
            logger.exception("The session of call %s failed.", live.call.pk)
            fallback = live.call.agent.fallback_number
            ending = Ending("transferred", fallback) if fallback else Ending("engine_failure")
        finally:
            running.cancel()
            orders.cancel()
        await self._end(live, ending)

    async def _end(self, live: LiveCall, ending: Ending) -> None:
        call, line = live.call, live.line
        at_seconds = line.seconds
        line.sink = line.tap = None
        try:
            if line.dropped_bytes:
                dropped = FramesDropped(leg="agent", count=line.dropped_bytes // (line.rate // 25))
                eventlog.record(call.pk, dropped)
            await eventlog.flush()
            await in_database(
                actions.end_call,
                call.pk,
                reason=ending.reason,
                transfer_to=ending.transfer_to,
                at_seconds=at_seconds,
            )
        finally:
            # Only now: the provider asks what to do next as soon as the socket is closed.
            line.end(ending.reason, ending.transfer_to)
            self.calls.pop(call.pk, None)
        if live.recorder:
            await self._keep(call, live.recorder)

    async def _keep(self, call: Call, recorder: Recorder) -> None:
        try:
            saved = await recorder.close()
        except OSError as error:
            logger.error("The recording of call %s was lost: %s", call.pk, error)
            return
        await in_database(save_recording, call, saved, rate=recorder.rate)

    async def _obey(self, live: LiveCall) -> None:
        """Take orders from other processes: an operator hangs up, the provider says it is over."""
        layer = get_channel_layer()
        group = actions.control_group(live.call.pk)
        try:
            channel = await layer.new_channel()
            await layer.group_add(group, channel)
            try:
                while True:
                    live.session.end((await layer.receive(channel))["reason"])
            finally:
                await layer.group_discard(group, channel)
        except Exception as error:  # the layer is away; the call itself does not need it
            logger.error("No orders reach call %s: %s", live.call.pk, error)

    # ---- housekeeping -----------------------------------------------------------------------

    def start(self) -> None:
        """Watch over calls from now on, on the running loop. Asked again, does nothing."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop = loop
            self._spawn(capacity.measure())
            self._spawn(self._watch())
            self._spawn(self._hold())

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            for live in list(self.calls.values()):
                live.watch(loop.time())

    async def _hold(self) -> None:
        loop = asyncio.get_running_loop()
        sweeps_from = loop.time()
        while True:
            try:
                await self._renew()
                if loop.time() >= sweeps_from:
                    await in_database(actions.end_orphans)
                    await in_database(actions.forget_old_tokens)
            except Exception:  # the database may be away for a while; the calls go on
                logger.exception("Calls could not be looked after.")
                # Nobody could hold a call in the meantime: let the others do so before taking them for dead.
                sweeps_from = loop.time() + actions.ORPHANED_SECONDS
            await asyncio.sleep(actions.HOLD_SECONDS)

    async def _renew(self) -> None:
        """Hold our calls, and let those go that somebody else has ended."""
        if self.calls:
            ended = await in_database(actions.hold_calls, list(self.calls))
            for call_id, reason in ended.items():
                if live := self.calls.get(call_id):
                    live.stop(reason, asyncio.get_running_loop().time())

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def save_recording(call: Call, saved: Saved, *, rate: int) -> None:
    """In place of what another process may have salvaged of it, when it took us for dead."""
    Recording.objects.update_or_create(
        call=call,
        defaults={
            "file": name_of(call),
            "rate": rate,
            "duration_seconds": saved.duration_seconds,
            "bytes": saved.bytes,
            "peaks": saved.peaks,
        },
    )
    record_now(
        call.pk,
        RecordingSaved(
            at_seconds=saved.duration_seconds,
            duration_seconds=saved.duration_seconds,
            bytes=saved.bytes,
        ),
    )


class Housekeeping:
    """ASGI middleware: starts the switchboard's watch with the first thing a server asks of us.

    Not every server tells that it has started (daphne knows no lifespan).
    """

    def __init__(self, app: Any, switchboard: Switchboard) -> None:
        self._app = app
        self._switchboard = switchboard

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self._switchboard.start()
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
