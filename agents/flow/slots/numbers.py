"""Numbers in words: "a hundred and twenty", "two point five", "twelve hundred", "1,200"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mlservices.text import digit_words, number_words

from . import phrases
from .kinds import Reading, Refusal, Slot, Value

# fmt: off
UNITS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9,
}
_TEENS = {
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19,
}
TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fourty": 40, "fifty": 50, "sixty": 60, "seventy": 70,
    "eighty": 80, "ninety": 90,
}
# fmt: on
SMALL = {**UNITS, **_TEENS}
_SCALES = {"thousand": 1000, "million": 1_000_000, "billion": 1_000_000_000}
_LARGEST = 10.0**12
_FIGURES = re.compile(r"\d{1,15}(?:\.\d{1,6})?", re.ASCII)
_TOKEN = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|\d+(?:\.\d+)?|[a-z']+|-(?=\d)", re.ASCII)
_NEGATIVE = ("minus", "negative", "-")
# What was said before a number that takes its place: "five, no, six".
_CORRECTED = re.compile(r"^.*\b(?:no|sorry|i mean|rather|make (?:it|that)|correction)\b(?=.*[\w])", re.S)
_NONE = re.compile(r"^(?:none|nil|zilch|nobody|nothing)\b")


def spoken_number(value: float) -> str:
    """120 -> "one hundred twenty", 2.5 -> "two point five"."""
    if value == int(value):
        return number_words(int(value))
    whole, _, decimals = f"{abs(value):.6f}".rstrip("0").partition(".")
    sign = "minus " if value < 0 else ""
    return f"{sign}{number_words(int(whole))} point {digit_words(decimals)}"


def read_number(slot: Slot, words: str) -> Reading:
    tokens = _tokens(_CORRECTED.sub("", words.lower()))
    found = _all_numbers(tokens)
    if not found and _NONE.match(" ".join(tokens)):
        return _within(slot, 0.0, sure=False)
    if len(found) > 1 and all((len(token) == 1 and token.isdigit()) or token in UNITS for token in tokens):
        return _within(slot, float("".join(str(int(number)) for number in found)), sure=False)
    if not found:
        return Refusal("not_understood", phrases.NOT_UNDERSTOOD)
    if len(set(found)) > 1:
        return Refusal("which_one", phrases.TWO_NUMBERS)
    return _within(slot, found[0], sure=True)


def number_of_keys(slot: Slot, figures: str) -> Reading:
    return _within(slot, float(figures), sure=True)


def _within(slot: Slot, number: float, *, sure: bool) -> Reading:
    least, most = slot.minimum, slot.maximum
    if abs(number) >= _LARGEST:
        return Refusal("not_understood", phrases.NOT_UNDERSTOOD)
    too_small, too_large = least is not None and number < least, most is not None and number > most
    if too_small or too_large:
        if least is not None and most is not None:
            hint = phrases.between(spoken_number(least), spoken_number(most))
        elif least is not None:
            hint = phrases.too_small(spoken_number(least))
        else:
            hint = phrases.too_large(spoken_number(most or 0.0))
        return Refusal("too_small" if too_small else "too_large", hint)
    value = int(number) if number == int(number) else number
    return Value(value, spoken_number(number), sure=sure)


def _tokens(words: str) -> list[str]:
    text = re.sub(r"(?<=[a-z])-(?=[a-z])", " ", words.lower().replace("\u2019", "'"))
    return [token.replace(",", "") for token in _TOKEN.findall(text)]


def _all_numbers(tokens: Sequence[str]) -> list[float]:
    """Every number in the words, in order."""
    found: list[float] = []
    at = 0
    while at < len(tokens):
        negative = tokens[at] in _NEGATIVE
        start = at + 1 if negative else at
        read = _number_at(tokens, start)
        if read is None:
            at += 1
            continue
        number, at = read
        found.append(-number if negative else number)
    return found


def _number_at(tokens: Sequence[str], at: int) -> tuple[float, int] | None:
    """The number that begins at a token, and where it ends; with decimals and halves."""
    if _at(tokens, at) == "half" and _at(tokens, at + 1) in ("a", "an"):
        scale = _SCALES.get(_at(tokens, at + 2))
        return (scale / 2, at + 3) if scale else (0.5, at + 2)
    if _at(tokens, at) == "a" and _at(tokens, at + 1) in ("dozen", "couple"):
        return (12.0 if tokens[at + 1] == "dozen" else 2.0), at + 2
    read = _whole_at(tokens, at)
    if read is None:
        return None
    number, at = read
    if _at(tokens, at) == "dozen":
        return number * 12, at + 1
    if tuple(tokens[at : at + 3]) == ("and", "a", "half"):
        return number + 0.5, at + 3
    if _at(tokens, at) == "point":
        decimals = ""
        at += 1
        while _at(tokens, at) in UNITS or _at(tokens, at).isdigit():
            decimals += str(UNITS.get(tokens[at], tokens[at]))
            at += 1
        number = float(f"{int(number)}.{decimals[:6] or 0}")
    if scale := _SCALES.get(_at(tokens, at)):  # "two point five million"
        return number * scale, at + 1
    return number, at


def _whole_at(tokens: Sequence[str], at: int) -> tuple[float, int] | None:
    total, largest = 0.0, float("inf")
    read = _hundreds_at(tokens, at)
    if read is None:
        return None
    while read is not None:
        number, at = read
        scale = _SCALES.get(_at(tokens, at))
        if scale is None or scale >= largest:
            return total + number, at
        total += number * scale
        largest = scale
        at += 1
        following = at + 1 if _at(tokens, at) == "and" else at
        read = _hundreds_at(tokens, following)
        if read is not None and read[0] >= scale:
            read = None
    return total, at


def _hundreds_at(tokens: Sequence[str], at: int) -> tuple[float, int] | None:
    if _at(tokens, at) == "a" and _at(tokens, at + 1) in ("hundred", *_SCALES):
        number: float = 1
        at += 1
    else:
        small = below_hundred(tokens, at) or _figures_at(tokens, at)
        if small is None:
            return None
        number, at = small
    if _at(tokens, at) == "hundred":
        number *= 100
        at += 1
        following = at + 1 if _at(tokens, at) == "and" else at
        rest = below_hundred(tokens, following) or _figures_at(tokens, following)
        if rest is not None and rest[0] < 100:
            number, at = number + rest[0], rest[1]
    return number, at


def below_hundred(tokens: Sequence[str], at: int) -> tuple[int, int] | None:
    """A number in words, from zero to ninety nine, and where it ends."""
    token = _at(tokens, at)
    if token in TENS:
        unit = UNITS.get(_at(tokens, at + 1), 0)
        return TENS[token] + unit, at + (2 if unit else 1)
    return (SMALL[token], at + 1) if token in SMALL else None


def _figures_at(tokens: Sequence[str], at: int) -> tuple[float, int] | None:
    token = _at(tokens, at)
    return (float(token), at + 1) if _FIGURES.fullmatch(token) else None


def _at(tokens: Sequence[str], at: int) -> str:
    return tokens[at] if at < len(tokens) else ""
