"""The voice of an agent: which it may have, and the page that gives one of the library to an agent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from asgiref.sync import async_to_sync
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from mlservices import registry, voices
from mlservices.offer import DEFAULT_VOICE, Offer, Voice
from mlservices.pages.languages import language_name

from .models import Agent


@dataclass(frozen=True, slots=True)
class VoiceGroup:
    """Voices under one heading in the form; `languages` are those of agents that may have them, all if none
    is named. The licence of voices of a language is told once. A row is (button, what is known of its voice,
    what it says to be heard, "" for what the page has it say)."""

    label: str
    languages: tuple[str, ...]
    rows: list[tuple[Any, Voice | Offer | None, str]]
    licence: str = ""
    commercial_use: bool | None = None


def grouped(buttons: Iterable[Any], offer: Offer) -> list[VoiceGroup]:
    """The form's buttons by the language of their voices, what fits every agent first."""
    offered = {voice.id: voice for voice in offer.voices}
    groups: dict[str, VoiceGroup] = {}
    for button in buttons:
        voice = offered.get(button.data["value"])
        known = voices.by_id(voice.id) if voice else None
        language = known.language if known and not known.model else ""
        of = tuple(dict.fromkeys(map(voices.base, voice.languages))) if voice else ()
        key = language or ",".join(of)
        label = language_name(language) if language else ""
        group = groups.setdefault(key, VoiceGroup(label, of, [], *_licence(voice if label else None)))
        is_default = button.data["value"] == DEFAULT_VOICE
        sentence = voices.greeting(known.language, known.gender) if known and language else ""
        group.rows.append((button, offer if is_default else voice, sentence))
    return sorted(groups.values(), key=lambda group: group.label)


def _licence(voice: Voice | None) -> tuple[str, bool | None]:
    return (voice.licence, voice.commercial_use) if voice else ("", None)


@require_safe
def with_voice(request: HttpRequest, voice: str) -> HttpResponse:
    """Which agent is to speak with the voice: a new one, or one of those in use."""
    known = voices.by_id(voice)
    if known is None:
        raise Http404(f"There is no voice {voice!r}.")
    agents = Agent.objects.exclude(status=Agent.Status.ARCHIVED).only("name", "slug", "language", "voice")
    rows = [
        {
            "agent": agent,
            "speaks": language_name(agent.language),
            "has_it": agent.voice == known.id,
            "changes": not voices.speaks(voices.languages_of(known), agent.language),
        }
        for agent in agents
    ]
    offered = {each.id: each for each in async_to_sync(registry.offer)().voices}
    context = {
        "voice": known,
        "description": _(known.description),
        "language": language_name(known.language),
        "agents": rows,
        "is_offered": known.id in offered,
        "licence": offered.get(known.id),  # of the model that would speak it
        "stands_under": reverse("voices:list"),
    }
    return render(request, "agents/with_voice.html", context)


def called(voice_id: str) -> str:
    """A voice by its name and language, an unknown one by its id."""
    known = voices.by_id(voice_id)
    return f"{known.name}, {language_name(known.language)}" if known else voice_id


def chosen(voice_id: str, agent: Agent, offer: Offer) -> dict[str, str]:
    """What a form begins with when it is to have this voice: the language goes along where it must.

    Empty where the voice is not offered.
    """
    voice = next((each for each in offer.voices if each.id == voice_id), None)
    if voice is None:
        return {}
    if not voice.languages or voices.speaks(voice.languages, agent.language):
        return {"voice": voice_id}
    wanted = map(voices.base, voice.languages)
    language = next((code for code in wanted if code in offer.languages), "")
    return {"voice": voice_id, "language": language} if language else {}
