"""`manage.py sipgateway` with a look at its first call every millisecond: when the stack has sound to be
read, and when it is given some. Written to BENCH_SOUNDS/gateway.json at the end."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

import django

django.setup()

from baresip import AudioNotActive, Call  # noqa: E402
from django.core.management import call_command  # noqa: E402

from telephony.sip.bridge import Bridge, Ended  # noqa: E402

LOOK_SECONDS = 0.001
carry = Bridge.carry


class Watched:
    """One call's sound; times are those of `time.time`."""

    def __init__(self, bridge: Bridge, call: Call) -> None:
        self.call_id = call.call_id
        self.sent: list[tuple[float, float]] = []  # to the web process: now, and since when it was there
        self.written: list[float] = []
        self.over = False
        self._audio = call.audio
        self._lock = threading.Lock()
        self._there: deque[tuple[float, int]] = deque()  # since when, up to which byte
        self._read = 0
        self._oldest = 0.0
        self._plain_read, self._plain_write = call.audio.read, call.audio.write
        self._plain_send = bridge._socket.send
        call.audio.read, call.audio.write = self.read, self.write  # type: ignore[method-assign]
        bridge._socket.send = self.send  # type: ignore[method-assign]
        threading.Thread(target=self.look, daemon=True).start()

    def look(self) -> None:
        while not self.over:
            with self._lock:
                try:
                    there = self._read + self._audio.info().rx_buffered
                except AudioNotActive:
                    there = 0
                if there > (self._there[-1][1] if self._there else self._read):
                    self._there.append((time.time(), there))
            time.sleep(LOOK_SECONDS)

    def read(self, most: int) -> bytes:
        with self._lock:
            pcm = self._plain_read(most)
            self._oldest = self._there[0][0] if self._there else time.time()
            self._read += len(pcm)
            while self._there and self._there[0][1] <= self._read:
                self._there.popleft()
        return pcm

    def write(self, pcm: bytes) -> int:
        self.written.append(time.time())
        return self._plain_write(pcm)

    async def send(self, message: Any) -> None:
        if isinstance(message, bytes):
            self.sent.append((time.time(), self._oldest))
        await self._plain_send(message)


watched: list[Watched] = []


async def watched_carry(self: Bridge, call: Call) -> Ended | None:
    if not watched:
        watched.append(Watched(self, call))
        try:
            return await carry(self, call)
        finally:
            watched[0].over = True
    return await carry(self, call)


if __name__ == "__main__":
    Bridge.carry = watched_carry  # type: ignore[method-assign]
    try:
        call_command("sipgateway", *sys.argv[1:])
    finally:
        for one in watched:
            told = {"call": one.call_id, "sent": one.sent, "written": one.written}
            Path(os.environ["BENCH_SOUNDS"], "gateway.json").write_text(json.dumps(told))
