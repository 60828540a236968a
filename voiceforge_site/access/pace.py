"""How many messages a socket may send. Its own application may ask for less."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from telephony.realtime.limits import Allowance

TOO_MANY = 1008


@dataclass(frozen=True, slots=True)
class Pace:
    """Messages a second, and at once: what a network held up, or a page asks for when it is opened."""

    a_second: float
    at_once: float


SOUND = Pace(500, 2500)  # sound is 50 a second, a recording to /ws/stt four times that; 50 s may be held up
# Each message of a page is a look into the database.
PACES = {
    "ws/live/": Pace(20, 250),  # a hundred calls can be watched, and left
    "ws/calls/<uuid:call_id>/attend/": Pace(100, 500),
}


class Paced:
    """The `receive` and `send` of a socket, which is closed when it sends too much: its application is told
    that it is gone, and says no more."""

    def __init__(self, pace: Pace, receive: Any, send: Any) -> None:
        self._receive, self._send = receive, send
        self._allowance = Allowance(pace.a_second, pace.at_once, time.monotonic())
        self._cut_off = False

    async def receive(self) -> dict[str, Any]:
        message: dict[str, Any] = await self._receive()
        if message["type"] != "websocket.receive" or self._allowance.take(1, time.monotonic()):
            return message
        if not self._cut_off:
            self._cut_off = True
            await self._send({"type": "websocket.close", "code": TOO_MANY, "reason": "too_many_messages"})
        return {"type": "websocket.disconnect", "code": TOO_MANY}

    async def send(self, message: dict[str, Any]) -> None:
        if not self._cut_off:
            await self._send(message)
