"""What a tool answered -> what the flow learns of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..flow.program import ToolResult
from ..outside import Answer

LONGEST_VALUE = 500  # characters of a variable
LONGEST_TEXT = 4_000  # characters that a language model is told
_NOTHING = object()


def result_of(answer: Answer, results: Mapping[str, str]) -> ToolResult:
    """`results` are variables and their places: names and numbers with dots between, "" is all of it."""
    content = content_of(answer)
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    values = {
        name: _value(found) for name, place in results.items() if (found := at(place, content)) is not None
    }
    if not 200 <= answer.status < 300:
        reason = f"It answered {answer.status}."
        return ToolResult(ok=False, values=values, text=text[:LONGEST_TEXT], reason=reason)
    return ToolResult(ok=True, values=values, text=text[:LONGEST_TEXT])


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
    if isinstance(found, bool | int | float):
        return found
    text = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
    return text[:LONGEST_VALUE]
