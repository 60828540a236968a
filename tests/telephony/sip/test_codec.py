from __future__ import annotations

import json

import pytest
from asgiref.sync import sync_to_async

from agents.models import Agent
from telephony.capacity import capacity
from telephony.line import Line
from telephony.models import SipLine
from telephony.providers import codec_class
from telephony.providers.base import Heard, OnHold, Started, Unreadable
from telephony.providers.sip.codec import SipCodec
from telephony.sip import records
from tests.telephony.test_line import sent_by
from tests.telephony.test_sockets import Socket, exchange


def test_the_gateway_says_whose_call_it_carries_and_sends_sound_as_it_is() -> None:
    codec = codec_class("sip")()
    assert isinstance(codec, SipCodec)
    start = {"type": "start", "token": "t", "provider_call_id": "1@there"}
    assert codec.decode(json.dumps(start)) == Started("t", "1@there")
    assert codec.decode(b"\1\2") == Heard(b"\1\2")
    assert codec.decode('{"type":"hold","held":true}') == OnHold(True)
    assert isinstance(codec.decode('{"type":"hold"}'), Unreadable)
    assert isinstance(codec.decode(b"\1"), Unreadable)
    assert (codec.rate, codec.media(b"\1\2")) == (8000, b"\1\2")


async def test_keys_are_signals_where_a_line_has_some_and_sound_elsewhere() -> None:
    line = Line(SipCodec())
    assert line.press("12")
    assert [json.loads(message) for message in await sent_by(line)] == [{"type": "keys", "digits": "12"}]
    for other in ("twilio", "browser"):
        assert not Line(codec_class(other)()).press("12")


@pytest.mark.django_db(transaction=True)
async def test_a_full_process_turns_a_caller_away_whom_nobody_has_answered(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capacity, "loop_share", 0.9)
    line = await SipLine.objects.acreate(label="Desk", host="sip.example.org", user="100", agent=agent)
    call = await sync_to_async(records.announce)(line.pk, sip_call_id="1@there", caller="+1", callee="100")
    assert call
    socket = Socket("sip", exchange())
    socket.say({"type": "start", "token": call.token, "provider_call_id": "1@there"})
    assert await socket.until_closed() == (1008, "at_capacity")
