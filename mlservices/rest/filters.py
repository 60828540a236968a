"""Filters of lists that refuse what they do not know."""

from __future__ import annotations

from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field


@extend_schema_field(OpenApiTypes.BOOL)
class YesOrNo(filters.TypedChoiceFilter):
    """`true` or `false`, and nothing else."""

    def __init__(self, **more: Any) -> None:
        words = [("true", "true"), ("false", "false")]
        super().__init__(choices=words, coerce=lambda word: word == "true", **more)
