"""Voices as a person looks for them: by words, language, gender, model and licence, under their languages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

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
ALL, NONE = "all", "none"  # of the languages that are open
FEW = 24  # voices found are shown at once, under whatever languages


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
    open: str = field(default="", compare=False)  # keys of sections, with commas; or ALL, or NONE

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> Wanted:
        names = ("language", "gender", "model", "licence", "show", "open")
        return cls(parameters.get("q", "").strip(), *(parameters.get(name, "") for name in names))

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


@dataclass(frozen=True, slots=True)
class Section:
    """The voices of a language."""

    key: str  # in the address
    entries: list[Entry]
    open: bool

    @property
    def label(self) -> str:
        return self.entries[0].language

    @property
    def ready(self) -> int:
        return sum(entry.standing.ready for entry in self.entries)

    @property
    def names(self) -> str:
        return ", ".join(entry.voice.name for entry in self.entries)


def entries(
    serving: Serving, machine: Machine, favourites: Collection[str], usable: Collection[str]
) -> list[Entry]:
    """All voices by the name of their language; first the languages that can be heard, and in each of them
    the voices that can. Then the language of the page; last those that no voice of the library speaks."""
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
    described = {entry.language for entry in found if not entry.voice.model}
    of_page = base(get_language() or "en")

    def place(entry: Entry) -> tuple[bool, bool, bool, str, bool, bool]:
        language = entry.language
        foreign = base(entry.voice.language) != of_page
        order = (language not in ready, language not in described, foreign, language)
        return *order, not entry.standing.ready, bool(entry.voice.model)

    return sorted(found, key=place)


def _language_of(voice: Voice) -> str:
    spoken = len(languages_of(voice))
    if spoken == 1:
        return language_name(voice.language)
    return ngettext("%(count)d language", "%(count)d languages", spoken) % {"count": spoken}


def sections(found: Collection[Entry], wanted: Wanted) -> list[Section]:
    """In the order of the list. Of many voices those are open that the address names; else the first."""
    parts: dict[str, list[Entry]] = {}
    for entry in found:
        spoken = languages_of(entry.voice)
        key = entry.voice.language.lower() if len(spoken) == 1 else str(len(spoken))
        parts.setdefault(key, []).append(entry)
    if len(found) <= FEW or wanted.open == ALL:
        opened = list(parts)
    else:
        opened = wanted.open.split(",") if wanted.open else list(parts)[:1]
    return [Section(key, part, key in opened) for key, part in parts.items()]


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
    names: dict[str, str] = {}
    for entry in all_entries:
        models.update((model.id, model.name) for model in models_for(entry.voice))
        licences.update(_licences(entry.standing.model))
        names[_short(entry.standing.model.licence)] = _short(_(entry.standing.model.licence))
    named = {COMMERCIAL: _("Commercial use allowed"), NOT_COMMERCIAL: _("No commercial use")}
    return {
        "languages": _labelled(sorted(languages, key=lambda each: each[1])),
        "models": _labelled((id, name, count) for (id, name), count in models.most_common()),
        "licences": _labelled(
            (value, label, licences[value])
            for value, label in (*named.items(), *sorted(names.items(), key=lambda each: each[1].casefold()))
        ),
    }


def _labelled(rows: Iterable[tuple[str, str, int]]) -> list[tuple[str, str]]:
    return [(value, f"{label} ({count})") for value, label, count in rows]


def _in_language(voice: Voice, code: str) -> bool:
    """A code without a region stands for all of them; a model of many languages is in each."""
    if voice.language.lower() == code.lower():
        return True
    return "-" not in code and speaks(languages_of(voice), code)


def _short(licence: str) -> str:
    """Up to where its remarks begin."""
    return licence.partition(";")[0]


def _licences(model: Model) -> tuple[str, str]:
    return (COMMERCIAL if model.commercial_use else NOT_COMMERCIAL), _short(model.licence)
