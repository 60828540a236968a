"""One call between the SIP stack and the web process: its sound both ways, keys, and who ends it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson
from baresip import AudioInfo, AudioNotActive, AudioRestarted, BaresipError, Call, CallState, Event
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from ..providers.base import KEYS
from .playout import RATE, Playout

PATH = "/ws/media/sip/"
OPEN_SECONDS, CLOSE_SECONDS = 10.0, 1.0
TICK_SECONDS = 0.01  # half a packet: what was heard waits no longer than that to be read
GAP_SECONDS, WAIT_SECONDS = 0.08, 0.5  # after a key, and for a "," or "w" between them
# The media clock goes on while the stack hears nothing (a caller who holds us): then silence is sent.
BEHIND_BYTES = 2 * RATE * 200 // 1000
LARGEST_MESSAGE = 1 << 20

NORMAL, LINE_DEAD, SERVICE_RESTART = 1000, 1011, 1012  # codes with which we close
NO_SOUND = "rtp stream error"  # the stack's words for a peer whose sound stays away


class NotTaken(Exception):
    """The web process cannot be reached or does not take the call; the message says why."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The web process has ended the call."""

    reason: str
    transfer_to: str


class Bridge:
    """Made by `open`, before the caller is answered."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._playout = Playout()
        self._keys: asyncio.Queue[str] = asyncio.Queue()  # to be pressed
        self._ended: Ended | None = None
        self.dead = False  # the peer vanished without a word

    @classmethod
    async def open(cls, server: str, *, token: str, provider_call_id: str) -> Bridge:
        """`server` is the web process's address, ws://host:port. Raises NotTaken."""
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                socket = await connect(
                    server + PATH, compression=None, proxy=None, max_size=LARGEST_MESSAGE, ping_interval=None
                )
                bridge = cls(socket)
                try:
                    await bridge._say(type="start", token=token, provider_call_id=provider_call_id)
                    await socket.recv()  # "ready", always the first
                except BaseException:  # it comes too late for this caller
                    socket.transport.abort()
                    raise
                return bridge
        except TimeoutError:
            raise NotTaken("the web server did not answer in time") from None
        except ConnectionClosed as closed:
            raise NotTaken(f"the web server refused: {closed.reason or closed.code}") from None
        except (OSError, WebSocketException) as error:
            raise NotTaken(f"the web server cannot be reached: {error}") from None

    async def carry(self, call: Call) -> Ended | None:
        """Until either side ends the call; None where the web process is gone, or the peer."""
        closed = asyncio.Event()
        news: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

        def happened(event: Any) -> None:
            if event.event is Event.CALL_CLOSED:
                self.dead = event.text == NO_SOUND
                closed.set()
            elif event.event in (Event.CALL_HOLD, Event.CALL_RESUME):
                news.put_nowait({"type": "hold", "held": event.event is Event.CALL_HOLD})

        call.on(happened)
        call.on_dtmf(lambda digit: news.put_nowait({"type": "digit", "digit": digit.digit}))
        if call.state is CallState.CLOSED:
            closed.set()
        listening = asyncio.create_task(self._listen(call))
        works = (self._pump(call), self._tell(news), self._press(call), closed.wait())
        tasks = [listening, *map(asyncio.create_task, works)]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if any(isinstance(task.exception(), ConnectionClosed) for task in done):
                # Its last words may have come, and not been read yet.
                await asyncio.wait([listening], timeout=CLOSE_SECONDS)
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, ConnectionClosed):
                raise result
        return self._ended

    async def close(self, *, restarting: bool = False) -> None:
        """Tell the web process that the peer hung up, or vanished, or that we stop."""
        if restarting or self.dead:
            await self._socket.close(SERVICE_RESTART if restarting else LINE_DEAD)
            return
        with suppress(ConnectionClosed):
            await self._say(type="stop")
        await self._socket.close(NORMAL)

    # ---- from the web process ---------------------------------------------------------------

    async def _listen(self, call: Call) -> None:
        while True:
            message = await self._socket.recv()
            if isinstance(message, bytes):
                self._playout.add(message)
                with suppress(AudioNotActive, AudioRestarted):
                    await self._feed(call, call.audio.info())  # now, or its beginning would wait for a tick
                continue
            await self._played(self._told(call, orjson.loads(message)))
            if self._ended:
                return

    def _told(self, call: Call, message: dict[str, str]) -> list[str]:
        """The marks that come back at once."""
        match message["type"]:
            case "mark":
                self._playout.mark(message["name"])
            case "clear":
                with suppress(AudioNotActive, AudioRestarted):
                    call.audio.flush_tx()
                return self._playout.clear()
            case "keys":
                self._keys.put_nowait(message["digits"])
            case "ended":
                self._ended = Ended(message["reason"], message["transfer_to"])
        return []

    async def _press(self, call: Call) -> None:
        while True:
            await press(call, await self._keys.get())

    # ---- to the web process -----------------------------------------------------------------

    async def _pump(self, call: Call) -> None:
        """At every tick: what was heard goes to the web process, what is to be said to the stack."""
        clock = asyncio.get_running_loop().time
        started = clock()
        heard, ticks = 0, 0
        while True:
            pcm = b""
            with suppress(AudioNotActive, AudioRestarted):  # not yet, not now, or anew
                info = call.audio.info()
                await self._feed(call, info)
                pcm = self._heard(call, info)
            behind = int((clock() - started) * RATE) * 2 - heard - len(pcm)
            if behind > BEHIND_BYTES:
                pcm += bytes(behind)
            if pcm:
                heard += len(pcm)
                await self._socket.send(pcm)
            ticks += 1
            await asyncio.sleep(max(0.0, started + ticks * TICK_SECONDS - clock()))

    async def _feed(self, call: Call, info: AudioInfo) -> None:
        """Give the stack what it has room for, and tell which marks it has passed."""
        piece = self._playout.next(info.tx_buffered) if info.tx_ready else b""
        if piece:
            call.audio.write(piece)
        await self._played(self._playout.played(info.tx_buffered + len(piece)))

    @staticmethod
    def _heard(call: Call, info: AudioInfo) -> bytes:
        if not info.rx_buffered:
            return b""
        pcm = call.audio.read(info.rx_buffered)
        return bytes(len(pcm)) if call.remote_on_hold else pcm  # or music would be taken for speech

    async def _played(self, marks: list[str]) -> None:
        for name in marks:
            await self._say(type="mark", name=name)

    async def _tell(self, news: asyncio.Queue[dict[str, Any]]) -> None:
        while True:
            await self._say(**await news.get())

    async def _say(self, **message: Any) -> None:
        await self._socket.send(orjson.dumps(message).decode())


async def press(call: Call, keys: str) -> None:
    """As long as their sound would take; "w" and "," wait for half a second, "W" for a whole one."""
    for key in keys:
        if key.upper() in KEYS:
            with suppress(BaresipError):  # the peer has hung up
                await call.send_dtmf(key.upper())
            await asyncio.sleep(GAP_SECONDS)
        else:
            await asyncio.sleep(2 * WAIT_SECONDS if key == "W" else WAIT_SECONDS)
