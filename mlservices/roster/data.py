"""A model as programs get it, from the API and from `manage.py models --json`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from .rows import Row


def as_data(row: Row) -> dict[str, Any]:
    """The catalogue's fields, one `state` with its reason, `files` as they are now, and what the ML service
    tells (null where it does not answer)."""
    source = {key: value for key, value in asdict(row.model.source).items() if value}
    if not row.model.source.hub:
        source = {key: value for key, value in source.items() if key not in ("patterns", "files")}
    return {
        **asdict(row.model),
        "source": source,
        "configured": row.configured,
        "state": row.standing.value,
        "reason": row.reason,
        "files": asdict(row.files),
        "service": row.told,
    }
