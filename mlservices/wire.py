"""One framing for everything that streams: between the service and its workers, and to its clients.

A message is one line of JSON; if that holds `"bytes": n`, n raw bytes follow. Sans-I/O.
"""

from __future__ import annotations

import json
from typing import Any

MEDIA_TYPE = "application/x-voiceforge-frames"
PCM_TYPE = "application/octet-stream"  # of sound that is sent to be heard
_LONGEST_LINE = 4 * 2**20
LONGEST_TEXTS = 300_000
"""Characters of texts that a head may hold: they fit into a line, whatever they are and however escaped."""
_LONGEST_PAYLOAD = 64 * 2**20

Message = tuple[dict[str, Any], bytes]


def pack(head: dict[str, Any], payload: bytes = b"") -> bytes:
    if payload:
        head = {**head, "bytes": len(payload)}
    line = json.dumps(head, separators=(",", ":"), ensure_ascii=False)
    return line.encode(errors="surrogatepass") + b"\n" + payload  # which json.loads reads as well


class Unpacker:
    """Messages out of bytes as they arrive. ValueError for bytes that no `pack` made."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self._head: dict[str, Any] | None = None

    def feed(self, data: bytes) -> list[Message]:
        self._pending += data
        messages = []
        while (message := self._next()) is not None:
            messages.append(message)
        return messages

    def _next(self) -> Message | None:
        if self._head is None:
            end = self._pending.find(b"\n")
            if end < 0:
                if len(self._pending) > _LONGEST_LINE:
                    raise ValueError("a message's head is too long")
                return None
            head = json.loads(bytes(self._pending[:end]))
            if not isinstance(head, dict):
                raise ValueError("a message's head is no JSON object")
            self._head = head
            del self._pending[: end + 1]
        size = self._head.get("bytes", 0)
        if not isinstance(size, int) or not 0 <= size <= _LONGEST_PAYLOAD:
            raise ValueError(f"a message of {size!r} bytes")
        if len(self._pending) < size:
            return None
        payload, head = bytes(self._pending[:size]), self._head
        del self._pending[:size]
        self._head = None
        return head, payload
