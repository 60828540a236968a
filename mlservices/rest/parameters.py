"""What a resource takes after the ? of its address: what its description says, and nothing else."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry

_TAKEN: dict[tuple[type, str], frozenset[str]] = {}


def taken(view: Any) -> Collection[str]:
    """The names that the action which was asked for takes. They are looked up once for each."""
    asked = (type(view), view.action)
    if asked not in _TAKEN:
        _TAKEN[asked] = frozenset(_described(view))
    return _TAKEN[asked]


def _described(view: Any) -> Collection[str]:
    action = getattr(view, view.action, None)
    schema = getattr(action, "kwargs", {}).get("schema", AutoSchema)()
    schema.view, schema.method, schema.path = view, view.request.method, ""
    schema.registry = ComponentRegistry()
    return [each["name"] for each in schema._get_parameters() if each["in"] == "query"]
