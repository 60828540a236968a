"""What the configured engines can do, for forms to choose from: voices, and the languages of a call."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from . import voices
from .catalog import BY_ID, Model
from .clients.service import ServiceClient
from .errors import EngineError

DEFAULT_VOICE = "default"
_REMEMBERED_SECONDS = 60.0
_remembered: dict[ServiceClient, tuple[float, Offer]] = {}


@dataclass(frozen=True, slots=True)
class Voice:
    """`languages` are all that it can be asked to speak, `language` its own; () and "" where nobody says."""

    id: str
    name: str
    languages: tuple[str, ...] = ()
    note: str = ""
    language: str = ""
    gender: str = ""
    licence: str = ""
    commercial_use: bool = True


@dataclass(frozen=True, slots=True)
class Offer:
    """`languages` are those that are both heard and spoken; `engine` is what speaks where no voice is chosen.
    `problem` says why a service told nothing."""

    voices: tuple[Voice, ...] = ()
    languages: tuple[str, ...] = ("en",)
    problem: str = ""
    engine: str = ""
    licence: str = ""  # of the engine, where it is known
    commercial_use: bool = True


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
    """As a Space tells it; asked once a minute, since a form waits for the answer."""
    told_at, known = _remembered.get(client, (0.0, Offer()))
    if time.monotonic() - told_at < _REMEMBERED_SECONDS and told_at:
        return known
    try:
        known = _read(await client.models())
    except EngineError as error:
        known = Offer(known.voices, known.languages, problem=str(error))
    _remembered[client] = (time.monotonic(), known)
    return known


def _read(answer: dict[str, Any]) -> Offer:
    """A Space may tell much or little; what it leaves out is not offered."""
    models = answer.get("available_models")
    stt, tts = (_entry(models, kind) for kind in ("stt", "tts"))
    rows = tts.get("voices")
    rows = rows if rows and isinstance(rows, list) else [tts]
    listed = [voice for voice in rows if isinstance(voice, dict) and voice.get("id")]
    languages = tuple(map(str, tts.get("languages") or ()))
    offered = tuple(_told(str(each["id"]), str(each.get("name") or each["id"]), languages) for each in listed)
    engine = str(tts.get("name") or (offered[0].name if offered else ""))
    return Offer(offered, _both(map(str, stt.get("languages") or ()), languages), engine=engine)


def _told(id: str, name: str, languages: tuple[str, ...]) -> Voice:
    """A voice of a Space; one that is ours as well is what we know of it."""
    known = voices.by_id(id)
    return _offered(known, voices.able(id)) if known else Voice(id, name, languages)


def _entry(models: Any, kind: str) -> dict[str, Any]:
    entry = models.get(kind) if isinstance(models, dict) else None
    return entry if isinstance(entry, dict) else {}


def _both(heard: Iterable[str], spoken: Iterable[str]) -> tuple[str, ...]:
    """English if neither says: what every agent's own sentences are in."""
    heard, spoken = tuple(heard), tuple(spoken)
    if not heard or not spoken:
        return heard or spoken or ("en",)
    return tuple(language for language in heard if language in spoken) or ("en",)
