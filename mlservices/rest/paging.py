from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.response import Response

from ..api.answers import Refused, invalid
from .serializers import told_by


class Pages(CursorPagination):
    """`?limit=` (200 at most) and `?cursor=`, which `next` and `previous` of an answer hold: a page costs the
    same wherever it is, and what is added meanwhile moves nothing."""

    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 200

    def __init__(self, own: Sequence[str] = ()) -> None:
        self._own = tuple(own)

    def get_page_size(self, request: Any) -> int:
        asked = request.query_params.get("limit", str(self.page_size))
        if not re.fullmatch("[0-9]{1,3}", asked) or not 1 <= int(asked) <= self.max_page_size:
            raise invalid(limit=f"Use a number from 1 to {self.max_page_size}.")
        return int(asked)

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> Any:
        try:
            return super().paginate_queryset(queryset, request, view)
        except (NotFound, ValueError):  # a place that is none in this order
            raise _no_cursor() from None

    def decode_cursor(self, request: Any) -> Any:
        cursor = super().decode_cursor(request)
        if cursor is not None and "\0" in (cursor.position or ""):  # PostgreSQL takes none
            raise _no_cursor()
        return cursor

    def get_ordering(self, request: Any, queryset: Any, view: Any) -> Any:
        """With the row's own id at the end: rows that are alike otherwise keep their order over pages."""
        order = tuple(self._own or super().get_ordering(request, queryset, view))
        if {each.lstrip("-") for each in order} & {"pk", "id"}:
            return order
        return (*order, "-pk" if order[0].startswith("-") else "pk")

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """OpenAPI 3.1 knows no `nullable`, which Django REST framework writes."""
        address = {"type": ["string", "null"], "format": "uri"}
        properties = {"next": address, "previous": dict(address), "results": schema}
        return {"type": "object", "required": ["results"], "properties": properties}

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            {"name": each.name, "in": "query", "schema": each.type, "description": each.description}
            for each in PAGED
        ]


def _no_cursor() -> Refused:
    return invalid(cursor=_("It is none of this list: take it out of `next` or `previous` of an answer."))


_LIMIT = {"type": "integer", "minimum": 1, "maximum": Pages.max_page_size, "default": Pages.page_size}
# What a page is asked for by, for the description of an action that is not called `list`.
PAGED = [
    OpenApiParameter("limit", _LIMIT, description="how many of them"),
    OpenApiParameter(
        "cursor", {"type": "string"}, description="where to go on: take it out of `next` or `previous`"
    ),
]


def listed(
    view: Any, rows: QuerySet[Any], fields: type[serializers.BaseSerializer], *, ordering: str
) -> Response:
    """A page of what belongs to a thing, in an order of its own."""
    pages = Pages([ordering])
    page = pages.paginate_queryset(rows, view.request, view)
    return pages.get_paginated_response([told_by(fields, thing) for thing in page])


def page_of(fields: type[serializers.Serializer]) -> type[serializers.Serializer]:
    """How such a page is described."""
    parts = {
        "next": serializers.URLField(allow_null=True),
        "previous": serializers.URLField(allow_null=True),
        "results": fields(many=True),
    }
    page = type(f"Page{fields.__name__}", (serializers.Serializer,), parts)
    return extend_schema_serializer(many=False)(page)  # it is one, also of an action that is called `list`
