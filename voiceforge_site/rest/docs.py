"""The page that tells people of the API: the document, read aloud."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from mlservices.api.document import TAG as MODELS

from .document import document
from .examples import given_in, made, whole

_METHODS = ("get", "post", "put", "patch", "delete")
_JSON = "application/json"
SENT = "What webhooks are sent"
# In this order, and others after them.
_TAGS = ("Calls", "Outbound calls", "Messages", "Agents", "Flows", "Tools", "Knowledge", "Voices", "Numbers")
_CHOICE = re.compile(r"^\* `(.*)` - (.*)$")  # as drf-spectacular writes what an enum's values mean


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    where: str  # "path", "query", "header" or "body"
    kind: str
    needed: bool
    default: str
    what: SafeString


@dataclass(frozen=True, slots=True)
class Operation:
    anchor: str
    method: str
    path: str
    summary: str
    what: SafeString
    is_open: bool  # without a key
    fields: list[Field]
    request: str  # as a shell sends it, or as it comes to a webhook
    answer: str  # JSON; "" where there is none, or another kind
    answers: list[tuple[str, SafeString]]  # (status, what it says to us), of what we send


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    origin = request.build_absolute_uri("/")[:-1]
    tags = [(tag, anchor, len(operations)) for tag, anchor, operations in _by_tag(origin)]
    shown = _shown(origin, get_language())
    context = {"tags": tags, "origin": origin, "sent_anchor": slugify(SENT), "operations": shown}
    return render(request, "api/docs.html", context)


@lru_cache(maxsize=8)
def _shown(origin: str, language: str) -> SafeString:
    """All operations, told in `language`, the current one: the same as long as the process lives, and slow to
    make."""
    return render_to_string("api/_operations.html", {"tags": _by_tag(origin), "sent": SENT})


@lru_cache(maxsize=8)
def _by_tag(origin: str) -> list[tuple[str, str, list[Operation]]]:
    """(tag, its anchor, its operations)"""
    found = groupby(_operations(origin), key=lambda each: each[0])
    return [(tag, slugify(tag), [operation for _tag, operation in own]) for tag, own in found]


def _operations(origin: str) -> list[tuple[str, Operation]]:
    found = [
        (operation["tags"][0], _read(method, path, operation, origin))
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
        if method in _METHODS
    ]
    found += _sent()
    place = {tag: index for index, tag in enumerate(_TAGS)}
    last = {MODELS: len(place) + 1}
    return sorted(found, key=lambda each: (place.get(each[0], last.get(each[0], len(place))), each[0]))


def _read(method: str, path: str, told: Mapping[str, Any], origin: str) -> Operation:
    kind, body = _body(told)
    return Operation(
        anchor=told["operationId"],
        method=method.upper(),
        path=path,
        summary=told["summary"],
        what=_words(told.get("description", "")),
        is_open=told.get("security") == [],
        fields=[*_parameters(told), *_of_body(body)],
        request=_curl(method, path, told, kind, body, origin),
        answer=_answer(told),
        answers=[],
    )


def _sent() -> Iterator[tuple[str, Operation]]:
    """What comes to webhooks, by kind."""
    for kind, methods in document()["webhooks"].items():
        for method, told in methods.items():
            content = told["requestBody"]["content"][_JSON]
            yield (
                SENT,
                Operation(
                    anchor=told["operationId"],
                    method=method.upper(),
                    path=kind,
                    summary=told["summary"],
                    what=_words(told.get("description", "")),
                    is_open=False,
                    fields=[*_parameters(told), *_of_body(_whole(content["schema"]))],
                    request=_arriving(told["parameters"], content["example"]),
                    answer="",
                    answers=[(code, _words(each["description"])) for code, each in told["responses"].items()],
                ),
            )


def _arriving(headers: list[dict[str, Any]], body: Mapping[str, Any]) -> str:
    lines = [f"{each['name']}: {each['example']}" for each in headers]
    sent = json.dumps(body, indent=2, ensure_ascii=False)
    return "\n".join(["content-type: application/json", *lines, "", sent])


def _parameters(told: Mapping[str, Any]) -> Iterator[Field]:
    order = {"path": 0, "query": 1, "header": 2}
    for each in sorted(told.get("parameters", []), key=lambda each: order[each["in"]]):
        schema = each.get("schema", {})
        needed = each.get("required", False)
        what = _words(each.get("description", ""))
        yield Field(each["name"], each["in"], _kind(schema), needed, _default(schema), what)


def _body(told: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Its type, and its schema."""
    content = told.get("requestBody", {}).get("content", {})
    kind = _JSON if _JSON in content else next(iter(content), "")
    return kind, _whole(content[kind].get("schema", {})) if kind else {}


