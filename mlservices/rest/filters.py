"""Filters of lists that refuse what they do not know."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from django_filters.fields import ModelChoiceField
from drf_spectacular.utils import extend_schema_field
from rest_framework.filters import OrderingFilter, SearchFilter

from ..api.answers import invalid
from .forms import valid

_SETS: dict[type, Any] = {}


class YesOrNo(filters.TypedChoiceFilter):
    """`true` or `false`, and nothing else."""

    def __init__(self, *, help_text: str, **more: Any) -> None:
        words = [("true", "true"), ("false", "false")]
        super().__init__(choices=words, coerce=lambda word: word == "true", **more)
        extend_schema_field({"type": "boolean", "description": help_text})(self)


class _OfId(ModelChoiceField):
    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except ValidationError:
            raise ValidationError(_("There is none of this id.")) from None


class IdOf(filters.ModelChoiceFilter):
    """The id of a thing that there is: its slug, or `to_field_name`."""

    field_class = _OfId

    def __init__(self, things: QuerySet[Any], *, help_text: str, to_field_name: str = "slug") -> None:
        super().__init__(queryset=things, to_field_name=to_field_name)
        extend_schema_field({"type": "string", "description": help_text})(self)


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
        filterset = self.get_filterset(request, queryset, view)
        valid(filterset.form)
        return filterset.qs


def not_an_order(known: Iterable[str]) -> str:
    names = ", ".join(known)
    return _("Use %(names)s, with - before it for the other way round.") % {"names": names}


class Searched(SearchFilter):
    """`?search=`, where a list says in which fields."""

    def get_schema_operation_parameters(self, view: Any) -> Any:
        return super().get_schema_operation_parameters(view) if getattr(view, "search_fields", ()) else []


class Ordered(OrderingFilter):
    """`?ordering=` by what a list says, and by nothing else."""

    ordering_fields = ()

    def remove_invalid_fields(self, queryset: Any, fields: Any, view: Any, request: Any) -> Any:
        known = getattr(view, "ordering_fields", ())
        if any(field.removeprefix("-") not in known for field in fields):
            raise invalid(ordering=not_an_order(known))
        return fields

    def get_schema_operation_parameters(self, view: Any) -> Any:
        known = [f"`{name}`" for name in getattr(view, "ordering_fields", ())]
        told = f"In which order: {', '.join(known)}, with `-` before it the other way round."
        parameter = {"name": self.ordering_param, "in": "query", "description": told}
        return [{**parameter, "schema": {"type": "string"}}] if known else []
