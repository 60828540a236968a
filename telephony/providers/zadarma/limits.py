"""How often Zadarma may be asked: 100 requests a minute by an account, 3 of them for statistics."""

from __future__ import annotations

from collections import deque
from functools import cache
from threading import Lock

MINUTE = 60.0


class Limit:
    """At most `most` requests in any minute. Time is an argument: seconds of a clock that never goes back."""

    def __init__(self, most: int) -> None:
        self._begun: deque[float] = deque(maxlen=most)
        self._lock = Lock()  # requests come from the loops of several threads

    def wait_seconds(self, now: float, *, longest: float) -> float | None:
        """How long the next request has to wait for its turn, which it then has; None if that is longer
        than `longest`, and it has none."""
        with self._lock:
            turn = now
            if len(self._begun) == self._begun.maxlen:
                turn = max(now, self._begun[0] + MINUTE)
            if turn - now > longest:
                return None
            self._begun.append(turn)
            return turn - now


class Limits:
    def __init__(self, *, all_of_them: int = 100, statistics: int = 3) -> None:
        self.all_of_them = Limit(all_of_them)
        self.statistics = Limit(statistics)


@cache
def limits_of(url: str, key: str) -> Limits:
    """Those of an account, shared by all that ask in its name in this process."""
    return Limits()
