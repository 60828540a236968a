"""How an agent speaks and listens: as it is set up, or as the step of its flow wants it."""

from __future__ import annotations

from typing import TypeVar

from agents.flow.steps import Manner

from .listener import Listener
from .parts import SessionSettings
from .speaker import Speaker
from .turns import TurnPolicy

T = TypeVar("T")


class Manners:
    """`silence_seconds` is how long a silent caller is left alone, `interruptible` whether the agent falls
    silent for a caller who speaks over it."""

    def __init__(self, settings: SessionSettings, *, speaker: Speaker, listener: Listener) -> None:
        self.silence_seconds = settings.silence_seconds
        self.interruptible = settings.interruptible
        self._settings = settings
        self._speaker, self._listener = speaker, listener

    def behave(self, manner: Manner) -> None:
        settings = self._settings
        self.silence_seconds = _or(manner.silence_seconds, settings.silence_seconds)
        self._speaker.speed = _or(manner.speed, settings.speaking_rate)
        self.interruptible = _or(manner.interruptible, settings.interruptible)
        self._listener.policy = TurnPolicy.for_eagerness(_or(manner.eagerness, settings.eagerness))


def _or(wanted: T | None, otherwise: T) -> T:
    return otherwise if wanted is None else wanted
