"""Words about days and times in one plain form, in which figures stand for all numbers.

"half past two" becomes "half past 2", "June second nineteen eighty-five" "june 2th 19 85", "3:30 p.m."
"3:30 pm": what is left is read by patterns (`days.py`, `clocks.py`).
"""

from __future__ import annotations

import re

from mlservices.text import MONTHS, ordinal_words

from .numbers import SMALL, TENS, UNITS, below_hundred

MONTH_NAMES = tuple(name.lower() for name in MONTHS)
_SHORT_MONTHS = {name[:3]: name for name in MONTH_NAMES} | {"sept": "september"}
_SHORT_DAYS = {
    "mon": "monday", "tue": "tuesday", "tues": "tuesday", "wed": "wednesday", "weds": "wednesday",
    "thu": "thursday", "thur": "thursday", "thurs": "thursday", "fri": "friday", "sat": "saturday",
    "sun": "sunday",
}  # fmt: skip
_ORDINALS = {ordinal_words(day): day for day in range(1, 32)}
_TOKEN = re.compile(r"\d+(?:[:./-]\d+)*|[a-z]+(?:'[a-z]+)?", re.ASCII)


def in_figures(words: str) -> str:
    """The words in plain form; an ordinal is a figure with "th", whichever it is."""
    text = words.lower().replace("\u2019", "'")
    text = re.sub(r"\b([ap])\.?\s?m\b\.?", r" \1m ", re.sub(r"(?<=\d)(?=[ap]\.?m\b)", " ", text))
    text = re.sub(r"(?<=\d)(?:st|nd|rd|th)\b", "th", text)
    text = re.sub(r"(?<=[a-z])-(?=[a-z])", " ", text)
    tokens = re.findall(r"\d+th\b|" + _TOKEN.pattern, text, re.ASCII)
    tokens = [_SHORT_MONTHS.get(token, _SHORT_DAYS.get(token, token)) for token in tokens]
    out: list[str] = []
    at = 0
    while at < len(tokens):
        figure, at = _next(tokens, at)
        out.append(figure)
    return " ".join(out)


def _next(tokens: list[str], at: int) -> tuple[str, int]:
    """The plain form of what begins at a token, and where that ends."""
    token, after = tokens[at], tokens[at + 1] if at + 1 < len(tokens) else ""
    if f"{token} {after}" in _ORDINALS:
        return f"{_ORDINALS[f'{token} {after}']}th", at + 2
    if token in TENS and re.fullmatch(r"[1-9]th", after):  # "twenty 1st"
        return f"{TENS[token] + int(after[0])}th", at + 2
    if token in _ORDINALS:
        return f"{_ORDINALS[token]}th", at + 1
    if token in ("oh", "o", "zero") and after in UNITS:
        return f"0{UNITS[after]}", at + 2
    if token in ("two", "2") and after == "thousand":
        following = at + 3 if tokens[at + 2 : at + 3] == ["and"] else at + 2
        rest = below_hundred(tokens, following)
        return (str(2000 + rest[0]), rest[1]) if rest else ("2000", at + 2)
    if token in SMALL or token in TENS:
        number = below_hundred(tokens, at)
        assert number
        return str(number[0]), number[1]
    return token, at + 1
