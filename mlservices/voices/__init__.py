"""The voices that agents can speak with: 81 that are described, and those that models have of their own.

A described voice sounds the same wherever its description is followed; what it is spoken with depends on the
models that run. One is offered only with a model that speaks its language.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ..catalog import BY_ID, Model
from ..errors import EngineError
from .eastern import EASTERN
from .english import ENGLISH
from .entry import Gender, Voice
from .european import EUROPEAN
from .greetings import greeting
from .indian import INDIAN
from .own import OWN

__all__ = [
    "LIBRARY",
    "VOICES",
    "Gender",
    "Spoken",
    "Voice",
    "able",
    "base",
    "by_id",
    "follows_description",
    "greeting",
    "languages_of",
    "models_for",
    "resolve",
    "speaks",
    "spoken_by",
]

LIBRARY: tuple[Voice, ...] = (*ENGLISH, *INDIAN, *EUROPEAN, *EASTERN)
VOICES: tuple[Voice, ...] = (*LIBRARY, *OWN)
_BY_ID = {voice.id: voice for voice in VOICES}

# Of the models that can take a library voice, the best first. Those that follow a description come before
# the one that speaks what they cannot, in its own voice.
_DESCRIBED = ("parler-tts-multilingual", "indic-parler-tts")
_OTHERWISE = ("chatterbox",)
_OWN_VOICE = "default"  # what an engine is told that has only one


@dataclass(frozen=True, slots=True)
class Spoken:
    """What it takes to hear a voice: a model, what its engine is told as the voice, and the language."""

    model: str  # catalogue id
    voice: str  # a description, or "default" for the model's own
    language: str  # BCP 47, without the region: as models name languages


def by_id(voice_id: str) -> Voice | None:
    return _BY_ID.get(voice_id)


def speaks(languages: Iterable[str], language: str) -> bool:
    """Whether one of these is the language, of whatever region; "en-GB" is spoken by what knows "en"."""
    wanted = base(language)
    return any(base(each) == wanted for each in languages)


def base(language: str) -> str:
    """Without its region: "en" of "en-GB"."""
    return language.split("-")[0].lower()


def follows_description(model_id: str) -> bool:
    return model_id in _DESCRIBED


def models_for(voice: Voice) -> tuple[Model, ...]:
    """The models that can speak it, in order of preference; each knows its language."""
    if voice.model:
        return (BY_ID[voice.model],)
    able = tuple(BY_ID[id] for id in _DESCRIBED if speaks(BY_ID[id].languages, voice.language))
    return able or tuple(BY_ID[id] for id in _OTHERWISE if speaks(BY_ID[id].languages, voice.language))


def able(voice_id: str, among: Collection[str] | None = None) -> list[str]:
    """The ids of the models that can speak it, of those `among` these, the best first; none for a voice that
    nobody knows."""
    voice = _BY_ID.get(voice_id)
    found = [model.id for model in models_for(voice)] if voice else []
    return [id for id in found if among is None or id in among]


def languages_of(voice: Voice) -> tuple[str, ...]:
    """All that it can be asked to speak."""
    return BY_ID[voice.model].languages if voice.model else (voice.language,)


def spoken_by(model_ids: Collection[str]) -> list[Voice]:
    """The voices that a service with these models has."""
    return [voice for voice in VOICES if able(voice.id, model_ids)]


def resolve(voice_id: str, among: Collection[str] | None = None) -> Spoken:
    """What speaks the voice: the first of its models, or of those of them that are `among` these.

    Raises EngineError, which names the voice and what it lacks.
    """
    voice = _BY_ID.get(voice_id)
    if voice is None:
        raise EngineError(f"There is no voice {voice_id!r}.", service="tts", permanent=True)
    running = able(voice_id, among)
    if not running:
        needed = " or ".join(able(voice_id))
        raise EngineError(
            f"The voice {voice_id} ({voice.language}) needs {needed}, which does not run here.",
            service="tts",
            permanent=True,
        )
    told = voice.prompt if follows_description(running[0]) else _OWN_VOICE
    return Spoken(running[0], told, base(voice.language))
