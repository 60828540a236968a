"""The last part of a page's address, made of a name."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from django.db.models import QuerySet


def free_slug(rows: QuerySet[Any], wanted: str, *, reserved: Set[str]) -> str:
    """`wanted`, or with a number behind it, which none of the rows has as its `slug`."""
    taken = reserved | set(rows.filter(slug__startswith=wanted).values_list("slug", flat=True))
    candidates = (wanted if number == 1 else f"{wanted}-{number}" for number in range(1, len(taken) + 2))
    return next(slug for slug in candidates if slug not in taken)
