"""What a tool answered -> what the flow learns of it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from ..flow.program import ToolResult
from ..outside import Answer
from ..texts import storable

LONGEST_VALUE = 500  # characters of a variable
LONGEST_TEXT = 4_000  # characters that a language model is told
_NOTHING = object()


def result_of(answer: Answer, results: Mapping[str, str]) -> ToolResult:
    """`results` are variables and their places: names and numbers with dots between, "" is all of it."""
    reason = "" if 200 <= answer.status < 300 else f"It answered {answer.status}."
    return learned(content_of(answer), results, reason=reason)


def learned(content: Any, results: Mapping[str, str], *, reason: str = "") -> ToolResult:
    """Of what was answered, a text or what JSON holds. `reason`: why it failed."""
    values = {
        name: _value(found) for name, place in results.items() if (found := at(place, content)) is not None
    }
    return ToolResult(ok=not reason, values=values, text=_text(content)[:LONGEST_TEXT], reason=reason)


def content_of(answer: Answer) -> Any:
    """JSON where it is some, whatever it is said to be; else its text."""
    try:
        return json.loads(answer.text)
    except (ValueError, RecursionError):
        return answer.text


def at(place: str, content: Any) -> Any:
    """The value at `place`, as `items.0.name`; None where there is none."""
    for step in place.split(".") if place else ():
        if isinstance(content, Mapping):
            content = content.get(step, _NOTHING)
        elif isinstance(content, list) and step.isdecimal() and int(step) < len(content):
            content = content[int(step)]
        else:
            return None
        if content is _NOTHING:
            return None
    return content


def _value(found: Any) -> Any:
    """A variable is a text, a number, or yes or no."""
    if isinstance(found, bool | int) or (isinstance(found, float) and math.isfinite(found)):
        return found
    return _text(found)[:LONGEST_VALUE]


def _text(content: Any) -> str:
    return storable(content if isinstance(content, str) else json.dumps(content, ensure_ascii=False))
