"""What becomes of SIP calls and lines while the database is away: a test that may not ask it has none."""

from __future__ import annotations

import asyncio
import ipaddress
import threading
from dataclasses import dataclass, field, replace
from typing import Any, cast
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from baresip import Call, CallFailed, CallState, CallTimeout, StaleHandleError

from agents.models import Agent
from telephony.models import SipLine
from telephony.sip import records
from telephony.sip.accounts import save_line
from telephony.sip.calls import Calls, in_database, outcome_of
from telephony.sip.lines import Carried, account_of
from telephony.sip.records import Outgoing
from telephony.sip.sources import Sources

from .test_dialling import FACTS, HastyAgent

TRUNK = replace(FACTS, registers=False, peers=(ipaddress.ip_network("192.0.2.7"),))


class From192(Sources):
    """Every call comes from the trunk's own peer."""

    async def of(self, call_id: str) -> str:
        return "192.0.2.7"


@dataclass
class PeersCall:
    """A call of the stack as far as it is looked at before anybody is connected."""

    state: CallState
    peer: str = "sip:200@sip.example.org"
    call_id: str = "abc@192.0.2.7"
    headers: dict[str, str] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    async def wait_established(self, seconds: float = 0.0) -> None:
        self.state = CallState.ESTABLISHED

    async def reject(self) -> None:
        self._end("486")

    async def hangup(self) -> None:
        self._end("BYE")

    def _end(self, word: str) -> None:
        if self.state is CallState.CLOSED:
            raise StaleHandleError("call no longer exists")
        self.told.append(word)
        self.state = CallState.CLOSED


class Dialling(Carried):
    """A line whose next call is `placed`."""

    placed: PeersCall

    async def dial(self, number: str, happened: Any) -> Call:
        return cast(Call, self.placed)


def line() -> Dialling:
    return Dialling(TRUNK, account_of(TRUNK), HastyAgent([]))  # type: ignore[arg-type]


async def done(calls: Calls) -> None:
    while calls.tasks:
        for task in list(calls.tasks):
            with pytest.raises(RuntimeError, match="Database access not allowed"):
                await task


async def test_who_rings_is_told_that_nobody_answers() -> None:
    calls, ringing = Calls("ws://127.0.0.1:9", From192()), PeersCall(CallState.INCOMING)
    calls.take(line(), cast(Call, ringing))
    await done(calls)
    assert ringing.told == ["486"]


async def test_who_answers_is_not_kept_on_a_line_that_leads_nowhere() -> None:
    calls, carried = Calls("ws://127.0.0.1:9", From192()), line()
    carried.placed = PeersCall(CallState.OUTGOING)
    calls.place(carried, Outgoing(uuid4(), 1, "200", "", 60))
    await done(calls)
    assert carried.placed.told == ["BYE"]
    assert carried.calls == 0


async def test_a_provider_that_tells_no_price_for_long_keeps_no_caller_waiting(monkeypatch: Any) -> None:
    told = threading.Event()
    monkeypatch.setattr(records, "why_not", lambda *_, **how: "too dear" if told.wait(5) else "not told")
    calls, call = Calls("ws://127.0.0.1:9", From192()), cast(Call, PeersCall(CallState.ESTABLISHED))
    asked = [asyncio.create_task(calls._put_through(uuid4(), line(), call, "+14155550100")) for _ in range(4)]
    await asyncio.sleep(0.1)
    async with asyncio.timeout(2):
        assert await in_database(lambda: True)
    told.set()
    assert await asyncio.gather(*asked) == ["refused"] * 4


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (CallTimeout("call not established within 60 s"), "no-answer"),
        (CallFailed("408 Request Timeout", status=408, reason="Request Timeout"), "no-answer"),
        (CallFailed("487 Request Terminated", status=487, reason="Request Terminated"), "canceled"),
    ],
    ids=["no answer in time", "408", "487"],
)
def test_who_does_not_answer_in_time_is_told_from_who_was_given_up(error: CallFailed, status: str) -> None:
    assert outcome_of(error)[0] == status


class Registering(HastyAgent):
    """Registers whenever it is asked to."""

    async def register(self, **how: float) -> None: ...

    async def unregister(self, **how: float) -> None: ...


@pytest.mark.django_db(transaction=True)
async def test_a_line_is_kept_once_it_is_back(agent: Agent, django_db_blocker: Any, caplog: Any) -> None:
    row = await sync_to_async(save_line)(label="Desk", host="sip.example.org", user="100", agent=agent)
    facts = replace(FACTS, pk=row.pk)
    carried = Carried(facts, account_of(facts), Registering([]))  # type: ignore[arg-type]

    async def looked_after_until(condition: Any) -> None:
        async with asyncio.timeout(10):
            while not await condition():
                carried.look_after()
                await asyncio.sleep(0.02)

    async def is_told() -> bool:
        return "Database access not allowed" in caplog.text

    with django_db_blocker.block():
        await looked_after_until(is_told)

    async def is_ready() -> bool:
        await row.arefresh_from_db()
        return bool(row.state == SipLine.State.READY)

    await looked_after_until(is_ready)
    await carried.leave()
