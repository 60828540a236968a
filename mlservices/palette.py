"""Voices and models in the command palette."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from .catalog import MODELS
from .library.listing import GENDERS
from .pages.languages import language_name
from .pages.palette import Entry, Group, matching
from .voices import VOICES, Voice


def voices(user: Any, words: str) -> Iterable[Group]:
    """Each by its name and language, and all of a language together."""
    if not words or not user.has_perm("agents.view_agents"):
        return []
    page = reverse("voices:list")
    languages = dict.fromkeys(voice.language for voice in VOICES)
    entries = [
        Entry(
            _("Voices in %(language)s") % {"language": language_name(code)}, "languages", url=_all(page, code)
        )
        for code in languages
    ]
    entries += [_entry(page, voice) for voice in VOICES]
    return matching(_("Voices"), entries, words)


def _all(page: str, language: str) -> str:
    return f"{page}?{urlencode({'language': language})}"


def _entry(page: str, voice: Voice) -> Entry:
    """A voice that a model has of its own is known by the model, since several may have one of that name."""
    hint = voice.id if voice.model else str(GENDERS.get(voice.gender, ""))
    title = f"{voice.name}, {language_name(voice.language)}"
    return Entry(title, "audio-lines", url=f"{page}#voice-{voice.id}", hint=hint)


def models(user: Any, words: str) -> Iterable[Group]:
    if not words or not user.has_perm("mlservices.view_models"):
        return []
    page = reverse("models:list")
    entries = [Entry(model.name, "cpu", url=f"{page}#model-{model.id}", hint=model.id) for model in MODELS]
    return matching(_("Models"), entries, words)
