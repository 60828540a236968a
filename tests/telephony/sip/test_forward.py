"""A call that no agent takes, as its number says for these hours: put through at once, or told a sentence."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from baresip import Call, CallState, TransferFailed

from mlservices import registry
from mlservices.errors import EngineError
from telephony.sip import calls as gateway_calls
from telephony.sip import records, saying
from telephony.sip.calls import Calls
from tests.fakes.exchange import ToneTts

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

    monkeypatch.setattr(gateway_calls, "say", say)
    calls, ringing = Calls("ws://127.0.0.1:9", From192()), Answered(CallState.INCOMING, refuses=refuses)
    carried = line()
    calls.take(carried, cast(Call, ringing))
    await asyncio.gather(*calls.tasks)
    assert ringing.passed_to == [f"sip:+14155550188@{carried.facts.domain}"]
    assert ringing.told == ["200", "BYE"]
    assert (heard, freed) == (([b"sorry"], ["1@there"]) if refuses else ([], []))


class NoVoice(ToneTts):
    def speak(self, text: str, **how: Any) -> Any:
        raise EngineError("The voice is away.", service="tts")


@pytest.mark.parametrize("voice", [ToneTts(), NoVoice()], ids=["spoken", "no voice"])
async def test_a_sentence_is_spoken_and_where_no_voice_is_there_it_sounds_busy(
    voice: ToneTts, monkeypatch: Any
) -> None:
    sentence = records.Sentence("We are closed.", "default", 1.0)
    monkeypatch.setattr(records, "announce", lambda *_, **how: sentence)
    monkeypatch.setattr(registry, "first_voice", lambda: voice)
    heard: list[int] = []

    async def say(call: Any, pcm: bytes) -> None:
        assert call.told == ["200"]
        heard.append(len(pcm))

    monkeypatch.setattr(saying, "say", say)
    calls, ringing, carried = Calls("ws://127.0.0.1:9", From192()), Answered(CallState.INCOMING), line()
    calls.take(carried, cast(Call, ringing))
    await asyncio.gather(*calls.tasks)
    if isinstance(voice, NoVoice):
        assert (ringing.told, heard) == (["486"], [])
    else:
        assert ringing.told == ["200", "BYE"] and heard[0] > 1000
