"""The caller's last turn, which is taken back when it comes again with more words.

Ears end a turn at a pause. Who goes on before any of the answer was heard has said one thing, not two: the
answer to the first half is undone, and the whole is answered.
"""

from __future__ import annotations

from typing import Generic, TypeVar

State = TypeVar("State")


class LastTurn(Generic[State]):
    def __init__(self) -> None:
        self.unheard = False  # its answer
        self._words = ""
        self._before: State | None = None  # None where there is nothing to be taken back

    def begins(self, words: str, before: State) -> None:
        """`before` is the state in which it finds the conversation."""
        self._words, self._before, self.unheard = words, before, False

    def stands(self) -> None:
        """It is not taken back: its answer was heard, or did what cannot be undone."""
        self._before = None

    def comes_again(self, words: str) -> bool:
        return self.unheard and self._before is not None and words.startswith(self._words)

    def behind(self, words: str) -> str:
        """What more there is in words in which it comes again."""
        return words.removeprefix(self._words)

    def taken_back(self) -> State:
        """The state before it."""
        assert self._before is not None
        return self._before
