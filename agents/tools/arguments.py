"""What a tool is given: made to fit the JSON schema of its arguments, and held against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.exceptions import Unresolvable

from mlservices.json_text import json_of

NO_ARGUMENTS: dict[str, Any] = {"type": "object", "properties": {}}
_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")


class BadArguments(Exception):
    """Which argument does not fit, and why."""


def schema_of(names: list[str]) -> dict[str, Any]:
    """For arguments of which nothing is known but their names."""
    return {
        "type": "object",
        "properties": {name: {"type": "string"} for name in names},
        "required": names,
    }


def checked(given: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Of the types that the schema asks for, since a flow's variables may be text. Raises BadArguments."""
    properties = schema.get("properties", {})
    if strange := [name for name in given if name not in properties]:
        known = ", ".join(properties) or "none"
        raise BadArguments(f"There is no argument “{strange[0]}”; the arguments are: {known}.")
    fitted = {name: _fitted(value, properties[name]) for name, value in given.items()}
    fitted = {name: value for name, value in fitted.items() if value is not None}
    try:
        # An empty registry: a schema never has another one fetched.
        for error in Draft202012Validator(dict(schema), registry=Registry()).iter_errors(fitted):
            place = ".".join(map(str, error.path))
            raise BadArguments(f"{place}: {error.message}" if place else error.message)
    except Unresolvable as error:
        raise BadArguments(f"The schema of the arguments names what is not in it: {error}.") from None
    except RecursionError:
        raise BadArguments("The schema of the arguments refers to itself without end.") from None
    return fitted


def leads_outside(schema: Any) -> bool:
    """Whether a part of the schema is to be found elsewhere."""
    match schema:
        case dict():
            named = (schema.get(name, "#") for name in ("$ref", "$dynamicRef"))
            outside = any(not str(each).startswith("#") for each in named)
            return outside or any(map(leads_outside, schema.values()))
        case list():
            return any(map(leads_outside, schema))
    return False


def _fitted(value: Any, schema: Any) -> Any:
    """None where a text says nothing and the schema wants something else."""
    kinds = _kinds(schema)
    if not isinstance(value, str) or not kinds or "string" in kinds:
        return value
    if not value.strip():
        return None
    for kind in kinds:
        if kind in _READERS:
            with suppress(ValueError):
                return _READERS[kind](value.strip())
    return value


def _kinds(schema: Any) -> list[str]:
    """The types that it allows; none where it does not say."""
    match schema:
        case {"type": str(kind)}:
            return [kind]
        case {"type": list(kinds)}:
            return kinds
        case {"anyOf": list(choices)}:
            found = [_kinds(choice) for choice in choices]
            return [kind for kinds in found for kind in kinds] if all(found) else []
    return []


def _boolean(text: str) -> bool:
    if text.lower() in (*_TRUE, *_FALSE):
        return text.lower() in _TRUE
    raise ValueError(text)


_READERS: Mapping[str, Callable[[str], Any]] = {
    "integer": int,
    "number": float,
    "boolean": _boolean,
    "array": json_of,
    "object": json_of,
}
