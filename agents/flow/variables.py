"""Placeholders like {{caller_number}} in what an agent says and is told: found, and filled in.

Plain substitution in one pass, no template language: what is put in is never read again, so that neither
a constant nor a caller's data can bring in a placeholder of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

import phonenumbers

from .wording import clock

# Known to every agent; a constant cannot take one of these names.
BUILT_IN = ("caller_number", "agent_name", "date", "time", "weekday")
UNKNOWN_CALLER = "an unknown number"

_PLACEHOLDER = re.compile(r"\{\{([^{}]*)\}\}")
_NUMBER = re.compile(r"\+?\d{3,15}", re.ASCII)


def placeholders(text: str) -> list[str]:
    """The names in it, each once, in order; what stands in the braces whatever it is."""
    return list(dict.fromkeys(name.strip() for name in _PLACEHOLDER.findall(text)))


def unknown(text: str, known: Iterable[str]) -> list[str]:
    return [name for name in placeholders(text) if name not in set(known)]


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with the values in place; a placeholder without one is left out."""
    return _PLACEHOLDER.sub(lambda match: values.get(match[1].strip(), ""), text)


def built_in(*, caller: str, agent_name: str, now: datetime) -> dict[str, str]:
    """The values of one call. `now` is on the clock that the agent lives by."""
    return {
        "caller_number": shown_number(caller),
        "agent_name": agent_name,
        "date": f"{now.day} {now:%B %Y}",
        "time": clock(now.time()),
        "weekday": f"{now:%A}",
    }


def shown_number(caller: str) -> str:
    """A caller's telephone number; anything else that a line may tell, a name or a SIP address, is a
    stranger's words and is not repeated."""
    if not _NUMBER.fullmatch(caller):
        return UNKNOWN_CALLER
    try:
        parsed = phonenumbers.parse(caller)
    except phonenumbers.NumberParseException:
        return caller
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
