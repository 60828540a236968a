"""A silent caller: how long they are left alone, and how often they were asked whether they are there."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from agents.flow.steps import Expectation

MOST_PROMPTS = 3
# What people have to think of, or look for, before they say it.
_LOOKED_FOR: Collection[Expectation] = ("name", "number", "spelling")
_LOOKED_FOR_TAKES = 1.5  # times as long


class Silence:
    def __init__(self) -> None:
        self.prompts = 0  # one after the other
        self._since = self._now()
        self._on_hold = False  # by the caller, who hears nothing

    @property
    def is_for_good(self) -> bool:
        """The last prompt has been said."""
        return self.prompts >= MOST_PROMPTS

    def begin(self) -> None:
        self._since = self._now()

    def reset(self) -> None:
        """The caller said something, or somebody looks after them."""
        self.prompts = 0

    def hold(self, held: bool) -> None:
        """A caller who has put the agent on hold is not silent."""
        self._on_hold = held
        self.begin()

    def deadline(self, seconds: float, expects: Expectation) -> float | None:
        """Loop time at which a caller who is left alone for `seconds` is prompted; None is never."""
        if self._on_hold:
            return None
        return self._since + seconds * (_LOOKED_FOR_TAKES if expects in _LOOKED_FOR else 1.0)

    def prompt(self) -> int:
        """Count one more prompt, behind which the silence begins anew."""
        self.prompts += 1
        self.begin()
        return self.prompts

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
