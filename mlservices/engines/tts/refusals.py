"""What a voice cannot do, told in the same words by each."""

from __future__ import annotations

from ...catalog import Model
from ...errors import EngineError


def language_of(model: Model, language: str) -> str:
    """The language to speak: the model's first one for "". EngineError for one that it lacks."""
    if language and language not in model.languages:
        raise EngineError(
            f"{model.name} does not speak the language {language!r}: it speaks {', '.join(model.languages)}",
            service="tts",
            permanent=True,
        )
    return language or model.languages[0]


def default_voice_only(model: Model, voice: str) -> None:
    if voice not in ("default", model.id):
        raise EngineError(
            f"{model.name} has no voice {voice!r}: it has one, 'default'", service="tts", permanent=True
        )
