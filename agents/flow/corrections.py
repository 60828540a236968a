"""What a caller puts right in a message that was read back: "not Tuesday, Wednesday".

A word that can be found is replaced; whatever else is said is kept behind the words that it corrects, so
that whoever reads them loses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from .hearing import Verdict, dictated_digits, is_courtesy, plain, spoken_digits, spoken_name

MOST_WORDS = 6  # that are put in place of others
# Tried between what is wrong and what is right, with "no, it's" before the latter.
MOST_SPLITS = 2 * MOST_WORDS
SHORTEST_NUMBER = 7
ALIKE = 0.5  # from this share of letters on (0..1) a name may be the other one misheard

Part = Literal["name", "number", "words"]

_OBJECTS = re.compile(
    r"\b(?:but|except|only|however|although|instead|rather|not|\w+n't|wrong|incorrect|should be|change|add"
    r"|also)\b|^and\b"
)
_CORRECTS = re.compile(
    r"^(?:(?:no|well|oh|sorry|please|but|and|can you|could you)\s+)*"
    r"(?:actually|i (?:said|meant|mean)|correction|make (?:it|that)|change|add|also|tell|rather|instead"
    r"|(?:it|that|this) should)\b"
)
_ANEW = re.compile(
    r"\b(?:start (?:again|over)|again from the (?:start|beginning)|from scratch|everything|all of it"
    r"|the whole (?:thing|message))\b"
)
_IS_WRONG = re.compile(
    r"(?:(?:no|nope|oh|sorry|but) )*(?:(?:you|you've|you have) (?:got|have|took|heard|misheard) )?"
    r"(?:the|my) (name|number|message)(?:'s| is| was)?"
    r"(?: (?:all )?(?:wrong|incorrect|misspelled|not (?:right|correct)))?"
)
_NOTHING = re.compile(
    r"(?:(?:no|oh) )*(?:nothing|never ?mind|(?:it's|it is|that's|that is) (?:fine|right|okay|good))\b"
)
_EXCHANGES = (  # of what is wrong for what is right
    re.compile(r"\b(?:change|replace|swap) (?P<wrong>.{1,100}?) (?:to|with|for|into|by) (?P<right>.+)", re.I),
    re.compile(r"^(?P<wrong>.+?) should (?:be|read|say) (?P<right>.+)", re.I),
    re.compile(r"^(?P<right>.+?) (?:instead of|rather than|(?:and )?not) (?P<wrong>.+)", re.I),
)
_KIND_OF_NUMBER = re.compile(r"([a-z']+) number\b")
_TO_CALL_BACK_ON = (
    "my the a this that our his her their phone telephone mobile cell home work office back callback right "
    "correct new other another different no yes but and is"
)
_KINDS_TO_CALL_BACK = frozenset(_TO_CALL_BACK_ON.split())
_CALLS_BACK = re.compile(
    r"\b(?:number|(?:tele)?phone|mobile|cell(?:phone)?|call ?back"
    r"|(?:call|ring|reach|text) (?:(?:me|us|him|her|them)\b|back|on|at))\b"
)
_AROUND_DIGITS = (
    "double triple treble hundred thousand and plus to too for please it's it is on at actually sorry oh "
    "i said"
)
_BESIDE_DIGITS = frozenset(_AROUND_DIGITS.split())
_WORD = re.compile(r"\+?\w+")
_NOT = re.compile(r"\bnot (?P<rest>.+)", re.I)
_BEFORE = re.compile(
    r"^(?:(?:no|nope|yes|yeah|but|and|oh|well|sorry|actually|please|rather|it's|it is|it was|that's|that is"
    r"|i said|i meant|i mean|make it|make that|(?:it|that) should (?:be|say)|say|to)\s+)+",
    re.I,
)
_AFTER = re.compile(r"(?:\s+(?:please|thanks|thank you|though|instead))+$", re.I)


@dataclass(frozen=True, slots=True)
class Told:
    """What was read back."""

    name: str
    number: str
    words: str


@dataclass(frozen=True, slots=True)
class Change:
    """What takes the place of a part; None if that is to be asked for again."""

    part: Part
    value: str | None


def change_in(words: str, verdict: Verdict | None, told: Told, *, asked: bool) -> Change | None:
    """What words that answer "is that right?" put right; None if nothing. `verdict` is the yes or no in them
    and what else they say; `asked` if the caller was asked what is wrong."""
    digits = dictated_digits(words)
    other_number = len(digits.lstrip("+")) >= SHORTEST_NUMBER and digits != told.number
    if other_number and _is_to_call_back(words, verdict):
        return Change("number", digits)
    if change := change_of_name(words, verdict, told, asked=asked) or _to_be_told_again(words, verdict):
        return change
    rest = words if verdict is None else verdict.rest
    agrees = verdict is not None and verdict.yes and not asked and not _begins_to_correct(rest)
    if not agrees and (text := put_right(told.words, words)) is not None:
        return Change("words", text)
    if other_number or _adds(rest, verdict, asked=asked):
        return Change("words", f"{told.words.rstrip(' .')}. Correction: {rest.strip(' ,.')}")
    return None


def change_of_name(words: str, verdict: Verdict | None, told: Told, *, asked: bool = False) -> Change | None:
    """ "The name is Miller", "not Mueller, Miller"; or "no, it's Miller", which is no other name than
    Mueller misheard."""
    if (text := put_right(told.name, words)) is not None:
        name = spoken_name(text)
        return Change("name", name.name if name else text)
    name = spoken_name(words)
    if name is None or name.name == told.name or all(map(spoken_digits, name.name.split())):
        return None
    says_name = not {"name", "name's"}.isdisjoint(plain(words).split())
    denies = asked or (verdict is not None and not verdict.yes)
    alike = SequenceMatcher(None, name.name.lower(), told.name.lower()).ratio() >= ALIKE
    return Change("name", name.name) if (says_name and name.introduced) or (denies and alike) else None


def names_another_number(words: str) -> bool:
    """Whether the number in the words is none to call back on: "my account number is ..."."""
    kinds = _KIND_OF_NUMBER.findall(plain(words))
    return bool(kinds) and _KINDS_TO_CALL_BACK.isdisjoint(kinds)


def _is_to_call_back(words: str, verdict: Verdict | None) -> bool:
    """Whether a number is said to be one to call back on, denies the one that was told, or stands alone."""
    if names_another_number(words):
        return False
    if (verdict and not verdict.yes) or _CALLS_BACK.search(plain(words)):
        return True
    rest = plain(verdict.rest if verdict else words).split()
    return {word for word in rest if not spoken_digits(word)} <= _BESIDE_DIGITS


def _to_be_told_again(words: str, verdict: Verdict | None) -> Change | None:
    """What is said to be wrong without saying what is right: "you got my name wrong"."""
    if verdict and verdict.yes:
        return None
    if _ANEW.search(plain(words)):
        return Change("words", None)
    match = _IS_WRONG.fullmatch(plain(words))
    parts: dict[str, Part] = {"name": "name", "number": "number", "message": "words"}
    return Change(parts[match[1]], None) if match else None


def _adds(rest: str, verdict: Verdict | None, *, asked: bool) -> bool:
    """Whether words beside a yes or no, or instead of one, change the message."""
    if not plain(rest) or is_courtesy(rest):
        return False
    if verdict is None:
        return asked or _begins_to_correct(rest)
    return objects(rest) or _begins_to_correct(rest) if verdict.yes else True


def is_nothing(words: str) -> bool:
    """Whether nothing is to be changed after all."""
    return _NOTHING.match(plain(words)) is not None


def objects(words: str) -> bool:
    """Whether words behind a yes want something else after all: "yes, but ..."."""
    return _OBJECTS.search(plain(words)) is not None and not is_courtesy(words)


def corrects(words: str, told: Told) -> bool:
    """Whether words can be nothing but a correction: "actually ...", or with a word of what was told."""
    changed = (put_right(text, words) for text in (told.words, told.name))
    return _begins_to_correct(words) or any(text is not None for text in changed)


def _begins_to_correct(words: str) -> bool:
    """ "Actually ...", "I said ..."."""
    return _CORRECTS.match(plain(words)) is not None


def put_right(text: str, words: str) -> str | None:
    """The text with what the words call wrong replaced; None if they name nothing of it."""
    said = " ".join(re.sub(r"[^\w'+ -]+", " ", words.replace("\u2019", "'")).split())
    for wrong, right in _exchanges(said):
        found = _find(text, wrong)
        if found and 0 < len(right.split()) <= MOST_WORDS and not _find(text, right):
            return _exchanged(text, found, right)
    return None


def behind(words: str, rest: str) -> str:
    """`rest`, the plain words behind a yes or no, as they were said."""
    tokens, missing = words.split(), len(rest.split())
    start = len(tokens)
    while start and missing > 0:
        start -= 1
        missing -= len(plain(tokens[start]).split())
    return " ".join(tokens[start:]) if missing <= 0 else rest


def _exchanges(said: str) -> Iterator[tuple[str, str]]:
    """(what is wrong, what is right), the likeliest first."""
    if negated := _NOT.search(said):
        words = negated["rest"].split()
        for count in range(len(words) - 1, max(0, len(words) - 1 - MOST_SPLITS), -1):
            yield " ".join(words[:count]), _bare(" ".join(words[count:]))
    for exchange in _EXCHANGES:
        if match := exchange.search(said):
            yield _bare(match["wrong"]), _bare(match["right"])


def _bare(words: str) -> str:
    return _AFTER.sub("", _BEFORE.sub("", words)).strip()


def _find(text: str, words: str) -> tuple[int, int] | None:
    """Where the words begin and end in the text, whatever stands between them."""
    wanted = [word.lower() for word in _WORD.findall(words)]
    if not wanted or is_courtesy(words):
        return None
    told = list(_WORD.finditer(text))
    spelled = [word[0].lower() for word in told]
    for first in range(len(told) - len(wanted) + 1):
        if spelled[first : first + len(wanted)] == wanted:
            return told[first].start(), told[first + len(wanted) - 1].end()
    return None


def _exchanged(text: str, found: tuple[int, int], right: str) -> str:
    """ "on" of "on Wednesday" is not said twice where the text has "on" before "Tuesday"."""
    start, end = found
    before = text[:start]
    first, _, others = right.partition(" ")
    if others and before.split()[-1:] and before.split()[-1].lower() == first.lower():
        right = others
    return before + right + text[end:]
