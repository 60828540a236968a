"""What the configured engines can do, for forms to choose from: voices, and the languages of a call."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from . import voices
from .catalog import BY_ID, Model
from .clients.service import ServiceClient
from .telling import told_lately

DEFAULT_VOICE = "default"


@dataclass(frozen=True, slots=True)
class Voice:
    """`languages` are all that it can be asked to speak, `language` its own; () and "" where nobody says, and
    None where nobody says whether it may be used commercially."""

    id: str
    name: str
    languages: tuple[str, ...] = ()
    note: str = ""
    language: str = ""
    gender: str = ""
    licence: str = ""
    commercial_use: bool | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """`languages` are those that are both heard and spoken; `engine` is what speaks where no voice is chosen.
    `problem` says why a service told nothing."""

    voices: tuple[Voice, ...] = ()
    languages: tuple[str, ...] = ("en",)
    problem: str = ""
    engine: str = ""
    licence: str = ""  # of the engine, where it is known
    commercial_use: bool | None = None


def of_models(stt: Model, tts: Sequence[Model]) -> Offer:
    """Of our own service, which runs these; the first of `tts` speaks where no voice is chosen."""
    spoken = dict.fromkeys(language for model in tts for language in model.languages)
    running = [model.id for model in tts]
    offered = tuple(_offered(voice, running) for voice in voices.spoken_by(running))
    own = tuple(voice for voice in offered if voice.id in running)  # before those that are described
    others = tuple(voice for voice in offered if voice.id not in running)
    first = tts[0]
    return Offer(
        (*own, *others),
        _both(stt.languages, spoken),
        engine=first.name,
        licence=first.licence,
        commercial_use=first.commercial_use,
    )


def _offered(voice: voices.Voice, running: Collection[str]) -> Voice:
    model = BY_ID[voices.able(voice.id, running)[0]]
    return Voice(
        voice.id,
        model.name if voice.model else voice.name,
        voices.languages_of(voice),
        model.note,
        voice.language,
        voice.gender,
        model.licence,
        model.commercial_use,
    )


async def of_service(client: ServiceClient) -> Offer:
    """As a Space tells it; what it leaves out is not offered."""
    told = await told_lately(client)
    stt, tts = told.of("stt"), told.of("tts")
    languages = _words(tts.get("languages"))
    listed = told.voices() or ([tts] if tts.get("id") else [])
    offered = tuple(_told(each, tts, languages) for each in listed)
    engine = str(tts.get("name") or (offered[0].name if offered else ""))
    spoken = _both(_words(stt.get("languages")), languages)
    return Offer(offered, spoken, told.problem, engine, *_licence(tts))


def _told(voice: dict[str, Any], tts: dict[str, Any], languages: tuple[str, ...]) -> Voice:
    """A voice of a Space; one that is ours as well is what we know of it."""
    id = str(voice["id"])
    if known := voices.by_id(id):
        return _offered(known, voices.able(id))
    licence, commercial_use = _licence(tts)
    return Voice(id, str(voice.get("name") or id), languages, licence=licence, commercial_use=commercial_use)


def _licence(tts: dict[str, Any]) -> tuple[str, bool | None]:
    licence, allowed = tts.get("licence"), tts.get("commercial_use")
    return (licence if isinstance(licence, str) else ""), (allowed if isinstance(allowed, bool) else None)


def _words(told: Any) -> tuple[str, ...]:
    return tuple(map(str, told)) if isinstance(told, list) else ()


def _both(heard: Iterable[str], spoken: Iterable[str]) -> tuple[str, ...]:
    """English if neither says: what every agent's own sentences are in."""
    heard, spoken = tuple(heard), tuple(spoken)
    if not heard or not spoken:
        return heard or spoken or ("en",)
    return tuple(language for language in heard if language in spoken) or ("en",)