def _of_body(schema: Mapping[str, Any]) -> Iterator[Field]:
    needed = schema.get("required", [])
    for name, given in schema.get("properties", {}).items():
        part = _whole(given)
        if not part.get("readOnly"):
            what = _words(part.get("description", ""))
            yield Field(name, "body", _kind(part), name in needed, _default(part), what)


def _words(description: str) -> SafeString:
    """As a page shows it, without what the values of an enum tell of themselves; `this` is code."""
    lines, choices = [], []
    for line in description.splitlines():
        if found := _CHOICE.match(line):
            value, meaning = found.groups()
            if meaning.lower() != value.lower().replace("_", " "):
                choices.append(f"`{value}`: {meaning[:1].lower()}{meaning[1:]}")
        else:
            lines.append(line)
    words = " ".join(" ".join((*lines, "; ".join(choices))).split())
    return mark_safe(re.sub(r"`([^`]+)`", r"<code>\1</code>", conditional_escape(words)))  # noqa: S308 - ours, escaped


def _kind(schema: Mapping[str, Any]) -> str:
    """ "number, 0.5–2.0", "active, paused, archived" """
    schema = _whole(schema)
    if "const" in schema:
        return str(schema["const"])
    if "enum" in schema:
        return ", ".join(str(value) for value in schema["enum"] if value not in ("", None))
    kinds = schema.get("type", "")
    kind = " or ".join(kinds) if isinstance(kinds, list) else kinds
    kind = {"binary": "file"}.get(schema.get("format", ""), schema.get("format", kind))
    least = schema.get("minimum", schema.get("minLength", ""))
    most = schema.get("maximum", schema.get("maxLength", ""))
    if most == "" or abs(most) > 2**53:
        return str(kind)
    return f"{kind}, {least or 0}–{most}"


def _default(schema: Mapping[str, Any]) -> str:
    return json.dumps(schema["default"]).strip('"') if schema.get("default") not in (None, "") else ""


def _curl(
    method: str, path: str, told: Mapping[str, Any], kind: str, body: Mapping[str, Any], origin: str
) -> str:
    lines = ["curl" if method == "get" else f"curl -X {method.upper()}"]
    lines[0] += f' "{origin}{_filled(path)}"'
    if told.get("security") != []:
        lines.append('-H "Authorization: Bearer $KEY"')
    if kind == _JSON:
        sent = _example(told["requestBody"]["content"][_JSON], body)
        if sent:
            lines.append(f"--json '{json.dumps(sent, ensure_ascii=False)}'")
    elif kind:
        files = [f.name for f in _of_body(body) if f.kind == "file"]
        lines += [f"-F {name}=@file" for name in files]
    return " \\\n  ".join(lines)


def _filled(path: str) -> str:
    """With something in the place of its parts."""
    parts = [part.strip("{}").upper() if part.startswith("{") else part for part in path.split("/")]
    return "/".join(parts)


def _example(content: Mapping[str, Any], schema: Mapping[str, Any]) -> Any:
    """One that the resource gives; else one of what is needed."""
    given = given_in(content)
    return made(schema, _schemas(), only_needed=True) if given is None else given


def _answer(told: Mapping[str, Any]) -> str:
    for status in ("200", "201", "202"):
        given = given_in(told["responses"].get(status, {}).get("content", {}).get(_JSON, {}))
        if given is not None:
            return json.dumps(given, indent=2, ensure_ascii=False) if given else ""
    return ""


def _whole(schema: Mapping[str, Any]) -> dict[str, Any]:
    return whole(schema, _schemas())


def _schemas() -> Mapping[str, Any]:
    schemas: Mapping[str, Any] = document()["components"]["schemas"]
    return schemas
