"""Pieces of speech: how digits, times and lists are said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time

from mlservices.text import digit_words


def read_back(number: str) -> str:
    """A telephone number digit by digit, in groups of three and a last one of up to four."""
    digits = number.lstrip("+")
    groups = []
    while len(digits) > 4:
        groups.append(digits[:3])
        digits = digits[3:]
    if digits:
        groups.append(digits)
    said = ", ".join(digit_words(group) for group in groups)
    return f"plus {said}" if number.startswith("+") else said


def clock(at: time) -> str:
    """ "8 am", "12:30 pm", "noon": as people write it and `speakable` says it."""
    if (at.hour, at.minute) == (12, 0):
        return "noon"
    if (at.hour, at.minute) == (0, 0):
        return "midnight"
    half = "am" if at.hour < 12 else "pm"
    hour = at.hour % 12 or 12
    return f"{hour}:{at.minute:02} {half}" if at.minute else f"{hour} {half}"


def listed(items: Sequence[str], last: str = "and") -> str:
    """ "a", "a and b", "a, b and c"."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def shown(value: object) -> str:
    """A variable's value as it stands in a text; nothing, where it has none."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
    return str(value)
