"""A caller's name, said or spelled, and put right."""

from __future__ import annotations

import re

from ..corrections import Told, change_of_name
from ..hearing import Verdict, spoken_name
from . import phrases
from .courtesies import bare
from .kinds import Reading, Refusal, Value
from .spelling import Word, is_alike, spelled_together

_LAST_NAME = re.compile(
    r"[\s,.]*(?:\band\b )?(?:\b(?:my|the) )?\b(?:last|family|sur) ?name(?:'s| is)?\b[\s,:]*", re.I
)
_FIRST_NAME = re.compile(r"^.*?\b(?:first|given) name(?:'s| is)?\b[\s,:]*", re.I)
_LONGEST = 3  # words of a name that is believed without having been introduced


def read_name(words: str) -> Reading:
    words = _FIRST_NAME.sub("my name is ", words)
    first, *last = _LAST_NAME.split(words, maxsplit=1)
    told = spelled_together(re.sub(r"\b(?:space|new word)\b", " | ", " | ".join([first, *last])))
    letters = [word.text for word in told if word.spelled]
    heard = spoken_name(_joined(told))
    if heard is None and letters:
        heard = spoken_name(_joined([word for word in told if word.spelled]))
    if heard is None:
        heard = spoken_name(bare(words))
    if heard is None:
        return Refusal("not_understood", phrases.NOT_UNDERSTOOD)
    sure = heard.introduced or bool(letters) or len(heard.name.split()) <= _LONGEST
    return Value(heard.name, _spoken(heard.name, letters), sure=sure)


def corrected_name(name: str, words: str, verdict: Verdict | None, *, asked: bool) -> Value | None:
    """Another name in words that answer "is that right?"; a word that is spelled takes the place of the one
    that it may be."""
    told = spelled_together(words)
    if letters := [word.text for word in told if word.spelled]:
        parts = name.split()
        for spelled in letters:
            alike = [at for at, part in enumerate(parts) if is_alike(part, spelled)]
            if not alike:
                reading = read_name(words)
                return reading if isinstance(reading, Value) else None
            parts[alike[-1]] = spelled.capitalize()
        right = " ".join(parts)
        return Value(right, _spoken(right, letters))
    change = change_of_name(words, verdict, Told(name, "", ""), asked=asked)
    return Value(change.value, change.value) if change and change.value else None


def _joined(told: list[Word]) -> str:
    return " ".join(word.text.capitalize() if word.spelled else word.text for word in told)


def _spoken(name: str, letters: list[str]) -> str:
    """ "Smythe, spelled S M Y T H E"."""
    spelled = ", ".join(" ".join(word.upper()) for word in letters)
    return f"{name}, spelled {spelled}" if spelled else name
