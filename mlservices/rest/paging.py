from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.pagination import CursorPagination
from rest_framework.response import Response


class Pages(CursorPagination):
    """`?limit=` (200 at most) and `?cursor=`, which `next` and `previous` of an answer hold: a page costs the
    same wherever it is, and what is added meanwhile moves nothing."""

    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 200

    def __init__(self, own: Sequence[str] = ()) -> None:
        self._own = tuple(own)

    def get_ordering(self, request: Any, queryset: Any, view: Any) -> Any:
        return self._own or super().get_ordering(request, queryset, view)


def listed(
    view: Any, rows: QuerySet[Any], fields: type[serializers.BaseSerializer], *, ordering: str
) -> Response:
    """A page of what belongs to a thing, in an order of its own."""
    pages = Pages([ordering])
    page = pages.paginate_queryset(rows, view.request, view)
    return pages.get_paginated_response(fields(page, many=True, context={"request": view.request}).data)


def page_of(fields: type[serializers.Serializer]) -> type[serializers.Serializer]:
    """How such a page is described."""
    parts = {
        "next": serializers.URLField(allow_null=True),
        "previous": serializers.URLField(allow_null=True),
        "results": fields(many=True),
    }
    return type(f"Page{fields.__name__}", (serializers.Serializer,), parts)
