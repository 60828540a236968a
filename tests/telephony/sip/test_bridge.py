"""A call's sound between the stack and the web process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from baresip import AudioInfo, CallState

from telephony.sip import bridge
from telephony.sip.bridge import Bridge


class StackCall:
    """The stack's side of a call: itself, and its `audio`."""

    def __init__(self) -> None:
        self.audio = self
        self.state = CallState.ESTABLISHED
        self.remote_on_hold = False
        self.to_be_read = b""
        self.written: list[bytes] = []

    def on(self, listener: object) -> None: ...

    def on_dtmf(self, listener: object) -> None: ...

    def info(self) -> AudioInfo:
        return AudioInfo(True, True, 8000, 1, 20, 8000, 1, 0, len(self.to_be_read), 32768, 32768)

    def read(self, most: int) -> bytes:
        piece, self.to_be_read = self.to_be_read[:most], self.to_be_read[most:]
        return piece

    def write(self, pcm: bytes) -> int:
        self.written.append(pcm)
        return len(pcm)


class WebSide:
    """A socket to the web process."""

    def __init__(self) -> None:
        self.said: asyncio.Queue[str | bytes] = asyncio.Queue()
        self.came: list[str | bytes] = []

    async def recv(self) -> str | bytes:
        return await self.said.get()

    async def send(self, message: str | bytes) -> None:
        self.came.append(message)


@asynccontextmanager
async def carried(call: StackCall, web: WebSide) -> AsyncIterator[None]:
    """Ended by the web process."""
    carrying = asyncio.create_task(Bridge(web).carry(call))  # type: ignore[arg-type]
    await asyncio.sleep(0.01)
    yield
    await asyncio.sleep(0.01)
    web.said.put_nowait('{"type":"ended","reason":"agent_hung_up","transfer_to":""}')
    ended: Any = await carrying
    assert ended.reason == "agent_hung_up"


async def test_what_the_agent_says_does_not_wait_for_a_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "TICK_SECONDS", 60.0)
    call, web = StackCall(), WebSide()
    async with carried(call, web):
        web.said.put_nowait(b"\1\1" * 160)
    assert call.written == [b"\1\1" * 160]


async def test_what_is_heard_is_sent_as_it_is_and_held_music_as_silence() -> None:
    call, web = StackCall(), WebSide()
    async with carried(call, web):
        call.to_be_read = b"\1\1" * 160
        await asyncio.sleep(0.05)
        call.remote_on_hold = True
        call.to_be_read = b"\2\2" * 160
        await asyncio.sleep(0.05)
    assert web.came == [b"\1\1" * 160, bytes(320)]


async def test_a_mark_comes_back_once_all_before_it_is_on_its_way() -> None:
    call, web = StackCall(), WebSide()
    async with carried(call, web):
        web.said.put_nowait(b"\1\1" * 160)
        web.said.put_nowait('{"type":"mark","name":"1"}')
        await asyncio.sleep(0.05)
    assert [orjson.loads(message) for message in web.came] == [{"type": "mark", "name": "1"}]
