"""The media sockets. A consumer translates and routes; it never waits for anything on a frame's way.

Channels' stock `dispatch` hops to the shared database thread for every message, which costs a third of
all time and holds frames up behind any slow query. These are plain ASGI applications with a receive
loop of their own instead.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import Any

from mlservices.about import about

from . import metrics
from .admission import NotAdmitted, admit
from .capacity import capacity
from .line import Line
from .models import Call
from .providers import codec_class
from .providers.base import (
    LONGEST_MESSAGE,
    Codec,
    Heard,
    Ignored,
    OnHold,
    Played,
    Pressed,
    Started,
    Stopped,
    Unreadable,
    WireEvent,
)
from .switchboard import Switchboard, in_database

logger = logging.getLogger(__name__)

START_SECONDS = 5.0
MOST_UNREADABLE = 50  # messages of an admitted socket; a provider's oddities are fewer
CLOSE_SECONDS = 5.0  # a peer that does not answer our close
LOST_SECONDS = 0.5  # granian, when it stops, cuts its sockets a moment before it says that it stops

POLICY_VIOLATION, TOO_BIG, SERVICE_RESTART = 1008, 1009, 1012

# Sockets turned away or cut off in this process, by reason.
refused: Counter[str] = Counter()


class Refused(Exception):
    def __init__(self, reason: str, code: int = POLICY_VIOLATION) -> None:
        super().__init__(reason)
        self.reason, self.code = reason, code


def _refuse(reason: str) -> None:
    refused[reason] += 1
    metrics.sockets_refused.labels(reason).inc()


class MediaConsumer:
    """The ASGI application for one kind of line (a key of `providers.REGISTRY`)."""

    def __init__(self, line: str, switchboard: Switchboard) -> None:
        self._line = line
        self._switchboard = switchboard

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await MediaSocket(self._line, self._switchboard, scope, receive, send).serve()


class MediaSocket:
    """One socket, from its handshake to its close."""

    def __init__(self, line: str, switchboard: Switchboard, scope: Any, receive: Any, send: Any) -> None:
        self._line_key = line
        self._switchboard = switchboard
        self._scope = scope
        self._receive = receive
        self._send = send
        self._codec: Codec = codec_class(line)()
        self._line = Line(self._codec)
        self._unreadable = 0

    async def serve(self) -> None:
        await self._receive()  # websocket.connect
        await self._send({"type": "websocket.accept"})
        try:
            call = await self._admitted()
            if call.line == "sip" and call.direction == Call.Direction.INBOUND and capacity.full():
                raise Refused("at_capacity")  # the gateway has not answered the caller yet
            if not await self._switchboard.take(call, self._line):
                raise Refused("call_is_over")
            await self._carry(call)
        except Refused as refusal:
            _refuse(refusal.reason)
            logger.warning("A media socket (%s) was closed: %s.", self._line_key, refusal.reason)
            await self._close(refusal.code, refusal.reason)

    # ---- admission --------------------------------------------------------------------------

    async def _admitted(self) -> Call:
        try:
            async with asyncio.timeout(START_SECONDS):
                started = await self._started()
        except TimeoutError:
            raise Refused("no_start_in_time") from None
        try:
            return await in_database(
                admit,
                started,
                line=self._line_key,
                path=self._scope["path"],
                signature=self._header(b"x-twilio-signature"),
            )
        except NotAdmitted as error:
            raise Refused(error.reason) from None

    async def _started(self) -> Started:
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                raise Refused("gone_before_start")
            content = message.get("text") or message.get("bytes") or ""
            match self._codec.decode(content):
                case Started() as started:
                    return started
                case Ignored():
                    continue
                case Unreadable() if len(content) > LONGEST_MESSAGE:
                    raise Refused("oversized_message", TOO_BIG)
                case _:
                    raise Refused("no_start")

    def _header(self, name: bytes) -> str | None:
        for key, value in self._scope["headers"]:
            if key == name:
                return value.decode("latin-1")
        return None

    # ---- the call ---------------------------------------------------------------------------

    async def _carry(self, call: Call) -> None:
        ready = self._codec.ready(str(call.pk))
        if ready:
            await self._send({"type": "websocket.send", "text": ready})
        with about(call=call.pk):
            reader, writer = asyncio.create_task(self._read()), asyncio.create_task(self._write())
        try:
            await asyncio.wait({reader, writer}, return_when=asyncio.FIRST_COMPLETED)
            if not reader.done():  # we have closed; give the peer time to answer
                await asyncio.wait({reader}, timeout=CLOSE_SECONDS)
            if reader.done():
                reader.result()
        except Refused:
            self._hung_up("garbage")
            raise
        finally:
            reader.cancel()
            writer.cancel()
            await asyncio.gather(reader, writer, return_exceptions=True)

    async def _read(self) -> None:
        """Until the peer is gone. Whoever ends the call closes the socket, which ends this too."""
        receive, decode, hear = self._receive, self._codec.decode, self._line.hear
        while True:
            message = await receive()
            content = message.get("text") or message.get("bytes")
            if content is None:
                if message["type"] == "websocket.disconnect":
                    await self._gone(message.get("code"))
                    return
                continue
            event = decode(content)
            if type(event) is Heard:
                hear(event.pcm, event.at_ms)
            else:
                self._rare(event, len(content))

    def _rare(self, event: WireEvent, length: int) -> None:
        sink = self._line.sink
        match event:
            case Played(mark):
                self._line.played(mark)
            case Pressed(digit) if sink:
                sink.press(digit)
            case OnHold(held) if sink:
                sink.hold(held)
            case Stopped():
                self._hung_up("hangup")
            case Unreadable():
                self._not_read(length)

    def _not_read(self, length: int) -> None:
        _refuse("unreadable_message")
        self._unreadable += 1
        if length > LONGEST_MESSAGE:
            raise Refused("oversized_message", TOO_BIG)
        if self._unreadable > MOST_UNREADABLE:
            raise Refused("garbage")

    async def _gone(self, code: int | None) -> None:
        """A page that is left closes its socket; Twilio says `stop` before it does. Our own server tells
        us by its code that it stops."""
        if self._line_key == "browser" and code in (1000, 1001):
            self._hung_up("hangup")
        elif code == SERVICE_RESTART:
            self._hung_up("restart")
        else:
            await self._lost("disconnected")

    async def _lost(self, reason: str) -> None:
        """The first reason counts, so let a server that stops come first with its own."""
        if self._line.sink:  # else the call is over, and this is how its socket ends
            await asyncio.sleep(LOST_SECONDS)
            self._hung_up(reason)

    def _hung_up(self, reason: str) -> None:
        if self._line.sink:
            self._line.sink.line_closed(reason)

    async def _write(self) -> None:
        try:
            await self._line.write(self._send)
        except ConnectionError:  # the peer has left; how, the reader is told
            await self._lost("dead socket")
        except OSError:
            logger.warning("A media socket (%s) takes nothing any more.", self._line_key)
            await self._lost("dead socket")
        except Exception:
            logger.exception("A media socket (%s) cannot be written to.", self._line_key)
            await self._lost("dead socket")
        await self._close(1000, "")

    async def _close(self, code: int, reason: str) -> None:
        await self._send({"type": "websocket.close", "code": code, "reason": reason})
