"""A line whose registrar is down for a while."""

from __future__ import annotations

import asyncio
from typing import Any

from baresip import BaresipError, Event
from baresip.events import StackEvent

from telephony.sip import lines, records
from telephony.sip.lines import Carried, account_of

from .test_dialling import FACTS, HastyAgent


class Registering(HastyAgent):
    """With a registrar that is `down` or not."""

    down = False

    async def register(self, **how: float) -> None:
        if self.down:
            raise BaresipError("Connection refused")

    async def unregister(self, **how: float) -> None: ...

    def loses_it(self) -> None:
        self.down = True
        for listener in self.listeners:
            listener(StackEvent(Event.REGISTER_FAIL, handle=1, ua=1, text="Connection timed out"))


async def test_a_line_is_ready_again_once_its_registrar_is(monkeypatch: Any) -> None:
    told: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def set_state(line_id: int, state: str, reason: str = "") -> None:
        loop.call_soon_threadsafe(told.put_nowait, (state, reason))

    monkeypatch.setattr(records, "set_state", set_state)
    monkeypatch.setattr(lines, "SHORTEST_RETRY_SECONDS", 0.01)
    agent = Registering([])
    carried = Carried(FACTS, account_of(FACTS), agent)  # type: ignore[arg-type]
    async with asyncio.timeout(5):
        carried.look_after()
        assert [await told.get(), await told.get()] == [("registering", ""), ("ready", "")]
        agent.loses_it()
        assert await told.get() == ("failed", "Connection timed out")
        assert await told.get() == ("failed", "Connection refused")
        agent.down = False
        while await told.get() != ("ready", ""):
            pass
        await carried.leave()
