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


class WhatIsGiven(filters.DjangoFilterBackend):
    """Makes no form of the filters, which costs as much as a small page, for who names none of them."""

    def filter_queryset(self, request: Any, queryset: Any, view: Any) -> Any:
        known = getattr(self.get_filterset_class(view, queryset), "base_filters", {})
        if known.keys().isdisjoint(request.GET):
            return queryset
        return super().filter_queryset(request, queryset, view)
