"""Which time of the day is meant: "half past two", "noon", "3:30 pm", "fourteen thirty"."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

Part = Literal["", "am", "pm", "night"]


@dataclass(frozen=True, slots=True)
class Clock:
    """`hour` is 0 to 23 once `settled`, else 1 to 12; None if only a part of the day was told."""

    hour: int | None = None
    minute: int = 0
    settled: bool = False
    part: Part = ""


_H = r"(?P<hour>\d\d?)(?: o'clock)?"
_M = r"(?P<minute>\d\d?)(?: minutes?)?"
_PAST, _TO = r"(?:past|after)", r"(?:to|before|till|til|of)"
# Tried in order, each with the minutes that it adds to the hour.
_PATTERNS = tuple(
    (re.compile(rf"(?<![\w:./-]){pattern}(?![\w:/-]|\.\d)", re.ASCII), minutes)
    for pattern, minutes in (
        (rf"half (?:past )?{_H}", 30),
        (rf"(?:a )?quarter {_PAST} {_H}", 15),
        (rf"(?:a )?quarter {_TO} {_H}", -15),
        (rf"{_M} {_PAST} {_H}", 1),
        (rf"{_M} {_TO} {_H}", -1),
        (r"(?P<hour>\d\d?)[:.](?P<minute>\d\d)", 1),
        (r"(?P<hour>\d\d?) (?P<minute>[0-5]\d)", 1),
        (r"(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d)", 1),
        (r"(?P<hour>\d\d?) hundred(?: hours)?", 0),
        (rf"(?:at |around |about |by )?{_H}(?! (?:and|of|day|week|month|year|people))", 0),
    )
)
_PARTS: tuple[tuple[re.Pattern[str], Part], ...] = (
    (re.compile(r"\bat night\b"), "night"),
    (re.compile(r"\b(?:am|mornings?)\b"), "am"),
    (re.compile(r"\b(?:pm|afternoons?|evenings?)\b"), "pm"),
    (re.compile(r"\b(?:nights?|tonight)\b"), "night"),
)
_NOON = re.compile(r"\b(?:(?:at )?12(?: o'clock)? )?(?:noon|midday)\b")
_BEFORE_NOON = re.compile(r"(?<=to |re |ll |of )(?:noon|midday)\b")  # "five to noon"
_MIDNIGHT = re.compile(r"\b(?:(?:at )?12(?: o'clock)? )?midnight\b")


def part_of_day(text: str) -> Part:
    return next((part for pattern, part in _PARTS if pattern.search(text)), "")


def find_clock(text: str) -> Clock | None:
    """The time that words in plain form name; None if they name none, or one that no clock shows."""
    text = _BEFORE_NOON.sub("12 in the morning", text)
    text = _MIDNIGHT.sub("12 at night", _NOON.sub("12 pm", text))
    part = part_of_day(text)
    for pattern, minutes in _PATTERNS:
        if match := pattern.search(text):
            clock = _clock(match, minutes, part)
            return halved(clock) if clock else None
    return Clock(part=part) if part else None


def _clock(match: re.Match[str], minutes: int, part: Part) -> Clock | None:
    hour = int(match["hour"])
    if "minute" in match.re.groupindex:
        minutes *= int(match["minute"])
    if hour > 23 or abs(minutes) > 59:
        return None
    as_on_24_hours = match["hour"].startswith("0") or "hundred" in match[0]  # "08:30"
    on_24_hours = hour == 0 or hour > 12 or (as_on_24_hours and not part)
    if minutes < 0:
        hour, minutes = (hour - 1) % 24 if on_24_hours else (hour - 2) % 12 + 1, minutes + 60
    return Clock(hour, minutes, settled=on_24_hours, part=part)


def halved(clock: Clock) -> Clock:
    """The clock on 24 hours, where the part of the day tells which half is meant."""
    if clock.hour is None or clock.settled or not clock.part:
        return clock
    late = clock.part == "pm" or (clock.part == "night" and 5 <= clock.hour < 12)
    return replace(clock, hour=clock.hour % 12 + (12 if late else 0), settled=True)
