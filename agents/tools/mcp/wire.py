"""The messages of MCP: JSON-RPC, answered as JSON or as a stream of events. Bytes in, messages out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

NEWEST = "2025-11-25"
SPOKEN = (NEWEST, "2025-06-18", "2025-03-26")  # versions whose sessions begin with `initialize`
EVENTS = "text/event-stream"

Message = dict[str, Any]


def request(number: int, method: str, params: Mapping[str, Any]) -> bytes:
    return encoded({"jsonrpc": "2.0", "id": number, "method": method, "params": params})


def notification(method: str) -> bytes:
    return encoded({"jsonrpc": "2.0", "method": method})


def answering(number: int, content: Any) -> Message | None:
    """Of what was answered, the message with a `result` or an `error` for request `number`."""
    several = content if isinstance(content, list) else [content]
    return next((each for each in several if _answers(number, each)), None)


class Listener:
    """Waits for the answer to one request among the events of a stream."""

    def __init__(self, number: int) -> None:
        self.message: Message | None = None
        self._number = number
        self._pieces: list[bytes] = []  # of a line whose end is not there yet
        self._data: list[bytes] = []  # of an event whose end is not there yet

    def hear(self, piece: bytes) -> bool:
        """The next bytes, cut anywhere. Whether the answer is there."""
        self._pieces.append(piece)
        if b"\n" in piece:
            *lines, rest = b"".join(self._pieces).split(b"\n")
            self._pieces = [rest]
            for line in lines:
                self._line(line.removesuffix(b"\r"))
        return self.message is not None

    def _line(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
        elif not line and self._data:
            event, self._data = b"\n".join(self._data), []
            self.message = self.message or answering(self._number, _read(event))


def _read(event: bytes) -> Any:
    try:
        return json.loads(event)
    except (ValueError, RecursionError):
        return None


def _answers(number: int, message: Any) -> bool:
    if not isinstance(message, dict) or message.get("id") != number:
        return False
    return isinstance(message.get("result"), dict) or isinstance(message.get("error"), dict)


def encoded(message: Message) -> bytes:
    return json.dumps(message, ensure_ascii=False).encode("utf-8", "replace")
