"""The callers' side of the sound of SIP calls: RTP over sockets of our own, dated by the kernel."""

from __future__ import annotations

import heapq
import selectors
import socket
import struct
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from mlservices.audio import alaw_decode

FIRST_PORT = 12_000  # every second one; not where the gateway takes its own
PCMA = 8
PACKET_SECONDS = 0.02
SAMPLES = 160
QUIET = b"\xd5" * SAMPLES
LOUD = 2000  # of 32767
PAUSE_SECONDS = 0.5  # without sound, and what follows is another utterance
_SO_TIMESTAMPNS = 35
_RTP = struct.Struct("!BBHII")


def is_loud(pcm: bytes) -> bool:
    return len(pcm) > 1 and bool(np.abs(np.frombuffer(pcm, "<i2").astype(int)).max() > LOUD)


def onsets(sounds: Iterable[tuple[float, bool]]) -> list[float]:
    """When something begins to sound after a pause, of (seconds, whether it is loud)."""
    found: list[float] = []
    last = -1e9
    for at, loud in sounds:
        if loud:
            if at - last > PAUSE_SECONDS:
                found.append(at)
            last = at
    return found


@dataclass
class Caller:
    """Speaks its packets over and over, and keeps what comes; times are those of `time.time`."""

    socket: socket.socket
    packets: list[bytes]
    loud: list[bool] = field(default_factory=list)  # of `packets`
    sent: list[tuple[float, bool]] = field(default_factory=list)
    came: list[tuple[float, int, bytes]] = field(default_factory=list)  # seconds, number, A-law
    peer: tuple[str, int] | None = None
    next_at: float = 0.0

    def receive(self) -> None:
        data, ancillary, _, peer = self.socket.recvmsg(2048, 64)
        _, kind, number, _, _ = _RTP.unpack_from(data)
        if kind & 0x7F != PCMA:
            return
        seconds, nanoseconds = struct.unpack("qq", ancillary[0][2])
        self.came.append((seconds + nanoseconds / 1e9, number, data[_RTP.size :]))
        self.peer = peer

    def send(self) -> None:
        assert self.peer
        count = len(self.sent)
        which = count % len(self.packets)
        header = _RTP.pack(0x80, PCMA, count & 0xFFFF, count * SAMPLES, self.socket.fileno())
        self.socket.sendto(header + self.packets[which], self.peer)
        self.sent.append((time.time(), self.loud[which]))

    def heard(self) -> list[tuple[float, bool]]:
        return [(at, is_loud(alaw_decode(sound))) for at, _, sound in self.came]


class FarEnd:
    """As many callers as there are scripts, on ports from FIRST_PORT on; each speaks once it hears us."""

    def __init__(self, scripts: list[list[bytes]]) -> None:
        self.callers = []
        self._selector = selectors.DefaultSelector()
        for number, packets in enumerate(scripts):
            channel = socket.socket(type=socket.SOCK_DGRAM)
            channel.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            channel.bind(("127.0.0.1", FIRST_PORT + 2 * number))
            channel.setblocking(False)
            caller = Caller(channel, packets, [is_loud(alaw_decode(packet)) for packet in packets])
            self.callers.append(caller)
            self._selector.register(channel, selectors.EVENT_READ, caller)

    def run(self, over: Callable[[], bool]) -> None:
        """Until `over()`, which is asked some 50 times a second."""
        due: list[tuple[float, int]] = []
        look_at = 0.0
        while True:
            now = time.monotonic()
            if now >= look_at:
                if over():
                    return
                look_at = now + PACKET_SECONDS
            while due and due[0][0] <= now:
                at, number = heapq.heappop(due)
                self.callers[number].send()
                heapq.heappush(due, (at + PACKET_SECONDS, number))
            wait = min(look_at, due[0][0] if due else look_at) - time.monotonic()
            for key, _ in self._selector.select(max(0.0, wait)):
                caller: Caller = key.data
                first = caller.peer is None
                caller.receive()
                if first and caller.peer:
                    heapq.heappush(due, (time.monotonic(), self.callers.index(caller)))

    def close(self) -> None:
        for caller in self.callers:
            caller.socket.close()
