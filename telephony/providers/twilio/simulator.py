"""Twilio, seen from our side of the wire: rings a server, carries a caller's sound, plays the agent's.

It knows nothing of the server's insides. Sound is paced in real time, 20 ms a message; marks come back
when the sound before them has been played, or at once after a clear.
"""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import httpx
from twilio.request_validator import RequestValidator
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from mlservices.audio import ulaw_decode, ulaw_encode

RATE = 8000
FRAME_SECONDS = 0.02
FRAME_BYTES = int(RATE * FRAME_SECONDS) * 2
SILENT_FRAME = bytes(FRAME_BYTES)
FIRST_TIMESTAMP_MS = 100  # a real stream's clock does not begin at 0


class NotConnected(Exception):
    """The server did not take the call; the message says what it answered."""


@dataclass(frozen=True)
class Account:
    """`server` is where requests really go; signatures are made for `public_url`."""

    sid: str
    auth_token: str
    server: str
    public_url: str


@dataclass(frozen=True)
class Instructions:
    """A TwiML answer, as far as we act on it."""

    verbs: tuple[str, ...]  # in order: "Connect", "Redirect", "Dial", "Say", "Hangup"
    socket_path: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    redirect_path: str = ""
    text: str = ""  # said, or dialled


def read_twiml(document: str) -> Instructions:
    root = ElementTree.fromstring(document)  # noqa: S314 - our own answer
    stream = root.find("Connect/Stream")
    redirect = root.find("Redirect")
    spoken = root.find("Say") if root.find("Say") is not None else root.find("Dial")
    return Instructions(
        verbs=tuple(verb.tag for verb in root),
        socket_path=urlsplit(stream.get("url", "")).path if stream is not None else "",
        parameters={
            parameter.get("name", ""): parameter.get("value", "") for parameter in root.iter("Parameter")
        },
        redirect_path=urlsplit(redirect.text or "").path if redirect is not None else "",
        text=(spoken.text or "") if spoken is not None else "",
    )


class Carrier:
    """One call as Twilio's REST side sees it: webhooks and status callbacks, all signed."""

    def __init__(self, account: Account, *, caller: str, callee: str) -> None:
        self.callee = callee
        self.call_sid = "CA" + secrets.token_hex(16)
        self._account = account
        self._fields = {"From": caller, "To": callee, "Direction": "inbound", "ApiVersion": "2010-04-01"}
        self._sequence = 0

    async def ring(self) -> Instructions:
        return read_twiml(await self._post("/telephony/twilio/voice/", CallStatus="ringing"))

    async def after(self, path: str) -> Instructions:
        return read_twiml(await self._post(path, CallStatus="in-progress"))

    async def tell_status(self, status: str, *, sequence: int | None = None) -> None:
        if sequence is None:
            sequence, self._sequence = self._sequence, self._sequence + 1
        await self._post(
            "/telephony/twilio/status/",
            CallStatus=status,
            SequenceNumber=str(sequence),
            Timestamp=formatdate(),
            CallbackSource="call-progress-events",
        )

    async def _post(self, path: str, **fields: str) -> str:
        account = self._account
        form = {"AccountSid": account.sid, "CallSid": self.call_sid, **self._fields, **fields}
        signature = RequestValidator(account.auth_token).compute_signature(account.public_url + path, form)
        try:
            async with httpx.AsyncClient(base_url=account.server, timeout=20.0, trust_env=False) as client:
                answer = await client.post(path, data=form, headers={"X-Twilio-Signature": signature})
        except httpx.TransportError as error:
            raise NotConnected(f"No server answers at {account.server} ({error!r}).") from None
        if answer.is_error:
            raise NotConnected(f"{path} answered {answer.status_code}: {answer.text[:200]}")
        return answer.text

    def socket(self, path: str) -> connect:
        """The media socket's connection, to be used with `async with`; its handshake is signed."""
        account = self._account
        public = account.public_url.replace("http", "ws", 1) + path
        return connect(
            account.server.replace("http", "ws", 1) + path,
            additional_headers={
                "X-Twilio-Signature": RequestValidator(account.auth_token).compute_signature(public, {})
            },
            compression=None,
            max_size=None,
        )


@dataclass(slots=True)
class _Mark:
    name: str
    at: int  # bytes of the agent's sound before it


