"""Examples of what is sent and answered: what the resources give, and else something that fits."""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType
from typing import Any

from .plausible import IN_ADDRESSES, PLAUSIBLE

_DEEPEST = 8
_COMBINED = ("allOf", "oneOf", "anyOf")
_NOTHING = object()
_KINDS = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "array",
    dict: "object",
    NoneType: "null",
}
_OF_KIND: dict[str, Any] = {"string": "text", "number": 1.5, "boolean": True, "array": [], "object": {}}
_OF_FORMAT = {
    "date-time": "2026-03-05T14:30:00Z",
    "date": "2026-03-05",
    "decimal": "1.5",
    "uuid": "7f3c1d9e-6a52-4b8a-9a35-0f6f3f1f2d11",
}
_UUID_LENGTH = 36


def given_in(content: Mapping[str, Any]) -> Any:
    """The example of a body of one type; None where it has none."""
    for each in content.get("examples", {}).values():
        return each["value"]
    return content.get("example")


def exemplify(path: str, operation: dict[str, Any], schemas: Mapping[str, Any]) -> None:
    """Fills in an example of each answer in JSON that has none."""
    for status, answer in operation["responses"].items():
        content = answer.get("content", {}).get("application/json", {})
        if status.startswith("2") and content.get("schema") and given_in(content) is None:
            content["example"] = made(content["schema"], schemas, only_needed=False)
            if isinstance(content["example"], dict) and "next" in content["example"]:
                content["example"]["next"] = _next(path)


def _next(path: str) -> str:
    """The address of the following page of a list."""
    for start, id in IN_ADDRESSES.items():
        if path.startswith(start):
            path = path.replace("{id}", id)
    return f"https://voice.example.com{path.replace('{id}', '1')}?cursor=cD0yMDI2LTAzLTA1"


def whole(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> dict[str, Any]:
    """With what it refers to in its place."""
    if "$ref" in schema:
        return whole(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    for name in _COMBINED:
        if name in schema:
            first = whole(schema[name][0], schemas)
            return {**first, **{key: value for key, value in schema.items() if key != name}}
    return dict(schema)


def made(
    schema: Mapping[str, Any],
    schemas: Mapping[str, Any],
    *,
    only_needed: bool,
    name: str = "",
    of: str = "",
    depth: int = 0,
) -> Any:
    """Something that fits it; `of` names the resource whose field `name` it is."""
    inside = _resource(schema) or of
    schema = whole(schema, schemas)
    for plausible in (PLAUSIBLE.get(f"{of}.{name}", _NOTHING), PLAUSIBLE.get(name, _NOTHING)):
        if _fits(plausible, schema):
            return plausible
    if "example" in schema or "examples" in schema:
        return schema.get("example", next(iter(schema.get("examples", [None]))))
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    if schema.get("default") is not None:
        return schema["default"]
    kind = schema.get("type", "object")
    kind = next(each for each in kind if each != "null") if isinstance(kind, list) else kind
    if kind == "array" and depth < _DEEPEST:
        items = schema.get("items", {})
        return [made(items, schemas, only_needed=only_needed, of=inside, depth=depth + 1)]
    if kind == "object" and "properties" in schema and depth < _DEEPEST:
        names = schema.get("required", []) if only_needed else schema["properties"]
        parts = {each: schema["properties"][each] for each in names if each in schema["properties"]}
        return {
            each: made(part, schemas, only_needed=only_needed, name=each, of=inside, depth=depth + 1)
            for each, part in parts.items()
            if not (only_needed and part.get("readOnly"))
        }
    if kind == "integer":
        return max(1, schema.get("minimum", 1))
    return _OF_FORMAT.get(schema.get("format", ""), _OF_KIND.get(kind))


def _resource(schema: Mapping[str, Any]) -> str:
    """ "Webhook" of what refers to it."""
    parts = [schema, *(part for name in _COMBINED for part in schema.get(name, ()))]
    refers = next((part["$ref"] for part in parts if "$ref" in part), "")
    return str(refers).rpartition("/")[2]


def _fits(value: Any, schema: Mapping[str, Any]) -> bool:
    if value is _NOTHING or value not in schema.get("enum", [value]):
        return False
    kinds = schema.get("type", ())
    is_of_kind = _KINDS[type(value)] in ([kinds] if isinstance(kinds, str) else kinds)
    format = schema.get("format", "")
    is_written_so = format not in _OF_FORMAT or (format == "uuid" and len(value or "") == _UUID_LENGTH)
    return is_of_kind and (value is None or is_written_so)
