"""Filters of lists that refuse what they do not know."""

from __future__ import annotations

from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

_SETS: dict[type, Any] = {}


@extend_schema_field(OpenApiTypes.BOOL)
class YesOrNo(filters.TypedChoiceFilter):
    """`true` or `false`, and nothing else."""

    def __init__(self, **more: Any) -> None:
        words = [("true", "true"), ("false", "false")]
        super().__init__(choices=words, coerce=lambda word: word == "true", **more)


class WhatIsGiven(filters.DjangoFilterBackend):
    """Makes no form of the filters, which costs as much as a small page, for who names none of them."""

    def get_filterset_class(self, view: Any, queryset: Any = None) -> Any:
        """Made once of a view: each that is made anew finds out again what its fields are."""
        if type(view) not in _SETS:
            _SETS[type(view)] = super().get_filterset_class(view, queryset)
        return _SETS[type(view)]

    def filter_queryset(self, request: Any, queryset: Any, view: Any) -> Any:
        known = getattr(self.get_filterset_class(view, queryset), "base_filters", {})
        if known.keys().isdisjoint(request.GET):
            return queryset
        return super().filter_queryset(request, queryset, view)
