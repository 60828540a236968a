"""The page that tells people of the API: the document, read aloud."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from mlservices.api.document import TAG as MODELS

from .document import document

_METHODS = ("get", "post", "put", "patch", "delete")
_JSON = "application/json"
# In this order, and others after them.
_TAGS = ("Calls", "Outbound calls", "Messages", "Agents", "Flows", "Tools", "Knowledge", "Voices", "Numbers")
# What stands in an example for a field that says nothing itself.
_USUAL: dict[str, Any] = {
    "id": "ID",
    "name": "Front desk",
    "text": "One moment, please.",
    "number": "+14155550100",
    "to": "+14155550123",
    "agent": "front-desk",
}
_OF_KIND: dict[str, Any] = {
    "string": "text",
    "integer": 1,
    "number": 1.0,
    "boolean": True,
    "array": [],
    "object": {},
}


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    where: str  # "path", "query", "header" or "body"
    kind: str
    needed: bool
    default: str
    what: str


@dataclass(frozen=True, slots=True)
class Operation:
    anchor: str
    method: str
    path: str
    summary: str
    what: str
    is_open: bool  # without a key
    fields: list[Field]
    request: str  # as a shell sends it
    answer: str  # JSON; "" where there is none, or another kind


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    origin = request.build_absolute_uri("/")[:-1]
    tags = [
        (tag, slugify(tag), list(found)) for tag, found in groupby(_operations(origin), key=lambda o: o[0])
    ]
    shown = [(tag, anchor, [operation for _tag, operation in found]) for tag, anchor, found in tags]
    return render(request, "api/docs.html", {"tags": shown, "origin": origin})


def _operations(origin: str) -> list[tuple[str, Operation]]:
    found = [
        (operation["tags"][0], _read(method, path, operation, origin))
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
        if method in _METHODS
    ]
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
        what=" ".join(told.get("description", "").split()),
        is_open=told.get("security") == [],
        fields=[*_parameters(told), *_of_body(body)],
        request=_curl(method, path, told, kind, body, origin),
        answer=_answer(told),
    )


def _parameters(told: Mapping[str, Any]) -> Iterator[Field]:
    order = {"path": 0, "query": 1, "header": 2}
    for each in sorted(told.get("parameters", []), key=lambda each: order[each["in"]]):
        schema = each.get("schema", {})
        needed = each.get("required", False)
        what = each.get("description", "")
        yield Field(each["name"], each["in"], _kind(schema), needed, _default(schema), what)


def _body(told: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Its type, and its schema."""
    content = told.get("requestBody", {}).get("content", {})
    kind = _JSON if _JSON in content else next(iter(content), "")
    return kind, _resolved(content[kind].get("schema", {})) if kind else {}


def _of_body(schema: Mapping[str, Any]) -> Iterator[Field]:
    needed = schema.get("required", [])
    for name, given in schema.get("properties", {}).items():
        part = _resolved(given)
        if not part.get("readOnly"):
            what = part.get("description", "")
            yield Field(name, "body", _kind(part), name in needed, _default(part), what)


def _resolved(schema: Mapping[str, Any]) -> dict[str, Any]:
    """With what it refers to in its place."""
    if "$ref" in schema:
        return _resolved(document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    for name in ("allOf", "oneOf", "anyOf"):
        if name in schema:
            first = _resolved(schema[name][0])
            return {**first, **{key: value for key, value in schema.items() if key != name}}
    return dict(schema)


def _kind(schema: Mapping[str, Any]) -> str:
    """ "number, 0.5–2.0", "active, paused, archived" """
    schema = _resolved(schema)
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
    for given in content.get("examples", {}).values():
        return given["value"]
    return _made(schema, only_needed=True)


def _answer(told: Mapping[str, Any]) -> str:
    for status in ("200", "201", "202"):
        content = told["responses"].get(status, {}).get("content", {})
        if _JSON in content and content[_JSON].get("schema"):
            shown = _made(_resolved(content[_JSON]["schema"]), only_needed=False)
            return json.dumps(shown, indent=2, ensure_ascii=False) if shown else ""
    return ""


def _made(schema: Mapping[str, Any], *, only_needed: bool, name: str = "", depth: int = 0) -> Any:
    """Something that fits it."""
    schema = _resolved(schema)
    if "example" in schema or "examples" in schema:
        return schema.get("example", next(iter(schema.get("examples", [None]))))
    if schema.get("enum"):
        return schema["enum"][0]
    if schema.get("default") is not None:
        return schema["default"]
    kind = schema.get("type", "object")
    kind = next(each for each in kind if each != "null") if isinstance(kind, list) else kind
    if kind == "array" and depth < 4:
        return [_made(schema.get("items", {}), only_needed=only_needed, name=name, depth=depth + 1)]
    if kind == "object" and "properties" in schema and depth < 4:
        names = schema.get("required", []) if only_needed else schema["properties"]
        parts = {each: schema["properties"][each] for each in names if each in schema["properties"]}
        return {
            each: _made(part, only_needed=only_needed, name=each, depth=depth + 1)
            for each, part in parts.items()
            if not (only_needed and part.get("readOnly"))
        }
    return _plain(kind, schema.get("format", ""), name)


def _plain(kind: str, format: str, name: str) -> Any:
    if format == "date-time":
        return "2026-03-05T14:30:00Z"
    if format == "uuid":
        return "7f3c1d9e-6a52-4b8a-9a35-0f6f3f1f2d11"
    return _USUAL.get(name, _OF_KIND.get(kind, "text")) if kind == "string" else _OF_KIND.get(kind)
