"""Live calls go first on the machine's processors too, not only in the line of each model.

While a live request is served on them, workers that serve a batch there stand still: sharing processors and
caches doubled the time to a live sentence's first sound. They stand still for `LONGEST_SECONDS` at the most,
at a stretch or in sum; then live calls share the machine with them for `SHARE_SECONDS`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

LONGEST_SECONDS = 10.0
SHARE_SECONDS = 1.0
_NEARLY = 0.001  # seconds; timers and sums are not exact


@dataclass
class Patience:
    """How long batches have stood still, in seconds; what they ran since counts against it many times."""

    longest: float = LONGEST_SECONDS
    share: float = SHARE_SECONDS
    stood: float = 0.0
    is_over: bool = False  # until they had their share
    _stands: bool = False
    _since: float = 0.0

    def pass_to(self, now: float) -> None:
        passed, self._since = now - self._since, now
        self.stood += passed if self._stands else -passed * self.longest / self.share
        self.stood = max(0.0, self.stood)
        self.is_over = self.stood > (_NEARLY if self.is_over else self.longest - _NEARLY)

    def goes_on(self, *, stands: bool) -> float:
        """How batches go on from now; seconds until that may have to change."""
        self._stands = stands
        return self.longest - self.stood if stands else self.stood * self.share / self.longest


@dataclass(eq=False)
class Work:
    """What one worker process is at."""

    stand_still: Callable[[bool], None]  # stop the process, or have it go on
    is_live: Callable[[], bool]
    may_wait: Callable[[], bool]
    _stood: float = 0.0
    _since: float = 0.0  # when it began to stand still; 0 while it runs

    def stood(self) -> float:
        """Seconds in which it stood still."""
        return self._stood + (time.monotonic() - self._since if self._since else 0.0)

    def stand(self, still: bool) -> None:
        if still != bool(self._since):
            self._stood, self._since = self.stood(), time.monotonic() if still else 0.0
            self.stand_still(still)


@dataclass(eq=False)
class Precedence:
    """Among all that works on one machine's processors."""

    _patience: Patience = field(default_factory=Patience)
    _at_work: list[Work] = field(default_factory=list)
    _timer: asyncio.TimerHandle | None = None

    @contextmanager
    def among(self, work: Work) -> Iterator[None]:
        """While it lasts, the work precedes others or stands still for them; after it, it stands no more."""
        self._at_work.append(work)
        self.update()
        try:
            yield
        finally:
            self._at_work.remove(work)
            work.stand(False)
            self.update()

    def update(self) -> None:
        """To be called whenever what some work is, or may do, has changed."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._patience.pass_to(time.monotonic())
        is_live = any(work.is_live() for work in self._at_work)
        waits = [work for work in self._at_work if is_live and work.may_wait()]
        for work in self._at_work:
            work.stand(work in waits and not self._patience.is_over)
        seconds = self._patience.goes_on(stands=bool(waits) and not self._patience.is_over)
        if waits:
            self._timer = asyncio.get_running_loop().call_later(seconds, self.update)
