"""What becomes of SIP calls and lines while the database is away: no test here may ask it, so whoever does
fails."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field, replace
from typing import Any, cast
from uuid import uuid4

import pytest
from baresip import Call, CallState, StaleHandleError

from telephony.sip.calls import Calls
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

    async def wait_established(self, timeout: float = 0.0) -> None:
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
