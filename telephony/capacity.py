"""How much more this process can carry.

Overload is a cliff: a process that carries 10 % too many calls is seconds late on all of them within
seconds. So new calls are turned away before that, by what the event loop itself says: how busy its
thread is and how late it wakes.
"""

from __future__ import annotations

import asyncio
import time

TICK_SECONDS = 0.1
# Of the last five seconds or so: a short hiccup turns nobody away.
SMOOTHING = 0.02
LONGEST_LAG_SECONDS = 0.5  # of one tick; a single longer stall says no more about the next ones
FULL_LOOP_SHARE = 0.7
FULL_LAG_SECONDS = 0.05


class Capacity:
    """Smoothed figures of the event loop that runs `measure`."""

    def __init__(self) -> None:
        self.loop_share = 0.0  # 0..1 of a core, by the loop's own thread
        self.lag_seconds = 0.0
        self.known = False  # nothing is measured before this process carries its first call

    @property
    def share_in_use(self) -> float:
        """0..1; at 1 calls are turned away."""
        return min(1.0, max(self.loop_share / FULL_LOOP_SHARE, self.lag_seconds / FULL_LAG_SECONDS))

    def full(self) -> bool:
        return self.loop_share > FULL_LOOP_SHARE or self.lag_seconds > FULL_LAG_SECONDS

    def describe(self) -> str:
        return f"the event loop is busy {self.loop_share:.0%} and {self.lag_seconds * 1000:.0f} ms late"

    def update(self, *, elapsed_seconds: float, busy_seconds: float) -> None:
        """One tick of at least `TICK_SECONDS`: how long it took and how much of that the loop worked."""
        self.known = True
        late = min(max(0.0, elapsed_seconds - TICK_SECONDS), LONGEST_LAG_SECONDS)
        self.lag_seconds += SMOOTHING * (late - self.lag_seconds)
        weight = min(1.0, SMOOTHING * elapsed_seconds / TICK_SECONDS)
        self.loop_share += weight * (busy_seconds / elapsed_seconds - self.loop_share)

    async def measure(self) -> None:
        """Run for ever on the loop to be measured."""
        wall, busy = time.monotonic(), time.thread_time()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now, worked = time.monotonic(), time.thread_time()
            self.update(elapsed_seconds=now - wall, busy_seconds=worked - busy)
            wall, busy = now, worked


capacity = Capacity()
