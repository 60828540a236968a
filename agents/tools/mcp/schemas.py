"""The schema of a tool's arguments as its server tells it -> one that is safe to check with and to show.

Only what is listed here is kept. A pattern may run for ever, a $ref may lead elsewhere or, to parts that
refer to each other, double the work at each step: patterns are dropped, and what is referred to is put in its
place. The server itself checks all of it once more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator, SchemaError

from ..answers import cleaned
from .texts import one_line

LARGEST = 20_000  # characters of JSON, as it comes and as it is kept
LONGEST_TEXT = 1_000
LONGEST_NAME = 128  # of an argument
_MOST_PARTS = 2_000
_DEEPEST = 24
_HIGHEST = 10**15  # beyond it, numbers do not fit each other
_KINDS = ("string", "number", "integer", "boolean", "array", "object", "null")
_LIMITS = (
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    *("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"),
)
_CHOICES = {
    "anyOf": "anyOf",
    "oneOf": "anyOf",
    "allOf": "allOf",
}  # the less strict oneOf: parts lose their patterns

Schema = dict[str, Any]


class BadSchema(Exception):
    """Arguments of this kind cannot be checked. `too_large`: that is all that is wrong."""

    def __init__(self, *, too_large: bool = False) -> None:
        super().__init__("too large" if too_large else "no usable schema")
        self.too_large = too_large


def plain(schema: Any) -> Schema:
    """Of the type "object", with "properties", without "$ref". Raises BadSchema."""
    if not isinstance(schema, dict):
        raise BadSchema
    _check_size(schema)
    try:
        made = _Plain(schema).part(schema)
        if made.get("type", "object") != "object":
            raise BadSchema
        made = {**made, "type": "object", "properties": made.get("properties", {})}
        Draft202012Validator.check_schema(made)
    except (SchemaError, RecursionError):
        raise BadSchema from None
    _check_size(made)
    if "<|" in json.dumps(made):  # a mark by which a language model tells who speaks
        raise BadSchema
    return made


def _check_size(schema: Schema) -> None:
    try:
        size = len(json.dumps(schema))
    except (ValueError, RecursionError):
        raise BadSchema from None
    if size > LARGEST:
        raise BadSchema(too_large=True)


class _Plain:
    def __init__(self, root: Schema) -> None:
        self._root = root
        self._left = _MOST_PARTS

    def part(self, schema: Any, within: tuple[str, ...] = (), depth: int = 0) -> Schema:
        """{} where anything goes: a part that holds itself, or stands too deep to be looked at."""
        self._left -= 1
        if self._left < 0:
            raise BadSchema(too_large=True)
        if not isinstance(schema, dict) or depth > _DEEPEST:
            return {}
        if "$ref" in schema:
            place = schema["$ref"]
            if place in within:
                return {}
            beside = {name: value for name, value in schema.items() if name != "$ref"}
            return self.part({**self._at(place), **beside}, (*within, place), depth + 1)
        made = {**_told(schema), **_limits(schema), **_values(schema)}
        return made | self._parts(schema, within, depth + 1)

    def _parts(self, schema: Schema, within: tuple[str, ...], depth: int) -> Schema:
        made: Schema = {}
        if isinstance(named := schema.get("properties"), dict):
            made["properties"] = {_name(name): self.part(each, within, depth) for name, each in named.items()}
        if isinstance(needed := schema.get("required"), list):
            made["required"] = list(dict.fromkeys(_name(name) for name in needed))
        for keyword in ("items", "additionalProperties"):
            match schema.get(keyword):
                case bool(allowed):
                    made[keyword] = allowed
                case dict(part):
                    made[keyword] = self.part(part, within, depth)
        for keyword, kept_as in _CHOICES.items():
            if isinstance(choices := schema.get(keyword), list) and choices and kept_as not in made:
                made[kept_as] = [self.part(each, within, depth) for each in choices]
        return made

    def _at(self, place: Any) -> Schema:
        """What a "$ref" of this document refers to."""
        if not isinstance(place, str) or not (place == "#" or place.startswith("#/")):
            raise BadSchema
        found: Any = self._root
        for step in place.removeprefix("#").split("/")[1:]:
            step = step.replace("~1", "/").replace("~0", "~")
            if isinstance(found, list) and step.isdecimal() and len(step) < 6 and int(step) < len(found):
                found = found[int(step)]
            elif isinstance(found, dict) and step in found:
                found = found[step]
            else:
                raise BadSchema
        return found if isinstance(found, dict) else {}


def _told(schema: Schema) -> Schema:
    texts = {name: one_line(schema.get(name), LONGEST_TEXT) for name in ("title", "description", "format")}
    made: Schema = {name: text for name, text in texts.items() if text}
    kinds = schema.get("type")
    if kinds in _KINDS:
        made["type"] = kinds
    elif isinstance(kinds, list) and (known := [kind for kind in _KINDS if kind in kinds]):
        made["type"] = known
    return made


def _limits(schema: Mapping[str, Any]) -> Schema:
    found = {name: schema.get(name) for name in _LIMITS}
    return {
        name: value
        for name, value in found.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _HIGHEST
    }


def _values(schema: Schema) -> Schema:
    made: Schema = {name: cleaned(schema[name]) for name in ("const", "default") if name in schema}
    if isinstance(choices := schema.get("enum"), list) and choices:
        made["enum"] = cleaned(choices)
    return made


def _name(name: Any) -> str:
    """Of an argument, which has to be sent as it is told."""
    if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= LONGEST_NAME:
        raise BadSchema
    return name
