"""A flow that a model was asked to change, with what it answered -> the changed flow in the exchange format.

A model is shown only what the schema of its answers knows. What it leaves as it was shown stays as it was in
the flow, with all that it was not shown; what it answers otherwise is changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .schema import PAIRED, as_exchanged, is_left_out

# What tells the parts of a list from one another.
_KEYS: Mapping[str, str] = {
    "nodes": "id",
    "edges": "id",
    "variables": "name",
    "intents": "id",
    "options": "value",
}


def merged(before: Any, shown: Any, made: Any, name: str = "") -> Any:
    """`before` and the answer are in the exchange format, `shown` and `made` as the schema has it; `name` is
    that of the field which they are of."""
    if as_exchanged(made, name) == as_exchanged(shown, name):
        return before
    match before, shown, made:
        case list(), list(), list() if name in _KEYS:
            return _list(before, shown, made, _KEYS[name])
        case dict(), list(), list() if name in PAIRED:
            return _mapping(before, as_exchanged(shown, name), as_exchanged(made, name))
        case dict(), dict(), dict():
            return _object(before, shown, made)
    return as_exchanged(made, name)


def _object(before: dict[str, Any], shown: dict[str, Any], made: dict[str, Any]) -> dict[str, Any]:
    """What `made` says nothing of stays; a step of another type has other data."""
    if made.get("type", before.get("type")) != before.get("type"):
        return {**before, "data": {}, **as_exchanged(made)}
    whole = dict(before)
    for name, each in made.items():
        if as_exchanged(each, name) == as_exchanged(shown.get(name), name):
            continue
        whole[name] = merged(before.get(name), shown.get(name), each, name)
        if is_left_out(name, whole[name]):
            del whole[name]
    return whole


def _mapping(before: dict[str, Any], shown: dict[str, Any], made: dict[str, Any]) -> dict[str, Any]:
    """The values were shown as texts, whatever they are."""
    same = {name for name, text in made.items() if name in before and text == shown.get(name)}
    return {name: before[name] if name in same else text for name, text in made.items()}


def _list(before: list[Any], shown: list[Any], made: list[Any], key: str) -> list[Any]:
    """What was not shown stays, behind the rest."""
    known, told = ({_name(each, key): each for each in parts} for parts in (before, shown))
    whole = []
    for each in made:
        name = _name(each, key)
        is_known = name in known and name in told
        whole.append(_object(known[name], told[name], each) if is_known else as_exchanged(each))
    return [*whole, *(each for each in before if _name(each, key) not in told)]


def _name(part: Any, key: str) -> str | None:
    return str(part.get(key)) if isinstance(part, dict) else None
