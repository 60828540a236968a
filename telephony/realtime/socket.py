"""`/ws/realtime`: a program talks with an agent. The messages are those of `providers.realtime.messages`."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from django.conf import settings

from mlservices.api.socket import NotAdmitted
from mlservices.ledger import asking

from ..capacity import capacity
from ..consumers import LOST_SECONDS, SERVICE_RESTART
from ..eventlog import eventlog
from ..models import Call
from ..providers.base import LONGEST_MESSAGE
from ..providers.realtime import messages
from ..providers.realtime.codec import RealtimeCodec, Unreadable, name_of
from ..session.events import FeedbackGiven
from ..switchboard import Switchboard, in_database
from . import limits
from .actions import TooMany, start_api_call
from .door import Admit, Visitor
from .line import RealtimeLine
from .setup import Impossible, SessionSuppliers, Setup, setup_of

logger = logging.getLogger(__name__)

USE, TRY = "mlservices.use_models", "agents.try_agents"
NORMAL, POLICY, TOO_BIG, INTERNAL, TRY_AGAIN = 1000, 1008, 1009, 1011, 1013
CLOSE_SECONDS = 5.0  # for the call to end, and for the peer to answer our close
LEFT = (1000, 1001, 1005)  # codes of a peer who hangs up
ABNORMAL = 1006
TICK_SECONDS = 0.1
QUIET_SECONDS = 0.3  # without sound, from which on silence stands for it
METRICS_SECONDS = 5.0
RECHECK_SECONDS = 5.0  # that whoever talks still may
_FRAME = messages.RATE // 50 * 2  # bytes


class Refused(Exception):
    """What ends the socket; `code` and the message are told before."""

    def __init__(self, close: int, code: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.close, self.code, self.more = close, code, more


class _Gone(Exception):
    """The client hung up before there was a call."""


class RealtimeConsumer:
    """The ASGI application of the address."""

    def __init__(self, switchboard: Switchboard, admit: Admit) -> None:
        self._switchboard, self._admit = switchboard, admit

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await RealtimeSocket(self._switchboard, self._admit, scope, receive, send).serve()


class RealtimeSocket:
    """One socket, from its handshake to its close."""

    def __init__(self, switchboard: Switchboard, admit: Admit, scope: Any, receive: Any, send: Any) -> None:
        self._switchboard, self._admit = switchboard, admit
        self._scope, self._receive, self._send = scope, receive, send
        self._codec = RealtimeCodec()
        self._line = RealtimeLine(self._codec)
        self._close_code = NORMAL

    async def serve(self) -> None:
        await self._receive()  # websocket.connect
        await self._send({"type": "websocket.accept"})
        try:
            init = await self._init()
            visitor = await self._visitor(init)
            setup, call = await self._begin(init, visitor)
            with asking(key=visitor.key, call=call.pk):
                await self._talk(init, setup, call)
        except (_Gone, OSError):
            return
        except Refused as refusal:
            await self._say(self._refusal(refusal))
            await self._close(refusal.close)

    # ---- before the call --------------------------------------------------------------------

    async def _init(self) -> messages.Init:
        try:
            async with asyncio.timeout(limits.FIRST_MESSAGE_SECONDS):
                message = await self._receive()
        except TimeoutError:
            told = f"Send init within {limits.FIRST_MESSAGE_SECONDS:g} seconds."
            raise Refused(POLICY, "no_init", told) from None
        if message["type"] == "websocket.disconnect":
            raise _Gone
        try:
            read = self._codec.decode(_content(message))
        except Unreadable as error:
            close = TOO_BIG if error.code == "too_large" else POLICY
            raise Refused(close, error.code, str(error), about=error.about, fields=error.fields) from None
        if not isinstance(read, messages.Init):
            raise Refused(POLICY, "no_init", "The first message is init.", about=read.eventId)
        return read

    async def _visitor(self, init: messages.Init) -> Visitor:
        abilities = (USE, TRY) if init.config.agent else (USE,)
        try:
            return await self._admit(self._scope, init.apiKey, *abilities)
        except NotAdmitted as error:
            raise Refused(error.code, "not_admitted", str(error), about=init.eventId) from None

    async def _begin(self, init: messages.Init, visitor: Visitor) -> tuple[Setup, Call]:
        about = init.eventId
        if capacity.full():
            told = "The server is busy. Try again in a minute."
            raise Refused(TRY_AGAIN, "at_capacity", told, about=about)
        most = settings.REALTIME_SESSIONS
        try:
            setup = await in_database(setup_of, init.config)
            call = await in_database(start_api_call, agent=setup.agent, visitor=visitor, most=most)
        except Impossible as error:
            raise Refused(POLICY, "invalid", str(error), about=about, fields=error.fields) from None
        except TooMany:
            told = f"This key has {most} sessions already. End one of them first."
            raise Refused(TRY_AGAIN, "too_many_sessions", told, about=about) from None
        self._codec.speaks, self._codec.answers = setup.speaks, setup.answers
        return setup, call

    # ---- the call ---------------------------------------------------------------------------

    async def _talk(self, init: messages.Init, setup: Setup, call: Call) -> None:
        suppliers = SessionSuppliers(self._switchboard.suppliers, setup)
        if not await self._switchboard.take(call, self._line, suppliers):
            told = "The call was ended before it began."
            raise Refused(POLICY, "ended", told, about=init.eventId)
        await self._say(self._codec.ready(str(call.pk)))
        talk = Talk(setup, call, self._line, self._codec, self._receive)
        reader, writer = asyncio.create_task(talk.read()), asyncio.create_task(self._write())
        others = [asyncio.create_task(talk.keep_time()), asyncio.create_task(self._recheck(init))]
        try:
            await asyncio.wait({reader, writer, *others}, return_when=asyncio.FIRST_COMPLETED)
            for task in (reader, *others):
                if task.done():
                    self._ended_by(task)
            if talk.left is None:
                await asyncio.wait({writer}, timeout=CLOSE_SECONDS)
                await self._close(self._close_code)
                await asyncio.wait({reader}, timeout=CLOSE_SECONDS)  # for the peer to answer
            else:
                await self._left(talk.left)
        finally:
            self._hung_up("disconnected")
            for task in (reader, writer, *others):
                task.cancel()
            await asyncio.gather(reader, writer, *others, return_exceptions=True)

    def _ended_by(self, task: asyncio.Task[None]) -> None:
        """Tell why, and let the call end, which closes the socket."""
        error = task.exception()
        if isinstance(error, NotAdmitted):
            error = Refused(error.code, "not_admitted", str(error))
        if isinstance(error, Refused):
            self._close_code = error.close
            self._line.tell(self._refusal(error))
        elif error:
            logger.error("A realtime session failed.", exc_info=error)
            self._close_code = INTERNAL
        if error:
            self._hung_up("refused")

    async def _left(self, code: int) -> None:
        """The socket is gone. The first reason counts, so let a server that stops come first with its own."""
        if code in LEFT:
            self._hung_up("hangup")
        elif code == SERVICE_RESTART:
            self._hung_up("restart")
        elif self._line.sink:
            await asyncio.sleep(LOST_SECONDS)
            self._hung_up("disconnected")

    async def _recheck(self, init: messages.Init) -> None:
        abilities = (USE, TRY) if init.config.agent else (USE,)
        while True:
            await self._admit(self._scope, init.apiKey, *abilities, after=RECHECK_SECONDS)

    async def _write(self) -> None:
        try:
            await self._line.write(self._send)
        except ConnectionError:  # the peer has left; how, the reader is told
            await self._left(ABNORMAL)
        except OSError:
            logger.warning("A realtime socket takes nothing any more.")
            self._hung_up("dead socket")

    def _hung_up(self, reason: str) -> None:
        if self._line.sink:
            self._line.sink.line_closed(reason)

    def _refusal(self, refusal: Refused) -> str:
        return self._codec.error(refusal.code, str(refusal), recoverable=False, **refusal.more)

    async def _say(self, text: str) -> None:
        await self._send({"type": "websocket.send", "text": text})

    async def _close(self, code: int) -> None:
        await self._send({"type": "websocket.close", "code": code})


class Talk:
    """What the client says while the call lasts, and the clock where it says nothing."""

    def __init__(
        self, setup: Setup, call: Call, line: RealtimeLine, codec: RealtimeCodec, receive: Any
    ) -> None:
        self.left: int | None = None  # the code with which the socket was closed from outside
        self._setup, self._call, self._line, self._codec = setup, call, line, codec
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        now = self._began = self._heard_at = self._said_at = self._loop.time()
        self._messages = limits.Allowance(limits.MESSAGES_A_SECOND, limits.MESSAGES_AT_ONCE, now)
        self._sound = limits.Allowance(limits.SOUND_A_SECOND, limits.SOUND_AT_ONCE, now)
        self._paused = False
        self._unreadable = self._too_fast = self._feedback = 0
        self._told_at: dict[str, float] = {}  # errors that may come with every message

    async def read(self) -> None:
        """Until the peer is gone, or must go."""
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                self.left = message.get("code") or ABNORMAL
                return
            self._said_at = self._loop.time()
            self._codec.received += 1
            content = _content(message)
            if len(content) > LONGEST_MESSAGE:
                told = f"A message may have {LONGEST_MESSAGE // 1024} KB."
                raise Refused(TOO_BIG, "too_large", told, about=name_of(content))
            if not self._messages.take(1, self._said_at):
                told = f"Send at most {limits.MESSAGES_A_SECOND:g} messages a second."
                self._drop("too_many_messages", told, about=name_of(content))
                continue
            try:
                said = self._codec.decode(content)
                self._take(said)
            except Unreadable as error:
                self._not_read(error)

    def _take(self, said: messages.ClientMessage) -> None:
        sink = self._line.sink
        if sink is None:
            return  # it is over, and this crossed with our saying so
        match said:
            case messages.AudioChunk():
                self._hear(said)
            case messages.TextInput() if self._setup.reads:
                sink.write(said.text.strip())
            case messages.TextInput():
                raise Unreadable(
                    "not_in_this_mode", "In voice mode nothing is read: use hybrid.", said.eventId
                )
            case messages.Pause() | messages.Resume():
                self._paused = isinstance(said, messages.Pause)
                sink.pause(self._paused)
            case messages.End():
                sink.line_closed("hangup")
            case messages.QualityFeedback():
                self._keep(said)
            case messages.Init():
                raise Unreadable("already_begun", "There is one init. Open another socket.", said.eventId)

    def _hear(self, said: messages.AudioChunk) -> None:
        pcm = self._codec.sound(said)
        if not self._setup.hears:
            told = "Nothing is heard here: mode is text, or sttEnabled is false."
            self._drop("not_in_this_mode", told, about=said.eventId)
            return
        now = self._loop.time()
        if not self._sound.take(len(pcm) / (2 * messages.RATE), now):
            self._drop("too_fast", "Send sound at the pace at which it is spoken.", about=said.eventId)
            return
        self._heard_at = now
        self._codec.received_bytes += len(pcm)
        heard = bytes(len(pcm)) if self._paused else pcm
        for start in range(0, len(heard), _FRAME):
            self._line.hear(heard[start : start + _FRAME])

    def _keep(self, said: messages.QualityFeedback) -> None:
        self._feedback += 1
        if self._feedback > limits.MOST_FEEDBACK:
            raise Unreadable("too_much", f"{limits.MOST_FEEDBACK} of them are kept for a call.", said.eventId)
        told = FeedbackGiven(
            at_seconds=self._line.seconds,
            category=said.category,
            score=said.score,
            comment=said.comment or "",
        )
        eventlog.record(self._call.pk, told)

    def _not_read(self, error: Unreadable) -> None:
        self._codec.dropped += 1
        self._line.tell(self._codec.error(error.code, str(error), about=error.about, fields=error.fields))
        self._unreadable += 1
        if self._unreadable > limits.MOST_UNREADABLE:
            told = f"More than {limits.MOST_UNREADABLE} messages could not be taken."
            raise Refused(POLICY, "unreadable", told, about=error.about)

    def _drop(self, code: str, message: str, *, about: str | None = None) -> None:
        """What came too fast, or is not wanted; told once a second, and ended if it goes on and on."""
        self._codec.dropped += 1
        self._too_fast += 1
        if self._too_fast > limits.MOST_DROPPED:
            raise Refused(POLICY, code, message, about=about)
        now = self._loop.time()
        if now - self._told_at.get(code, -limits.ERROR_SECONDS) >= limits.ERROR_SECONDS:
            self._told_at[code] = now
            self._line.tell(self._codec.error(code, message, about=about))

    async def keep_time(self) -> None:
        """The call's clock is the caller's sound. Where none comes, silence passes at its pace."""
        measured_at = self._began
        while self._line.sink:
            await asyncio.sleep(TICK_SECONDS)
            now = self._loop.time()
            if self._line.overrun:
                raise Refused(POLICY, "too_slow", "You do not read what you are sent.")
            if now - self._said_at > limits.IDLE_SECONDS:
                told = f"Nothing came for {limits.IDLE_SECONDS:g} seconds."
                raise Refused(POLICY, "idle", told)
            if now - self._heard_at > QUIET_SECONDS:
                for _ in range(int((now - self._began - self._line.seconds) / 0.02)):
                    self._line.hear(bytes(_FRAME))
            if now - measured_at >= METRICS_SECONDS:
                measured_at = now
                self._line.tell(self._codec.metrics())
        await asyncio.Event().wait()  # it is over: how is told by the writer


def _content(message: dict[str, Any]) -> str | bytes:
    content: str | bytes = message.get("text") or message.get("bytes") or ""
    return content
