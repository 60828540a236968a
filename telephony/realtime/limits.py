"""How much one session may send, and how often it is told."""

from __future__ import annotations

MESSAGES_A_SECOND, MESSAGES_AT_ONCE = 100.0, 200.0  # sound alone is 50
# Sound comes at the pace of speech; what a network has held up for a while may come at once.
SOUND_A_SECOND, SOUND_AT_ONCE = 1.05, 5.0  # seconds of it
MOST_DROPPED = 500  # messages of a session that came too fast
MOST_UNREADABLE = 50
MOST_FEEDBACK = 20
FIRST_MESSAGE_SECONDS = 10.0
IDLE_SECONDS = 300.0  # without a message, or without a word
ERROR_SECONDS = 1.0  # between two errors of what may go wrong with every message


class Allowance:
    """Fills at `rate` a second up to `most`. `now` is in seconds."""

    def __init__(self, rate: float, most: float, now: float) -> None:
        self._rate, self._most = rate, most
        self._left, self._at = most, now

    def take(self, amount: float, now: float) -> bool:
        self._left = min(self._most, self._left + self._rate * (now - self._at))
        self._at = now
        if amount > self._left:
            return False
        self._left -= amount
        return True
