"""One call's line: sound between a provider's socket and a session, both ways, on one clock.

The media clock runs by the caller's sound. Each piece of it that arrives plays as much of what the
agent has sent, so that the two legs of a recording stay together however long the call is.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from .media import MediaSink
from .providers.base import Encoder
from .session.events import Event

FIRST_MESSAGE_SECONDS = 0.04  # the sooner the first sound is on its way, the sooner it is heard
MESSAGE_SECONDS = 0.1  # more saves nothing, less costs a message each
LONGEST_PLAYOUT_SECONDS = 300.0  # Twilio drops sound past ten minutes
SEND_TIMEOUT_SECONDS = 10.0  # a carrier that takes nothing for so long is gone

# Timestamps wander by some milliseconds; what is missing beyond this is a hole in the sound.
SMALLEST_GAP_MS = 40
LARGEST_GAP_MS = 15_000  # by then the call is given up; a larger one is no clock
# A mark that the carrier has not answered so long after its sound must have played is taken as played.
MARK_GRACE_SECONDS = 3.0

Tap = Callable[[bytes, bytes], None]
Watcher = Callable[[Event], None]
Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(slots=True)
class _Mark:
    name: str
    due: int  # on the media clock, in bytes


class Line:
    """A `MediaLine`. The socket's reader feeds it (`hear`, `played`), its `write` task empties it.

    `sink` is told what the caller does; `tap` gets the same stretch of both legs, (caller, agent); `watcher`
    is told what happens to the call, for a peer who wants to know.
    """

    tells_played = True

    def __init__(self, codec: Encoder) -> None:
        self.rate = codec.rate
        self.sink: MediaSink | None = None
        self.tap: Tap | None = None
        self.watcher: Watcher | None = None
        self.frames = 0  # heard so far; a watchdog looks whether it grows
        self.dropped_bytes = 0  # of the agent's sound
        self._codec = codec
        self._out: deque[str | bytes] = deque()
        self._wake = asyncio.Event()
        self._ended = False
        # playout
        self._playing = bytearray()
        self._clock = 0  # bytes of the caller's sound
        self._silence = bytes(2 * self.rate // 50)
        self._marks: deque[_Mark] = deque()
        self._generation = 0  # of marks: those of sound that was cleared come back too, late
        # the provider's clock
        self._started_ms: int | None = None
        self._missing_ms = 0  # by the last frame

    # ---- what a session may do (MediaLine) --------------------------------------------------

    @property
    def queued_seconds(self) -> float:
        return len(self._playing) / (2 * self.rate)

    def send(self, pcm: bytes) -> None:
        room = int(LONGEST_PLAYOUT_SECONDS * 2 * self.rate) - len(self._playing)
        if len(pcm) > room:
            self.dropped_bytes += len(pcm) - room
            pcm = pcm[:room]
        step = self._bytes(MESSAGE_SECONDS if self._playing else FIRST_MESSAGE_SECONDS)
        self._playing += pcm
        start = 0
        while start < len(pcm):
            self._put(self._codec.media(pcm[start : start + step]))
            start, step = start + step, self._bytes(MESSAGE_SECONDS)

    def mark(self, name: str) -> None:
        self._marks.append(_Mark(name, self._clock + len(self._playing)))
        self._put(self._codec.mark(f"{self._generation}:{name}"))

    def press(self, digits: str) -> bool:
        message = self._codec.keys(digits)
        if message:
            self._put(message)
        return message is not None

    def clear(self) -> None:
        self._playing.clear()
        self._forget_unsent()
        self._generation += 1
        self._put(self._codec.clear())
        marks, self._marks = self._marks, deque()
        for mark in marks:  # soon, not now: whoever clears is in the middle of something
            asyncio.get_running_loop().call_soon(self._return, mark.name)

    # ---- what the socket's reader tells -----------------------------------------------------

    @property
    def seconds(self) -> float:
        """The media clock."""
        return self._clock / (2 * self.rate)

    def hear(self, pcm: bytes, at_ms: int | None = None) -> None:
        if at_ms is not None:
            self._fill_gap(at_ms)
        self._hear(pcm)

    def played(self, wire_name: str) -> None:
        """A mark came back. One of cleared sound, or a foreign one, tells nothing."""
        generation, _, name = wire_name.partition(":")
        if generation != str(self._generation):
            return
        for mark in self._marks:
            if mark.name == name:
                self._marks.remove(mark)
                self._return(name)
                return

    def _fill_gap(self, at_ms: int) -> None:
        """Silence for sound that the provider's clock says has passed and that never came. Two frames must
        say so: one alone may only be stamped late, and the clock would be ahead for ever."""
        start_ms = at_ms - self._clock * 500 // self.rate  # when the call began, by this frame
        if self._started_ms is None or start_ms < self._started_ms:
            self._started_ms = start_ms  # the earliest is the one that was not delayed
        before, self._missing_ms = self._missing_ms, start_ms - self._started_ms
        missing = min(before, self._missing_ms)
        if missing > LARGEST_GAP_MS:
            self._started_ms, self._missing_ms = start_ms, 0
        elif missing >= SMALLEST_GAP_MS:
            self._missing_ms = 0
            for _ in range(missing // 20):
                self._hear(self._silence)

    def _hear(self, pcm: bytes) -> None:
        self.frames += 1
        length = len(pcm)
        self._clock += length
        agent = self._pull(length)
        if self.tap:
            self.tap(pcm, agent)
        if self.sink:
            self.sink.feed(pcm)
        if self._marks and self._clock > self._marks[0].due + self._bytes(MARK_GRACE_SECONDS):
            self._return(self._marks.popleft().name)

    def _pull(self, length: int) -> bytes:
        """What the agent's leg plays in the next `length` bytes."""
        playing = self._playing
        if not playing:
            return self._silence if length == len(self._silence) else bytes(length)
        piece = bytes(playing[:length])
        del playing[:length]
        return piece if len(piece) == length else piece.ljust(length, b"\0")

    def _return(self, name: str) -> None:
        if self.sink:
            self.sink.mark_played(name)

    # ---- the way out ------------------------------------------------------------------------

    def end(self, reason: str, transfer_to: str = "") -> None:
        """The call is over: the writer tells the peer why, where it wants to know, and returns."""
        self._forget_unsent()
        last_words = self._codec.ended(reason, transfer_to)
        if last_words:
            self._out.append(last_words)
        self._ended = True
        self._wake.set()

    async def write(self, send: Send) -> None:
        """Carry what is queued to an ASGI socket until `end`. Raises TimeoutError on a dead one."""
        while self._out or not self._ended:
            await self._wake.wait()
            self._wake.clear()
            while self._out:
                async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
                    await send(_frame(self._next()))

    def _next(self) -> str | bytes:
        return self._out.popleft()

    def _forget_unsent(self) -> None:
        self._out.clear()

    def _put(self, message: str | bytes) -> None:
        self._out.append(message)
        self._wake.set()

    def _bytes(self, seconds: float) -> int:
        return int(seconds * self.rate) * 2


def _frame(message: str | bytes) -> dict[str, Any]:
    key = "text" if isinstance(message, str) else "bytes"
    return {"type": "websocket.send", key: message}
