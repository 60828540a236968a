"""Voices as a person looks for them: by words, language, gender, model and licence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..catalog import Model
from ..pages.languages import language_name
from ..voices import (
    VOICES,
    Gender,
    Voice,
    base,
    follows_description,
    greeting,
    languages_of,
    models_for,
    speaks,
)
from .standing import Machine, Serving, Standing, standing_of

GENDERS = {
    Gender.FEMALE: gettext_lazy("Female"),
    Gender.MALE: gettext_lazy("Male"),
}
COMMERCIAL, NOT_COMMERCIAL = "commercial", "no-commercial"
READY, FAVOURITES = "ready", "favourites"


@dataclass(frozen=True, slots=True)
class Entry:
    """A voice in the list."""

    voice: Voice
    standing: Standing
    language: str  # by name
    favourite: bool
    may_be_used: bool  # by an agent, since a model that runs speaks it

    @property
    def description(self) -> str:
        return _(self.voice.description)

    @property
    def gender(self) -> str:
        return str(GENDERS.get(self.voice.gender, ""))

    @property
    def greeting(self) -> str:
        return greeting(self.voice.language, self.voice.gender)

    @property
    def licence(self) -> str:
        return short_licence(self.standing.model)

    @property
    def is_described(self) -> bool:
        """Whether it will sound as it is described, and not as its model always does."""
        return bool(self.voice.model) or follows_description(self.standing.model.id)

    def text(self) -> str:
        """What words are looked for in."""
        models = " ".join(f"{model.id} {model.name}" for model in models_for(self.voice))
        parts = (self.voice.name, self.voice.id, self.language, self.gender, self.description, models)
        return " ".join(parts).casefold()


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filters of an address; a value that is none of the choices finds nothing."""

    words: str = ""
    language: str = ""
    gender: str = ""
    model: str = ""
    licence: str = ""
    show: str = ""

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> Wanted:
        names = ("language", "gender", "model", "licence", "show")
        return cls(parameters.get("q", "").strip(), *(parameters.get(name, "") for name in names))

    def __bool__(self) -> bool:
        return any((self.words, self.language, self.gender, self.model, self.licence, self.show))

    def fits(self, entry: Entry) -> bool:
        """Whatever is shown of the list: ready ones, favourites or all."""
        text = entry.text()
        return (
            all(word in text for word in self.words.casefold().split())
            and (not self.language or _in_language(entry.voice, self.language))
            and (not self.gender or entry.voice.gender == self.gender)
            and (not self.model or self.model in (model.id for model in models_for(entry.voice)))
            and (not self.licence or self.licence in _licences(entry.standing.model))
        )

    def shows(self, entry: Entry) -> bool:
        return {READY: entry.standing.ready, FAVOURITES: entry.favourite}.get(self.show, True)


def entries(
    serving: Serving, machine: Machine, favourites: Collection[str], usable: Collection[str]
) -> list[Entry]:
    """All voices by the name of their language; first the languages that can be heard, and in each of them
    the voices that can."""
    found = [
        Entry(
            voice,
            standing_of(voice, serving, machine),
            _language_of(voice),
            voice.id in favourites,
            voice.id in usable,
        )
        for voice in VOICES
    ]
    ready = {entry.language for entry in found if entry.standing.ready}

    def place(entry: Entry) -> tuple[bool, bool, str, bool, bool]:
        many = len(languages_of(entry.voice)) > 1
        is_own = bool(entry.voice.model)
        return entry.language not in ready, many, entry.language, not entry.standing.ready, is_own

    return sorted(found, key=place)


def _language_of(voice: Voice) -> str:
    spoken = len(languages_of(voice))
    if spoken == 1:
        return language_name(voice.language)
    return ngettext("%(count)d language", "%(count)d languages", spoken) % {"count": spoken}


def sections(found: Iterable[Entry]) -> list[tuple[str, list[Entry]]]:
    """A language each, in the order of the list."""
    parts: dict[str, list[Entry]] = {}
    for entry in found:
        parts.setdefault(entry.language, []).append(entry)
    return list(parts.items())


def counts(found: Collection[Entry]) -> list[tuple[str, str, int]]:
    """(value of `show`, its label, how many of those found)"""
    return [
        ("", _("All"), len(found)),
        (READY, _("Ready"), sum(entry.standing.ready for entry in found)),
        (FAVOURITES, _("Favourites"), sum(entry.favourite for entry in found)),
    ]


def choices(all_entries: Collection[Entry]) -> dict[str, list[tuple[str, str]]]:
    """For each filter (value, label with the number of voices)."""
    voices = [entry.voice for entry in all_entries]
    spoken = {code for voice in voices for code in languages_of(voice)}
    codes = {voice.language for voice in voices} | spoken | set(map(base, spoken))
    languages = [
        (code, language_name(code), sum(_in_language(voice, code) for voice in voices)) for code in codes
    ]
    models: Counter[tuple[str, str]] = Counter()
    licences: Counter[str] = Counter()
    for entry in all_entries:
        models.update((model.id, model.name) for model in models_for(entry.voice))
        licences.update(_licences(entry.standing.model))
    named = {COMMERCIAL: _("Commercial use allowed"), NOT_COMMERCIAL: _("No commercial use")}
    return {
        "languages": _labelled(sorted(languages, key=lambda each: each[1])),
        "models": _labelled((id, name, count) for (id, name), count in models.most_common()),
        "licences": _labelled(
            (name, named.get(name, name), licences[name])
            for name in (*named, *sorted(licences.keys() - named.keys()))
        ),
    }


def _labelled(rows: Iterable[tuple[str, str, int]]) -> list[tuple[str, str]]:
    return [(value, f"{label} ({count})") for value, label, count in rows]


def _in_language(voice: Voice, code: str) -> bool:
    """A code without a region stands for all of them; a model of many languages is in each."""
    if voice.language.lower() == code.lower():
        return True
    return "-" not in code and speaks(languages_of(voice), code)


def short_licence(model: Model) -> str:
    """Up to where its remarks begin."""
    return model.licence.partition(";")[0]


def _licences(model: Model) -> tuple[str, str]:
    return (COMMERCIAL if model.commercial_use else NOT_COMMERCIAL), short_licence(model)
