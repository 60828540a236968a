"""Twilio's messages as they were seen on real streams, and what nobody should send."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlservices.audio import ulaw_decode
from telephony.providers import REGISTRY, codec_class
from telephony.providers.base import (
    LONGEST_MESSAGE,
    Heard,
    Ignored,
    Played,
    Pressed,
    Started,
    Stopped,
    Unreadable,
    WireEvent,
)
from telephony.providers.browser.codec import BrowserCodec
from telephony.providers.twilio.codec import TwilioCodec

STREAM, CALL, ACCOUNT = "MZ" + "0" * 32, "CA" + "0" * 32, "AC" + "0" * 32
START = {
    "event": "start",
    "sequenceNumber": "1",
    "start": {
        "accountSid": ACCOUNT,
        "streamSid": STREAM,
        "callSid": CALL,
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {"token": "secret", "hello": "world"},
    },
    "streamSid": STREAM,
}


def without(message: dict, *path: str) -> dict:
    copy = json.loads(json.dumps(message))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return copy


def media(payload: str, **fields: str) -> str:
    body = {"track": "inbound", "chunk": "1", "timestamp": "102", "payload": payload, **fields}
    return json.dumps({"event": "media", "sequenceNumber": "2", "media": body, "streamSid": STREAM})


@pytest.fixture
def codec() -> TwilioCodec:
    codec = TwilioCodec()
    codec.decode(json.dumps(START))
    return codec


def test_a_stream_introduces_itself() -> None:
    connected = TwilioCodec().decode('{"event":"connected","protocol":"Call","version":"1.0.0"}')
    assert connected == Ignored()
    assert TwilioCodec().decode(json.dumps(START)) == Started(token="secret", provider_call_id=CALL)


def test_a_stream_without_parameters_starts_without_a_token() -> None:
    started = TwilioCodec().decode(json.dumps(without(START, "start", "customParameters")))
    assert isinstance(started, Started)
    assert started.token == ""


def test_sound_comes_as_pcm_with_the_time_of_the_stream(codec: TwilioCodec) -> None:
    ulaw = bytes(range(160))
    heard = codec.decode(media(base64.b64encode(ulaw).decode()))
    assert heard == Heard(ulaw_decode(ulaw), 102)


def test_our_own_sound_on_a_stream_of_both_tracks_is_not_the_callers(codec: TwilioCodec) -> None:
    assert codec.decode(media("AAAA", track="outbound")) == Ignored()


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            {"event": "mark", "sequenceNumber": "4", "streamSid": STREAM, "mark": {"name": "my label"}},
            Played("my label"),
        ),
        (
            {"event": "dtmf", "streamSid": STREAM, "dtmf": {"track": "inbound_track", "digit": "#"}},
            Pressed("#"),
        ),
        (
            {"event": "stop", "stop": {"accountSid": ACCOUNT, "callSid": CALL}, "streamSid": STREAM},
            Stopped(),
        ),
        ({"event": "what Twilio may add one day"}, Ignored()),
    ],
)  # fmt: skip
def test_the_rarer_messages(codec: TwilioCodec, message: dict, expected: WireEvent) -> None:
    assert codec.decode(json.dumps(message)) == expected


@pytest.mark.parametrize(
    "message",
    [
        "",
        "not json",
        "[]",
        "17",
        "null",
        '{"event": 7}',
        '{"no": "event"}',
        '{"event":"media"}',
        '{"event":"media","media":"sound"}',
        media("not base64!"),
        media("AAAA", timestamp="soon"),
        json.dumps({"event": "dtmf", "dtmf": {"digit": "12"}}),
        json.dumps({"event": "dtmf", "dtmf": {"digit": ["1"]}}),
        json.dumps(START),  # a second time
        "x" * (LONGEST_MESSAGE + 1),
    ],
)
def test_what_cannot_be_read_is_told_so_and_nothing_breaks(codec: TwilioCodec, message: str) -> None:
    assert isinstance(codec.decode(message), Unreadable)
    assert isinstance(codec.decode(media("AAAA")), Heard)


@pytest.mark.parametrize("missing", ["streamSid", "callSid", "mediaFormat"])
def test_a_start_that_lacks_what_we_need_does_not_start(missing: str) -> None:
    assert isinstance(TwilioCodec().decode(json.dumps(without(START, "start", missing))), Unreadable)


def test_a_stream_in_another_format_does_not_start() -> None:
    start = json.loads(json.dumps(START))
    start["start"]["mediaFormat"]["sampleRate"] = 16000
    assert isinstance(TwilioCodec().decode(json.dumps(start)), Unreadable)


def test_what_we_send_is_what_twilio_reads(codec: TwilioCodec) -> None:
    pcm = ulaw_decode(bytes(range(256)))
    sent = json.loads(codec.media(pcm))
    assert sent["event"] == "media"
    assert sent["streamSid"] == STREAM
    assert ulaw_decode(base64.b64decode(sent["media"]["payload"])) == pcm
    assert json.loads(codec.mark("1:a")) == {"event": "mark", "streamSid": STREAM, "mark": {"name": "1:a"}}
    assert json.loads(codec.clear()) == {"event": "clear", "streamSid": STREAM}


def test_a_stream_id_is_quoted_wherever_it_comes_from() -> None:
    codec = TwilioCodec()
    start = json.loads(json.dumps(START))
    start["start"]["streamSid"] = 'MZ"},"x":{"'
    codec.decode(json.dumps(start))
    assert json.loads(codec.media(b"\0\0"))["streamSid"] == 'MZ"},"x":{"'


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=10,
)
EVENTS = ["connected", "start", "media", "mark", "dtmf", "stop"]


@pytest.mark.parametrize("line", list(REGISTRY))
@given(message=st.text(max_size=200) | st.binary(max_size=200) | json_values.map(json.dumps))
def test_garbage_never_raises(line: str, message: str | bytes) -> None:
    assert isinstance(codec_class(line)().decode(message), WireEvent)


@given(event=st.sampled_from(EVENTS), body=json_values)
def test_known_events_with_garbage_inside_never_raise(event: str, body: object) -> None:
    message = json.dumps({"event": event, event: body, "streamSid": body})
    assert isinstance(TwilioCodec().decode(message), WireEvent)


def test_a_browser_sends_sound_as_it_is() -> None:
    assert BrowserCodec().decode(b"\1\2\3\4") == Heard(b"\1\2\3\4")
    assert isinstance(BrowserCodec().decode(b"\1\2\3"), Unreadable)
    assert BrowserCodec().media(b"\1\2") == b"\1\2"


def test_a_browser_says_the_rest_in_json() -> None:
    codec = BrowserCodec()
    assert codec.decode('{"type":"start","token":"t"}') == Started(token="t")
    assert codec.decode('{"type":"mark","name":"0:1"}') == Played("0:1")
    assert codec.decode('{"type":"digit","digit":"5"}') == Pressed("5")
    assert codec.decode('{"type":"stop"}') == Stopped()
    assert json.loads(codec.ready("c")) == {"type": "ready", "call": "c", "rate": 16000}
    assert json.loads(codec.ended("transferred", "+1")) == {
        "type": "ended",
        "reason": "transferred",
        "transfer_to": "+1",
    }
