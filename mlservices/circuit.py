"""A circuit breaker: who failed again and again is left alone for a while."""

from __future__ import annotations

FAILURES = 5  # in a row, until it opens
FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 120.0


class Circuit:
    """Closed at first; open after `failures` in a row, for a pause that doubles with each failure of a trial.

    When the pause is over it is half open: everybody may try, and the first outcome closes or opens it again.
    `now` is in seconds of any clock that does not go back.
    """

    def __init__(
        self,
        *,
        failures: int = FAILURES,
        first_pause: float = FIRST_PAUSE_SECONDS,
        longest_pause: float = LONGEST_PAUSE_SECONDS,
    ) -> None:
        self._limit, self._first, self._longest = failures, first_pause, longest_pause
        self._failures = 0  # in a row
        self._open_until = 0.0

    def succeeded(self) -> None:
        self._failures, self._open_until = 0, 0.0

    def failed(self, now: float) -> None:
        self._failures += 1
        beyond = self._failures - self._limit
        if beyond >= 0:
            self._open_until = now + min(self._first * 2.0**beyond, self._longest)

    def open_for(self, now: float) -> float:
        """Seconds until the next try is worth it; 0 where it may be made now."""
        return max(0.0, self._open_until - now)
