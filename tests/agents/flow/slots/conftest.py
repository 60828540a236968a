"""A caller who answers one gatherer, and what it says to each answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from agents.flow.slots import Gatherer, Slot
from agents.flow.steps import Say

NOW = datetime(2026, 3, 4, 10, 0)  # a Wednesday


@dataclass
class Asked:
    gatherer: Gatherer

    def say(self, words: str) -> str:
        return self._texts(self.gatherer.take(words))

    def press(self, keys: str) -> str:
        return self._texts(self.gatherer.key(keys))

    @staticmethod
    def _texts(steps: list[Any]) -> str:
        assert all(isinstance(step, Say) for step in steps)
        return " ".join(step.text for step in steps)

    @property
    def value(self) -> str | float | bool | None:
        return self.gatherer.done.value if self.gatherer.done else None


Ask = Callable[..., Asked]


@pytest.fixture
def ask() -> Ask:
    def begin(kind: str, prompt: str = "What is it?", **settings: Any) -> Asked:
        return Asked(Gatherer(Slot(kind, prompt, **settings), NOW))  # type: ignore[arg-type]

    return begin
