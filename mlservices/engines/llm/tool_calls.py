"""Tool calls in what a language model writes.

Models write a call as a JSON object with its name and its arguments, bare or between <tool_call> tags.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import Any

from ...errors import EngineError
from ...types import Tool, ToolCall

_BEGIN = re.compile(r"<tool_call>|\{")
_TAGS = re.compile(r"</?tool_call>|;")
_QUOTED = 200


def told_apart(
    pieces: Iterable[str | None], tools: Sequence[Tool], model_name: str
) -> Iterator[str | ToolCall | None]:
    """Words as they come; what may be a call is held back until it is whole. None stays None.

    EngineError for one that cannot be read, as when it was cut off: nobody wants it spoken.
    """
    held = ""
    for piece in pieces:
        if piece is None:
            yield None
            continue
        if held:
            held += piece
            yield ""
            continue
        begun = _BEGIN.search(piece) if tools else None
        yield piece[: begun.start()] if begun else piece
        held = piece[begun.start() :] if begun else ""
    if held:
        yield from _calls(held, tools, model_name)


def _calls(text: str, tools: Sequence[Tool], model_name: str) -> Iterator[str | ToolCall]:
    known = {tool.name for tool in tools}
    try:
        written = list(_objects(_TAGS.sub(" ", text)))
        calls = [
            (entry["name"], arguments)
            for entry in written
            if isinstance(arguments := entry.get("arguments", entry.get("parameters", {})), dict)
        ]
    except (ValueError, KeyError, AttributeError) as error:
        if '"name"' not in text:
            yield text  # braces in what it says
            return
        raise EngineError(
            f"{model_name} asked for a tool in a way that cannot be read: {text[:_QUOTED]}", service="llm"
        ) from error
    if unknown := next((name for name, _ in calls if name not in known), None):
        raise EngineError(
            f"{model_name} asked for a tool that it was not offered: {unknown!r}", service="llm"
        )
    for number, (name, arguments) in zip(count(1), calls, strict=False):
        yield ToolCall(f"call_{number}", name, arguments)


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects one behind the other; ValueError for anything else."""
    decoder, at = json.JSONDecoder(), 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        entry, at = decoder.raw_decode(text, at)
        yield entry