class Stream:
    """One media stream. `caller_turn` is what the caller says next; `tick` moves time on by 20 ms."""

    def __init__(self, socket: ClientConnection, *, account_sid: str, call_sid: str) -> None:
        self._socket = socket
        self._ids = {"accountSid": account_sid, "callSid": call_sid}
        self._sid = "MZ" + secrets.token_hex(16)
        self._sequence = 0
        self._saying = bytearray()
        self._playing = bytearray()
        self._played = self._received = 0  # bytes of the agent's sound
        self._marks: deque[_Mark] = deque()
        self.frames = 0
        self.caller_leg, self.agent_leg = bytearray(), bytearray()
        self.clears = 0
        self.ended = asyncio.Event()  # the server closed the socket

    @property
    def seconds(self) -> float:
        return self.frames * FRAME_SECONDS

    @property
    def agent_audible(self) -> bool:
        return bool(self._playing or self._marks)

    @property
    def caller_audible(self) -> bool:
        return bool(self._saying)

    def say(self, pcm: bytes) -> None:
        self._saying += pcm

    async def start(self, parameters: dict[str, str]) -> None:
        await self._socket.send(json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"}))
        media_format = {"encoding": "audio/x-mulaw", "sampleRate": RATE, "channels": 1}
        body = {
            **self._ids,
            "streamSid": self._sid,
            "tracks": ["inbound"],
            "mediaFormat": media_format,
            "customParameters": parameters,
        }
        await self._send("start", start=body)

    async def tick(self) -> None:
        """Send the next 20 ms of the caller, play the next 20 ms of the agent."""
        while self._marks and self._marks[0].at <= self._played:
            await self._send("mark", mark={"name": self._marks.popleft().name})
        caller = bytes(self._saying[:FRAME_BYTES]).ljust(FRAME_BYTES, b"\0")
        del self._saying[:FRAME_BYTES]
        agent = bytes(self._playing[:FRAME_BYTES])
        del self._playing[:FRAME_BYTES]
        self._played += len(agent)
        self.caller_leg += caller
        self.agent_leg += agent.ljust(FRAME_BYTES, b"\0")
        self.frames += 1
        media = {
            "track": "inbound",
            "chunk": str(self.frames),
            "timestamp": str(FIRST_TIMESTAMP_MS + (self.frames - 1) * 20),
            "payload": base64.b64encode(ulaw_encode(caller)).decode(),
        }
        await self._send("media", media=media)

    async def press(self, digit: str) -> None:
        await self._send("dtmf", dtmf={"track": "inbound_track", "digit": digit})

    async def stop(self) -> None:
        await self._send("stop", stop=self._ids)
        await self._socket.close()

    async def listen(self) -> None:
        """Take what the server sends until it closes."""
        try:
            async for text in self._socket:
                await self._received_message(json.loads(text))
        except ConnectionClosed:
            pass
        finally:
            self.ended.set()

    async def _received_message(self, message: dict[str, Any]) -> None:
        match message["event"]:
            case "media":
                pcm = ulaw_decode(base64.b64decode(message["media"]["payload"]))
                self._playing += pcm
                self._received += len(pcm)
            case "mark":
                self._marks.append(_Mark(message["mark"]["name"], self._received))
            case "clear":
                self.clears += 1
                self._received -= len(self._playing)
                self._playing.clear()
                while self._marks:
                    await self._send("mark", mark={"name": self._marks.popleft().name})

    async def _send(self, event: str, **body: Any) -> None:
        self._sequence += 1
        message = {"event": event, "sequenceNumber": str(self._sequence), "streamSid": self._sid, **body}
        try:
            await self._socket.send(json.dumps(message))
        except ConnectionClosed:
            self.ended.set()


QUIET_SECONDS = 0.6  # of the agent, after which the caller takes the turn
ANSWER_SECONDS = 20.0  # the caller waits for an answer


class Caller:
    """Somebody polite: says each turn once the agent has spoken and is done, then hangs up, or stays silent
    on the line for a while first.

    `may_speak` can hold the caller back, for instance while the agent is known to think.
    """

    def __init__(
        self,
        stream: Stream,
        turns: Sequence[bytes],
        *,
        may_speak: Callable[[], bool] = lambda: True,
        stay_seconds: float = 0.0,
    ) -> None:
        self._stream = stream
        self._turns = deque(turns)
        self._may_speak = may_speak
        self._stay_seconds = stay_seconds
        self._stays_until: float | None = None  # on the stream's clock
        self._spoken_to = False  # since the last turn
        self._quiet_since = 0.0
        self._waiting_since = 0.0

    async def talk(self) -> bool:
        """Until the end; True if it was the caller who hung up."""
        loop = asyncio.get_running_loop()
        next_at = loop.time()
        while not self._stream.ended.is_set():
            await self._stream.tick()
            if self._is_my_turn():
                if self._turns:
                    self._say(self._turns.popleft())
                elif self._stayed():
                    await self._stream.stop()
                    return True
            next_at += FRAME_SECONDS
            await asyncio.sleep(max(0.0, next_at - loop.time()))
        return False

    def _stayed(self) -> bool:
        """From the first moment at which there is nothing left to say."""
        now = self._stream.seconds
        if self._stays_until is None:
            self._stays_until = now + self._stay_seconds
        return now >= self._stays_until

    def _is_my_turn(self) -> bool:
        stream = self._stream
        now = stream.seconds
        if stream.caller_audible:
            self._waiting_since = self._quiet_since = now
            return False
        if stream.agent_audible:
            self._spoken_to, self._quiet_since = True, now
            return False
        if now - self._waiting_since > ANSWER_SECONDS:
            return True
        return self._spoken_to and now - self._quiet_since >= QUIET_SECONDS and self._may_speak()

    def _say(self, pcm: bytes) -> None:
        self._stream.say(pcm)
        self._spoken_to = False
        self._waiting_since = self._stream.seconds
