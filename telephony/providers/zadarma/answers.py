"""What can be answered when Zadarma asks what to do with a call: to NOTIFY_START and NOTIFY_IVR, as JSON.

An empty answer leaves the call to the scenario that is set at Zadarma.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

Answer = dict[str, Any]

AS_SET_THERE: Answer = {}
LANGUAGES = ("en", "es", "pl", "ru", "ua", "fr", "de")
_TARGET = re.compile(r"[0-9]{1,2}-([0-9]{1,2}|main)|[0-9]{1,3}|blacklist")
_NUMBER = re.compile(r"\+?[0-9]{5,15}")
_SHORTEST_RETURN_SECONDS = 3


@dataclass(frozen=True, slots=True)
class Keys:
    """Wait for keys; NOTIFY_IVR then bears `name`. `otherwise` is where to go if none is pressed."""

    name: str
    most: int = 1
    timeout_seconds: int = 7
    attempts: int = 1
    otherwise: str = "hangup"

    def as_json(self) -> Answer:
        if self.otherwise != "hangup":
            _check(_TARGET, self.otherwise, "otherwise")
        return {
            "timeout": self.timeout_seconds,
            "attempts": self.attempts,
            "maxdigits": self.most,
            "name": self.name,
            "default": self.otherwise,
        }


def redirect(to: str, *, return_seconds: int | None = None, number: str = "") -> Answer:
    """`to` an extension ("100"), a scenario ("0-1"), a menu ("0-main") or the "blacklist", which sounds busy.

    After `return_seconds` without an answer the call returns to the menu; 0: it does not. `number` is rung in
    place of the one to which that extension is forwarded. Raises ValueError, which names the field.
    """
    answer: Answer = {"redirect": _check(_TARGET, to, "to")}
    if return_seconds is not None:
        if return_seconds and return_seconds < _SHORTEST_RETURN_SECONDS:
            raise ValueError("return_seconds: 0, or 3 and more.")
        answer["return_timeout"] = return_seconds
    if number:
        answer["rewrite_forward_number"] = _check(_NUMBER, number, "number")
    return answer


def hang_up() -> Answer:
    return {"hangup": 1}


def name_caller(name: str) -> Answer:
    """Shown on the telephones that ring."""
    return {"caller_name": name}


def play(file: str, keys: Keys | None = None) -> Answer:
    """A file that was uploaded to the PBX, by its id."""
    return {"ivr_play": file, **_waiting(keys)}


def say_phrase(number: int, *, language: str = "en", keys: Keys | None = None) -> Answer:
    """One of Zadarma's own phrases, by its number in Zadarma's list, counted from 1."""
    return {"ivr_saypopular": number, **_spoken(language), **_waiting(keys)}


def _waiting(keys: Keys | None) -> Answer:
    return {"wait_dtmf": keys.as_json()} if keys else {}


def _spoken(language: str) -> Answer:
    if language not in LANGUAGES:
        raise ValueError(f"language: one of {', '.join(LANGUAGES)}.")
    return {"language": language}


def _check(form: re.Pattern[str], text: str, field: str) -> str:
    if not form.fullmatch(text):
        raise ValueError(f"{field}: {text!r} is not what Zadarma takes there.")
    return text
