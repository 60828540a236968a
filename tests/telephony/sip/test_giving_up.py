"""A caller who gives up while the web process takes its time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID, uuid4

from baresip import BaresipError, Call, CallState, Event
from baresip.events import StackEvent
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from telephony.sip import records
from telephony.sip.calls import Calls

from .test_failing_database import From192, PeersCall, line


@dataclass
class Ringing(PeersCall):
    listeners: list[Callable[[Any], None]] = field(default_factory=list)

    def on(self, listener: Callable[[Any], None]) -> None:
        self.listeners.append(listener)

    def give_up(self) -> None:
        self.state = CallState.CLOSED
        for listener in self.listeners:
            listener(StackEvent(Event.CALL_CLOSED, handle=1, ua=1, call=7))


class NotToBeAnswered(Ringing):
    async def answer(self) -> None:
        raise BaresipError("answer failed: Invalid argument")


async def test_a_call_that_the_stack_cannot_answer_is_rejected_and_not_carried(monkeypatch: Any) -> None:
    announced = records.Announced(uuid4(), "token", "1@there", b"", b"", "")
    unanswered: list[UUID] = []
    monkeypatch.setattr(records, "announce", lambda *_, **how: announced)
    monkeypatch.setattr(records, "never_answered", unanswered.append)
    told: list[Any] = []

    async def is_ready(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send('{"type": "ready"}')
        told.extend([message async for message in socket])

    async with serve(is_ready, "127.0.0.1", 0) as web, asyncio.timeout(5):
        port = next(iter(web.sockets)).getsockname()[1]
        calls, ringing = Calls(f"ws://127.0.0.1:{port}", From192()), NotToBeAnswered(CallState.INCOMING)
        calls.take(line(), cast(Call, ringing))
        await asyncio.gather(*calls.tasks)
    assert (unanswered, ringing.told) == ([announced.call_id], ["486"])
    assert told == ['{"type":"stop"}']


async def test_the_web_process_is_waited_for_no_longer(monkeypatch: Any) -> None:
    announced = records.Announced(uuid4(), "token", "1@there", b"", b"", "")
    given_up: list[UUID] = []
    monkeypatch.setattr(records, "announce", lambda *_, **how: announced)
    monkeypatch.setattr(records, "given_up_by_caller", given_up.append)
    asked, left = asyncio.Event(), asyncio.Event()

    async def says_nothing(socket: ServerConnection) -> None:
        await socket.recv()
        asked.set()
        try:
            await socket.recv()
        except ConnectionClosed:
            left.set()

    async with serve(says_nothing, "127.0.0.1", 0) as web, asyncio.timeout(2):
        port = next(iter(web.sockets)).getsockname()[1]
        calls, ringing, carried = (
            Calls(f"ws://127.0.0.1:{port}", From192()),
            Ringing(CallState.INCOMING),
            line(),
        )
        calls.take(carried, cast(Call, ringing))
        await asked.wait()
        ringing.give_up()
        await asyncio.gather(*calls.tasks)
        await left.wait()
    assert (given_up, ringing.told, carried.calls) == ([announced.call_id], [], 0)
