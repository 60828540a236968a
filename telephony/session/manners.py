"""How an agent speaks and listens: as it is set up, or as the step of its flow wants it."""

from __future__ import annotations

from agents.flow.steps import Manner

from .floor import Floor
from .listener import Listener
from .parts import SessionSettings
from .speaker import Speaker
from .turns import TurnPolicy


class Manners:
    """`silence_seconds` is how long a silent caller is left alone."""

    def __init__(
        self, settings: SessionSettings, *, speaker: Speaker, listener: Listener, floor: Floor
    ) -> None:
        self.silence_seconds = settings.silence_seconds
        self._settings = settings
        self._speaker, self._listener, self._floor = speaker, listener, floor

    def behave(self, manner: Manner) -> None:
        settings = self._settings
        self.silence_seconds = _or(manner.silence_seconds, settings.silence_seconds)
        self._speaker.speed = _or(manner.speed, settings.speaking_rate)
        self._floor.interruptible = (
            settings.interruptible if manner.interruptible is None else manner.interruptible
        )
        self._listener.policy = TurnPolicy.for_eagerness(_or(manner.eagerness, settings.eagerness))


def _or(wanted: float | None, otherwise: float) -> float:
    return otherwise if wanted is None else wanted
