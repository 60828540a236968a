"""Opening hours as people write them into a form, a line for a day or for several:

    Monday to Thursday: 08:00-12:00, 13:00-18:00
    Fri 8 am - 4 pm
    Saturday: 22:00-02:00
    closed: 2026-12-25, 2026-12-26

22:00-02:00 closes on the next day; 24:00 is a day's end. A day without a line is closed. `agents.facts` says
what they are stored as.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import Any

from .flow.knowledge import WEEKDAYS

_DAY = "|".join(f"{name[:3]}[a-z]*" for name in WEEKDAYS)
_LINE = re.compile(rf"(?P<days>(?:{_DAY}|[\s,&]|-|–|\bto\b|\band\b)+?)\s*:?\s*(?P<rest>\d.*|closed)", re.I)
_CLOSED = re.compile(r"closed(?: on)?\s*:?\s*(?P<dates>\d.*)", re.I)
_RANGE = re.compile(rf"({_DAY})\s*(?:-|–|to)\s*({_DAY})", re.I)
_TIME = r"(\d{1,2})(?:[:.](\d\d))?\s*([ap])?\.?(?:m\.?)?"
_SPAN = re.compile(rf"{_TIME}\s*(?:-|–|to)\s*{_TIME}", re.I)


def read_hours(text: str) -> dict[str, Any]:
    """{"week": ..., "closed_on": ...} as stored. Raises ValueError with the line that cannot be read."""
    week: dict[str, list[list[str]]] = {}
    closed_on: list[str] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        if closed := _CLOSED.fullmatch(line):
            closed_on += re.split(r"[\s,;]+", closed["dates"].strip(" ,;"))
        elif match := _LINE.fullmatch(line):
            spans = _spans(match["rest"])
            if spans is None:
                raise ValueError(line)
            for day in _days(match["days"]):
                week[day] = [*week.get(day, []), *spans]
        else:
            raise ValueError(line)
    return {"week": week, "closed_on": closed_on}


def write_hours(hours: dict[str, Any]) -> str:
    """The reverse, days with the same hours on one line."""
    lines = []
    days = [(name, hours["week"].get(name, [])) for name in WEEKDAYS]
    for spans, run in groupby(days, key=lambda day: day[1]):
        names = [name.capitalize() for name, _ in run]
        if spans:
            several = f"{names[0]} to {names[-1]}" if len(names) > 1 else names[0]
            lines.append(f"{several}: " + ", ".join(f"{opens}-{closes}" for opens, closes in spans))
    if hours.get("closed_on"):
        lines.append(f"closed: {', '.join(hours['closed_on'])}")
    return "\n".join(lines)


def _days(text: str) -> list[str]:
    """ "Mon to Wed and Sat" as names of days."""
    found = []
    for first, last in _RANGE.findall(text):
        start, end = _number(first), _number(last)
        found += [WEEKDAYS[number % 7] for number in range(start, end + 1 if end >= start else end + 8)]
    singles = _RANGE.sub(" ", text)
    return found + [WEEKDAYS[_number(name)] for name in re.findall(_DAY, singles, re.I)]


def _number(name: str) -> int:
    return next(number for number, day in enumerate(WEEKDAYS) if day[:3] == name[:3].lower())


def _spans(text: str) -> list[list[str]] | None:
    """None if there is more in the text than times of day."""
    if text.lower() == "closed":
        return []
    spans = []
    for part in re.split(r"\s*(?:,|;|\band\b)\s*", text.strip(" ,;")):
        match = _SPAN.fullmatch(part)
        if match is None:
            return None
        opens, closes = _time(*match.groups()[:3]), _time(*match.groups()[3:])
        spans.append([opens, "24:00" if closes == "00:00" else closes])
    return spans


def _time(hour: str, minute: str | None, half: str | None) -> str:
    number = int(hour)
    if half:
        number = number % 12 + (12 if half.lower() == "p" else 0)
    return f"{number:02}:{minute or '00'}"
