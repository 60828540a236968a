"""The way of an agent's sound to the stack: in order, a little ahead of its time, with marks in between."""

from __future__ import annotations

from collections import deque

RATE = 8000
AHEAD_BYTES = 2 * RATE * 160 // 1000  # no hole when we are late; an interruption empties it


class Playout:
    """`buffered` is what the stack holds and has not sent yet, in bytes of s16le at RATE."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._handed = 0  # bytes given to the stack so far
        self._marks: deque[tuple[int, str]] = deque()  # after how many bytes

    def add(self, pcm: bytes) -> None:
        self._waiting += pcm

    def mark(self, name: str) -> None:
        self._marks.append((self._handed + len(self._waiting), name))

    def clear(self) -> list[str]:
        """Forget what waits, and all marks, which come back; the caller empties the stack's buffer."""
        self._waiting.clear()
        names = [name for _, name in self._marks]
        self._marks.clear()
        return names

    def next(self, buffered: int) -> bytes:
        """What the stack is to get now."""
        room = max(0, AHEAD_BYTES - buffered)
        piece = bytes(self._waiting[:room])
        del self._waiting[:room]
        self._handed += len(piece)
        return piece

    def played(self, buffered: int) -> list[str]:
        """Marks of which all that came before is on its way to the caller, each once."""
        sent = self._handed - buffered
        names = []
        while self._marks and self._marks[0][0] <= sent:
            names.append(self._marks.popleft()[1])
        return names
