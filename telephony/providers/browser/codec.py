"""Our own page's media socket: sound as binary messages, all else as JSON text."""

from __future__ import annotations

import orjson

from ..base import (
    IGNORED,
    KEYS,
    LONGEST_MESSAGE,
    Heard,
    Played,
    Pressed,
    Started,
    Stopped,
    Unreadable,
    WireEvent,
)


class BrowserCodec:
    """s16le mono at 16 kHz both ways."""

    rate = 16000

    def decode(self, message: str | bytes) -> WireEvent:
        if len(message) > LONGEST_MESSAGE:
            return Unreadable("longer than a message may be")
        if isinstance(message, bytes):
            return Heard(message) if len(message) % 2 == 0 else Unreadable("half a sample")
        try:
            return self._said(orjson.loads(message))
        except (ValueError, TypeError, KeyError, AttributeError):
            return Unreadable("not a message of the browser's line")

    @staticmethod
    def _said(message: dict[str, str]) -> WireEvent:
        match message["type"]:
            case "start":
                called = str(message.get("provider_call_id", ""))
                return Started(token=str(message["token"]), provider_call_id=called)
            case "mark":
                return Played(str(message["name"]))
            case "digit":
                digit = message["digit"]
                return Pressed(digit) if digit in KEYS else Unreadable("a key that no telephone has")
            case "stop":
                return Stopped()
            case str():
                return IGNORED
        raise TypeError

    def media(self, pcm: bytes) -> bytes:
        return pcm

    def mark(self, name: str) -> str:
        return orjson.dumps({"type": "mark", "name": name}).decode()

    def clear(self) -> str:
        return '{"type":"clear"}'

    def keys(self, digits: str) -> str | None:
        return None

    def ready(self, call_id: str) -> str:
        return orjson.dumps({"type": "ready", "call": call_id, "rate": self.rate}).decode()

    def ended(self, reason: str, transfer_to: str) -> str:
        return orjson.dumps({"type": "ended", "reason": reason, "transfer_to": transfer_to}).decode()
