"""The line: what goes out, what is played when, and one clock for both legs."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mlservices.audio import ulaw_decode
from telephony.line import Line
from telephony.providers.browser.codec import BrowserCodec
from telephony.providers.twilio.codec import TwilioCodec

FRAME = bytes(640)  # 20 ms at 16 kHz


class Listener:
    """A `MediaSink` that writes down what it is told."""

    def __init__(self) -> None:
        self.heard = bytearray()
        self.marks: list[str] = []

    def feed(self, pcm: bytes) -> None:
        self.heard += pcm

    def mark_played(self, name: str) -> None:
        self.marks.append(name)

    def press(self, digit: str) -> None: ...

    def line_closed(self, reason: str) -> None: ...


class Tape:
    def __init__(self) -> None:
        self.caller, self.agent = bytearray(), bytearray()

    def __call__(self, caller: bytes, agent: bytes) -> None:
        assert len(caller) == len(agent)
        self.caller += caller
        self.agent += agent


def a_line(codec: Any = None) -> tuple[Line, Listener, Tape]:
    line = Line(codec or BrowserCodec())
    line.sink, line.tap = Listener(), Tape()
    return line, line.sink, line.tap


async def sent_by(line: Line) -> list[Any]:
    """What has gone out so far."""
    messages: list[Any] = []

    async def send(message: dict[str, Any]) -> None:
        messages.append(message.get("text", message.get("bytes")))

    writing = asyncio.create_task(line.write(send))
    for _ in range(3):
        await asyncio.sleep(0)
    writing.cancel()
    return messages


def hear(line: Line, frames: int) -> None:
    for _ in range(frames):
        line.hear(FRAME)


async def test_the_first_message_is_small_and_the_rest_are_not() -> None:
    line, _, _ = a_line()
    line.send(b"\1\1" * 16000)
    sizes = [len(message) / 32000 for message in await sent_by(line)]
    assert sizes[0] == pytest.approx(0.04)
    assert sizes[1:-1] == [pytest.approx(0.1)] * (len(sizes) - 2)
    assert sum(sizes) == pytest.approx(1.0)


async def test_the_agents_leg_plays_as_the_callers_clock_runs() -> None:
    line, sink, tape = a_line()
    hear(line, 5)
    line.send(b"\7\0" * 640)  # 40 ms
    hear(line, 5)
    assert tape.agent == bytes(5 * 640) + b"\7\0" * 640 + bytes(3 * 640)
    assert line.seconds == pytest.approx(0.2)
    assert len(sink.heard) == 10 * 640


async def test_clear_cuts_what_was_not_played_and_gives_marks_back() -> None:
    line, sink, tape = a_line()
    line.send(b"\7\0" * 1600)  # 100 ms
    line.mark("a")
    hear(line, 2)
    line.clear()
    hear(line, 5)
    await asyncio.sleep(0)
    assert tape.agent == b"\7\0" * 640 + bytes(5 * 640)
    assert sink.marks == ["a"]


async def test_clear_drops_what_has_not_gone_out_yet() -> None:
    line, _, _ = a_line()
    line.send(bytes(32000))
    line.clear()
    assert await sent_by(line) == ['{"type":"clear"}']


async def test_a_mark_comes_back_once() -> None:
    line, sink, _ = a_line()
    line.mark("a")
    line.played("0:a")
    line.played("0:a")
    assert sink.marks == ["a"]


async def test_marks_of_cleared_sound_and_foreign_ones_tell_nothing() -> None:
    line, sink, _ = a_line()
    line.mark("a")
    line.clear()
    await asyncio.sleep(0)
    line.mark("a")
    line.played("0:a")  # of before the clear
    line.played("a")
    line.played("1:b")
    assert sink.marks == ["a"]
    line.played("1:a")
    assert sink.marks == ["a", "a"]


async def test_a_mark_that_the_carrier_forgets_comes_back_all_the_same() -> None:
    line, sink, _ = a_line()
    line.send(bytes(3200))  # 100 ms
    line.mark("a")
    hear(line, 150)
    assert sink.marks == []
    hear(line, 10)
    assert sink.marks == ["a"]


async def test_sound_that_never_came_is_silence_on_the_clock() -> None:
    line, sink, _ = a_line(TwilioCodec())
    frame = ulaw_decode(b"\x12" * 160)
    for at_ms in (102, 122, 142, 342, 362):
        line.hear(frame, at_ms)
    assert line.seconds == pytest.approx(0.28)
    # The gap is filled once a second frame confirms it.
    assert bytes(sink.heard) == frame * 4 + bytes(9 * 320) + frame


async def test_a_frame_that_is_stamped_late_now_and_then_is_no_gap() -> None:
    line, _, _ = a_line(TwilioCodec())
    for number in range(3000):
        line.hear(bytes(320), 155 + number * 20 + (60 if number % 50 == 0 else 0))
    assert line.seconds == pytest.approx(60.0)


async def test_a_clock_that_wanders_is_no_gap() -> None:
    line, _, _ = a_line(TwilioCodec())
    for number in range(1000):
        line.hear(bytes(320), 155 + number * 20 + (number * 7) % 19)
    assert line.seconds == pytest.approx(20.0)


async def test_a_clock_that_jumps_is_not_believed() -> None:
    line, _, _ = a_line(TwilioCodec())
    for at_ms in (100, 120, 10**12, 10**12 + 20, 10**12 + 40):
        line.hear(bytes(320), at_ms)
    assert line.seconds == pytest.approx(0.1)


async def test_too_much_sound_is_dropped_and_counted() -> None:
    line, _, _ = a_line()
    line.send(bytes(32000 * 301))
    assert line.dropped_bytes == 32000


async def test_a_socket_that_takes_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telephony.line.SEND_TIMEOUT_SECONDS", 0.01)
    line, _, _ = a_line()
    line.send(bytes(640))

    async def never(message: dict[str, Any]) -> None:
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await line.write(never)


async def test_a_socket_that_takes_sound_slowly_but_steadily_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telephony.line.SEND_TIMEOUT_SECONDS", 0.05)
    line, _, _ = a_line()
    line.send(bytes(32000))
    taken = []

    async def slowly(message: dict[str, Any]) -> None:
        await asyncio.sleep(0.01)
        taken.append(message)

    writing = asyncio.create_task(line.write(slowly))
    while len(taken) < 11:
        assert not writing.done()
        await asyncio.sleep(0.01)
    writing.cancel()


async def test_the_last_word_to_a_browser_is_why_the_call_ended() -> None:
    line, _, _ = a_line()
    line.send(bytes(640))
    line.end("transferred", "+14155550100")
    assert await sent_by(line) == [
        '{"type":"ended","reason":"transferred","transfer_to":"+14155550100"}',
    ]
