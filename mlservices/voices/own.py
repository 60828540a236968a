"""Voices that models have of their own: what one sounds like that takes no description."""

from __future__ import annotations

from ..catalog import BY_ID, MODELS, Kind, Model
from ..catalog.entry import translated_when_shown as _
from .entry import Gender, Voice

_JOE = ("Joe", "en-US", Gender.MALE)
_KNOWN = {"piper-joe": _JOE, "transformers-vits-joe": _JOE}
_DEMONSTRATION = _("Plain and quick, at home on any machine: the demonstration's voice.")
_ONE_LANGUAGE = _("The one voice of a small model that knows one language and needs no GPU.")
_WITHOUT_SAMPLE = _("The voice that the model has where it is given no sample of another.")
# Models that speak in the voice of a sample, and in one of their own where they are given none.
_SAMPLED = ("chatterbox", "styletts2")


def _own(model: Model) -> Voice:
    name, language, gender = _KNOWN.get(model.id, (_plain(model.name), model.languages[0], Gender.UNKNOWN))
    return Voice(model.id, name, language, gender, _DEMONSTRATION if gender else _ONE_LANGUAGE, "", model.id)


def _plain(name: str) -> str:
    """Without the remark on what it is built of."""
    return name.partition(" (")[0]


OWN: tuple[Voice, ...] = (
    *(
        _own(model)
        for model in MODELS
        if model.kind is Kind.TTS and len(model.languages) == 1 and not model.cloning
    ),
    *(Voice(id, _plain(BY_ID[id].name), "en", Gender.UNKNOWN, _WITHOUT_SAMPLE, "", id) for id in _SAMPLED),
)
