"""One of several things: by its name, other words for it, its place or its key."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mlservices.text import number_words, ordinal_words

from ..hearing import gist, plain
from . import phrases
from .courtesies import bare
from .kinds import Option, Reading, Refusal, Slot, Value

_EMPTY_WORDS = "a an the one of for in on to i my me it that this and or please with is"
_EMPTY = frozenset(_EMPTY_WORDS.split())
_NOT = re.compile(r"\b(?:not|no|don't want|never|without) (?:the |a |an )?")


def read_choice(slot: Slot, words: str) -> Reading:
    said = list(dict.fromkeys((plain(words), gist(words), gist(bare(words)))))
    exactly = [
        option for option in slot.options if not {plain(name) for name in _names(option)}.isdisjoint(said)
    ]
    if len(exactly) == 1:
        return _value(exactly[0])
    if option := _by_place(slot.options, said):
        return _value(option)
    found = _named(slot.options, said[0])
    if len(found) == 1:
        return _value(found[0])
    if found:
        return Refusal("which_one", phrases.which_one([option.label for option in found]))
    alike = _by_words(slot.options, said[0])
    if len(alike) == 1:
        return _value(alike[0], sure=False)
    if 1 < len(alike) < len(slot.options):
        return Refusal("which_one", phrases.which_one([option.label for option in alike]))
    return Refusal("not_understood", phrases.one_of([option.label for option in slot.options]))


def choice_of_key(slot: Slot, keys: str) -> Reading:
    for place, option in enumerate(slot.options, 1):
        if (option.key or str(place)) == keys:
            return _value(option)
    return Refusal("not_understood", phrases.one_of([option.label for option in slot.options]))


def _value(option: Option, *, sure: bool = True) -> Value:
    return Value(option.value, option.label, sure=sure)


def _names(option: Option) -> tuple[str, ...]:
    return (option.label, option.value, *option.phrases)


def _by_place(options: Sequence[Option], said: Sequence[str]) -> Option | None:
    """ "The second one", "number two", "the last"; a key where keys are told apart from places."""
    for text in said:
        text = re.sub(r"^(?:i(?:'d like| want|'ll take|'ll have) )?(?:the )?", "", text)
        text = re.sub(r" (?:one|option|choice)$", "", text)
        if text == "last" and options:
            return options[-1]
        number = re.sub(r"^(?:number|option|choice|press|key) ", "", text)
        for place, option in enumerate(options, 1):
            key = option.key or str(place)
            if number == key or (key.isdigit() and len(key) < 4 and number == number_words(int(key))):
                return option
            if text in (ordinal_words(place), f"{place}st", f"{place}nd", f"{place}rd", f"{place}th"):
                return option
    return None


def _named(options: Sequence[Option], text: str) -> list[Option]:
    """The options with a name in the words that is not denied; of one name within another, the longer."""
    spans = []
    for option in options:
        for name in filter(None, map(plain, _names(option))):
            for match in re.finditer(rf"(?<![\w']){re.escape(name)}(?:s|es)?(?![\w'])", text):
                denied = any(
                    before.end() == match.start() for before in _NOT.finditer(text, 0, match.start())
                )
                spans.append((match.start(), match.end(), denied, option))
    found: list[Option] = []
    for start, end, denied, option in spans:
        within = any(a <= start and end <= b and (a, b) != (start, end) for a, b, _, _ in spans)
        if not within and not denied and option not in found:
            found.append(option)
    return found


def _by_words(options: Sequence[Option], text: str) -> list[Option]:
    """The options with which the words have most in common."""
    words = set(text.split()) - _EMPTY
    if _NOT.search(text):
        return []
    shared = [
        max(len(words & (set(plain(name).split()) - _EMPTY)) for name in _names(option)) for option in options
    ]
    most = max(shared, default=0)
    return [option for option, count in zip(options, shared, strict=True) if count == most > 0]
