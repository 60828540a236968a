"""The calls that this process holds: built, run, watched from outside, and ended exactly once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from channels.layers import get_channel_layer
from django.core.exceptions import ValidationError
from django.db import InterfaceError, OperationalError

from agents.conversations import voice_of
from agents.flow.steps import Conversation
from mlservices.about import about
from mlservices.errors import EngineError
from mlservices.ledger import asking

from . import actions, prompts
from .capacity import capacity
from .desk import Desk
from .eventlog import eventlog
from .last_words import last_words
from .line import Line
from .lines.limiting import limit_at_carrier
from .models import Call, PlannedCall
from .outbound.actions import plan_of
from .outbound.guard import longest_of
from .outbound.longest import lasts_as_people_speak
from .outbound.machines import MessageLeft, message_to_machine
from .recorder import Recorder, path_of
from .recordings.own import save_recording
from .session.events import EndReason, Event, FramesDropped
from .session.parts import Ending, SessionSettings
from .session.session import CallSession
from .suppliers import Suppliers
from .threads import DatabaseThreads

logger = logging.getLogger(__name__)

WATCH_SECONDS = 1.0
FRAMES_MISSING_SECONDS = 15.0
GOODBYE_SECONDS = 30.0  # past the longest call: the session had time to say goodbye and did not end
END_SECONDS = 5.0  # a caller waits no longer for the database
SHORTEST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 0.5, 30.0
STOP_SECONDS = 5.0  # a session that was told to end and has not is abandoned
CLOSE_SECONDS = 5.0  # a server that stops waits no longer for its calls; the next one ends what is left

P = ParamSpec("P")
T = TypeVar("T")

# Calls have database threads of their own, so that none waits behind a slow page.
in_database = DatabaseThreads(4, "calls")


@dataclass(slots=True)
class LiveCall:
    call: Call
    line: Line
    session: CallSession
    recorder: Recorder | None
    desk: Desk
    started_at: float  # loop time
    abandoned: asyncio.Future[Ending] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    frames_seen: int = 0
    frames_seen_at: float = 0.0
    held_until: float = 0.0  # loop time at which an operator last had the call
    stopped_at: float | None = None
    stop_reason: EndReason | None = None
    running: asyncio.Task[None] | None = None  # until its recording is kept
    leaves_message: bool = False  # to a machine, and that is all
    unlimited: bool = False  # a person has had it: the carrier knows that it may last
    over: bool = False  # the session is; its end and its recording are still being stored

    def watch(self, now: float) -> None:
        """Look at the call from outside: a session that fails cannot be trusted to notice."""
        if self.over:
            return
        if self.stopped_at is not None:
            self._abandon_if_stuck(now)
            return
        if self.line.frames != self.frames_seen:
            self.frames_seen, self.frames_seen_at = self.line.frames, now
        if now - self.frames_seen_at > FRAMES_MISSING_SECONDS:
            self.stop("line_lost", now)
        elif self.session.operators.holder:
            self.held_until = now  # by a person, whom no longest call cuts off
        elif now - self.started_at > self._longest_seconds():
            self.stop("max_duration", now)
        self.desk.watch(now)

    def _longest_seconds(self) -> float:
        by_agent = self.call.agent.max_call_seconds + GOODBYE_SECONDS
        return max(by_agent, self.held_until - self.started_at + GOODBYE_SECONDS)

    def stop(self, reason: EndReason, now: float) -> None:
        """The first reason counts; whoever watches abandons a session that does not end."""
        if self.stopped_at is None and not self.over:
            self.stopped_at, self.stop_reason = now, reason
            self.session.end(reason)

    def named(self, ending: Ending) -> Ending:
        """How the call ended. That a machine was left a message tells more than who hung up."""
        as_meant = ending.reason in ("agent_hung_up", "caller_hung_up")
        return replace(ending, reason="machine") if self.leaves_message and as_meant else ending

    def _abandon_if_stuck(self, now: float) -> None:
        assert self.stopped_at is not None and self.stop_reason is not None
        if now - self.stopped_at > STOP_SECONDS and not self.abandoned.done():
            logger.error("The session of call %s does not end (%s).", self.call.pk, self.stop_reason)
            self.abandoned.set_result(Ending(self.stop_reason))


class Switchboard:
    def __init__(self, suppliers: Suppliers) -> None:
        self.calls: dict[UUID, LiveCall] = {}
        self.suppliers = suppliers
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    # ---- calls ------------------------------------------------------------------------------

    async def take(self, call: Call, line: Line, suppliers: Suppliers | None = None) -> bool:
        """Run the call on this line as a task of its own; False when it is over already.

        A call that cannot be served is ended here, and its line with it. `suppliers` are those of this call
        alone.
        """
        self.start()
        try:
            plan = await in_database(plan_of, call)
            message = message_to_machine(call, plan)
            session = await self._session(call, line, suppliers or self.suppliers, plan, message)
        except Exception as error:
            await self._give_up(call, line, error)
            return True
        if session is None:
            return False
        now = asyncio.get_running_loop().time()
        recorder = Recorder(path_of(call), line.rate) if call.agent.record else None
        line.sink = session
        line.tap = recorder.tap if recorder else None
        desk = Desk(
            line=line,
            session=session,
            recorder=line.tap,
            record=lambda event: eventlog.record(call.pk, event),
        )
        live = LiveCall(call, line, session, recorder, desk, started_at=now, frames_seen_at=now)
        live.leaves_message = bool(message)
        self.calls[call.pk] = live
        with about(call=call.pk):
            live.running = self._spawn(self._run(live))
        if call.direction == Call.Direction.INBOUND:  # of others the carrier was told when they were placed
            self._spawn(in_database(limit_at_carrier, call, longest_of(call.agent)))
        return True

    async def _give_up(self, call: Call, line: Line, error: Exception) -> None:
        """A model without its key, facts that cannot be read: there is nothing that could even apologise."""
        foreseen = isinstance(error, EngineError | ValidationError)
        logger.error("Call %s cannot be served: %s", call.pk, error, exc_info=not foreseen)
        why = "; ".join(error.messages) if isinstance(error, ValidationError) else str(error)
        fallback = call.agent.failure_number
        stored = self._insist(actions.fail_call, call.pk, error=why, transfer_to=fallback)
        await self._for_a_while(stored)
        line.end("engine_failure", fallback)

    async def _session(
        self, call: Call, line: Line, suppliers: Suppliers, plan: PlannedCall | None, message: str
    ) -> CallSession | None:
        """`message` is all that is said, to a machine: it is told nothing else, even when engines fail."""
        agent = call.agent
        engines = await in_database(suppliers.engines)
        conversation: Conversation = MessageLeft(message)
        if not message:
            version = await in_database(lambda: call.flow_version)
            conversation = await in_database(
                suppliers.conversation, agent, call.other_party, version, plan.values if plan else {}
            )
        if not await in_database(actions.connect_call, call.pk, line=call.line):
            return None
        failing = await in_database(last_words, agent, line.rate)
        return CallSession(
            line=line,
            engines=engines,
            conversation=conversation,
            settings=SessionSettings(
                language=agent.language,
                voice=voice_of(agent),
                speaking_rate=agent.speaking_rate,
                eagerness=agent.eagerness,
                interruptible=agent.interruptible and not message,
                silence_seconds=agent.silence_seconds,
                max_call_seconds=agent.max_call_seconds,
                fallback_number="" if message else agent.failure_number,
                held_by=plan.operator if plan else "",
                goodbye_text=failing.text,
            ),
            prompts={} if message else {**prompts.load(agent.language, line.rate), "goodbye": failing.pcm},
            emit=partial(_tell, call.pk, line),
        )

    async def _run(self, live: LiveCall) -> None:
        orders = asyncio.create_task(self._obey(live))
        with asking(call=live.call.pk):
            running = asyncio.create_task(live.session.run())
        try:
            await asyncio.wait({running, live.abandoned}, return_when=asyncio.FIRST_COMPLETED)
            ending = live.abandoned.result() if live.abandoned.done() else running.result()
        except Exception:
            logger.exception("The session of call %s failed.", live.call.pk)
            fallback = "" if live.leaves_message else live.call.agent.failure_number
            ending = Ending("transferred", fallback) if fallback else Ending("engine_failure")
        finally:
            running.cancel()
            orders.cancel()
        await self._end(live, live.named(ending))

    async def _end(self, live: LiveCall, ending: Ending) -> None:
        call, line = live.call, live.line
        live.over = True
        at_seconds = line.seconds
        live.desk.close()
        line.sink = line.tap = None
        if line.dropped_bytes:
            dropped = FramesDropped(leg="agent", count=line.dropped_bytes // (line.rate // 25))
            eventlog.record(call.pk, dropped)
        storing = await self._for_a_while(self._store_end(call, ending, at_seconds))
        # Not before the end is stored: the provider asks what to do next as soon as the socket is closed.
        # But not much later either: the caller hears nothing any more, and pays.
        line.end(ending.reason, ending.transfer_to)
        try:
            stored = await storing
            if live.recorder:
                stored = await self._keep(call, live.recorder) and stored
            if stored:  # else whoever looks after orphans tries again
                await self._insist(actions.let_go, call.pk)
        finally:
            self.calls.pop(call.pk, None)

    async def _store_end(self, call: Call, ending: Ending, at_seconds: float) -> bool:
        await eventlog.flush()
        return await self._insist(
            actions.end_call,
            call.pk,
            reason=ending.reason,
            transfer_to=ending.transfer_to,
            at_seconds=at_seconds,
            ended_at=ending.at,
        )

    async def _keep(self, call: Call, recorder: Recorder) -> bool:
        try:
            saved = await recorder.close()
        except OSError as error:
            logger.error("The recording of call %s was lost: %s", call.pk, error)
            return True
        return await self._insist(save_recording, call, saved, rate=recorder.rate)

    async def _insist(self, work: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> bool:
        """Until the database has done it, which may be away for a while; False if it never will."""
        delay = SHORTEST_RETRY_SECONDS
        while True:
            try:
                await in_database(work, *args, **kwargs)
                return True
            except (OperationalError, InterfaceError) as error:
                logger.warning("The end of a call waits for the database: %s", error)
            except Exception:
                logger.exception("The end of a call could not be stored.")
                return False
            await asyncio.sleep(delay)
            delay = min(2 * delay, LONGEST_RETRY_SECONDS)

    async def _for_a_while(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Wait for it, but not for long; it goes on afterwards."""
        task = self._spawn(work)
        await asyncio.wait({task}, timeout=END_SECONDS)
        return task

    async def _obey(self, live: LiveCall) -> None:
        """Take orders: what operators do on their pages, that the provider says it is over."""
        loop = asyncio.get_running_loop()
        delay = SHORTEST_RETRY_SECONDS
        while True:
            since = loop.time()
            try:
                await self._take_orders(live)
            except Exception as error:  # the layer is away; the call itself does not need it
                logger.warning("No orders reach call %s for now: %s", live.call.pk, error)
            lasted = loop.time() - since > LONGEST_RETRY_SECONDS
            delay = SHORTEST_RETRY_SECONDS if lasted else min(2 * delay, LONGEST_RETRY_SECONDS)
            await asyncio.sleep(delay)

    @staticmethod
    async def _take_orders(live: LiveCall) -> None:
        layer = get_channel_layer()
        group = actions.control_group(live.call.pk)
        channel = await layer.new_channel()
        await layer.group_add(group, channel)
        try:
            while True:
                order = await layer.receive(channel)
                if order["type"] == "end":
                    live.stop(order["reason"], asyncio.get_running_loop().time())
                else:
                    live.desk.obey(order, channel)
        finally:
            with suppress(Exception):  # or a layer that is away would swallow our being cancelled
                await layer.group_discard(group, channel)

    # ---- housekeeping -----------------------------------------------------------------------

    def start(self) -> None:
        """Watch over calls from now on, on the running loop. Asked again, does nothing."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop = loop
            self._spawn(self._warm_up())
            self._spawn(capacity.measure())
            self._spawn(self._watch())
            self._spawn(self._hold())

    async def close(self) -> None:
        """The server stops: end its calls, and give what they leave behind a while to be stored."""
        now = asyncio.get_running_loop().time()
        for live in self.calls.values():
            live.stop("server_restarted", now)
        if running := [live.running for live in self.calls.values() if live.running]:
            await asyncio.wait(running, timeout=CLOSE_SECONDS)
        if self.calls:
            logger.warning("%d calls were left to be ended by the next start.", len(self.calls))

    async def _warm_up(self) -> None:
        """What the engines load they load now, in threads, not while the first caller waits."""
        try:
            await in_database(self.suppliers.engines)
        except Exception:
            logger.exception("The engines could not be prepared; each call tries again.")

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            for live in list(self.calls.values()):
                live.watch(loop.time())
                if live.session.operators.holder and not live.unlimited:
                    live.unlimited = True
                    self._spawn(in_database(lasts_as_people_speak, live.call))

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

    def _spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _tell(call_id: UUID, line: Line, event: Event) -> None:
    eventlog.record(call_id, event)
    if line.watcher:
        line.watcher(event)
