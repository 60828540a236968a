"""What a tool answered -> what the flow learns of it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from mlservices.whole_numbers import whole_number

from ..flow.program import LONGEST_TEXT, ToolResult
from ..outside import Answer

LONGEST_VALUE = 500  # characters of a variable
HIDDEN = "••••••"
# Of a secret, or a word of it as the key in "Bearer sk-…": a shorter one is none, and would hide every date.
_SHORTEST = 6
_NOTHING = object()
_UNKEPT = re.compile("[\x00\ud800-\udfff]")  # signs that no database takes


def result_of(answer: Answer, results: Mapping[str, str]) -> ToolResult:
    """`results` are variables and their places: names and numbers with dots between, "" is all of it."""
    reason = "" if 200 <= answer.status < 300 else f"It answered {answer.status}."
    return learned(content_of(answer), results, reason=reason)


def learned(content: Any, results: Mapping[str, str], *, reason: str = "") -> ToolResult:
    """Of what was answered, a text or what JSON holds. `reason`: why it failed."""
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    values = {
        name: _value(found) for name, place in results.items() if (found := at(place, content)) is not None
    }
    return ToolResult(ok=not reason, values=values, text=text[:LONGEST_TEXT], reason=reason)


def content_of(answer: Answer) -> Any:
    """JSON where it is some, whatever it is said to be; else its text. Nothing that cannot be stored."""
    return content_in(answer.text)


def content_in(text: str) -> Any:
    """The same of a text."""
    try:
        content = cleaned(json.loads(text))
        json.dumps(content)
    except (ValueError, RecursionError):
        return cleaned(text)
    return content


def without(secrets: Mapping[str, str], answer: Answer) -> Answer:
    """A server that repeats what it was sent tells nobody a secret."""
    headers = {name: hiding(secrets, value) for name, value in answer.headers.items()}
    content = content_of(answer)
    masked = hiding(secrets, content)
    if masked == content:
        return replace(answer, headers=headers)
    text = masked if isinstance(masked, str) else json.dumps(masked, ensure_ascii=False)
    return replace(answer, headers=headers, body=text.encode(answer.charset, errors="replace"))


def hiding(secrets: Mapping[str, str], content: Any) -> Any:
    """What was read, without the secrets and the longer words of them."""
    parts = {part for secret in secrets.values() for part in (secret, *secret.split())}
    words = sorted((part for part in parts if len(part) >= _SHORTEST), key=len, reverse=True)
    return _masked(content, words)


def _masked(part: Any, words: Iterable[str]) -> Any:
    match part:
        case str():
            for word in words:
                part = part.replace(word, HIDDEN)
            return part
        case dict():
            return {_masked(key, words): _masked(each, words) for key, each in part.items()}
        case list():
            return [_masked(each, words) for each in part]
        case bool():
            return part
        case int() | float() if any(word in str(part) for word in words):
            return HIDDEN
    return part


def cleaned(part: Any) -> Any:
    """Without what JSON has no word for, and signs that no database takes."""
    match part:
        case float() if not math.isfinite(part):
            return None
        case str():
            return _UNKEPT.sub("\ufffd", part)
        case dict():
            return {cleaned(key): cleaned(each) for key, each in part.items()}
        case list():
            return [cleaned(each) for each in part]
    return part


def at(place: str, content: Any) -> Any:
    """The value at `place`, as `items.0.name`; None where there is none."""
    for step in place.split(".") if place else ():
        if isinstance(content, Mapping):
            content = content.get(step, _NOTHING)
        elif isinstance(content, list) and (index := whole_number(step)) is not None and index < len(content):
            content = content[index]
        else:
            return None
        if content is _NOTHING:
            return None
    return content


def _value(found: Any) -> Any:
    """A variable is a text, a number, or yes or no."""
    if isinstance(found, bool | int | float):
        return found
    text = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
    return text[:LONGEST_VALUE]
