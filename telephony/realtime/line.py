"""The line of a program that talks over the realtime API."""

from __future__ import annotations

import asyncio

from ..line import Line
from ..providers.realtime.codec import RealtimeCodec
from ..session.events import Event

MOST_WAITING = 4 * 2**20  # bytes for a peer who does not read: a minute and a half of sound


class RealtimeLine(Line):
    """Its peer plays what it gets and answers no marks, so that sound is taken as played by the call's clock.
    Words and sound leave in one order: nothing of what is on its way out is taken back."""

    tells_played = False

    def __init__(self, codec: RealtimeCodec) -> None:
        super().__init__(codec)
        self.overrun = False  # the peer reads too slowly; nothing more is kept for it
        self._waiting_bytes = 0
        self._wire = codec
        self.watcher = self._happened

    def send(self, pcm: bytes) -> None:
        if self._wire.speaks:
            super().send(pcm)

    def mark(self, name: str) -> None:
        if self._wire.speaks:
            super().mark(name)
        else:  # what is read is there at once
            asyncio.get_running_loop().call_soon(self._return, name)

    def tell(self, message: str) -> None:
        self._put(message)

    def _happened(self, event: Event) -> None:
        for message in self._wire.happened(event):
            self._put(message)

    def _hear(self, pcm: bytes) -> None:
        super()._hear(pcm)
        while self._marks and self._clock >= self._marks[0].due:
            self._return(self._marks.popleft().name)

    def _put(self, message: str | bytes) -> None:
        if not message:
            return
        if self._waiting_bytes + len(message) > MOST_WAITING:
            self.overrun = True
            return
        self._waiting_bytes += len(message)
        super()._put(message)

    def _next(self) -> str | bytes:
        message = super()._next()
        self._waiting_bytes -= len(message)
        return message

    def _forget_unsent(self) -> None: ...
