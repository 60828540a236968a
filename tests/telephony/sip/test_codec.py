from __future__ import annotations

import json

from telephony.line import Line
from telephony.providers import codec_class
from telephony.providers.base import Heard, Started, Unreadable
from telephony.providers.sip.codec import SipCodec
from tests.telephony.test_line import sent_by


def test_the_gateway_says_whose_call_it_carries_and_sends_sound_as_it_is() -> None:
    codec = codec_class("sip")()
    assert isinstance(codec, SipCodec)
    start = {"type": "start", "token": "t", "provider_call_id": "1@there"}
    assert codec.decode(json.dumps(start)) == Started("t", "1@there")
    assert codec.decode(b"\1\2") == Heard(b"\1\2")
    assert isinstance(codec.decode(b"\1"), Unreadable)
    assert (codec.rate, codec.media(b"\1\2")) == (8000, b"\1\2")


async def test_keys_are_signals_where_a_line_has_some_and_sound_elsewhere() -> None:
    line = Line(SipCodec())
    assert line.press("12")
    assert [json.loads(message) for message in await sent_by(line)] == [{"type": "keys", "digits": "12"}]
    for other in ("twilio", "browser"):
        assert not Line(codec_class(other)()).press("12")
