"""`/ws/calls/<id>/`: a page at a live call: who else is there, how loud it is, its sound, a microphone.

`?window=` is the page's own name for itself, by which it also takes over. Messages of the page:
`{"listen": true | false}`, and sound (s16le mono at the call's rate) once its operator has taken the call
over in it. To the page: `attending` {rate}, `people`, `levels`, `away`, `error`; sound as
binary, s16le stereo, caller left.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import orjson
from channels.layers import get_channel_layer

from mlservices import audit

from .actions import control_group
from .audited import call_named
from .live import LONGEST_MESSAGE, RECHECK_SECONDS, in_database, who
from .models import Call
from .orders import LONGEST_WINDOW
from .page_socket import Message, PageSocket

LONGEST_FRAME = 32_000  # bytes: a second at 16 kHz


class AttendConsumer:
    """The ASGI application."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await _Attendant(scope, receive, send).serve()


class _Attendant(PageSocket):
    """One socket."""

    def __init__(self, scope: Any, receive: Any, send: Any) -> None:
        super().__init__(send)
        self._call_id: UUID = scope["url_route"]["kwargs"]["call_id"]
        self._window = _window_of(scope.get("query_string", b""))
        self._session_key = scope["session"].session_key
        self._receive = receive
        self._address = scope.get("address", "")  # as the gate knows it
        self._layer = get_channel_layer()
        self._page = ""
        self._by = ""
        self._listens = False
        self._orders = ""  # where the call takes orders, once it has answered

    async def serve(self) -> None:
        await self._receive()  # websocket.connect
        await self._socket_send({"type": "websocket.accept"})
        self._page = await self._layer.new_channel()
        try:
            await self._run(self._client(), self._desk(), self._stay())
        finally:
            with contextlib.suppress(Exception):  # the layer is away; the call sees for itself
                await self._order({"type": "leave", "page": self._page})

    async def _client(self) -> None:
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                return
            if pcm := message.get("bytes"):
                await self._speech(pcm)
                continue
            try:
                text = message.get("text") or ""
                listens = orjson.loads(text)["listen"] if len(text) <= LONGEST_MESSAGE else None
            except (ValueError, TypeError, KeyError):
                listens = None
            if not isinstance(listens, bool):
                await self._error("unreadable", "Not a message of this stream.")
                continue
            await self._check(listens)

    async def _speech(self, pcm: bytes) -> None:
        """The call itself knows whose sound it wants."""
        if self._orders and self._by and len(pcm) <= LONGEST_FRAME and len(pcm) % 2 == 0:
            with contextlib.suppress(Exception):  # full or away: late sound is of no use
                speech = {"type": "speech", "by": self._by, "window": self._window, "pcm": pcm}
                await self._layer.send(self._orders, speech)

    async def _stay(self) -> None:
        """Say that this page is here, and see that its person still may be."""
        while True:
            await self._check(None)
            await asyncio.sleep(RECHECK_SECONDS)

    async def _check(self, wish: bool | None) -> None:
        """`wish`: whether the page wants to listen; None for what it last wanted."""
        person = await in_database(who, self._session_key)
        if person is None:
            raise PermissionError
        listens = self._listens if wish is None else wish
        if listens and not person.may_listen:
            await self._error("not_allowed", "Your role may not listen to calls.")
            listens = False
        self._by = person.name if person.may_direct else ""
        if listens and not self._listens:
            await in_database(self._told, person.name)
        self._listens = listens
        await self._order({"type": "attend", "page": self._page, "by": person.name, "listens": self._listens})

    def _told(self, name: str) -> None:
        with audit.acting(audit.Actor(name, address=self._address)):
            if call := Call.objects.only("direction", "created_at").filter(pk=self._call_id).first():
                audit.record("call.listened", call_named(call))

    async def _desk(self) -> None:
        while True:
            message = await self._layer.receive(self._page)
            if message["t"] == "sound":
                if self._listens:
                    await self._socket_send({"type": "websocket.send", "bytes": message["pcm"]})
                continue
            if message["t"] == "attending":
                self._orders = message.pop("orders")
            message.pop("type")
            await self._send(message)

    async def _order(self, order: Message) -> None:
        await self._layer.group_send(control_group(self._call_id), order)


def _window_of(query: bytes) -> str:
    return parse_qs(query.decode("latin-1")).get("window", [""])[0][:LONGEST_WINDOW]
