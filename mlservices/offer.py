"""What the configured engines can do, for forms to choose from: voices, and the languages of a call."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .catalog import Model
from .clients.service import ServiceClient
from .errors import EngineError

DEFAULT_VOICE = "default"
_REMEMBERED_SECONDS = 60.0
_remembered: dict[ServiceClient, tuple[float, Offer]] = {}


@dataclass(frozen=True, slots=True)
class Voice:
    id: str
    name: str
    languages: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """`languages` are those that are both heard and spoken. `problem` says why a service told nothing."""

    voices: tuple[Voice, ...] = ()
    languages: tuple[str, ...] = ("en",)
    problem: str = ""


def of_models(stt: Model, tts: Model) -> Offer:
    """Of our own service, which runs these two; each voice is a model."""
    return Offer((Voice(tts.id, tts.name, tts.languages, tts.note),), _both(stt.languages, tts.languages))


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
    listed = [voice for voice in tts.get("voices") or [tts] if isinstance(voice, dict) and voice.get("id")]
    languages = tuple(map(str, tts.get("languages") or ()))
    voices = tuple(Voice(str(each["id"]), str(each.get("name") or each["id"]), languages) for each in listed)
    return Offer(voices, _both(map(str, stt.get("languages") or ()), languages))


def _entry(models: Any, kind: str) -> dict[str, Any]:
    entry = models.get(kind) if isinstance(models, dict) else None
    return entry if isinstance(entry, dict) else {}


def _both(heard: Iterable[str], spoken: Iterable[str]) -> tuple[str, ...]:
    """English if neither says: what every agent's own sentences are in."""
    heard, spoken = tuple(heard), tuple(spoken)
    if not heard or not spoken:
        return heard or spoken or ("en",)
    return tuple(language for language in heard if language in spoken) or ("en",)
