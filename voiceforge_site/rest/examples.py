"""Examples of what is sent and answered: what the resources give, and else something that fits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# What stands in an example for a field that says nothing itself.
_USUAL: dict[str, Any] = {
    "id": "ID",
    "name": "Front desk",
    "text": "One moment, please.",
    "number": "+14155550100",
    "to": "+14155550123",
    "agent": "front-desk",
    "transfer_number": "+14155550100",
    "fallback_number": "+14155550100",
    "send_digits": "1w2",
    "currency": "USD",
}
_DEEPEST = 8
_OF_KIND: dict[str, Any] = {
    "string": "text",
    "integer": 1,
    "number": 1.0,
    "boolean": True,
    "array": [],
    "object": {},
}


def given_in(content: Mapping[str, Any]) -> Any:
    """The example of a body of one type; None where it has none."""
    for each in content.get("examples", {}).values():
        return each["value"]
    return content.get("example")


def exemplify(operation: dict[str, Any], schemas: Mapping[str, Any]) -> None:
    """Fills in an example of each answer in JSON that has none."""
    for status, answer in operation["responses"].items():
        content = answer.get("content", {}).get("application/json", {})
        if status.startswith("2") and content.get("schema") and given_in(content) is None:
            content["example"] = made(content["schema"], schemas, only_needed=False)


def whole(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> dict[str, Any]:
    """With what it refers to in its place."""
    if "$ref" in schema:
        return whole(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    for name in ("allOf", "oneOf", "anyOf"):
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
    depth: int = 0,
) -> Any:
    """Something that fits it."""
    schema = whole(schema, schemas)
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
        return [made(schema.get("items", {}), schemas, only_needed=only_needed, name=name, depth=depth + 1)]
    if kind == "object" and "properties" in schema and depth < _DEEPEST:
        names = schema.get("required", []) if only_needed else schema["properties"]
        parts = {each: schema["properties"][each] for each in names if each in schema["properties"]}
        return {
            each: made(part, schemas, only_needed=only_needed, name=each, depth=depth + 1)
            for each, part in parts.items()
            if not (only_needed and part.get("readOnly"))
        }
    if kind == "integer":
        return max(1, schema.get("minimum", 1))
    return _plain(kind, schema.get("format", ""), name)


def _plain(kind: str, format: str, name: str) -> Any:
    if format == "date-time":
        return "2026-03-05T14:30:00Z"
    if format == "decimal":
        return "1.5"
    if format == "uuid":
        return "7f3c1d9e-6a52-4b8a-9a35-0f6f3f1f2d11"
    return _USUAL.get(name, _OF_KIND.get(kind, "text")) if kind == "string" else _OF_KIND.get(kind)
