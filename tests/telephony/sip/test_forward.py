"""A call that is put through at once, as its number says for these hours."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from baresip import Call, CallState, TransferFailed

from telephony.sip import calls as gateway_calls
from telephony.sip import records
from telephony.sip.calls import Calls

from .test_failing_database import From192, PeersCall, line


@dataclass
class Answered(PeersCall):
    """A peer who takes the transfer, or does not."""

    refuses: bool = False
    passed_to: list[str] = field(default_factory=list)

    async def answer(self) -> None:
        self.told.append("200")

    async def transfer(self, target: str, **how: float) -> None:
        self.passed_to.append(target)
        if self.refuses:
            raise TransferFailed("486 Busy Here", status=486, reason="Busy Here")


@pytest.mark.parametrize("refuses", [False, True], ids=["taken", "refused"])
async def test_it_is_answered_passed_on_and_told_where_that_fails(refuses: bool, monkeypatch: Any) -> None:
    forward = records.Forward("1@there", "+14155550188", b"sorry")
    freed: list[Any] = []
    monkeypatch.setattr(records, "announce", lambda *_, **how: forward)
    monkeypatch.setattr(records, "why_not", lambda *_, **how: "")
    monkeypatch.setattr(records, "not_passed_on", lambda *of, **how: freed.append(of[1]))
    heard: list[bytes] = []

    async def say(call: Any, pcm: bytes) -> None:
        heard.append(pcm)

    monkeypatch.setattr(gateway_calls, "_say", say)
    calls, ringing = Calls("ws://127.0.0.1:9", From192()), Answered(CallState.INCOMING, refuses=refuses)
    carried = line()
    calls.take(carried, cast(Call, ringing))
    await asyncio.gather(*calls.tasks)
    assert ringing.passed_to == [f"sip:+14155550188@{carried.facts.domain}"]
    assert ringing.told == ["200", "BYE"]
    assert (heard, freed) == (([b"sorry"], ["1@there"]) if refuses else ([], []))
