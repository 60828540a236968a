"""`/ws/calls/<id>`: a program follows one call, by its numbered events.

The first message is `follow`; `after` is the number of the last event that is known, so that who was cut off
goes on where they were. The call's state comes first, then each event once and in order, then `ended`.
"""

from __future__ import annotations

import asyncio
from typing import Any, Literal
from uuid import UUID

import orjson
from channels.layers import get_channel_layer
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mlservices.api.socket import NotAdmitted
from mlservices.audit import Actor, acting
from mlservices.faults import remedy

from .. import live
from ..audited import record_fetched
from ..live import MOST_EVENTS, Message, call_since, in_database
from ..models import Call
from .door import Admit, Visitor

VIEW = "telephony.view_calls"
FIRST_MESSAGE_SECONDS = 10.0
LOOK_SECONDS = 5.0  # for events of which the news were lost on the way
ENDING_SECONDS = 0.5  # for the recording of a call that is over
SEND_SECONDS = 10.0  # a peer that takes nothing for so long is gone
LONGEST_MESSAGE = 4096
NORMAL, POLICY, TOO_BIG, UNKNOWN_CALL = 1000, 1008, 1009, 4004


class Follow(BaseModel):
    """The first and only message, within 10 seconds."""

    model_config = ConfigDict(strict=True, extra="forbid")

    type: Literal["follow"]
    apiKey: str = Field("", max_length=100, description="Or in the header, as Authorization: Bearer KEY")
    after: int = Field(0, ge=0, le=MOST_EVENTS, description="The seq of the last event that you have")


class Snapshot(BaseModel):
    """The call as it stands: what the live board shows of it."""

    type: Literal["snapshot"] = "snapshot"
    call: dict[str, Any]
    last: int = Field(description="The number of its latest event; those after yours follow now")


class CallHappening(BaseModel):
    seq: int = Field(description="From 1, without a gap")
    kind: str
    at: float = Field(description="Seconds since 1970")
    at_seconds: float = Field(description="On the call's own clock, which its recording keeps")
    payload: dict[str, Any]


class Happened(BaseModel):
    """The next event."""

    type: Literal["event"] = "event"
    event: CallHappening


class FollowEnded(BaseModel):
    """The call is over, and this was all of it."""

    type: Literal["ended"] = "ended"
    last: int


class FollowError(BaseModel):
    """Why the socket closes."""

    type: Literal["error"] = "error"
    code: str
    message: str


FROM_SERVER = (Snapshot, Happened, FollowEnded, FollowError)


class _Refused(Exception):
    def __init__(self, close: int, code: str, message: str) -> None:
        super().__init__(message)
        self.close, self.code = close, code


class _Gone(Exception):
    """The client hung up."""


class FollowConsumer:
    """The ASGI application of the address."""

    def __init__(self, admit: Admit) -> None:
        self._admit = admit

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await Follower(self._admit, scope, receive, send).serve()


class Follower:
    """One socket."""

    def __init__(self, admit: Admit, scope: Any, receive: Any, send: Any) -> None:
        self._admit, self._scope, self._receive, self._socket_send = admit, scope, receive, send
        self._call_id: UUID = scope["url_route"]["kwargs"]["call_id"]
        self._layer = get_channel_layer()
        self._last = 0  # event that was sent
        self._news = asyncio.Event()  # there is more to send

    async def serve(self) -> None:
        await self._receive()  # websocket.connect
        await self._socket_send({"type": "websocket.accept"})
        code = NORMAL
        try:
            follow = await self._first_message()
            visitor = await self._admit(self._scope, follow.apiKey, VIEW)
            await self._follow(follow, visitor)
        except (_Gone, OSError):  # a timeout, or a server's own kind of "disconnected"
            return
        except _Refused as error:
            code = error.close
            await self._send(FollowError(code=error.code, message=str(error)))
        except NotAdmitted as error:
            code = error.code
            await self._send(FollowError(code="not_admitted", message=str(error)))
        await self._socket_send({"type": "websocket.close", "code": code})

    async def _first_message(self) -> Follow:
        try:
            async with asyncio.timeout(FIRST_MESSAGE_SECONDS):
                message = await self._receive()
        except TimeoutError:
            raise _Refused(POLICY, "no_follow", "Send follow within 10 seconds.") from None
        if message["type"] == "websocket.disconnect":
            raise _Gone
        content = message.get("text") or message.get("bytes") or ""
        if len(content) > LONGEST_MESSAGE:
            raise _Refused(TOO_BIG, "too_large", f"A message may have {LONGEST_MESSAGE} bytes.")
        try:
            return Follow.model_validate(orjson.loads(content))
        except orjson.JSONDecodeError:
            raise _Refused(POLICY, "unreadable", "A message is a JSON object.") from None
        except ValidationError as error:
            faults = [f"{'.'.join(map(str, each['loc']))}: {remedy(each)}" for each in error.errors()]
            raise _Refused(POLICY, "invalid", "; ".join(faults)) from None

    async def _follow(self, follow: Follow, visitor: Visitor) -> None:
        self._last = follow.after
        channel = await self._layer.new_channel()
        await self._layer.group_add(live.LIVE_GROUP, channel)
        parts = [self._pass_on(visitor), self._listen(channel), self._client(), self._recheck(follow.apiKey)]
        tasks = [asyncio.create_task(part) for part in parts]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._layer.group_discard(live.LIVE_GROUP, channel)

    async def _pass_on(self, visitor: Visitor) -> None:
        """Until the call is over and its recording kept. The database says what happened, in which order; the
        news only that something did."""
        told = False
        while True:
            self._news.clear()
            over, answer = await in_database(_since, self._call_id, self._last)
            if answer is None:
                raise _Refused(UNKNOWN_CALL, "unknown_call", "There is no such call.")
            if not told:
                await in_database(_record, self._call_id, visitor, self._scope["address"])
                await self._send(Snapshot(call=answer["card"], last=answer["last"]))
                told = True
            for event in answer["events"]:
                await self._send(Happened(event=CallHappening(**event)))
                self._last = event["seq"]
            if over:
                await self._send(FollowEnded(last=answer["last"]))
                return
            try:
                ending = answer["card"].get("state") == "ended"
                async with asyncio.timeout(ENDING_SECONDS if ending else LOOK_SECONDS):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def _listen(self, channel: str) -> None:
        ours = str(self._call_id)
        while True:
            message = await self._layer.receive(channel)
            if ours in message["json"]:
                self._news.set()

    async def _client(self) -> None:
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            raise _Gone
        raise _Refused(POLICY, "unreadable", "There is nothing more to say: open another socket.")

    async def _recheck(self, key: str) -> None:
        while True:
            await self._admit(self._scope, key, VIEW, after=live.RECHECK_SECONDS)

    async def _send(self, message: BaseModel) -> None:
        async with asyncio.timeout(SEND_SECONDS):
            await self._socket_send({"type": "websocket.send", "text": message.model_dump_json()})


def _since(call_id: UUID, after: int) -> tuple[bool, Message | None]:
    """Whether nothing more is going to happen, seen before what has happened is read."""
    over = Call.objects.filter(pk=call_id, ended_at__isnull=False, held_at=None).exists()
    return over, call_since(call_id, after)


def _record(call_id: UUID, visitor: Visitor, address: str) -> None:
    """That somebody follows; once where a connection breaks again and again."""
    with acting(Actor(visitor.name, visitor.key, address)):
        record_fetched("events.downloaded", call_id, asker=visitor.key or f"person {visitor.name}")
