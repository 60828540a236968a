"""Keys pressed on the caller's telephone, gathered into one entry."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

ENTRY_PAUSE_SECONDS = 2.0  # after the last key
LONGEST_ENTRY = 32


class Keypad:
    """`on_entry` gets the digits once the caller presses # (left out) or stops pressing."""

    def __init__(self, on_entry: Callable[[str], None]) -> None:
        self._on_entry = on_entry
        self._digits = ""
        self._timer: asyncio.TimerHandle | None = None

    @property
    def pending(self) -> bool:
        """Keys have been pressed and more may come."""
        return self._timer is not None

    def press(self, digit: str) -> None:
        self.close()
        if digit != "#":
            self._digits += digit
        if digit == "#" or len(self._digits) >= LONGEST_ENTRY:
            self._finish()
        else:
            self._timer = asyncio.get_running_loop().call_later(ENTRY_PAUSE_SECONDS, self._finish)

    def close(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _finish(self) -> None:
        self.close()
        digits, self._digits = self._digits or "#", ""
        self._on_entry(digits)
