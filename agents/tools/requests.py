"""A tool and its arguments -> the request that asks it. No network here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx

from .. import outside
from ..flow.variables import fill, placeholders
from ..flow.wording import shown
from ..models import Tool
from .arguments import BadArguments

_WITH_BODY = (Tool.Method.POST, Tool.Method.PUT, Tool.Method.PATCH)


def named_in(tool: Tool) -> list[str]:
    """The arguments that its address, headers and body name, each once."""
    texts = [tool.url, tool.body, *tool.headers.values()]
    return list(dict.fromkeys(name for text in texts for name in placeholders(text)))


def request_for(tool: Tool, arguments: Mapping[str, Any], secrets: Mapping[str, str]) -> outside.Request:
    """What is put in never becomes more than it is: a part of the address, one line of a header, a value of
    the body. An argument that nothing names goes into the body, or, where there is none, behind the address.
    Raises BadArguments.
    """
    texts = {name: shown(value) for name, value in arguments.items()}
    for name in placeholders(tool.url):
        if texts.get(name, "").strip() in (".", ".."):
            raise BadArguments(f"{name}: “{texts[name]}” cannot be a part of an address.")
    for name in placeholders(tool.url.partition("?")[0]):
        if not texts.get(name, "").strip():
            raise BadArguments(f"{name}: it is a part of the address, and empty.")
    url = httpx.URL(fill(tool.url, {name: quote(text, safe="") for name, text in texts.items()}))
    named = named_in(tool)
    unnamed = {name: value for name, value in arguments.items() if name not in named}
    headers = {"Accept": "application/json"}
    headers |= {name: " ".join(fill(value, texts).split()) for name, value in tool.headers.items()}
    body = b""
    if tool.method in _WITH_BODY:
        headers = {"Content-Type": "application/json", **headers}
        content = _filled(json.loads(tool.body), arguments) if tool.body.strip() else unnamed
        body = json.dumps(content, ensure_ascii=False, default=str).encode()
    elif unnamed:
        url = url.copy_merge_params({name: texts[name] for name in unnamed})
    return outside.Request(tool.method, str(url), headers, secrets, body)


def _filled(part: Any, arguments: Mapping[str, Any]) -> Any:
    """A text that is one placeholder becomes the value itself, as a number for a number."""
    match part:
        case dict():
            return {key: _filled(each, arguments) for key, each in part.items()}
        case list():
            return [_filled(each, arguments) for each in part]
        case str() if (names := placeholders(part)) and part.strip() == part and _alone(part):
            return arguments.get(names[0])
        case str():
            return fill(part, {name: shown(value) for name, value in arguments.items()})
    return part


def _alone(text: str) -> bool:
    return text.startswith("{{") and text.endswith("}}") and text.count("{{") == 1
